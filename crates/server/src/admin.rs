//! What the command line asks of a data folder, and how: it opens the folder where nobody else has,
//! and asks the server that has it open otherwise. The server listens on a socket in the folder that
//! only its owner may use: whoever may write the folder's files may do this too. What is asked and
//! how it is answered is the same both ways.

mod bindings;
mod clocks;
mod history;
mod on_call;
mod replay;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use engine::Deploy;
use engine::port::{Brought, Commit, Store as _, StoreError, TokenRecord};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use model::Digest;
use model::command::{Actor, Who};
use model::id::{BindingId, PackId, RecordId, SecretId};
use plugin_registry::Trust;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, Running, plugin_options};
use crate::pack_files::PackFiles;
use crate::secrets::Key;

/// The socket, in the data folder.
const SOCKET: &str = "admin.sock";
/// The most bytes of what is asked, a pack with its components, and of the answer.
const MAX_BYTES: usize = 256 << 20;
/// How long a server that has the folder open may take until it listens.
const PATIENCE: Duration = Duration::from_secs(10);

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ask {
    /// Keep a token; its secret stays with whoever asks.
    KeepToken {
        /// The digest of the secret.
        secret: Digest,
        /// What it stands for.
        token: TokenRecord,
    },
    /// Revoke the token whose secret has this digest.
    RevokeToken {
        /// The digest of the secret.
        secret: Digest,
    },
    /// Put a pack in force.
    InstallPack {
        /// Its texts by path.
        texts: BTreeMap<String, String>,
        /// Its components by path, in base64.
        components: BTreeMap<String, String>,
        /// The signatures beside them by path, in base64.
        #[serde(default)]
        signatures: BTreeMap<String, String>,
    },
    /// Put the version of a pack in force again that was in force before.
    RollbackPack {
        /// The pack.
        pack: PackId,
    },
    /// Keep a component, so that bindings can name it by digest.
    KeepComponent {
        /// The component, in base64.
        component: String,
        /// The signatures that came with it, in base64.
        #[serde(default)]
        signatures: Vec<String>,
    },
    /// Tell of every change of what is in force.
    History,
    /// List the bindings in force.
    Bindings,
    /// Change how a binding is deployed.
    Deploy {
        /// Which.
        binding: BindingId,
        /// How.
        change: Deploy,
        /// Why, in the operator's words.
        why: Option<String>,
    },
    /// The lines that a binding logged last.
    PluginLines {
        /// Which.
        binding: BindingId,
        /// Those after the line of this number.
        after: u64,
    },
    /// Keep a secret of a binding.
    SetSecret {
        /// The binding.
        binding: BindingId,
        /// The name.
        secret: SecretId,
        /// The value, in base64.
        value: Hidden,
    },
    /// Take a secret out.
    RemoveSecret {
        /// The binding.
        binding: BindingId,
        /// The name.
        secret: SecretId,
    },
    /// List the secrets, without what they are.
    Secrets,
    /// Seal all secrets under another key.
    Rekey {
        /// The key, in base64.
        key: Hidden,
    },
    /// Draw another key for links: all that were given out are good no more.
    RenewLinkKey,
    /// Move a batch of the records in flight of a workflow to the version in force.
    Migrate(engine::Migration),
    /// Explain a record.
    Explain {
        /// Its number.
        record: RecordId,
    },
    /// Judge the clocks of records again.
    Clocks {
        /// One record; a part of all of them without it.
        record: Option<RecordId>,
        /// Which part.
        query: engine::ClocksQuery,
    },
    /// Tell who is on call.
    OnCall {
        /// At which instant; now without it.
        at: Option<model::Instant>,
        /// By which rotas.
        query: engine::OnCallQuery,
    },
    /// Hold every record against its journal.
    Verify,
    /// Ask again what plugins decided.
    Replay {
        /// Only what this binding decided.
        binding: Option<BindingId>,
        /// A component in the place of those that decided, in base64.
        component: Option<String>,
        /// Only what was decided from then on.
        since: Option<model::Instant>,
    },
}

/// A text that is not shown where what is asked is.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(pub(crate) String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Ask {
    /// Install these files.
    pub(crate) fn install(files: PackFiles) -> Self {
        let encoded = |files: BTreeMap<String, Vec<u8>>| {
            let files = files.into_iter();
            files
                .map(|(path, bytes)| (path, BASE64.encode(bytes)))
                .collect()
        };
        Self::InstallPack {
            texts: files.texts,
            components: encoded(files.components),
            signatures: encoded(files.signatures),
        }
    }

    /// Keep this component, which came with these signatures.
    pub(crate) fn keep_component(brought: &Brought) -> Self {
        Self::KeepComponent {
            component: BASE64.encode(&brought.component),
            signatures: brought
                .signatures
                .iter()
                .map(|it| BASE64.encode(it))
                .collect(),
        }
    }

    /// Whether it may be given up half way, where whoever asked has gone.
    const fn only_reads(&self) -> bool {
        matches!(self, Self::Replay { .. })
    }

    /// Whether it makes sense of a folder that holds nothing yet.
    const fn begins(&self) -> bool {
        matches!(
            self,
            Self::KeepToken { .. }
                | Self::InstallPack { .. }
                | Self::KeepComponent { .. }
                | Self::SetSecret { .. }
        )
    }
}

