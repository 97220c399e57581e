//! Out of office: when a person is away, and who stands in for them meanwhile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Instant;
use crate::id::{AbsenceId, PersonId};

/// How many periods a person may have.
pub const MOST_PERIODS: usize = 100;
/// The longest reason, in characters.
pub const LONGEST_REASON: usize = 500;

/// When a person is away, as `absence` things of the directory hold it. Its id is the person's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absences {
    /// Each by an id of the person's choice.
    #[serde(default)]
    pub periods: BTreeMap<AbsenceId, Absence>,
}

/// One period out of office, half open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absence {
    /// The first instant.
    pub from: Instant,
    /// The first instant after it.
    pub to: Instant,
    /// Who votes, and is on call, in their place; nobody without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substitute: Option<PersonId>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Absence {
    /// Whether the person is away then.
    pub fn covers(&self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }
}

impl Absences {
    /// The absence that counts at an instant: of several one with a substitute, the one that began last.
    pub fn at(&self, at: Instant) -> Option<&Absence> {
        let covering = self.periods.values().filter(|absence| absence.covers(at));
        covering.max_by_key(|absence| (absence.substitute.is_some(), absence.from))
    }

    /// The next instant after `after` at which an absence begins or ends.
    pub fn next_change(&self, after: Instant) -> Option<Instant> {
        let ends = self.periods.values().flat_map(|it| [it.from, it.to]);
        ends.filter(|at| *at > after).min()
    }

    /// What is wrong with them, for whoever put them there.
    ///
    /// # Errors
    /// More than [`MOST_PERIODS`], a period that ends before it begins, a reason of more than
    /// [`LONGEST_REASON`] characters, or a person who stands in for themselves.
    pub fn check(&self, person: &PersonId) -> Result<(), String> {
        if self.periods.len() > MOST_PERIODS {
            return Err(format!("a person has at most {MOST_PERIODS} periods"));
        }
        for (id, absence) in &self.periods {
            if absence.from >= absence.to {
                return Err(format!("periods.{id}: `to` is not after `from`"));
            }
            if absence.substitute.as_ref() == Some(person) {
                return Err(format!("periods.{id}: nobody stands in for themselves"));
            }
            let reason = absence.reason.as_deref().unwrap_or_default();
            if reason.chars().count() > LONGEST_REASON {
                return Err(format!(
                    "periods.{id}: a reason has at most {LONGEST_REASON} characters"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Absence, Absences};
    use crate::Instant;
    use crate::id::{AbsenceId, PersonId};

    fn absences(periods: &[(&str, i64, i64, Option<&str>)]) -> Absences {
        let period = |(id, from, to, substitute): &(&str, i64, i64, Option<&str>)| {
            let absence = Absence {
                from: Instant::from_millis(*from),
                to: Instant::from_millis(*to),
                substitute: substitute.map(|id| PersonId::new(id).expect("an id")),
                reason: None,
            };
            (AbsenceId::new(id).expect("an id"), absence)
        };
        Absences {
            periods: periods.iter().map(period).collect(),
        }
    }

    #[test]
    fn an_absence_is_half_open_and_a_substitute_counts_more() {
        let absences = absences(&[("holiday", 10, 20, Some("carla")), ("course", 15, 30, None)]);
        let who = |at| {
            let absence = absences.at(Instant::from_millis(at))?;
            Some(absence.substitute.as_ref().map_or("-", AsRef::as_ref))
        };
        let found: Vec<_> = [9, 10, 15, 19, 20, 29, 30].map(who).to_vec();
        assert_eq!(
            found,
            [
                None,
                Some("carla"),
                Some("carla"),
                Some("carla"),
                Some("-"),
                Some("-"),
                None
            ]
        );
        let next = absences.next_change(Instant::from_millis(10));
        assert_eq!(next, Some(Instant::from_millis(15)));
    }

    #[test]
    fn what_cannot_be_is_told() {
        let ada = PersonId::new("ada").expect("an id");
        assert_eq!(absences(&[("a", 1, 2, Some("carla"))]).check(&ada), Ok(()));
        let told = |periods| absences(periods).check(&ada).expect_err("wrong");
        assert_eq!(
            told(&[("a", 2, 2, None)]),
            "periods.a: `to` is not after `from`"
        );
        assert_eq!(
            told(&[("a", 1, 2, Some("ada"))]),
            "periods.a: nobody stands in for themselves"
        );
    }
}
