//! A data folder that this process has open: the store, and over it, once something needs them, the
//! plugin host and the engine.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use definition::lint::lint;
use definition::pack::Pack;
use engine::port::{Brought, Clock, Inspection, StoreError, SystemClock};
use engine::{Deploy, DeployedReport, Engine, InstalledReport};
use model::configuration::Provenance;
use model::id::{BindingId, PackId};
use plugin_host::WasmPlugins;
use plugin_registry::Trust;
use store::RedbStore;
use tokio::sync::OnceCell;

use crate::pack_files::PackFiles;
use crate::secrets::{self, Key, Vault};
use crate::supply::Supplied;

/// The data folder, open.
pub(crate) struct Desk {
    pub(crate) store: Arc<RedbStore>,
    pub(crate) vault: Arc<Vault>,
    plugin_options: plugin_host::Options,
    trust: Trust,
    clock: Arc<dyn Clock>,
    running: OnceCell<Running>,
}

/// What runs over the store.
pub(crate) struct Running {
    pub(crate) engine: Engine,
    pub(crate) plugins: Arc<WasmPlugins>,
    /// Whose components may be used.
    pub(crate) trust: Trust,
}

impl Desk {
    /// Opens the store in a folder, or makes one there. Secrets that are kept there open under `key`;
    /// `trust` says whose components may be used.
    ///
    /// # Errors
    /// As [`RedbStore::open`] does.
    pub(crate) async fn open(
        folder: &Path,
        mut plugin_options: plugin_host::Options,
        key: Option<Key>,
        trust: Trust,
    ) -> Result<Self, StoreError> {
        let folder = folder.to_owned();
        make(&folder).map_err(|error| StoreError::Failed {
            doing: "making the data folder",
            cause: error.to_string().into(),
        })?;
        let opening = tokio::task::spawn_blocking(move || {
            RedbStore::open(&folder, store::Options::default())
        });
        let store = opening.await.unwrap_or_else(|_| {
            Err(StoreError::Failed {
                doing: "opening it",
                cause: "it panicked".into(),
            })
        })?;
        let store = Arc::new(store);
        let vault = Arc::new(Vault::new(store.clone(), key));
        plugin_options.secrets = secrets::before(vault.clone(), plugin_options.secrets);
        Ok(Self {
            store,
            vault,
            plugin_options,
            trust,
            clock: Arc::new(SystemClock),
            running: OnceCell::new(),
        })
    }

    /// The desk with another clock than the machine's.
    pub(crate) fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The engine and the plugin host, started where they are not yet.
    pub(crate) async fn running(&self) -> Result<&Running> {
        self.running
            .get_or_try_init(async || {
                let plugins = WasmPlugins::new(self.plugin_options.clone())?;
                let plugins = Arc::new(plugins);
                let store = self.store.clone();
                let engine = Engine::open(store, plugins.clone(), self.clock.clone()).await?;
                let trust = self.trust.clone();
                Ok(Running {
                    engine,
                    plugins,
                    trust,
                })
            })
            .await
    }

    /// How plugins run here.
    pub(crate) const fn plugin_options(&self) -> &plugin_host::Options {
        &self.plugin_options
    }

    /// Closes the store: what was accepted is durable.
    pub(crate) async fn close(&self) {
        let store = self.store.clone();
        if tokio::task::spawn_blocking(move || store.close())
            .await
            .is_err()
        {
            tracing::error!("closing the store panicked");
        }
    }
}

impl Running {
    /// Puts a pack in force; gives the warnings of the linter beside the report.
    ///
    /// # Errors
    /// Everything that speaks against it, each with its place; nothing is changed then.
    pub(crate) async fn install(&self, files: &PackFiles) -> Result<(InstalledReport, String)> {
        let pack =
            Pack::read(&files.texts).map_err(|found| anyhow!("the pack is not right:\n{found}"))?;
        let found = lint(&pack);
        if found.has_errors() {
            return Err(anyhow!("the pack is not right:\n{found}"));
        }
        let trust = &self.trust;
        let supply = Supplied { files, trust };
        let report = self
            .engine
            .install("operator", &pack, &supply)
            .await
            .with_context(|| format!("cannot install the pack {}", pack.id))?;
        let warnings = if found.is_empty() {
            String::new()
        } else {
            found.to_string()
        };
        Ok((report, warnings))
    }

    /// Puts the version of a pack in force again that was in force before.
    ///
    /// # Errors
    /// As [`Engine::rollback`] does.
    pub(crate) async fn rollback(&self, pack: PackId) -> Result<InstalledReport> {
        let (engine, trust) = (self.engine.clone(), self.trust.clone());
        // It goes through the journal, which may be long.
        let runtime = tokio::runtime::Handle::current();
        let rolling = tokio::task::spawn_blocking(move || {
            let (files, trust) = (&PackFiles::default(), &trust);
            let supply = Supplied { files, trust };
            runtime.block_on(engine.rollback("operator", &pack, &supply))
        });
        Ok(rolling.await??)
    }

    /// Keeps a component for packs to name by digest.
    ///
    /// # Errors
    /// Where it is none, or may not be used.
    pub(crate) async fn keep(&self, brought: Brought) -> Result<(Inspection, Provenance)> {
        let (files, trust) = (&PackFiles::default(), &self.trust);
        let supply = Supplied { files, trust };
        Ok(self.engine.keep_component(brought, &supply).await?)
    }

    /// Changes how a binding is deployed.
    ///
    /// # Errors
    /// As [`Engine::deploy`] does.
    pub(crate) async fn deploy(
        &self,
        binding: &BindingId,
        change: Deploy,
        why: Option<&str>,
    ) -> Result<DeployedReport> {
        let (files, trust) = (&PackFiles::default(), &self.trust);
        let supply = Supplied { files, trust };
        let deployed = self
            .engine
            .deploy("operator", binding, change, why, &supply);
        Ok(deployed.await?)
    }
}

/// A new data folder is its owner's alone.
fn make(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// How plugins run over a data folder: compiled apart, and kept compiled in the folder where no other
/// is named.
pub(crate) fn plugin_options(folder: &Path, cache: Option<&Path>) -> plugin_host::Options {
    let cache = cache.map_or_else(|| folder.join("plugin-cache"), Path::to_owned);
    plugin_host::Options {
        cache: Some(cache),
        compiler: Some(Arc::new(compiler)),
        ..plugin_host::Options::default()
    }
}

/// This program, to compile one plugin with no more than it needs.
pub(crate) fn compiler() -> std::io::Result<std::process::Command> {
    // On Linux by the name that stays right where the file has been replaced meanwhile.
    let program = if cfg!(target_os = "linux") {
        "/proc/self/exe".into()
    } else {
        std::env::current_exe()?
    };
    let mut command = std::process::Command::new(program);
    command.arg("compile-plugin").env_clear();
    Ok(command)
}
