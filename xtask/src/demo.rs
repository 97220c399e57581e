//! `cargo xtask demo`: builds, starts a server on a new data folder, fills it with an example desk,
//! and prints what to try. With `--smoke` it tries that itself and ends.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::{Value as Json, json};

use crate::shell::{self, quoted, say};
use crate::{build, workspace};

/// Those who act in the demo, with their roles.
const ACTORS: [(&str, &str); 6] = [
    ("ada", "agent,administrator"),
    ("bram", "agent"),
    (
        "mona",
        "agent,change-manager,major-incident-manager,process-owner",
    ),
    ("carla", "approver"),
    ("dirk", "approver"),
    ("rita", ""),
];
/// The variables of the printed commands, with whose token each holds.
const VARIABLES: [(&str, &str); 4] = [
    ("TOKEN", "ada"),
    ("MONA", "mona"),
    ("CARLA", "carla"),
    ("DIRK", "dirk"),
];
/// The address where it is free.
const PORT: u16 = 8080;
/// How long the server may take until it is ready.
const PATIENCE: Duration = Duration::from_mins(1);

/// How to show it.
#[derive(Args)]
pub(crate) struct Options {
    /// Build optimised
    #[arg(long)]
    release: bool,
    /// Keep the data here; it must not exist yet. Without it, a new folder for temporary files
    #[arg(long)]
    data: Option<PathBuf>,
    /// Try the printed commands and end, as CI does
    #[arg(long)]
    smoke: bool,
}

/// Runs the demo until the server is stopped.
pub(crate) fn run(options: &Options) -> Result<()> {
    let wright = build::everything(options.release)?;
    let data = data_folder(options)?;
    say(format!("a new data folder: {}", data.display()));
    let mut server = Server::start(&wright, &data)?;
    server.wait_until_ready()?;
    let tokens = tokens(&wright, &data)?;
    load(&server.address, &tokens)?;

    let commands = worth_trying(&server.address);
    print_guide(&server.address, &data, &tokens, &commands);
    if options.smoke {
        return smoke(&server.address, &commands, &tokens);
    }
    let status = server.child.wait().context("cannot wait for the server")?;
    say(format!(
        "the server has ended ({status}); its data is in {}",
        data.display()
    ));
    Ok(())
}

fn data_folder(options: &Options) -> Result<PathBuf> {
    if let Some(folder) = &options.data {
        if folder.exists() {
            bail!(
                "{} exists already; the demo wants a new folder",
                folder.display()
            );
        }
        return Ok(folder.clone());
    }
    let folder = tempfile::Builder::new()
        .prefix("servicewright-demo-")
        .tempdir()
        .context("cannot make a data folder")?;
    Ok(folder.keep())
}

/// One token for each actor, which the running server is asked for.
fn tokens(wright: &Path, data: &Path) -> Result<BTreeMap<&'static str, String>> {
    say("making access tokens for the people of the example");
    let mut tokens = BTreeMap::new();
    for (actor, roles) in ACTORS {
        let mut command = Command::new(wright);
        command
            .args([
                "token", "create", "--actor", actor, "--roles", roles, "--data",
            ])
            .arg(data);
        eprintln!("     $ {}", shell::shown(&command));
        tokens.insert(actor, shell::output(&mut command)?);
    }
    Ok(tokens)
}

