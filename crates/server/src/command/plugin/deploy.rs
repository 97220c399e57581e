//! `wright plugin canary`, `promote`, `rollback`, `quarantine` and `release`: versions in and out.

use std::path::Path;

use anyhow::{Context as _, Result};
use engine::Deploy;
use model::Digest;
use model::configuration::Share;
use model::id::BindingId;
use serde_json::Value;

use super::read;
use crate::admin::{self, Ask};
use crate::cli::{Format, Reason};
use crate::command::{block_on, print, text};

/// Begins the trial of a version, which is stored first where it comes as a file.
pub(super) fn canary(
    binding: &BindingId,
    component: &str,
    share: Share,
    reason: &Reason,
    format: Format,
) -> Result<()> {
    let component = if component.starts_with("sha256:") {
        component.parse::<Digest>()?
    } else {
        let bytes = read(Path::new(component))?;
        let ask = Ask::keep_component(&bytes);
        let kept = block_on(admin::ask(&reason.data.data, ask));
        let kept = kept.with_context(|| component.to_owned())?;
        text(&kept, "digest").parse()?
    };
    run(binding, Deploy::Canary { component, share }, reason, format)
}

/// Changes how a binding is deployed.
pub(super) fn run(
    binding: &BindingId,
    change: Deploy,
    reason: &Reason,
    format: Format,
) -> Result<()> {
    let ask = Ask::Deploy {
        binding: binding.clone(),
        change,
        why: reason.why.clone(),
    };
    let deployed = block_on(admin::ask(&reason.data.data, ask))?;
    print(format, &deployed, || told(&deployed))
}

fn told(deployed: &Value) -> String {
    format!("{}: {}", text(deployed, "binding"), text(deployed, "done"))
}
