//! The front door: `cargo xtask build`, `demo`, `test`, `bench`, `soak`, `fuzz`,
//! `golden`. One file per command; each says what it is about to do and prints every command it runs.

mod bench;
mod build;
mod demo;
mod edges;
mod fuzz;
mod golden;
mod guests;
mod sdk;
mod shell;
mod soak;
mod test;
mod wasm_target;
mod workspace;

use clap::{Parser, Subcommand};

/// Builds, tries and checks Servicewright.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the plugins and one self-contained `wright`
    Build(build::Options),
    /// Builds, starts a server with an example desk, and prints what to try
    Demo(demo::Options),
    /// Runs every check that CI runs
    Test,
    /// Measures, each figure beside its limit
    Bench(bench::Options),
    /// Runs for long what CI runs in short
    #[command(subcommand)]
    Soak(soak::Soak),
    /// Hands what strangers might write to what reads it
    Fuzz(fuzz::Options),
    /// Builds what stands in the tests for a released version of the SDKs
    Golden(golden::Options),
}

fn main() -> anyhow::Result<()> {
    if fuzz::stands_in() {
        return fuzz::compile();
    }
    match Arguments::parse().command {
        Command::Build(options) => build::run(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Test => test::run(),
        Command::Bench(options) => bench::run(&options),
        Command::Soak(soak) => soak::run(&soak),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Golden(options) => golden::run(&options),
    }
}
