//! `wright secret`: values come in over standard input, and never out again.

use std::io::Read as _;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use plugin_registry::Trust;
use serde_json::{Value, json};

use super::{Outcome, block_on, list, print, text};
use crate::admin::{self, Ask, Hidden};
use crate::cli::{Format, SecretCommand};
use crate::secrets::Key;

/// How much is read of a value; the vault says what is too long.
const MOST_READ: u64 = 1 << 20;

pub(super) fn run(command: SecretCommand, format: Format) -> Result<Outcome> {
    match command {
        SecretCommand::Key { file } => {
            let key = Key::make(&file)?;
            let made = json!({ "file": file, "key": key.name() });
            print(format, &made, || {
                format!("{} holds the key {}", file.display(), key.name())
            })?;
        }
        SecretCommand::Set {
            binding,
            name,
            key,
            data,
        } => {
            let value = Hidden(BASE64.encode(value()?));
            let key = Key::find(key.secrets_key_file.as_deref())?;
            let told = json!({ "binding": binding, "name": name });
            let words = format!("{binding}: {name} is set");
            let ask = Ask::SetSecret {
                binding,
                secret: name,
                value,
            };
            block_on(admin::ask_with(&data.data, ask, key, &Trust::default()))?;
            print(format, &told, || words)?;
        }
        SecretCommand::List(data) => {
            let answer = block_on(admin::ask(&data.data, Ask::Secrets))?;
            print(format, &answer, || {
                let lines = list(&answer, "secrets").iter().map(line);
                lines.collect::<Vec<_>>().join("\n")
            })?;
        }
        SecretCommand::Remove {
            binding,
            name,
            data,
        } => {
            let told = json!({ "binding": binding, "name": name });
            let words = format!("{binding}: {name} is removed");
            let secret = name;
            block_on(admin::ask(
                &data.data,
                Ask::RemoveSecret { binding, secret },
            ))?;
            print(format, &told, || words)?;
        }
        SecretCommand::Rekey { file, key, data } => {
            let new = Hidden(Key::read(&file)?.text());
            let key = Key::find(key.secrets_key_file.as_deref())?;
            let ask = Ask::Rekey { key: new };
            let done = block_on(admin::ask_with(&data.data, ask, key, &Trust::default()))?;
            print(format, &done, || {
                let (count, key) = (&done["secrets"], text(&done, "key"));
                format!("secrets sealed under the key {key}: {count}; the next start needs it")
            })?;
        }
    }
    Ok(Outcome::Done)
}

/// What stands on standard input, without the end of its line.
fn value() -> Result<Vec<u8>> {
    let mut value = Vec::new();
    std::io::stdin()
        .take(MOST_READ)
        .read_to_end(&mut value)
        .context("cannot read the secret from standard input")?;
    for end in [&b"\r\n"[..], b"\n"] {
        if let Some(without) = value.strip_suffix(end) {
            value.truncate(without.len());
            break;
        }
    }
    Ok(value)
}

fn line(secret: &Value) -> String {
    let part = |name| text(secret, name);
    let (binding, name, at) = (part("binding"), part("name"), part("set_at"));
    format!("{binding}  {name}  set {at}  under the key {}", part("key"))
}
