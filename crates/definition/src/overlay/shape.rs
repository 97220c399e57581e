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
    /// A service level.
    ServiceLevel,
    /// A calendar.
    Calendar,
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
    pub const ALL: [Self; 8] = [
        Self::Pack,
        Self::Workflow,
        Self::ServiceLevel,
        Self::Calendar,
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
            Self::ServiceLevel => "ServiceLevel",
            Self::Calendar => "Calendar",
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
            Self::ServiceLevel => Some("service-levels"),
            Self::Calendar => Some("calendars"),
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
        self == Self::Workflow && matches_any(&["states/*/transitions", "anywhere"], path)
    }

    const fn choices(self) -> &'static [&'static str] {
        match self {
            Self::Workflow => &[
                "routing/by",
                "routing/fallback",
                "timers/*/wait",
                "states/*/timers/*/wait",
                "states/*/approval/by",
                "states/*/approval/stages/*/approvers/*",
                "states/*/approval/stages/*/quorum",
                "states/*/approval/stages/*/timeout",
            ],
            Self::ServiceLevel => &["calendar", "targets/*/goal"],
            Self::Plugin => &["component"],
            Self::Scenario => &["steps/*/do"],
            Self::Pack | Self::Calendar | Self::Team | Self::Notice => &[],
        }
    }

    const fn ordered(self) -> &'static [&'static str] {
        match self {
            Self::Workflow => &[
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
            Self::Scenario => &["steps"],
            Self::Pack | Self::Calendar | Self::Team | Self::Notice | Self::Plugin => &[],
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