/// Asks a data folder.
///
/// # Errors
/// Where it cannot be reached, or refuses.
pub(crate) async fn ask(folder: &Path, what: Ask) -> Result<Value> {
    ask_with(folder, what, None, &Trust::default()).await
}

/// Asks a data folder, whose secrets open under `key` where no server has it open, and which takes
/// components under the policy `trust` then; a server that has it open goes by its own.
///
/// # Errors
/// Where it cannot be reached, or refuses.
pub(crate) async fn ask_with(
    folder: &Path,
    what: Ask,
    key: Option<Key>,
    trust: &Trust,
) -> Result<Value> {
    if !what.begins() && !folder.join("truth.redb").exists() {
        bail!(
            "there is no data in {}: name its folder with --data",
            folder.display()
        );
    }
    let begun = Instant::now();
    loop {
        let options = plugin_options(folder, None);
        match Desk::open(folder, options, key.clone(), trust.clone()).await {
            Ok(desk) => {
                let answer = carry_out(&desk, what).await;
                desk.close().await;
                return answer;
            }
            Err(StoreError::InUse) => {}
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot open the data in {}", folder.display()));
            }
        }
        match UnixStream::connect(folder.join(SOCKET)).await {
            Ok(stream) => return ask_server(stream, &what).await,
            Err(error) if begun.elapsed() > PATIENCE => {
                return Err(error).with_context(|| {
                    let shown = folder.display();
                    format!(
                        "{shown} is in use by another process, which does not listen to commands"
                    )
                });
            }
            // It has just started, or is ending.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn ask_server(stream: UnixStream, what: &Ask) -> Result<Value> {
    let body = serde_json::to_vec(what)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // Where the connection breaks, the request fails and says so.
        let _ = connection.await;
    });
    let request = hyper::Request::post("/")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let response = sender
        .send_request(request)
        .await
        .context("the server that has the folder open gave no answer")?;
    let is_done = response.status().is_success();
    let body = Limited::new(response.into_body(), MAX_BYTES)
        .collect()
        .await;
    let body = body.map_err(|error| anyhow!("the server's answer broke off: {error}"))?;
    let answer: Value = serde_json::from_slice(&body.to_bytes())
        .context("the server that has the folder open is of another version")?;
    match answer.get("refused").and_then(Value::as_str) {
        Some(refused) => bail!("{refused}"),
        None if is_done => Ok(answer),
        None => bail!("the server that has the folder open is of another version"),
    }
}

/// Does what is asked.
async fn carry_out(desk: &Desk, what: Ask) -> Result<Value> {
    match what {
        Ask::KeepToken { secret, token } => {
            let token = Some(token);
            desk.store.commit(Commit::Token { secret, token }).await?;
            Ok(json!({}))
        }
        Ask::RevokeToken { secret } => revoke(desk, secret).await,
        Ask::InstallPack {
            texts,
            components,
            signatures,
        } => {
            let files = PackFiles {
                texts,
                components: all_decoded(components)?,
                signatures: all_decoded(signatures)?,
            };
            let (report, warnings) = desk.running().await?.install(&files).await?;
            Ok(json!({ "installed": report, "warnings": warnings }))
        }
        Ask::RollbackPack { pack } => {
            let report = desk.running().await?.rollback(pack).await?;
            Ok(serde_json::to_value(report)?)
        }
        Ask::KeepComponent {
            component,
            signatures,
        } => {
            let brought = decoded(&component, &signatures)?;
            keep(desk.running().await?, brought).await
        }
        Ask::History => {
            let store = desk.store.clone();
            tokio::task::spawn_blocking(move || history::told(&store)).await?
        }
        Ask::Bindings => Ok(bindings::told(desk.running().await?)),
        Ask::Deploy {
            binding,
            change,
            why,
        } => {
            let running = desk.running().await?;
            let deployed = running.deploy(&binding, change, why.as_deref()).await?;
            Ok(serde_json::to_value(deployed)?)
        }
        Ask::PluginLines { binding, after } => {
            bindings::lines(&desk.running().await?.plugins, &binding, after)
        }
        Ask::SetSecret {
            binding,
            secret,
            value,
        } => {
            let value = BASE64.decode(value.0)?;
            desk.vault.set(binding, secret, &value).await?;
            Ok(json!({}))
        }
        Ask::RemoveSecret { binding, secret } => {
            desk.vault.remove(binding, secret).await?;
            Ok(json!({}))
        }
        Ask::Secrets => desk.vault.told(),
        Ask::Rekey { key } => {
            let key = Key::parse(&key.0)?;
            let name = key.name();
            let count = desk.vault.rekey(key).await?;
            Ok(json!({ "secrets": count, "key": name }))
        }
        Ask::RenewLinkKey => {
            desk.vault.renew_link_key().await?;
            Ok(json!({}))
        }
        Ask::Migrate(what) => {
            let batch = desk.running().await?.engine.migrate(&what).await?;
            Ok(serde_json::to_value(batch)?)
        }
        Ask::Explain { record } => explain(desk.running().await?, record).await,
        Ask::Clocks { record, query } => clocks::told(desk.running().await?, record, query).await,
        Ask::OnCall { at, query } => on_call::told(desk.running().await?, at, query).await,
        Ask::Replay {
            binding,
            component,
            since,
        } => {
            let component = component.map(|it| BASE64.decode(it)).transpose()?;
            replay::told(desk, binding, component, since).await
        }
        Ask::Verify => {
            let store = desk.store.clone();
            tokio::task::spawn_blocking(move || verify(&store)).await?
        }
    }
}

