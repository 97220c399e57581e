//! Compiled components, kept from one start to the next. Compiled code is trusted blindly once it is
//! loaded, so only what this server compiled is: each file ends in a code (HMAC-SHA-256) under a key
//! that lies beside it, readable by the server alone. A file from anywhere else is as if it were not
//! there, and is written anew.
//!
//! On Linux a verified file is mapped: what no call runs is never in memory, and what one has run can
//! leave it again. Files are written under a name of their own, renamed, and never touched afterwards.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use model::Digest;
use sha2::Sha256;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::options::Error;

const KEY_FILE: &str = "key";
const KEY: usize = 32;
const CODE: usize = 32;
/// How long each time before the system is asked again to seal what memories begin with.
const SEALING: [Duration; 5] = [
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(2),
];
/// How large a compiled component may be, in bytes. Interpreters for scripting languages come to a fifth.
pub(crate) const LARGEST: u64 = 256 << 20;

/// A folder of compiled components.
pub(crate) struct Cache {
    folder: PathBuf,
    key: [u8; KEY],
}

impl Cache {
    /// Opens the folder, and makes it and its key where they are missing.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Cache { path, source }
        };
        fs::create_dir_all(folder).map_err(failed(folder))?;
        let path = folder.join(KEY_FILE);
        let key = match read_key(&path).map_err(failed(&path))? {
            Some(key) => key,
            None => new_key(&path).map_err(failed(&path))?,
        };
        Ok(Self {
            folder: folder.to_owned(),
            key,
        })
    }

    /// The compiled form of a component, where this server has made one with such an engine.
    pub(crate) fn load(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let path = self.path(engine, digest);
        let mut file = fs::File::open(&path).ok()?;
        let (bytes, at) = read(&mut file).ok()?;
        let (compiled, code) = bytes.split_at_checked(at)?;
        let wanted = self.code(engine, digest, compiled);
        if wanted.verify_slice(code).is_err() {
            tracing::warn!(path = %path.display(), "a compiled plugin is not this server's; it is compiled anew");
            return None;
        }
        map(engine, &file)
            .or_else(|error| {
                tracing::debug!(%error, "a compiled plugin cannot be mapped");
                deserialize(engine, compiled)
            })
            .inspect_err(|error| tracing::debug!(%error, "a compiled plugin is of another version"))
            .ok()
    }

    /// Keeps the compiled form of a component. Failing to costs the next start some time, no more.
    pub(crate) fn store(&self, engine: &Engine, digest: &Digest, compiled: &[u8]) {
        let path = self.path(engine, digest);
        let write = || {
            let code = self.code(engine, digest, compiled).finalize().into_bytes();
            // A file is there whole or not at all: others may be reading.
            let half = beside(&path);
            let mut file = private(&half, 0o400)?;
            file.write_all(compiled)?;
            file.write_all(&code)?;
            drop(file);
            fs::rename(&half, &path)
        };
        let written: io::Result<()> = write();
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "a compiled plugin could not be kept");
        }
    }

    fn path(&self, engine: &Engine, digest: &Digest) -> PathBuf {
        let name = digest.to_string().replace(':', "-");
        self.folder
            .join(format!("{name}-{:016x}.compiled", compatibility(engine)))
    }

    /// The code is over what the file is for too, so that no file can stand in for another.
    fn code(&self, engine: &Engine, digest: &Digest, compiled: &[u8]) -> Hmac<Sha256> {
        Hmac::<Sha256>::new_from_slice(&self.key)
            .expect("HMAC takes keys of every length")
            .chain_update(digest.as_bytes())
            .chain_update(compatibility(engine).to_le_bytes())
            .chain_update(compiled)
    }
}

/// Tells engines apart whose compiled code differs. wasmtime checks it once more when it loads.
fn compatibility(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

/// A file's content, and where the code in it begins.
fn read(file: &mut fs::File) -> io::Result<(Vec<u8>, usize)> {
    let most = LARGEST + CODE as u64;
    let length = usize::try_from(file.metadata()?.len().min(most)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(length);
    file.take(most).read_to_end(&mut bytes)?;
    let at = bytes.len().saturating_sub(CODE);
    Ok((bytes, at))
}

/// Loads a compiled component where it lies in its file, whose code the caller has verified.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "compiled code is trusted, and so is its file")]
fn map(engine: &Engine, file: &fs::File) -> wasmtime::Result<Component> {
    use std::os::fd::AsRawFd as _;

    // By its handle: there may be another file under its name by now.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // SAFETY: `Component::deserialize_file` wants a file that came from wasmtime's compiler, and that
    // nobody changes while it is mapped. This one's code was verified, as for `deserialize`; and from
    // when it has its name on, nobody has it open for writing, and only its owner, the server, could.
    let component = unsafe { Component::deserialize_file(engine, path) }?;
    lay_out(&component)?;
    Ok(component)
}

/// Elsewhere a file cannot be told by its handle.
#[cfg(not(target_os = "linux"))]
fn map(_: &Engine, _: &fs::File) -> wasmtime::Result<Component> {
    Err(io::Error::from(io::ErrorKind::Unsupported).into())
}

/// Loads what this server has compiled, just now in a process of its own or before.
#[allow(unsafe_code, reason = "the one place where compiled code is trusted")]
pub(crate) fn deserialize(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `Component::deserialize` wants bytes that came from wasmtime's compiler, unchanged.
    // These came over a pipe from this program run as a compiler; or from a file, and the caller has
    // verified their code under a key that only this server can read, and it makes such codes for
    // nothing else.
    let component = unsafe { Component::deserialize(engine, compiled) }?;
    lay_out(&component)?;
    Ok(component)
}

/// Has the memories' first contents laid out now, and not within the time of a first call. The system
/// refuses to seal them while anything still holds one of their pages, which it does for a moment on a
/// busy machine: so it is asked again.
fn lay_out(component: &Component) -> wasmtime::Result<()> {
    let mut pauses = SEALING.into_iter();
    loop {
        let Err(error) = component.initialize_copy_on_write_image() else {
            return Ok(());
        };
        match pauses.next() {
            Some(pause) if is_busy(&error) => std::thread::sleep(pause),
            _ => return Err(error),
        }
    }
}

fn is_busy(error: &wasmtime::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::ResourceBusy)
}

/// The key, where there is a whole one. Without it, everything in the folder is worthless, and a new
/// one is as good.
/// One that others may read or write is none of ours.
fn read_key(path: &Path) -> io::Result<Option<[u8; KEY]>> {
    #[cfg(unix)]
    if let Ok(metadata) = fs::symlink_metadata(path) {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        if !metadata.is_file() || mode & 0o077 != 0 {
            return Ok(None);
        }
    }
    match fs::read(path) {
        Ok(bytes) => Ok(bytes.try_into().ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn new_key(path: &Path) -> io::Result<[u8; KEY]> {
    let mut key = [0; KEY];
    getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
    // There is a whole key under its name or none, however many begin at once.
    let half = beside(path);
    private(&half, 0o600)?.write_all(&key)?;
    fs::rename(&half, path)?;
    Ok(key)
}

/// A name of its own for a file that is not finished.
fn beside(path: &Path) -> PathBuf {
    static FILES: AtomicU64 = AtomicU64::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    path.with_extension(format!("{}-{number}.half", std::process::id()))
}

/// A new file that only its owner can read; the mode says whether even that one can write to it later.
fn private(path: &Path, mode: u32) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}
