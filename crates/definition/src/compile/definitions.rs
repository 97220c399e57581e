//! Everything in force, compiled at once: as it is installed, and as a server starts on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use calendar::Calendar;
use model::Digest;
use model::configuration::{InstalledBinding, InstalledPack};
use model::definition;
use model::id::{BindingId, CalendarId, NoticeId, PackId, ServiceLevelId, TeamId, WorkflowId};

use super::fault::{Fault, Spot};
use super::names::{KnownWorkflow, Names, hooks};
use super::notice::{binding, notice};
use super::service_level::service_level;
use super::types::{Definitions, PinnedCalendar, Workflow};
use super::workflow::workflow;
use crate::overlay::DefinitionKind;
use crate::source::Severity;

/// A definition with the pack it comes from and the digest of its canonical form.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<T> {
    /// The pack.
    pub pack: PackId,
    /// The digest.
    pub digest: Digest,
    /// The definition.
    pub definition: T,
}

/// Everything that is to be in force together.
#[derive(Clone, Debug, Default)]
pub struct Installable {
    /// The digest of the configuration.
    pub digest: Digest,
    /// The packs.
    pub packs: BTreeMap<PackId, InstalledPack>,
    /// The workflows.
    pub workflows: BTreeMap<WorkflowId, Versioned<definition::Workflow>>,
    /// The service levels.
    pub service_levels: BTreeMap<ServiceLevelId, Versioned<definition::ServiceLevel>>,
    /// The calendars.
    pub calendars: BTreeMap<CalendarId, Versioned<definition::Calendar>>,
    /// The teams.
    pub teams: BTreeMap<TeamId, Versioned<definition::Team>>,
    /// The notices.
    pub notices: BTreeMap<NoticeId, Versioned<definition::Notice>>,
    /// The bindings.
    pub bindings: BTreeMap<BindingId, (InstalledBinding, Arc<definition::Plugin>)>,
}

impl Installable {
    /// The names that its definitions may use of each other.
    pub fn names(&self) -> Names {
        let known = |(id, version): (&WorkflowId, &Versioned<definition::Workflow>)| {
            (id.clone(), KnownWorkflow::from(&version.definition))
        };
        Names {
            calendars: self.calendars.keys().cloned().collect(),
            teams: self.teams.keys().cloned().collect(),
            roles: self
                .packs
                .values()
                .flat_map(|pack| pack.roles.keys().cloned())
                .collect(),
            notices: self.notices.keys().cloned().collect(),
            bindings: self
                .bindings
                .iter()
                .map(|(id, (_, plugin))| (id.clone(), hooks(plugin)))
                .collect(),
            workflows: self.workflows.iter().map(known).collect(),
            lenient: false,
        }
    }

    /// The zone of calendar days of a pack.
    fn zone(&self, pack: &PackId) -> Option<chrono_tz::Tz> {
        self.packs.get(pack)?.zone.parse().ok()
    }
}

/// Compiles everything that is to be in force.
///
/// # Errors
/// Everything that is wrong with any of the definitions, up to a hundred faults of each.
pub fn definitions(input: &Installable) -> Result<Definitions, Vec<Fault>> {
    let (definitions, faults) = compile_all(input);
    if faults.is_empty() {
        Ok(definitions)
    } else {
        Err(faults)
    }
}

/// Compiles what can be, beside everything that is wrong.
pub(crate) fn compile_all(input: &Installable) -> (Definitions, Vec<Fault>) {
    let names = input.names();
    let mut faults = Vec::new();
    let mut compiled = Definitions {
        digest: input.digest,
        packs: input.packs.clone(),
        teams: input
            .teams
            .iter()
            .map(|(id, team)| (id.clone(), team.definition.clone()))
            .collect(),
        ..Definitions::default()
    };
    let unzoned = input
        .packs
        .iter()
        .filter(|(_, pack)| pack.zone.parse::<chrono_tz::Tz>().is_err());
    for (id, pack) in unzoned {
        let message = format!(
            "`{}` is not an IANA time zone, such as Europe/Brussels",
            pack.zone
        );
        faults.push(fault(DefinitionKind::Pack, id.as_str(), "zone", message).at(&["zone"]));
    }
    for (id, version) in &input.calendars {
        match Calendar::compile(&version.definition) {
            Ok(calendar) => {
                let pinned = PinnedCalendar {
                    digest: version.digest,
                    calendar,
                };
                compiled.calendars.insert(id.clone(), pinned);
            }
            Err(error) => faults.push(fault(
                DefinitionKind::Calendar,
                id.as_str(),
                "calendar",
                error.to_string(),
            )),
        }
    }
    for (id, version) in &input.workflows {
        let zone = input.zone(&version.pack).unwrap_or(chrono_tz::UTC);
        match workflow(
            id,
            version.digest,
            &version.pack,
            zone,
            &version.definition,
            &names,
        ) {
            Ok(workflow) => {
                compiled.workflows.insert(id.clone(), Arc::new(workflow));
            }
            Err(found) => faults.extend(found),
        }
    }
    let workflows: &BTreeMap<WorkflowId, Arc<Workflow>> = &compiled.workflows;
    let known = |id: &WorkflowId| workflows.get(id).map(Arc::as_ref);
    for (id, version) in &input.service_levels {
        let zone = input.zone(&version.pack).unwrap_or(chrono_tz::UTC);
        match service_level(id, version.digest, zone, &version.definition, known, &names) {
            Ok(level) => {
                compiled.service_levels.insert(id.clone(), Arc::new(level));
            }
            Err(found) => faults.extend(found),
        }
    }
    for (id, version) in &input.notices {
        match notice(id, &version.definition, &names) {
            Ok(notice) => {
                compiled.notices.insert(id.clone(), notice);
            }
            Err(found) => faults.extend(found),
        }
    }
    for (id, (installed, plugin)) in &input.bindings {
        match binding(id, installed, plugin, known, &names) {
            Ok(binding) => {
                compiled.bindings.insert(id.clone(), binding);
            }
            Err(found) => faults.extend(found),
        }
    }
    for (id, version) in &input.teams {
        let calendar = version.definition.calendar.as_ref();
        for calendar in calendar.filter(|calendar| !names.calendars.contains(*calendar)) {
            let message = format!("there is no calendar `{calendar}`");
            let known = names.calendars.iter().map(CalendarId::as_str);
            let fault = fault(DefinitionKind::Team, id.as_str(), "unknown-name", message);
            faults.push(fault.at(&["calendar"]).suggest(calendar.as_str(), known));
        }
    }
    compiled.names = names;
    (compiled, faults)
}

fn fault(kind: DefinitionKind, id: &str, rule: &'static str, message: String) -> Fault {
    Fault {
        kind,
        id: id.to_owned(),
        rule,
        severity: Severity::Error,
        path: Vec::new(),
        spot: Spot::Value,
        message,
        help: None,
    }
}
