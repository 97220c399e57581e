//! `wright serve`: from an empty folder to a server that answers, and back to files at rest.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use api::{Api, Limits};
use engine::port::{Clock, Machine, SteadyClock, Store as _, StoreError, ThisMachine};
use plugin_host::Options;
use plugin_registry::Trust;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cli::ServeArguments;
use crate::desk::{Desk, Running, plugin_options};
use crate::pack_files::PackFiles;
use crate::secrets::Key;
use crate::telemetry::{Telemetry, figures};
use crate::{admin, connections, secrets};

/// The pack that an empty folder is set up with.
const FIRST_PACK: &str = "itil";
/// How long requests that are under way at the end may take, and then the workers.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long another command may have the data folder open.
const MOMENT: Duration = Duration::from_secs(3);

/// Serves until it is told to stop.
///
/// # Errors
/// Where it cannot start.
pub(crate) async fn serve(arguments: &ServeArguments, telemetry: &Telemetry) -> Result<()> {
    let folder = arguments.data.data.as_path();
    let options = Options {
        secrets: secrets::source(arguments.secrets.as_deref())?,
        compile_time: Duration::from_secs(arguments.plugin_compile_time.into()),
        ..plugin_options(folder, arguments.plugin_cache.as_deref())
    };
    // Signals count from here on, so that a stop while starting is in order too.
    let mut stopping = Box::pin(told_to_stop()?);
    let key = Key::find(arguments.key.secrets_key_file.as_deref())?;
    let trust = arguments.trust.policy();
    let desk = open(folder, options, key, trust).await?;
    let desk = Arc::new(desk.with_clock(clock(arguments.test_clock_ahead)));
    if let Err(error) = desk.vault.check() {
        desk.close().await;
        return Err(error);
    }
    let running = tokio::select! {
        running = start(&desk, folder) => running?,
        () = &mut stopping => {
            desk.close().await;
            return Ok(());
        }
    };
    running.engine.set_space_ceiling(arguments.plugin_space);
    running.engine.set_link_keys(desk.vault.clone());
    if let Some(address) = &arguments.public_url {
        running.engine.set_public_address(address.as_str());
    }
    running.engine.warn_of_missing_links().await;
    if let Some(meter) = telemetry.meter() {
        figures::observe_plugins(&meter, &running.plugins);
    }
    let served = listen(arguments, &desk, running, telemetry, stopping).await;
    desk.close().await;
    served
}

/// Opens the data folder; another command that has it open only for a moment is waited for.
async fn open(folder: &Path, options: Options, key: Option<Key>, trust: Trust) -> Result<Desk> {
    let begun = Instant::now();
    loop {
        match Desk::open(folder, options.clone(), key.clone(), trust.clone()).await {
            Err(StoreError::InUse) if begun.elapsed() < MOMENT => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            opened => {
                return opened
                    .with_context(|| format!("cannot open the data in {}", folder.display()));
            }
        }
    }
}

/// The machine's clock, held to the time that passes; ahead of it where a test wants that.
fn clock(ahead: Option<model::Duration>) -> Arc<dyn Clock> {
    let machine = ThisMachine::new();
    match ahead {
        None => Arc::new(SteadyClock::new(machine)),
        Some(ahead) => {
            tracing::warn!(%ahead, "the clock is set ahead: for tests alone");
            Arc::new(SteadyClock::new(Ahead { machine, ahead }))
        }
    }
}

/// The machine, its wall clock so much later.
struct Ahead {
    machine: ThisMachine,
    ahead: model::Duration,
}

impl Machine for Ahead {
    fn wall(&self) -> model::Instant {
        self.machine.wall().saturating_add(self.ahead)
    }

    fn running(&self) -> model::Duration {
        self.machine.running()
    }

    fn suspended(&self) -> model::Duration {
        self.machine.suspended()
    }
}

