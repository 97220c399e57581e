//! Who is on call, as clients see it.

use engine::{Duty, OnCall as EngineOnCall, Source, Span as EngineSpan};
use model::Instant;
use model::id::{DirectoryId, LayerId, PersonId, ShiftId, TeamId};
use model::rota::Shift;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who is on call by each rota.
#[derive(Serialize, ToSchema)]
pub struct OnCallNow<'a> {
    /// The instant that is told of.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Instant,
    /// Each rota, in order of id.
    pub(crate) rotas: Vec<RotaDuty<'a>>,
    /// What to give as `cursor` for the next part; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) next: Option<DirectoryId>,
}

/// Who is on call by a rota.
#[derive(Serialize, ToSchema)]
pub struct RotaDuty<'a> {
    /// The rota.
    #[schema(value_type = String, example = "network")]
    rota: &'a DirectoryId,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    /// The team whose work it is for.
    #[schema(value_type = String)]
    team: &'a TeamId,
    /// Who is on call; nobody in a gap.
    on_call: Option<OnCall<'a>>,
    /// Until when that stays so, where it changes within a year.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Instant>,
    /// Whom each layer has, the lowest first, whatever lies over it.
    layers: Vec<LayerDuty<'a>>,
}

/// Whom a layer has.
#[derive(Serialize, ToSchema)]
pub struct LayerDuty<'a> {
    /// The layer.
    #[schema(value_type = String)]
    layer: &'a LayerId,
    /// Who; nobody outside its hours.
    on_call: Option<OnCall<'a>>,
}

/// Somebody on call, and why.
#[derive(Serialize, ToSchema)]
pub struct OnCall<'a> {
    /// Who.
    #[schema(value_type = String, example = "ada")]
    person: &'a PersonId,
    /// Whose turn it is, where that one is out of office.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    instead_of: Option<&'a PersonId>,
    /// The layer that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    layer: Option<&'a LayerId>,
    /// The override that says so.
    #[serde(rename = "override", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    overriding: Option<&'a ShiftId>,
}

/// A part of a rota's schedule.
#[derive(Serialize, ToSchema)]
pub struct Schedule<'a> {
    /// The rota.
    #[schema(value_type = String)]
    pub(crate) rota: &'a DirectoryId,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<&'a str>,
    /// The team whose work it is for.
    #[schema(value_type = String)]
    pub(crate) team: &'a TeamId,
    /// Its first instant.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) from: Instant,
    /// The first instant after it.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) to: Instant,
    /// Who is on call when, in order. Of a whole rota or layer nothing is left out: where nobody is on
    /// call is a span too.
    pub(crate) spans: Vec<Span<'a>>,
}

/// A stretch of time, half open, in which one and the same is on call, or nobody.
#[derive(Serialize, ToSchema)]
pub struct Span<'a> {
    /// Its first instant.
    #[schema(value_type = String, format = DateTime)]
    from: Instant,
    /// The first instant after it.
    #[schema(value_type = String, format = DateTime)]
    to: Instant,
    /// Who; nobody in a gap.
    on_call: Option<OnCall<'a>>,
}

/// Time of a rota to put somebody on call for, or to take over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOverride {
    /// Its first instant.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) from: Instant,
    /// The first instant after it.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) to: Instant,
    /// Who is on call then; whoever asks, where it is not said.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "ada")]
    pub(crate) person: Option<PersonId>,
}

/// An override of a rota.
#[derive(Serialize, ToSchema)]
pub struct Override {
    /// Its first instant.
    #[schema(value_type = String, format = DateTime)]
    from: Instant,
    /// The first instant after it.
    #[schema(value_type = String, format = DateTime)]
    to: Instant,
    /// Who is on call then.
    #[schema(value_type = String)]
    person: PersonId,
    /// Whether they took it over themselves, and so may give it back.
    taken: bool,
}

/// What was read from a file.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportedShifts)]
pub struct Imported {
    /// How many shifts there were in it.
    pub(crate) shifts: usize,
}

impl<'a> OnCallNow<'a> {
    /// Who is on call at an instant, and where the next part begins.
    pub fn of(at: Instant, duties: &'a [Duty], next: Option<DirectoryId>) -> Self {
        let rotas = duties.iter().map(RotaDuty::from).collect();
        Self { at, rotas, next }
    }
}

impl From<Shift> for Override {
    fn from(
        Shift {
            from,
            to,
            person,
            taken,
        }: Shift,
    ) -> Self {
        Self {
            from,
            to,
            person,
            taken,
        }
    }
}

impl<'a> From<&'a Duty> for RotaDuty<'a> {
    fn from(duty: &'a Duty) -> Self {
        let layers = duty.layers.iter().map(|(layer, on_call)| LayerDuty {
            layer,
            on_call: on_call.as_ref().map(OnCall::from),
        });
        Self {
            rota: &duty.rota,
            title: duty.title.as_deref(),
            team: &duty.team,
            on_call: duty.on_call.as_ref().map(OnCall::from),
            until: duty.until,
            layers: layers.collect(),
        }
    }
}

impl<'a> From<&'a EngineOnCall> for OnCall<'a> {
    fn from(on_call: &'a EngineOnCall) -> Self {
        let (layer, overriding) = match &on_call.by {
            Source::Layer(layer) => (Some(layer), None),
            Source::Override(shift) => (None, Some(shift)),
        };
        Self {
            person: &on_call.person,
            instead_of: on_call.instead_of.as_ref(),
            layer,
            overriding,
        }
    }
}

impl<'a> From<&'a EngineSpan> for Span<'a> {
    fn from(span: &'a EngineSpan) -> Self {
        Self {
            from: span.from,
            to: span.to,
            on_call: span.on_call.as_ref().map(OnCall::from),
        }
    }
}
