//! `wright.toml`: what a flag is where it is given neither on the command line nor in the environment.
//! A key is the long name of a flag, such as `data = "/srv/desk"` or `listen = "0.0.0.0:8080"`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::Command;
use clap::error::ErrorKind;

/// The file that is read where none is named.
const USUAL: &str = "wright.toml";
/// The longest file read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Gives the flags of a command line the defaults that the settings file has for them.
///
/// # Errors
/// Where a file that was named cannot be read, or one is not right.
pub(crate) fn apply(mut command: Command, arguments: &[OsString]) -> Result<Command, clap::Error> {
    let (path, is_named) = match named(arguments) {
        Some(path) => (path, true),
        None => (PathBuf::from(USUAL), false),
    };
    let text = match std::fs::metadata(&path) {
        Err(_) if !is_named => return Ok(command),
        Ok(metadata) if metadata.len() > MAX_BYTES => {
            let what = format!("{} is longer than {MAX_BYTES} bytes", path.display());
            return Err(command.error(ErrorKind::Io, what));
        }
        _ => std::fs::read_to_string(&path),
    };
    let text = text.map_err(|error| {
        let what = format!("cannot read the settings in {}: {error}", path.display());
        command.error(ErrorKind::Io, what)
    })?;
    let settings = read(&text).map_err(|what| {
        let what = format!("{}: {what}", path.display());
        command.error(ErrorKind::InvalidValue, what)
    })?;
    let mut known = BTreeSet::new();
    flags(&command, &mut known);
    if let Some(unknown) = settings.keys().find(|key| !known.contains(*key)) {
        let near = nearest(unknown, &known)
            .map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
        let what = format!("{}: there is no flag `{unknown}`{near}", path.display());
        return Err(command.error(ErrorKind::UnknownArgument, what));
    }
    Ok(with_defaults(command, &settings))
}

/// The file that the command line or the environment names.
fn named(arguments: &[OsString]) -> Option<PathBuf> {
    let mut rest = arguments.iter().map(OsString::as_os_str);
    while let Some(argument) = rest.next() {
        if argument == "--" {
            break;
        }
        if argument == "--config" {
            return rest.next().map(PathBuf::from);
        }
        let text = argument.to_str().unwrap_or_default();
        if let Some(path) = text.strip_prefix("--config=") {
            return Some(PathBuf::from(path));
        }
    }
    std::env::var_os("WRIGHT_CONFIG")
        .filter(|path| path != OsStr::new(""))
        .map(PathBuf::from)
}

/// The settings as one would type them.
fn read(text: &str) -> Result<BTreeMap<String, String>, String> {
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| error.to_string().trim_end().to_owned())?;
    let mut settings = BTreeMap::new();
    for (key, value) in table {
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            other => {
                let kind = other.type_str();
                return Err(format!(
                    "`{key}` is a text, a number or a flag, not of type {kind}"
                ));
            }
        };
        settings.insert(key, value);
    }
    Ok(settings)
}

/// The long names of all flags that the environment can set, which are those that settings can.
fn flags(command: &Command, known: &mut BTreeSet<String>) {
    for argument in command.get_arguments() {
        if let (Some(long), Some(_)) = (argument.get_long(), argument.get_env()) {
            known.insert(long.to_owned());
        }
    }
    for inner in command.get_subcommands() {
        flags(inner, known);
    }
}

fn with_defaults(command: Command, settings: &BTreeMap<String, String>) -> Command {
    let command = command.mut_args(|argument| {
        let value = argument
            .get_env()
            .and_then(|_| settings.get(argument.get_long()?));
        match value {
            // The settings are read once, and hold as long as the process.
            Some(value) => argument
                .required(false)
                .default_value(&*value.clone().leak()),
            None => argument,
        }
    });
    command.mut_subcommands(|inner| with_defaults(inner, settings))
}

fn nearest<'a>(unknown: &str, known: &'a BTreeSet<String>) -> Option<&'a str> {
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(unknown, name), name))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, name)| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn settings_are_plain_values() {
        let settings = read("data = \"/srv/desk\"\nport = 80\nquiet = true").expect("settings");
        assert_eq!(settings["data"], "/srv/desk");
        assert_eq!(settings["port"], "80");
        assert_eq!(settings["quiet"], "true");
        let error = read("data = [1]").expect_err("a list");
        assert_eq!(
            error,
            "`data` is a text, a number or a flag, not of type array"
        );
        assert!(read("data =").is_err());
    }
}
