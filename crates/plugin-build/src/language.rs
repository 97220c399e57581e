//! The language of a plugin, which tells how it is built.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::{cargo, javascript, python};

/// What a plugin is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Rust,
    /// Or TypeScript.
    JavaScript,
    Python,
}

/// Languages by the file that a folder has where its plugin is written in one.
const LANGUAGES: [(&str, Language); 3] = [
    ("Cargo.toml", Language::Rust),
    ("package.json", Language::JavaScript),
    ("pyproject.toml", Language::Python),
];

/// Builds the plugin in a folder and returns where its component lies. What the tools of its language
/// have to say goes to standard error as it comes.
///
/// # Errors
/// Where the folder has no plugin, the tools of its language are missing, or it does not compile.
pub fn component(folder: &Path) -> Result<PathBuf> {
    match language(folder)? {
        Language::Rust => cargo::component(folder),
        Language::JavaScript => javascript::component(folder),
        Language::Python => python::component(folder),
    }
}

fn language(folder: &Path) -> Result<Language> {
    let found = LANGUAGES
        .iter()
        .find(|(file, _)| folder.join(file).is_file());
    let Some((_, language)) = found else {
        let files: Vec<_> = LANGUAGES.iter().map(|(file, _)| *file).collect();
        bail!(
            "{} holds no plugin: it has none of {}",
            folder.display(),
            files.join(", ")
        );
    };
    Ok(*language)
}

#[cfg(test)]
mod tests {
    use super::{Language, language};

    #[test]
    fn the_language_is_told_by_what_lies_in_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = language(folder.path()).expect_err("it is empty");
        assert!(
            error
                .to_string()
                .contains("none of Cargo.toml, package.json, pyproject.toml"),
            "{error}"
        );
        std::fs::write(folder.path().join("pyproject.toml"), "").expect("written");
        assert_eq!(
            language(folder.path()).expect("a language"),
            Language::Python
        );
        std::fs::write(folder.path().join("package.json"), "{}").expect("written");
        assert_eq!(
            language(folder.path()).expect("a language"),
            Language::JavaScript
        );
        std::fs::write(folder.path().join("Cargo.toml"), "").expect("written");
        assert_eq!(language(folder.path()).expect("a language"), Language::Rust);
    }
}
