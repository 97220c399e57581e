//! `cargo xtask bench`: speed, each figure beside the limit measured in the same run. Nothing here
//! passes or fails.

use anyhow::Result;
use clap::Args;

use crate::shell::{self, say};
use crate::{build, workspace};

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// How many records the store holds under load
    #[arg(long, default_value_t = 20_000)]
    records: u64,
    /// How long each load lasts, in seconds
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

/// Builds everything optimised, then measures: one call of a plugin, and the desk under load.
pub(crate) fn run(options: &Options) -> Result<()> {
    let wright = build::everything(true)?;
    let plugins = workspace::target_dir()?.join("plugins");
    say("measuring, beside the limits of the same machine in the same run");
    // The whole workspace is named so that its libraries are built once, with one set of features.
    shell::run(
        workspace::cargo()
            .args([
                "bench",
                "--locked",
                "--workspace",
                "--bench",
                "call",
                "--bench",
                "desk",
            ])
            .env("WRIGHT_PLUGINS", &plugins)
            .env("WRIGHT_BIN", &wright)
            .env("WRIGHT_BENCH_RECORDS", options.records.to_string())
            .env("WRIGHT_BENCH_SECONDS", options.seconds.to_string()),
    )
}
