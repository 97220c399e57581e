//! Laws of upgrading, over bases, new bases and adaptations made up at random.
//!
//! What is made up is of the shape of workflows without being one that could run: the laws are about
//! paths, values and names. It is made from a tape of random bytes, so that what fails shrinks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::{ConflictKind, Request, Side, Take, Upgrade, upgrade_unread};
use super::Files;
use crate::overlay::DefinitionKind;
use crate::pack::chain::{load, merge};
use crate::source::{Node, Sources};

/// Decisions, one byte each; past its end all are 0.
struct Tape<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Tape<'_> {
    fn below(&mut self, count: usize) -> usize {
        let byte = self.bytes.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        usize::from(byte) % count
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

/// What may stand below a key.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Fields,
    Field,
    Options,
    States,
    State,
    Transitions,
    Transition,
    Form,
    Timers,
    Timer,
    Wait,
    Label,
    Names,
    To,
    When,
}

/// Names that are renamed in some laws: as texts they stand nowhere but where they are names.
const FIELDS: [&str; 3] = ["fa", "fb", "fc"];
const STATES: [&str; 3] = ["sa", "sb", "sc"];
const OTHERS: [&str; 4] = ["ka", "kb", "kc", "kd"];

impl Shape {
    /// The keys of a map of this shape, each with what stands below it.
    fn keys(self) -> Vec<(&'static str, Self)> {
        let all = |keys: &[&'static str], shape| keys.iter().map(|key| (*key, shape)).collect();
        match self {
            Self::Fields => all(&["fa", "fb", "fc", "fd"], Self::Field),
            Self::Field => vec![
                ("label", Self::Label),
                ("options", Self::Options),
                ("value", Self::When),
                ("override", Self::Names),
            ],
            Self::Options => all(&OTHERS, Self::Names),
            Self::States => all(&["sa", "sb", "sc", "sd"], Self::State),
            Self::State => vec![
                ("title", Self::Label),
                ("transitions", Self::Transitions),
                ("timers", Self::Timers),
            ],
            Self::Transitions => all(&OTHERS, Self::Transition),
            Self::Transition => vec![
                ("to", Self::To),
                ("title", Self::Label),
                ("form", Self::Form),
                ("from", Self::Names),
            ],
            Self::Form => all(&FIELDS, Self::Names),
            Self::Timers => all(&OTHERS, Self::Timer),
            Self::Timer => vec![
                ("wait", Self::Wait),
                ("jitter", Self::Label),
                ("while", Self::When),
                ("repeat", Self::Label),
            ],
            Self::Wait => vec![("time", Self::Label), ("business", Self::Label)],
            Self::Names => all(&["xa", "xb"], Self::Label),
            Self::Label | Self::To | Self::When => Vec::new(),
        }
    }

    /// A value of this shape.
    fn value(self, tape: &mut Tape<'_>) -> Value {
        match self {
            Self::Label => tape.one(&[
                json!(1),
                json!("one"),
                json!("two words"),
                json!(true),
                json!([1, 2]),
                json!({}),
                json!("a # b: c"),
            ]),
            Self::To => json!(tape.one(&STATES)),
            Self::When => {
                let field = tape.one(&FIELDS);
                let state = tape.one(&STATES);
                json!(tape.one(&[
                    format!("{field} != null"),
                    format!("record.state == '{state}' && size({field}) > 1"),
                    format!("tasks.all(t, t.id != {field})"),
                ]))
            }
            _ => {
                let mut map = Map::new();
                for (key, shape) in self.keys() {
                    if tape.below(3) > 0 {
                        map.insert(key.to_owned(), shape.value(tape));
                    }
                }
                Value::Object(map)
            }
        }
    }

    /// Another value, made from one.
    fn changed(self, value: &Value, tape: &mut Tape<'_>, is_needed: bool) -> Option<Value> {
        let Value::Object(map) = value else {
            return match tape.below(4) {
                0 if !is_needed => None,
                1 => Some(self.value(tape)),
                _ => Some(value.clone()),
            };
        };
        if !is_needed && tape.below(5) == 1 {
            return None;
        }
        let mut changed = Map::new();
        for (key, shape) in self.keys() {
            let needed = FIELDS.contains(&key) && self == Self::Fields
                || STATES.contains(&key) && self == Self::States;
            match map.get(key) {
                Some(value) => changed.extend(
                    shape
                        .changed(value, tape, needed)
                        .map(|value| (key.to_owned(), value)),
                ),
                None if tape.below(4) == 1 => {
                    changed.insert(key.to_owned(), shape.value(tape));
                }
                None => {}
            }
        }
        Some(Value::Object(changed))
    }

    /// A patch on a value.
    fn patch(self, value: Option<&Value>, tape: &mut Tape<'_>) -> Option<Value> {
        let is_choice = self == Self::Wait;
        let Some(Value::Object(map)) = value.filter(|_| !is_choice) else {
            return match (value, tape.below(6)) {
                (Some(_), 1) => Some(Value::Null),
                (_, 2 | 3) => {
                    Some(self.value(tape)).filter(|value| !is_choice || *value != json!({}))
                }
                _ => None,
            };
        };
        let mut patch = Map::new();
        for (key, shape) in self.keys() {
            let value = map.get(key);
            let part = match tape.below(8) {
                1 if value.is_some() => Some(Value::Null),
                2 | 3 => None,
                _ => shape.patch(value, tape),
            };
            // A new key may want its place.
            let part = match part {
                Some(Value::Object(mut part))
                    if value.is_none()
                        && !part.is_empty()
                        && shape != Self::Wait
                        && shape.keys().len() > 1
                        && tape.below(3) > 0 =>
                {
                    let beside = map.keys().find(|other| *other != key);
                    if let Some(beside) = beside {
                        let side = tape.one(&["before", "after"]);
                        part.insert("place".to_owned(), json!({ side: beside }));
                    }
                    Some(Value::Object(part))
                }
                other => other,
            };
            patch.extend(part.map(|part| (key.to_owned(), part)));
        }
        // Nothing is placed beside what the patch itself takes out.
        let gone: BTreeSet<String> = patch
            .iter()
            .filter(|(_, part)| part.is_null())
            .map(|(key, _)| key.clone())
            .collect();
        for part in patch.values_mut().filter_map(Value::as_object_mut) {
            let beside = part.get("place").and_then(Value::as_object);
            let mut beside = beside.into_iter().flat_map(Map::values);
            if beside.any(|beside| beside.as_str().is_some_and(|key| gone.contains(key))) {
                part.remove("place");
            }
        }
        (!patch.is_empty()).then_some(Value::Object(patch))
    }
}

const ROOTS: [(&str, Shape); 3] = [
    ("fields", Shape::Fields),
    ("states", Shape::States),
    ("timers", Shape::Timers),
];

fn each_root(mut value: impl FnMut(&str, Shape) -> Option<Value>) -> Value {
    let roots = ROOTS
        .iter()
        .filter_map(|(key, shape)| Some(((*key).to_owned(), value(key, *shape)?)));
    Value::Object(roots.collect())
}

/// A base, a new base and an adaptation.
#[derive(Clone, Debug)]
struct Case {
    old: Value,
    new: Value,
    ours: Value,
}

impl Case {
    fn of(tape: &mut Tape<'_>) -> Self {
        let old = each_root(|_, shape| {
            let mut value = shape.value(tape);
            // What may be renamed is always there.
            for (key, below) in shape.keys() {
                if FIELDS.contains(&key) || STATES.contains(&key) {
                    let map = value.as_object_mut().expect("a root is a map");
                    map.entry(key).or_insert_with(|| below.value(tape));
                }
            }
            Some(value)
        });
        let new = each_root(|key, shape| shape.changed(&old[key], tape, true));
        let ours = each_root(|key, shape| shape.patch(Some(&old[key]), tape));
        Self { old, new, ours }
    }

