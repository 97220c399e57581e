//! `cargo xtask bench`: speed, each figure beside the limit measured in the same run. Nothing here
//! passes or fails.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::shell::{self, say};
use crate::{build, guests, workspace};

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Only these, and not all of them
    #[arg(long, value_enum, num_args = 1..)]
    only: Vec<Bench>,
    /// How many records the store holds under load
    #[arg(long, default_value_t = 20_000)]
    records: u64,
    /// How long each load lasts, in seconds
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many timers are pending where the timers of a desk are measured
    #[arg(long, default_value_t = 1_000_000)]
    timers: u64,
    /// How many bindings the desk has that starts with many
    #[arg(long, default_value_t = 1_000)]
    bindings: u32,
}

/// One of the benches, by the name that cargo knows it by.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bench {
    /// One call of a plugin in Rust, JavaScript and Python, beside the same on wasmtime alone
    Call,
    /// A desk with a thousand plugins: its start, and what it holds at rest
    Bound,
    /// The desk under load
    Desk,
    /// A log of real incidents, replayed and simulated
    Log,
    /// A desk with a million pending timers: its memory, its start, and how late timers fire under load
    Timers,
}

/// Builds everything optimised, then measures: one call of a plugin, a desk with many of them, the desk
/// under load, a log of real incidents, and a desk with a million pending timers.
pub(crate) fn run(options: &Options) -> Result<()> {
    let wright = build::everything(true)?;
    let plugins = workspace::target_dir()?.join("plugins");
    let chosen = Bench::value_variants().iter().copied();
    let chosen = chosen.filter(|it| options.only.is_empty() || options.only.contains(it));
    let chosen: Vec<Bench> = chosen.collect();
    let mut command = workspace::cargo();
    // The whole workspace is named so that its libraries are built once, with one set of features.
    command.args(["bench", "--locked", "--workspace"]);
    for bench in &chosen {
        let name = bench.to_possible_value();
        command
            .arg("--bench")
            .args(name.map(|it| it.get_name().to_owned()));
    }
    if chosen.contains(&Bench::Call) {
        command.env("WRIGHT_BENCH_GUESTS", guests::build(&wright)?);
    }
    say("measuring, beside the limits of the same machine in the same run");
    shell::run(
        command
            .env("WRIGHT_PLUGINS", &plugins)
            .env("WRIGHT_BIN", &wright)
            .env("WRIGHT_BENCH_RECORDS", options.records.to_string())
            .env("WRIGHT_BENCH_TIMERS", options.timers.to_string())
            .env("WRIGHT_BENCH_SECONDS", options.seconds.to_string())
            .env("WRIGHT_BENCH_BINDINGS", options.bindings.to_string()),
    )
}
