//! Inboxes: what people were told, as the store keeps it in order, and what of it they have read.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use model::Instant;
use model::id::RecordId;
use serde::{Deserialize, Serialize};

/// How many notices the inbox of a person holds; older ones leave it, and stay in the journals of their
/// records.
pub const MOST_IN_INBOX: usize = 1_000;

/// The address of a notice: where in the journal its entry stands, and which of the entry's events it
/// is. Printed as `4711.2`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct InboxPlace {
    /// The position of the entry.
    pub position: u64,
    /// The place of the event in it.
    pub event: u32,
}

impl fmt::Display for InboxPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.position, self.event)
    }
}

/// A text is no address of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a notice is named as the inbox names it, such as `4711.2`")]
pub struct InboxPlaceError;

impl FromStr for InboxPlace {
    type Err = InboxPlaceError;

    fn from_str(text: &str) -> Result<Self, InboxPlaceError> {
        let (position, event) = text.split_once('.').ok_or(InboxPlaceError)?;
        let place = Self {
            position: position.parse().map_err(|_| InboxPlaceError)?,
            event: event.parse().map_err(|_| InboxPlaceError)?,
        };
        // One spelling for each, so that a name that was printed is the one that is read.
        if place.to_string() == text {
            Ok(place)
        } else {
            Err(InboxPlaceError)
        }
    }
}

/// A notice in an inbox. What it says stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxRow {
    /// Where it stands.
    pub place: InboxPlace,
    /// When the person was told.
    pub at: Instant,
    /// Of which record.
    pub record: RecordId,
}

/// What a person has read of their inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxRead {
    /// Everything up to this place.
    pub through: InboxPlace,
    /// And these, all after it; at most as many as an inbox holds.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub also: BTreeSet<InboxPlace>,
}

impl InboxRead {
    /// Whether a notice has been read.
    pub fn covers(&self, place: InboxPlace) -> bool {
        place <= self.through || self.also.contains(&place)
    }

    /// The same, of an inbox that holds these notices, oldest first, in as few words as it takes: what
    /// has left the inbox is forgotten.
    #[must_use]
    pub fn of(&self, inbox: &[InboxPlace]) -> Self {
        let read = inbox.iter().copied().filter(|place| self.covers(*place));
        let first_unread = inbox.iter().position(|place| !self.covers(*place));
        let through = match first_unread {
            // All are read: so is whatever came before the last of them.
            None => inbox.last().copied().unwrap_or_default(),
            Some(0) => InboxPlace::default(),
            Some(first) => inbox[first - 1],
        };
        let through = through.max(self.through);
        Self {
            through,
            also: read.filter(|place| *place > through).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{InboxPlace, InboxRead};

    const fn at(position: u64) -> InboxPlace {
        InboxPlace { position, event: 0 }
    }

    #[test]
    fn a_place_reads_back_what_it_prints() {
        let place = InboxPlace {
            position: 4711,
            event: 2,
        };
        assert_eq!(place.to_string(), "4711.2");
        assert_eq!("4711.2".parse(), Ok(place));
        for wrong in [
            "", "4711", "4711.", ".2", "04711.2", "+1.2", "1.2.3", "1.-2",
        ] {
            assert!(wrong.parse::<InboxPlace>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_read_is_kept_in_as_few_words_as_it_takes() {
        let read = |through, also: &[u64]| InboxRead {
            through: at(through),
            also: also.iter().copied().map(at).collect(),
        };
        let inbox = [3, 5, 7, 9].map(at);
        assert_eq!(read(0, &[3, 7]).of(&inbox), read(3, &[7]));
        assert_eq!(read(0, &[3, 5, 7, 9]).of(&inbox), read(9, &[]));
        assert_eq!(read(0, &[5, 9]).of(&inbox), read(0, &[5, 9]));
        // What left the inbox is forgotten, what lies before the mark stays read.
        assert_eq!(read(4, &[8]).of(&inbox), read(4, &[]));
        assert_eq!(read(4, &[]).of(&[]), read(4, &[]));
        for place in inbox {
            let before = read(0, &[3, 7]);
            assert_eq!(before.of(&inbox).covers(place), before.covers(place));
        }
    }
}
