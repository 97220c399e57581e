//! Which command an effect comes from, for the trace: the effect's span joins the one that brought it
//! about, as long as this server has not restarted in between.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use model::id::RecordId;
use tracing::Span;

/// How many commands are remembered; the oldest are let go.
const MOST: usize = 4_096;

/// The spans of commands whose effects have not been tried yet. A span that is kept here is told to
/// subscribers as ended only once it is let go.
#[derive(Default)]
pub(crate) struct Origins(Mutex<VecDeque<Origin>>);

struct Origin {
    record: RecordId,
    version: u64,
    span: Span,
}

impl Origins {
    /// The present span brought about effects of this version of a record.
    pub(crate) fn remember(&self, record: &RecordId, version: u64) {
        let span = Span::current();
        if span.is_disabled() || span.is_none() {
            return;
        }
        let mut origins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = if origins.len() >= MOST {
            origins.pop_front()
        } else {
            None
        };
        origins.push_back(Origin {
            record: record.clone(),
            version,
            span,
        });
        drop(origins);
        // Letting a span go runs subscribers, which need no lock of ours.
        drop(oldest);
    }

    /// The span that brought about the effects of this version, kept until they have been tried.
    pub(crate) fn of(&self, record: &RecordId, version: u64) -> Option<Span> {
        let origins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        origins
            .iter()
            .find(|origin| origin.version == version && origin.record == *record)
            .map(|origin| origin.span.clone())
    }

    /// The effects of these versions have been tried.
    pub(crate) fn forget(&self, record: &RecordId, versions: &[u64]) {
        let mut origins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gone = Vec::new();
        for version in versions {
            let place = origins
                .iter()
                .position(|origin| origin.version == *version && origin.record == *record);
            gone.extend(place.and_then(|place| origins.remove(place)));
        }
        drop(origins);
        drop(gone);
    }
}

#[cfg(test)]
mod tests {
    use model::id::RecordId;

    use super::Origins;

    #[test]
    fn without_a_subscriber_nothing_is_kept() {
        let origins = Origins::default();
        let record = RecordId::new("INC-1").expect("a record's number");
        origins.remember(&record, 1);
        assert!(origins.of(&record, 1).is_none());
    }
}
