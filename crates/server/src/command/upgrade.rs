//! `wright pack upgrade` and `wright pack diff`: an adaptation taken to another version of the pack
//! that it extends, and what differs between two packs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use definition::diff::{Difference, diff as differences};
use definition::lint::lint;
use definition::pack::Pack;
use definition::source::{Diagnostic, Diagnostics};
use definition::upgrade::{Report, Request, upgrade};
use model::id::ScenarioId;
use serde::Serialize;

use super::install::files;
use super::{Outcome, block_on, print};
use crate::cli::{Format, Skipping, UpgradeArguments};
use crate::desk::compiler;
use crate::pack_files::PackFiles;
use crate::pack_folder::{self, Change};
use crate::scenario::{self, Bench, fits};

/// What came of an upgrade.
#[derive(Serialize)]
struct Upgraded {
    /// Whether the folder holds the upgraded pack now.
    done: bool,
    #[serde(flatten)]
    report: Report,
    /// What is wrong with the pack as it would be, where something is.
    diagnostics: Vec<Diagnostic>,
    /// The scenarios that the upgraded pack skips from now on, those that are like them among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skipped: Vec<ScenarioId>,
    /// What the scenarios of the pack as it would be tell, where some fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    scenarios: Option<String>,
}

/// Upgrades the adaptation in a folder, or says why that takes a decision.
pub(super) fn run(arguments: &UpgradeArguments, format: Format) -> Result<Outcome> {
    let folder = &arguments.pack;
    let before = PackFiles::read(folder)?;
    let base = files(&arguments.to)?;
    let takes: Vec<_> = arguments.take.iter().map(|take| take.0.clone()).collect();
    let request = Request {
        files: &before.texts,
        base: &base.texts,
        takes: &takes,
        prune: arguments.prune,
    };
    let mut upgraded = upgrade(&request)?;
    let mut found = Diagnostics::new();
    let mut done = false;
    let mut skipped = Vec::new();
    let mut unmet = None;
    if let Some(after) = &mut upgraded.files {
        found = faults(after);
        if !found.has_errors() {
            let mut report = scenarios(&before, &base, after)?;
            if !arguments.skip.is_empty() {
                skip(&report, &arguments.skip, &base, after)?;
                found = faults(after);
                let ran = std::mem::take(&mut report);
                if !found.has_errors() {
                    report = scenarios(&before, &base, after)?;
                    skipped = report.newly_skipped(&ran);
                }
            }
            unmet = (report.failed() > 0).then(|| report.told_failures());
        }
        if !found.has_errors() && unmet.is_none() && !arguments.dry_run {
            put(folder, &before, after, &base, is_shipped(&arguments.to))?;
            done = true;
        }
    }
    let is_sound = upgraded.files.is_some() && !found.has_errors() && unmet.is_none();
    let upgraded = Upgraded {
        done,
        report: upgraded.report,
        diagnostics: found.iter().cloned().collect(),
        skipped,
        scenarios: unmet,
    };
    print(format, &upgraded, || told(&upgraded, &found, is_sound))?;
    Ok(Outcome::done_if(is_sound))
}

/// What the scenarios of the upgraded pack tell.
fn scenarios(
    before: &PackFiles,
    base: &PackFiles,
    after: &BTreeMap<String, String>,
) -> Result<scenario::Report> {
    let pack = Pack::read(after)?;
    if pack.scenarios.is_empty() {
        return Ok(scenario::Report::default());
    }
    let mut files = before.clone();
    files.texts.clone_from(after);
    // Components of the base come with the new one.
    files
        .components
        .retain(|path, _| !path.starts_with("base/"));
    let below = base.components.iter();
    let below = below.map(|(path, bytes)| (format!("base/{path}"), bytes.clone()));
    files.components.extend(below);
    block_on(async {
        let bench = Bench::new(&pack, &files, compile()).await?;
        Ok(bench.run().await)
    })
}

