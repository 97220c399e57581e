//! Names that an adaptation's scenarios, migrations and translations have of what its base renames.

use expect_test::{Expect, expect};

use super::{BASE, Files, OURS, adapted, header, run};

/// What the base adds to the smallest workflow: a form with an input of its own, a field that names a
/// team, a link, tasks and an approval.
const FURTHER: &str = "
  assess:
    category: open
    tasks: { each: { desk: { workflow: task, set: { what: check } } }, then: { all: agree } }
    transitions: { agree: { to: approval } }
  approval:
    category: open
    approval:
      stages: { boss: { approvers: { boss: { role: agent } }, quorum: { all: true } } }
      then: { approved: done, rejected: done, expired: done, unreachable: done, nobody-asked: done }
    transitions: { done: { to: closed } }
links: { caused_by: { to: { task: true }, inverse: causes } }
";

const TASK: &str = "\
kind: Workflow
id: task
title: Task
number: TSK
fields: { what: { options: { check: {}, mend: {} } } }
links: { helps: { to: { incident: true }, inverse: helped } }
create: { hand-out: { to: open, permit: { agent: true }, form: { what: {} } } }
states:
  open: { category: open, transitions: { finish: { to: ended, permit: { agent: true }, form: { hours: { type: integer } } } } }
  ended: { category: closed, outcome: done }
";

const ITEM: &str = "\
kind: CatalogueItem
id: phone
title: Phone
of: incident
create: { report: { form: { model: { options: { plain: {}, smart: {} } } } } }
";

const RENAMED: &str = "renamed:
  workflows/incident: fault
  workflows/incident/fields/contact: caller
  workflows/incident/fields/desk: owners
  workflows/incident/fields/impact/options/high: site
  workflows/incident/create/report: tell
  workflows/incident/states/in-progress/transitions/pause: ask
  workflows/incident/states/in-progress/transitions/pause/form/question: query
  workflows/incident/states/pending: waiting-user
  workflows/incident/states/pending/transitions/reply: answer
  workflows/incident/states/assess/tasks/each/desk: look
  workflows/incident/states/approval/approval/stages/boss: chief
  workflows/incident/links/caused_by: due_to
  workflows/task: errand
  workflows/task/fields/what/options/mend: repair
  workflows/task/links/helps: serves
  workflows/task/states/open/transitions/finish: end
  workflows/task/states/open/transitions/finish/form/hours: spent
  catalogue/phone: mobile
  catalogue/phone/create/report/form/model/options/smart: clever
  teams/service-desk: front-desk
  notices/asked: question
  calendars/office: office-hours
  service-levels/standard: usual
  service-levels/standard/targets/resolution: solution
  scenarios/desk: hall
  pack/roles/agent: worker
";

/// The base, before and after the words on the left are those on the right.
fn base(words: &[(&str, &str)], further: &str) -> Files {
    let workflow = BASE
        .replace(
            "  contact:",
            "  desk: { ref: team, label: Desk }\n  contact:",
        )
        .replace("contact: {} }", "contact: {}, desk: {}, impact: {} }")
        .replace(
            "to: pending, permit: { anyone: true }",
            "to: pending, permit: { anyone: true }, form: { question: { type: string, label: Question } }, effects: { ask: { notice: asked } }",
        );
    let files = [
        ("workflows/incident.yaml", workflow + FURTHER.trim_start_matches('\n')),
        ("workflows/task.yaml", TASK.to_owned()),
        ("catalogue/phone.yaml", ITEM.to_owned()),
        (
            "teams/desk.yaml",
            "kind: Team\nid: service-desk\ntitle: Desk\ncalendar: office\n".to_owned(),
        ),
        (
            "calendars/office.yaml",
            "kind: Calendar\nid: office\nzone: UTC\nalways: true\n".to_owned(),
        ),
        (
            "notices/asked.yaml",
            "kind: Notice\nid: asked\nto: { requester: true }\nsubject: \"{{ record.id }}\"\ntext: \"{{ contact }}\"\n".to_owned(),
        ),
        (
            "service-levels/standard.yaml",
            "kind: ServiceLevel\nid: standard\ntype: sla\nfor: { incident: \"true\" }\ncalendar: { named: office }\ntargets: { resolution: { start: \"true\", stop: \"record.category == 'closed'\", goal: { business: PT8H } } }\n".to_owned(),
        ),
        (
            "scenarios/desk.yaml",
            "kind: Scenario\nid: desk\ntitle: The hall\ngiven: { at: \"2026-03-02T09:00\", directory: { user: { rita: { name: Rita } } } }\n".to_owned(),
        ),
    ];
    let version = if words.is_empty() { "1.0.0" } else { "1.1.0" };
    let header = header(version, "");
    let all = files.map(|(path, text)| (path.to_owned(), text));
    let all = all.into_iter().chain([("pack.yaml".to_owned(), header)]);
    let renamed = all.map(|(path, text)| {
        let replace = |text: String, (old, new): &(&str, &str)| text.replace(old, new);
        (path, words.iter().fold(text, replace))
    });
    let mut files: Files = renamed.collect();
    let header = files.get_mut("pack.yaml").expect("it has a header");
    header.push_str(further);
    files
}

