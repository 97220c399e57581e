//! What a plugin may do, as far as it is granted: each of these tells what it found.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use servicewright_sdk::http::Request;
use servicewright_sdk::{Error, Fields, Instant, Result};
use servicewright_sdk::{directory, key_value, signing};

use crate::Task;

/// How often this instance was called: never more than once.
static CALLS: AtomicU32 = AtomicU32::new(0);

pub(crate) fn run(task: &Task, workflow: &str) -> Result<String> {
    Ok(match task.what.as_str() {
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
        "nap" => {
            std::thread::sleep(Duration::from_millis(1));
            "rested".to_owned()
        }
        "request" => {
            let response = Request::post(task.url.clone(), "hello")
                .header("authorization", task.header.clone())
                .send()?;
            let body = String::from_utf8_lossy(&response.body).into_owned();
            let names = response.headers.iter().map(|(name, _)| name.as_str());
            let names: Vec<&str> = names.collect();
            format!("{} {body} {}", response.status, names.join(" "))
        }
        // Some milliseconds of work, all of it in vain.
        "busy" => {
            let work = (0..5_000_000_u64).fold(1_u64, |sum, next| {
                std::hint::black_box(sum.wrapping_mul(31).wrapping_add(next))
            });
            format!("busy: {work}")
        }
        "key-value" => {
            key_value::update("calls", |value| {
                let calls = value.map_or(0, |value| value.len()) + 1;
                Ok(Some(vec![b'x'; calls]))
            })?;
            format!("{:?}", key_value::get("calls")?)
        }
        "keys" => format!("{:?}", key_value::keys("", None)?),
        "sign" => signing::to_hex(&signing::hmac_sha256(
            "key",
            b"what do ya want for nothing?",
        )?),
        "verify" => signing::verify_hmac_sha256("key", b"hello", &[0; 32])?.to_string(),
        "compare" => format!(
            "{} {} {}",
            signing::is_secret("key", b"Jefe")?,
            signing::is_secret("key", b"Jef")?,
            signing::is_secret("key", b"")?
        ),
        "compare-other" => signing::is_secret("token", b"hunter2")?.to_string(),
        "members" => directory::members("desk")?.len().to_string(),
        "teams" => directory::teams()?.join(" "),
        "users" => format!("{:?}", directory::user("ann")?.map(|user| user.name)),
        "organisation" => directory::find("organisation", "mill")?
            .is_some()
            .to_string(),
        "linked" => directory::linked("INC-1", "caused-by")?.len().to_string(),
        "alike" => {
            let found = directory::alike(workflow, Fields::new(), Instant::from_millis(0))?;
            found.len().to_string()
        }
        "referenced" => directory::referenced("their-1")?.is_some().to_string(),
        "refuse" => return Err(Error::invalid_input("there is nothing to go by")),
        "later" => return Err(Error::unavailable("the other side is asleep")),
        _ => format!("record of {workflow}"),
    })
}
