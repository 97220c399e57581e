//! Acknowledged operations over HTTP against the real binary.

use std::time::{Duration, Instant};

use test_support::Server;

use crate::Plan;
use crate::client::drive;
use crate::figures::{at, rate, resident_of};

/// How many people are at work at once.
const CONNECTIONS: [usize; 3] = [1, 16, 64];

pub(crate) fn run(plan: &Plan, sync: Duration) {
    let begun = Instant::now();
    let mut server = Server::start();
    println!(
        "start: ready on a new folder after {:?}, plugins compiled anew",
        begun.elapsed()
    );
    let most = CONNECTIONS[CONNECTIONS.len() - 1];
    let tokens: Vec<_> = (0..most)
        .map(|number| server.token(&format!("agent-{number}"), "agent"))
        .collect();
    println!(
        "memory: resident {} MiB idle (target 80)",
        resident_of(&server.process_id().to_string())
    );
    for connections in CONNECTIONS {
        let (done, mut times) = drive(&server.address(), &tokens[..connections], plan.load);
        let (p50, p99) = (at(&mut times, 50), at(&mut times, 99));
        println!(
            "http: {connections} connections: {:.0} acknowledged operations/s, p50 {p50:?}, p99 {p99:?} (p50 is {:.1} fdatasyncs)",
            rate(done, plan.load),
            p50.as_secs_f64() / sync.as_secs_f64()
        );
    }
    println!(
        "memory: resident {} MiB after the load (target 400)",
        resident_of(&server.process_id().to_string())
    );
    assert!(server.stop().success(), "the server stops in order");
    let begun = Instant::now();
    server.restart();
    println!(
        "start: ready again after {:?} (target 300 ms)",
        begun.elapsed()
    );
    assert!(server.stop().success(), "the server stops in order");
}
