//! Compiled definitions: names resolved, expressions parsed and checked, literals turned into values.
//! This is what the engine runs on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use calendar::Calendar;
use indexmap::IndexMap;
use model::Duration;
use model::configuration::{InstalledBinding, InstalledPack};
use model::definition::{
    ApprovalBy, Category, EscalationStep, Hit, MigratedClocks, OnChange, OnReopen, OnUncovered,
    Outcome, Plugin, Relation, RoutingBy, ServiceLevelType, Stage as StageSource, Team, Wait,
    WarningPoint,
};
use model::event::EventKind;
use model::id::{
    BindingId, CalendarId, CatalogueItemId, EffectName, EscalationStepId, FieldId, GroupId,
    LanguageTag, LinkKind, NoticeId, PackId, PersonId, RequirementId, RoleId, RowId,
    ServiceLevelId, StageId, StateId, TableId, TargetId, TaskId, TeamId, TimerId, TransitionId,
    WarningId, WorkflowId,
};
use model::time::Period;
use model::{Digest, Value};

use super::field::Field;
use super::names::Names;
use super::translation::Translation;
use crate::expression::Expression;
use crate::template::Template;

/// Everything in force, compiled.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    /// The digest of the configuration.
    pub digest: Digest,
    /// The packs.
    pub packs: BTreeMap<PackId, InstalledPack>,
    /// The workflows in force; records may be pinned to others.
    pub workflows: BTreeMap<WorkflowId, Arc<Workflow>>,
    /// The items of the catalogue.
    pub catalogue: BTreeMap<CatalogueItemId, Arc<CatalogueItem>>,
    /// The migrations, by the workflow whose records they move.
    pub migrations: BTreeMap<WorkflowId, Arc<Migration>>,
    /// The translations.
    pub translations: BTreeMap<LanguageTag, Translation>,
    /// The service levels in force; clocks may be pinned to others.
    pub service_levels: BTreeMap<ServiceLevelId, Arc<ServiceLevel>>,
    /// The calendars in force; clocks may be pinned to others.
    pub calendars: BTreeMap<CalendarId, PinnedCalendar>,
    /// The teams.
    pub teams: BTreeMap<TeamId, Team>,
    /// The escalations of teams that have one.
    pub escalations: BTreeMap<TeamId, Escalation>,
    /// The notices.
    pub notices: BTreeMap<NoticeId, Notice>,
    /// The bindings.
    pub bindings: BTreeMap<BindingId, Binding>,
    /// The names by which definitions know each other, for compiling versions of before.
    pub names: Names,
}

impl Definitions {
    /// The version in force of the workflow that records run: that of a catalogue item for those of one.
    /// None where there is no such workflow, or no such item of it.
    pub fn in_force(
        &self,
        workflow: &WorkflowId,
        item: Option<&CatalogueItemId>,
    ) -> Option<&Arc<Workflow>> {
        match item {
            None => self.workflows.get(workflow),
            Some(item) => {
                let of_item = self.catalogue.get(item).map(|item| &item.workflow);
                of_item.filter(|of_item| of_item.id == *workflow)
            }
        }
    }
}

/// An item of the catalogue.
#[derive(Clone, Debug)]
pub struct CatalogueItem {
    /// Its id.
    pub id: CatalogueItemId,
    /// What people ask for.
    pub title: String,
    /// A sentence or two about it.
    pub description: Option<String>,
    /// The heading under which it stands.
    pub group: Option<String>,
    /// Who is offered it; everyone without it.
    pub offer: Option<Expression>,
    /// Its workflow with the item laid over it.
    pub workflow: Arc<Workflow>,
}

/// How records in flight come under the present version of their workflow.
#[derive(Clone, Debug)]
pub struct Migration {
    /// The digest of its definition; where several were joined, of their digests in the order of their
    /// ids.
    pub digest: Digest,
    /// By the state that a record is in, the one that it comes to.
    pub states: Vec<(StateId, Computed)>,
    /// What fields are given.
    pub fields: Vec<(FieldId, Computed)>,
    /// The fields of earlier versions that are let go.
    pub drops: BTreeSet<FieldId>,
    /// What becomes of running clocks.
    pub clocks: MigratedClocks,
}

