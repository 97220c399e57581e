//! The Store port on redb: truth, views that follow it, one writer.
