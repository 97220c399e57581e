//! `wright pack new`: a folder to begin a pack or an adaptation in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use definition::overlay::DefinitionKind;
use definition::pack::{Pack, PackRef};
use definition::schema::{file_name, patch, whole};
use model::id::PackId;
use serde_json::json;

use super::install::files as pack_files;
use super::print;
use crate::cli::Format;
use crate::command::Outcome;
use crate::pack_files::PackFiles;

/// Where the schemas that editors read stand in the new folder.
const SCHEMAS: &str = ".schemas";

pub(super) fn run(name: &PackId, extends: Option<&str>, format: Format) -> Result<Outcome> {
    let folder = PathBuf::from(name.as_str());
    let files = match extends {
        Some(base) => adaptation(name, base)?,
        None => own(name),
    };
    make(&folder, &files)?;
    let made = json!({ "folder": folder, "files": files.keys().collect::<Vec<_>>() });
    print(format, &made, || {
        format!("{name} is made. Now:\n  cd {name}\n  wright pack lint\n  wright pack fmt --check")
    })?;
    Ok(Outcome::Done)
}

/// Writes the files to a folder that is new or empty.
fn make(folder: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    let cannot = || format!("cannot make {}", folder.display());
    if folder.exists()
        && std::fs::read_dir(folder)
            .with_context(cannot)?
            .next()
            .is_some()
    {
        bail!(
            "there is something in the folder {} already: take another name, or empty it",
            folder.display()
        );
    }
    for (path, text) in files {
        let path = folder.join(path);
        let cannot = || format!("cannot write {}", path.display());
        std::fs::create_dir_all(path.parent().unwrap_or(folder)).with_context(cannot)?;
        std::fs::write(&path, text).with_context(cannot)?;
    }
    Ok(())
}

/// The comment by which editors find the schema of a file, which stands so deep in the pack.
fn modeline(kind: DefinitionKind, is_patch: bool) -> String {
    let up = if kind.folder().is_some() { "../" } else { "" };
    let schema = file_name(kind, is_patch);
    format!(
        "# yaml-language-server: $schema={up}{SCHEMAS}/{}\n",
        schema.display()
    )
}

fn schemas() -> impl Iterator<Item = (String, String)> {
    DefinitionKind::ALL.into_iter().flat_map(|kind| {
        [(false, whole(kind)), (true, patch(kind))].map(|(is_patch, schema)| {
            let path = format!("{SCHEMAS}/{}", file_name(kind, is_patch).display());
            (path, format!("{schema:#}\n"))
        })
    })
}

/// A title of words for people.
fn title(name: &PackId) -> String {
    let mut title = name.as_str().replace('-', " ");
    title[..1].make_ascii_uppercase();
    title
}

/// A pack that stands on another.
fn adaptation(name: &PackId, base: &str) -> Result<BTreeMap<String, String>> {
    let (base_files, beside) = base_of(base)?;
    let pack = Pack::read(&base_files.texts)?;
    let Some(below) = pack.chain.last() else {
        bail!("the pack {} stands on nothing, not even itself", pack.id);
    };
    if below.id == *name {
        bail!("the new pack cannot have the name of the one that it extends");
    }
    let mut files: BTreeMap<String, String> = schemas().collect();
    let header = format!(
        "{}apiVersion: servicewright/v1\nkind: Pack\nid: {name}\nversion: 0.1.0\ntitle: {}\nextends: {{ pack: {}, version: {}, digest: \"{}\" }}\n",
        modeline(DefinitionKind::Pack, true),
        title(name),
        below.id,
        below.version,
        below.digest
    );
    files.insert("pack.yaml".to_owned(), header);
    files.extend(example(&pack));
    files.insert("README.md".to_owned(), readme(name, Some(below)));
    files.insert("scenarios/README.md".to_owned(), SCENARIOS.to_owned());
    if beside {
        let texts = base_files.texts.into_iter();
        files.extend(texts.map(|(path, text)| (format!("base/{path}"), text)));
    }
    Ok(files)
}

/// The files of the pack to extend, and whether they have to stand in `base/`: those of a shipped pack
/// do not.
fn base_of(base: &str) -> Result<(PackFiles, bool)> {
    if Path::new(base).is_dir() {
        return Ok((PackFiles::read(Path::new(base))?, true));
    }
    Ok((pack_files(base)?, false))
}

/// A patch of the first workflow of a pack, which adds nothing yet: what it would add are comments.
fn example(pack: &Pack) -> Option<(String, String)> {
    let (id, workflow) = pack
        .workflows
        .get_key_value("incident")
        .or_else(|| pack.workflows.first())?;
    let field = workflow.value.fields.keys().next()?;
    let state = workflow.value.states.keys().next()?;
    let text = format!(
        "{}apiVersion: servicewright/v1
kind: Workflow
id: {id}
# What stands here is laid over `{id}` of {base}: it says only what differs. `null` removes.
# `wright pack show {id} --explain` prints the whole, each line behind the pack it comes from.
#
# A field of your own, behind `{field}`:
# fields:
#   cost_centre: {{ place: {{ after: {field} }}, type: string, pattern: \"^[0-9]{{4}}$\", label: Cost centre }}
#
# Another name for a state:
# states:
#   {state}: {{ title: Your word for it }}
",
        modeline(DefinitionKind::Workflow, true),
        base = pack.id,
    );
    Some((format!("workflows/{id}.yaml"), text))
}

