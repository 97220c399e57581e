//! Every kind of difference, on weeks at the example desk: what a change of the itil pack would have made
//! of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use engine::{Kind, OfRecord, RecordDifference, Simulated};

use super::desk::{History, at, history};
use super::simulated;
use super::tests::digests;
use crate::cli::SimulateArguments;
use crate::pack_files::PackFiles;

/// What a changed itil pack would have made of the history; none where there is no history.
struct Tried {
    simulated: Simulated,
    text: String,
}

impl Tried {
    fn of(&self, record: &str) -> &OfRecord {
        let of = self.simulated.worst.iter();
        let mut of = of.filter(|of| of.record.as_str() == record);
        of.next()
            .unwrap_or_else(|| panic!("{record} differs:\n{}", self.text))
    }

    fn difference(&self, record: &str, kind: Kind, what: &str) -> &RecordDifference {
        let mut found = self.of(record).differences.iter();
        let found = found.find(|it| it.kind == kind && it.what == what);
        found.unwrap_or_else(|| panic!("{record} has no {kind:?} {what}:\n{}", self.text))
    }

    /// How many records have a difference of each kind.
    fn kinds(&self) -> BTreeMap<Kind, u64> {
        let mut kinds = BTreeMap::new();
        for of in self.simulated.workflows.values() {
            for (kind, records) in &of.kinds {
                *kinds.entry(*kind).or_default() += records;
            }
        }
        kinds
    }
}

/// Tries the itil pack with these words in the place of others, by file.
async fn tried(changes: &[(&str, &str, &str)]) -> Option<Tried> {
    tried_as(changes, |_| {}).await
}

async fn tried_as(
    changes: &[(&str, &str, &str)],
    adjust: impl FnOnce(&mut SimulateArguments),
) -> Option<Tried> {
    let history = history().await?;
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), changes);
    let mut arguments = arguments(folder.path(), history);
    adjust(&mut arguments);
    let simulated = simulated(&arguments).await;
    let simulated = simulated.unwrap_or_else(|error| panic!("{error:#}"));
    let text = super::told(&simulated);
    Some(Tried { simulated, text })
}

fn write(folder: &Path, changes: &[(&str, &str, &str)]) {
    let mut files = PackFiles::shipped("itil").expect("it ships").texts;
    // They say what should be; what was is judged here.
    files.retain(|file, _| !file.starts_with("scenarios/"));
    for (file, from, to) in changes {
        let text = files.get_mut(*file).expect("a file of the pack");
        assert!(text.contains(from), "{file} has {from}");
        *text = text.replace(from, to);
    }
    for (file, text) in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }
}

