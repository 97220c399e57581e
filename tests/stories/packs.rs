//! Small packs that stories install beside the shipped one.

use std::path::Path;

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use test_support::plugin_case;

/// The workflow of a pack with one: a note is written and done with.
pub(crate) const WORKFLOW: &str = r#"apiVersion: servicewright/v1
kind: Workflow
id: note
title: Note
number: NTE
see: { anyone: true }
edit: { agent: true }
fields:
  summary: { type: string, minLength: 1, maxLength: 200 }
  weight: { options: { light: {}, heavy: {} }, decided-by: weight }
tables:
  weight:
    hit: first
    gives: { weight: true }
    rows:
      long: { when: "summary != null && summary.size() > 20", then: { weight: heavy } }
      rest: { when: "true", then: { weight: light } }
create:
  write: { title: Write, to: open, permit: { anyone: true }, form: { summary: { required: true } } }
states:
  open:
    title: Open
    category: open
    transitions: { finish: { title: Finish, to: done, permit: { agent: true } } }
  done: { title: Done, category: closed, outcome: done }
"#;

/// A binding by which people are told notices, at an address outside; `grants` are what it may do beside
/// that, each on a line of its own.
pub(crate) fn channel(id: &str, workflow: &str, origin: &str, grants: &str) -> String {
    format!(
        "apiVersion: servicewright/v1
kind: Plugin
id: {id}
title: Channel
component: {{ file: webhook.wasm }}
hooks: {{ delivery: true }}
events: {{ notice: {{}} }}
settings: {{ deliver: {{ url: \"{origin}/{id}\" }} }}
grants:
  http: {{ \"{origin}\": true }}
  secrets: {{ key: {{ sign: true }} }}
  commands: {{ {workflow}: {{ comment: true }} }}
{grants}"
    )
}

const HEADER: &str = "apiVersion: servicewright/v1
kind: Pack
id: notes
version: 1.0.0
title: Notes
zone: UTC
roles: { agent: { title: Agent } }
";

const ROUTER: &str = "apiVersion: servicewright/v1
kind: Plugin
id: note-router
title: Note router
component: { file: skills-router.wasm }
hooks: { routing: true }
settings: { default_team: writers }
grants: { directory: { team: true, service: true } }
";

const TEAM: &str = "apiVersion: servicewright/v1
kind: Team
id: writers
title: Writers
";

/// A pack of the one workflow, perhaps a changed one.
pub(crate) fn note(workflow: &str) -> TempDir {
    folder(&[("pack.yaml", HEADER), ("workflows/note.yaml", workflow)])
}

/// A pack whose notes are routed by a plugin, told to a listener at this origin, and settle by
/// themselves after two seconds.
pub(crate) fn told(origin: &str) -> TempDir {
    let workflow = routed().replace(
        "permit: { agent: true } } }\n",
        "permit: { agent: true } }, settle: { title: Settle, to: done } }\n    \
         timers: { settle: { wait: { time: PT2S }, do: settle } }\n",
    );
    let outbox = format!(
        "apiVersion: servicewright/v1
kind: Plugin
id: outbox
title: Outbox
component: {{ file: webhook.wasm }}
hooks: {{ delivery: true }}
events: {{ created: {{}} }}
settings: {{ deliver: {{ url: \"{origin}/told\" }} }}
grants:
  http: {{ \"{origin}\": true }}
  secrets: {{ key: {{ sign: true }} }}
  commands: {{ note: {{ comment: true }} }}
"
    );
    folder(&[
        ("pack.yaml", HEADER),
        ("workflows/note.yaml", &workflow),
        ("plugins/note-router.yaml", ROUTER),
        ("plugins/outbox.yaml", &outbox),
        ("teams/writers.yaml", TEAM),
    ])
}

/// A pack of a workflow of notes that is routed by a plugin.
pub(crate) fn routed_note(workflow: &str) -> TempDir {
    folder(&[
        ("pack.yaml", HEADER),
        ("workflows/note.yaml", workflow),
        ("plugins/note-router.yaml", ROUTER),
        ("teams/writers.yaml", TEAM),
    ])
}

/// A pack whose notes are routed by a plugin that does what its settings say, none of it good.
pub(crate) fn misrouted(what: &str) -> TempDir {
    let router = format!(
        "apiVersion: servicewright/v1
kind: Plugin
id: note-router
title: Note router
component: {{ file: hostile.wasm }}
hooks: {{ routing: true }}
settings: {{ do: {what}, url: \"https://nowhere.example\" }}
grants:
  directory: {{ team: true }}
  http: {{ \"https://nowhere.example\": true }}
  secrets: {{ key: {{ sign: true }} }}
  commands: {{ note: {{ comment: true }} }}
  key-value: true
"
    );
    let folder = folder(&[
        ("pack.yaml", HEADER),
        ("workflows/note.yaml", &routed()),
        ("plugins/note-router.yaml", &router),
        ("teams/writers.yaml", TEAM),
    ]);
    let component = plugin_case("hostile");
    std::fs::copy(&component, folder.path().join("plugins/hostile.wasm"))
        .unwrap_or_else(|error| panic!("cannot copy {}: {error}", component.display()));
    folder
}

/// A pack of notes and of memos, and of bindings that hear signed requests, each with these grants beside its key.
pub(crate) fn heard(bindings: &[(String, Json)]) -> TempDir {
    let files: Vec<(String, String)> = bindings
        .iter()
        .map(|(id, grants)| {
            let mut grants = grants.clone();
            grants["secrets"] = json!({ "key": { "sign": true } });
            grants["http"] = json!({ "https://nowhere.example": true });
            let binding = format!(
                "apiVersion: servicewright/v1
kind: Plugin
id: {id}
title: Heard
component: {{ file: webhook.wasm }}
hooks: {{ webhook: true }}
settings: {{ receive: {{ secret: key }} }}
grants: {grants}
"
            );
            (format!("plugins/{id}.yaml"), binding)
        })
        .collect();
    let memo = WORKFLOW
        .replace("id: note", "id: memo")
        .replace("NTE", "MEM");
    let own = [
        ("pack.yaml", HEADER),
        ("workflows/note.yaml", WORKFLOW),
        ("workflows/memo.yaml", &memo),
        ("teams/writers.yaml", TEAM),
    ];
    let files = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()));
    folder(&files.chain(own).collect::<Vec<_>>())
}

/// A pack whose notes are routed by a vendor's plugin, bound like this.
pub(crate) fn routed_by(plugin: &str, binding: &str, component: &Path) -> TempDir {
    routed_with(plugin, binding, Some(component))
}

/// The same, of a component that the pack brings, or that it only names.
pub(crate) fn routed_with(plugin: &str, binding: &str, component: Option<&Path>) -> TempDir {
    let folder = folder(&[
        ("pack.yaml", HEADER),
        (
            "workflows/note.yaml",
            &routed().replace("note-router", plugin),
        ),
        (&format!("plugins/{plugin}.yaml"), binding),
        ("teams/writers.yaml", TEAM),
    ]);
    if let Some(component) = component {
        let beside = folder.path().join(format!("plugins/{plugin}.wasm"));
        std::fs::copy(component, beside).expect("the component is copied");
    }
    folder
}

/// A pack of the one workflow and a vendor's integration, bound like this.
pub(crate) fn bound(plugin: &str, binding: &str, component: &Path) -> TempDir {
    let folder = folder(&[
        ("pack.yaml", HEADER),
        ("workflows/note.yaml", WORKFLOW),
        (&format!("plugins/{plugin}.yaml"), binding),
    ]);
    let beside = folder.path().join(format!("plugins/{plugin}.wasm"));
    std::fs::copy(component, beside).expect("the component is copied");
    folder
}

/// A pack of the one workflow, and of a plugin that nothing in it asks, bound like this.
pub(crate) fn beside(plugin: &str, binding: &str, component: &[u8]) -> TempDir {
    let folder = note(WORKFLOW);
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins).expect("a folder");
    std::fs::write(plugins.join(format!("{plugin}.yaml")), binding).expect("written");
    std::fs::write(plugins.join(format!("{plugin}.wasm")), component).expect("written");
    folder
}

/// The workflow, its notes routed by a plugin.
fn routed() -> String {
    WORKFLOW
        .replace(
            "create:\n",
            "routing: { by: { plugin: note-router }, fallback: { team: writers } }\ncreate:\n",
        )
        .replace("to: open, permit", "to: open, route: true, permit")
}

pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        let parent = path.parent().expect("a file stands in a folder");
        std::fs::create_dir_all(parent).expect("a folder");
        std::fs::write(path, text).expect("written");
    }
    folder
}
