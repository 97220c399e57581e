//! End to end, one file per story.
