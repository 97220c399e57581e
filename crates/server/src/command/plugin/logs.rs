//! `wright plugin logs`: what a binding logged last, and what it logs from then on.

use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::Result;
use model::id::BindingId;
use serde_json::Value;

use crate::admin::{self, Ask};
use crate::cli::{DataArgument, Format};
use crate::command::{block_on, list, text};

/// How often the server is asked for more.
const EVERY: Duration = Duration::from_millis(500);

pub(super) fn run(
    binding: &BindingId,
    follow: bool,
    data: &DataArgument,
    format: Format,
) -> Result<()> {
    block_on(async {
        let mut after = 0;
        loop {
            let binding = binding.clone();
            let answer = admin::ask(&data.data, Ask::PluginLines { binding, after }).await?;
            let lines = list(&answer, "lines");
            print(lines, format)?;
            let last = lines.last().and_then(|line| line["number"].as_u64());
            after = last.unwrap_or(after);
            if !follow {
                return Ok(());
            }
            tokio::time::sleep(EVERY).await;
        }
    })
}

/// Prints lines: as JSON Lines, or for people.
fn print(lines: &[Value], format: Format) -> io::Result<()> {
    let mut output = io::stdout().lock();
    for line in lines {
        match format {
            Format::Json => writeln!(output, "{line}")?,
            Format::Text | Format::Graph | Format::Svg => {
                let part = |name| text(line, name);
                let (at, level, hook) = (part("at"), part("level"), part("hook"));
                writeln!(output, "{at} {level:5} {hook}: {}", part("message"))?;
            }
        }
    }
    output.flush()
}