/// The running server; it ends with us.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(wright: &Path, data: &Path) -> Result<Self> {
        let port = free_port()?;
        let listen = format!("127.0.0.1:{port}");
        let mut command = Command::new(wright);
        command
            .args(["serve", "--listen", &listen, "--data"])
            .arg(data);
        say("starting the server");
        eprintln!("     $ {}", shell::shown(&command));
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", wright.display()))?;
        Ok(Self {
            child,
            address: format!("http://{listen}"),
        })
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        let url = format!("{}/health/ready", self.address);
        loop {
            if ureq::get(&url).call().is_ok() {
                return Ok(());
            }
            if let Some(status) = self
                .child
                .try_wait()
                .context("cannot look after the server")?
            {
                bail!("the server ended before it was ready ({status})");
            }
            if begun.elapsed() > PATIENCE {
                bail!("the server was not ready within {} s", PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The usual port, or another where that is taken.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", PORT))
        .or_else(|_| TcpListener::bind(("127.0.0.1", 0)))
        .context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

/// Puts the example directory and records in over HTTP, as any client would.
fn load(address: &str, tokens: &BTreeMap<&str, String>) -> Result<()> {
    let examples = workspace::root().join("examples");
    say("loading the example directory and records over HTTP");
    for kind in ["organisation", "contract", "user", "service", "team"] {
        let things = read_json(&examples.join("directory").join(kind).with_extension("json"))?;
        for (id, thing) in things
            .as_object()
            .with_context(|| format!("the example {kind}s are not a map"))?
        {
            let url = format!("{address}/api/v1/directory/{kind}/{id}");
            answer(
                ureq::put(&url).header("Authorization", bearer(&tokens["ada"])),
                thing,
            )?;
        }
    }
    let records = read_json(&examples.join("records.json"))?;
    for record in records
        .as_array()
        .context("the example records are not a list")?
    {
        let actor = record["as"].as_str().unwrap_or("ada");
        let token = tokens
            .get(actor)
            .with_context(|| format!("the demo has no token for {actor}"))?;
        let body = json!({ "workflow": record["workflow"], "create": record["create"], "fields": record["fields"] });
        let url = format!("{address}/api/v1/records");
        let created = answer(
            ureq::post(&url).header("Authorization", bearer(token)),
            &body,
        )?;
        say(format!(
            "{} {}",
            created["id"].as_str().unwrap_or("?"),
            record["fields"]["summary"].as_str().unwrap_or("")
        ));
    }
    Ok(())
}

fn read_json(path: &Path) -> Result<Json> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is not JSON", path.display()))
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Sends the body and reads the answer; what the server says of a refusal becomes the error.
fn answer(request: ureq::RequestBuilder<ureq::typestate::WithBody>, body: &Json) -> Result<Json> {
    let mut response = request
        .config()
        .http_status_as_error(false)
        .build()
        .send_json(body)?;
    let text = response
        .body_mut()
        .read_to_string()
        .context("cannot read the answer")?;
    if !response.status().is_success() {
        bail!(
            "the server refused {body} with {}: {text}",
            response.status()
        );
    }
    Ok(if text.is_empty() {
        Json::Null
    } else {
        serde_json::from_str(&text).context("the answer is not JSON")?
    })
}

/// A command to try, and a text that its output holds if it works.
struct Try {
    what: &'static str,
    line: String,
    holds: &'static str,
}

fn worth_trying(address: &str) -> [Try; 3] {
    let (start, end) = next_window();
    let change = json!({
        "workflow": "normal-change",
        "create": "submit",
        "fields": {
            "summary": "Replace the core switch",
            "reason": "It fails under load",
            "kind": "network",
            "impact": "high",
            "affected": ["network", "vpn", "web-shop", "e-mail"],
            "planned_start": start,
            "planned_end": end,
            "implementation_plan": "Swap the switch, move the cables, test every floor.",
            "backout_plan": "Put the old switch back, which stays in the rack."
        }
    });
    let auth = "-H \"Authorization: Bearer $TOKEN\"";
    [
        Try {
            what: "a change of high risk, which waits for those who must agree",
            line: format!(
                "curl -sS {auth} -H 'Content-Type: application/json' {address}/api/v1/records -d {}",
                quoted(&change.to_string())
            ),
            holds: "\"authorise\"",
        },
        Try {
            what: "the open incidents",
            line: format!(
                "curl -sS {auth} '{address}/api/v1/records?workflow=incident&category=open'"
            ),
            holds: "INC-3",
        },
        Try {
            what: "why one of them is where it is: its priority, its team, its times",
            line: format!("curl -sS {auth} {address}/api/v1/records/INC-3/explanation"),
            holds: "p1",
        },
    ]
}

/// Those who agree to the change of [`worth_trying`], in this order.
const AGREEING: [&str; 2] = ["CARLA", "DIRK"];

/// The command by which one of them agrees. Two changes are in the example, so it is the third.
fn vote(address: &str, variable: &str) -> String {
    format!(
        "curl -sS -H \"Authorization: Bearer ${variable}\" -H 'Content-Type: application/json' {address}/api/v1/records/CHG-3/votes -d '{{\"approves\": true}}'"
    )
}

/// A window some days ahead, outside the pack's freeze at the end of the year.
fn next_window() -> (String, String) {
    use chrono::Datelike as _;
    let mut day = chrono::Utc::now().date_naive() + chrono::TimeDelta::days(7);
    while (day.month(), day.day()) >= (12, 18) || (day.month(), day.day()) <= (1, 4) {
        day += chrono::TimeDelta::days(1);
    }
    (format!("{day}T19:00:00Z"), format!("{day}T21:00:00Z"))
}

fn print_guide(address: &str, data: &Path, tokens: &BTreeMap<&str, String>, commands: &[Try]) {
    println!(
        "\nServicewright is ready at {address}, its data in {}",
        data.display()
    );
    println!(
        "\nYour token, as the agent ada; carla and dirk sit on the change advisory board, mona manages changes:\n"
    );
    for (variable, actor) in VARIABLES {
        println!("  export {variable}={}", tokens[actor]);
    }
    println!("\nWorth trying:");
    for command in commands {
        println!("\n  # {}\n  {}", command.what, command.line);
    }
    println!("\n  # agree to the change: two of the three on the board are enough");
    for variable in AGREEING {
        println!("  {}", vote(address, variable));
    }
    println!("\nStop it with Ctrl-C.\n");
}

/// Runs the printed commands in a shell, as a person would.
fn smoke(address: &str, commands: &[Try], tokens: &BTreeMap<&str, String>) -> Result<()> {
    for command in commands {
        say(format!("trying: {}", command.what));
        try_line(&command.line, command.holds, tokens)?;
    }
    say("trying: the votes on the change");
    let states = ["authorise", "scheduled"];
    for (variable, state) in AGREEING.into_iter().zip(states) {
        try_line(&vote(address, variable), &format!("\"{state}\""), tokens)?;
    }
    say("the printed commands work");
    Ok(())
}

fn try_line(line: &str, holds: &str, tokens: &BTreeMap<&str, String>) -> Result<()> {
    let mut sh = Command::new("sh");
    sh.args(["-c", line]);
    for (variable, actor) in VARIABLES {
        sh.env(variable, &tokens[actor]);
    }
    let output = sh.output().context("cannot start sh")?;
    let output = String::from_utf8_lossy(&output.stdout);
    if !output.contains(holds) {
        bail!("the answer to `{line}` does not hold {holds}: {output}");
    }
    Ok(())
}
