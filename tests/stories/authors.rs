//! What authors of packs do: the guide typed from its page, and packs with one fault each held to the
//! rules by the real command.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use definition::pack::Pack;
use serde_json::Value;
use test_support::{binary, repository};

use crate::cases::{Case, cases, sound};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.current_dir(folder).args(arguments);
    command.output().expect("wright runs")
}

fn write(folder: &Path, files: &BTreeMap<String, String>) {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }
}

/// `file:line rule` of everything that the command finds, and whether it ended well.
fn found(files: &BTreeMap<String, String>) -> (Vec<String>, bool) {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), files);
    let directory = ["directory", "base/directory"]
        .into_iter()
        .find(|directory| folder.path().join(directory).is_dir())
        .expect("who is there");
    let arguments = ["pack", "lint", "--format", "json", "--directory", directory];
    let ran = run(folder.path(), &arguments);
    let report: Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&ran.stderr)));
    let told = report["diagnostics"].as_array().expect("a list").iter();
    let told = told.map(|one| {
        let text = |key: &str| one[key].as_str().expect("a text").to_owned();
        format!("{}:{} {}", text("file"), one["line"], text("rule"))
    });
    (told.collect(), ran.status.success())
}

/// Without the shipped component, as in a build that carries none, every case would have two faults.
fn with_component(mut files: BTreeMap<String, String>) -> BTreeMap<String, String> {
    for folder in ["plugins", "base/plugins"] {
        if files.contains_key(&format!("{folder}/router.yaml")) {
            files.insert(format!("{folder}/skills-router.wasm"), "\0asm".to_owned());
        }
    }
    files
}

