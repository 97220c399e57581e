//! What people prefer: the language of what they are told, and by which bindings they are told it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::definition::Weekday;
use crate::id::{BindingId, NoticeId, PersonId};

/// How many bindings a person may say something of, in one place.
pub const MOST_CHANNELS: usize = 50;
/// How many notices a person may say something of.
pub const MOST_NOTICES: usize = 500;
/// The longest tag of a language, in bytes.
const LONGEST_LANGUAGE: usize = 35;

/// What a person prefers, as `preference` things of the directory hold it. Its id is the person's.
///
/// Whatever they prefer, a notice is in their inbox, and one that its definition calls mandatory goes by
/// every binding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    /// The language that they read, such as `nl`; what the directory says of the person without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The time zone that they live by, such as `Europe/Brussels`; the pack's without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// How notices come by a binding of which nothing else is said.
    #[serde(default, skip_serializing_if = "Way::is_at_once")]
    pub default: Way,
    /// How notices come by a binding.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<BindingId, Way>,
    /// How single notices come: what is said here counts more than what is said of all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notices: BTreeMap<NoticeId, OfNotice>,
    /// When digests come; daily at 08:00 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestTimes>,
}

/// When the digests of a person come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigestTimes {
    /// How often.
    pub every: Every,
    /// At which time of the local clock, of a day or week.
    #[serde(default)]
    pub at: TimeOfDay,
    /// On which day, of a week.
    #[serde(default = "monday")]
    pub on: Weekday,
}

impl Default for DigestTimes {
    fn default() -> Self {
        Self {
            every: Every::default(),
            at: TimeOfDay::default(),
            on: monday(),
        }
    }
}

/// How often digests come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Every {
    /// On every full hour of UTC.
    Hour,
    /// Once a day.
    #[default]
    Day,
    /// Once a week.
    Week,
}

/// A time of the local clock, to the minute: `08:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// How many minutes of the clock it is after midnight, less than 1,440.
    pub const fn minutes(self) -> u32 {
        self.0 as u32
    }
}

impl Default for TimeOfDay {
    fn default() -> Self {
        Self(8 * 60)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parse = || {
            let (hours, minutes) = text.split_once(':')?;
            let is_pair = |it: &str| it.len() == 2 && it.bytes().all(|it| it.is_ascii_digit());
            if !is_pair(hours) || !is_pair(minutes) {
                return None;
            }
            let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
            (hours < 24 && minutes < 60).then_some(Self(hours * 60 + minutes))
        };
        parse().ok_or_else(|| format!("`{text}` is no time of day such as `08:00`"))
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        format!("{:02}:{:02}", time.0 / 60, time.0 % 60)
    }
}

const fn monday() -> Weekday {
    Weekday::Mon
}

/// How one notice comes to a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfNotice {
    /// By a binding of which nothing else is said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Way>,
    /// By a binding.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<BindingId, Way>,
}

/// How a person hears of something by a binding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// As it happens.
    #[default]
    AtOnce,
    /// In a digest, together with what else comes.
    Digest,
    /// Not at all.
    Never,
}

impl Way {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    const fn is_at_once(&self) -> bool {
        matches!(self, Self::AtOnce)
    }
}

impl Preferences {
    /// How a notice comes by a binding: what is said of the notice and the binding counts most, then
    /// what is said of the notice, then of the binding.
    pub fn way(&self, notice: &NoticeId, binding: &BindingId) -> Way {
        let of = self.notices.get(notice);
        of.and_then(|of| of.channels.get(binding).copied().or(of.default))
            .or_else(|| self.channels.get(binding).copied())
            .unwrap_or(self.default)
    }

    /// Whether anything comes in digests.
    pub fn uses_digests(&self) -> bool {
        let of_notices = self.notices.values();
        let of_notices = of_notices.flat_map(|of| of.channels.values().chain(&of.default));
        let mut ways = self
            .channels
            .values()
            .chain(of_notices)
            .chain([&self.default]);
        ways.any(|way| *way == Way::Digest)
    }

