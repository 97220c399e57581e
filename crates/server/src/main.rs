//! `wright`, the one binary: see [`servicewright_server`].

use std::process::ExitCode;

/// Deciding allocates a lot that lives briefly, on every thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    servicewright_server::run(std::env::args_os())
}
