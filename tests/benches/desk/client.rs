//! A small load client of keep-alive connections, each creating a record and moving it, and so on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

/// One connection for each token; says how many operations were done, and the time of each.
pub(crate) fn drive(address: &str, tokens: &[String], load: Duration) -> (u64, Vec<Duration>) {
    let address = address.trim_start_matches("http://");
    let stop = AtomicBool::new(false);
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for token in tokens {
            let (all, stop) = (&all, &stop);
            scope.spawn(move || {
                let times = Connection::open(address, token).work(stop);
                all.lock().expect("no worker panics").extend(times);
            });
        }
        std::thread::sleep(load);
        stop.store(true, Ordering::Relaxed);
    });
    let times = all.into_inner().expect("no worker panics");
    (times.len() as u64, times)
}

struct Connection {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    head: String,
}

impl Connection {
    fn open(address: &str, token: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket option");
        let reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let head = format!(
            "host: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
        );
        Self {
            stream,
            reader,
            head,
        }
    }

    /// One create, then six moves, over and over; the time of each.
    fn work(&mut self, stop: &AtomicBool) -> Vec<Duration> {
        let mut times = Vec::new();
        let create = json!({ "workflow": "incident", "create": "report", "fields": { "summary": "The printer prints nothing", "description": "x".repeat(900) } });
        while !stop.load(Ordering::Relaxed) {
            let (status, body) = self.timed("POST", "/api/v1/records", &create, &mut times);
            assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
            let record: Json = serde_json::from_slice(&body).expect("JSON");
            let id = record["id"].as_str().expect("an id");
            for turn in 0..6 {
                let comment = json!({ "text": format!("turn {turn}"), "public": true });
                let (status, body) = self.timed(
                    "POST",
                    &format!("/api/v1/records/{id}/comments"),
                    &comment,
                    &mut times,
                );
                assert!(status < 300, "{status} {}", String::from_utf8_lossy(&body));
            }
        }
        times
    }

    fn timed(
        &mut self,
        method: &str,
        path: &str,
        body: &Json,
        times: &mut Vec<Duration>,
    ) -> (u16, Vec<u8>) {
        let begun = Instant::now();
        let answer = self.ask(method, path, body);
        times.push(begun.elapsed());
        answer
    }

    fn ask(&mut self, method: &str, path: &str, body: &Json) -> (u16, Vec<u8>) {
        let body = body.to_string();
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{}content-length: {}\r\n\r\n{body}",
            self.head,
            body.len()
        );
        self.stream
            .write_all(request.as_bytes())
            .expect("the server reads");
        let mut line = String::new();
        self.reader
            .read_line(&mut line)
            .expect("the server answers");
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .expect("a status line");
        let mut length = 0;
        loop {
            line.clear();
            self.reader.read_line(&mut line).expect("a header");
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).expect("a body");
        (status, bytes)
    }
}