    /// The files of the adaptation and of the new base, written one way of many.
    fn files(&self, tape: &mut Tape<'_>, names: &dyn Fn(&str) -> String) -> (Files, Files) {
        let header =
            |version: &str| format!("kind: Pack\nid: base\nversion: {version}\ntitle: Base\n");
        let mut base = |version: &str, tree: &Value| {
            let workflow = format!("kind: Workflow\nid: w\ntitle: W\n{}", written(tree, tape));
            Files::from([
                ("pack.yaml".to_owned(), header(version)),
                ("workflows/w.yaml".to_owned(), names(&workflow)),
            ])
        };
        let (old, new) = (base("1.0.0", &self.old), base("1.1.0", &self.new));
        let digest = merged(&old).1;
        let mut files: Files = old
            .into_iter()
            .map(|(path, text)| (format!("base/{path}"), text))
            .collect();
        files.insert(
            "pack.yaml".to_owned(),
            format!("kind: Pack\nid: ours\nversion: 1.0.0\ntitle: Ours\nextends: {{ pack: base, version: 1.0.0, digest: \"{digest}\" }}\n"),
        );
        let ours = format!(
            "# Ours.\nkind: Workflow\nid: w\n{}",
            written(&self.ours, tape)
        );
        files.insert("workflows/w.yaml".to_owned(), names(&ours));
        (files, new)
    }
}

/// A map as YAML: in block or flow style, with comments, its keys in any order where that has no
/// meaning, as the tape decides.
fn written(tree: &Value, tape: &mut Tape<'_>) -> String {
    let mut text = String::new();
    block(tree, 0, &mut Vec::new(), tape, &mut text);
    text
}

fn ordered<'v>(
    map: &'v Map<String, Value>,
    path: &[String],
    tape: &mut Tape<'_>,
) -> Vec<(&'v String, &'v Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    if !DefinitionKind::Workflow.is_ordered(path) && entries.len() > 1 {
        let shift = tape.below(entries.len());
        entries.rotate_left(shift);
    }
    entries
}