/// A calendar with the digest of its version.
#[derive(Clone, Debug)]
pub struct PinnedCalendar {
    /// The digest of its definition.
    pub digest: Digest,
    /// The calendar.
    pub calendar: Calendar,
}

/// A workflow.
#[derive(Clone, Debug)]
pub struct Workflow {
    /// Its id.
    pub id: WorkflowId,
    /// The digest of this version.
    pub digest: Digest,
    /// The pack it came from.
    pub pack: PackId,
    /// The zone of its calendar days.
    pub zone: chrono_tz::Tz,
    /// What people call it.
    pub title: String,
    /// The practice that it serves.
    pub practice: Option<String>,
    /// What stands before the number of its records.
    pub number: String,
    /// Who may see its records.
    pub see: Permits,
    /// Who may change fields outside forms.
    pub edit: Permits,
    /// The sections of its forms, in order.
    pub groups: IndexMap<GroupId, Group>,
    /// The kinds of link that its records have, by what each is called from them.
    pub links: BTreeMap<LinkKind, LinkSide>,
    /// Its fields, in order.
    pub fields: IndexMap<FieldId, Field>,
    /// The computed fields, each after those it reads.
    pub computed: Vec<FieldId>,
    /// When the work of a record is to be done.
    pub window: Option<Window>,
    /// Its tables, each after those whose fields it reads.
    pub tables: IndexMap<TableId, Table>,
    /// Who gets the work.
    pub routing: Option<Routing>,
    /// The ways to begin, in the order written.
    pub create: IndexMap<TransitionId, Transition>,
    /// Its states.
    pub states: IndexMap<StateId, State>,
    /// Transitions open in several states.
    pub anywhere: IndexMap<TransitionId, Transition>,
    /// Timers of whatever state.
    pub timers: IndexMap<TimerId, Timer>,
}

impl Workflow {
    /// The transitions open to a record in this state: the state's own, then those of `anywhere`.
    pub fn transitions(&self, state: &StateId) -> impl Iterator<Item = &Transition> {
        let own = self.states.get(state);
        let category = own.map(|own| own.category);
        let anywhere = self.anywhere.values().filter(move |transition| {
            category.is_some_and(|category| transition.leaves(state, category))
        });
        own.into_iter()
            .flat_map(|own| own.transitions.values())
            .chain(anywhere)
    }

    /// The transition of this name open in this state.
    pub fn transition(&self, state: &StateId, name: &str) -> Option<&Transition> {
        self.transitions(state)
            .find(|transition| transition.id.as_str() == name)
    }
}

/// A section of forms, for those who show it.
pub use model::definition::Group;

/// A kind of link as it is called from one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSide {
    /// The kind as it was declared.
    pub kind: LinkKind,
    /// Whether it was declared on the other side.
    pub inverse: bool,
    /// Whether both sides call it alike.
    pub alike: bool,
    /// The workflows whose records it leads to.
    pub to: BTreeSet<WorkflowId>,
    /// What people see.
    pub label: String,
}

/// When the work of a record is to be done, for the change calendar.
#[derive(Clone, Debug)]
pub struct Window {
    /// The field that holds when it begins.
    pub from: FieldId,
    /// The field that holds when it is over.
    pub to: FieldId,
    /// The fields that name what may be disturbed.
    pub affects: BTreeSet<FieldId>,
    /// It counts for others only while this holds; while the record is open or waiting without it.
    pub condition: Option<Expression>,
    /// The calendars whose open time is frozen, whatever is affected.
    pub freezes: BTreeSet<CalendarId>,
}

/// Who may do something.
#[derive(Clone, Debug, Default)]
pub struct Permits(pub Vec<Permit>);

/// A right, and when it counts.
#[derive(Clone, Debug)]
pub struct Permit {
    /// Who has it.
    pub right: Right,
    /// When; always without it.
    pub when: Option<Expression>,
}

/// Who has a right: a role, or a relation to the record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Anyone with access.
    Anyone,
    /// The requester of the record.
    Requester,
    /// The assignee of the record.
    Assignee,
    /// The members of the record's team.
    Team,
    /// Those who watch the record.
    Watcher,
    /// Everyone with a role.
    Role(RoleId),
}

