//! Time in process: the real engine over a real store, with a clock that is turned by hand.

mod minutes;
mod year;