fn block(
    tree: &Value,
    indent: usize,
    path: &mut Vec<String>,
    tape: &mut Tape<'_>,
    text: &mut String,
) {
    let map = tree.as_object().expect("a block is a map");
    for (key, value) in ordered(map, path, tape) {
        let blank = " ".repeat(indent);
        if tape.below(6) == 1 {
            let _ = writeln!(text, "{blank}# about this, as it is: {{ x }}");
        }
        path.push(key.clone());
        let _ = write!(text, "{blank}{key}:");
        if value.as_object().is_some_and(|map| !map.is_empty()) && tape.below(3) > 0 {
            *text += "\n";
            block(value, indent + 2, path, tape, text);
        } else {
            *text += " ";
            *text += &flow(value, path, tape);
            *text += tape.one(&["", "", "  # noted, here"]);
            *text += "\n";
        }
        path.pop();
    }
}

fn flow(tree: &Value, path: &mut Vec<String>, tape: &mut Tape<'_>) -> String {
    match tree {
        Value::Object(map) if !map.is_empty() => {
            let mut parts = Vec::new();
            for (key, value) in ordered(map, path, tape) {
                path.push(key.clone());
                parts.push(format!("{key}: {}", flow(value, path, tape)));
                path.pop();
            }
            let comma = tape.one(&[", ", ",   ", ","]);
            let comma = if comma == "," { ", " } else { comma };
            format!("{{ {} }}", parts.join(comma))
        }
        Value::String(text) => match tape.below(3) {
            0 => format!("'{}'", text.replace('\'', "''")),
            1 if text.bytes().all(|byte| byte.is_ascii_lowercase()) => text.clone(),
            _ => tree.to_string(),
        },
        other => other.to_string(),
    }
}