/// A decision table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its id.
    pub id: TableId,
    /// Which row answers.
    pub hit: Hit,
    /// The fields that it may give, those decided by it.
    pub gives: BTreeSet<FieldId>,
    /// Its rows, in order.
    pub rows: Vec<Row>,
    /// The fields that its rows read.
    pub reads: BTreeSet<FieldId>,
    /// Whether a row reads anything else, such as `record` or `now`, so that it is asked at every step.
    pub reads_beyond_fields: bool,
}

/// A row of a table.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id.
    pub id: RowId,
    /// When it answers.
    pub when: Expression,
    /// What it gives.
    pub then: Vec<(FieldId, Computed)>,
}

/// A value that is given: a literal, or computed.
#[derive(Clone, Debug)]
pub enum Computed {
    /// Taken as it stands.
    Literal(Value),
    /// Computed when it is given.
    Expression(Expression),
}

/// Who gets the work.
#[derive(Clone, Debug)]
pub struct Routing {
    /// Who decides.
    pub by: Option<RoutingBy>,
    /// The skills that it takes, where the server chooses a member itself.
    pub skills: Vec<SkillNeeded>,
    /// The team of last resort.
    pub fallback: TeamId,
}

/// A skill that work may take.
#[derive(Clone, Debug)]
pub struct SkillNeeded {
    /// Its name.
    pub name: String,
    /// The lowest level that will do.
    pub level: u8,
    /// When it is needed; always without it.
    pub when: Option<Expression>,
}

/// Who is told, one after the other, of a team's work that nobody takes.
#[derive(Clone, Debug)]
pub struct Escalation {
    /// When a record of a workflow is told of.
    pub covers: BTreeMap<WorkflowId, Expression>,
    /// What is told.
    pub notice: NoticeId,
    /// The steps, in order.
    pub steps: IndexMap<EscalationStepId, EscalationStep>,
    /// How often the steps are gone through again.
    pub repeat: u32,
    /// The transition at the end.
    pub transition: Option<TransitionId>,
    /// What the end causes.
    pub effects: IndexMap<EffectName, Effect>,
}

/// Something of a record that can be set: a field, or one of the record's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A field of the workflow.
    Field(FieldId),
    /// `assignee`.
    Assignee,
    /// `team`.
    Team,
    /// `requester`.
    Requester,
}

/// A transition, or a way to begin.
#[derive(Clone, Debug)]
pub struct Transition {
    /// Its id.
    pub id: TransitionId,
    /// What people see.
    pub title: String,
    /// Where it leads.
    pub to: Option<StateId>,
    /// The states and categories that a transition of `anywhere` leaves from; none is all.
    pub from: Vec<From>,
    /// Who may take it; nobody but the workflow itself where it is empty.
    pub permit: Permits,
    /// Taken as soon as its requirements hold.
    pub automatic: bool,
    /// What its form asks for, in order.
    pub form: IndexMap<FieldId, FormField>,
    /// What must hold.
    pub require: Vec<Requirement>,
    /// What it sets, in order.
    pub set: Vec<(Slot, Computed)>,
    /// Whether routing is asked.
    pub route: bool,
    /// What it causes.
    pub effects: IndexMap<EffectName, Effect>,
}

impl Transition {
    /// Whether it can be taken in this state.
    pub fn leaves(&self, state: &StateId, category: Category) -> bool {
        self.from.is_empty()
            || self.from.iter().any(|from| match from {
                From::State(id) => id == state,
                From::Category(of) => *of == category,
            })
    }
}

/// Where a transition of `anywhere` leaves from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// One state.
    State(StateId),
    /// Every state of a category.
    Category(Category),
}

/// One thing that a form asks for.
#[derive(Clone, Debug)]
pub struct FormField {
    /// What it accepts: the field as the form refines it, or the input's own.
    pub field: Field,
    /// Where it goes; none for an input, which the journal keeps.
    pub slot: Option<Slot>,
    /// It is asked for only where all of these hold: its group's, and its own.
    pub when: Vec<Expression>,
    /// Whether the form cannot go without it, where the record does not have it already.
    pub required: bool,
}

