//! Running the SDK's own tool on a plugin in JavaScript or TypeScript: it bundles the code and puts it,
//! with a JavaScript engine, into a component.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::{Manifest, write_world};

/// The tool, as it lies among the packages that a plugin depends on.
const TOOL: &str = "node_modules/@servicewright/sdk/bin/componentize.js";
/// The least that the SDK runs on.
const NODE: u32 = 20;

/// Builds the package in a folder and returns where its component lies. Packages that are missing are
/// installed first, which is said.
///
/// # Errors
/// Where node or npm is missing or too old, a package cannot be installed, or the code does not fit
/// what the manifest says.
pub(crate) fn component(folder: &Path) -> Result<PathBuf> {
    let folder = folder
        .canonicalize()
        .with_context(|| format!("there is no {}", folder.display()))?;
    let manifest = Manifest::read(&folder)?;
    check_node()?;
    if tool(&folder).is_none() {
        install(&folder)?;
    }
    let found = tool(&folder).context(
        "the package.json does not depend on @servicewright/sdk, which builds the component",
    )?;
    let build = folder.join("build");
    let world = build.join("world");
    write_world(&manifest, &world)?;
    let component = build.join("component.wasm");
    let status = Command::new("node")
        .arg(found)
        .arg("--world")
        .arg(&world)
        .arg("--out")
        .arg(&component)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .context("cannot run node")?;
    if !status.success() {
        bail!("the plugin cannot be made a component; what stands above says why");
    }
    Ok(component)
}

/// The tool in the folder or one around it, where packages of several plugins may be shared.
fn tool(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .map(|folder| folder.join(TOOL))
        .find(|tool| tool.is_file())
}

fn check_node() -> Result<()> {
    let missing = || {
        format!(
            "a plugin in JavaScript is built by Node.js: install version {NODE} or later from https://nodejs.org"
        )
    };
    let answer = Command::new("node").arg("--version").output();
    let answer = answer.with_context(|| format!("cannot run node; {}", missing()))?;
    let version = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    if major(&version).is_none_or(|major| major < NODE) {
        bail!("this is Node.js {version}; {}", missing());
    }
    Ok(())
}

/// The first number of a version such as `v20.11.1`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Installs what the package depends on: as its lock file says, where it has one.
fn install(folder: &Path) -> Result<()> {
    let how = if folder.join("package-lock.json").exists() {
        "ci"
    } else {
        "install"
    };
    eprintln!(
        "the plugin's packages are not there yet: running `npm {how}` in {}",
        folder.display()
    );
    // On Windows npm is a script, which only a shell finds.
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let status = Command::new(npm)
        .args([how, "--no-audit", "--no-fund"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .context("cannot run npm, which comes with Node.js: install it, or run `npm install` where it is")?;
    if !status.success() {
        bail!("`npm {how}` failed; what stands above says why");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{TOOL, major, tool};

    #[test]
    fn the_version_of_node_is_read() {
        assert_eq!(major("v20.11.1"), Some(20));
        assert_eq!(major("v8.0.0"), Some(8));
        assert_eq!(major(""), None);
        assert_eq!(major("20"), None);
    }

    #[test]
    fn the_tool_is_found_in_the_folder_or_around_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let plugin = folder.path().join("plugins/router");
        std::fs::create_dir_all(&plugin).expect("a folder");
        assert_eq!(tool(&plugin), None);
        let shared = folder.path().join(TOOL);
        std::fs::create_dir_all(shared.parent().expect("a folder")).expect("a folder");
        std::fs::write(&shared, "").expect("written");
        assert_eq!(tool(&plugin), Some(shared));
    }
}
