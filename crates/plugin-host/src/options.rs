//! What an operator settles for all plugins: ceilings, secrets, where compiled code is kept.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use model::id::{BindingId, SecretId};
use thiserror::Error;

use crate::compiler::Compiler;

/// What one call may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// Processor time of the guest, without what it waits for. Counted in whole milliseconds.
    pub cpu: Duration,
    /// Time from the call to its answer, with what it waits for.
    pub wall: Duration,
    /// Bytes of all its memories together.
    pub memory: usize,
}

impl CallLimits {
    /// Where pure hooks start: 50 ms of processor time, a second in all, 32 MiB.
    pub const PURE: Self = Self {
        cpu: Duration::from_millis(50),
        wall: Duration::from_secs(1),
        memory: 32 << 20,
    };

    /// Where integrations start: a second of processor time, ten in all, 64 MiB.
    pub const INTEGRATION: Self = Self {
        cpu: Duration::from_secs(1),
        wall: Duration::from_secs(10),
        memory: 64 << 20,
    };
}

/// Finds the value of a secret for a binding; none where the operator has set none.
pub type Secrets = Arc<dyn Fn(&BindingId, &SecretId) -> Option<SecretValue> + Send + Sync>;

/// The value of a secret. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Arc<[u8]>);

impl SecretValue {
    /// A secret with these bytes.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// Its bytes, for whoever has to send or seal it.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}

/// Answers requests in the place of the network; nothing where it does not know the request.
pub type Exchange =
    Arc<dyn Fn(&http::Request<Bytes>) -> Option<http::Response<Bytes>> + Send + Sync>;

/// Finds the addresses that a host's name stands for. It is asked once for each request.
pub type Resolver = Arc<dyn Fn(&str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// What an operator settles for all plugins.
#[derive(Clone)]
pub struct Options {
    /// The folder for compiled components; none to compile anew at every start.
    pub cache: Option<PathBuf>,
    /// The most that a binding may have for a pure hook.
    pub pure: CallLimits,
    /// The most that a binding may have for an integration.
    pub integration: CallLimits,
    /// How many calls run at once; the next ones wait, within their own time. At least 2.
    pub concurrent_calls: u32,
    /// Whether a hook that keeps failing is left alone for a while. Not where questions of before are
    /// asked again, whose answers are to be what they were.
    pub breakers: bool,
    /// The process that compiles; none to compile in this one, which is for tests and tools that know
    /// what they compile.
    pub compiler: Option<Compiler>,
    /// How long one component may take to compile.
    pub compile_time: Duration,
    /// Where the values of secrets come from.
    pub secrets: Secrets,
    /// Certificates of authorities to trust beside the public ones, in DER.
    pub extra_authorities: Vec<Vec<u8>>,
    /// What answers requests that were checked and filled in, where they are not to leave this
    /// process: for trying plugins out.
    pub exchange: Option<Exchange>,
    /// What finds the addresses of hosts; none for the system's own way. Whatever it finds is checked.
    pub resolver: Option<Resolver>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache: None,
            pure: CallLimits::PURE,
            integration: CallLimits::INTEGRATION,
            concurrent_calls: 64,
            breakers: true,
            compiler: None,
            // What carries an interpreter along takes half a minute of processor time.
            compile_time: Duration::from_mins(3),
            secrets: Arc::new(|_, _| None),
            extra_authorities: Vec::new(),
            exchange: None,
            resolver: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("cache", &self.cache)
            .field("pure", &self.pure)
            .field("integration", &self.integration)
            .field("concurrent_calls", &self.concurrent_calls)
            .field("breakers", &self.breakers)
            .field("compile_time", &self.compile_time)
            .finish_non_exhaustive()
    }
}

/// Why the plugin host cannot start.
#[derive(Debug, Error)]
pub enum Error {
    /// The WebAssembly engine refuses its settings, or the address space is too small for its pool.
    #[error("cannot set up the WebAssembly engine")]
    Engine(#[source] wasmtime::Error),
    /// The folder for compiled components cannot be used.
    #[error("cannot use the folder for compiled plugins, {path}")]
    Cache {
        /// The folder or a file in it.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// A thread could not be started.
    #[error("cannot start the thread that counts processor time")]
    Thread(#[source] std::io::Error),
    /// An extra authority is not a certificate.
    #[error("an extra certificate authority is not a certificate in DER")]
    Authority(#[source] rustls::Error),
}
