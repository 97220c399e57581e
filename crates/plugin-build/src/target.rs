//! Whether the toolchain can compile plugins: the Wasm target's standard library.

use std::path::Path;
use std::process::Command;

/// The target that plugins are built for.
pub const TARGET: &str = "wasm32-wasip2";

/// Whether the toolchain that is used in a folder has the target.
pub fn is_installed(folder: &Path) -> bool {
    let asked = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(folder)
        .output();
    let Ok(answer) = asked else { return false };
    let libraries = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    answer.status.success() && holds_standard_library(Path::new(&libraries))
}

fn holds_standard_library(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}