/// Takes a token back.
async fn revoke(desk: &Desk, secret: Digest) -> Result<Value> {
    if desk.store.token(&secret)?.is_none() {
        bail!("there is no such token");
    }
    let token = None;
    desk.store.commit(Commit::Token { secret, token }).await?;
    Ok(json!({}))
}

fn all_decoded(files: BTreeMap<String, String>) -> Result<BTreeMap<String, Vec<u8>>> {
    let files = files.into_iter();
    files
        .map(|(path, text)| Ok((path, BASE64.decode(text)?)))
        .collect()
}

fn decoded(component: &str, signatures: &[String]) -> Result<Brought> {
    let signatures = signatures.iter().map(|it| BASE64.decode(it));
    Ok(Brought {
        component: BASE64.decode(component)?,
        signatures: signatures.collect::<Result<_, _>>()?,
    })
}

/// Tells why a record is where it is.
async fn explain(running: &Running, record: RecordId) -> Result<Value> {
    let engine = running.engine.clone();
    let actor = Actor {
        who: Who::Operator,
        ..Actor::timer()
    };
    let explained = tokio::task::spawn_blocking(move || engine.explain(&actor, &record)).await??;
    Ok(serde_json::to_value(explained)?)
}

/// Keeps a component, and tells who vouches for it.
async fn keep(running: &Running, brought: Brought) -> Result<Value> {
    let (inspection, provenance) = running.keep(brought).await?;
    let mut kept = serde_json::to_value(inspection)?;
    kept["provenance"] = json!(provenance);
    kept["vouched"] = json!(provenance.to_string());
    Ok(kept)
}

fn verify(store: &store::RedbStore) -> Result<Value> {
    let report = store.verify(&|record, id, entry, encoded| {
        engine::fold(record, id, entry, encoded).map_err(|error| engine::chain(&error))
    })?;
    let problems = report
        .problems
        .iter()
        .map(|problem| json!({ "record": problem.record, "what": problem.what }));
    Ok(json!({
        "records": report.records, "entries": report.entries, "position": report.position,
        "problems": problems.collect::<Vec<_>>(), "problem_count": report.problem_count,
    }))
}

/// Listens to the command line on the socket in the folder until `stop`.
///
/// # Errors
/// Where there cannot be a socket, such as in a folder with too long a path.
pub(crate) fn listen(
    folder: &Path,
    desk: Arc<Desk>,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + Send + use<>> {
    let path = folder.join(SOCKET);
    let listener = private_socket(folder, &path)
        .with_context(|| format!("cannot listen on {}", path.display()))?;
    let router = Router::new()
        .route("/", post(answer))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
        .with_state(desk);
    Ok(async move {
        let stopped = stop.cancelled_owned();
        let served = axum::serve(listener, router).with_graceful_shutdown(stopped);
        if let Err(error) = served.await {
            tracing::error!(%error, "the command line is not listened to any more");
        }
        // Another server may have put its own there only once this one let the folder go.
        let _ = std::fs::remove_file(&path);
    })
}

/// A socket that nobody else could have connected to, not even before its mode was set: it is made
/// in a folder of ours and then moved.
fn private_socket(folder: &Path, path: &Path) -> std::io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt as _;

    let private = tempfile::Builder::new().prefix(".s").tempdir_in(folder)?;
    let made: PathBuf = private.path().join("s");
    let listener = UnixListener::bind(&made)?;
    std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&made, path)?;
    Ok(listener)
}

/// Ends a task when nobody waits for it any more.
struct GivenUp(AbortHandle);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn answer(State(desk): State<Arc<Desk>>, Json(what): Json<Ask>) -> (StatusCode, Json<Value>) {
    // Whoever asked may go away; what was begun is finished, unless it changes nothing.
    let ends_with_asker = what.only_reads();
    let doing = tokio::spawn(async move { carry_out(&desk, what).await });
    let _given_up = ends_with_asker.then(|| GivenUp(doing.abort_handle()));
    let done = doing.await;
    match done {
        Ok(Ok(answer)) => (StatusCode::OK, Json(answer)),
        Ok(Err(error)) => {
            let refused = json!({ "refused": format!("{error:#}") });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(refused))
        }
        Err(_) => {
            let refused = json!({ "refused": "the server failed at it; its log says more" });
            (StatusCode::INTERNAL_SERVER_ERROR, Json(refused))
        }
    }
}
