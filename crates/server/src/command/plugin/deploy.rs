//! `wright plugin canary`, `promote`, `rollback`, `quarantine` and `release`: versions in and out.

use std::path::Path;

use anyhow::{Context as _, Result};
use engine::Deploy;
use engine::port::Brought;
use model::Digest;
use model::configuration::Share;
use model::id::BindingId;
use plugin_registry::Trust;
use serde_json::Value;

use super::{read, signature};
use crate::admin::{self, Ask};
use crate::cli::{Format, Reason};
use crate::command::{block_on, print, text};

/// Begins the trial of a version, which is stored first where it comes as a file.
pub(super) fn canary(
    binding: &BindingId,
    component: &str,
    share: Share,
    reason: &Reason,
    trust: &Trust,
    format: Format,
) -> Result<()> {
    let component = if component.starts_with("sha256:") {
        component.parse::<Digest>()?
    } else {
        let file = Path::new(component);
        let ask = Ask::keep_component(&Brought {
            component: read(file)?,
            signatures: signature(file)?.into_iter().collect(),
        });
        let kept = block_on(admin::ask_with(&reason.data.data, ask, None, trust));
        let kept = kept.with_context(|| component.to_owned())?;
        text(&kept, "digest").parse()?
    };
    let change = Deploy::Canary { component, share };
    run(binding, change, reason, trust, format)
}

/// Changes how a binding is deployed.
pub(super) fn run(
    binding: &BindingId,
    change: Deploy,
    reason: &Reason,
    trust: &Trust,
    format: Format,
) -> Result<()> {
    let ask = Ask::Deploy {
        binding: binding.clone(),
        change,
        why: reason.why.clone(),
    };
    let deployed = block_on(admin::ask_with(&reason.data.data, ask, None, trust))?;
    print(format, &deployed, || told(&deployed))
}

fn told(deployed: &Value) -> String {
    format!("{}: {}", text(deployed, "binding"), text(deployed, "done"))
}