#[test]
fn the_command_finds_the_one_fault_of_every_faulty_pack() {
    assert_eq!(found(&with_component(sound())), (Vec::new(), true));
    let digest = |files: &BTreeMap<String, String>| {
        let pack = Pack::read(files).expect("it is sound");
        pack.digest.to_string()
    };
    let mut wrong = Vec::new();
    for Case {
        name,
        files,
        expected,
    } in cases(digest)
    {
        // Without its header a folder is no pack at all.
        if expected.ends_with(" missing-file") {
            let folder = tempfile::tempdir().expect("a folder");
            write(folder.path(), &files);
            let ran = run(folder.path(), &["pack", "lint"]);
            let said = String::from_utf8_lossy(&ran.stderr).into_owned();
            assert!(
                !ran.status.success() && said.contains("pack.yaml"),
                "{said}"
            );
            continue;
        }
        let (found, _) = found(&with_component(files));
        if found != [expected.clone()] {
            wrong.push(format!("{name}: expected {expected}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rules_are_told_by_their_id() {
    let here = Path::new(".");
    let all = run(here, &["pack", "rules"]);
    assert!(String::from_utf8_lossy(&all.stdout).contains("dead-end"));
    let one = run(here, &["pack", "rules", "dead-end"]);
    let told = String::from_utf8_lossy(&one.stdout).into_owned();
    assert!(
        told.contains("not so:") && told.contains("but so:"),
        "{told}"
    );
    let unknown = run(here, &["pack", "rules", "dead-ends"]);
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(
        !unknown.status.success() && said.contains("did you mean `dead-end`?"),
        "{said}"
    );
    let drawn = run(here, &["pack", "lint", "itil", "--format", "svg"]);
    let said = String::from_utf8_lossy(&drawn.stderr).into_owned();
    assert!(
        !drawn.status.success() && said.contains("pack show"),
        "{said}"
    );
}

#[test]
fn shipped_packs_and_examples_are_sound_and_in_style() {
    for pack in ["packs/itil", "examples/volvo", "examples/monitoring"] {
        let lint = run(repository(), &["pack", "lint", pack, "--format", "json"]);
        let report: Value = serde_json::from_slice(&lint.stdout).expect("a report");
        let found = report["diagnostics"].as_array().expect("a list");
        // A build without the plugins has no component of theirs.
        let mut others = found
            .iter()
            .filter(|one| one["rule"] != "missing-component");
        assert_eq!(others.next(), None, "{pack}");
        let style = run(repository(), &["pack", "fmt", pack, "--check"]);
        let said = String::from_utf8_lossy(&style.stdout).into_owned();
        assert!(style.status.success(), "{pack}: {said}");
    }
}

/// A thing that the guide has its reader do.
enum Step {
    /// Write this file.
    Write { path: String, text: String },
    /// Type this, and see these lines.
    Type { line: String, seen: Vec<String> },
}

/// The steps of the guide, in order: files are named on the line above their block.
fn steps() -> Vec<Step> {
    let page = repository().join("docs/definitions/README.md");
    let page = std::fs::read_to_string(page).expect("the guide");
    let mut steps = Vec::new();
    let mut lines = page.lines();
    let mut above = "";
    while let Some(line) = lines.next() {
        let block: Vec<&str> = match line {
            "```yaml" | "```console" | "```" => {
                lines.by_ref().take_while(|line| *line != "```").collect()
            }
            _ => {
                if !line.is_empty() {
                    above = line;
                }
                continue;
            }
        };
        match line {
            "```yaml" => {
                let path = above
                    .strip_prefix('`')
                    .and_then(|path| path.strip_suffix("`:"));
                let path = path.expect("the file of the block").to_owned();
                let text = block.join("\n") + "\n";
                steps.push(Step::Write { path, text });
            }
            "```console" => {
                for line in block {
                    match (line.strip_prefix("$ "), steps.last_mut()) {
                        (Some(line), _) => {
                            let (line, seen) = (line.to_owned(), Vec::new());
                            steps.push(Step::Type { line, seen });
                        }
                        (None, Some(Step::Type { seen, .. })) => seen.push(line.to_owned()),
                        _ => panic!("nothing is typed before `{line}`"),
                    }
                }
            }
            _ => {}
        }
    }
    steps
}

#[test]
fn the_guide_works_as_printed() {
    let outer = tempfile::tempdir().expect("a folder");
    let mut folder: PathBuf = outer.path().to_owned();
    let wright = binary();
    let tools = wright.parent().expect("a folder").display().to_string();
    let path = format!("{tools}:{}", std::env::var("PATH").unwrap_or_default());
    let mut typed = 0;
    for step in steps() {
        match step {
            Step::Write { path, text } => {
                write(&folder, &BTreeMap::from([(path, text)]));
            }
            Step::Type { line, seen } => {
                if let Some(into) = line.strip_prefix("cd ") {
                    folder.push(into);
                    continue;
                }
                let mut shell = Command::new("sh");
                shell.args(["-c", &line]).current_dir(&folder);
                let ran = shell.env("PATH", &path).output().expect("a shell");
                let said = String::from_utf8_lossy(&ran.stdout).into_owned();
                let wrong = String::from_utf8_lossy(&ran.stderr).into_owned();
                let is_refusal = |line: &String| {
                    line.starts_with("FAIL") || line.starts_with("nothing was changed")
                };
                let fails = seen.iter().any(is_refusal);
                let code = ran.status.code();
                assert_eq!(code, Some(i32::from(fails)), "{line}: {said}{wrong}");
                for seen in seen {
                    assert!(said.contains(seen.trim()), "{line}: no `{seen}` in {said}");
                }
                typed += 1;
            }
        }
    }
    assert!(typed >= 15, "only {typed} commands are in the guide");
    assert!(folder.join("incident.svg").exists());
}

/// The answer that the guide prints to a slip is the one that is given.
#[test]
fn the_slip_of_the_guide_is_told_as_printed() {
    let outer = tempfile::tempdir().expect("a folder");
    let made = run(
        outer.path(),
        &["pack", "new", "our-desk", "--extends", "itil@1.0.0"],
    );
    assert!(made.status.success());
    let folder = outer.path().join("our-desk");
    for step in steps() {
        if let Step::Write { path, text } = step {
            let text = text.replace("to: triage,", "to: traige,");
            write(&folder, &BTreeMap::from([(path, text)]));
        }
    }
    let said = run(&folder, &["pack", "lint"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let page = repository().join("docs/definitions/README.md");
    let page = std::fs::read_to_string(page).expect("the guide");
    let printed = page.split("```\nerror[").nth(1).expect("a printed answer");
    let printed = printed.split("\n```").next().expect("its end");
    assert!(said.contains(&format!("error[{printed}")), "{said}");
}
