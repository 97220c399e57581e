//! Which files of a pack are definitions, of what kind, and what stands in their headers.

use crate::overlay::DefinitionKind;
use crate::source::{Diagnostic, Diagnostics, FileId, Node, Sources, nearest};
use model::id::{
    BindingId, CalendarId, CatalogueItemId, FragmentId, HolidaysId, LanguageTag, MigrationId,
    NoticeId, PackId, ScenarioId, ServiceLevelId, TeamId, WorkflowId,
};

/// The only version of the language there is.
const API_VERSION: &str = "servicewright/v1";

/// What a file is, going by where it stands within its pack.
pub(super) enum Place {
    /// `pack.yaml`.
    Header,
    /// A definition of this kind.
    Definition(DefinitionKind),
    /// No definition: a mapping, a note, a plugin's own file.
    Other,
}

/// Tells by its path and, where that is unclear, its text, what a file is.
pub(super) fn place(path: &str, within: &str, text: &str) -> Result<Place, Diagnostic> {
    let misplaced = |message: String| Err(Diagnostic::of_file(path, "misplaced", message));
    let (folder, name) = match within.split_once('/') {
        Some((folder, name)) => (Some(folder), name),
        None => (None, within),
    };
    let is_yaml = has_extension(name, "yaml");
    let kind = DefinitionKind::ALL
        .into_iter()
        .find(|kind| kind.folder().is_some() && kind.folder() == folder);
    if has_extension(name, "yml") && (kind.is_some() || within == "pack.yml") {
        return misplaced("a definition's file ends in `.yaml`".to_owned());
    }
    if !is_yaml {
        return Ok(Place::Other);
    }
    match (folder, kind) {
        (None, _) if name == "pack.yaml" => return Ok(Place::Header),
        (Some(folder), Some(_)) if name.contains('/') => {
            return misplaced(format!(
                "definitions stand directly in `{folder}/`, not in folders of it"
            ));
        }
        (_, Some(kind)) => return Ok(Place::Definition(kind)),
        _ => {}
    }
    if let Some(folder) = folder {
        let folders = DefinitionKind::ALL.iter().filter_map(|kind| kind.folder());
        if let Some(near) = nearest(folder, folders) {
            return misplaced(format!(
                "unknown folder `{folder}/`, did you mean `{near}/`?"
            ));
        }
    }
    match said_kind(text).and_then(DefinitionKind::from_name) {
        Some(DefinitionKind::Pack) => {
            misplaced("the header of a pack stands in `pack.yaml`".to_owned())
        }
        Some(kind) => {
            let folder = kind.folder().unwrap_or_default();
            misplaced(format!(
                "a {kind} stands in `{folder}/`; here it would not be read"
            ))
        }
        None => Ok(Place::Other),
    }
}

/// The kind that a file's text claims, without parsing it.
fn said_kind(text: &str) -> Option<&str> {
    let line = text.lines().find_map(|line| line.strip_prefix("kind:"))?;
    line.split_whitespace().next()
}

fn has_extension(name: &str, extension: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(stem, end)| !stem.is_empty() && end == extension)
}

/// A definition as one file has it: whole, or a patch.
pub(super) struct Written {
    /// Its kind.
    pub(super) kind: DefinitionKind,
    /// Its id.
    pub(super) id: String,
    /// Its text, header included.
    pub(super) node: Node,
}

/// Reads the header of a document and holds it to the folder that its file stands in.
pub(super) fn header(
    node: Node,
    file: FileId,
    expected: DefinitionKind,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Written> {
    let Some(map) = node.as_map() else {
        diagnostics.push(sources.error(node.span, "header", format!("a {expected} is a map")));
        return None;
    };
    let mut found = Diagnostics::new();
    if let Some(entry) = map.get("apiVersion")
        && entry.value.as_text() != Some(API_VERSION)
    {
        let message = format!("the only `apiVersion` there is reads `{API_VERSION}`");
        found.push(sources.error(entry.value.span, "header", message));
    }
    match map.get("kind") {
        None => {
            let message = format!("`kind` is missing: this folder holds `kind: {expected}`");
            found.push(sources.error(node.span, "header", message));
        }
        Some(entry) => match entry.value.as_text() {
            Some(text) if text == expected.as_str() => {}
            text => found.push(wrong_kind(text, entry.value.span, file, expected, sources)),
        },
    }
    let id = match map.get("id") {
        None => {
            found.push(sources.error(node.span, "header", "`id` is missing"));
            None
        }
        Some(entry) => match check_id(expected, entry.value.as_text()) {
            Ok(id) => Some(id),
            Err(message) => {
                found.push(sources.error(entry.value.span, "header", message));
                None
            }
        },
    };
    let sound = found.is_empty();
    diagnostics.append(found);
    id.filter(|_| sound).map(|id| Written {
        kind: expected,
        id,
        node,
    })
}

fn wrong_kind(
    text: Option<&str>,
    span: crate::source::Span,
    file: FileId,
    expected: DefinitionKind,
    sources: &Sources,
) -> Diagnostic {
    let Some(text) = text else {
        return sources.error(
            span,
            "header",
            format!("`kind` is a text, here `{expected}`"),
        );
    };
    if let Some(kind) = DefinitionKind::from_name(text) {
        let path = &sources.file(file).path;
        let right = kind
            .folder()
            .map_or_else(|| "`pack.yaml`".to_owned(), |folder| format!("`{folder}/`"));
        let message = format!("a {kind} stands in {right}, not in {path}");
        return sources.error(span, "header", message);
    }
    let names = DefinitionKind::ALL.iter().map(|kind| kind.as_str());
    match nearest(text, names) {
        Some(near) => sources.error(
            span,
            "header",
            format!("unknown kind `{text}`, did you mean `{near}`?"),
        ),
        None => sources.error(
            span,
            "header",
            format!("unknown kind `{text}`; here stands `{expected}`"),
        ),
    }
}

fn check_id(kind: DefinitionKind, text: Option<&str>) -> Result<String, String> {
    let text = text.ok_or("`id` is a text")?;
    let checked = match kind {
        DefinitionKind::Pack => PackId::new(text).map(drop),
        DefinitionKind::Workflow => WorkflowId::new(text).map(drop),
        DefinitionKind::Fragment => FragmentId::new(text).map(drop),
        DefinitionKind::CatalogueItem => CatalogueItemId::new(text).map(drop),
        DefinitionKind::Migration => MigrationId::new(text).map(drop),
        DefinitionKind::Translation => LanguageTag::new(text).map(drop),
        DefinitionKind::ServiceLevel => ServiceLevelId::new(text).map(drop),
        DefinitionKind::Calendar => CalendarId::new(text).map(drop),
        DefinitionKind::Holidays => HolidaysId::new(text).map(drop),
        DefinitionKind::Team => TeamId::new(text).map(drop),
        DefinitionKind::Notice => NoticeId::new(text).map(drop),
        DefinitionKind::Plugin => BindingId::new(text).map(drop),
        DefinitionKind::Scenario => ScenarioId::new(text).map(drop),
    };
    checked
        .map(|()| text.to_owned())
        .map_err(|error| error.to_string())
}
