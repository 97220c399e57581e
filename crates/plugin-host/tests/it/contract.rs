//! What was released of the contract holds: `wit/v1` may only have grown since, and only by what no
//! plugin notices. Each release is kept as it was in `wit/released`.

use std::fs;
use std::path::{Path, PathBuf};

use wit_parser::{PackageId, Resolve, WorldItem};

const NAME: &str = "package servicewright:plugin@";

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

fn current() -> String {
    fs::read_to_string(wit().join("v1/plugin.wit")).unwrap()
}

/// Every release of this major version: its number and its text.
fn released() -> Vec<(String, String)> {
    let files = fs::read_dir(wit().join("released")).unwrap();
    let mut releases: Vec<(String, String)> = files
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let version = name.strip_prefix("plugin-").unwrap().to_owned();
            (version, fs::read_to_string(path).unwrap())
        })
        .filter(|(version, _)| version.starts_with("1."))
        .collect();
    releases.sort();
    releases
}

/// Puts a text beside others, under a version that says only which of them it is.
fn push(resolve: &mut Resolve, place: usize, text: &str) -> PackageId {
    let (before, after) = text.split_once(NAME).unwrap();
    let (_, after) = after.split_once(';').unwrap();
    let text = format!("{before}{NAME}0.{place}.0;{after}");
    resolve.push_str(format!("{place}.wit"), &text).unwrap()
}

/// Whether what was built against `old` goes on with `new`, in each world.
fn goes_on(old: &str, new: &str) -> Result<(), String> {
    let mut resolve = Resolve::default();
    let (old, new) = (push(&mut resolve, 1, old), push(&mut resolve, 2, new));
    for (name, old) in resolve.packages[old].worlds.clone() {
        let new = resolve.packages[new].worlds.get(&name);
        let new = *new.ok_or_else(|| format!("the world {name} is gone"))?;
        if exports(&resolve, old) != exports(&resolve, new) {
            return Err(format!("{name} exports something else"));
        }
        wit_component::semver_check(resolve.clone(), old, new)
            .map_err(|error| format!("{name}: {error:#}"))?;
    }
    Ok(())
}

/// The names of the interfaces that a world exports.
fn exports(resolve: &Resolve, world: wit_parser::WorldId) -> Vec<String> {
    let exports = resolve.worlds[world].exports.values();
    exports
        .map(|item| match item {
            WorldItem::Interface { id, .. } => resolve.interfaces[*id].name.clone().unwrap(),
            other => format!("{other:?}"),
        })
        .collect()
}

#[test]
fn what_was_released_goes_on() {
    let current = current();
    let releases = released();
    assert!(!releases.is_empty());
    for (version, text) in &releases {
        assert!(text.contains(&format!("{NAME}{version};")), "{version}");
        goes_on(text, &current).unwrap_or_else(|why| panic!("built against {version}: {why}"));
    }
    // The latest release is this text, but for its comments.
    let (version, _) = releases.last().unwrap();
    assert!(
        current.contains(&format!("{NAME}{version};")),
        "what is new here is a release of its own, kept in wit/released"
    );
}

#[test]
fn what_a_plugin_would_notice_is_found() {
    let whole = current();
    let with = |old: &str, new: &str| {
        assert!(whole.contains(old), "{old}");
        whole.replacen(old, new, 1)
    };
    let noticed = [
        (
            "a field more",
            with("record retry {", "record retry { more: bool,"),
        ),
        (
            "a case more",
            with("variant quorum { all,", "variant quorum { none, all,"),
        ),
        (
            "a value more",
            with("enum level { debug,", "enum level { trace, debug,"),
        ),
        (
            "another parameter",
            with("run: func(call: call)", "run: func(call: call, more: bool)"),
        ),
        (
            "a function more in a hook",
            with("  run: func(", "  stop: func();\n  run: func("),
        ),
        (
            "a function less in an import",
            with(
                "  teams: func() -> result<list<string>, plugin-error>;\n",
                "",
            ),
        ),
        ("a world less", with("world poller {", "world watcher {")),
        (
            "a hook more in a world",
            with("export routing;", "export routing; export approval;"),
        ),
    ];
    for (what, text) in noticed {
        assert!(goes_on(&whole, &text).is_err(), "{what}");
    }
    let unnoticed = [
        (
            "a function more in an import",
            with("  teams: func()", "  more: func() -> u32;\n  teams: func()"),
        ),
        (
            "an interface more",
            format!(
                "{whole}\ninterface more {{ ask: func() -> u32; }}\nworld asker {{ include pure-imports; import more; export routing; }}\n"
            ),
        ),
        (
            "an import more in a world",
            with(
                "world pure-imports { import log;",
                "interface more { ask: func() -> u32; }\nworld pure-imports { import more; import log;",
            ),
        ),
    ];
    for (what, text) in unnoticed {
        assert_eq!(goes_on(&whole, &text), Ok(()), "{what}");
    }
}