/// What [`RENAMED`] says, in the files.
const WORDS: [(&str, &str); 33] = [
    ("{ incident: true }", "{ fault: true }"),
    ("helps:", "serves:"),
    ("workflow: task", "workflow: errand"),
    ("task: true", "errand: true"),
    ("id: task", "id: errand"),
    ("mend:", "repair:"),
    ("finish:", "end:"),
    ("hours:", "spent:"),
    ("desk: { workflow", "look: { workflow"),
    ("boss: { approvers", "chief: { approvers"),
    ("caused_by:", "due_to:"),
    ("id: incident", "id: fault"),
    ("of: incident", "of: fault"),
    ("incident: \"true\"", "fault: \"true\""),
    ("contact:", "caller:"),
    ("contact ", "caller "),
    ("desk: {", "owners: {"),
    ("high", "site"),
    ("report:", "tell:"),
    ("pause:", "ask:"),
    ("question:", "query:"),
    ("pending", "waiting-user"),
    ("reply:", "answer:"),
    ("id: phone", "id: mobile"),
    ("smart", "clever"),
    ("service-desk", "front-desk"),
    ("id: asked", "id: question"),
    ("notice: asked", "notice: question"),
    ("office", "office-hours"),
    ("id: standard", "id: usual"),
    ("resolution:", "solution:"),
    ("id: desk", "id: hall"),
    ("agent", "worker"),
];

