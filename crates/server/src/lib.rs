//! The binary `wright`: configuration, wiring, command line.
//!
//! A command works on a data folder in one of two ways, and its caller need not care which: where no
//! server runs there, it opens the folder itself; where one does, it asks that server, over a socket
//! in the folder that only its owner may use ([`admin`]). The server itself is [`serve`].

use std::ffi::OsString;
use std::process::ExitCode;

mod admin;
mod cli;
mod command;
mod connections;
mod desk;
pub mod embedded;
pub mod pack_files;
mod pack_folder;
mod public_url;
pub mod replay;
mod scenario;
mod secrets;
mod serve;
mod settings;
mod supply;
mod telemetry;

/// Runs a command line; the code is 0 where it was done, 1 where it was refused or something was
/// found wanting, 2 where it was used wrongly.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match cli::parse(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors, and go to the standard output.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match command::run(cli) {
        Ok(command::Outcome::Done) => ExitCode::SUCCESS,
        Ok(command::Outcome::Wanting) => ExitCode::FAILURE,
        Err(error) => {
            // Whoever reads our output has gone: there is nobody to tell.
            let pipe_closed = error
                .chain()
                .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
                .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe);
            if !pipe_closed {
                eprintln!("wright: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
