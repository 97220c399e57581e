//! Connections: how many there may be, how long one may take to say what it wants, and how they end
//! when the server does.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// How many connections there may be at once; more wait to be taken.
const MOST: u32 = 4_096;
/// How long the head of a request may take, and how long a connection may be idle before it.
const HEAD: Duration = Duration::from_mins(1);
/// An HTTP/2 connection that says nothing is asked whether it lives this often.
const PING: Duration = Duration::from_secs(30);
/// The wait after no connection could be taken, for want of memory or file handles.
const AFTER_FAULT: Duration = Duration::from_millis(500);

/// Answers requests with `router` until `stop`; then takes no more connections, and ends once those
/// that there are have finished what they were at.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(MOST as usize));
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING);
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = stop.cancelled() => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let one = one(builder.clone(), stream, router.clone(), stop.clone());
                tokio::spawn(async move {
                    one.await;
                    drop(place);
                });
            }
            // Whoever connected has gone again.
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                tokio::time::sleep(AFTER_FAULT).await;
            }
        }
    }
    drop(listener);
    // All places are free again once all connections have ended.
    let _ = places.acquire_many(MOST).await;
}

/// Serves one connection to its end.
async fn one(
    builder: Builder<TokioExecutor>,
    stream: TcpStream,
    router: Router,
    stop: CancellationToken,
) {
    // Answers are small: waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    // Whoever connects and says nothing gives the place back.
    let mut first = [0];
    let begins = tokio::time::timeout(HEAD, stream.peek(&mut first));
    let spoke = tokio::select! {
        begins = begins => matches!(begins, Ok(Ok(1))),
        () = stop.cancelled() => false,
    };
    if !spoke {
        return;
    }
    let service = TowerToHyperService::new(router);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(error, "a connection broke off");
    }
}

fn is_of_the_peer(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};

    matches!(
        error.kind(),
        ConnectionRefused | ConnectionAborted | ConnectionReset
    )
}
