//! A plugin that does what a plugin should not: its settings say what. The tests of the plugin host
//! hold each of these to its limits. Since it has a pure hook and an integration in one component,
//! it also shows that the one cannot reach what only the other may.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use servicewright_sdk::commands::Command;
use servicewright_sdk::http::Request;
use servicewright_sdk::routing::{Assignment, Routing};
use servicewright_sdk::schedule::Schedule;
use servicewright_sdk::{Call, Error, Fields, Record, Result, Value};
use servicewright_sdk::{directory, key_value, log, signing};

#[derive(Deserialize)]
struct Settings {
    #[serde(rename = "do")]
    what: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    header: String,
}

/// What it does, at either hook.
pub struct Hostile;

/// How often this instance was called: never more than once.
static CALLS: AtomicU32 = AtomicU32::new(0);

impl Routing for Hostile {
    fn route(call: &Call, record: &Record) -> Result<Assignment> {
        let settings: Settings = call.settings()?;
        let team = if settings.what == "wrong-team" {
            "no-such-team"
        } else {
            "desk"
        };
        Ok(Assignment {
            team: team.to_owned(),
            assignee: None,
            reason: misbehave(&settings, &record.workflow)?,
        })
    }
}

impl Schedule for Hostile {
    fn run(call: &Call) -> Result<Vec<Command>> {
        let settings: Settings = call.settings()?;
        match settings.what.as_str() {
            "not-a-number" => {
                let fields = Fields::new().with("cost", Value::Number(f64::NAN));
                Ok(vec![Command::create("incident", fields)])
            }
            "commands" => Ok((0..10_000)
                .map(|_| Command::create("incident", Fields::new()))
                .collect()),
            _ => {
                let reason = misbehave(&settings, "nothing")?;
                let fields = Fields::new().with("summary", reason);
                Ok(vec![Command::create("incident", fields)])
            }
        }
    }
}

/// Does what the settings say, and tells what came of it where it comes to an end.
fn misbehave(settings: &Settings, workflow: &str) -> Result<String> {
    Ok(match settings.what.as_str() {
        "loop" => loop {
            std::hint::black_box(());
        },
        "allocate" => {
            let mut kept: Vec<Vec<u8>> = Vec::new();
            loop {
                kept.push(vec![1; 1 << 20]);
                std::hint::black_box(&kept);
            }
        }
        "recurse" => recurse(1).to_string(),
        "trap" => {
            let nothing = std::hint::black_box(None::<&str>);
            nothing.expect("the impact is missing").to_owned()
        }
        "exit" => std::process::exit(3),
        "flood" => loop {
            log::info("once more");
        },
        "chatter" => {
            (0..1_000).for_each(|line| log::info(format!("line {line}")));
            "done".to_owned()
        }
        "host-calls" => loop {
            std::hint::black_box(directory::teams()?);
        },
        "clock-calls" => loop {
            std::hint::black_box(SystemTime::now());
        },
        "huge-answer" => "x".repeat(100_000),
        "enormous-answer" => "x".repeat(20 << 20),
        "sleep" => {
            std::thread::sleep(Duration::from_mins(1));
            "rested".to_owned()
        }
        "clock" => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
            now.as_millis().to_string()
        }
        "chance" => RandomState::new().build_hasher().finish().to_string(),
        "environment" => {
            let variables = std::env::vars().count() + std::env::args().count();
            let file = std::fs::read("/etc/passwd").is_ok();
            let socket = std::net::TcpStream::connect("127.0.0.1:1").is_ok();
            format!("{variables} variables, file {file}, socket {socket}")
        }
        "remember" => CALLS.fetch_add(1, Ordering::Relaxed).to_string(),
        "members" => directory::members("desk")?.len().to_string(),
        "users" => format!("{:?}", directory::user("ann")?.map(|user| user.name)),
        "request" => {
            let response = Request::post(settings.url.clone(), "hello")
                .header("authorization", settings.header.clone())
                .send()?;
            let body = String::from_utf8_lossy(&response.body).into_owned();
            format!("{} {body}", response.status)
        }
        "key-value" => {
            key_value::update("calls", |value| {
                let calls = value.map_or(0, |value| value.len()) + 1;
                Ok(Some(vec![b'x'; calls]))
            })?;
            format!("{:?}", key_value::get("calls")?)
        }
        "sign" => signing::to_hex(&signing::hmac_sha256(
            "key",
            b"what do ya want for nothing?",
        )?),
        "guess" => {
            // Asks on, whatever the answer: a guest that wants to find the secret out.
            let guesses = (0_u32..).map(|guess| guess.to_string());
            let mut right = 0;
            for guess in guesses.take(10_000) {
                right += u32::from(signing::is_secret("key", guess.as_bytes())?);
            }
            format!("{right} right")
        }
        "compare" => format!(
            "{} {} {}",
            signing::is_secret("key", b"Jefe")?,
            signing::is_secret("key", b"Jef")?,
            signing::is_secret("key", b"")?
        ),
        "compare-other" => signing::is_secret("token", b"hunter2")?.to_string(),
        "refuse" => return Err(Error::invalid_input("there is nothing to go by")),
        "later" => return Err(Error::unavailable("the other side is asleep")),
        _ => format!("record of {workflow}"),
    })
}

#[allow(
    unconditional_recursion,
    reason = "that is what this is for: the stack has to end it"
)]
fn recurse(depth: u64) -> u64 {
    std::hint::black_box(recurse(std::hint::black_box(depth + 1)) + depth)
}

servicewright_sdk::export_routing!(Hostile);
servicewright_sdk::export_schedule!(Hostile);
