//! Packs of many bindings, each of a workflow whose records one of its bindings routes.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// How many bindings a pack has.
const IN_A_PACK: usize = 100;

/// A pack, and how to ask one of its bindings.
pub(crate) struct Bindings {
    pub(crate) folder: TempDir,
    /// The workflow whose records are routed by a binding of the pack.
    pub(crate) workflow: String,
}

/// Packs that have so many bindings together, of one component or of one each.
pub(crate) fn of(bindings: usize, component: &[u8], distinct: bool) -> Vec<Bindings> {
    let firsts = (0..bindings).step_by(IN_A_PACK);
    firsts
        .map(|first| pack(first..bindings.min(first + IN_A_PACK), component, distinct))
        .collect()
}

fn pack(numbers: std::ops::Range<usize>, component: &[u8], distinct: bool) -> Bindings {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let first = numbers.start;
    write(&at.join("pack.yaml"), header(first).as_bytes());
    write(&at.join("workflows/note.yaml"), workflow(first).as_bytes());
    write(&at.join("teams/writers.yaml"), team(first).as_bytes());
    for number in numbers {
        let file = if distinct { number } else { first };
        let binding = at.join(format!("plugins/router-{number}.yaml"));
        write(&binding, bound(number, file, first).as_bytes());
        if file == number {
            let copy = if distinct {
                told_apart(component, number)
            } else {
                component.to_owned()
            };
            write(&at.join(format!("plugins/router-{file}.wasm")), &copy);
        }
    }
    Bindings {
        folder,
        workflow: format!("note-{first}"),
    }
}

/// The component with one section more, which nothing reads: it does the same under another digest.
fn told_apart(component: &[u8], number: usize) -> Vec<u8> {
    let name = format!("copy-{number}");
    let length = u8::try_from(name.len()).expect("a short name");
    let mut copy = component.to_owned();
    copy.extend([0, length + 1, length]);
    copy.extend(name.as_bytes());
    copy
}

fn header(first: usize) -> String {
    format!(
        "apiVersion: servicewright/v1
kind: Pack
id: notes-{first}
version: 1.0.0
title: Notes
zone: UTC
roles: {{ agent: {{ title: Agent }} }}
"
    )
}

fn workflow(first: usize) -> String {
    format!(
        "apiVersion: servicewright/v1
kind: Workflow
id: note-{first}
title: Note
number: N{first}
see: {{ anyone: true }}
edit: {{ agent: true }}
fields: {{ summary: {{ type: string, minLength: 1, maxLength: 200 }} }}
routing: {{ by: {{ plugin: router-{first} }}, fallback: {{ team: writers-{first} }} }}
create:
  write: {{ title: Write, to: open, route: true, permit: {{ anyone: true }}, form: {{ summary: {{ required: true }} }} }}
states:
  open:
    title: Open
    category: open
    transitions: {{ finish: {{ title: Finish, to: done, permit: {{ agent: true }} }} }}
  done: {{ title: Done, category: closed, outcome: done }}
"
    )
}

fn team(first: usize) -> String {
    format!(
        "apiVersion: servicewright/v1
kind: Team
id: writers-{first}
title: Writers
"
    )
}

fn bound(number: usize, file: usize, first: usize) -> String {
    format!(
        "apiVersion: servicewright/v1
kind: Plugin
id: router-{number}
title: Router
component: {{ file: router-{file}.wasm }}
hooks: {{ routing: true }}
settings: {{ default_team: writers-{first} }}
grants: {{ directory: {{ team: true, service: true }} }}
"
    )
}

fn write(path: &Path, bytes: &[u8]) {
    let folder = path.parent().expect("a file stands in a folder");
    fs::create_dir_all(folder).expect("a folder");
    fs::write(path, bytes).expect("written");
}
