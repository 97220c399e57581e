//! The languages that a plugin can be written in, each told by the file its tools look for.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::{Manifest, cargo, python};

/// A language that `wright plugin build` builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// A package of cargo.
    Rust,
    /// A project of Python.
    Python,
}

impl Language {
    const ALL: [Self; 2] = [Self::Rust, Self::Python];

    /// The file that says what a project in this language is.
    const fn file(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Python => "pyproject.toml",
        }
    }

    /// The language of the plugin in a folder.
    ///
    /// # Errors
    /// Where the folder has the file of none, or of more than one.
    pub fn of(folder: &Path) -> Result<Self> {
        let found = Self::ALL.map(|language| (language, folder.join(language.file()).is_file()));
        let mut found = found.into_iter().filter(|(_, is_there)| *is_there);
        let files = Self::ALL.map(Self::file).join(", ");
        match (found.next(), found.next()) {
            (Some((language, _)), None) => Ok(language),
            (None, _) => bail!("{} has none of these: {files}", folder.display()),
            _ => bail!(
                "{} has more than one of these: {files}; a plugin is written in one language",
                folder.display()
            ),
        }
    }
}

/// Builds the plugin in a folder, in whichever language it is written, and returns where its component
/// lies. What the tools have to say goes to standard error as it comes.
///
/// # Errors
/// Where the folder has no plugin, a tool is missing, or the plugin does not compile.
pub fn component(folder: &Path, manifest: &Manifest) -> Result<PathBuf> {
    match Language::of(folder)? {
        Language::Rust => cargo::component(folder),
        Language::Python => python::component(folder, manifest),
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn a_language_is_told_by_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let none = Language::of(folder.path()).expect_err("it is empty");
        assert!(
            none.to_string().contains("Cargo.toml, pyproject.toml"),
            "{none}"
        );
        std::fs::write(folder.path().join("pyproject.toml"), "").expect("written");
        assert_eq!(Language::of(folder.path()).ok(), Some(Language::Python));
        std::fs::write(folder.path().join("Cargo.toml"), "").expect("written");
        let both = Language::of(folder.path()).expect_err("it is two");
        assert!(both.to_string().contains("more than one"), "{both}");
    }
}
