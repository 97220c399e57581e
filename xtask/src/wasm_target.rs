//! Makes sure that the toolchain can compile plugins: the Wasm target's standard library.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::shell::{self, say};
use crate::workspace;

/// The target that plugins are built for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Adds the target where it is missing.
///
/// # Errors
/// Where it is still missing afterwards: one message that says what was tried and what to install.
pub(crate) fn ensure() -> Result<()> {
    if installed() {
        return Ok(());
    }
    say(format!("the Rust target {TARGET} is missing; adding it"));
    let tried = shell::run(
        Command::new("rustup")
            .args(["target", "add", TARGET])
            .current_dir(workspace::root()),
    );
    if installed() {
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

fn installed() -> bool {
    let asked = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(workspace::root())
        .output();
    let Ok(answer) = asked else { return false };
    let folder = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    answer.status.success() && holds_standard_library(Path::new(&folder))
}

fn holds_standard_library(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}
