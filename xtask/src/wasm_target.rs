//! Makes sure that the toolchain can compile plugins: the Wasm target's standard library.

use std::process::Command;

use anyhow::{Result, bail};
use plugin_build::{TARGET, is_installed};

use crate::shell::{self, say};
use crate::workspace;

/// Adds the target where it is missing.
///
/// # Errors
/// Where it is still missing afterwards: one message that says what was tried and what to install.
pub(crate) fn ensure() -> Result<()> {
    if is_installed(workspace::root()) {
        return Ok(());
    }
    say(format!("the Rust target {TARGET} is missing; adding it"));
    let tried = shell::run(
        Command::new("rustup")
            .args(["target", "add", TARGET])
            .current_dir(workspace::root()),
    );
    if is_installed(workspace::root()) {
        return Ok(());
    }
    let what_happened = match tried {
        Ok(()) => "it succeeded, but this `rustc` still does not find the target: is `rustc` from another place than `rustup`?".to_owned(),
        Err(error) => format!("{error:#}"),
    };
    bail!(
        "plugins need the Rust target {TARGET}, and this toolchain does not have it.\n\
         Tried `rustup target add {TARGET}`: {what_happened}\n\
         Install it by hand: with rustup from https://rustup.rs, the command above; with a toolchain from a \
         distribution, its package of the standard library for {TARGET}."
    )
}
