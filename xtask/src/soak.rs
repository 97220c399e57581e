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
    /// Good plugins beside hostile ones: what the good ones notice of that
    Hostile {
        /// For how long, in seconds
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// A year of a desk's life in virtual time, each timer, clock, hand-over and escalation reckoned once more
    Year {
        /// How many days, from New Year on
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=365))]
        days: u32,
        /// How many records begin on each of them
        #[arg(long, default_value_t = 1_000)]
        records: u32,
    },
}

/// Runs what the long run is about.
pub(crate) fn run(soak: &Soak) -> Result<()> {
    match soak {
        Soak::Kill { rounds } => kill(*rounds),
        Soak::Hostile { seconds } => hostile(*seconds),
        Soak::Year { days, records } => year(*days, *records),
    }
}

/// Lets the desk of the test of the same name live for longer, optimised: so many days take minutes.
fn year(days: u32, records: u32) -> Result<()> {
    say(format!("{days} days with {records} records each"));
    shell::run(
        workspace::cargo()
            .args([
                "test",
                "--locked",
                "--release",
                "-p",
                "servicewright-tests",
                "--test",
                "time",
                "year",
                "--",
                "--nocapture",
            ])
            .env("WRIGHT_YEAR_DAYS", days.to_string())
            .env("WRIGHT_YEAR_RECORDS", records.to_string())
            // The desk is in memory, and grows by small pages: large ones are zeroed for nothing.
            .env("MIMALLOC_ALLOW_THP", "0"),
    )
}

/// Builds the plugins, and measures good calls alone and beside hostile ones, optimised: what the server
/// itself takes is a part of both.
fn hostile(seconds: u64) -> Result<()> {
    build::plugins()?;
    say(format!(
        "good and hostile calls beside each other for {seconds} s"
    ));
    shell::run(
        workspace::cargo()
            .args([
                "test",
                "--locked",
                "--release",
                "-p",
                "servicewright-plugin-host",
                "--test",
                "it",
                "neighbours",
                "--",
                "--ignored",
                "--nocapture",
            ])
            .env("WRIGHT_SOAK_SECONDS", seconds.to_string()),
    )
}

/// Builds the server, and runs the story of the same name for longer.
fn kill(rounds: u32) -> Result<()> {
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
