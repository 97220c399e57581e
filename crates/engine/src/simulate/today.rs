//! A record's history by the names of today: what the pack that is tried has renamed since is read under
//! its present name, so that a rename by itself makes no difference.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr;

use definition::pack::{Pack, Renames};
use model::Value;
use model::command::{Action, Command};
use model::event::Event;
use model::id::{
    CatalogueItemId, FieldId, FragmentId, RoleId, StageId, StateId, TransitionId, WorkflowId,
};
use model::journal::Entry;
use serde_json::{Map, Value as Json};

/// The names of today.
pub(super) struct Today {
    renames: Renames,
    /// The fragments that workflows use.
    uses: HashMap<WorkflowId, Vec<FragmentId>>,
    /// The transitions that states have of their own.
    own: HashSet<(WorkflowId, StateId, TransitionId)>,
}

/// Where a record is, by the names of then.
struct Place {
    workflow: WorkflowId,
    item: Option<CatalogueItemId>,
    /// None before it has begun.
    state: Option<StateId>,
}

impl Today {
    /// Those of a pack; none where it has renamed nothing.
    pub(super) fn of(pack: &Pack) -> Option<Self> {
        if pack.renames.is_empty() {
            return None;
        }
        let mut today = Self {
            renames: pack.renames.clone(),
            uses: HashMap::new(),
            own: HashSet::new(),
        };
        for (id, workflow) in &pack.workflows {
            let fragments = workflow.value.uses.keys().cloned();
            today.uses.insert(id.clone(), fragments.collect());
            for (state, it) in &workflow.value.states {
                let own = it.transitions.keys();
                today
                    .own
                    .extend(own.map(|name| (id.clone(), state.clone(), name.clone())));
            }
        }
        Some(today)
    }

    /// What a role is called today, where that is something else.
    pub(super) fn role(&self, role: &RoleId) -> Option<RoleId> {
        self.called(&["pack", "roles"], role.as_str())
    }

    /// What a workflow is called today.
    pub(super) fn workflow(&self, id: &WorkflowId) -> WorkflowId {
        self.called(&["workflows"], id.as_str())
            .unwrap_or_else(|| id.clone())
    }

    /// A record's journal, from its first entry, by the names of today.
    pub(super) fn journal(&self, entries: &mut [(u64, Entry)]) {
        let first = entries.first().and_then(|(_, entry)| entry.events.first());
        let Some(Event::Created { workflow, item, .. }) = first else {
            return;
        };
        let mut place = Place {
            workflow: workflow.clone(),
            item: item.clone(),
            state: None,
        };
        for (_, entry) in entries {
            self.command(&place, &mut entry.command);
            self.events(&mut place, &mut entry.events);
        }
    }

    fn command(&self, place: &Place, command: &mut Command) {
        let roles = command.actor.roles.iter();
        let today: Vec<RoleId> = roles.filter_map(|role| self.role(role)).collect();
        command.actor.roles.extend(today);
        match &mut command.action {
            Action::Create(create) => {
                let via = create.via.as_ref().map(TransitionId::as_str);
                let form = via.map(|via| ["create", via]);
                self.inputs(
                    place,
                    form.as_ref().map_or(&[], |form| form),
                    &mut create.fields,
                );
                if let Some(via) = &mut create.via {
                    self.way(place, via);
                }
                create.workflow = self.workflow(&create.workflow);
                self.item(&mut create.item);
            }
            Action::Transition { name, input } => {
                let form = self.transition_at(place, name.as_str());
                let form: Vec<&str> = form.iter().map(String::as_str).collect();
                self.inputs(place, &form, input);
                self.transition(place, name);
            }
            Action::Update { fields } => self.inputs(place, &[], fields),
            _ => {}
        }
    }

