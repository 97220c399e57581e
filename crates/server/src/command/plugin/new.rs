//! `wright plugin new`: a folder to begin a plugin in, with the SDK that fits this server inside.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use model::hook::Hook;
use model::id::BindingId;
use serde_json::json;

use crate::cli::{Format, Language};
use crate::command::print;
use crate::embedded;

/// Where a language's files lie among what the binary carries, and where its SDK goes.
struct Layout {
    /// The folder of its templates.
    templates: &'static str,
    /// The folder of its SDK, and where that goes in the new folder.
    sdk: (&'static str, &'static str),
    /// How its own tests are run.
    test: &'static str,
}

impl Language {
    const fn layout(self) -> Layout {
        match self {
            Self::Rust => Layout {
                templates: "templates/rust",
                sdk: ("rust", "vendor/servicewright-sdk"),
                test: "cargo test",
            },
            Self::JavaScript => Layout {
                templates: "templates/javascript",
                sdk: ("javascript", "vendor/servicewright-sdk"),
                test: "npm install && npm test",
            },
            Self::Python => Layout {
                templates: "templates/python",
                sdk: ("python/servicewright_sdk", "vendor/servicewright_sdk"),
                test: "python3 -m unittest",
            },
        }
    }
}

pub(super) fn run(name: &BindingId, hook: Hook, language: Language, format: Format) -> Result<()> {
    let folder = PathBuf::from(name.as_str());
    let mut there = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            std::fs::create_dir(&folder).with_context(|| format!("cannot make {name}"))?;
            std::fs::read_dir(&folder)?
        }
        Err(error) => return Err(error).with_context(|| format!("cannot use {name}")),
    };
    if there.next().is_some() {
        bail!("there is something in the folder {name} already: take another name, or empty it");
    }
    let layout = language.layout();
    let words = words(name, hook);
    for part in ["shared", hook.as_str()] {
        for (path, bytes) in embedded::sdk(&format!("{}/{part}", layout.templates)) {
            let text = std::str::from_utf8(bytes).context("a template is not text")?;
            write(&folder, &fill(path, &words), fill(text, &words).as_bytes())?;
        }
    }
    let (from, to) = layout.sdk;
    // The SDK's own tests stay where it is developed.
    for (path, bytes) in embedded::sdk(from).filter(|(path, _)| !path.starts_with("test/")) {
        write(&folder.join(to), path, &alone(path, bytes))?;
    }
    let made = json!({ "folder": folder, "hook": hook, "test": layout.test });
    print(format, &made, || {
        format!(
            "{name} is made. Now:\n  cd {name}\n  {test}\n  wright plugin test\n  wright plugin build",
            test = layout.test
        )
    })
}

/// What stands for what in templates.
fn words(name: &BindingId, hook: Hook) -> [(&'static str, String); 5] {
    let parts = || name.as_str().split('-');
    let mut title = parts().collect::<Vec<_>>().join(" ");
    title[..1].make_ascii_uppercase();
    let pascal = parts().map(|part| {
        let mut part = part.to_owned();
        part[..1].make_ascii_uppercase();
        part
    });
    [
        ("__NAME__", name.to_string()),
        ("__SNAKE__", name.as_str().replace('-', "_")),
        ("__TITLE__", title),
        ("__TYPE__", pascal.collect()),
        ("__HOOK__", hook.as_str().to_owned()),
    ]
}

fn fill(template: &str, words: &[(&str, String)]) -> String {
    let words = words.iter();
    words.fold(template.to_owned(), |text, (word, value)| {
        text.replace(word, value)
    })
}

/// A file of the SDK as it is where there is no workspace around it.
fn alone(path: &str, bytes: &[u8]) -> Vec<u8> {
    let ("Cargo.toml", Ok(text)) = (path, std::str::from_utf8(bytes)) else {
        return bytes.to_owned();
    };
    text.replace("[lints]\nworkspace = true\n\n", "")
        .into_bytes()
}

fn write(folder: &Path, path: &str, bytes: &[u8]) -> Result<()> {
    let file = folder.join(path);
    let cannot = || format!("cannot write {}", file.display());
    std::fs::create_dir_all(file.parent().unwrap_or(folder)).with_context(cannot)?;
    std::fs::write(&file, bytes).with_context(cannot)
}