    /// What is wrong with them, for whoever put them there.
    ///
    /// # Errors
    /// More than [`MOST_CHANNELS`] bindings or [`MOST_NOTICES`] notices, or a language of another form
    /// than a tag such as `nl` or `pt-BR`. Each with the attribute that it is about.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let crowded = self
            .notices
            .values()
            .any(|of| of.channels.len() > MOST_CHANNELS);
        if crowded || self.notices.len() > MOST_NOTICES {
            let message =
                format!("at most {MOST_NOTICES} notices, and {MOST_CHANNELS} bindings for each");
            return Err(("notices", message));
        }
        if self.channels.len() > MOST_CHANNELS {
            let message = format!("a person says something of at most {MOST_CHANNELS} bindings");
            return Err(("channels", message));
        }
        if !self.language.as_deref().is_none_or(is_language) {
            let message = "a language is a tag such as `nl` or `pt-BR`";
            return Err(("language", message.to_owned()));
        }
        Ok(())
    }
}

/// Whether a text has the form of a language's tag (RFC 5646): parts of letters and digits, with `-`
/// between them.
fn is_language(tag: &str) -> bool {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    tag.len() <= LONGEST_LANGUAGE && tag.split('-').all(is_part)
}

/// How people hear of one notice, where it is otherwise than at once: by person and binding.
pub type Ways = BTreeMap<PersonId, BTreeMap<BindingId, Way>>;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Preferences, Way};

    fn preferences(json: serde_json::Value) -> Preferences {
        serde_json::from_value(json).expect("preferences")
    }

    #[test]
    fn what_is_said_most_closely_counts_most() {
        let way = |preferences: &Preferences, notice: &str, binding: &str| {
            preferences.way(
                &notice.parse().expect("an id"),
                &binding.parse().expect("an id"),
            )
        };
        let nothing = preferences(json!({}));
        assert_eq!(way(&nothing, "mended", "chat"), Way::AtOnce);
        let some = preferences(json!({
            "default": "never",
            "channels": { "chat": "at-once" },
            "notices": {
                "nag": { "default": "never" },
                "mended": { "channels": { "mail": "at-once" } },
            },
        }));
        assert_eq!(way(&some, "mended", "chat"), Way::AtOnce);
        assert_eq!(way(&some, "mended", "mail"), Way::AtOnce);
        assert_eq!(way(&some, "known", "mail"), Way::Never);
        assert_eq!(way(&some, "nag", "chat"), Way::Never);
    }

    #[test]
    fn a_time_of_day_reads_back_what_it_prints() {
        let times =
            |at: &str| preferences(json!({ "digest": { "every": "week", "at": at } })).digest;
        let times = times("23:59").expect("it is said");
        assert_eq!(times.at.minutes(), 23 * 60 + 59);
        assert_eq!(
            json!(times),
            json!({ "every": "week", "at": "23:59", "on": "mon" })
        );
        for wrong in ["24:00", "8:00", "08:60", "0800", "+8:00", ""] {
            let wrong = json!({ "digest": { "every": "day", "at": wrong } });
            assert!(serde_json::from_value::<Preferences>(wrong).is_err());
        }
        assert!(
            preferences(json!({ "notices": { "nag": { "default": "digest" } } })).uses_digests()
        );
        assert!(!preferences(json!({ "default": "never" })).uses_digests());
    }

    #[test]
    fn what_cannot_be_is_told() {
        let told = |json| preferences(json).check().expect_err("wrong").0;
        assert_eq!(preferences(json!({ "language": "pt-BR" })).check(), Ok(()));
        assert_eq!(told(json!({ "language": "de_DE" })), "language");
        assert_eq!(told(json!({ "language": "" })), "language");
        let many = |count: usize| -> serde_json::Map<_, _> {
            (0..count)
                .map(|it| (format!("b{it}"), json!("never")))
                .collect()
        };
        assert_eq!(told(json!({ "channels": many(51) })), "channels");
        let crowded = json!({ "notices": { "nag": { "channels": many(51) } } });
        assert_eq!(told(crowded), "notices");
    }
}
