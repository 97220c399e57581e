//! What is installed, as clients see it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::explanation::Transition;

/// The workflows in force.
#[derive(Serialize, ToSchema)]
pub struct Workflows {
    /// The workflows, in order of id.
    pub(crate) workflows: Vec<Workflow>,
}

/// A workflow in force.
#[derive(Serialize, ToSchema)]
pub struct Workflow {
    /// Its id.
    #[schema(example = "incident")]
    pub(crate) id: String,
    /// What people call it.
    pub(crate) title: String,
    /// The ITIL practice that it serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) practice: Option<String>,
    /// What stands before the number of its records.
    #[schema(example = "INC")]
    pub(crate) number: String,
    /// The pack it comes from.
    pub(crate) pack: String,
    /// The digest of this version.
    pub(crate) digest: String,
    /// The ways to begin, in order.
    pub(crate) create: Vec<Named>,
    /// Its states, in order.
    pub(crate) states: Vec<State>,
}

/// Something with an id and a title.
#[derive(Serialize, ToSchema)]
pub struct Named {
    /// Its id.
    pub(crate) id: String,
    /// What people see.
    pub(crate) title: String,
}

/// A state of a workflow.
#[derive(Serialize, ToSchema)]
pub struct State {
    /// Its id.
    pub(crate) id: String,
    /// What people see.
    pub(crate) title: String,
    /// The part of a record's life that it is in.
    #[schema(value_type = super::record::CategoryName)]
    pub(crate) category: &'static str,
}

/// A workflow in force, with its definition.
#[derive(Serialize, ToSchema)]
pub struct WorkflowDetail<'a> {
    /// The workflow.
    #[serde(flatten)]
    pub(crate) workflow: Workflow,
    /// The ways in which the actor may begin a record, each with the schema of its form.
    pub(crate) begin: Vec<Transition<'a>>,
    /// The definition, in canonical form.
    pub(crate) definition: Value,
}

/// What an actor is offered.
#[derive(Serialize, ToSchema)]
pub struct Catalogue<'a> {
    /// The items, by heading and title.
    pub(crate) items: Vec<CatalogueItem<'a>>,
}

/// Something that can be asked for. A record of it begins with `workflow` and `item`.
#[derive(Serialize, ToSchema)]
pub struct CatalogueItem<'a> {
    /// Its id.
    #[schema(example = "laptop")]
    id: &'a str,
    /// What people ask for.
    title: &'a str,
    /// A sentence or two about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    /// The heading under which it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    /// The workflow that it is an item of.
    #[schema(example = "request")]
    workflow: &'a str,
    /// The ways in which the actor may ask for it, each with the schema of its form.
    begin: Vec<Transition<'a>>,
}

impl<'a> From<&'a engine::Offered> for CatalogueItem<'a> {
    fn from(offered: &'a engine::Offered) -> Self {
        Self {
            id: offered.id.as_str(),
            title: &offered.title,
            description: offered.description.as_deref(),
            group: offered.group.as_deref(),
            workflow: offered.workflow.as_str(),
            begin: offered.ways.iter().map(Transition::from).collect(),
        }
    }
}

/// The packs in force.
#[derive(Serialize, ToSchema)]
pub struct Packs {
    /// The packs, in order of id.
    pub(crate) packs: Vec<Pack>,
}

/// A pack in force.
#[derive(Serialize, ToSchema)]
pub struct Pack {
    /// Its id.
    pub(crate) id: String,
    /// Its version.
    pub(crate) version: String,
    /// What people call it.
    pub(crate) title: String,
    /// Its digest, that of the packs it adapts included.
    pub(crate) digest: String,
    /// The packs that it adapts, from the bottom.
    pub(crate) chain: Vec<String>,
    /// The IANA zone of its calendar days.
    pub(crate) zone: String,
    /// The roles that it names, with their titles.
    pub(crate) roles: BTreeMap<String, String>,
}

/// The bindings in force.
#[derive(Serialize, ToSchema)]
pub struct Bindings {
    /// The bindings, in order of id.
    pub(crate) bindings: Vec<Binding>,
}

/// A binding in force: a plugin put to use.
#[derive(Serialize, ToSchema)]
pub struct Binding {
    /// Its id.
    pub(crate) id: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// The pack it comes from.
    pub(crate) pack: String,
    /// The digest of its definition.
    pub(crate) digest: String,
    /// The digest of its component.
    pub(crate) component: String,
    /// The hooks that it is used for.
    pub(crate) hooks: Vec<&'static str>,
    /// The kinds of event that it is told of.
    pub(crate) events: Vec<&'static str>,
    /// The digest of a component that is tried on a share of the calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) canary: Option<String>,
    /// Whether it is in quarantine: not asked, until an operator releases it.
    pub(crate) quarantined: bool,
}

/// The calendars in force.
#[derive(Serialize, ToSchema)]
pub struct Calendars {
    /// The calendars, in order of id.
    pub(crate) calendars: Vec<Calendar>,
}

/// A calendar in force.
#[derive(Serialize, ToSchema)]
pub struct Calendar {
    /// Its id.
    pub(crate) id: String,
    /// The digest of this version.
    pub(crate) digest: String,
    /// The definition, in canonical form.
    pub(crate) definition: Value,
}
