//! The files of a pack: from a folder, or from those that the binary carries inside.
//!
//! An adaptation may leave its `base/` out where it extends a shipped pack: that pack is laid under
//! it from the binary, in the version that it names. Its version and digest are checked as they would
//! be with a folder `base/`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;
use thiserror::Error;

use crate::embedded;
use crate::pack_folder;

/// The most files of a pack.
const MAX_FILES: usize = 5_000;
/// The longest definition, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// The largest component, in bytes.
const MAX_COMPONENT_BYTES: u64 = 64 << 20;
/// The longest signature, in bytes.
const MAX_SIGNATURE_BYTES: u64 = plugin_registry::MAX_SIGNATURE_BYTES as u64;
/// What the file of a component's signature is called beyond the name of the component's.
const SIGNATURE: &str = ".sigstore.json";
/// The deepest folder: `base/` of `base/` of … and a folder of definitions.
const MAX_DEPTH: usize = 12;

/// The files of a pack, by path from its folder with `/` between the parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PackFiles {
    /// Definitions and other texts.
    pub texts: BTreeMap<String, String>,
    /// Components, the `.wasm` files.
    pub components: BTreeMap<String, Vec<u8>>,
    /// Signatures of components, the files beside them that end in [`SIGNATURE`].
    pub signatures: BTreeMap<String, Vec<u8>>,
}

/// Why the files of a pack cannot be had.
#[derive(Debug, Error)]
pub enum PackFilesError {
    /// A file or folder cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no `pack.yaml`.
    #[error("{} is not a pack: it has no pack.yaml", .0.display())]
    NotAPack(PathBuf),
    /// A symbolic link, which could lead out of the folder.
    #[error("{} is a symbolic link; a pack is the files of its own folder", .0.display())]
    Link(PathBuf),
    /// There are more or larger files than a pack may have.
    #[error("{}: {what}", path.display())]
    TooLarge {
        /// Where.
        path: PathBuf,
        /// Which limit.
        what: String,
    },
}

/// The part of `pack.yaml` that says what it is, and what lies below it.
#[derive(Deserialize)]
struct Header {
    version: Option<String>,
    extends: Option<Extends>,
}

#[derive(Deserialize)]
struct Extends {
    pack: String,
    version: Option<String>,
}

fn header(text: &str) -> Option<Header> {
    serde_saphyr::from_str(text).ok()
}

impl PackFiles {
    /// Reads the pack in a folder. Where an upgrade of it was interrupted once it was decided, it
    /// is read as upgraded.
    ///
    /// # Errors
    /// Where it cannot be read, has no `pack.yaml`, holds a symbolic link, or is larger than a pack
    /// may be: 5,000 files of a mebibyte each, components of 64 MiB.
    pub fn read(folder: &Path) -> Result<Self, PackFilesError> {
        let mut files = Self::own(folder)?;
        files.add_shipped_base();
        Ok(files)
    }

