//! Everything that this process logs, at every level, kept to look for what must not be in it.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

/// How much is kept, in bytes; what comes after has been looked at as it came.
const KEPT: usize = 64 << 20;

static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static LISTENING: Once = Once::new();

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(logged.len() < KEPT, "the log was flooded");
        logged.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps whatever is logged from now on, by all tests of this process.
pub(crate) fn listen() {
    LISTENING.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(|| Log)
            .init();
    });
}

/// Fails where something was logged that must not be.
pub(crate) fn nothing_of(secret: &str) {
    let logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    let text = String::from_utf8_lossy(&logged);
    assert!(!text.is_empty(), "nothing was logged at all");
    if let Some(at) = text.find(secret) {
        let from = text[..at].rfind('\n').unwrap_or(0);
        let line: String = text[from..].chars().take(400).collect();
        panic!("a secret was logged: {line}");
    }
}