/// A pack of its own, with the smallest workflow that is one.
fn own(name: &PackId) -> BTreeMap<String, String> {
    let header = format!(
        "{}apiVersion: servicewright/v1\nkind: Pack\nid: {name}\nversion: 0.1.0\ntitle: {}\nserver: \">=0.1\"\nzone: UTC\nlanguage: en\nroles:\n  agent: {{ title: Agent }}\n",
        modeline(DefinitionKind::Pack, false),
        title(name)
    );
    let workflow = modeline(DefinitionKind::Workflow, false) + OWN_WORKFLOW;
    let mut files: BTreeMap<String, String> = schemas().collect();
    files.insert("pack.yaml".to_owned(), header);
    files.insert("workflows/errand.yaml".to_owned(), workflow);
    files.insert("README.md".to_owned(), readme(name, None));
    files.insert("scenarios/README.md".to_owned(), SCENARIOS.to_owned());
    files
}

const OWN_WORKFLOW: &str = "apiVersion: servicewright/v1
kind: Workflow
id: errand
title: Errand
number: ERR
# Who may see records, and who may change their fields outside forms.
see: { agent: true, requester: true }
edit: { agent: true }
fields:
  summary: { type: string, minLength: 3, maxLength: 200, label: What is to be done? }
# The ways to begin.
create:
  ask: { title: Ask, to: new, permit: { anyone: true }, form: { summary: { required: true } } }
states:
  new:
    category: open
    transitions:
      finish: { title: Done, to: closed, permit: { agent: true } }
  closed: { category: closed, outcome: done }
";

const SCENARIOS: &str = "# Scenarios

What the workflows of this pack must do, told as cases: who does what, when, and what is expected then.
A scenario is a file `NAME.yaml` in this folder.
";

fn readme(name: &PackId, base: Option<&PackRef>) -> String {
    let what = match base {
        Some(base) => format!(
            "What differs at this desk from the pack `{}` {}. Everything else is as it is there.",
            base.id, base.version
        ),
        None => "The workflows of this desk.".to_owned(),
    };
    format!(
        "# {title}

{what}

- `pack.yaml`: name, version{extends}
- `workflows/`: one workflow a file
- `scenarios/`: what they must do
- `{SCHEMAS}/`: by these, editors complete keys and tell what they mean

```
wright pack lint              # what is wrong with it
wright pack show ID --explain # what a definition comes to, and which pack says so
wright pack fmt               # one style for all files
wright pack install .         # puts it in force
```
",
        title = title(name),
        extends = if base.is_some() {
            " and the pack that it extends"
        } else {
            ""
        },
    )
}

#[cfg(test)]
mod tests {
    use model::id::PackId;

    use super::{adaptation, make, own};
    use crate::command::pack::findings;
    use crate::pack_files::PackFiles;

    fn id(name: &str) -> PackId {
        PackId::new(name).expect("a name")
    }

    #[test]
    fn a_new_pack_is_sound_and_in_style_at_once() {
        let outer = tempfile::tempdir().expect("a folder");
        let packs = [
            ("own", own(&id("our-own"))),
            (
                "adapted",
                adaptation(&id("our-desk"), "itil").expect("shipped"),
            ),
        ];
        for (name, files) in packs {
            let folder = outer.path().join(name);
            make(&folder, &files).expect("made");
            let read = PackFiles::read(&folder).expect("a pack");
            let found = findings(&read, None);
            let own = found.iter().filter(|one| one.rule != "missing-component");
            assert_eq!(own.count(), 0, "{found}");
            for (path, text) in files.iter().filter(|(_, text)| text.contains("\nkind: ")) {
                assert_eq!(
                    &definition::format::format(text).expect("reads"),
                    text,
                    "{path}"
                );
                let line = text.lines().next().expect("a line");
                let schema = line.split("$schema=").nth(1).expect("a modeline");
                let beside = folder.join(path).parent().expect("a folder").join(schema);
                assert!(beside.exists(), "{path}: {}", beside.display());
            }
            let again = make(&folder, &files).expect_err("there is something");
            assert!(again.to_string().contains("take another name"), "{again}");
        }
    }

    #[test]
    fn an_adaptation_may_stand_on_one_in_a_folder() {
        let outer = tempfile::tempdir().expect("a folder");
        let group = outer.path().join("group");
        make(&group, &adaptation(&id("group"), "itil").expect("shipped")).expect("made");
        let base = group.to_str().expect("a path of text");
        let files = adaptation(&id("country"), base).expect("it reads");
        let country = outer.path().join("country");
        make(&country, &files).expect("made");
        let pack = definition::pack::Pack::read(&PackFiles::read(&country).expect("read").texts);
        let pack = pack.unwrap_or_else(|found| panic!("{found}"));
        let chain: Vec<&str> = pack.chain.iter().map(|pack| pack.id.as_str()).collect();
        assert_eq!(chain, ["itil", "group", "country"]);
    }

    #[test]
    fn another_version_than_the_shipped_one_is_refused() {
        let error = adaptation(&id("ours"), "itil@9.9.9").expect_err("not shipped");
        let told = error.to_string();
        assert!(
            told.contains("itil@9.9.9") && told.contains("itil@1.0.0"),
            "{told}"
        );
        assert!(adaptation(&id("itil"), "itil").is_err());
    }
}
