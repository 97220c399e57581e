//! The guests of the benches that are not in Rust: what the templates of `wright plugin new` make, built
//! as an author builds them, with the packages that this takes fetched anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::shell::{self, say};
use crate::{sdk, workspace};

/// The hook that they are asked at, and what the project is called.
const HOOK: &str = "routing";
const PROJECT: &str = "bench-router";

/// Builds them with this `wright`, as far as their languages are there, and returns the folder.
pub(crate) fn build(wright: &Path) -> Result<PathBuf> {
    let folder = workspace::target_dir()?.join("bench-guests");
    // What is left from before is not what there is now.
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    let languages = [
        ("javascript", sdk::has_javascript()),
        ("python", sdk::has_python()),
    ];
    for (language, is_there) in languages {
        if is_there {
            guest(wright, &folder, language)?;
        } else {
            say(format!(
                "{language} is not there: its guest is NOT measured"
            ));
        }
    }
    Ok(folder)
}

fn guest(wright: &Path, folder: &Path, language: &str) -> Result<()> {
    say(format!(
        "building a guest in {language}, which takes a minute"
    ));
    let around = folder.join(language);
    fs::create_dir_all(&around).with_context(|| format!("cannot create {}", around.display()))?;
    let mut new = Command::new(wright);
    new.args(["plugin", "new", PROJECT, "--lang", language, "--hook", HOOK]);
    shell::run(new.current_dir(&around))?;
    let mut build = Command::new(wright);
    build.args(["plugin", "build"]).arg(around.join(PROJECT));
    let component = folder.join(language).with_extension("wasm");
    shell::run(build.arg("--out").arg(component))
}
