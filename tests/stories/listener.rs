//! A real HTTP listener, as an outside system would be: it takes what is sent and remembers it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use tokio::net::TcpListener;

/// How long something that must come may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// What was sent, by path, and how to answer what comes next: well, where nothing else is said.
#[derive(Default)]
struct Heard {
    requests: BTreeMap<String, Vec<(HeaderMap, Bytes)>>,
    answers: VecDeque<StatusCode>,
}

/// Listens on this machine as long as the story is told.
pub(crate) struct Listener {
    /// Its origin, such as `http://127.0.0.1:41234`.
    pub(crate) origin: String,
    heard: Arc<Mutex<Heard>>,
}

impl Listener {
    /// Starts to listen.
    pub(crate) async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("a bound address");
        let heard = Arc::<Mutex<Heard>>::default();
        let router = Router::new().fallback(keep).with_state(Arc::clone(&heard));
        tokio::spawn(async move { axum::serve(socket, router).await });
        Self {
            origin: format!("http://{address}"),
            heard,
        }
    }

    /// All that was sent to a path.
    pub(crate) fn heard(&self, path: &str) -> Vec<Bytes> {
        let requests = self.requests(path).into_iter();
        requests.map(|(_, body)| body).collect()
    }

    /// All that was sent to a path, with the headers.
    pub(crate) fn requests(&self, path: &str) -> Vec<(HeaderMap, Bytes)> {
        let heard = locked(&self.heard);
        heard.requests.get(path).cloned().unwrap_or_default()
    }

    /// Answers the next requests like this.
    pub(crate) fn answer(&self, answers: &[StatusCode]) {
        locked(&self.heard).answers.extend(answers);
    }

    /// Waits until what was sent to a path is enough.
    pub(crate) async fn wait_for(
        &self,
        path: &str,
        enough: impl Fn(&[Bytes]) -> bool,
    ) -> Vec<Bytes> {
        let begun = Instant::now();
        loop {
            let heard = self.heard(path);
            if enough(&heard) {
                return heard;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{path} has heard {} times only",
                heard.len()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn keep(
    State(heard): State<Arc<Mutex<Heard>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mut heard = locked(&heard);
    let requests = heard.requests.entry(uri.path().to_owned()).or_default();
    requests.push((headers, body));
    heard.answers.pop_front().unwrap_or(StatusCode::OK)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
