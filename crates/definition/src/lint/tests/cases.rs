//! The cases of `tests/faulty-packs`: packs with one fault each, and what is to be found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A faulty pack.
pub(crate) struct Case {
    /// Its name.
    pub(crate) name: String,
    /// Its files, by path.
    pub(crate) files: BTreeMap<String, String>,
    /// `file:line rule`.
    pub(crate) expected: String,
}

/// All cases. `digest` is that of the sound pack, which adaptations name.
pub(crate) fn cases(digest: impl Fn(&BTreeMap<String, String>) -> String) -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let root = root
        .map(|folder| folder.join("tests/faulty-packs"))
        .find(|folder| folder.is_dir())
        .expect("the folder of the repository");
    let sound = files(&root.join("sound"));
    let mut cases = Vec::new();
    for folder in folders(&root) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        if name == "sound" {
            continue;
        }
        let mut own = files(&folder);
        let said = own.remove("expected.txt").expect("what is to be found");
        let mut all = sound.clone();
        let mut expected = String::new();
        for line in said.lines() {
            match line.split_once(' ').expect("two words") {
                ("without", file) => drop(all.remove(file).expect("a file of the sound pack")),
                ("over", "sound") => {
                    let header = format!(
                        "apiVersion: servicewright/v1\nkind: Pack\nid: adapted\nversion: 1.0.0\ntitle: Adapted\nextends: {{ pack: desk, version: 1.0.0, digest: \"{}\" }}\n",
                        digest(&sound)
                    );
                    let base = sound.iter();
                    all = base
                        .map(|(path, text)| (format!("base/{path}"), text.clone()))
                        .collect();
                    all.insert("pack.yaml".to_owned(), header);
                }
                _ => line.clone_into(&mut expected),
            }
        }
        all.extend(own);
        cases.push(Case {
            name: name.into_owned(),
            files: all,
            expected,
        });
    }
    cases
}

/// The sound pack itself.
pub(crate) fn sound() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut folders = root.map(|folder| folder.join("tests/faulty-packs/sound"));
    files(
        &folders
            .find(|folder| folder.is_dir())
            .expect("the sound pack"),
    )
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut folders: Vec<PathBuf> = paths.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn files(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(root).expect("below").to_string_lossy();
            let text = std::fs::read_to_string(&path).expect("text");
            found.insert(name.replace('\\', "/"), text);
        }
    }
    found
}