/// Writes down why scenarios of the base are not run: those that fail, and the desks at which others
/// begin. A base that is new may bring some that its adaptation could not have said anything of before.
fn skip(
    report: &scenario::Report,
    skips: &[Skipping],
    base: &PackFiles,
    after: &mut BTreeMap<String, String>,
) -> Result<()> {
    let base = Pack::read(&base.texts)?;
    for skip in skips {
        let is_meant = |id: &&ScenarioId| {
            let fails = report.ran.iter().any(|ran| ran.id == **id && ran.failed());
            let is_desk = base.scenarios[*id].value.steps.is_empty();
            fits(&skip.scenarios, id.as_str()) && (fails || is_desk)
        };
        let meant: Vec<&ScenarioId> = base.scenarios.keys().filter(is_meant).collect();
        if meant.is_empty() {
            bail!(
                "--skip {}: no scenario of the new base that fails is called so",
                skip.scenarios
            );
        }
        for id in meant {
            let path = format!("scenarios/{id}.yaml");
            if after.contains_key(&path) {
                bail!("{path} is there already: write `skip: {}` there", skip.why);
            }
            let why = serde_json::to_string(&skip.why)?;
            let patch =
                format!("apiVersion: servicewright/v1\nkind: Scenario\nid: {id}\nskip: {why}\n");
            after.insert(path, patch);
        }
    }
    Ok(())
}

/// Plugins are compiled by this program in a process of its own; the program of the tests is another one.
fn compile() -> Option<plugin_host::Compiler> {
    if cfg!(test) {
        return None;
    }
    Some(Arc::new(compiler))
}

/// What is wrong with the upgraded pack.
fn faults(files: &BTreeMap<String, String>) -> Diagnostics {
    match Pack::read(files) {
        Ok(pack) => lint(&pack),
        Err(found) => found,
    }
}

fn told(upgraded: &Upgraded, found: &Diagnostics, is_sound: bool) -> String {
    let mut told = format!("{}\n", upgraded.report);
    if !found.is_empty() {
        let _ = writeln!(told, "\n{found}");
    }
    for scenario in &upgraded.skipped {
        let _ = writeln!(told, "skipped     scenarios/{scenario}");
    }
    if let Some(scenarios) = &upgraded.scenarios {
        let _ = writeln!(told, "\n{scenarios}");
    }
    let (id, version) = (&upgraded.report.to.pack, &upgraded.report.to.version);
    let ending = match (upgraded.done, is_sound) {
        (true, _) => format!("it extends {id} {version} now"),
        (_, true) => "nothing was changed: a dry run".to_owned(),
        _ if upgraded.scenarios.is_some() => {
            "nothing was changed: patch these scenarios to what you mean, or skip those of the new base \
             with --skip 'ID=WHY'"
                .to_owned()
        }
        _ if upgraded.report.conflicts.is_empty() => {
            "nothing was changed: put right what is wrong above, here or in the new base".to_owned()
        }
        _ => "nothing was changed: decide each conflict with --take ours=PATH or --take theirs=PATH, \
              or edit the file"
            .to_owned(),
    };
    told + &ending
}

/// Whether a base is one that the binary carries, so that no copy of it is needed.
fn is_shipped(base: &str) -> bool {
    !Path::new(base).is_dir()
}

/// Moves the files of a pack to what they are to be.
fn put(
    folder: &Path,
    before: &PackFiles,
    after: &BTreeMap<String, String>,
    base: &PackFiles,
    is_shipped: bool,
) -> Result<()> {
    let own = |path: &&String| !path.starts_with("base/");
    let changed = after
        .iter()
        .filter(|(path, text)| own(path) && before.texts.get(*path) != Some(text));
    let changed = changed.map(|(path, text)| (path.clone(), text.clone().into_bytes()));
    let gone = before
        .texts
        .keys()
        .filter(own)
        .filter(|path| !after.contains_key(*path));
    let has_copy = fs::symlink_metadata(folder.join("base")).is_ok();
    let change = Change {
        files: changed.collect(),
        removed: gone.cloned().collect(),
        base: (has_copy || !is_shipped).then(|| all(base)),
    };
    pack_folder::change(folder, &change)
        .with_context(|| format!("cannot change the files in {}", folder.display()))
}

fn all(files: &PackFiles) -> BTreeMap<String, Vec<u8>> {
    let texts = files
        .texts
        .iter()
        .map(|(path, text)| (path.clone(), text.clone().into_bytes()));
    let others = files.components.iter().chain(&files.signatures);
    texts
        .chain(others.map(|(path, bytes)| (path.clone(), bytes.clone())))
        .collect()
}

/// What differs between two packs.
#[derive(Serialize)]
struct Differences {
    differences: Vec<Difference>,
}

