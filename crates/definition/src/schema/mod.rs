//! The published JSON Schemas: for each kind of definition one for a whole file, one for a patch.
//!
//! They are generated from the types that definitions are read into, for editors and for other
//! tools; the loader's own messages are better. Choices are said as properties of which one
//! stands, not as alternatives, because a validator's message about alternatives helps nobody.

mod reference;
#[cfg(test)]
pub(crate) mod tests;

use std::path::PathBuf;

use model::definition::{
    Calendar, CatalogueItem, Holidays, Migration, Notice, Outcome, Pack, Plugin, Scenario,
    ServiceLevel, Team, Translation, Workflow,
};
use model::event::EventKind;
use model::hook::Hook;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::overlay::DefinitionKind;

pub use reference::reference;

/// The schema of a whole definition of this kind, header included. A fragment and an item of the
/// catalogue are, as far as they say anything of a workflow, patches from the beginning.
pub fn whole(kind: DefinitionKind) -> Value {
    let mut schema = written(kind);
    match kind {
        DefinitionKind::Fragment => patch_body(&mut schema, kind),
        DefinitionKind::CatalogueItem => over_workflow(&mut schema),
        _ => {}
    }
    schema
}

/// The schema as the type says it.
fn written(kind: DefinitionKind) -> Value {
    let mut schema = match kind {
        DefinitionKind::Pack => generate::<Pack>(),
        DefinitionKind::Workflow | DefinitionKind::Fragment => generate::<Workflow>(),
        DefinitionKind::CatalogueItem => generate::<CatalogueItem>(),
        DefinitionKind::Migration => generate::<Migration>(),
        DefinitionKind::Translation => generate::<Translation>(),
        DefinitionKind::ServiceLevel => generate::<ServiceLevel>(),
        DefinitionKind::Calendar => generate::<Calendar>(),
        DefinitionKind::Holidays => generate::<Holidays>(),
        DefinitionKind::Team => generate::<Team>(),
        DefinitionKind::Notice => generate::<Notice>(),
        DefinitionKind::Plugin => generate::<Plugin>(),
        DefinitionKind::Scenario => generate::<Scenario>(),
    };
    walk(&mut schema, &mut without_null);
    walk(&mut schema, &mut choices_as_properties);
    walk(&mut schema, &mut types_in_one);
    for (map, words) in keyed_by_words(kind) {
        if let Some(Value::Object(map)) = schema.pointer_mut(map) {
            map.insert("propertyNames".to_owned(), words);
        }
    }
    add_header(&mut schema, kind);
    schema
}

/// The schema of a merge patch on a definition of this kind: nothing but the header is required,
/// `null` removes, and new entries may be placed.
pub fn patch(kind: DefinitionKind) -> Value {
    let mut schema = whole(kind);
    patch_body(&mut schema, kind);
    schema["title"] = format!("{kind} (patch)").into();
    schema
}

/// Turns the schema of a whole definition into that of a patch.
fn patch_body(schema: &mut Value, kind: DefinitionKind) {
    let header = |schema: &mut Value| {
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        properties.map(|map| {
            crate::overlay::HEADER.map(|key| (key, map.shift_remove(key).unwrap_or_default()))
        })
    };
    let kept = header(schema);
    walk(schema, &mut optional_and_nullable);
    for (key, value) in kept.into_iter().flatten() {
        schema["properties"][key] = value;
    }
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.shift_remove("place");
    }
    schema["required"] = json!(["kind", "id"]);
    schema["title"] = kind.as_str().into();
}

/// Adds to what an item of the catalogue says of itself all that a patch on a workflow may say.
fn over_workflow(schema: &mut Value) {
    let mut workflow = patch(DefinitionKind::Workflow);
    schema["$defs"] = workflow["$defs"].take();
    let patched = workflow["properties"].take();
    let Some(own) = schema["properties"].as_object_mut() else {
        return;
    };
    for (key, value) in patched.as_object().into_iter().flatten() {
        own.entry(key).or_insert_with(|| value.clone());
    }
}

/// The file under `docs/schemas` that holds a schema.
pub fn file_name(kind: DefinitionKind, is_patch: bool) -> PathBuf {
    let name = match kind {
        DefinitionKind::ServiceLevel => "service-level".to_owned(),
        DefinitionKind::CatalogueItem => "catalogue-item".to_owned(),
        _ => kind.as_str().to_lowercase(),
    };
    let patch = if is_patch { ".patch" } else { "" };
    format!("{name}{patch}.schema.json").into()
}

/// The maps whose keys are words of the language, which the generator does not restrict.
fn keyed_by_words(kind: DefinitionKind) -> Vec<(&'static str, Value)> {
    match kind {
        DefinitionKind::Plugin => vec![
            ("/properties/hooks", words::<Hook>()),
            ("/properties/events", words::<EventKind>()),
        ],
        DefinitionKind::Workflow | DefinitionKind::Fragment => {
            vec![("/$defs/Approval/properties/then", words::<Outcome>())]
        }
        _ => Vec::new(),
    }
}

/// The words that a type has, as a schema of its texts.
fn words<T: JsonSchema>() -> Value {
    let mut schema = generate::<T>();
    walk(&mut schema, &mut choices_as_properties);
    json!({ "enum": schema["enum"] })
}

fn generate<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

