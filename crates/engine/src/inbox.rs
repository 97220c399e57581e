//! The inbox of a person: what they were told, and what of it they have read. The rows follow the
//! journal; what a notice says is read there, as long as the person may see its record.

use std::sync::Arc;

use model::Duration;
use model::command::Actor;
use model::event::Event;
use model::id::{NoticeId, PersonId, RecordId};
use model::journal::Item;
use model::record::Record;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::port::{Commit, CommitError, InboxPlace, InboxRead, InboxRow, MOST_IN_INBOX};

/// How long a notice stays in an inbox.
const KEPT_FOR: Duration = Duration::from_secs(180 * 86_400);
/// How often a mark is set again where others set one at the same time.
const MOST_TRIES: u32 = 10;

/// Which notices of an inbox.
#[derive(Clone, Debug, Default)]
pub struct InboxQuery {
    /// Only those that are not read yet.
    pub unread: bool,
    /// Only those of this record.
    pub record: Option<RecordId>,
    /// Only those before this one.
    pub before: Option<InboxPlace>,
    /// At most so many.
    pub limit: usize,
}

/// A part of an inbox.
#[derive(Clone, Debug, Default)]
pub struct InboxPage {
    /// Its notices, newest first.
    pub items: Vec<InboxItem>,
    /// How many the whole inbox holds that are not read yet.
    pub unread: usize,
    /// Where the next part begins; none at the end.
    pub next: Option<InboxPlace>,
}

/// A notice that a person was told.
#[derive(Clone, Debug)]
pub struct InboxItem {
    /// Its row.
    pub row: InboxRow,
    /// Whether they have read it.
    pub read: bool,
    /// What it says; none where they may no longer see its record.
    pub said: Option<Said>,
}

/// What a notice says, and the record that it is about.
#[derive(Clone, Debug)]
pub struct Said {
    /// The record, as it is now.
    pub record: Arc<Record>,
    /// The notice.
    pub notice: NoticeId,
    /// Its subject, as it was rendered.
    pub subject: String,
    /// Its text, as it was rendered.
    pub text: String,
}

impl Engine {
    /// What an actor was told, newest first. Only people have inboxes.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn inbox(&self, actor: &Actor, query: &InboxQuery) -> Result<InboxPage, EngineError> {
        let Some(person) = actor.person() else {
            return Ok(InboxPage::default());
        };
        let read = self.0.store.inbox_read(person)?;
        let rows = self.inbox_rows(person)?;
        let unread = rows.iter().filter(|row| !read.covers(row.place)).count();
        let mut wanted = rows.into_iter().filter(|row| {
            query.before.is_none_or(|before| row.place < before)
                && query.record.as_ref().is_none_or(|id| *id == row.record)
                && !(query.unread && read.covers(row.place))
        });
        let part: Vec<InboxRow> = wanted.by_ref().take(query.limit).collect();
        let next = wanted.next().and(part.last()).map(|row| row.place);
        let items = part.into_iter().map(|row| {
            Ok(InboxItem {
                read: read.covers(row.place),
                said: self.said(actor, &row)?,
                row,
            })
        });
        Ok(InboxPage {
            items: items.collect::<Result<_, EngineError>>()?,
            unread,
            next,
        })
    }

    /// Marks notices of an actor's inbox as read: all up to one, the last at most, and single ones.
    /// Those that are not there are passed over. Says how many are left unread, once that is durable.
    ///
    /// # Errors
    /// Where the store fails, or others mark the same inbox all the time.
    pub async fn mark_read(
        &self,
        actor: &Actor,
        through: Option<InboxPlace>,
        items: &[InboxPlace],
    ) -> Result<usize, EngineError> {
        let Some(person) = actor.person() else {
            return Ok(0);
        };
        for _ in 0..MOST_TRIES {
            let before = self.0.store.inbox_read(person)?;
            let rows = self.0.store.inbox(person, None, MOST_IN_INBOX)?;
            let places: Vec<InboxPlace> = rows.iter().rev().map(|row| row.place).collect();
            let read = marked(&before, &places, through, items);
            if read != before {
                let commit = Commit::InboxRead {
                    person: person.clone(),
                    expected: before,
                    read: read.clone(),
                };
                match self.0.store.commit(commit).await {
                    Ok(_) => {}
                    Err(CommitError::Conflict) => continue,
                    Err(CommitError::Store(error)) => return Err(error.into()),
                    Err(error) => return Err(EngineError::Busy(error.to_string())),
                }
            }
            let kept = self.inbox_rows(person)?;
            return Ok(kept.iter().filter(|row| !read.covers(row.place)).count());
        }
        Err(EngineError::Busy(
            "the inbox is being marked by others all the time: try again".to_owned(),
        ))
    }

    /// The rows of an inbox that are not too old, newest first.
    fn inbox_rows(&self, person: &PersonId) -> Result<Vec<InboxRow>, EngineError> {
        let mut rows = self.0.store.inbox(person, None, MOST_IN_INBOX)?;
        let now = self.now();
        rows.retain(|row| now < row.at.saturating_add(KEPT_FOR));
        Ok(rows)
    }

    pub(crate) fn said(&self, actor: &Actor, row: &InboxRow) -> Result<Option<Said>, EngineError> {
        let record = match self.record(actor, &row.record) {
            Ok(record) => record,
            Err(EngineError::Rejected(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let InboxPlace { position, event } = row.place;
        let found = self.0.store.journal(position.saturating_sub(1), 1)?;
        let Some((_, Item::Record { entry, .. })) = found.into_iter().next() else {
            return Ok(None);
        };
        let mut events = entry.events.into_iter();
        let event = events.nth(usize::try_from(event).unwrap_or(usize::MAX));
        let Some(Event::Notified {
            notice,
            subject,
            text,
            ..
        }) = event
        else {
            return Ok(None);
        };
        Ok(Some(Said {
            record,
            notice,
            subject,
            text,
        }))
    }
}

/// What has been read of an inbox that holds these notices, oldest first, once more is marked. Nothing
/// is read before it is told: the mark stands at the newest one at most.
fn marked(
    before: &InboxRead,
    places: &[InboxPlace],
    through: Option<InboxPlace>,
    items: &[InboxPlace],
) -> InboxRead {
    let newest = places.last().copied().unwrap_or_default();
    let mut read = before.clone();
    if let Some(through) = through {
        read.through = read.through.max(through.min(newest));
    }
    read.also.extend(items);
    read.of(places)
}

#[cfg(test)]
mod tests {
    use super::marked;
    use crate::port::{InboxPlace, InboxRead};

    #[test]
    fn nothing_is_read_before_it_is_told() {
        let at = |position| InboxPlace { position, event: 0 };
        let inbox = [3, 5, 7].map(at);
        let read = marked(&InboxRead::default(), &inbox, Some(at(99)), &[at(98)]);
        assert_eq!(read.through, at(7));
        assert!(read.also.is_empty());
        // A mark never goes back.
        let read = marked(&read, &inbox, Some(at(3)), &[]);
        assert_eq!(read.through, at(7));
        assert_eq!(
            marked(&InboxRead::default(), &[], Some(at(9)), &[at(9)]),
            InboxRead::default()
        );
    }
}
