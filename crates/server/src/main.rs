//! `wright`, the one binary: see [`servicewright_server`].

use std::process::ExitCode;

fn main() -> ExitCode {
    servicewright_server::run(std::env::args_os())
}
