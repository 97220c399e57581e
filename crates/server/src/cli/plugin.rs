//! `wright plugin …`: what each command takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::configuration::Share;
use model::id::BindingId;

use super::DataArgument;

/// What is done with plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Tells what a component is: its hooks, what it imports, its manifest
    Inspect {
        /// The component
        file: PathBuf,
    },
    /// Builds the plugin in a folder, and puts its manifest into the component
    #[command(
        after_help = "The folder holds a Rust package that depends on the SDK, and beside its Cargo.toml
a plugin.yaml (id, version, title, hooks, capabilities) and, where it has settings, their
settings.schema.json.

Example:
  wright plugin build my-router"
    )]
    Build {
        /// The plugin's folder
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// Where the component goes; without it, beside the Cargo.toml under the plugin's id
        #[arg(long, value_name = "FILE", env = "WRIGHT_OUT")]
        out: Option<PathBuf>,
    },
    /// Keeps a component, so that packs can name it by its digest, which is printed
    Install {
        /// The component
        file: PathBuf,
        #[command(flatten)]
        data: DataArgument,
    },
    /// Lists the plugins in use
    List(DataArgument),
    /// Tries another version of a binding's component on a share of the calls
    #[command(
        after_help = "A hook that decides is asked a second time on the new version, and the answers are compared:
what counts is the answer of the version in force. A call of an integration goes to the new version,
and where that fails, to the one in force. After five failures the new version is tried no more.

Examples:
  wright plugin canary our-router our-router.wasm
  wright plugin canary our-router sha256:… --share 50% --why 'the new rota'"
    )]
    Canary {
        /// The binding
        binding: BindingId,
        /// The component, or the digest of one that is stored
        #[arg(value_name = "FILE|DIGEST")]
        component: String,
        /// The share of the calls
        #[arg(
            long,
            value_name = "PERCENT",
            default_value = "10%",
            env = "WRIGHT_SHARE"
        )]
        share: Share,
        #[command(flatten)]
        reason: Reason,
    },
    /// Puts the version that is being tried in force
    Promote {
        /// The binding
        binding: BindingId,
        /// Even where it has failed
        #[arg(long, env = "WRIGHT_ANYWAY")]
        anyway: bool,
        #[command(flatten)]
        reason: Reason,
    },
    /// Ends the trial of a version; where there is none, puts the version of before in force
    Rollback {
        /// The binding
        binding: BindingId,
        #[command(flatten)]
        reason: Reason,
    },
    /// Asks a binding no more: whatever asks it takes the fallback
    Quarantine {
        /// The binding
        binding: BindingId,
        #[command(flatten)]
        reason: Reason,
    },
    /// Asks a binding again that is in quarantine
    Release {
        /// The binding
        binding: BindingId,
        #[command(flatten)]
        reason: Reason,
    },
    /// Prints what a binding logged last, as far as the server keeps it in memory
    Logs {
        /// The binding
        binding: BindingId,
        /// Go on with what it logs from now on
        #[arg(long, env = "WRIGHT_FOLLOW")]
        follow: bool,
        #[command(flatten)]
        data: DataArgument,
    },
}

/// Where, and why.
#[derive(Args, Debug)]
pub(crate) struct Reason {
    /// Why, for the journal
    #[arg(long, value_name = "TEXT", env = "WRIGHT_WHY")]
    pub(crate) why: Option<String>,
    #[command(flatten)]
    pub(crate) data: DataArgument,
}
