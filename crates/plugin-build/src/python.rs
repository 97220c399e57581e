//! Building a plugin that is written in Python: its own virtual environment, where it has none, and in
//! that the SDK's build step, which runs componentize-py.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::{Manifest, write_world};

/// The oldest Python that the SDK runs on.
const OLDEST: (u32, u32) = (3, 11);
/// What asks a Python for its version.
const ASK_VERSION: &str = "import sys; print(sys.version_info[0], sys.version_info[1])";
/// Lists what is to be installed for the build.
const REQUIREMENTS: &str = "requirements.txt";
/// Where the virtual environment is, in the plugin's folder.
const ENVIRONMENT: &str = ".venv";
/// In the environment: what was installed into it, as the requirements said it then.
const INSTALLED: &str = "servicewright-installed.txt";
/// Where the SDK lies, for a plugin that carries it with it.
const VENDOR: &str = "vendor";

/// Builds the plugin in a folder and returns where its component lies. What Python has to say goes to
/// standard error as it comes.
///
/// # Errors
/// Where Python, its `venv` or the SDK is missing, something cannot be installed, or the component
/// cannot be made.
pub(crate) fn component(folder: &Path) -> Result<PathBuf> {
    let folder = folder
        .canonicalize()
        .with_context(|| format!("there is no folder {}", folder.display()))?;
    let manifest = Manifest::read(&folder)?;
    let python = environment(&folder)?;
    let has_sdk = run(
        &folder,
        Command::new(&python)
            .args(["-c", "import servicewright_sdk"])
            .stderr(Stdio::null()),
    );
    if has_sdk.is_err() {
        bail!(
            "the SDK is missing: the package `servicewright_sdk` belongs into the folder {VENDOR}, \
             or into {REQUIREMENTS}"
        );
    }

    let built = folder.join("build");
    let world = built.join("world");
    if world.exists() {
        std::fs::remove_dir_all(&world)
            .with_context(|| format!("cannot remove {}", world.display()))?;
    }
    write_world(&manifest, &world)?;
    let component = built.join("plugin.wasm");
    let mut building = Command::new(&python);
    building.args(["-m", "servicewright_sdk.build", "--world"]);
    building.arg(&world).arg("--out").arg(&component);
    run(&folder, &mut building)
        .context("the component could not be made; Python says why above")?;
    Ok(component)
}

/// The Python of the plugin's virtual environment, with what its requirements list.
fn environment(folder: &Path) -> Result<PathBuf> {
    let path = folder.join(REQUIREMENTS);
    let requirements = std::fs::read_to_string(&path).with_context(|| {
        format!(
            "cannot read {}, which pins componentize-py and whatever else the build needs",
            path.display()
        )
    })?;
    let environment = folder.join(ENVIRONMENT);
    let python = in_environment(&environment);
    let installed = environment.join(INSTALLED);
    let note = |what: &str| {
        std::fs::write(&installed, what)
            .with_context(|| format!("cannot write {}", installed.display()))
    };
    if !python.exists() {
        make(folder, &environment)?;
        // Should pip fail, the next build tries again.
        note("")?;
    } else if !std::fs::read_to_string(&installed).is_ok_and(|then| then != requirements) {
        // It is up to date, or somebody made it by hand and sees to it.
        return Ok(python);
    }
    eprintln!("installing what {REQUIREMENTS} pins into {ENVIRONMENT}");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input"])
        .args(["--disable-pip-version-check", "--requirement", REQUIREMENTS]);
    run(folder, &mut pip)
        .with_context(|| format!("{REQUIREMENTS} cannot be installed; pip says why above"))?;
    note(&requirements)?;
    Ok(python)
}

/// Makes a virtual environment, in which nothing is installed yet but pip.
fn make(folder: &Path, environment: &Path) -> Result<()> {
    let python = if cfg!(windows) { "python" } else { "python3" };
    let (major, minor) = OLDEST;
    let wanted = format!("Python {major}.{minor} or later");
    let asked = Command::new(python)
        .args(["-c", ASK_VERSION])
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{python}`: install {wanted}"))?;
    match version(&asked.stdout) {
        Some(found) if found >= OLDEST => {}
        Some((major, minor)) => {
            bail!("`{python}` is Python {major}.{minor}, and the SDK needs {wanted}")
        }
        None => bail!("`{python}` does not tell its version: install {wanted}"),
    }
    eprintln!("making the virtual environment {ENVIRONMENT}");
    let mut making = Command::new(python);
    making.args(["-m", "venv", "--clear"]).arg(environment);
    if let Err(error) = run(folder, &mut making) {
        // Half of one would be taken for a whole one the next time.
        let _ = std::fs::remove_dir_all(environment);
        return Err(error.context(format!(
            "`{python} -m venv` failed; where the system has it as a package of its own, such as \
             python3-venv, install that"
        )));
    }
    Ok(())
}

/// The Python of a virtual environment.
fn in_environment(environment: &Path) -> PathBuf {
    if cfg!(windows) {
        environment.join("Scripts").join("python.exe")
    } else {
        environment.join("bin").join("python")
    }
}

/// What a Python says its version is.
fn version(said: &[u8]) -> Option<(u32, u32)> {
    let said = std::str::from_utf8(said).ok()?;
    let (major, minor) = said.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Runs a Python in the plugin's folder. It sees the SDK that the plugin carries, and no other
/// environment than the plugin's own.
fn run(folder: &Path, command: &mut Command) -> Result<()> {
    let program = command.get_program().to_owned();
    let ended = command
        .current_dir(folder)
        .env("PYTHONPATH", folder.join(VENDOR))
        .env("VIRTUAL_ENV", folder.join(ENVIRONMENT))
        .env_remove("PYTHONHOME")
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .status()
        .with_context(|| format!("cannot run {}", shown(&program)))?;
    if !ended.success() {
        bail!("{} failed ({ended})", shown(&program));
    }
    Ok(())
}

fn shown(program: &OsStr) -> String {
    format!("`{}`", program.display())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{component, version};

    #[test]
    fn a_version_is_told_apart() {
        assert_eq!(version(b"3 11\n"), Some((3, 11)));
        assert!(version(b"3 9\n").is_some_and(|found| found < super::OLDEST));
        assert_eq!(version(b"Python 2"), None);
    }

    #[test]
    fn a_folder_without_requirements_says_what_belongs_there() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("plugin.yaml"), "id: a").expect("written");
        let error = component(folder.path()).expect_err("there are none");
        assert!(
            error.to_string().contains("which pins componentize-py"),
            "{error}"
        );
        assert!(component(Path::new("/nowhere")).is_err());
    }
}
