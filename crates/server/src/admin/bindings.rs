//! What there is to tell of bindings: how they are deployed, what their hooks have done, how a version
//! that is tried does, and what they logged.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use model::Instant;
use model::id::BindingId;
use plugin_host::{HookFigures, TrialFigures, WasmPlugins};
use serde_json::{Value, json};

use crate::desk::Running;

/// The bindings in force.
pub(super) fn told(running: &Running) -> Value {
    let definitions = running.engine.definitions();
    let (figures, trials) = (running.plugins.figures(), running.plugins.trials());
    let bindings = definitions.bindings.values().map(|binding| {
        let (id, installed) = (&binding.id, &binding.installed);
        let deployment = installed.deployment.clone().unwrap_or_default();
        let quarantine = running.plugins.quarantine(id).or(deployment.quarantine);
        let trial = trials.iter().find(|trial| trial.binding == *id);
        json!({
            "id": id, "title": binding.plugin.title, "pack": installed.pack,
            "component": installed.component, "packed": deployment.packed,
            "provenance": installed.provenance,
            "vouched": installed.provenance.as_ref().map(ToString::to_string),
            "earlier": deployment.earlier, "quarantine": quarantine,
            "hooks": hooks(figures.iter().filter(|hook| hook.binding == *id)),
            "canary": trial.map(canary),
        })
    });
    json!({ "bindings": bindings.collect::<Vec<_>>() })
}

/// What each hook of a binding has done on one component since that was set up.
fn hooks<'a>(figures: impl Iterator<Item = &'a HookFigures>) -> Vec<Value> {
    let told = figures.map(|hook| {
        json!({
            "hook": hook.hook.as_str(), "calls": hook.calls, "failures": hook.failures,
            "outcomes": outcomes(hook), "mean_us": hook.micros.checked_div(hook.calls),
            "p50_us": hook.p50_micros, "p99_us": hook.p99_micros,
            "breaker": hook.breaker.as_str(),
        })
    });
    told.collect()
}

/// How many calls of a hook ended how.
fn outcomes(hook: &HookFigures) -> Value {
    let outcomes = hook.outcomes.iter();
    outcomes
        .map(|(outcome, count)| ((*outcome).to_owned(), Value::from(*count)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// How the version does that is tried.
fn canary(trial: &TrialFigures) -> Value {
    let differences = trial.differences.iter().map(|difference| {
        json!({
            "hook": difference.hook.as_str(), "call": difference.call,
            "record": difference.record, "what": difference.what,
        })
    });
    json!({
        "component": trial.component, "share_percent": trial.share.percent(),
        "same": trial.same, "different": trial.different, "answered": trial.answered,
        "failed": trial.failed, "skipped": trial.skipped, "withdrawn": trial.withdrawn,
        "hooks": hooks(trial.hooks.iter()),
        "differences": differences.collect::<Vec<_>>(),
    })
}

/// What a binding logged after the line of a number, as far as it is kept.
pub(super) fn lines(plugins: &WasmPlugins, binding: &BindingId, after: u64) -> Result<Value> {
    let Some(lines) = plugins.lines(binding, after) else {
        bail!("there is no binding `{binding}`");
    };
    let lines = lines.into_iter().map(|line| {
        json!({
            "number": line.number, "at": instant(line.at), "level": line.level,
            "hook": line.hook.as_str(), "message": line.message,
        })
    });
    Ok(json!({ "lines": lines.collect::<Vec<_>>() }))
}

fn instant(time: SystemTime) -> Instant {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
