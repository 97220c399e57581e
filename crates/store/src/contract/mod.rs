//! What every implementation of the Store port has to do, as tests that any of them can run.

// These are tests, in a place where those of other crates can call them.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use std::sync::Arc;

use engine::port::{Commit, CommitError, Committed, RecordCommit, Store};
use futures::future::join_all;
use model::record::Record;

mod directory;
mod inbox;
mod lists;
mod queues;
mod records;
pub mod samples;
mod windows;

use samples::commit;

/// A place where one store lives: opened again after every handle on it was dropped, it has what
/// was committed.
pub trait Place {
    /// Opens the store.
    fn open(&self) -> Arc<dyn Store>;
}

/// One thing that a store does.
pub type Case = (&'static str, fn(&dyn Place));

/// Everything that a store does, each to be tried on a place of its own.
pub fn cases() -> Vec<Case> {
    [
        records::CASES,
        lists::CASES,
        queues::CASES,
        directory::CASES,
        inbox::CASES,
        windows::CASES,
    ]
    .concat()
}

/// Tries everything, and says what is being tried.
///
/// # Panics
///
/// Where the store does something else.
pub fn run(new_place: &dyn Fn() -> Box<dyn Place>) {
    for (name, case) in cases() {
        eprintln!("{name}");
        case(&*new_place());
    }
}

/// Waits for commits that are made at the same time, in this order.
fn together(store: &dyn Store, commits: Vec<Commit>) -> Vec<Result<Committed, CommitError>> {
    let answers = commits.into_iter().map(|commit| store.commit(commit));
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without I/O needs nothing")
        .block_on(join_all(answers))
}

fn try_commit(store: &dyn Store, commit: Commit) -> Result<Committed, CommitError> {
    together(store, vec![commit]).remove(0)
}

/// Makes a step durable, and gives the record after it.
fn made(store: &dyn Store, step: RecordCommit) -> Arc<Record> {
    let after = Arc::clone(&step.after);
    try_commit(store, commit(step)).expect("nothing stands against the step");
    after
}
