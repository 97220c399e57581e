//! The compiler, in a process of its own. What a component makes it use up is bounded there, ends with
//! it, and never weighs on the server.

use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use engine::port::InspectError;
use tokio::io::AsyncWriteExt as _;
use wasmtime::Engine;

use crate::link::describe;
use crate::runtime::config;

/// Makes the command that runs [`compile`] between its standard input and output.
pub type Compiler = Arc<dyn Fn() -> io::Result<Command> + Send + Sync>;

/// How much address space the process may have, in bytes.
#[cfg(unix)]
const MEMORY: u64 = 4 << 30;
/// How much processor time it may have, in seconds, should nobody be left to end it.
#[cfg(unix)]
const PROCESSOR: u64 = 600;
/// As much of what it says goes wrong is passed on, in bytes.
const SAID: usize = 1_000;

/// Compiles one component: what is read until the end, to what is written. This is all that the
/// process does, within limits that it sets for itself first.
///
/// # Errors
/// Where it is no component that compiles, or nobody reads the result.
pub fn compile(mut component: impl Read, mut compiled: impl Write) -> io::Result<()> {
    limit()?;
    let mut bytes = Vec::new();
    component.read_to_end(&mut bytes)?;
    let engine = Engine::new(&config()).map_err(io::Error::other)?;
    let code = engine
        .precompile_component(&bytes)
        .map_err(|error| io::Error::other(describe(&error)))?;
    compiled.write_all(&code)?;
    compiled.flush()
}

/// Has a component compiled within this time.
pub(crate) async fn compile_apart(
    compiler: &Compiler,
    component: &[u8],
    time: Duration,
) -> Result<Vec<u8>, InspectError> {
    let failed = |error: &io::Error| InspectError::Compile(format!("the compiler: {error}"));
    let command = compiler().map_err(|error| failed(&error))?;
    let mut process = tokio::process::Command::from(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&error))?;
    let mut input = process.stdin.take();
    let given = async {
        if let Some(mut input) = input.take() {
            // One that ends early says why by itself.
            let _ = input.write_all(component).await;
        }
    };
    let both = async { tokio::join!(given, process.wait_with_output()).1 };
    let output = tokio::time::timeout(time, both)
        .await
        .map_err(|_| InspectError::Compile(format!("it took longer than {} s", time.as_secs())))?
        .map_err(|error| failed(&error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr[..output.stderr.len().min(SAID)]);
    let said = said.trim();
    Err(InspectError::Compile(if said.is_empty() {
        format!("the compiler had to be ended: {}", output.status)
    } else {
        said.to_owned()
    }))
}

/// Bounds the present process.
#[cfg(unix)]
fn limit() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    for (resource, most) in [
        (Resource::As, MEMORY),
        (Resource::Cpu, PROCESSOR),
        (Resource::Core, 0),
    ] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn limit() -> io::Result<()> {
    Ok(())
}