fn arguments(pack: &Path, history: &History) -> SimulateArguments {
    SimulateArguments {
        pack: pack.to_str().expect("a path of text").to_owned(),
        against: history.data(),
        since: None,
        workflow: None,
        follow: false,
        worst: 1_000,
        plugin_cache: Some(history.cache()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unchanged_definitions_reproduce_history() {
    let Some(history) = history().await else {
        return;
    };
    let before = digests(&history.data());
    let Some(tried) = tried(&[]).await else {
        return;
    };
    let (simulated, text) = (&tried.simulated, &tried.text);
    assert_eq!(simulated.total.records, 14, "{text}");
    assert_eq!(simulated.total.differ, 0, "{text}");
    assert_eq!(simulated.identical, 14, "{text}");
    assert!(simulated.hooks.journaled > 8, "{text}");
    assert_eq!(simulated.hooks.afresh, 0, "{text}");
    assert_eq!(digests(&history.data()), before, "nothing is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_a_table_decides_otherwise() {
    let change = (
        "workflows/incident.yaml",
        "      low-impact-high:",
        "      network-first: { when: \"category == 'network' && urgency == 'high'\", then: { priority: p2 } }\n      low-impact-high:",
    );
    let Some(tried) = tried(&[change]).await else {
        return;
    };
    // The urgency came down later, and the priority with it.
    let priority = tried.difference("INC-1", Kind::Field, "priority");
    assert_eq!((&*priority.then, &*priority.now), ("p3", "p2"));
    assert!(!priority.lasts);
    let why = priority.why.as_deref().unwrap_or_default();
    assert!(
        why.contains("`network-first`") && why.contains("`low-impact-high`"),
        "{why}"
    );
    assert_eq!(tried.simulated.total.differ, 1, "{}", tried.text);
    assert!(
        tried.simulated.hooks.afresh > 0,
        "the router is asked of another record"
    );
    assert!(tried.text.contains("p3 -> p2"), "{}", tried.text);
    assert!(tried.text.contains("for a while"), "{}", tried.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_gone_ends_the_course_or_is_followed() {
    let change = (
        "workflows/incident.yaml",
        "confirm: { title: It works again, to: closed, permit: { requester: true } }",
        "confirm: { title: It works again, to: closed, permit: { agent: true } }",
    );
    let Some(tried) = tried(&[change]).await else {
        return;
    };
    let of = tried.of("INC-1");
    let diverged = of.diverged.as_ref().expect("it diverged");
    assert_eq!(diverged.at, at("2026-03-03T09:00:00.007Z"));
    assert!(
        diverged.why.contains("`confirm` is refused"),
        "{}",
        diverged.why
    );
    let refused = tried.difference("INC-1", Kind::Impossible, "confirm");
    assert_eq!(refused.now, "refused in resolved");
    let total = tried.simulated.total;
    assert_eq!((total.differ, total.diverged), (1, 1), "{}", tried.text);

    let followed = tried_as(&[change], |arguments| arguments.follow = true).await;
    let Some(followed) = followed else { return };
    let of = followed.of("INC-1");
    assert!(of.diverged.is_some());
    assert_eq!(
        of.differences.len(),
        1,
        "it is closed all the same: {}",
        followed.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_may_ask_for_more_than_was_told() {
    let change = (
        "workflows/incident.yaml",
        "      summary: { required: true }\n      description: {}\n      category: {}\n      service: {}\n      urgency: {}",
        "      summary: { required: true }\n      description: { required: true }\n      category: {}\n      service: {}\n      urgency: {}",
    );
    let Some(tried) = tried(&[change]).await else {
        return;
    };
    let refused = tried.difference("INC-1", Kind::Impossible, "report");
    let why = refused.why.as_deref().unwrap_or_default();
    assert!(why.contains("/description it is required"), "{why}");
    assert_eq!(tried.simulated.total.diverged, 2, "{}", tried.text);

    // Put where they were, they are judged on, and nothing else differs.
    let followed = tried_as(&[change], |arguments| arguments.follow = true).await;
    let Some(followed) = followed else { return };
    let kinds = followed.kinds();
    assert_eq!(kinds.get(&Kind::Impossible), Some(&2), "{}", followed.text);
    assert_eq!(kinds.get(&Kind::State), None, "{}", followed.text);
    assert_eq!(kinds.get(&Kind::Field), None, "{}", followed.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_to_another_team() {
    let change = (
        "workflows/incident.yaml",
        "routing: { by: { plugin: skills-router }, fallback: { team: service-desk } }",
        "routing: { fallback: { team: infrastructure } }",
    );
    let Some(tried) = tried(&[change]).await else {
        return;
    };
    let team = tried.difference("INC-1", Kind::Route, "team");
    assert_eq!((&*team.then, &*team.now), ("network", "infrastructure"));
    assert!(team.lasts);
    assert_eq!(
        tried.difference("INC-1", Kind::Route, "assignee").now,
        "none"
    );
    assert_eq!(tried.kinds().get(&Kind::Route), Some(&4), "{}", tried.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_asked_afresh_with_the_candidates_of_then() {
    // Everybody has left the teams since; with other settings the router still sees who was there.
    let change = (
        "plugins/skills-router.yaml",
        "grants: { directory:",
        "settings: { prefer: least-loaded }\ngrants: { directory:",
    );
    let Some(tried) = tried(&[change]).await else {
        return;
    };
    assert!(tried.simulated.hooks.afresh > 6, "{}", tried.text);
    assert_eq!(tried.simulated.hooks.failed, 0, "{}", tried.text);
    assert_eq!(tried.kinds().get(&Kind::Route), None, "{}", tried.text);
    let change = (
        "plugins/skills-router.yaml",
        "grants: { directory:",
        "settings: { max_open_records: 1 }\ngrants: { directory:",
    );
    let tried = self::tried(&[change]).await.expect("tried");
    assert!(tried.kinds().contains_key(&Kind::Route), "{}", tried.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_is_spared_leaves_votes_that_nobody_needs() {
    let change = ("workflows/request.yaml", "cost > 2000", "cost > 5000");
    let Some(tried) = tried(&[change]).await else {
        return;
    };
    let finance = tried.difference("REQ-1", Kind::Approvers, "approval/finance");
    assert_eq!((&*finance.then, &*finance.now), ("1 of finn", "none"));
    let vote = tried.difference("REQ-1", Kind::UnneededVote, "fulfil/finn");
    assert_eq!(vote.now, "not asked");
    assert_eq!(tried.of("REQ-1").diverged, None);
    assert_eq!(tried.simulated.total.differ, 1, "{}", tried.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_is_new_has_no_votes_and_is_undecided() {
    let change = ("workflows/request.yaml", "cost > 2000", "cost > 400");
    let Some(tried) = tried(&[change]).await else {
        return;
    };
    let undecided = tried.difference("REQ-2", Kind::Undecided, "approval/finance");
    assert_eq!(undecided.at, at("2026-03-06T12:00:00Z"));
    let diverged = tried.of("REQ-2").diverged.as_ref().expect("it diverged");
    assert!(diverged.why.contains("finn"), "{}", diverged.why);
    assert_eq!(
        tried
            .difference("REQ-2", Kind::Approvers, "approval/finance")
            .then,
        "none"
    );
    assert_eq!(tried.kinds().get(&Kind::Impossible), None, "{}", tried.text);

    let followed = tried_as(&[change], |arguments| arguments.follow = true).await;
    let Some(followed) = followed else { return };
    let state = followed.difference("REQ-2", Kind::State, "state");
    assert_eq!((&*state.then, &*state.now), ("fulfil", "approval"));
    assert!(!state.lasts, "it is closed in the end: {}", followed.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_ends_sooner_expires_before_its_votes() {
    let change = (
        "workflows/request.yaml",
        "quorum: { all: true }\n          timeout: { business: PT24H",
        "quorum: { all: true }\n          timeout: { business: PT1H",
    );
    let Some(tried) = tried(&[change]).await else {
        return;
    };
    let approval = tried.difference("REQ-2", Kind::Approval, "approval");
    assert_eq!((&*approval.then, &*approval.now), ("approved", "expired"));
    tried.difference("REQ-2", Kind::UnneededVote, "undecided/rob");
    tried.difference("REQ-2", Kind::Impossible, "deliver");
    assert!(tried.of("REQ-2").diverged.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn promises_are_tried_with_other_goals_and_another_calendar() {
    let goals = (
        "service-levels/standard.yaml",
        "priority == 'p4'\", then: { goal: PT40H }",
        "priority == 'p4'\", then: { goal: PT1H }",
    );
    let Some(tried) = tried(&[goals]).await else {
        return;
    };
    let goal = tried.difference("INC-1", Kind::Goal, "standard/resolution");
    assert_eq!(goal.then, "PT40H in business-hours");
    assert_eq!(goal.now, "PT1H in business-hours");
    let verdict = tried.difference("INC-1", Kind::Verdict, "standard/resolution");
    assert_eq!((&*verdict.then, &*verdict.now), ("met", "breached"));
    assert!(tried.text.contains("met -> breached"), "{}", tried.text);
    let hours = (
        "calendars/business-hours.yaml",
        "mon: { morning: \"08:00-12:00\", afternoon: \"13:00-17:00\" }",
        "mon: { morning: \"11:00-12:00\", afternoon: \"13:00-14:00\" }",
    );
    let tried = self::tried(&[hours]).await.expect("tried");
    let due = tried.difference("INC-2", Kind::Due, "standard/resolution");
    assert!(due.shift_s.is_some_and(|shift| shift > 0), "{}", tried.text);
    assert!(tried.text.contains("later by"), "{}", tried.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_waits_longer_leaves_the_record_open() {
    let change = (
        "workflows/request.yaml",
        "wait: { business: PT40H, calendar: business-hours }\n        do: confirm",
        "wait: { business: PT400H, calendar: business-hours }\n        do: confirm",
    );
    let Some(tried) = tried(&[change]).await else {
        return;
    };
    let state = tried.difference("REQ-1", Kind::State, "state");
    assert_eq!((&*state.then, &*state.now), ("closed", "fulfilled"));
    assert_eq!(tried.kinds().get(&Kind::State), Some(&3), "{}", tried.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_is_tried_in_the_place_of_all_its_versions() {
    let Some(history) = history().await else {
        return;
    };
    // The note that began under the first version begins under the second, which stays.
    let folder = tempfile::tempdir().expect("a folder");
    for (file, text) in super::desk::notes("short").texts {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }
    let simulated = simulated(&arguments(folder.path(), history)).await;
    let simulated = simulated.unwrap_or_else(|error| panic!("{error:#}"));
    let total = simulated.total;
    assert_eq!(
        (total.records, total.differ, simulated.identical),
        (14, 1, 13)
    );
    let of = &simulated.worst[0];
    assert_eq!(of.record.as_str(), "NTE-1");
    assert_eq!(
        (&*of.differences[0].then, &*of.differences[0].now),
        ("long", "short")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_called_otherwise_is_no_difference() {
    let incident = "workflows/incident.yaml";
    let shipped = PackFiles::shipped("itil").expect("it ships").texts;
    let role = ("change-manager", "change-enabler");
    let with_role = shipped.iter().filter(|(file, text)| {
        let is_read = !file.starts_with("scenarios/") && !file.starts_with("docs/");
        is_read && text.contains(role.0)
    });
    let mut changes: Vec<(&str, &str, &str)> = with_role
        .map(|(file, _)| (&**file, role.0, role.1))
        .collect();
    changes.extend([
        (incident, "urgency", "haste"),
        (
            incident,
            "      start: { title: Start work",
            "      take-up: { title: Start work",
        ),
    ]);
    let Some(not_said) = tried(&changes).await else {
        return;
    };
    assert!(not_said.simulated.total.diverged > 2, "{}", not_said.text);
    changes.push((
        "pack.yaml",
        "\nrenamed:\n",
        "\nrenamed:\n  pack/roles/change-manager: change-enabler\n  workflows/incident/fields/urgency: haste\n  workflows/incident/states/new/transitions/start: take-up\n",
    ));
    let said = tried(&changes).await.expect("tried");
    assert_eq!(said.simulated.total.differ, 0, "{}", said.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_some_records_are_judged() {
    let since = tried_as(&[], |arguments| {
        arguments.since = Some(at("2026-03-03T00:00:00Z"));
    });
    let Some(since) = since.await else { return };
    assert_eq!(since.simulated.total.records, 10, "{}", since.text);
    let of = tried_as(&[], |arguments| {
        arguments.workflow = Some("request".parse().expect("an id"));
    });
    let of = of.await.expect("tried");
    assert_eq!(of.simulated.total.records, 5, "{}", of.text);
    assert_eq!(of.simulated.identical, 5, "{}", of.text);
}
