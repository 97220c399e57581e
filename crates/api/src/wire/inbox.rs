//! The inbox as clients see it: what a person was told, and what of it they have read.

use engine::{InboxItem, InboxPage};
use model::Instant;
use model::id::{NoticeId as ModelNoticeId, RecordId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::query::NoticeId;
use super::record::title;

/// A part of an inbox.
#[derive(Serialize, ToSchema)]
pub struct Inbox<'a> {
    /// The notices, newest first.
    items: Vec<Item<'a>>,
    /// How many the whole inbox holds that are not read yet.
    unread: usize,
    /// What to give as `cursor` for the next part; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Something that a person was told.
#[derive(Serialize, ToSchema)]
pub struct Item<'a> {
    /// Its name in the inbox, as `/inbox/read` takes it. A newer one has a higher number before the dot.
    #[schema(example = "4711.2")]
    id: String,
    /// The record that it is about.
    #[schema(value_type = String, example = "INC-1042")]
    record: &'a RecordId,
    /// When they were told.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// Whether they have read it.
    read: bool,
    /// Which notice it is. Absent, with all that follows, where they may no longer see the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "resolved")]
    notice: Option<&'a ModelNoticeId>,
    /// What lists show of the record, as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    /// The subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

/// What has been read: everything up to a notice, single notices, or both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadNotices {
    /// This notice and everything before it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "4711.2")]
    pub(crate) through: Option<NoticeId>,
    /// These notices. Those that are not in the inbox are passed over.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub(crate) items: Vec<NoticeId>,
}

/// What is left to read.
#[derive(Serialize, ToSchema)]
pub struct Unread {
    /// How many notices of the inbox are not read yet.
    pub(crate) unread: usize,
}

impl<'a> From<&'a InboxPage> for Inbox<'a> {
    fn from(page: &'a InboxPage) -> Self {
        Self {
            items: page.items.iter().map(Item::from).collect(),
            unread: page.unread,
            next: page.next.map(|place| place.to_string()),
        }
    }
}

impl<'a> From<&'a InboxItem> for Item<'a> {
    fn from(item: &'a InboxItem) -> Self {
        let said = item.said.as_ref();
        Self {
            id: item.row.place.to_string(),
            record: &item.row.record,
            at: item.row.at,
            read: item.read,
            notice: said.map(|said| &said.notice),
            title: said.and_then(|said| title(&said.record)),
            subject: said.map(|said| said.subject.as_str()),
            text: said.map(|said| said.text.as_str()),
        }
    }
}
