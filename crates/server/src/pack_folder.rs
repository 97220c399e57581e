//! Changing the files of a pack in a folder all at once.
//!
//! What is to change is written beside the files first, under a name that says that it is not
//! finished, and made durable. One rename decides: from then on the pack reads as changed, however
//! far putting the files in their places has come; before it, as it was. What was interrupted after
//! that is finished by the next change. Nothing else in the folder is touched.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

/// What is to change, decided.
pub(crate) const DECIDED: &str = ".upgrade";
/// What is to change, as it is being written.
const UNFINISHED: &str = ".upgrade-unfinished";
/// Within either: the pack's own files, the new `base/`, and the old one once it is out of the way.
const FILES: &str = "files";
const BASE: &str = "base";
const GONE: &str = "gone";
/// Within either: the paths of files that go, one a line.
const REMOVED: &str = "removed";
/// The longest list of files that go, in bytes.
const MAX_REMOVED_BYTES: u64 = 1 << 20;

/// What is to change in a pack's folder.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// The pack's own files that are new or otherwise, by path.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Its own files that go.
    pub(crate) removed: Vec<String>,
    /// All of `base/`, where it is another, by path within it.
    pub(crate) base: Option<BTreeMap<String, Vec<u8>>>,
}

/// A change that was decided and is not finished.
pub(crate) struct Staged {
    /// The folder of the pack's own files that are not in their places yet.
    pub(crate) files: Option<PathBuf>,
    /// The folder of the new base, while it is not in its place.
    pub(crate) base: Option<PathBuf>,
    /// The paths of files that go.
    pub(crate) removed: Vec<String>,
}

/// What was decided for a folder and not finished.
///
/// # Errors
/// Where it cannot be read, or is not what this program leaves.
pub(crate) fn staged(folder: &Path) -> io::Result<Option<Staged>> {
    let decided = folder.join(DECIDED);
    let Some(true) = is_folder(&decided)? else {
        return Ok(None);
    };
    let within = |name: &str| {
        let path = decided.join(name);
        Ok::<_, io::Error>(is_folder(&path)?.map(|_| path))
    };
    let (files, base) = (within(FILES)?, within(BASE)?);
    let list = decided.join(REMOVED);
    let removed = match fs::symlink_metadata(&list) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
        Ok(metadata) if !metadata.is_file() || metadata.len() > MAX_REMOVED_BYTES => {
            return Err(io::Error::other("`removed` is no list of files"));
        }
        Ok(_) => fs::read_to_string(&list)?
            .lines()
            .map(str::to_owned)
            .collect(),
    };
    if let Some(path) = removed.iter().find(|path| !is_within(path)) {
        return Err(io::Error::other(format!(
            "`removed` names {path}, outside of the pack"
        )));
    }
    Ok(Some(Staged {
        files,
        base,
        removed,
    }))
}

/// Makes a change, all of it or nothing.
///
/// # Errors
/// Where it cannot be written. Whether it was decided before that, the next reading tells.
pub(crate) fn change(folder: &Path, change: &Change) -> io::Result<()> {
    change_in_steps(folder, change, &mut || Ok(()))
}

fn change_in_steps(
    folder: &Path,
    change: &Change,
    step: &mut impl FnMut() -> io::Result<()>,
) -> io::Result<()> {
    finish_in_steps(folder, step)?;
    let unfinished = folder.join(UNFINISHED);
    clear(&unfinished)?;
    let named = change.files.keys().chain(&change.removed);
    if let Some(path) = named
        .chain(change.base.iter().flatten().map(|(path, _)| path))
        .find(|path| !is_within(path))
    {
        return Err(io::Error::other(format!("{path} is outside of the pack")));
    }
    step()?;
    write_all(&unfinished.join(FILES), &change.files, step)?;
    if let Some(base) = &change.base {
        write_all(&unfinished.join(BASE), base, step)?;
    }
    let list = change.removed.join("\n");
    write(&unfinished.join(REMOVED), list.as_bytes())?;
    sync(&unfinished)?;
    step()?;
    fs::rename(&unfinished, folder.join(DECIDED))?;
    sync(folder)?;
    step()?;
    finish_in_steps(folder, step)
}

/// Puts the files of what was decided in their places.
fn finish_in_steps(folder: &Path, step: &mut impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let Some(staged) = staged(folder)? else {
        return Ok(());
    };
    let decided = folder.join(DECIDED);
    if let Some(files) = &staged.files {
        for path in paths(files)? {
            let target = folder.join(&path);
            make_parents(folder, &target)?;
            fs::rename(files.join(&path), &target)?;
            sync_parent(&target)?;
            step()?;
        }
    }
    for path in &staged.removed {
        let target = folder.join(path);
        match fs::remove_file(&target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => sync_parent(&target)?,
        }
        step()?;
    }
    if let Some(base) = &staged.base {
        let place = folder.join(BASE);
        if fs::symlink_metadata(&place).is_ok() {
            let gone = decided.join(GONE);
            clear(&gone)?;
            fs::rename(&place, &gone)?;
            step()?;
        }
        fs::rename(base, &place)?;
        sync(folder)?;
        step()?;
    }
    fs::remove_dir_all(&decided)?;
    sync(folder)
}

