//! Lines for the operator: they go to the tracing target `plugin`, within the span of their call, and
//! the last ones of each binding are kept.

use crate::contract::v1::bindings::contract::log::{Host, Level};
use crate::failure::printable;
use crate::guest::Guest;
use crate::limits::Logged;

impl Host for Guest {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.budget.host_call()?;
        match self.budget.log(message.len()) {
            Logged::Whole => {
                let message = self.outgoing.blank(printable(&message));
                self.line(level, &message);
            }
            Logged::Full => self.line(Level::Warn, "further lines of this call are dropped"),
            Logged::Dropped => {}
        }
        Ok(())
    }
}

impl Guest {
    fn line(&self, level: Level, message: &str) {
        let (binding, hook) = (self.bound.id.as_str(), self.hook.as_str());
        let name = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        self.bound.lines.add(name, self.hook, message);
        match level {
            Level::Debug => tracing::debug!(target: "plugin", binding, hook, "{message}"),
            Level::Info => tracing::info!(target: "plugin", binding, hook, "{message}"),
            Level::Warn => tracing::warn!(target: "plugin", binding, hook, "{message}"),
            Level::Error => tracing::error!(target: "plugin", binding, hook, "{message}"),
        }
    }
}
