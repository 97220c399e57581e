//! The compiler, in a process of its own. What a component makes it use up is bounded there, ends with
//! it, and never weighs on the server.

use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use engine::port::InspectError;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use wasmtime::Engine;

use crate::compiled::LARGEST;
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
const SAID: u64 = 1_000;

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
    let (mut input, output, errors) = (
        process.stdin.take(),
        process.stdout.take(),
        process.stderr.take(),
    );
    let given = async {
        if let Some(mut input) = input.take() {
            // One that ends early says why by itself.
            let _ = input.write_all(component).await;
        }
        Ok(())
    };
    let ended = async {
        let ((), compiled, said) =
            tokio::try_join!(given, first(output, LARGEST + 1), first(errors, SAID))?;
        Ok::<_, io::Error>((process.wait().await?, compiled, said))
    };
    let (status, compiled, said) = tokio::time::timeout(time, ended)
        .await
        .map_err(|_| InspectError::Compile(format!("it took longer than {} s", time.as_secs())))?
        .map_err(|error| failed(&error))?;
    if compiled.len() as u64 > LARGEST {
        let what = format!("what comes of it is larger than {LARGEST} bytes");
        return Err(InspectError::Compile(what));
    }
    if status.success() {
        return Ok(compiled);
    }
    let said = String::from_utf8_lossy(&said);
    let said = said.trim();
    Err(InspectError::Compile(if said.is_empty() {
        format!("the compiler had to be ended: {status}")
    } else {
        said.to_owned()
    }))
}

/// What a process says, as far as this many bytes. One that says more finds nobody listening.
async fn first(pipe: Option<impl AsyncRead + Unpin>, most: u64) -> io::Result<Vec<u8>> {
    let mut said = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(most).read_to_end(&mut said).await?;
    }
    Ok(said)
}

/// Bounds the present process.
#[cfg(unix)]
fn limit() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    for (resource, most) in [
        (Resource::As, MEMORY),
        (Resource::Cpu, PROCESSOR),
        (Resource::Core, 0),
    ] {
        // Whoever started the server may have set less.
        let most = getrlimit(resource)
            .maximum
            .map_or(most, |allowed| allowed.min(most));
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
