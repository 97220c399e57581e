//! What `wright simulate` is told.

use std::path::PathBuf;

use clap::Args;
use model::Instant;
use model::id::WorkflowId;

/// What to simulate, on which history.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  wright simulate ./our-pack --against /srv/desk-copy
  wright simulate ./our-pack --against /srv/desk-copy --since 2026-01-01T00:00:00Z --workflow incident
  wright simulate itil --against /srv/desk-copy --worst 1000 --format json

The data are only read. They have to be those of a server that was stopped, or a copy of them.
docs/simulating.md has the rules.")]
pub(crate) struct SimulateArguments {
    /// The folder of the pack to try, or the name of one that wright ships
    #[arg(value_name = "DIR|NAME")]
    pub(crate) pack: String,
    /// The data folder with the history, of a stopped server or a copy
    #[arg(long, value_name = "DATA", env = "WRIGHT_AGAINST")]
    pub(crate) against: PathBuf,
    /// Only records that began since, such as 2026-01-01T00:00:00Z
    #[arg(long, value_name = "INSTANT", env = "WRIGHT_SINCE")]
    pub(crate) since: Option<Instant>,
    /// Only records of this workflow
    #[arg(long, value_name = "ID", env = "WRIGHT_WORKFLOW")]
    pub(crate) workflow: Option<WorkflowId>,
    /// Put records whose course is not possible any more into their recorded state, and judge on
    #[arg(long, env = "WRIGHT_FOLLOW")]
    pub(crate) follow: bool,
    /// How many of the records that differ most are told whole
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(0..=1_000_000),
        env = "WRIGHT_WORST"
    )]
    pub(crate) worst: u32,
    /// A folder for compiled plugins; without it they are compiled each time that they are asked
    #[arg(long, value_name = "DIR", env = "WRIGHT_PLUGIN_CACHE")]
    pub(crate) plugin_cache: Option<PathBuf>,
}
