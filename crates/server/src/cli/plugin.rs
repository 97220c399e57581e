//! `wright plugin …`: what each command takes.

use std::path::PathBuf;

use clap::Subcommand;

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
        after_help = "The folder holds a Rust package or a Python project that uses the SDK, and beside its
Cargo.toml or pyproject.toml a plugin.yaml (id, version, title, hooks, capabilities) and, where it has
settings, their settings.schema.json. What Python needs for that is installed into .venv of the folder.

Examples:
  wright plugin build my-router
  wright plugin build my-router --component my-router/build/component.wasm"
    )]
    Build {
        /// The plugin's folder
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// The component, where something else builds it; only the manifest is put into it
        #[arg(long, value_name = "FILE", env = "WRIGHT_COMPONENT")]
        component: Option<PathBuf>,
        /// Where the component goes; without it, in the plugin's folder under the plugin's id
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
}