/// What the files come to: the workflow, and the digest.
fn merged(files: &Files) -> (Value, String) {
    let mut sources = Sources::new();
    let levels = load(files, &mut sources).unwrap_or_else(|found| panic!("{found}\n{files:#?}"));
    let pack = merge(levels, &sources).unwrap_or_else(|found| panic!("{found}\n{files:#?}"));
    let digest = pack.chain.last().expect("it has itself").digest.to_string();
    (pack.definitions[0].root.to_json(), digest)
}

fn run(files: &Files, base: &Files, takes: &[Take], prune: bool) -> Upgrade {
    let request = Request {
        files,
        base,
        takes,
        prune,
    };
    upgrade_unread(&request).unwrap_or_else(|error| panic!("{error}\n{files:#?}\n{base:#?}"))
}

/// A side for each conflict. What is to stand beside what is gone can only be dropped.
fn sides(upgrade: &Upgrade, tape: &mut Tape<'_>) -> Vec<Take> {
    let conflicts = upgrade.report.conflicts.iter();
    let only_theirs: BTreeSet<&String> = conflicts
        .clone()
        .filter(|it| it.kind == ConflictKind::Place)
        .map(|it| &it.path)
        .collect();
    let paths: BTreeSet<&String> = conflicts.map(|it| &it.path).collect();
    let each = paths.into_iter().map(|path| Take {
        path: path.clone(),
        side: if only_theirs.contains(path) {
            Side::Theirs
        } else {
            tape.one(&[Side::Ours, Side::Theirs])
        },
    });
    each.collect()
}

/// The touches of a patch, `place` left out: each path with its value.
fn touches(patch: &Value, old: Option<&Value>, path: &str, found: &mut BTreeMap<String, Value>) {
    let is_choice = path.rsplit('/').next() == Some("wait");
    match patch {
        Value::Object(map) if !map.is_empty() && !is_choice && old.is_none_or(Value::is_object) => {
            for (key, value) in map {
                let old = old.and_then(|old| old.get(key));
                if key != "place" {
                    touches(value, old, &format!("{path}/{key}"), found);
                }
            }
        }
        other => {
            found.insert(path.to_owned(), other.clone());
        }
    }
}

fn at<'v>(tree: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('/')
        .skip(1)
        .try_fold(tree, |tree, key| tree.get(key))
}

/// The paths of everything in a tree.
fn paths(tree: &Value, path: &str, found: &mut BTreeSet<String>) {
    found.insert(path.to_owned());
    if let Value::Object(map) = tree {
        for (key, value) in map {
            paths(value, &format!("{path}/{key}"), found);
        }
    }
}

fn is_within(path: &str, of: &str) -> bool {
    path.strip_prefix(of)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Two values, the order of what is ordered told apart from nothing.
fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    a == b
}

fn plain(text: &str) -> String {
    text.to_owned()
}

/// The names of today, wherever a name stands.
fn today(text: &str) -> String {
    let names = FIELDS.iter().chain(&STATES);
    names.fold(text.to_owned(), |text, name| {
        text.replace(name, &format!("{name}x"))
    })
}

const RENAMED: &str = "renamed:
  workflows/w/fields/fa: fax
  workflows/w/fields/fb: fbx
  workflows/w/fields/fc: fcx
  workflows/w/states/sa: sax
  workflows/w/states/sb: sbx
  workflows/w/states/sc: scx
";

/// The bytes of a tape, on one line where they are shown.
#[derive(Clone, PartialEq)]
struct Bytes(Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Bytes {
    fn tape(&self) -> Tape<'_> {
        Tape {
            bytes: &self.0,
            at: 0,
        }
    }
}

fn bytes(most: usize) -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), most / 4..most).prop_map(Bytes)
}

