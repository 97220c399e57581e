//! The SDKs that are not Rust: their own tests, and those of their templates.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::shell::{self, say};
use crate::workspace;

/// Tests them. Who lacks a language can still check the rest, and is told what was left out.
pub(crate) fn test() -> Result<()> {
    let sdk = workspace::root().join("sdk");
    if has_javascript() {
        for arguments in [&["ci", "--no-audit", "--no-fund"][..], &["test"]] {
            let mut npm = Command::new("npm");
            shell::run(npm.args(arguments).current_dir(sdk.join("javascript")))?;
        }
    } else {
        say("there is no Node.js 20 or later: the SDK for JavaScript was NOT tested");
    }
    if has_python() {
        let mut python = Command::new("python3");
        python.args(["-W", "error", "-B", "-m", "unittest"]);
        shell::run(python.current_dir(sdk.join("python")))?;
    } else {
        say("there is no `python3` of version 3.11 or later: the SDK for Python was NOT tested");
    }
    Ok(())
}

/// Whether there is a Node.js that the SDK for JavaScript runs on.
pub(crate) fn has_javascript() -> bool {
    answers(
        "node",
        &[
            "-e",
            "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)",
        ],
    )
}

/// Whether there is a Python that the SDK for Python runs on.
pub(crate) fn has_python() -> bool {
    answers(
        "python3",
        &["-c", "import sys; sys.exit(sys.version_info < (3, 11))"],
    )
}

/// Whether a program is there and says yes.
fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