fn add_header(schema: &mut Value, kind: DefinitionKind) {
    let id = json!({ "type": "string", "maxLength": 64, "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "description": "Its id, which stays." });
    let header = [
        (
            "apiVersion",
            json!({ "const": "servicewright/v1", "description": "The version of the language." }),
        ),
        (
            "kind",
            json!({ "const": kind.as_str(), "description": "What is defined." }),
        ),
        ("id", id),
    ];
    let own = schema["properties"].take();
    let mut properties: Map<String, Value> = header
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect();
    properties.extend(own.as_object().cloned().unwrap_or_default());
    schema["properties"] = properties.into();
    let mut required = vec![json!("kind"), json!("id")];
    required.extend(schema["required"].as_array().cloned().unwrap_or_default());
    schema["required"] = required.into();
}

/// Calls a function on every schema within a schema, the innermost first.
fn walk(schema: &mut Value, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    let Value::Object(map) = schema else { return };
    for (key, value) in map.iter_mut() {
        match (key.as_str(), value) {
            ("properties" | "patternProperties" | "$defs", Value::Object(members)) => {
                for member in members.values_mut() {
                    walk(member, change);
                }
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(members)) => {
                for member in members {
                    walk(member, change);
                }
            }
            ("items" | "additionalProperties" | "propertyNames", member) => walk(member, change),
            _ => {}
        }
    }
    change(map);
}

/// Takes `null` out: what may be absent is absent, never null.
fn without_null(map: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            map.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = map.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if map.get("default").is_some_and(Value::is_null) {
        map.shift_remove("default");
    }
    let is_null = |schema: &Value| schema.get("type").is_some_and(|name| name == "null");
    let Some(Value::Array(variants)) = map.get_mut("anyOf") else {
        return;
    };
    variants.retain(|variant| !is_null(variant));
    if let [only] = variants.as_slice() {
        let only = only.clone();
        map.shift_remove("anyOf");
        for (key, value) in only.as_object().into_iter().flatten() {
            map.entry(key).or_insert_with(|| value.clone());
        }
    }
}

/// Turns alternatives that each are one key into the properties of one map, of which one stands.
/// Alternatives that each are one word become an `enum`.
fn choices_as_properties(map: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = map.get("oneOf") else {
        return;
    };
    if let Some(words) = variants
        .iter()
        .map(|variant| variant.get("const").cloned())
        .collect::<Option<Vec<_>>>()
    {
        map.shift_remove("oneOf");
        map.insert("type".to_owned(), "string".into());
        map.insert("enum".to_owned(), words.into());
        return;
    }
    let mut properties = Map::new();
    for variant in variants {
        let Some([(key, value)]) = variant
            .get("properties")
            .and_then(Value::as_object)
            .map(|p| p.iter().collect::<Vec<_>>())
            .and_then(|p| <[_; 1]>::try_from(p).ok())
        else {
            return;
        };
        let mut value = value.clone();
        if let (Some(description), Value::Object(map)) = (variant.get("description"), &mut value) {
            map.entry("description")
                .or_insert_with(|| description.clone());
        }
        properties.insert(key.clone(), value);
    }
    map.shift_remove("oneOf");
    map.insert("type".to_owned(), "object".into());
    map.insert("properties".to_owned(), properties.into());
    map.insert("additionalProperties".to_owned(), false.into());
    map.insert("minProperties".to_owned(), 1.into());
    map.insert("maxProperties".to_owned(), 1.into());
}

/// Joins alternatives of different simple types into one schema with several types.
fn types_in_one(map: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = map.get("anyOf") else {
        return;
    };
    let mut types: Vec<Value> = Vec::new();
    let mut joined = Map::new();
    for variant in variants {
        let Some(simple) = variant
            .get("type")
            .filter(|name| matches!(name.as_str(), Some("boolean" | "string")))
        else {
            return;
        };
        if types.contains(simple) {
            return;
        }
        types.push(simple.clone());
        let rest = variant
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| !["type", "description"].contains(&key.as_str()));
        joined.extend(rest.map(|(key, value)| (key.clone(), value.clone())));
    }
    map.shift_remove("anyOf");
    map.insert("type".to_owned(), types.into());
    map.extend(joined);
}

/// What a patch may say where a whole definition says this.
fn optional_and_nullable(map: &mut Map<String, Value>) {
    for key in ["required", "minProperties", "maxProperties", "default"] {
        map.shift_remove(key);
    }
    for key in ["properties", "patternProperties"] {
        if let Some(Value::Object(members)) = map.get_mut(key) {
            members.values_mut().for_each(nullable);
        }
    }
    if let Some(rest @ Value::Object(_)) = map.get_mut("additionalProperties") {
        nullable(rest);
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.entry("place").or_insert_with(|| {
            json!({
                "description": "Of a new entry: the one that it stands before or after.",
                "type": "object",
                "properties": { "before": { "type": "string" }, "after": { "type": "string" } },
                "additionalProperties": false,
                "minProperties": 1,
                "maxProperties": 1
            })
        });
    }
}

fn nullable(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    if let Some(reference) = map.shift_remove("$ref") {
        map.insert(
            "anyOf".to_owned(),
            json!([{ "$ref": reference }, { "type": "null" }]),
        );
        return;
    }
    match map.get_mut("type") {
        Some(Value::Array(types)) if types.iter().any(|name| name == "null") => {}
        Some(Value::Array(types)) => types.push("null".into()),
        Some(name) => *name = json!([name.take(), "null"]),
        None => {}
    }
    match map.get_mut("enum") {
        Some(Value::Array(values)) if values.contains(&Value::Null) => {}
        Some(Value::Array(values)) => values.push(Value::Null),
        _ => {
            if let Some(word) = map.shift_remove("const") {
                map.insert("enum".to_owned(), json!([word, null]));
            }
        }
    }
}