/// A condition of a transition.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// Its id.
    pub id: RequirementId,
    /// What must be true.
    pub when: Expression,
    /// What to tell who is refused.
    pub say: String,
}

/// Something to be done outside.
#[derive(Clone, Debug)]
pub enum Effect {
    /// A message to people.
    Notice(NoticeId),
    /// An event to one binding.
    Plugin(BindingId),
    /// A new record.
    Create {
        /// Its workflow.
        workflow: WorkflowId,
        /// The way to begin.
        create: Option<TransitionId>,
        /// Its fields, computed from this record.
        set: Vec<(FieldId, Computed)>,
        /// The kind of link from the new record to this one.
        link: Option<LinkKind>,
    },
    /// A transition of linked records.
    Each(Each),
}

/// The transition that linked records take.
#[derive(Clone, Debug)]
pub struct Each {
    /// The kind of link, as it is called from this record.
    pub link: LinkKind,
    /// For which of them.
    pub when: Option<Expression>,
    /// The transition.
    pub transition: TransitionId,
    /// What is filled into its form.
    pub set: Vec<(FieldId, Computed)>,
}

/// A state.
#[derive(Clone, Debug)]
pub struct State {
    /// Its id.
    pub id: StateId,
    /// What people see.
    pub title: String,
    /// Its part of a record's life.
    pub category: Category,
    /// How a record that ends here ended.
    pub outcome: Option<String>,
    /// Who must agree.
    pub approval: Option<Approval>,
    /// The work that is handed out on entering it.
    pub tasks: Option<Tasks>,
    /// The moves out of it, in the order written.
    pub transitions: IndexMap<TransitionId, Transition>,
    /// Timers set on entering.
    pub timers: IndexMap<TimerId, Timer>,
}

/// The work that a state hands out.
#[derive(Clone, Debug)]
pub struct Tasks {
    /// The tasks.
    pub each: BTreeMap<TaskId, Task>,
    /// The transition that follows once all have ended well.
    pub all: TransitionId,
    /// The transition that follows once one has not.
    pub failed: Option<TransitionId>,
    /// The transition that those which have not ended take where the record goes on without them.
    pub with_parent: Option<TransitionId>,
}

/// A task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// The way to begin.
    pub create: Option<TransitionId>,
    /// Whether it is handed out at all.
    pub when: Option<Expression>,
    /// Those that must have ended well before it begins.
    pub needs: BTreeSet<TaskId>,
    /// What its way to begin asks for.
    pub set: Vec<(FieldId, Computed)>,
}

impl State {
    /// Its timers, and those of the stages of its approval.
    pub fn all_timers(&self) -> impl Iterator<Item = &Timer> {
        let stages = self.approval.iter().flat_map(|it| it.stages.values());
        let of_stages = stages.flat_map(|stage| stage.timers.values());
        self.timers.values().chain(of_stages)
    }
}

impl Stage {
    /// What it causes, its timers aside.
    pub fn all_effects(&self) -> impl Iterator<Item = &Effect> {
        let information = self.information.iter().flat_map(|it| it.effects.values());
        self.effects.values().chain(information)
    }
}

/// An approval.
#[derive(Clone, Debug)]
pub struct Approval {
    /// The binding that is asked for the stages.
    pub by: Option<ApprovalBy>,
    /// The definition's own stages, in order.
    pub stages: IndexMap<StageId, Stage>,
    /// The transition that follows each outcome.
    pub then: BTreeMap<Outcome, TransitionId>,
}

/// A stage of an approval.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Whether it is asked at all.
    pub when: Option<Expression>,
    /// What it causes for those who are asked.
    pub effects: IndexMap<EffectName, Effect>,
    /// What a question of an approver does.
    pub information: Option<Information>,
    /// Reminders and escalations.
    pub timers: IndexMap<TimerId, Timer>,
    /// The rest, as written.
    pub source: StageSource,
}

/// What a question of an approver does.
#[derive(Clone, Debug)]
pub struct Information {
    /// Whether the timeout stands still until it is answered.
    pub holds: bool,
    /// What it causes.
    pub effects: IndexMap<EffectName, Effect>,
}