    fn events(&self, place: &mut Place, events: &mut Vec<Event>) {
        let mut renamed = BTreeSet::new();
        for event in events.iter_mut() {
            match event {
                Event::Created {
                    workflow,
                    via,
                    state,
                    item,
                    ..
                } => {
                    self.way(place, via);
                    place.state = Some(state.clone());
                    self.state(place, state);
                    *workflow = self.workflow(workflow);
                    self.item(item);
                }
                Event::Entered { via, from, to, .. } => {
                    self.transition(place, via);
                    self.state(place, from);
                    place.state = Some(to.clone());
                    self.state(place, to);
                }
                Event::Stayed { via } => self.transition(place, via),
                Event::Migrated { left, entered, .. } => {
                    self.state(place, left);
                    place.state = Some(entered.clone());
                    self.state(place, entered);
                }
                Event::FieldSet { field, value, .. } => {
                    self.options(place, field, value);
                    let then = field.clone();
                    self.field(place, field);
                    if then != *field {
                        renamed.insert(field.clone());
                    }
                }
                Event::OverrideCleared { field } => self.field(place, field),
                Event::StageOpened { approval } => {
                    for stage in &mut approval.stages {
                        self.stage(place, &mut stage.plan.id);
                    }
                }
                Event::Voted { stage, .. }
                | Event::VoteRecalled { stage, .. }
                | Event::VoteReassigned { stage, .. }
                | Event::Substituted { stage, .. }
                | Event::InformationAsked { stage, .. }
                | Event::InformationGiven { stage, .. }
                | Event::StageTimerSet { stage, .. }
                | Event::StageTimerFired { stage, .. }
                | Event::Entitled { stage, .. }
                | Event::StageEnded { stage, .. } => self.stage(place, stage),
                _ => {}
            }
        }
        if events.iter().any(|it| matches!(it, Event::Migrated { .. })) {
            leave_moved(events, &renamed);
        }
    }

    fn way(&self, place: &Place, via: &mut TransitionId) {
        rename(via, self.within(place, &["create"], via.as_str()));
    }

    fn state(&self, place: &Place, state: &mut StateId) {
        rename(state, self.within(place, &["states"], state.as_str()));
    }

    fn transition(&self, place: &Place, name: &mut TransitionId) {
        let at = self.transition_at(place, name.as_str());
        let above: Vec<&str> = at.iter().map(String::as_str).collect();
        if let [above @ .., last] = &above[..] {
            rename(name, self.within(place, above, last));
        }
    }

    /// Where a transition stood: in the record's state, or among those of any.
    fn transition_at(&self, place: &Place, name: &str) -> Vec<String> {
        let own = place.state.as_ref().filter(|state| {
            let above = ["states", state.as_str(), "transitions"];
            let is_renamed = self.within::<TransitionId>(place, &above, name).is_some();
            is_renamed || self.is_own(place, state, name)
        });
        let own = own.map(|state| vec!["states", state.as_str(), "transitions", name]);
        let at = own.unwrap_or_else(|| vec!["anywhere", name]);
        at.into_iter().map(str::to_owned).collect()
    }

    /// Whether the record's state has a transition of its own that is called so today.
    fn is_own(&self, place: &Place, state: &StateId, name: &str) -> bool {
        let mut state = state.clone();
        self.state(place, &mut state);
        let name = name.parse().ok();
        name.is_some_and(|name| {
            let workflow = self.workflow(&place.workflow);
            self.own.contains(&(workflow, state, name))
        })
    }

    fn stage(&self, place: &Place, stage: &mut StageId) {
        if let Some(state) = &place.state {
            let above = ["states", state.as_str(), "approval", "stages"];
            rename(stage, self.within(place, &above, stage.as_str()));
        }
    }

    fn field(&self, place: &Place, field: &mut FieldId) {
        rename(field, self.within(place, &["fields"], field.as_str()));
    }

    fn options(&self, place: &Place, field: &FieldId, value: &mut Value) {
        let texts = match value {
            Value::Text(text) => std::slice::from_mut(text),
            Value::Texts(texts) => texts,
            _ => &mut [],
        };
        for text in texts {
            let above = ["fields", field.as_str(), "options"];
            rename(text, self.within(place, &above, text));
        }
    }

    fn item(&self, item: &mut Option<CatalogueItemId>) {
        if let Some(item) = item {
            rename(item, self.called(&["catalogue"], item.as_str()));
        }
    }

    /// The inputs of the form at a path, or the fields of an update.
    fn inputs(&self, place: &Place, form: &[&str], inputs: &mut Map<String, Json>) {
        let mut today = Map::new();
        for (input, mut value) in std::mem::take(inputs) {
            let texts: Vec<&mut Json> = match &mut value {
                Json::Array(all) => all.iter_mut().collect(),
                one => vec![one],
            };
            let places = [[form, &["form"]].concat(), vec!["fields"]];
            let called = |below: &[&str], key: &str| {
                let mut each = places.iter();
                each.find_map(|above| self.within(place, &[above, below].concat(), key))
            };
            for text in texts {
                let option = text.as_str();
                if let Some(option) = option.and_then(|it| called(&[&input, "options"], it)) {
                    *text = Json::String(option);
                }
            }
            today.insert(called(&[], &input).unwrap_or(input), value);
        }
        *inputs = today;
    }

