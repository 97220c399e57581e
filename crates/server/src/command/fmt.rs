//! `wright pack fmt`: the files of a pack in one style.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use definition::format::{FormatError, format as styled};
use serde::Serialize;

use super::{Outcome, print};
use crate::cli::Format;
use crate::pack_files::PackFiles;

/// What became of the files.
#[derive(Default, Serialize)]
struct Report {
    /// Those that were, or would be, written anew.
    formatted: Vec<String>,
    /// How many were in style already.
    unchanged: usize,
    /// Those that stay as they are, each with the reason.
    left: Vec<Left>,
}

#[derive(Serialize)]
struct Left {
    file: String,
    why: String,
}

pub(super) fn run(folder: &Path, check: bool, format: Format) -> Result<Outcome> {
    let report = formatted(folder, check)?;
    print(format, &report, || report.told(check))?;
    let sound = report.left.is_empty() && (!check || report.formatted.is_empty());
    Ok(Outcome::done_if(sound))
}

fn formatted(folder: &Path, check: bool) -> Result<Report> {
    let files = PackFiles::own(folder)?;
    let mut report = Report::default();
    for (file, text) in files.texts {
        // What stands in `base/` is another pack's, and changes only as a whole.
        if file.starts_with("base/") {
            continue;
        }
        match styled(&text) {
            Ok(new) if new == text => report.unchanged += 1,
            Ok(new) => {
                if !check {
                    let path = folder.join(&file);
                    let cannot = || format!("cannot write {}", path.display());
                    write(&path, &new).with_context(cannot)?;
                }
                report.formatted.push(file);
            }
            Err(error) => {
                let why = match &error {
                    FormatError::Unreadable(found) => format!("{error}:\n{found}"),
                    FormatError::Unsafe => error.to_string(),
                };
                report.left.push(Left { file, why });
            }
        }
    }
    Ok(report)
}

/// Writes a file beside and moves it into place, so that there is always a whole one.
fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut beside, text.as_bytes())?;
    fs::set_permissions(beside.path(), fs::metadata(path)?.permissions())?;
    beside.persist(path)?;
    Ok(())
}

impl Report {
    fn told(&self, check: bool) -> String {
        let did = if check {
            "would be formatted"
        } else {
            "formatted"
        };
        let mut lines: Vec<String> = self
            .formatted
            .iter()
            .map(|file| format!("{did}: {file}"))
            .collect();
        lines.extend(
            self.left
                .iter()
                .map(|left| format!("{}: {}", left.file, left.why)),
        );
        if lines.is_empty() {
            let files = if self.unchanged == 1 {
                "file is"
            } else {
                "files are"
            };
            return format!("{} {files} in style", self.unchanged);
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::formatted;

    #[test]
    fn files_are_checked_or_written_and_what_cannot_be_read_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let header = folder.path().join("pack.yaml");
        let broken = folder.path().join("broken.yaml");
        let text = "id: a   \nkind: Pack\nversion: 1.0.0\ntitle: A\n";
        fs::write(&header, text).expect("written");
        fs::write(&broken, "kind: [").expect("written");
        let checked = formatted(folder.path(), true).expect("checked");
        assert_eq!(checked.formatted, ["pack.yaml"]);
        assert_eq!(fs::read_to_string(&header).expect("there"), text);
        let done = formatted(folder.path(), false).expect("formatted");
        assert_eq!(done.left[0].file, "broken.yaml");
        assert_eq!(fs::read_to_string(&broken).expect("there"), "kind: [");
        let again = formatted(folder.path(), true).expect("checked");
        assert!(again.formatted.is_empty());
        let text = fs::read_to_string(&header).expect("there");
        assert_eq!(text, "kind: Pack\nid: a\nversion: 1.0.0\ntitle: A\n");
    }
}
