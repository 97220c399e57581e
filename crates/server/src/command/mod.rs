//! The commands: what each asks for, and how its result is printed.

mod calendar;
mod clocks;
mod draw;
mod explain;
mod fmt;
mod history;
mod holidays;
mod install;
mod migrate;
mod new_pack;
mod on_call;
mod pack;
mod pack_test;
mod people;
mod plugin;
mod rules;
mod secret;
mod simulate;
mod token;
mod upgrade;
mod verify;

use std::future::Future;
use std::io::{self, Write as _};

use anyhow::{Context as _, Result, bail};
use clap::CommandFactory as _;
use serde::Serialize;
use serde_json::Value;

use crate::cli::{CalendarCommand, Cli, Command, Format, PackCommand};
use crate::telemetry::Telemetry;
use crate::{replay, serve};

/// How a command ended that could be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As it was meant to.
    Done,
    /// Something was found wanting.
    Wanting,
}

impl Outcome {
    const fn done_if(done: bool) -> Self {
        if done { Self::Done } else { Self::Wanting }
    }
}

/// Runs a command.
///
/// # Errors
/// Where it cannot be carried out, or is refused.
pub(crate) fn run(cli: Cli) -> Result<Outcome> {
    let (usual, endpoint) = match &cli.command {
        Command::Serve(serve) => ("info", serve.otlp_endpoint.as_deref()),
        _ => ("warn", None),
    };
    // Questions about calendars and shells need none of it.
    let telemetry = match &cli.command {
        Command::Calendar(_) | Command::CompilePlugin | Command::Completions { .. } => {
            Telemetry::default()
        }
        Command::Serve(_) => Telemetry::start(cli.log.as_deref(), usual, endpoint)?,
        _ => Telemetry::lines(cli.log.as_deref(), usual)?,
    };
    let outcome = carry_out(cli.command, cli.format, &telemetry);
    telemetry.end();
    outcome
}

fn carry_out(command: Command, format: Format, telemetry: &Telemetry) -> Result<Outcome> {
    let shows = matches!(command, Command::Pack(PackCommand::Show { .. }));
    if matches!(format, Format::Graph | Format::Svg) && !shows {
        bail!("only `wright pack show` draws; use --format text or json");
    }
    match command {
        Command::Serve(arguments) => {
            block_on(serve::serve(&arguments, telemetry))?;
            Ok(Outcome::Done)
        }
        Command::Pack(PackCommand::Lint { pack, directory }) => {
            pack::lint(&pack, directory.as_deref(), format)
        }
        Command::Pack(PackCommand::Show { id, pack, explain }) => match format {
            Format::Graph | Format::Svg => draw::run(&id, &pack, format),
            Format::Text | Format::Json => pack::show(&id, &pack, explain, format),
        },
        Command::Pack(PackCommand::Rules { rule }) => rules::run(rule.as_deref(), format),
        Command::Pack(PackCommand::Fmt { folder, check }) => fmt::run(&folder, check, format),
        Command::Pack(PackCommand::New { name, extends }) => {
            new_pack::run(&name, extends.as_deref(), format)
        }
        Command::Pack(PackCommand::Upgrade(arguments)) => upgrade::run(&arguments, format),
        Command::Pack(PackCommand::Diff { old, new }) => upgrade::diff(&old, &new, format),
        Command::Pack(PackCommand::Install { pack, data, trust }) => {
            install::run(&pack, &data, &trust, format)
        }
        Command::Pack(PackCommand::Migrate(arguments)) => migrate::run(arguments, format),
        Command::Pack(PackCommand::Test(arguments)) => pack_test::run(&arguments, format),
        Command::Pack(PackCommand::Rollback { pack, data, trust }) => {
            install::rollback(pack, &data, &trust, format)
        }
        Command::Pack(PackCommand::History(data)) => history::run(&data, format),
        Command::Plugin(command) => plugin::run(command, format),
        Command::Secret(command) => secret::run(command, format),
        Command::Token(command) => token::run(command, format),
        Command::CompilePlugin => {
            plugin_host::compile(io::stdin().lock(), io::stdout().lock())?;
            Ok(Outcome::Done)
        }
        Command::Calendar(CalendarCommand::Eval) => {
            let all_answered = calendar::eval(io::stdin().lock(), io::stdout().lock())?;
            Ok(Outcome::done_if(all_answered))
        }
        Command::Calendar(CalendarCommand::Import(arguments)) => holidays::run(&arguments, format),
        Command::Replay(arguments) => {
            let replayed = block_on(async { Ok(replay::replay(&arguments).await?) })?;
            eprintln!("{}", replayed.told());
            for refusal in &replayed.refusals {
                eprintln!("  {refusal}");
            }
            Ok(Outcome::done_if(replayed.refused == 0))
        }
        Command::Simulate(arguments) => simulate::run(&arguments, format),
        Command::Explain(arguments) => explain::run(arguments, format),
        Command::Clocks(arguments) => clocks::run(arguments, format),
        Command::OnCall(arguments) => on_call::run(arguments, format),
        Command::Verify(data) => verify::run(&data, format),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "wright", &mut script);
            io::stdout().write_all(&script)?;
            Ok(Outcome::Done)
        }
    }
}

fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?
        .block_on(work)
}

/// Prints a result: as JSON, or in the words of `text`.
fn print(format: Format, result: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
    let mut printed = match format {
        Format::Json => serde_json::to_string_pretty(result)?,
        Format::Text | Format::Graph | Format::Svg => text(),
    };
    if !printed.is_empty() && !printed.ends_with('\n') {
        printed.push('\n');
    }
    let mut output = io::stdout().lock();
    output.write_all(printed.as_bytes())?;
    output.flush()?;
    Ok(())
}

/// A text within an answer; empty where there is none.
fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A list within an answer; empty where there is none.
fn list<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    let list = answer.get(name).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}
