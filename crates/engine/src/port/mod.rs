//! The ports: what the engine needs of the world, and nothing else of it.

mod clock;
mod digest;
pub mod found;
mod inbox;
mod link_key;
mod plugins;
mod steady;
mod store;
mod supply;
mod windows;

pub use clock::{Clock, ClockDoubt, ManualClock, SystemClock};
pub use digest::{DigestState, PendingDigest};
pub use inbox::{InboxPlace, InboxPlaceError, InboxRead, InboxRow, MOST_IN_INBOX};
pub use link_key::{LinkKey, LinkKeyError, LinkKeys};
pub use plugins::{
    BindingSetup, Candidate, Delivery, HttpReply, HttpRequest, Incident, InspectError, Inspection,
    IntegrationAction, IntegrationCommand, IntegrationReply, LookupError, Member, NewRecord,
    Plugins, Staged, Subject, SubjectChange, Surroundings, WebhookReply,
};
pub use steady::{Machine, SteadyClock, ThisMachine};
pub use store::{
    Commit, CommitError, Committed, DirectoryCommit, DueRecord, FoundThing, ListQuery, Listed,
    Load, Page, RecordCommit, Remembered, SealedSecret, Sort, Store, StoreError, TokenRecord,
};
pub use supply::{Brought, Supply};
pub use windows::{PlannedFor, Windows, WindowsQuery};