/// Tells where the machine's clock is behind what it showed before, which nobody can put right here.
fn hold_against_journal(desk: &Desk, engine: &engine::Engine) -> Result<(), StoreError> {
    let last = desk.store.position()?;
    let items = desk.store.journal(last.saturating_sub(1), 1)?;
    let now = engine.now();
    let last = items.first().map(|(_, item)| item.at());
    if let Some(last) = last.filter(|last| *last > now) {
        tracing::warn!(
            %now,
            %last,
            "the machine's clock is behind the last entry of the journal: it is wrong now, or was then. \
             Timers wait until it has come to their time; no record's own time goes back"
        );
    }
    Ok(())
}

/// Starts the engine, and sets an empty folder up.
async fn start<'a>(desk: &'a Desk, folder: &Path) -> Result<&'a Running> {
    let running = desk.running().await?;
    hold_against_journal(desk, &running.engine)?;
    if desk.store.active()?.is_some() {
        return Ok(running);
    }
    let Some(files) = PackFiles::shipped(FIRST_PACK) else {
        bail!("this binary carries no pack `{FIRST_PACK}`");
    };
    let (report, _) = running.install(&files).await?;
    let shown = folder.display();
    eprintln!(
        "A new desk in {shown}, with the pack {} {} and its plugins.\n\
         Nobody can sign in yet. An administrator's token, printed once, comes from:\n\n    \
         wright token create --data {shown} --actor admin --roles administrator,agent\n",
        report.pack, report.version
    );
    Ok(running)
}

/// Answers requests until it is told to stop, then finishes what has begun.
async fn listen(
    arguments: &ServeArguments,
    desk: &Arc<Desk>,
    running: &Running,
    telemetry: &Telemetry,
    stopping: impl Future<Output = ()> + Send,
) -> Result<()> {
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    let commands = admin::listen(&arguments.data.data, desk.clone(), stop.clone());
    let commands = match commands {
        Ok(commands) => Some(tokio::spawn(commands)),
        Err(error) => {
            tracing::warn!(
                error = format!("{error:#}"),
                "other commands on the data folder have to wait until the server has ended"
            );
            None
        }
    };
    let stop_workers = CancellationToken::new();
    let workers = {
        let (engine, stop) = (running.engine.clone(), stop_workers.clone());
        tokio::spawn(async move { engine.run(stop.cancelled_owned()).await })
    };

    let api = Api::new(
        running.engine.clone(),
        Limits::default(),
        stop.clone(),
        telemetry.trace(),
    );
    let mut router = api::router(api);
    if let Some(meter) = telemetry.meter() {
        router = figures::measure(router, &meter);
    }
    let serving = connections::serve(listener, router, stop.clone());
    let mut serving = tokio::spawn(serving);
    say_ready(address)?;
    tracing::info!(%address, data = %arguments.data.data.display(), "serving");

    tokio::select! {
        served = &mut serving => {
            served.context("the server failed")?;
            bail!("the server ended by itself");
        }
        () = stopping => {}
    }
    tracing::info!("told to stop: finishing what has begun");
    stop.cancel();
    if tokio::time::timeout(PATIENCE, serving).await.is_err() {
        tracing::warn!("requests that took too long were cut off");
    }
    stop_workers.cancel();
    if tokio::time::timeout(PATIENCE, workers).await.is_err() {
        tracing::warn!("effects that took too long were left for the next start");
    }
    if let Some(commands) = commands {
        let _ = tokio::time::timeout(PATIENCE, commands).await;
    }
    Ok(())
}

/// The one line on standard output: programs that started the server wait for it.
fn say_ready(address: std::net::SocketAddr) -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "listening on http://{address}")?;
    output.flush()?;
    Ok(())
}

/// Ends once the first signal to stop comes. A second one ends the process where it stands: what was
/// acknowledged is durable.
fn told_to_stop() -> Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen to signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen to signals")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            std::process::exit(1);
        });
    })
}
