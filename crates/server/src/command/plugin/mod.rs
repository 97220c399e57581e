//! `wright plugin`: one file per command that is more than a question to the server.

mod bench;
mod build;
mod deploy;
mod inspect;
mod install;
mod keygen;
mod list;
mod logs;
mod new;
mod pull;
mod push;
mod replay;
mod sign;
mod test;
mod verify;

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use engine::Deploy;
use plugin_registry::{MAX_SIGNATURE_BYTES, Trust};

use super::Outcome;
use crate::cli::{Format, PluginCommand};

/// The largest component, in bytes.
const MAX_BYTES: u64 = 64 << 20;

pub(super) fn run(command: PluginCommand, format: Format) -> Result<Outcome> {
    match command {
        PluginCommand::Inspect { file, trust } => inspect::run(&file, &trust.policy(), format)?,
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
        PluginCommand::Keygen { name } => keygen::run(&name, format)?,
        PluginCommand::Sign { file, key } => sign::run(&file, &key, format)?,
        PluginCommand::Verify { file, key, signers } => {
            verify::run(&file, key.as_deref(), signers, format)?;
        }
        PluginCommand::Push {
            file,
            reference,
            registry,
        } => push::run(&file, &reference, &registry, format)?,
        PluginCommand::Pull {
            reference,
            out,
            registry,
        } => pull::run(&reference, out, &registry, format)?,
        PluginCommand::Install {
            component,
            data,
            trust,
            registry,
        } => install::run(&component, &data, &trust.policy(), &registry, format)?,
        PluginCommand::List(data) => list::run(&data, format)?,
        PluginCommand::Canary {
            binding,
            component,
            share,
            reason,
            trust,
        } => {
            let trust = trust.policy();
            deploy::canary(&binding, &component, share, &reason, &trust, format)?;
        }
        PluginCommand::Promote {
            binding,
            anyway,
            reason,
            trust,
        } => {
            let change = Deploy::Promote { anyway };
            deploy::run(&binding, change, &reason, &trust.policy(), format)?;
        }
        PluginCommand::Rollback {
            binding,
            reason,
            trust,
        } => deploy::run(&binding, Deploy::Rollback, &reason, &trust.policy(), format)?,
        PluginCommand::Quarantine { binding, reason } => {
            let trust = Trust::default();
            deploy::run(&binding, Deploy::Quarantine, &reason, &trust, format)?;
        }
        PluginCommand::Release { binding, reason } => {
            let trust = Trust::default();
            deploy::run(&binding, Deploy::Release, &reason, &trust, format)?;
        }
        PluginCommand::Replay {
            binding,
            component,
            since,
            data,
        } => return replay::run(binding, component.as_deref(), since, &data, format),
        PluginCommand::Logs {
            binding,
            follow,
            data,
        } => logs::run(&binding, follow, &data, format)?,
    }
    Ok(Outcome::Done)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    plugin_registry::read(file, MAX_BYTES)
        .with_context(|| format!("cannot read {}", file.display()))
}

/// The signature that lies beside a component, where one does.
fn signature(file: &Path) -> Result<Option<Vec<u8>>> {
    let beside = plugin_registry::file_beside(file);
    if !beside.exists() {
        return Ok(None);
    }
    let read = plugin_registry::read(&beside, MAX_SIGNATURE_BYTES as u64);
    let read = read.with_context(|| format!("cannot read {}", beside.display()))?;
    Ok(Some(read))
}

/// The passphrase of a key: from the environment, or asked for where there is somebody to ask.
fn passphrase(asked: &str) -> Result<Vec<u8>> {
    if let Some(passphrase) = std::env::var_os("WRIGHT_PASSPHRASE") {
        return Ok(passphrase.into_encoded_bytes());
    }
    if !std::io::stdin().is_terminal() {
        bail!(
            "there is nobody to ask for the passphrase of the key: put it into WRIGHT_PASSPHRASE"
        );
    }
    let passphrase = rpassword::prompt_password(asked).context("cannot ask for the passphrase")?;
    Ok(passphrase.into_bytes())
}
