//! Where in a definition a choice stands, and where the order of keys means something.
//!
//! Both are told by the path from the root of a definition, never by the name of a key alone: a
//! state may well be called `rows`, or a field `goal`.

/// The kinds of definition that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DefinitionKind {
    /// The header of a pack.
    Pack,
    /// A workflow.
    Workflow,
    /// A part of workflows that several of them use.
    Fragment,
    /// An item of the catalogue: a patch on a workflow.
    CatalogueItem,
    /// How records in flight come under another version of their workflow.
    Migration,
    /// The texts of definitions in another language.
    Translation,
    /// A service level.
    ServiceLevel,
    /// A calendar.
    Calendar,
    /// Holidays, which are laid under the calendars that use them.
    Holidays,
    /// A team.
    Team,
    /// A notice.
    Notice,
    /// A binding of a plugin.
    Plugin,
    /// A scenario.
    Scenario,
}

impl DefinitionKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Pack,
        Self::Workflow,
        Self::Fragment,
        Self::CatalogueItem,
        Self::Migration,
        Self::Translation,
        Self::ServiceLevel,
        Self::Calendar,
        Self::Holidays,
        Self::Team,
        Self::Notice,
        Self::Plugin,
        Self::Scenario,
    ];

    /// Its name in the header of a definition.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pack => "Pack",
            Self::Workflow => "Workflow",
            Self::Fragment => "Fragment",
            Self::CatalogueItem => "CatalogueItem",
            Self::Migration => "Migration",
            Self::Translation => "Translation",
            Self::ServiceLevel => "ServiceLevel",
            Self::Calendar => "Calendar",
            Self::Holidays => "Holidays",
            Self::Team => "Team",
            Self::Notice => "Notice",
            Self::Plugin => "Plugin",
            Self::Scenario => "Scenario",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The folder of a pack in which definitions of this kind stand; `pack.yaml` stands in none.
    pub const fn folder(self) -> Option<&'static str> {
        match self {
            Self::Pack => None,
            Self::Workflow => Some("workflows"),
            Self::Fragment => Some("fragments"),
            Self::CatalogueItem => Some("catalogue"),
            Self::Migration => Some("migrations"),
            Self::Translation => Some("translations"),
            Self::ServiceLevel => Some("service-levels"),
            Self::Calendar => Some("calendars"),
            Self::Holidays => Some("holidays"),
            Self::Team => Some("teams"),
            Self::Notice => Some("notices"),
            Self::Plugin => Some("plugins"),
            Self::Scenario => Some("scenarios"),
        }
    }

    /// Whether the map at this path is told by one of several keys, so that merging replaces it whole.
    pub(crate) fn is_choice(self, path: &[String]) -> bool {
        matches_any(self.choices(), path)
    }

    /// Whether the order of the keys of the map at this path means something.
    pub(crate) fn is_ordered(self, path: &[String]) -> bool {
        matches_any(self.ordered(), path)
    }

    /// Whether the map at this path holds transitions, whose automatic ones are tried in order.
    pub(crate) fn holds_transitions(self, path: &[String]) -> bool {
        self.is_workflow() && matches_any(&["states/*/transitions", "anywhere"], path)
    }

    /// Whether it has the shape of a workflow, whole or in part.
    const fn is_workflow(self) -> bool {
        matches!(self, Self::Workflow | Self::Fragment | Self::CatalogueItem)
    }

    /// Whether it is a patch itself, so that `null` and `place` stay in it until it is laid over
    /// what it patches.
    pub(crate) const fn is_patch(self) -> bool {
        matches!(self, Self::CatalogueItem)
    }

    const fn choices(self) -> &'static [&'static str] {
        match self {
            Self::Workflow | Self::Fragment | Self::CatalogueItem => &[
                "routing/by",
                "routing/fallback",
                "timers/*/wait",
                "states/*/timers/*/wait",
                "states/*/approval/by",
                "states/*/approval/stages/*/approvers/*",
                "states/*/approval/stages/*/quorum",
                "states/*/approval/stages/*/timeout",
                "states/*/approval/stages/*/timers/*/wait",
            ],
            Self::ServiceLevel => &["calendar", "targets/*/goal"],
            Self::Plugin => &["component"],
            Self::Team => &["escalation/steps/*/whom", "escalation/steps/*/within"],
            Self::Pack
            | Self::Migration
            | Self::Translation
            | Self::Calendar
            | Self::Holidays
            | Self::Notice => &[],
            Self::Scenario => &["steps/*/do"],
        }
    }

    const fn ordered(self) -> &'static [&'static str] {
        match self {
            Self::Workflow | Self::Fragment | Self::CatalogueItem => &[
                "groups",
                "fields",
                "fields/*/options",
                "tables/*/rows",
                "create/*/form",
                "create/*/form/*/options",
                "anywhere/*/form",
                "anywhere/*/form/*/options",
                "states/*/transitions/*/form",
                "states/*/transitions/*/form/*/options",
                "states/*/approval/stages",
            ],
            Self::ServiceLevel => &["tables/*/rows"],
            Self::Team => &["escalation/steps"],
            Self::Calendar | Self::Holidays => &["recurring"],
            Self::Pack | Self::Migration | Self::Translation | Self::Notice | Self::Plugin => &[],
            Self::Scenario => &["steps"],
        }
    }
}

impl std::fmt::Display for DefinitionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

fn matches_any(patterns: &[&str], path: &[String]) -> bool {
    patterns.iter().any(|pattern| {
        let mut steps = pattern.split('/');
        path.iter()
            .all(|key| steps.next().is_some_and(|step| step == "*" || step == key))
            && steps.next().is_none()
    })
}