fn tapes() -> impl Strategy<Value = (Bytes, Bytes)> {
    (bytes(600), bytes(400))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Where the adaptation is silent stands the new base; where it is not, and the base did not
    /// change, its value; in conflict are exactly the touches where both changed, and each becomes
    /// what was taken.
    #[test]
    fn each_says_what_only_it_changed((made, written) in tapes(), prune: bool) {
        let case = Case::of(&mut made.tape());
        let tape = &mut written.tape();
        let (files, base) = case.files(tape, &plain);
        let first = run(&files, &base, &[], prune);
        let takes = sides(&first, tape);
        let taken: BTreeMap<&str, Side> = takes.iter().map(|take| (take.path.as_str(), take.side)).collect();
        let second = run(&files, &base, &takes, prune);
        prop_assert!(second.report.conflicts.is_empty(), "{}", second.report);
        let upgraded = second.files.clone().expect("nothing is in conflict");
        let (result, _) = merged(&upgraded);

        let mut touched = BTreeMap::new();
        touches(&case.ours, Some(&case.old), "", &mut touched);
        let root = |path: &str| format!("workflows/w{path}");
        for (path, ours) in &touched {
            let (old, new) = (at(&case.old, path), at(&case.new, path));
            let value = Some(ours).filter(|ours| !ours.is_null());
            let says_nothing = *ours == json!({}) && old.is_some_and(Value::is_object) && new.is_some_and(Value::is_object) && !path.ends_with("/wait");
            let gone = (1..path.len()).filter(|end| path[*end..].starts_with('/')).any(|end| {
                let above = &path[..end];
                at(&case.old, above).is_some() && !at(&case.new, above).is_some_and(Value::is_object)
            });
            let overlaps = !same(value, new) && !says_nothing && (gone || !same(old, new));
            let conflict = first.report.conflicts.iter().find(|it| it.path == root(path) && !matches!(it.kind, ConflictKind::Reference));
            prop_assert_eq!(overlaps, conflict.is_some(), "{}: {:?} {:?} {:?}\n{}", path, old, new, ours, first.report);
            if let Some(conflict) = conflict {
                prop_assert_eq!(conflict.old.as_ref().map(|it| &it.value), old);
                prop_assert_eq!(conflict.new.as_ref().map(|it| &it.value), new);
                prop_assert_eq!(&conflict.ours.value, ours);
            }
            let now = at(&result, path);
            match taken.get(root(path).as_str()) {
                Some(Side::Theirs) => prop_assert!(same(now, new), "{path}: {now:?} {new:?}"),
                _ if says_nothing => {}
                _ => prop_assert!(same(now, value), "{path}: {now:?} {value:?}\n{}", second.report),
            }
        }
        let mut all = BTreeSet::new();
        paths(&result, "", &mut all);
        paths(&case.new, "", &mut all);
        for path in &all {
            let header = ["/kind", "/id", "/title"].contains(&path.as_str());
            if header || touched.keys().any(|touch| is_within(path, touch) || is_within(touch, path)) {
                continue;
            }
            prop_assert!(same(at(&result, path), at(&case.new, path)), "{path}\n{}", second.report);
        }
    }

    /// What is neither dropped nor renamed leaves the author's file as it was, to the byte; and what
    /// was upgraded needs no upgrade: a second one drops nothing more and finds no conflict.
    #[test]
    fn what_is_not_touched_is_not_rewritten((made, written) in tapes()) {
        let case = Case::of(&mut made.tape());
        let tape = &mut written.tape();
        let (files, base) = case.files(tape, &plain);
        let first = run(&files, &base, &[], false);
        let takes = sides(&first, tape);
        let second = run(&files, &base, &takes, false);
        let upgraded = second.files.expect("nothing is in conflict");
        let dropped = second.report.not_needed.iter().any(|it| it.dropped);
        if takes.is_empty() && !dropped {
            prop_assert_eq!(upgraded.get("workflows/w.yaml"), files.get("workflows/w.yaml"));
        }
        let again = run(&upgraded, &base, &[], false);
        prop_assert!(again.report.conflicts.is_empty(), "{}", again.report);
        prop_assert_eq!(again.files.expect("nothing is in conflict"), upgraded);
    }

    /// However the files are written, and in whatever order keys stand that have none, the same is
    /// found and the same comes out.
    #[test]
    fn the_order_of_keys_means_nothing((made, written) in tapes(), other in bytes(400)) {
        let case = Case::of(&mut made.tape());
        let mut results = Vec::new();
        for bytes in [&written, &other] {
            let (files, base) = case.files(&mut bytes.tape(), &plain);
            let first = run(&files, &base, &[], false);
            let takes = sides(&first, &mut made.tape());
            let second = run(&files, &base, &takes, false);
            let conflicts: Vec<_> = first.report.conflicts.iter().map(|it| {
                let value = |value: &Option<crate::upgrade::Value>| value.as_ref().map(|it| it.value.clone());
                (it.path.clone(), it.kind, value(&it.old), value(&it.new), it.ours.value.clone())
            }).collect();
            let not_needed: Vec<_> = first.report.not_needed.iter().map(|it| (it.path.clone(), it.dropped)).collect();
            let files = second.files.expect("nothing is in conflict");
            results.push((conflicts, not_needed, first.report.kept, merged(&files)));
        }
        prop_assert_eq!(&results[0], &results[1]);
    }

    /// A new base that calls things otherwise is the same as one that never did, with an adaptation
    /// that never did either.
    #[test]
    fn a_rename_changes_nothing_but_names((made, written) in tapes()) {
        let case = Case::of(&mut made.tape());
        let (files, mut base) = case.files(&mut written.tape(), &plain);
        let (files_today, base_today) = case.files(&mut written.tape(), &today);
        for text in base.values_mut() {
            *text = today(text);
        }
        let header = base.get_mut("pack.yaml").expect("it has a header");
        header.push_str(RENAMED);
        let (first, expected) = (run(&files, &base, &[], false), run(&files_today, &base_today, &[], false));
        let takes = sides(&first, &mut made.tape());
        let (second, expected) = (run(&files, &base, &takes, false), run(&files_today, &base_today, &sides(&expected, &mut made.tape()), false));
        let (result, expected) = (second.files.expect("none"), expected.files.expect("none"));
        prop_assert_eq!(merged(&result).0, merged(&expected).0);
        prop_assert_eq!(result.get("workflows/w.yaml"), expected.get("workflows/w.yaml"));
    }
}

