//! The Store port on redb: truth, views that follow it, one writer.
//!
//! A folder holds two files. `truth.redb` has everything that cannot be derived: records with their
//! journal, counters, content by digest, tokens, the directory, the key-value spaces of bindings.
//! `views.redb` has what follows from it: the indexes behind lists, the queues of timers and
//! effects, references, idempotency keys. One thread writes: it makes the commits that wait durable
//! together, with one sync of the truth, brings the views up behind it, and then answers them all.
//! Views that are lost, damaged or of another store are thrown away and built anew.

mod archive;
mod batch;
mod bytes;
mod cache;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod contribution;
mod follow;
mod inbox;
mod list;
mod open;
mod prepare;
mod reads;
mod stage;
mod truth;
mod verify;
mod views;
mod windows;
mod writer;

pub use archive::{Archive, ArchiveError};
pub use open::{Options, RedbStore};
pub use verify::{Fold, Problem, VerifyReport};

#[cfg(test)]
mod tests;
