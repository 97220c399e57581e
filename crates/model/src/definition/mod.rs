//! What a process owner writes, as typed data: one file here per kind of definition. The header of
//! a definition (`apiVersion`, `kind`, `id`) is not part of its body.

mod approval;
mod binding;
mod calendar;
mod catalogue;
mod effect;
mod escalation;
mod field;
mod link;
mod members;
mod migration;
mod pack;
mod people;
mod scenario;
mod service_level;
mod task;
mod translation;
mod window;
mod workflow;

pub use approval::{
    Approval, ApprovalBy, Approver, Choice, Information, Outcome, Quorum, Rejects, Stage,
};
pub use binding::{
    Component, EventFilter, Grants, KeyValueGrant, Limits, Plugin, Schedule, SecretGrant,
};
pub use calendar::{Calendar, Date, Holiday, Holidays, Hours, Recurring, Weekday};
pub use catalogue::CatalogueItem;
pub use effect::{CreateEffect, EachEffect, Effect};
pub use escalation::{Escalation, EscalationEnd, EscalationStep, Whom};
pub use field::{Cel, Field, FieldFormat, FieldType, Group, OptionLabel, Permit, Setting, Wait};
pub use link::LinkType;
pub use members::{Among, MemberRouting, Prefer, SkillNeeded};
pub use migration::{MigratedClocks, MigratedState, Migration};
pub use pack::{Extends, Lint, Pack, Role};
pub use people::{Notice, Team};
pub use scenario::{
    Ballot, Begin, Change, Deed, Expect, ExpectApproval, ExpectClock, Follow, Given, Join, Linked,
    Moment, MomentError, Notified, Query, Reassigned, Recalled, Refusal, Say, Scenario, Step, Take,
    Things, Turnover, Whose,
};
pub use service_level::{
    Breach, CalendarChoice, Goal, OnChange, OnReopen, OnUncovered, Relation, ServiceLevel,
    ServiceLevelType, Target, Warning, WarningPoint,
};
pub use task::{Task, Tasks, TasksThen};
pub use translation::{Texts, Translation};
pub use window::Window;
pub use workflow::{
    Category, Hit, Requirement, Routing, RoutingBy, RoutingFallback, Row, State, Table, Timer,
    Transition, Workflow,
};
