//! Gathers what the binary carries inside: the shipped packs, and the first-party plugins where
//! `cargo xtask build` has left them. Writes `embedded.rs`, two lists of path and bytes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let packs =
        PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../../packs");
    let packs = packs.canonicalize()?;
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-env-changed=WRIGHT_EMBED_PLUGINS");
    let plugins =
        env::var_os("WRIGHT_EMBED_PLUGINS").map_or_else(|| plugins_beside(&out), PathBuf::from);
    // A folder that is not there counts as changed in every build; an empty one does not.
    fs::create_dir_all(&plugins)?;

    let mut code = String::new();
    list(
        &mut code,
        "PACKS",
        "The files of the shipped packs, by path below `packs/`.",
        &packs,
        "yaml",
    )?;
    list(
        &mut code,
        "PLUGINS",
        "The first-party components, by file name.",
        &plugins,
        "wasm",
    )?;
    fs::write(out.join("embedded.rs"), code)
}

/// `<target>/plugins`, found from `<target>/<profile>/build/<package>/out`.
fn plugins_beside(out: &Path) -> PathBuf {
    out.ancestors()
        .nth(4)
        .expect("cargo's layout of the target folder")
        .join("plugins")
}

fn list(
    code: &mut String,
    name: &str,
    doc: &str,
    folder: &Path,
    extension: &str,
) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    collect(folder, extension, &mut files)?;
    files.sort();
    let _ = writeln!(code, "/// {doc}\npub static {name}: &[(&str, &[u8])] = &[");
    for file in files {
        let path = file.strip_prefix(folder).expect("below the folder");
        let path = path
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect::<Vec<_>>()
            .join("/");
        let _ = writeln!(
            code,
            "    ({path:?}, include_bytes!({:?})),",
            file.display().to_string()
        );
    }
    code.push_str("];\n");
    Ok(())
}

fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, extension, files)?;
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    Ok(())
}
