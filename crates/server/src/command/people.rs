//! A directory as a folder of files: `user.json`, `team.json` and so on, each the things of a kind by id.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use model::directory::{Key, Thing};
use model::id::{DirectoryId, DirectoryKind};

/// The most files of a directory.
const MAX_FILES: usize = 100;
/// The largest file of a directory, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Reads the things in a folder.
pub(super) fn read(folder: &Path) -> Result<BTreeMap<Key, Thing>> {
    let cannot = || format!("cannot read {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!(
            "{} holds no directory: it has no file such as user.json or team.json",
            folder.display()
        );
    }
    if files.len() > MAX_FILES {
        bail!("{} has more than {MAX_FILES} files", folder.display());
    }
    let mut things = BTreeMap::new();
    for path in files {
        let cannot = || format!("cannot read {}", path.display());
        if fs::metadata(&path).with_context(cannot)?.len() > MAX_FILE_BYTES {
            bail!("{} has more than {MAX_FILE_BYTES} bytes", path.display());
        }
        let kind = path.file_stem().unwrap_or_default().to_string_lossy();
        let kind = DirectoryKind::new(&kind).with_context(cannot)?;
        let text = fs::read_to_string(&path).with_context(cannot)?;
        let all: BTreeMap<String, Thing> = serde_json::from_str(&text).with_context(cannot)?;
        for (id, thing) in all {
            let id = DirectoryId::new(&id).with_context(cannot)?;
            let kind = kind.clone();
            things.insert(Key { kind, id }, thing);
        }
    }
    Ok(things)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::read;

    #[test]
    fn the_example_is_a_directory_and_an_empty_folder_is_none() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/directory");
        assert!(read(&folder).expect("the example").len() > 30);
        let empty = tempfile::tempdir().expect("a folder");
        let error = read(empty.path()).expect_err("nothing is there");
        assert!(error.to_string().contains("user.json"), "{error}");
    }
}
