//! Everything that this process logs, looked at for what must not be in it.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

use tracing_subscriber::filter::LevelFilter;

use crate::support::SECRET;

/// The first lines that had a secret in them.
static GUILTY: Mutex<Vec<String>> = Mutex::new(Vec::new());
static LISTENING: Once = Once::new();

/// Takes a line at a time.
struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        if text.contains(SECRET) {
            let mut guilty = GUILTY.lock().unwrap_or_else(PoisonError::into_inner);
            if guilty.len() < 10 {
                guilty.push(text.chars().take(400).collect());
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Looks at whatever is logged from now on, by all tests of this process.
pub(crate) fn listen() {
    LISTENING.call_once(|| {
        tracing_subscriber::fmt()
            // What is below that are a compiler's thoughts.
            .with_max_level(LevelFilter::DEBUG)
            .with_ansi(false)
            .with_writer(|| Log)
            .init();
    });
}

/// Fails where a secret was logged.
pub(crate) fn no_secret() {
    let guilty = GUILTY.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(guilty.is_empty(), "a secret was logged: {guilty:#?}");
}
