//! What a plugin says of itself: the manifest in its component, and how it compares with what a
//! binding grants. A component without one gets what it is granted, and its settings go unchecked.

use std::collections::BTreeSet;

use engine::port::InspectError;
use model::definition::{Grants, Plugin};
use model::id::DirectoryKind;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::schema;

/// What a plugin asks to be granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a capability of its own"
)]
pub(crate) struct Capabilities {
    pub(crate) directory: BTreeSet<DirectoryKind>,
    pub(crate) http: bool,
    pub(crate) key_value: bool,
    pub(crate) signing: bool,
    pub(crate) commands: bool,
    pub(crate) act_as: bool,
}

/// What a plugin says of itself, as far as it matters here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) asks: Capabilities,
    schema: Option<Json>,
}

/// The manifest's entries as they are written; what is not known here is for other readers.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    capabilities: Map<String, Json>,
    #[serde(default)]
    settings: Option<Json>,
}

impl Manifest {
    /// Reads a manifest.
    pub(crate) fn read(manifest: &Json) -> Result<Self, InspectError> {
        let wrong = |what: String| InspectError::NotAComponent(format!("its manifest {what}"));
        let written = Written::deserialize(manifest)
            .map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let mut asks = Capabilities::default();
        for (name, wanted) in &written.capabilities {
            match name.as_str() {
                "directory" => {
                    for kind in keys(wanted) {
                        let kind = DirectoryKind::new(kind)
                            .map_err(|error| wrong(format!("asks for the directory: {error}")))?;
                        asks.directory.insert(kind);
                    }
                }
                "http" => asks.http = is_wanted(wanted),
                "key-value" => asks.key_value = is_wanted(wanted),
                "signing" => asks.signing = is_wanted(wanted),
                "commands" => asks.commands = is_wanted(wanted),
                "act-as" => asks.act_as = is_wanted(wanted),
                other => {
                    let what = format!("asks for `{other}`, which this server does not know");
                    return Err(InspectError::Imports(what));
                }
            }
        }
        Ok(Self {
            asks,
            schema: written.settings,
        })
    }

    /// Whether the binding grants what the plugin asks for, and its settings fit.
    pub(crate) fn check(&self, plugin: &Plugin) -> Result<(), InspectError> {
        let missing = self.asks.missing(&plugin.grants);
        if !missing.is_empty() {
            return Err(InspectError::NotGranted(missing.join(", ")));
        }
        self.check_settings(&plugin.settings)
    }

    pub(crate) fn check_settings(&self, settings: &Map<String, Json>) -> Result<(), InspectError> {
        let Some(schema) = &self.schema else {
            return Ok(());
        };
        let wrong = |what: String| InspectError::Settings(what);
        let validator = schema::validator(schema)
            .map_err(|error| wrong(format!("the plugin's own schema is broken: {error}")))?;
        let settings = Json::Object(settings.clone());
        let faults: Vec<String> = validator
            .iter_errors(&settings)
            .take(5)
            .map(|error| {
                let place = error.instance_path().to_string();
                let place = place.trim_start_matches('/').replace('/', ".");
                if place.is_empty() {
                    error.to_string()
                } else {
                    format!("`{place}`: {error}")
                }
            })
            .collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(wrong(faults.join("; ")))
        }
    }
}

impl Capabilities {
    /// What is asked for and not granted, each as a grant is written.
    fn missing(&self, grants: &Grants) -> Vec<String> {
        let granted = |kind: &DirectoryKind| grants.directory.get(kind).copied() == Some(true);
        let mut missing: Vec<String> = self
            .directory
            .iter()
            .filter(|kind| !granted(kind))
            .map(|kind| format!("directory.{kind}"))
            .collect();
        let signs = grants.secrets.values().any(|secret| secret.sign);
        let commands = grants
            .commands
            .values()
            .any(|commands| commands.values().any(|granted| *granted));
        for (asked, granted, name) in [
            (
                self.http,
                grants.http.values().any(|granted| *granted),
                "http",
            ),
            (self.key_value, !grants.key_value.is_none(), "key-value"),
            (self.signing, signs, "a secret with sign"),
            (self.commands, commands, "commands"),
            (self.act_as, grants.act_as, "act-as"),
        ] {
            if asked && !granted {
                missing.push(name.to_owned());
            }
        }
        missing
    }
}

/// The entries of `{ a: true, b: false }` that are on.
fn keys(wanted: &Json) -> impl Iterator<Item = &str> {
    wanted
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, wanted)| is_wanted(wanted))
        .map(|(key, _)| key.as_str())
}

fn is_wanted(wanted: &Json) -> bool {
    match wanted {
        Json::Bool(wanted) => *wanted,
        Json::Object(entries) => entries.values().any(is_wanted),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Manifest;
    use model::definition::Plugin;
    use serde_json::{Value as Json, json};

    fn plugin(grants: &Json, settings: &Json) -> Plugin {
        serde_json::from_value(json!({
            "component": { "file": "a.wasm" },
            "hooks": { "delivery": true },
            "grants": grants,
            "settings": settings,
        }))
        .unwrap()
    }

    fn check(grants: &Json, settings: &Json) -> Result<(), String> {
        let manifest = Manifest::read(&json!({
            "id": "chat",
            "capabilities": { "http": true, "signing": true, "directory": { "user": true, "team": false } },
            "settings": { "type": "object", "required": ["room"], "properties": { "room": { "type": "string" } } },
        }))
        .unwrap();
        manifest
            .check(&plugin(grants, settings))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_asked_for_and_not_granted_is_named() {
        let error = check(&json!({ "directory": { "team": true } }), &json!({})).unwrap_err();
        assert_eq!(
            error,
            "it asks for what the binding does not grant: directory.user, http, a secret with sign"
        );
    }

    #[test]
    fn settings_are_held_to_the_plugins_schema() {
        let grants = json!({
            "directory": { "user": true },
            "http": { "https://chat.example": true },
            "secrets": { "key": { "sign": true } },
        });
        assert_eq!(check(&grants, &json!({ "room": "desk" })), Ok(()));
        let error = check(&grants, &json!({ "room": 7 })).unwrap_err();
        assert!(error.contains("`room`"), "{error}");
        let error = check(&grants, &json!({})).unwrap_err();
        assert!(error.contains("room"), "{error}");
    }
}
