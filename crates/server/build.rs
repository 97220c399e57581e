//! Gathers what the binary carries inside: the shipped packs, the first-party plugins where
//! `cargo xtask build` has left them, and what a new plugin begins with. Writes `embedded.rs`, lists
//! of path and bytes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let root = root.join("../..").canonicalize()?;
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
        &root.join("packs"),
        &|file| {
            file.extension()
                .is_some_and(|extension| extension == "yaml")
        },
    )?;
    list(
        &mut code,
        "PLUGINS",
        "The first-party components, by file name.",
        &plugins,
        &|file| {
            file.extension()
                .is_some_and(|extension| extension == "wasm")
        },
    )?;
    list(
        &mut code,
        "SDK",
        "The SDKs and the templates of plugins, by path below `sdk/`.",
        &root.join("sdk"),
        &|_| true,
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

/// What tools leave behind in the folders of sources.
const LEFT_BEHIND: [&str; 5] = ["node_modules", "target", ".venv", "__pycache__", "dist"];

fn list(
    code: &mut String,
    name: &str,
    doc: &str,
    folder: &Path,
    wanted: &dyn Fn(&Path) -> bool,
) -> io::Result<()> {
    let mut files = Vec::new();
    collect(folder, wanted, &mut files)?;
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

/// Finds the files, and has cargo look at each folder of them again when something in it changes.
/// Says whether the folder holds nothing that tools left behind, however deep.
fn collect(
    folder: &Path,
    wanted: &dyn Fn(&Path) -> bool,
    files: &mut Vec<PathBuf>,
) -> io::Result<bool> {
    let (mut own, mut folders, mut clean) = (Vec::new(), Vec::new(), true);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if !path.is_dir() {
            own.extend(wanted(&path).then_some(path));
        } else if LEFT_BEHIND.contains(&&*entry.file_name().to_string_lossy()) {
            clean = false;
        } else {
            folders.push(path);
        }
    }
    for folder in folders {
        clean &= collect(&folder, wanted, files)?;
    }
    if clean {
        // Cargo looks through all of it, so that a new folder is noticed too.
        println!("cargo::rerun-if-changed={}", folder.display());
    } else {
        // There it would look through what was left behind; the files themselves have to do.
        for file in &own {
            println!("cargo::rerun-if-changed={}", file.display());
        }
    }
    files.append(&mut own);
    Ok(clean)
}
