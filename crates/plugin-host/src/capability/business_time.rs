//! Reckoning in the calendars of the pack. Open to every plugin: a calendar tells nothing about anyone.

use model::{Duration, Instant};

use super::{named, refused};
use crate::contract::v1::bindings::contract::business_time::Host;
use crate::contract::v1::bindings::contract::types::PluginError;
use crate::guest::Guest;

type Answer<T> = wasmtime::Result<Result<T, PluginError>>;

impl Host for Guest {
    fn add(&mut self, calendar: String, start: i64, duration: u64) -> Answer<i64> {
        self.budget.host_call()?;
        Ok(named("a calendar", &calendar).and_then(|()| {
            let start = Instant::from_millis(start);
            self.around
                .business_add(&calendar, start, Duration::from_millis(duration))
                .map(Instant::millis)
                .map_err(|error| refused(&error))
        }))
    }

    fn between(&mut self, calendar: String, start: i64, end: i64) -> Answer<u64> {
        self.budget.host_call()?;
        Ok(named("a calendar", &calendar).and_then(|()| {
            let (start, end) = (Instant::from_millis(start), Instant::from_millis(end));
            self.around
                .business_between(&calendar, start, end)
                .map(Duration::millis)
                .map_err(|error| refused(&error))
        }))
    }
}