/// Prints what differs between two packs, each a folder or a shipped one.
pub(super) fn diff(old: &str, new: &str, format: Format) -> Result<Outcome> {
    let read = |name: &str| -> Result<Pack> {
        let files = files(name)?;
        Pack::read(&files.texts).with_context(|| format!("the pack {name} is not right"))
    };
    let differences = differences(&read(old)?, &read(new)?);
    let found = Differences { differences };
    print(format, &found, || {
        let told: Vec<String> = found.differences.iter().map(ToString::to_string).collect();
        if told.is_empty() {
            "nothing differs".to_owned()
        } else {
            told.join("\n")
        }
    })?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use definition::pack::Pack;
    use tempfile::TempDir;

    use super::{Format, Outcome, PackFiles, UpgradeArguments, run};

    const ADAPTATION: &str = "\
# The incident of our desk.
kind: Workflow
id: incident
fields:
  summary: { maxLength: 120 }  # it goes on a screen
  cost_centre: { type: string, label: Cost centre }
";

    /// A pack `later` beside an adaptation `ours` of the shipped itil.
    fn made(with_base: bool) -> TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let mut shipped = PackFiles::shipped("itil").expect("shipped");
        if with_base {
            // Its scenarios are run elsewhere; here they would only take their time.
            shipped
                .texts
                .retain(|path, _| !path.starts_with("scenarios/"));
        }
        let pack = Pack::read(&shipped.texts).expect("it reads");
        let (version, digest) = (&pack.header.version, pack.digest);
        let later = |path: &str, text: &str| match path {
            "pack.yaml" => text.replace(&format!("version: {version}"), "version: 99.0.0"),
            "workflows/incident.yaml" => {
                let label = "label: \"What is wrong?\"";
                assert!(text.contains(label), "the summary has this label");
                text.replace(label, "label: \"What does not work?\"")
            }
            _ => text.to_owned(),
        };
        for (path, text) in &shipped.texts {
            if !path.starts_with("scenarios/") {
                write(&folder.path().join("later").join(path), &later(path, text));
            }
            if with_base {
                write(&folder.path().join("ours/base").join(path), text);
            }
        }
        let header = format!(
            "kind: Pack\nid: ours\nversion: 1.0.0\ntitle: Ours\nextends: {{ pack: itil, version: {version}, digest: \"{digest}\" }}\n"
        );
        write(&folder.path().join("ours/pack.yaml"), &header);
        write(
            &folder.path().join("ours/workflows/incident.yaml"),
            ADAPTATION,
        );
        write(&folder.path().join("ours/README.md"), "Ours.");
        folder
    }

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("it has one")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn arguments(folder: &Path, take: &[&str]) -> UpgradeArguments {
        UpgradeArguments {
            pack: folder.join("ours"),
            to: folder.join("later").display().to_string(),
            take: take
                .iter()
                .map(|take| take.parse().expect("a side and a path"))
                .collect(),
            prune: false,
            skip: Vec::new(),
            dry_run: false,
        }
    }

    fn read(folder: &Path) -> (PackFiles, PathBuf) {
        let ours = folder.join("ours");
        (PackFiles::read(&ours).expect("a pack"), ours)
    }

    #[test]
    fn files_digest_and_base_move_together() {
        for with_base in [true, false] {
            let folder = made(with_base);
            let folder = folder.path();
            let done = run(&arguments(folder, &[]), Format::Json).expect("it is upgraded");
            assert_eq!(done, Outcome::Done);
            let (files, ours) = read(folder);
            let pack = Pack::read(&files.texts).expect("it reads, digest and all");
            assert_eq!(pack.chain[0].version, "99.0.0");
            assert_eq!(files.texts["workflows/incident.yaml"], ADAPTATION);
            let readme = fs::read_to_string(ours.join("README.md")).expect("it stays");
            assert_eq!(readme, "Ours.");
        }
    }

    #[test]
    fn a_dry_run_and_a_conflict_leave_every_file_as_it_was() {
        let folder = made(true);
        let folder = folder.path();
        let (before, _) = read(folder);
        let mut dry = arguments(folder, &[]);
        dry.dry_run = true;
        assert_eq!(run(&dry, Format::Text).expect("told"), Outcome::Done);
        assert_eq!(read(folder).0, before);

        let later = folder.join("later/workflows/incident.yaml");
        let text = fs::read_to_string(&later).expect("read");
        assert!(
            text.contains("maxLength: 200, label: \"What does"),
            "the summary has this length"
        );
        let text = text.replace(
            "maxLength: 200, label: \"What does",
            "maxLength: 250, label: \"What does",
        );
        fs::write(&later, text).expect("written");
        let wanting = run(&arguments(folder, &[]), Format::Text).expect("told");
        assert_eq!(wanting, Outcome::Wanting);
        assert_eq!(read(folder).0, before);
        let take = ["ours=workflows/incident/fields/summary"];
        assert_eq!(
            run(&arguments(folder, &take), Format::Text).expect("done"),
            Outcome::Done
        );
        assert_ne!(read(folder).0, before);
    }

    #[test]
    fn a_scenario_that_only_the_new_base_has_is_skipped_with_a_reason() {
        let folder = made(true);
        let folder = folder.path();
        let later = folder.join("later/scenarios");
        let scenario = "kind: Scenario
id: long-words
title: A summary may be long
given:
  at: \"2026-03-02T09:00\"
  directory: { user: { rita: { name: Rita } } }
steps:
  report:
    as: rita
    do: { create: { workflow: incident, via: report, fields: { summary: WORDS, urgency: high } } }
    expect: { state: new }
";
        let words = "long ".repeat(30);
        let likewise = format!(
            "kind: Scenario\nid: likewise\ntitle: Another\ngiven: {{ like: long-words }}\nsteps: {{ report: {{ as: rita, do: {{ create: {{ workflow: incident, via: report, fields: {{ summary: {words} }} }} }}, expect: {{ state: new }} }} }}\n"
        );
        write(&later.join("likewise.yaml"), &likewise);
        write(
            &later.join("long-words.yaml"),
            &scenario.replace("WORDS", &words),
        );
        let (before, _) = read(folder);
        let mut arguments = arguments(folder, &[]);
        let wanting = run(&arguments, Format::Text).expect("told");
        assert_eq!(wanting, Outcome::Wanting);
        arguments.skip = vec!["other=It is not ours.".parse().expect("which and why")];
        let error = run(&arguments, Format::Text).expect_err("there is no such scenario");
        assert!(error.to_string().contains("--skip other"), "{error}");
        assert_eq!(read(folder).0, before);

        let why = "Our screens are small.";
        arguments.skip = vec![format!("long-*={why}").parse().expect("which and why")];
        let done = run(&arguments, Format::Text).expect("done");
        assert_eq!(done, Outcome::Done);
        let (files, _) = read(folder);
        let pack = Pack::read(&files.texts).expect("it reads");
        let skip = |id: &str| pack.scenarios[id].value.skip.as_deref();
        // What is like it is not run either, and need not be named.
        assert_eq!((skip("long-words"), skip("likewise")), (Some(why), None));
    }

    #[test]
    fn what_the_linter_finds_wrong_is_not_put_in_place() {
        let folder = made(true);
        let folder = folder.path();
        let ours = folder.join("ours/workflows/incident.yaml");
        fs::write(
            &ours,
            format!(
                "{ADAPTATION}anywhere: {{ note: {{ permit: {{ agent: \"summary != ''\" }} }} }}\n"
            ),
        )
        .expect("written");
        let later = folder.join("later/pack.yaml");
        let text = fs::read_to_string(&later).expect("read");
        assert!(text.contains("  agent: { title: Agent }"), "it has agents");
        let (before, _) = read(folder);
        for (path, text) in PackFiles::read(&folder.join("later"))
            .expect("a pack")
            .texts
        {
            fs::write(
                folder.join("later").join(path),
                text.replace("agent: true", "worker: true")
                    .replace("agent: null", "worker: null")
                    .replace("agent: {", "worker: {"),
            )
            .expect("written");
        }
        let wanting = run(&arguments(folder, &[]), Format::Text).expect("told");
        assert_eq!(wanting, Outcome::Wanting);
        assert_eq!(read(folder).0, before);
    }

    #[test]
    fn a_side_is_taken_at_a_path() {
        for text in ["ours", "ours=", "mine=a/b", "theirs=/"] {
            assert!(text.parse::<crate::cli::Taking>().is_err(), "{text}");
        }
    }
}
