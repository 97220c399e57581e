//! `wright pack lint` and `wright pack show`: what is wrong with a pack, and what its definitions
//! come to once every adaptation is laid over what it adapts.

use std::path::Path;

use anyhow::{Result, bail};
use definition::compile::{Fault, Spot};
use definition::lint::{Staff, lint_with};
use definition::overlay::DefinitionKind;
use definition::pack::Pack;
use definition::source::{Diagnostic, Diagnostics, Severity, nearest};
use model::definition::Component;
use serde::Serialize;

use super::install::files;
use super::{Outcome, people, print};
use crate::cli::Format;
use crate::pack_files::PackFiles;

/// What the linter says of a pack.
#[derive(Serialize)]
struct Report<'r> {
    /// How many errors; where there is one, the pack is not installed.
    errors: usize,
    /// How many warnings.
    warnings: usize,
    /// What was found, by file and line.
    diagnostics: Vec<&'r Diagnostic>,
}

impl<'r> Report<'r> {
    fn of(found: &'r Diagnostics) -> Self {
        let diagnostics: Vec<&Diagnostic> = found.iter().collect();
        let warns = |one: &&&Diagnostic| one.severity == Severity::Warning;
        let warnings = diagnostics.iter().filter(warns).count();
        // Those past the bound are counted and not kept.
        let errors = found.len() - warnings;
        Self {
            errors,
            warnings,
            diagnostics,
        }
    }

    fn told(&self, found: &Diagnostics) -> String {
        if found.is_empty() {
            return "nothing is wrong".to_owned();
        }
        format!(
            "{found}\n\n{} and {}",
            counted(self.errors, "error"),
            counted(self.warnings, "warning")
        )
    }
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Prints what is wrong with the pack in a folder, or with a shipped one; with a directory, held against
/// those who are there.
pub(super) fn lint(pack: &str, directory: Option<&Path>, format: Format) -> Result<Outcome> {
    let staff = match directory {
        Some(folder) => Some(Staff::of(&people::read(folder)?)),
        None => None,
    };
    let found = findings(&files(pack)?, staff.as_ref());
    let report = Report::of(&found);
    print(format, &report, || report.told(&found))?;
    Ok(Outcome::done_if(report.errors == 0))
}

pub(super) fn findings(files: &PackFiles, staff: Option<&Staff>) -> Diagnostics {
    let pack = match Pack::read(&files.texts) {
        Ok(pack) => pack,
        Err(found) => return found,
    };
    let missing = pack
        .plugins
        .iter()
        .filter_map(|(id, plugin)| match &plugin.value.component {
            Component::File(file) if files.component(file).is_none() => Some(Fault {
                kind: DefinitionKind::Plugin,
                id: id.to_string(),
                rule: "missing-component",
                severity: Severity::Warning,
                path: vec!["component".to_owned(), "file".to_owned()],
                spot: Spot::Key,
                message: format!(
                    "`{file}` is neither in the folder `plugins`, nor does wright ship it"
                ),
                help: None,
            }),
            _ => None,
        });
    lint_with(&pack, staff, missing.collect())
}

/// A definition as it is once merged.
#[derive(Serialize)]
struct Shown {
    kind: &'static str,
    text: String,
}

/// Prints the merged definitions of an id; explained, each line behind the pack it comes from.
pub(super) fn show(id: &str, pack: &str, explained: bool, format: Format) -> Result<Outcome> {
    let shown = merged(id, &files(pack)?, explained)?;
    print(format, &shown, || {
        let texts: Vec<&str> = shown.iter().map(|one| one.text.trim_end()).collect();
        texts.join("\n---\n")
    })?;
    Ok(Outcome::Done)
}

fn merged(id: &str, files: &PackFiles, explained: bool) -> Result<Vec<Shown>> {
    let pack = Pack::read(&files.texts)?;
    let shown: Vec<Shown> = pack
        .show(id, explained)
        .into_iter()
        .map(|(kind, text)| Shown {
            kind: kind.as_str(),
            text,
        })
        .collect();
    if shown.is_empty() {
        let meant = nearest(id, pack.trees().map(|(_, id, _)| id));
        let meant = meant.map_or_else(String::new, |id| format!("; did you mean `{id}`?"));
        bail!(
            "the pack {} has no definition with the id `{id}`{meant}",
            pack.id
        );
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use definition::source::Severity;

    use super::{PackFiles, Report, findings, merged};

    fn shipped() -> PackFiles {
        PackFiles::shipped("itil").expect("shipped")
    }

    #[test]
    fn the_shipped_pack_has_no_fault_but_components_that_were_not_built() {
        let found = findings(&shipped(), None);
        let report = Report::of(&found);
        assert_eq!(report.errors, 0, "{found}");
        assert!(
            found
                .iter()
                .all(|one| one.rule == "missing-component" && one.severity == Severity::Warning)
        );
    }

    #[test]
    fn a_pack_that_does_not_read_is_told_of_like_one_that_does() {
        let mut files = shipped();
        files
            .texts
            .insert("workflows/broken.yaml".to_owned(), "kind: [".to_owned());
        let found = findings(&files, None);
        assert!(Report::of(&found).errors > 0);
        assert!(found.iter().any(|one| one.file == "workflows/broken.yaml"));
    }

    #[test]
    fn each_line_of_an_adaptation_says_whose_it_is() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/volvo");
        let files = PackFiles::read(&folder).expect("a pack");
        let shown = merged("incident", &files, true).expect("the example names its base's digest");
        assert_eq!(shown[0].kind, "Workflow");
        let lines: Vec<&str> = shown[0].text.lines().collect();
        assert!(lines.iter().any(|line| line.starts_with("itil ")));
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("volvo |") && line.contains("unmatched-unmatched"))
        );
    }

    #[test]
    fn an_id_that_no_definition_has_is_answered_with_a_near_one() {
        let Err(error) = merged("incidnet", &shipped(), false) else {
            panic!("no definition is called so");
        };
        assert!(
            error.to_string().contains("did you mean `incident`?"),
            "{error}"
        );
    }
}
