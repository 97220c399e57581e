//! What the command line asks of a data folder, and how: it opens the folder where nobody else has,
//! and asks the server that has it open otherwise. The server listens on a socket in the folder that
//! only its owner may use: whoever may write the folder's files may do this too. What is asked and
//! how it is answered is the same both ways.

use std::collections::{BTreeMap, VecDeque};
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
use engine::port::{Brought, Commit, Store as _, StoreError, TokenRecord};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use model::Digest;
use model::command::{Actor, Who};
use model::id::RecordId;
use model::journal::Item;
use plugin_registry::Trust;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use crate::desk::{Desk, Running, plugin_options};
use crate::pack_files::PackFiles;

/// The socket, in the data folder.
const SOCKET: &str = "admin.sock";
/// The most bytes of what is asked, a pack with its components, and of the answer.
const MAX_BYTES: usize = 256 << 20;
/// The most changes of what is in force that are told at once.
const MAX_CHANGES: usize = 1_000;
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
    /// Explain a record.
    Explain {
        /// Its number.
        record: RecordId,
    },
    /// Hold every record against its journal.
    Verify,
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

    /// Whether it makes sense of a folder that holds nothing yet.
    const fn begins(&self) -> bool {
        matches!(
            self,
            Self::KeepToken { .. } | Self::InstallPack { .. } | Self::KeepComponent { .. }
        )
    }
}

/// Asks a data folder.
///
/// # Errors
/// Where it cannot be reached, or refuses.
pub(crate) async fn ask(folder: &Path, what: Ask) -> Result<Value> {
    ask_under(folder, what, &Trust::default()).await
}

/// Asks a data folder to take components, under this policy; a server that has the folder open goes by
/// its own.
///
/// # Errors
/// Where it cannot be reached, or refuses.
pub(crate) async fn ask_under(folder: &Path, what: Ask, trust: &Trust) -> Result<Value> {
    if !what.begins() && !folder.join("truth.redb").exists() {
        bail!(
            "there is no data in {}: name its folder with --data",
            folder.display()
        );
    }
    let begun = Instant::now();
    loop {
        match Desk::open(folder, plugin_options(folder, None), trust.clone()).await {
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
        Ask::RevokeToken { secret } => {
            if desk.store.token(&secret)?.is_none() {
                bail!("there is no such token");
            }
            let token = None;
            desk.store.commit(Commit::Token { secret, token }).await?;
            Ok(json!({}))
        }
        Ask::InstallPack {
            texts,
            components,
            signatures,
        } => {
            let decoded = |files: BTreeMap<String, String>| {
                let files = files.into_iter();
                files
                    .map(|(path, text)| Ok((path, BASE64.decode(text)?)))
                    .collect::<Result<_>>()
            };
            let files = PackFiles {
                texts,
                components: decoded(components)?,
                signatures: decoded(signatures)?,
            };
            let (report, warnings) = desk.running().await?.install(&files).await?;
            Ok(json!({ "installed": report, "warnings": warnings }))
        }
        Ask::KeepComponent {
            component,
            signatures,
        } => {
            let signatures = signatures.into_iter().map(|it| BASE64.decode(it));
            let brought = Brought {
                component: BASE64.decode(component)?,
                signatures: signatures.collect::<Result<_, _>>()?,
            };
            let (inspection, provenance) = desk.running().await?.keep(brought).await?;
            let mut kept = serde_json::to_value(inspection)?;
            kept["provenance"] = json!(provenance);
            kept["vouched"] = json!(provenance.to_string());
            Ok(kept)
        }
        Ask::History => {
            let store = desk.store.clone();
            tokio::task::spawn_blocking(move || history(&store)).await?
        }
        Ask::Bindings => Ok(bindings(desk.running().await?)),
        Ask::Explain { record } => {
            let engine = desk.running().await?.engine.clone();
            let actor = Actor {
                who: Who::Operator,
                ..Actor::timer()
            };
            let explained =
                tokio::task::spawn_blocking(move || engine.explain(&actor, &record)).await??;
            Ok(serde_json::to_value(explained)?)
        }
        Ask::Verify => {
            let store = desk.store.clone();
            tokio::task::spawn_blocking(move || verify(&store)).await?
        }
    }
}

/// The bindings in force, and what each hook has done since it was set up.
fn bindings(running: &Running) -> Value {
    let definitions = running.engine.definitions();
    let figures = running.plugins.figures();
    let bindings = definitions.bindings.values().map(|binding| {
        let own = figures.iter().filter(|hook| hook.binding == binding.id);
        let hooks: Vec<_> = own
            .map(|hook| {
                json!({
                    "hook": hook.hook.as_str(), "calls": hook.calls, "failures": hook.failures,
                    "mean_us": hook.micros.checked_div(hook.calls), "breaker": hook.breaker.as_str(),
                })
            })
            .collect();
        json!({
            "id": binding.id, "title": binding.plugin.title, "pack": binding.installed.pack,
            "component": binding.installed.component, "hooks": hooks,
            "provenance": binding.installed.provenance,
            "vouched": binding.installed.provenance.as_ref().map(ToString::to_string),
        })
    });
    json!({ "bindings": bindings.collect::<Vec<_>>() })
}

/// Every change of what is in force, from the journal, oldest first; of more than can be told, the last.
fn history(store: &store::RedbStore) -> Result<Value> {
    let mut changes = VecDeque::new();
    let mut after = 0;
    loop {
        let items = store.journal(after, 1_000)?;
        let Some((last, _)) = items.last() else { break };
        after = *last;
        for (position, item) in items {
            let Item::Configuration {
                at,
                actor,
                active,
                what,
                bindings,
            } = item
            else {
                continue;
            };
            if changes.len() == MAX_CHANGES {
                changes.pop_front();
            }
            changes.push_back(json!({
                "position": position, "at": at, "actor": actor, "what": what,
                "configuration": active, "bindings": bindings,
            }));
        }
    }
    Ok(json!({ "changes": changes }))
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

async fn answer(State(desk): State<Arc<Desk>>, Json(what): Json<Ask>) -> (StatusCode, Json<Value>) {
    // Whoever asked may go away; what was begun is finished.
    let done = tokio::spawn(async move { carry_out(&desk, what).await }).await;
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
