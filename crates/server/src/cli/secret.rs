//! `wright secret …`: what each command takes. No value is ever an argument: arguments are seen by
//! others on the machine, and kept by shells.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::id::{BindingId, SecretId};

use super::DataArgument;

/// The key that secrets are sealed under.
#[derive(Args, Debug)]
pub(crate) struct KeyArgument {
    /// The key of the secrets in the data folder, in a file that only its owner can read;
    /// `WRIGHT_SECRETS_KEY` holds the key itself without it
    #[arg(long, value_name = "FILE", env = "WRIGHT_SECRETS_KEY_FILE")]
    pub(crate) secrets_key_file: Option<PathBuf>,
}

/// What is done with secrets.
#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Makes a key in a new file that only its owner can read
    #[command(
        after_help = "Keep it apart from the data folder and from its backups: whoever has both has the secrets,
and without it they are lost."
    )]
    Key {
        /// The file
        file: PathBuf,
    },
    /// Keeps a secret of a binding; its value is read from standard input, without the line's end
    #[command(
        after_help = "It holds from the next call on. A server that runs has the key; without one, the key is given
like to the server.

Example:
  wright secret set chat token < token.txt"
    )]
    Set {
        /// The binding
        binding: BindingId,
        /// The name under which the binding grants it
        name: SecretId,
        #[command(flatten)]
        key: KeyArgument,
        #[command(flatten)]
        data: DataArgument,
    },
    /// Lists which secrets are kept and when they were set, never what they are
    List(DataArgument),
    /// Takes a secret out
    Remove {
        /// The binding
        binding: BindingId,
        /// The name
        name: SecretId,
        #[command(flatten)]
        data: DataArgument,
    },
    /// Seals every secret under another key, all at once
    #[command(
        after_help = "The server that runs goes on with the new key, and the next start needs it.

Example:
  wright secret key new.key && wright secret rekey new.key"
    )]
    Rekey {
        /// The file with the new key
        file: PathBuf,
        #[command(flatten)]
        key: KeyArgument,
        #[command(flatten)]
        data: DataArgument,
    },
}
