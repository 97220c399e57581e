//! `cargo xtask soak`: the long runs of what CI does in short.

use anyhow::Result;
use clap::Subcommand;

use crate::shell::{self, say};
use crate::{build, workspace};

/// What to soak.
#[derive(Subcommand)]
pub(crate) enum Soak {
    /// Kills the server at random moments under load, and looks for what it had acknowledged
    Kill {
        /// How many times
        #[arg(long, default_value_t = 200)]
        rounds: u32,
    },
}

/// Builds the server, and runs the story of the same name for longer.
pub(crate) fn run(soak: &Soak) -> Result<()> {
    let Soak::Kill { rounds } = soak;
    let wright = build::everything(false)?;
    say(format!("killing the server {rounds} times under load"));
    shell::run(
        workspace::cargo()
            .args([
                "test",
                "--locked",
                "-p",
                "servicewright-tests",
                "--test",
                "stories",
                "kill",
                "--",
                "--nocapture",
            ])
            .env("WRIGHT_BIN", &wright)
            .env("WRIGHT_KILL_ROUNDS", rounds.to_string()),
    )
}