fn write_all(
    folder: &Path,
    files: &BTreeMap<String, Vec<u8>>,
    step: &mut impl FnMut() -> io::Result<()>,
) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (path, bytes) in files {
        let target = folder.join(path);
        make_parents(folder, &target)?;
        write(&target, bytes)?;
        sync_parent(&target)?;
        step()?;
    }
    sync(folder)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(path, bytes)?;
    File::open(path)?.sync_all()
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent().map(sync) {
        // The folder of a file that went may have gone with it.
        Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the folders of a path within `folder`, and makes them durable.
fn make_parents(folder: &Path, target: &Path) -> io::Result<()> {
    let Some(parent) = target.parent() else {
        return Ok(());
    };
    fs::create_dir_all(parent)?;
    let made = parent
        .ancestors()
        .take_while(|path| path.starts_with(folder));
    made.skip(1).try_for_each(sync)
}

fn clear(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether something is there that is a folder; a link is an error.
fn is_folder(path: &Path) -> io::Result<Option<bool>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(Some(true)),
        Ok(_) => Err(io::Error::other(format!("{} is no folder", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_within(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    !path.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// The paths of all files below a folder.
fn paths(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut waiting) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            match fs::symlink_metadata(&path)? {
                metadata if metadata.is_dir() => waiting.push(path),
                _ => found.extend(path.strip_prefix(folder).ok().map(Path::to_owned)),
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::{fs, io};

    use super::{Change, change, change_in_steps, staged};
    use crate::pack_files::PackFiles;

    fn files(all: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        let each = all
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        each.collect()
    }

    fn before(folder: &Path) {
        for (path, text) in files(&[
            ("pack.yaml", "old"),
            ("README.md", "stays"),
            ("teams/a.yaml", "old"),
            ("teams/b.yaml", "goes"),
            ("base/pack.yaml", "old"),
            ("base/teams/c.yaml", "goes"),
            ("base/plugins/p.wasm", "goes"),
        ]) {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("it has one")).expect("made");
            fs::write(path, text).expect("written");
        }
    }

    fn another() -> Change {
        Change {
            files: files(&[
                ("pack.yaml", "new"),
                ("teams/a.yaml", "new"),
                ("notices/n.yaml", "new"),
            ]),
            removed: vec!["teams/b.yaml".to_owned()],
            base: Some(files(&[
                ("pack.yaml", "new"),
                ("base/pack.yaml", "new"),
                ("plugins/q.wasm", "new"),
            ])),
        }
    }

    fn read(folder: &Path) -> PackFiles {
        PackFiles::read(folder).expect("it reads")
    }

    #[test]
    fn wherever_it_is_interrupted_the_pack_reads_as_before_or_as_after() {
        let whole = tempfile::tempdir().expect("a folder");
        before(whole.path());
        let old = read(whole.path());
        let mut steps = 0;
        let count = &mut || {
            steps += 1;
            Ok(())
        };
        change_in_steps(whole.path(), &another(), count).expect("changed");
        let new = read(whole.path());
        assert_ne!(old, new);
        let mut seen = [0, 0];
        for end in 0..steps {
            let folder = tempfile::tempdir().expect("a folder");
            before(folder.path());
            let mut done = 0;
            let crash = &mut || {
                done += 1;
                if done > end {
                    Err(io::Error::other("the power went"))
                } else {
                    Ok(())
                }
            };
            change_in_steps(folder.path(), &another(), crash).expect_err("it was interrupted");
            let now = read(folder.path());
            assert!(now == old || now == new, "after {end} steps: {now:?}");
            seen[usize::from(now == new)] += 1;
            // The next change finishes it first.
            change(folder.path(), &another()).expect("changed");
            assert_eq!(read(folder.path()), new, "after {end} steps");
            let stays = fs::read_to_string(folder.path().join("README.md")).expect("it stays");
            assert_eq!(stays, "stays");
            let left: Vec<_> = fs::read_dir(folder.path())
                .expect("read")
                .filter_map(Result::ok)
                .filter(|entry| entry.file_name().to_string_lossy().starts_with('.'))
                .collect();
            assert!(left.is_empty(), "{left:?}");
        }
        assert!(
            seen.iter().all(|times| *times > 2),
            "both were seen: {seen:?}"
        );
    }

    #[test]
    fn nothing_outside_of_the_folder_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        before(folder.path());
        for path in ["../pack.yaml", "/etc/passwd", "", "teams/../../x"] {
            let removed = vec![path.to_owned()];
            let wrong = Change {
                removed,
                ..Change::default()
            };
            change(folder.path(), &wrong).expect_err(path);
        }
        fs::create_dir(folder.path().join(".upgrade")).expect("made");
        fs::write(folder.path().join(".upgrade/removed"), "../x\n").expect("written");
        assert!(staged(folder.path()).is_err());
        assert!(PackFiles::read(folder.path()).is_err());
    }
}