    /// What a key is called today, where that is something else: of the record's item of the catalogue,
    /// of its workflow, or of a fragment that lies under that.
    fn within<N: FromStr>(&self, place: &Place, above: &[&str], key: &str) -> Option<N> {
        let item = place.item.as_ref().map(|item| ["catalogue", item.as_str()]);
        let workflow = ["workflows", place.workflow.as_str()];
        let uses = self.uses.get(&self.workflow(&place.workflow));
        let fragments = uses.into_iter().flatten();
        let fragments = fragments.map(|fragment| ["fragments", fragment.as_str()]);
        let roots = item.into_iter().chain([workflow]).chain(fragments);
        let mut roots = roots.map(|root| [&root[..], above].concat());
        roots.find_map(|above| self.called(&above, key))
    }

    fn called<N: FromStr>(&self, above: &[&str], key: &str) -> Option<N> {
        let old = above.iter().chain([&key]).map(|key| (*key).to_owned());
        let new = self.renames.path(&old.collect::<Vec<_>>()).pop()?;
        (new != key).then(|| new.parse().ok())?
    }
}

/// Of what a migration did: what it gave a new name is there by that name already, and is not emptied
/// with the old one.
fn leave_moved(events: &mut Vec<Event>, renamed: &BTreeSet<FieldId>) {
    let given = events.iter().filter_map(|event| match event {
        Event::FieldSet { field, value, .. } if !value.is_null() => Some(field.clone()),
        _ => None,
    });
    let given: BTreeSet<FieldId> = given.collect();
    events.retain(|event| match event {
        Event::FieldSet { field, value, .. } if value.is_null() => {
            !renamed.contains(field) && !given.contains(field)
        }
        _ => true,
    });
}

