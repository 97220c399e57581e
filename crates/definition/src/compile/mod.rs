//! From typed definitions to what the engine runs on: names resolved, expressions compiled.

mod accept;
mod catalogue;
mod compiler;
mod definitions;
mod effects;
mod escalation;
mod fault;
mod field;
mod fields;
mod links;
mod migration;
mod names;
mod notice;
mod order;
mod routing;
mod scope;
mod service_level;
mod tables;
mod tasks;
#[cfg(test)]
mod tests;
mod transitions;
mod translation;
mod types;
mod window;
mod workflow;

pub use accept::{MAX_ITEM_CHARS, MAX_ITEMS, MAX_OBJECT_BYTES, MAX_TEXT_CHARS};
pub(crate) use definitions::compile_all;
pub use definitions::{Installable, InstallableItem, StoredError, Versioned, definitions};
pub use fault::{Fault, Spot};
pub use field::{Field, FieldKind};
pub use names::{Form, KnownWorkflow, Names, hooks};
pub use notice::{binding, notice};
pub use service_level::service_level;
pub use translation::Translation;
pub use types::{
    Approval, Binding, CalendarChoice, CatalogueItem, Computed, Definitions, Each, Effect,
    Escalation, FormField, From, GoalRow, Group, LinkSide, Migration, Notice, Permit, Permits,
    PinnedCalendar, Recipient, Requirement, Right, Routing, Row, ServiceLevel, SkillNeeded, Slot,
    Stage, State, Subscription, Table, Target, Task, Tasks, Timer, Transition, Warning, Window,
    Workflow,
};
pub use workflow::workflow;