/// The tapes make what the laws are about, often enough.
#[test]
fn the_laws_meet_what_they_are_about() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..200 {
        let tree = tapes().new_tree(&mut runner).expect("a case");
        let (made, written) = proptest::strategy::ValueTree::current(&tree);
        let case = Case::of(&mut made.tape());
        let (files, base) = case.files(&mut written.tape(), &plain);
        let report = run(&files, &base, &[], false).report;
        for conflict in &report.conflicts {
            *met.entry(format!("{:?}", conflict.kind)).or_default() += 1;
        }
        *met.entry("kept".to_owned()).or_default() += report.kept.len();
        *met.entry("not needed".to_owned()).or_default() += report.not_needed.len();
    }
    for (what, least) in [
        ("kept", 200),
        ("not needed", 50),
        ("Changed", 50),
        ("Added", 20),
        ("Removed", 20),
        ("Place", 1),
    ] {
        assert!(
            met.get(what).is_some_and(|times| *times >= least),
            "{what}: {met:?}"
        );
    }
}

#[test]
fn a_tree_is_written_as_it_is_read() {
    let tree = json!({ "fields": { "fa": { "label": "a # b: c" } }, "timers": { "ka": { "wait": { "time": [1, 2] } } } });
    for first in 0..=255 {
        let bytes = Bytes(vec![first; 40]);
        let text = written(&tree, &mut bytes.tape());
        let mut sources = Sources::new();
        let file = sources.add("x.yaml", None, &text);
        let read = crate::source::load(&sources, file, &mut crate::source::Diagnostics::new());
        let read: Vec<Value> = read.unwrap_or_default().iter().map(Node::to_json).collect();
        assert_eq!(read, std::slice::from_ref(&tree), "{text}");
    }
}