/// What becomes of a file of the adaptation, beside the report's conflicts.
fn check(path: &str, text: &str, further: &[(&str, &str)], expected: &Expect) {
    let mut files = adapted(&base(&[], ""), &format!("{OURS}title: Ours\n"));
    files.insert(path.to_owned(), text.to_owned());
    let further = further.iter();
    files.extend(further.map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    let upgraded = run(&files, &base(&WORDS, RENAMED), &[], false);
    let told = match upgraded {
        Ok(upgraded) => match upgraded.files {
            Some(files) => files[path].clone(),
            None => upgraded.report.to_string(),
        },
        Err(error) => format!("{error}\n"),
    };
    expected.assert_eq(&told);
}

/// A scenario that names everything that a scenario can name.
const SCENARIO: &str = "\
# Ours.
kind: Scenario
id: ours
title: The pending contact of an incident, reported
given:
  like: desk
  directory:
    user:
      ada: { name: Ada, roles: [agent] }   # of the desk
      bram:
        name: Bram
        roles:
          # what he is
          - agent
          - 'agent'
    team: { service-desk: { members: { ada: { shift: office } } } }
    service: { mail: { name: agent, team: service-desk } }
  filled: { incident: { impact: high, contact: high } }
  before: { incident: { reply: pause }, task: { finish: pause } }
steps:
  report:
    as: rita
    do: { create: { workflow: incident, item: phone, via: report, fields: { summary: high, contact: high, impact: high, desk: service-desk, model: smart } } }
    expect:
      state: new
      fields: { contact: pending, impact: 'high', team: service-desk }
      unset: { contact: false }
      clocks: { standard/resolution: { status: running } }
      tasks: { desk: none }
      links: { caused_by: { task: 0 } }
      may: { pause: false }
  pause:
    as: ada
    do: { transition: { id: pause, input: { question: \"Is it high?\" } } }
    expect: { state: pending, notified: { asked: { rita: true } }, approval: { stage: boss } }
  reply: { record: report, as: rita, do: { transition: { id: reply, input: { contact: rita } } }, expect: { refused: { contact: true } } }
  move: { as: ada, do: { update: { fields: { team: service-desk, impact: high }, clear: { contact: true } } } }
  pending:
    as: ada
    record: { step: report, task: desk }
    do: { transition: { id: finish, input: { hours: 1 } } }
    expect: { fields: { what: mend } }
  task:
    as: ada
    do: { create: { workflow: task, via: hand-out, fields: { what: mend, contact: high } } }
  tie: { as: ada, record: task, do: { link: { kind: causes, to: { step: report, link: caused_by, workflow: task } } } }
  gone: { do: { directory: { put: { user: { emma: { roles: [agent] } } }, remove: { team: { service-desk: true } } } } }
";

#[test]
fn a_scenario_goes_on_with_the_names_of_today() {
    check(
        "scenarios/ours.yaml",
        SCENARIO,
        &[],
        &expect![[r##"
            # Ours.
            kind: Scenario
            id: ours
            title: The pending contact of an incident, reported
            given:
              like: hall
              directory:
                user:
                  ada: { name: Ada, roles: [worker] }   # of the desk
                  bram:
                    name: Bram
                    roles:
                      # what he is
                      - worker
                      - 'worker'
                team: { front-desk: { members: { ada: { shift: office-hours } } } }
                service: { mail: { name: agent, team: front-desk } }
              filled: { fault: { impact: site, caller: high } }
              before: { fault: { answer: ask }, errand: { end: pause } }
            steps:
              report:
                as: rita
                do: { create: { workflow: fault, item: mobile, via: tell, fields: { summary: high, caller: high, impact: site, owners: front-desk, model: clever } } }
                expect:
                  state: new
                  fields: { caller: pending, impact: 'site', team: front-desk }
                  unset: { caller: false }
                  clocks: { usual/solution: { status: running } }
                  tasks: { look: none }
                  links: { due_to: { errand: 0 } }
                  may: { ask: false }
              pause:
                as: ada
                do: { transition: { id: ask, input: { query: "Is it high?" } } }
                expect: { state: waiting-user, notified: { question: { rita: true } }, approval: { stage: chief } }
              reply: { record: report, as: rita, do: { transition: { id: answer, input: { caller: rita } } }, expect: { refused: { caller: true } } }
              move: { as: ada, do: { update: { fields: { team: front-desk, impact: site }, clear: { caller: true } } } }
              pending:
                as: ada
                record: { step: report, task: look }
                do: { transition: { id: end, input: { spent: 1 } } }
                expect: { fields: { what: repair } }
              task:
                as: ada
                do: { create: { workflow: errand, via: hand-out, fields: { what: repair, contact: high } } }
              tie: { as: ada, record: task, do: { link: { kind: causes, to: { step: report, link: due_to, workflow: errand } } } }
              gone: { do: { directory: { put: { user: { emma: { roles: [worker] } } }, remove: { team: { front-desk: true } } } } }
        "##]],
    );
}

#[test]
fn a_migration_keeps_the_names_of_the_versions_that_it_comes_from() {
    let migration = "\
kind: Migration
id: ours
title: From contact and pending
of: incident
states:
  pending: pending   # as it was
  high: { cel: \"contact == 'pending' && record.state == 'pending' ? 'pending' : 'new'\" }
fields:
  contact: { cel: \"contact + desk\" }
  impact: { cel: \"impact == 'high' && open('office', now) ? {'high': 'high'}[impact] : 'low'\" }
  desk: service-desk
drops: { caller_id: The contact has it. }
";
    check(
        "migrations/ours.yaml",
        migration,
        &[],
        &expect![[r#"
        kind: Migration
        id: ours
        title: From contact and pending
        of: fault
        states:
          pending: waiting-user   # as it was
          high: { cel: "contact == 'pending' && record.state == 'pending' ? 'waiting-user' : 'new'" }
        fields:
          caller: { cel: "contact + desk" }
          impact: { cel: "impact == 'high' && open('office-hours', now) ? {'high': 'site'}[impact] : 'low'" }
          owners: front-desk
        drops: { caller_id: The contact has it. }
    "#]],
    );
    let literal = "\
kind: Migration
id: ours
title: All of them
of: incident
fields: { impact: high }
drops: { phone: The contact has it., pending: It was no field of this version. }
";
    check(
        "migrations/ours.yaml",
        literal,
        &[],
        &expect![[r#"
        kind: Migration
        id: ours
        title: All of them
        of: fault
        fields: { impact: site }
        drops: { phone: The contact has it., pending: It was no field of this version. }
    "#]],
    );
}

#[test]
fn a_translation_follows_what_it_translates() {
    let translation = "\
kind: Translation
id: de
title: Deutsch
workflows:
  incident:   # die Störung
    title: Störung (incident)
    fields:
      contact: { label: contact }
      impact: { options: { high: { label: high } } }
      ours: { label: Unseres }
    create: { report: { form: { contact: { help: Wer? } } } }
    states:
      pending: { title: Wartet, transitions: { reply: { title: Antworten } } }
      in-progress: { transitions: { pause: { form: { question: { label: Frage } } } } }
  task: { fields: { what: { options: { mend: { label: Reparieren } } } } }
catalogue:
  phone:
    title: Telefon
    fields: { contact: { label: Für wen? } }
    create: { report: { form: { model: { options: { smart: { label: Schlau } } } } } }
notices:
  asked: { text: \"contact: {{ contact }}, {{ record.id }}\" }
teams: { service-desk: { title: Tisch } }
";
    let ours = format!("{OURS}title: Ours\nfields: {{ ours: {{ type: string }} }}\n");
    check(
        "translations/de.yaml",
        translation,
        &[("workflows/incident.yaml", &ours)],
        &expect![[r#"
            kind: Translation
            id: de
            title: Deutsch
            workflows:
              fault:   # die Störung
                title: Störung (incident)
                fields:
                  caller: { label: contact }
                  impact: { options: { site: { label: high } } }
                  ours: { label: Unseres }
                create: { tell: { form: { caller: { help: Wer? } } } }
                states:
                  waiting-user: { title: Wartet, transitions: { answer: { title: Antworten } } }
                  in-progress: { transitions: { ask: { form: { query: { label: Frage } } } } }
              errand: { fields: { what: { options: { repair: { label: Reparieren } } } } }
            catalogue:
              mobile:
                title: Telefon
                fields: { caller: { label: Für wen? } }
                create: { tell: { form: { model: { options: { clever: { label: Schlau } } } } } }
            notices:
              question: { text: "contact: {{ caller }}, {{ record.id }}" }
            teams: { front-desk: { title: Tisch } }
        "#]],
    );
}

#[test]
fn an_item_of_the_catalogue_is_called_as_its_workflow_is() {
    let item = "\
kind: CatalogueItem
id: tablet
title: Tablet
of: incident
fields: { contact: { label: For whom? } }
create: { report: { form: { contact: { required: true }, size: { options: { high: {} } } } } }
states:
  pending: { transitions: { reply: { title: Answer } } }
  assess: { tasks: { each: { second: { workflow: task, needs: { desk: true }, set: { what: mend } } } } }
  new: { transitions: { start: { effects: { tie: { each: { link: caused_by, do: finish } }, make: { create: { workflow: task, link: helps, create: hand-out } } } } } }
";
    check(
        "catalogue/tablet.yaml",
        item,
        &[],
        &expect![[r#"
        kind: CatalogueItem
        id: tablet
        title: Tablet
        of: fault
        fields: { caller: { label: For whom? } }
        create: { tell: { form: { caller: { required: true }, size: { options: { high: {} } } } } }
        states:
          waiting-user: { transitions: { answer: { title: Answer } } }
          assess: { tasks: { each: { second: { workflow: errand, needs: { look: true }, set: { what: mend } } } } }
          new: { transitions: { start: { effects: { tie: { each: { link: due_to, do: end } }, make: { create: { workflow: errand, link: serves, create: hand-out } } } } } }
    "#]],
    );
}

#[test]
fn what_names_something_that_is_gone_is_asked_about() {
    let mut files = adapted(&base(&[], ""), &format!("{OURS}title: Ours\n"));
    let step = "kind: Scenario\nid: ours\ntitle: Ours\ngiven: { like: desk }\nsteps:\n  report: { as: rita, do: { create: { workflow: incident, fields: { contact: rita } } }, expect: { state: pending } }\n";
    let more = [
        ("scenarios/ours.yaml", step.to_owned()),
        (
            "scenarios/left.yaml",
            step.replace("id: ours", "id: left\nskip: It waits for its states."),
        ),
        (
            "migrations/ours.yaml",
            "kind: Migration\nid: ours\ntitle: Ours\nof: incident\nstates: { pending: pending }\ndrops: { contact: Nobody reads it. }\n".to_owned(),
        ),
        (
            "translations/de.yaml",
            "kind: Translation\nid: de\ntitle: Deutsch\nworkflows:\n  incident:\n    states:\n      pending: { title: Wartet, transitions: { reply: { title: Antworten } } }\n      closed: { title: Zu }\n".to_owned(),
        ),
    ];
    files.extend(more.map(|(path, text)| (path.to_owned(), text)));
    let whole = base(&[], "");
    let mut new = whole.clone();
    for (old, now) in [
        ("to: pending", "to: new"),
        (
            "  pending:\n    category: waiting\n    transitions:\n      reply: { to: in-progress, permit: { anyone: true } }\n",
            "",
        ),
    ] {
        let workflow = new.get_mut("workflows/incident.yaml").expect("it is there");
        assert!(workflow.contains(old));
        *workflow = workflow.replace(old, now);
    }
    let header = new.get_mut("pack.yaml").expect("it has a header");
    *header = header.replace("1.0.0", "1.1.0");
    let upgraded = run(&files, &new, &[], false).unwrap_or_else(|error| panic!("{error}"));
    expect![[r#"
        from base 1.0.0 to base 1.1.0
        kept        workflows/incident/title
        own         migrations/ours
        own         scenarios/left
        own         scenarios/ours
        own         translations/de
        conflict    migrations/ours/states/pending: it names `workflows/incident/states/pending`, which the new base has no more
          ours      "pending"  (migrations/ours.yaml:5:20)
        conflict    scenarios/ours/steps/report/expect/state: it names `workflows/incident/states/pending`, which the new base has no more
          ours      "pending"  (scenarios/ours.yaml:6:107)
        conflict    translations/de/workflows/incident/states/pending: it names `workflows/incident/states/pending`, which the new base has no more
          ours      {"title":"Wartet","transitions":{"reply":{"title":"Antworten"}}}  (translations/de.yaml:7:7)
        1 kept, 0 not needed, 0 renamed, 3 in conflict
    "#]].assert_eq(&format!("{}\n", upgraded.report));
    let takes = [
        ("scenarios/ours", super::Side::Ours),
        ("migrations/ours", super::Side::Theirs),
        ("translations/de", super::Side::Theirs),
    ];
    let upgraded = run(&files, &new, &takes, false).unwrap_or_else(|error| panic!("{error}"));
    let files = upgraded.files.expect("all is decided");
    let told = ["migrations/ours.yaml", "translations/de.yaml"].map(|path| files[path].as_str());
    expect![[r#"
        kind: Migration
        id: ours
        title: Ours
        of: incident
        drops: { contact: Nobody reads it. }
        ---
        kind: Translation
        id: de
        title: Deutsch
        workflows:
          incident:
            states:
              closed: { title: Zu }
    "#]]
    .assert_eq(&told.join("---\n"));
}
