//! `wright plugin …`: what each command takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use plugin_registry::Reference;

use super::{DataArgument, TrustArguments};

/// How registries are spoken to.
#[derive(Args, Debug)]
pub(crate) struct RegistryArguments {
    /// Speak to the registry without TLS; one on this machine is always spoken to so
    #[arg(long, env = "WRIGHT_PLAIN_HTTP")]
    pub(crate) plain_http: bool,
}

/// What is done with plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Tells what a component is: its hooks, what it imports, its manifest, who signed it, its licence
    /// and what it was built from
    #[command(after_help = "Example:
  wright plugin inspect my-router.wasm --signers /etc/wright/signers")]
    Inspect {
        /// The component
        file: PathBuf,
        #[command(flatten)]
        trust: TrustArguments,
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
    /// Draws a pair of keys: NAME.key to sign with, NAME.pub to give to operators
    #[command(
        after_help = "NAME.key is kept under a passphrase, which is asked for, or taken from WRIGHT_PASSPHRASE.
Both are in the form of cosign, which can use them too.

Example:
  wright plugin keygen acme"
    )]
    Keygen {
        /// What the files are called, with a folder before it where they go elsewhere
        name: PathBuf,
    },
    /// Signs a component; the signature lies beside it, as FILE.sigstore.json
    #[command(
        after_help = "The passphrase of the key is asked for, or taken from WRIGHT_PASSPHRASE. The signature is a
Sigstore bundle: `cosign verify-blob` can check it, and `cosign sign-blob` can make it.

Example:
  wright plugin sign my-router.wasm --key acme.key"
    )]
    Sign {
        /// The component
        file: PathBuf,
        /// The private key, in a file that only its owner can read
        #[arg(long, value_name = "FILE", env = "WRIGHT_KEY")]
        key: PathBuf,
    },
    /// Checks the signature beside a component
    #[command(after_help = "Examples:
  wright plugin verify my-router.wasm --key acme.pub
  wright plugin verify my-router.wasm --signers /etc/wright/signers

Exit code 1 where it is not signed by one of these.")]
    Verify {
        /// The component
        file: PathBuf,
        /// The public key that should have signed it
        #[arg(long, value_name = "FILE", env = "WRIGHT_KEY")]
        key: Option<PathBuf>,
        /// The folder of the public keys of which one should have, without --key
        #[arg(long, value_name = "DIR", env = "WRIGHT_SIGNERS")]
        signers: Option<PathBuf>,
    },
    /// Puts a component, with the signature beside it, into an OCI registry
    #[command(
        after_help = "Credentials come from Docker's config.json, where `docker login` and others put them. The
reference by digest is printed, which names this very component for ever.

Example:
  wright plugin push my-router.wasm registry.example/acme/my-router:1.0.0"
    )]
    Push {
        /// The component
        file: PathBuf,
        /// The registry, the repository and the tag
        reference: Reference,
        #[command(flatten)]
        registry: RegistryArguments,
    },
    /// Has a component and its signature from an OCI registry, as files
    #[command(
        after_help = "By digest the component is the one that was meant, or none; a tag is what the registry says
today, and the reference by digest is printed.

Example:
  wright plugin pull registry.example/acme/my-router:1.0.0 --out my-router.wasm"
    )]
    Pull {
        /// What to have, by tag, by digest, or by both
        reference: Reference,
        /// Where the component goes; without it, here, under the last name of the repository
        #[arg(long, value_name = "FILE", env = "WRIGHT_OUT")]
        out: Option<PathBuf>,
        #[command(flatten)]
        registry: RegistryArguments,
    },
    /// Keeps a component, so that packs can name it by its digest, which is printed
    #[command(
        after_help = "A component comes with the signature that lies beside it. One of a registry is kept as it is
now: a tag that is moved later changes nothing here.

Examples:
  wright plugin install my-router.wasm --data /srv/desk
  wright plugin install registry.example/acme/my-router@sha256:…"
    )]
    Install {
        /// The component: a file, or what it is called in a registry
        #[arg(value_name = "FILE|REFERENCE")]
        component: String,
        #[command(flatten)]
        data: DataArgument,
        #[command(flatten)]
        trust: TrustArguments,
        #[command(flatten)]
        registry: RegistryArguments,
    },
    /// Lists the plugins in use
    List(DataArgument),
}
