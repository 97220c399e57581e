//! `cargo xtask golden`: builds the components that stand in the tests for a released version of the
//! SDKs, from the sources in `tests/golden`. It is done once for each release, since these show that
//! what was built then still runs: what is there is never built again.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Args;
use flate2::{Compression, GzBuilder};

use crate::shell::{self, say};
use crate::{build, workspace};

/// The languages, as folders in `tests/golden` and as `wright plugin new` has them.
const LANGUAGES: [(&str, &str); 3] = [("rust", "rust"), ("javascript", "js"), ("python", "python")];

/// What to build.
#[derive(Args)]
pub(crate) struct Options {
    /// The version of the SDKs that is released
    version: String,
}

/// Builds one in each language.
pub(crate) fn run(options: &Options) -> Result<()> {
    let wright = build::everything(false)?;
    let golden = workspace::root().join("tests/golden");
    for (language, lang) in LANGUAGES {
        let finished = golden.join(format!("{language}-{}.wasm.gz", options.version));
        if finished.exists() {
            say(format!("{} is there, and stays", finished.display()));
            continue;
        }
        let folder = tempfile::tempdir().context("cannot make a folder to build in")?;
        let mut new = Command::new(&wright);
        new.args([
            "plugin", "new", "golden", "--hook", "routing", "--lang", lang,
        ]);
        shell::run(new.current_dir(folder.path()))?;
        let project = folder.path().join("golden");
        copy(&golden.join(language), &project)?;
        let mut building = Command::new(&wright);
        shell::run(building.args(["plugin", "build"]).current_dir(&project))?;
        let component = std::fs::read(project.join("golden.wasm"))
            .context("the build has not left golden.wasm")?;
        compress(&component, &finished)?;
    }
    Ok(())
}

/// Copies the files of a folder, and of those in it, over what is there.
fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)
                .with_context(|| format!("cannot write {}", target.display()))?;
        }
    }
    Ok(())
}

fn compress(component: &[u8], path: &Path) -> Result<()> {
    let file = std::fs::File::create_new(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    let mut writer = GzBuilder::new().write(file, Compression::best());
    std::io::Write::write_all(&mut writer, component)?;
    let written = writer.finish()?.metadata()?.len();
    say(format!(
        "{} ({} KiB)",
        path.display(),
        written.div_ceil(1024)
    ));
    Ok(())
}
