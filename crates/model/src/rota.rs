//! Rotas: who is on call when, in layers of people who take turns, with overrides over them. Directory
//! data: people change it from week to week, and no pack has it.
//!
//! The words are those of the on-call tools: layers lie over one another, a layer's hours restrict it,
//! and overrides lie over all layers.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::Instant;
use crate::definition::{Hours, Weekday};
use crate::id::{HoursId, LayerId, PersonId, ShiftId, TeamId};
use crate::time::Period;

/// Who is on call when, as `rota` things of the directory hold it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rota {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The team whose work it is for.
    pub team: TeamId,
    /// The zone on whose clocks turns change and hours are read, by its IANA name.
    pub zone: String,
    /// Its layers. A later one lies over those before it: where it has somebody, they are on call.
    #[serde(default)]
    pub layers: IndexMap<LayerId, Layer>,
    /// Who is on call instead of whoever the layers say, for a while. Of several at one instant the one
    /// that began last counts.
    #[serde(default)]
    pub overrides: BTreeMap<ShiftId, Shift>,
}

/// A layer: either people who take turns, or shifts that are given one by one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Layer {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who takes turns, in this order. Whoever stands there twice has two turns in each round.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonId>,
    /// When the first turn begins. The others begin at the same time of day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Instant>,
    /// How long a turn is, in days of the rota's zone: `P7D`, `P1W`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<Period>,
    /// The first instant after its last turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Instant>,
    /// The hours of a week in which it has anybody, by the weekday on which they open, on the clocks of
    /// the rota's zone; round the clock without any.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub hours: IndexMap<Weekday, IndexMap<HoursId, Hours>>,
    /// Shifts that are given one by one, instead of turns. Of several at one instant the one that began
    /// last counts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub shifts: BTreeMap<ShiftId, Shift>,
}

/// Somebody's time on call, half open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// The first instant.
    pub from: Instant,
    /// The first instant after it.
    pub to: Instant,
    /// Who.
    pub person: PersonId,
    /// Whether they took it over themselves, and so may give it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub taken: bool,
}

/// What cannot be read of a rota.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("at `/{place}`: {message}")]
pub struct ReadError {
    /// Where, such as `layers/nights`; empty for the whole.
    pub place: String,
    /// What is wrong there.
    pub message: String,
}

impl Rota {
    /// Reads a rota piece by piece, so that what is wrong is told where it is.
    ///
    /// # Errors
    /// Where a piece does not have its shape.
    pub fn read(attributes: &Map<String, Json>) -> Result<Self, ReadError> {
        let mut rest = attributes.clone();
        let layers = pieces(rest.shift_remove("layers"), "layers")?;
        let overrides = pieces(rest.shift_remove("overrides"), "overrides")?;
        let rota: Self = piece(Json::Object(rest), String::new)?;
        Ok(Self {
            layers: layers.into_iter().collect(),
            overrides: overrides.into_iter().collect(),
            ..rota
        })
    }
}

/// The pieces of a map, in its order.
fn pieces<K, T>(map: Option<Json>, place: &str) -> Result<Vec<(K, T)>, ReadError>
where
    K: std::str::FromStr<Err = crate::id::IdError>,
    T: DeserializeOwned,
{
    let map = match map {
        None => return Ok(Vec::new()),
        Some(Json::Object(map)) => map,
        Some(_) => {
            return Err(ReadError {
                place: place.to_owned(),
                message: "it is a map by id".to_owned(),
            });
        }
    };
    let each = map.into_iter().map(|(id, json)| {
        let key = id.parse().map_err(|error: crate::id::IdError| ReadError {
            place: place.to_owned(),
            message: error.to_string(),
        })?;
        Ok((key, piece(json, || format!("{place}/{id}"))?))
    });
    each.collect()
}

fn piece<T: DeserializeOwned>(json: Json, place: impl FnOnce() -> String) -> Result<T, ReadError> {
    serde_json::from_value(json).map_err(|error| ReadError {
        place: place(),
        message: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::Rota;

    fn read(json: Json) -> Result<Rota, String> {
        let Json::Object(attributes) = json else {
            panic!("a map");
        };
        Rota::read(&attributes).map_err(|error| error.to_string())
    }

    #[test]
    fn the_order_of_layers_is_kept() {
        let layer =
            json!({ "people": ["ada"], "start": "2026-01-05T09:00:00+01:00", "turn": "P1W" });
        let layers = json!({ "zulu": layer, "alpha": layer });
        let rota = read(json!({ "team": "network", "zone": "Europe/Brussels", "layers": layers }));
        let rota = rota.expect("a rota");
        let ids: Vec<_> = rota.layers.keys().map(AsRef::as_ref).collect();
        assert_eq!(ids, ["zulu", "alpha"]);
        let written = serde_json::to_value(&rota).expect("text for keys");
        assert_eq!(read(written), Ok(rota));
    }

    #[test]
    fn what_is_wrong_is_told_where_it_is() {
        let with = |layers: Json, overrides: Json| {
            let rota = json!({ "team": "network", "zone": "UTC", "layers": layers, "overrides": overrides });
            read(rota).expect_err("wrong")
        };
        for (layers, overrides, message) in [
            (
                json!({ "nights": { "pepole": [] } }),
                json!({}),
                "at `/layers/nights`: unknown field `pepole`",
            ),
            (json!([]), json!({}), "at `/layers`: it is a map by id"),
            (
                json!({ "Nights": {} }),
                json!({}),
                "at `/layers`: `Nights` is not the id of a layer",
            ),
            (
                json!({}),
                json!({ "swap": { "from": "tomorrow", "to": "2026-01-05T09:00:00Z", "person": "ada" } }),
                "at `/overrides/swap`: `tomorrow` is not an instant",
            ),
            (
                json!({ "days": { "hours": { "mon": { "all": "8-18" } } } }),
                json!({}),
                "at `/layers/days`: `8-18` is not an interval",
            ),
        ] {
            let told = with(layers, overrides);
            assert!(told.starts_with(message), "{told}");
        }
        let told = read(json!({ "zone": "UTC" })).expect_err("no team");
        assert_eq!(told, "at `/`: missing field `team`");
    }
}
