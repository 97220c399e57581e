//! What a binding logged last, kept in memory for whoever asks, within bounds.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use model::hook::Hook;

/// How many lines are kept of a binding.
const MOST_LINES: usize = 256;
/// How many bytes they may have together.
const MOST_BYTES: usize = 64 << 10;

/// A line that a binding logged, or that the server logged about one of its calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its number: lines are counted from 1 since the server started.
    pub number: u64,
    /// When.
    pub at: SystemTime,
    /// `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// The hook that was called.
    pub hook: Hook,
    /// What it says, in one line.
    pub message: String,
}

/// The last lines of a binding.
#[derive(Debug, Default)]
pub(crate) struct Lines(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<LogLine>,
    bytes: usize,
    last: u64,
}

impl Lines {
    /// Keeps a line; the oldest go where there is no room.
    pub(crate) fn add(&self, level: &'static str, hook: Hook, message: &str) {
        let mut kept = self.lock();
        kept.last += 1;
        let line = LogLine {
            number: kept.last,
            at: SystemTime::now(),
            level,
            hook,
            message: message.to_owned(),
        };
        kept.bytes += line.message.len();
        kept.lines.push_back(line);
        while kept.lines.len() > MOST_LINES || kept.bytes > MOST_BYTES {
            let Some(oldest) = kept.lines.pop_front() else {
                break;
            };
            kept.bytes -= oldest.message.len();
        }
    }

    /// The lines after one of this number, oldest first.
    pub(crate) fn after(&self, number: u64) -> Vec<LogLine> {
        let kept = self.lock();
        let later = kept.lines.iter().filter(|line| line.number > number);
        later.cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, MOST_BYTES, MOST_LINES};
    use model::hook::Hook;

    #[test]
    fn the_last_lines_are_kept_within_bounds() {
        let lines = Lines::default();
        (0..MOST_LINES * 2).for_each(|_| lines.add("info", Hook::Routing, "once more"));
        let kept = lines.after(0);
        assert_eq!(kept.len(), MOST_LINES);
        assert_eq!(kept[0].number, MOST_LINES as u64 + 1);
        assert_eq!(lines.after(kept[254].number).len(), 1);

        let long = "x".repeat(MOST_BYTES / 2);
        (0..3).for_each(|_| lines.add("warn", Hook::Routing, &long));
        assert_eq!(lines.after(0).len(), 2);
    }
}