fn rename<N>(name: &mut N, today: Option<N>) {
    if let Some(today) = today {
        *name = today;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use definition::pack::Pack;
    use model::Digest;
    use model::journal::Entry;
    use serde_json::{Value as Json, json};

    use super::Today;

    const HEADER: &str = "kind: Pack
id: desk
version: 2.0.0
title: Desk
zone: UTC
roles: { agent: { title: Agent } }
renamed:
  pack/roles/worker: agent
  workflows/fault: incident
  workflows/fault/create/report: tell
  workflows/fault/fields/contact: caller
  workflows/fault/fields/size/options/big: large
  workflows/fault/states/pending: waiting
  workflows/fault/states/pending/transitions/reply: answer
  workflows/fault/states/pending/transitions/reply/form/question: query
  workflows/fault/anywhere/drop: cancel
  fragments/asking/fields/reason: motive
  workflows/fault/states/pending/approval/stages/boss: chief
  workflows/fault/states/pending/transitions/reply/form/mood/options/glum: low
";

    const WORKFLOW: &str = "kind: Workflow
id: incident
title: Incident
number: INC
use: { asking: true }
fields: { caller: { type: string }, size: { options: { small: {}, large: {} } } }
create: { tell: { to: waiting, permit: { agent: true }, form: { caller: {} } } }
states:
  waiting:
    category: waiting
    transitions:
      answer: { to: closed, permit: { agent: true }, form: { query: { type: string }, mood: { options: { low: {} } } } }
      drop: { to: closed, permit: { agent: true } }
    approval:
      stages: { chief: { approvers: { all: { role: agent } }, quorum: { all: true } } }
      then: { approved: answer, rejected: answer, expired: answer, unreachable: answer, nobody-asked: answer }
  other: { category: waiting, transitions: { answer: { to: closed, permit: { agent: true } } } }
  closed: { category: closed, outcome: done }
anywhere: { cancel: { to: closed, permit: { agent: true } } }
";

    const FRAGMENT: &str = "kind: Fragment\nid: asking\nfields: { motive: { type: string } }\n";

    fn today() -> Today {
        let files = [
            ("pack.yaml", HEADER),
            ("workflows/incident.yaml", WORKFLOW),
            ("fragments/asking.yaml", FRAGMENT),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let pack = Pack::read(&BTreeMap::from(files)).unwrap_or_else(|found| panic!("{found}"));
        Today::of(&pack).expect("it has renamed something")
    }

    fn entry(action: &Json, events: &Json) -> (u64, Entry) {
        let none = Digest::default();
        let command = json!({
            "actor": { "who": { "person": "ada" }, "roles": ["worker"] },
            "at": "2026-03-02T09:00:00Z", "action": action,
        });
        let entry = json!({
            "version": 1, "previous": none, "configuration": none,
            "command": command, "events": events,
        });
        (1, serde_json::from_value(entry).expect("an entry"))
    }

    /// The action and the events that these come to, after a beginning in the state `pending`.
    fn read(action: &Json, events: &Json) -> (Json, Json) {
        read_in("pending", action, events)
    }

    fn read_in(state: &str, action: &Json, events: &Json) -> (Json, Json) {
        let none = Digest::default();
        let begin = json!({ "workflow": "fault", "via": "report", "fields": { "contact": "rita", "size": "big" } });
        let begun = json!({ "workflow": "fault", "definition": none, "via": "report", "state": state, "category": "waiting", "requester": "rita" });
        let begin = entry(&json!({ "create": begin }), &json!([{ "created": begun }]));
        let mut entries = [begin, entry(action, events)];
        today().journal(&mut entries);
        let [(_, begin), (_, then)] = entries;
        let json = |it| serde_json::to_value(it).expect("JSON");
        let expected = json!({ "workflow": "incident", "via": "tell", "fields": { "caller": "rita", "size": "large" } });
        assert_eq!(json(&begin.command.action), json!({ "create": expected }));
        let roles: Vec<&str> = then
            .command
            .actor
            .roles
            .iter()
            .map(model::id::RoleId::as_str)
            .collect();
        assert_eq!(roles, ["agent", "worker"]);
        let action = serde_json::to_value(&then.command.action).expect("JSON");
        (action, serde_json::to_value(&then.events).expect("JSON"))
    }

    fn set(field: &str, value: &Json, by: &str) -> Json {
        json!({ "field-set": { "field": field, "value": value, "by": by } })
    }

    #[test]
    fn a_journal_is_read_by_the_names_of_today() {
        let (action, events) = read(
            &json!({ "transition": { "name": "reply", "input": { "question": "big", "reason": "big", "mood": "glum" } } }),
            &json!([
                { "entered": { "via": "reply", "from": "pending", "to": "pending", "category": "waiting" } },
                set("size", &json!({ "text": "big" }), "form"),
                set("contact", &json!({ "text": "big" }), "form"),
                set("size", &json!({ "texts": ["big", "small"] }), "form"),
                { "stage-ended": { "stage": "boss", "outcome": "approved" } },
            ]),
        );
        assert_eq!(
            action,
            json!({ "transition": { "name": "answer", "input": { "query": "big", "motive": "big", "mood": "low" } } })
        );
        let expected = json!([
            { "entered": { "via": "answer", "from": "waiting", "to": "waiting", "category": "waiting" } },
            set("size", &json!({ "text": "large" }), "form"),
            set("caller", &json!({ "text": "big" }), "form"),
            set("size", &json!({ "texts": ["large", "small"] }), "form"),
            { "stage-ended": { "stage": "chief", "outcome": "approved" } },
        ]);
        assert_eq!(events, expected);
        // A state's own transition comes before one of any state.
        for (state, name) in [("pending", "drop"), ("other", "cancel")] {
            let drop = json!({ "transition": { "name": "drop", "input": {} } });
            let (action, _) = read_in(state, &drop, &json!([]));
            let expected = json!({ "transition": { "name": name, "input": {} } });
            assert_eq!(action, expected);
        }
        let (action, _) = read(
            &json!({ "update": { "fields": { "size": "big", "team": "desk" } } }),
            &json!([]),
        );
        assert_eq!(
            action,
            json!({ "update": { "fields": { "size": "large", "team": "desk" } } })
        );
    }

    #[test]
    fn what_a_migration_moved_is_not_moved_again() {
        let none = Digest::default();
        let migrated = |left: &str, entered: &str| json!({ "migrated": { "from": none, "to": none, "left": left, "entered": entered, "category": "waiting" } });
        let rita = json!({ "text": "rita" });
        let set = |field: &str, value: &Json| set(field, value, "migration");
        let empty = json!("null");
        for (there, given) in [
            (
                migrated("pending", "waiting"),
                [set("caller", &rita), set("contact", &empty)],
            ),
            (
                migrated("waiting", "pending"),
                [set("caller", &empty), set("contact", &rita)],
            ),
        ] {
            let default = set("size", &json!({ "text": "big" }));
            let [one, other] = given;
            let events = json!([there, one, other, default]);
            let (_, events) = read(&json!({ "migrate": { "to": none } }), &events);
            let expected = json!([
                migrated("waiting", "waiting"),
                set("caller", &rita),
                set("size", &json!({ "text": "large" })),
            ]);
            assert_eq!(events, expected, "nothing is emptied, nothing lost");
        }
    }
}
