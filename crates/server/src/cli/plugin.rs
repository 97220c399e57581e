//! `wright plugin …`: what each command takes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use model::Instant;
use model::configuration::Share;
use model::hook::Hook;
use model::id::BindingId;
use plugin_registry::Reference;

use super::{DataArgument, TrustArguments};

/// How registries are spoken to.
#[derive(Args, Debug)]
pub(crate) struct RegistryArguments {
    /// Speak to the registry without TLS; one on this machine is always spoken to so
    #[arg(long, env = "WRIGHT_PLAIN_HTTP")]
    pub(crate) plain_http: bool,
}

/// What plugins are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Rust
    Rust,
    /// JavaScript
    #[value(name = "js", alias = "javascript")]
    JavaScript,
    /// Python
    Python,
}

fn hook(name: &str) -> Result<Hook, String> {
    let found = Hook::ALL.into_iter().find(|hook| hook.as_str() == name);
    found.ok_or_else(|| {
        let names: Vec<_> = Hook::ALL.iter().map(|hook| hook.as_str()).collect();
        format!("the hooks are {}", names.join(", "))
    })
}

/// What is done with plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Begins a plugin: a folder with one example, its test, and the SDK
    #[command(after_help = "Example:
  wright plugin new quiet-router --hook routing
  wright plugin new quiet-router --hook routing --lang python")]
    New {
        /// The plugin's id, and the name of the folder, such as quiet-router
        name: BindingId,
        /// The hook that it answers at
        #[arg(long, value_name = "HOOK", value_parser = hook, env = "WRIGHT_HOOK")]
        hook: Hook,
        /// The language it is written in
        #[arg(
            long = "lang",
            value_name = "LANGUAGE",
            default_value = "rust",
            env = "WRIGHT_LANG"
        )]
        language: Language,
    },
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
    /// Asks a plugin what its cases say, in the real sandbox: tests/*.yaml in its folder
    #[command(
        after_help = "The plugin is built first. A case without an `expect` of its own is held to what it answered
before, in tests/FILE.answers.json, which --update writes: look at what changed in it.

Example:
  wright plugin test my-router

Exit code 1 where a case fails."
    )]
    Test {
        /// The plugin's folder
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// This component instead of building one
        #[arg(long, value_name = "FILE", env = "WRIGHT_COMPONENT")]
        component: Option<PathBuf>,
        /// Only cases whose name has this in it
        #[arg(long, value_name = "TEXT", default_value = "", env = "WRIGHT_CASE")]
        case: String,
        /// Keeps what cases without an expectation answer now
        #[arg(long, env = "WRIGHT_UPDATE")]
        update: bool,
    },
    /// Asks a plugin the same cases again and again, and tells how long it takes
    #[command(after_help = "Example:
  wright plugin bench my-router --calls 5000")]
    Bench {
        /// The plugin's folder
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// This component instead of building one
        #[arg(long, value_name = "FILE", env = "WRIGHT_COMPONENT")]
        component: Option<PathBuf>,
        /// Only cases whose name has this in it
        #[arg(long, value_name = "TEXT", default_value = "", env = "WRIGHT_CASE")]
        case: String,
        /// How often each case is asked
        #[arg(
            long,
            default_value_t = 1000,
            value_parser = clap::value_parser!(u32).range(1..=1_000_000),
            env = "WRIGHT_CALLS"
        )]
        calls: u32,
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
        #[command(flatten)]
        trust: TrustArguments,
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
        #[command(flatten)]
        trust: TrustArguments,
    },
    /// Ends the trial of a version; where there is none, puts the version of before in force
    Rollback {
        /// The binding
        binding: BindingId,
        #[command(flatten)]
        reason: Reason,
        #[command(flatten)]
        trust: TrustArguments,
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
    /// Asks again what plugins decided, as the journal has it, and compares the answers
    #[command(
        after_help = "Every question to a pure hook is put once more to the component that answered it, with the
settings, the time, the chance and the directory of then. Nothing is changed by it.

Examples:
  wright plugin replay --data /srv/backup
  wright plugin replay our-router --component our-router.wasm --since 2026-01-01T00:00:00Z

Exit code 1 where an answer differs."
    )]
    Replay {
        /// Only what this binding decided
        binding: Option<BindingId>,
        /// This component in the place of those that decided: what would it have answered?
        #[arg(
            long,
            value_name = "FILE",
            requires = "binding",
            env = "WRIGHT_COMPONENT"
        )]
        component: Option<PathBuf>,
        /// Only what was decided from then on
        #[arg(long, value_name = "TIME", env = "WRIGHT_SINCE")]
        since: Option<Instant>,
        #[command(flatten)]
        data: DataArgument,
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
