//! Asking again what plugins decided, beside whatever else the data folder is used for.

use std::sync::Arc;

use anyhow::Result;
use engine::Wanted;
use plugin_host::{Options, WasmPlugins};
use serde_json::Value;
use tracing::Instrument as _;

use crate::desk::Desk;

/// How many calls run at once: they are made one after the other.
const CALLS: u32 = 2;

/// What came of asking again. The plugins have a host of their own, under the same limits, whose calls
/// count for no figures and no breaker of those in use.
pub(super) async fn told(desk: &Desk, wanted: Wanted) -> Result<Value> {
    let plugins = WasmPlugins::new(Options {
        concurrent_calls: CALLS,
        breakers: false,
        ..desk.plugin_options().clone()
    })?;
    let asked = engine::replay(desk.store.clone(), Arc::new(plugins), wanted);
    let replayed = asked.instrument(tracing::info_span!("replay")).await?;
    Ok(serde_json::to_value(replayed)?)
}
