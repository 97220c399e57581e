//! The committed schemas are those of the types, and the loader holds to them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jsonschema::Validator;

use super::*;
use crate::pack::Pack as ReadPack;

/// The text files of a folder and its folders, by their path in it.
pub(crate) fn read_folder(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder of the repository") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let name = path
                    .strip_prefix(folder)
                    .expect("it was found there")
                    .to_string_lossy()
                    .replace('\\', "/");
                found.insert(name, text);
            }
        }
    }
    found
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::options()
        .build(schema)
        .expect("a valid schema")
}

fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn the_published_schemas_are_those_of_the_types() {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas");
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
    for kind in DefinitionKind::ALL {
        for (is_patch, schema) in [(false, whole(kind)), (true, patch(kind))] {
            let path = folder.join(file_name(kind, is_patch));
            let text = serde_json::to_string_pretty(&schema).expect("plain data") + "\n";
            if update {
                std::fs::create_dir_all(&folder).expect("the folder can be made");
                std::fs::write(&path, &text).expect("the file can be written");
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                committed == text,
                "{} is out of date: run this test with UPDATE_SCHEMAS=1",
                path.display()
            );
        }
    }
}

#[test]
fn the_published_reference_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/definitions/reference.md");
    let text = reference();
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        std::fs::write(&path, &text).expect("the file can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "{} is out of date: run this test with UPDATE_SCHEMAS=1",
        path.display()
    );
    for kind in DefinitionKind::ALL {
        assert!(text.contains(&format!("\n## {kind}\n")), "{kind}");
    }
    // Every key of the largest kind, and every part that is linked to.
    let schema = whole(DefinitionKind::Workflow);
    for key in schema["properties"].as_object().expect("keys").keys() {
        assert!(text.contains(&format!("`{key}`")), "{key}");
    }
    for link in text.split("](#").skip(1) {
        let part = link.split(')').next().expect("an end");
        let headed = text
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .any(|line| line.trim_start_matches('#').trim().to_lowercase() == part);
        assert!(headed, "nothing is headed {part}");
    }
}

#[test]
fn what_the_loader_takes_fits_the_schemas() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/itil");
    let pack = ReadPack::read(&read_folder(&folder)).unwrap_or_else(|found| panic!("{found}"));
    // Of an item of the catalogue, what is written; the tree beside it is that of a whole workflow.
    let items = pack.catalogue.values().map(|it| &it.item.tree);
    let items = items.map(|tree| (DefinitionKind::CatalogueItem, tree.root.to_json()));
    let others = pack
        .trees()
        .filter(|(kind, ..)| *kind != DefinitionKind::CatalogueItem);
    let trees = others.map(|(kind, _, tree)| (kind, tree.root.to_json()));
    let trees = trees.chain(items);
    let header = (DefinitionKind::Pack, pack.tree.root.to_json());
    let mut checked = 0;
    for (kind, json) in trees.chain([header]) {
        assert_eq!(
            faults(&validator(&whole(kind)), &json),
            [""; 0],
            "{kind}: {json}"
        );
        assert_eq!(
            faults(&validator(&patch(kind)), &json),
            [""; 0],
            "{kind}: {json}"
        );
        checked += 1;
    }
    assert!(checked > 10);
}

/// Definitions that are wrong in one thing each, by kind.
const WRONG: [(&str, &str); 12] = [
    ("Team", "title: Desk\ncalender: office\n"),
    ("Team", "title: 7\n"),
    ("Team", "{}\n"),
    ("Calendar", "zone: UTC\nhours: { monday: {} }\n"),
    ("Calendar", "zone: UTC\nhours: { mon: { all: \"8-12\" } }\n"),
    ("Calendar", "zone: UTC\nday: 8h\n"),
    (
        "Notice",
        "to: { requester: perhaps }\nsubject: x\ntext: x\n",
    ),
    (
        "ServiceLevel",
        "type: sli\nfor: {}\ncalendar: { named: office }\ntargets: {}\n",
    ),
    (
        "ServiceLevel",
        "type: sla\nfor: {}\ncalendar: { named: office, cel: x }\ntargets: {}\n",
    ),
    (
        "Plugin",
        "component: { file: x.wasm }\nhooks: { rooting: true }\n",
    ),
    (
        "Workflow",
        "title: x\nnumber: INC\ncreate: {}\nstates: { New: { category: open } }\n",
    ),
    (
        "Workflow",
        "title: x\nnumber: INC\ncreate: {}\nstates: { new: { category: open, transitions: { a: { permit: { agent: 1 } } } } }\n",
    ),
];

#[test]
fn what_the_loader_refuses_does_not_fit_the_schemas() {
    const PACK: &str = "kind: Pack\nid: p\nversion: 1.0.0\ntitle: P\nzone: UTC\n";
    for (name, body) in WRONG {
        let kind = DefinitionKind::from_name(name).expect("a kind");
        let text = if body == "{}\n" {
            format!("kind: {name}\nid: x\n")
        } else {
            format!("kind: {name}\nid: x\n{body}")
        };
        let path = format!("{}/x.yaml", kind.folder().expect("not the header"));
        let files = BTreeMap::from([
            ("pack.yaml".to_owned(), PACK.to_owned()),
            (path, text.clone()),
        ]);
        assert!(ReadPack::read(&files).is_err(), "{text}");
        let mut sources = crate::source::Sources::new();
        let file = sources.add("x", None, &text);
        let documents = crate::source::load(&sources, file, &mut crate::source::Diagnostics::new())
            .expect("YAML");
        let json = documents[0].to_json();
        assert_ne!(faults(&validator(&whole(kind)), &json), [""; 0], "{text}");
        // A patch need not be whole, and may change one choice into another.
        if body != "{}\n" && !body.contains("cel: x") {
            assert_ne!(faults(&validator(&patch(kind)), &json), [""; 0], "{text}");
        }
    }
}

#[test]
fn patches_remove_and_place_and_nothing_is_null_in_whole_files() {
    let patched = serde_json::json!({
        "kind": "Workflow", "id": "incident", "edit": null,
        "fields": { "summary": { "label": "What?" }, "old": null, "impact": { "options": { "low": null }, "default": null } },
        "states": {
            "new": { "transitions": { "start": null, "triage": { "to": "triage", "permit": { "agent": true, "requester": null } } } },
            "triage": { "place": { "after": "new" }, "category": "open", "timers": { "t": { "wait": { "time": "PT2H" } } } },
            "waiting": { "transitions": { "resolve": { "effects": { "tell": { "notice": null, "plugin": "pager" } } } } }
        },
        "tables": { "priority": { "rows": { "vip": { "place": { "before": "rest" }, "when": "true", "then": { "priority": "p1" } } } } }
    });
    assert_eq!(
        faults(&validator(&patch(DefinitionKind::Workflow)), &patched),
        [""; 0]
    );
    assert_ne!(
        faults(&validator(&whole(DefinitionKind::Workflow)), &patched),
        [""; 0]
    );
    let wrong = serde_json::json!({ "kind": "Workflow", "id": "incident", "states": { "new": { "place": { "beside": "x" } } } });
    assert_ne!(
        faults(&validator(&patch(DefinitionKind::Workflow)), &wrong),
        [""; 0]
    );
    // These are patches, or parts of one, whole as they are.
    let patches = [DefinitionKind::Fragment, DefinitionKind::CatalogueItem];
    for kind in DefinitionKind::ALL
        .into_iter()
        .filter(|kind| !patches.contains(kind))
    {
        assert!(!whole(kind).to_string().contains("\"null\""), "{kind}");
    }
}