/// A timer.
#[derive(Clone, Debug)]
pub struct Timer {
    /// Its id.
    pub id: TimerId,
    /// It runs only while this holds.
    pub condition: Option<Expression>,
    /// How long.
    pub wait: Wait,
    /// How much later it may be, by a spread over the records.
    pub jitter: Option<Duration>,
    /// Whether it is set again.
    pub repeat: bool,
    /// The transition it takes.
    pub transition: Option<TransitionId>,
    /// What it causes.
    pub effects: IndexMap<EffectName, Effect>,
}

/// A service level.
#[derive(Clone, Debug)]
pub struct ServiceLevel {
    /// Its id.
    pub id: ServiceLevelId,
    /// The digest of this version.
    pub digest: Digest,
    /// What people call it.
    pub title: String,
    /// Who promises it to whom.
    pub kind: ServiceLevelType,
    /// The zone of calendar days.
    pub zone: chrono_tz::Tz,
    /// The workflows it covers, each where its expression holds.
    pub covers: BTreeMap<WorkflowId, Expression>,
    /// What becomes of its clocks where it does not cover their record any more.
    pub uncovered: OnUncovered,
    /// Where business time is counted.
    pub calendar: CalendarChoice,
    /// The thing whose zone the calendar is read in.
    pub zone_of: Option<Relation>,
    /// Its targets.
    pub targets: IndexMap<TargetId, Target>,
    /// Its tables; each row gives a goal.
    pub tables: BTreeMap<TableId, Vec<GoalRow>>,
}

/// The calendar of a service level.
#[derive(Clone, Debug)]
pub enum CalendarChoice {
    /// Always this one.
    Named(CalendarId),
    /// The one whose id the expression gives.
    Expression(Expression),
    /// The one that a thing has.
    Of {
        /// The thing.
        of: Relation,
        /// The one where there is none.
        otherwise: CalendarId,
    },
}

/// A row of a table that gives a goal in business time.
#[derive(Clone, Debug)]
pub struct GoalRow {
    /// Its id.
    pub id: RowId,
    /// When it answers.
    pub when: Expression,
    /// The goal.
    pub goal: Period,
}

/// A target.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its id.
    pub id: TargetId,
    /// It runs from the first entry where this holds.
    pub start: Expression,
    /// It stands still while this holds.
    pub pause: Option<Expression>,
    /// It ends where this holds.
    pub stop: Expression,
    /// What a reopening does.
    pub reopened: OnReopen,
    /// How much time there is.
    pub goal: model::definition::Goal,
    /// What a new goal or calendar does.
    pub change: OnChange,
    /// Signs given before the breach.
    pub warnings: IndexMap<WarningId, Warning>,
    /// The transition that a breach takes.
    pub breach_transition: Option<TransitionId>,
    /// What a breach causes.
    pub breach_effects: IndexMap<EffectName, Effect>,
}

/// A sign given before the breach.
#[derive(Clone, Debug)]
pub struct Warning {
    /// When.
    pub point: WarningPoint,
    /// What it causes.
    pub effects: IndexMap<EffectName, Effect>,
}

/// A notice.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// Who gets it.
    pub to: Vec<Recipient>,
    /// Whether it goes by every binding, whatever those who get it prefer.
    pub mandatory: bool,
    /// Its subject.
    pub subject: Template,
    /// Its text.
    pub text: Template,
}

/// Who gets a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// The requester of the record.
    Requester,
    /// The assignee of the record.
    Assignee,
    /// The members of the record's team.
    Team,
    /// Those who watch the record.
    Watcher,
    /// Those who may vote in the open stage.
    Approver,
    /// Everyone with a role.
    Role(RoleId),
    /// One person.
    Person(PersonId),
}

/// A binding.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Its id.
    pub id: BindingId,
    /// What is installed of it.
    pub installed: InstalledBinding,
    /// Its definition.
    pub plugin: Arc<Plugin>,
    /// The events it is told of, per workflow where it says so.
    pub events: Vec<Subscription>,
}

/// An event that a binding is told of.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The kind.
    pub kind: EventKind,
    /// Of which workflows; none is all.
    pub workflows: BTreeSet<WorkflowId>,
    /// For which records.
    pub when: Option<Expression>,
}
