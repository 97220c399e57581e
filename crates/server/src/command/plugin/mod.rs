//! `wright plugin`: one file per command that is more than a question to the server.

mod bench;
mod build;
mod deploy;
mod inspect;
mod list;
mod logs;
mod new;
mod test;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use engine::Deploy;

use super::{Outcome, block_on, print, text};
use crate::admin::{self, Ask};
use crate::cli::{Format, PluginCommand};

/// The largest component, in bytes.
const MAX_BYTES: u64 = 64 << 20;

pub(super) fn run(command: PluginCommand, format: Format) -> Result<Outcome> {
    match command {
        PluginCommand::Inspect { file } => inspect::run(&file, format)?,
        PluginCommand::Build {
            folder,
            component,
            out,
        } => build::run(&folder, component, out, format)?,
        PluginCommand::New {
            name,
            hook,
            language,
        } => new::run(&name, hook, language, format)?,
        PluginCommand::Test {
            folder,
            component,
            case,
            update,
        } => {
            let passed = test::run(&folder, component, &case, update, format)?;
            return Ok(Outcome::done_if(passed));
        }
        PluginCommand::Bench {
            folder,
            component,
            case,
            calls,
        } => bench::run(&folder, component, &case, calls, format)?,
        PluginCommand::Install { file, data } => {
            let bytes = read(&file)?;
            let ask = Ask::keep_component(&bytes);
            let kept = block_on(admin::ask(&data.data, ask))
                .with_context(|| file.display().to_string())?;
            print(format, &kept, || text(&kept, "digest").to_owned())?;
        }
        PluginCommand::List(data) => list::run(&data, format)?,
        PluginCommand::Canary {
            binding,
            component,
            share,
            reason,
        } => deploy::canary(&binding, &component, share, &reason, format)?,
        PluginCommand::Promote {
            binding,
            anyway,
            reason,
        } => deploy::run(&binding, Deploy::Promote { anyway }, &reason, format)?,
        PluginCommand::Rollback { binding, reason } => {
            deploy::run(&binding, Deploy::Rollback, &reason, format)?;
        }
        PluginCommand::Quarantine { binding, reason } => {
            deploy::run(&binding, Deploy::Quarantine, &reason, format)?;
        }
        PluginCommand::Release { binding, reason } => {
            deploy::run(&binding, Deploy::Release, &reason, format)?;
        }
        PluginCommand::Logs {
            binding,
            follow,
            data,
        } => logs::run(&binding, follow, &data, format)?,
    }
    Ok(Outcome::Done)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let shown = file.display();
    let metadata = std::fs::metadata(file).with_context(|| format!("cannot read {shown}"))?;
    if metadata.len() > MAX_BYTES {
        bail!(
            "{shown} has {} bytes, at most {MAX_BYTES} are allowed",
            metadata.len()
        );
    }
    std::fs::read(file).with_context(|| format!("cannot read {shown}"))
}