    /// The same without the shipped pack that lies under it from the binary.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    pub fn own(folder: &Path) -> Result<Self, PackFilesError> {
        let mut files = Self::default();
        files.collect(folder, "", 0)?;
        files.lay_upgrade_over(folder)?;
        if !files.texts.contains_key("pack.yaml") {
            return Err(PackFilesError::NotAPack(folder.to_owned()));
        }
        Ok(files)
    }

    /// A shipped pack: `itil` as it is today, `itil@1.0.0` in a version that was released.
    pub fn shipped(name: &str) -> Option<Self> {
        let (id, version) = match name.split_once('@') {
            Some((id, version)) => (id, Some(version)),
            None => (name, None),
        };
        let mut versions = embedded::pack_versions(id).map(Self::carried);
        match version {
            None => versions.next(),
            Some(_) => versions.find(|files| files.version().as_deref() == version),
        }
    }

    /// The names of the shipped packs in all their versions.
    pub fn shipped_names() -> Vec<String> {
        let versions = embedded::pack_ids().flat_map(|id| {
            let versions = embedded::pack_versions(id).map(Self::carried);
            versions.filter_map(move |files| Some(format!("{id}@{}", files.version()?)))
        });
        versions.collect()
    }

    fn carried(folder: &str) -> Self {
        let mut files = Self::default();
        for (path, bytes) in embedded::pack(folder) {
            let text = String::from_utf8_lossy(bytes).into_owned();
            files.texts.insert(path.to_owned(), text);
        }
        files
    }

    fn version(&self) -> Option<String> {
        header(self.texts.get("pack.yaml")?)?.version
    }

    /// The component that a binding calls by this file name: the pack's own, that of a pack below
    /// it, or one that the binary carries.
    pub fn component(&self, file: &str) -> Option<&[u8]> {
        let found = self.found(file).map(|(_, component)| component.as_slice());
        found.or_else(|| embedded::plugin(file))
    }

    /// The signature that lies beside that component.
    pub fn signature(&self, file: &str) -> Option<&Vec<u8>> {
        let (path, _) = self.found(file)?;
        self.signatures.get(&format!("{path}{SIGNATURE}"))
    }

    fn found(&self, file: &str) -> Option<(&String, &Vec<u8>)> {
        let own = format!("plugins/{file}");
        let below = format!("/{own}");
        self.components.get_key_value(&own).or_else(|| {
            let mut all = self.components.iter();
            all.find(|(path, _)| path.ends_with(&below))
        })
    }

    fn add_shipped_base(&mut self) {
        let mut below = String::new();
        loop {
            let header = self.texts.get(&format!("{below}pack.yaml"));
            let Some(extends) = header.and_then(|text| self::header(text)?.extends) else {
                return;
            };
            below.push_str("base/");
            if below.matches('/').count() > MAX_DEPTH {
                return;
            }
            if self.texts.contains_key(&format!("{below}pack.yaml")) {
                continue;
            }
            // Of a version that is not carried, what is said of today's tells what is wrong.
            let version = extends.version.unwrap_or_default();
            let base = Self::shipped(&format!("{}@{version}", extends.pack));
            let Some(base) = base.or_else(|| Self::shipped(&extends.pack)) else {
                return;
            };
            for (path, text) in base.texts {
                self.texts.insert(format!("{below}{path}"), text);
            }
        }
    }

    /// Lays over the files what an upgrade left to be put in its place.
    fn lay_upgrade_over(&mut self, folder: &Path) -> Result<(), PackFilesError> {
        let read = |source| PackFilesError::Read {
            path: folder.join(pack_folder::DECIDED),
            source,
        };
        let Some(staged) = pack_folder::staged(folder).map_err(read)? else {
            return Ok(());
        };
        for path in &staged.removed {
            self.texts.remove(path);
        }
        if let Some(files) = &staged.files {
            self.collect(files, "", 1)?;
        }
        if let Some(base) = &staged.base {
            let is_own = |path: &String| !path.starts_with("base/");
            self.texts.retain(|path, _| is_own(path));
            self.components.retain(|path, _| is_own(path));
            self.signatures.retain(|path, _| is_own(path));
            self.collect(base, "base/", 1)?;
        }
        Ok(())
    }

    fn collect(&mut self, folder: &Path, within: &str, depth: usize) -> Result<(), PackFilesError> {
        let too_large = |what: String| PackFilesError::TooLarge {
            path: folder.to_owned(),
            what,
        };
        if depth > MAX_DEPTH {
            return Err(too_large(format!(
                "folders are nested deeper than {MAX_DEPTH}"
            )));
        }
        let read = |path: &Path| {
            let path = path.to_owned();
            move |source| PackFilesError::Read { path, source }
        };
        for entry in fs::read_dir(folder).map_err(read(folder))? {
            let entry = entry.map_err(read(folder))?;
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let inside = format!("{within}{name}");
            let metadata = fs::symlink_metadata(&path).map_err(read(&path))?;
            if metadata.is_symlink() {
                return Err(PackFilesError::Link(path));
            }
            if metadata.is_dir() {
                self.collect(&path, &format!("{inside}/"), depth + 1)?;
                continue;
            }
            let is_component = path
                .extension()
                .is_some_and(|extension| extension == "wasm");
            let is_yaml = path
                .extension()
                .is_some_and(|extension| extension == "yaml" || extension == "yml");
            let is_signature = name.ends_with(&format!(".wasm{SIGNATURE}"));
            if !is_component && !is_yaml && !is_signature {
                continue;
            }
            let limit = if is_component {
                MAX_COMPONENT_BYTES
            } else if is_signature {
                MAX_SIGNATURE_BYTES
            } else {
                MAX_FILE_BYTES
            };
            if metadata.len() > limit {
                return Err(too_large(format!(
                    "{name} has {} bytes; at most {limit} are allowed",
                    metadata.len()
                )));
            }
            let files = self.texts.len() + self.components.len() + self.signatures.len();
            if files >= MAX_FILES {
                return Err(too_large(format!("a pack has at most {MAX_FILES} files")));
            }
            if is_component || is_signature {
                let files = if is_component {
                    &mut self.components
                } else {
                    &mut self.signatures
                };
                files.insert(inside, fs::read(&path).map_err(read(&path))?);
            } else {
                self.texts
                    .insert(inside, fs::read_to_string(&path).map_err(read(&path))?);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{PackFiles, PackFilesError};

    #[test]
    fn an_adaptation_of_a_shipped_pack_needs_no_copy_of_it() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/volvo");
        let files = PackFiles::read(&folder).expect("a pack");
        // The very version that it was made for.
        let shipped = PackFiles::shipped("itil@1.0.0").expect("shipped");
        assert_eq!(
            files.texts.get("base/pack.yaml"),
            shipped.texts.get("pack.yaml")
        );
        assert_eq!(
            files.texts.get("base/workflows/incident.yaml"),
            shipped.texts.get("workflows/incident.yaml")
        );
        assert!(files.texts.contains_key("workflows/incident.yaml"));
    }

    #[test]
    fn a_shipped_pack_is_found_by_its_version_too() {
        let today = PackFiles::shipped("itil").expect("shipped");
        let version = today.version().expect("it has a version");
        assert_eq!(PackFiles::shipped(&format!("itil@{version}")), Some(today));
        assert_eq!(PackFiles::shipped("itil@0.0.7"), None);
        assert_eq!(PackFiles::shipped("nothing@1.0.0"), None);
        assert!(PackFiles::shipped_names().contains(&format!("itil@{version}")));
        for name in PackFiles::shipped_names() {
            let files = PackFiles::shipped(&name).expect("what is named is there");
            let version = files.version().expect("it has a version");
            assert!(
                name.ends_with(&format!("@{version}")),
                "{name} says {version}"
            );
        }
    }

    #[test]
    fn an_adaptation_is_laid_over_the_version_that_it_names() {
        for name in PackFiles::shipped_names() {
            let (id, version) = name.split_once('@').expect("a name has a version");
            let folder = tempfile::tempdir().expect("a folder");
            let header =
                format!("kind: Pack\nid: ours\nextends: {{ pack: {id}, version: {version} }}\n");
            std::fs::write(folder.path().join("pack.yaml"), header).expect("written");
            let files = PackFiles::read(folder.path()).expect("a pack");
            let shipped = PackFiles::shipped(&name).expect("shipped");
            assert_eq!(
                files.texts.get("base/pack.yaml"),
                shipped.texts.get("pack.yaml")
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_read_through_a_symbolic_link() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("pack.yaml"), "kind: Pack").expect("written");
        std::os::unix::fs::symlink("/", folder.path().join("workflows")).expect("linked");
        let read = PackFiles::read(folder.path());
        assert!(matches!(read, Err(PackFilesError::Link(_))), "{read:?}");
    }

    #[test]
    fn a_folder_without_a_header_is_not_a_pack() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(
            PackFiles::read(folder.path()),
            Err(PackFilesError::NotAPack(_))
        ));
    }
}
