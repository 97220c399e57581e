//! What a command does to a record. [`decide`](decide::decide) is pure: record, definition, command
//! and answers in, events out. Around it stand the use cases, which read, ask, commit and retry
//! through the ports [`Store`](port::Store), [`Plugins`](port::Plugins) and [`Clock`](port::Clock).

pub mod port;
