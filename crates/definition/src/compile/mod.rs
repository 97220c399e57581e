//! From typed definitions to what the engine runs on: names resolved, expressions compiled.

mod field;
mod types;

pub use field::{Field, FieldKind};
pub use types::{
    Approval, Binding, CalendarChoice, Computed, Definitions, Effect, FormField, From, GoalRow, Notice, Permit, Permits,
    PinnedCalendar, Recipient, Requirement, Right, Routing, Row, ServiceLevel, Slot, Stage, State, Subscription, Table,
    Target, Timer, Transition, Warning, Workflow,
};
