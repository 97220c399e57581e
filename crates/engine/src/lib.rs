//! What a command does to a record. [`decide`](decide::decide) is pure: record, definition, command
//! and answers in, events out; [`fold`] applies the events again. Around them stand the use cases of
//! [`Engine`], which read, ask, commit and retry through the ports [`Store`](port::Store),
//! [`Plugins`](port::Plugins) and [`Clock`](port::Clock).

mod apply;
mod background;
pub mod ballot;
mod catalogue;
mod change_calendar;
mod clock;
mod cloud_event;
pub mod decide;
mod deploy;
mod desk;
mod digest;
mod directory;
mod directory_rights;
mod engine;
mod error;
mod execute;
mod explain;
mod given_up;
mod inbox;
mod install;
mod integration;
mod judged;
mod library;
mod migrate;
mod notice;
mod on_call;
mod origins;
mod overrides;
pub mod port;
mod rejection;
mod replay;
mod rollback;
mod scope;
mod shifts;
mod simulate;
mod surroundings;
mod turn;
mod vote_link;
mod window;

pub use apply::{FoldError, fold};
pub use catalogue::Offered;
pub use change_calendar::{
    CalendarQuery, ChangeCalendar, Free, FreeQuery, Frozen, Planned, RecordWindow,
};
pub use deploy::{Deploy, DeployedReport};
pub use desk::{ADMINISTRATOR, Available, check_administrator};
pub use directory::Directory;
pub use engine::Engine;
pub use error::EngineError;
pub use execute::{Executed, Request};
pub use explain::{Explained, Explanation};
pub use given_up::DigestGivenUp;
pub use inbox::{InboxItem, InboxPage, InboxQuery, Said};
pub use install::InstalledReport;
pub use judged::{ClocksPage, ClocksQuery, JudgedAgain};
pub use migrate::{Batch, Migration, Place};
pub use on_call::{CompiledRota, Duty, OnCall, OnCallQuery, Schedule, ScheduleQuery, Source, Span};
pub use rejection::{InputFault, Rejection};
pub use replay::{
    Counts, Difference, Given, NotAsked, OfBinding, Reason, Replayed, Wanted, replay,
};
pub use shifts::{ImportInto, Imported, Named, When, person_address};
pub use simulate::{
    Change, Components, Diverged, Hooks, Kind, OfRecord, OfWorkflow, RecordCounts,
    RecordDifference, Simulated, Trial, simulate,
};

/// An error with its causes, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
