//! The reference for people who write definitions: every kind, every key, what it takes and what it
//! means, from the same types as the schemas.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::whole;
use crate::overlay::DefinitionKind;

const HEAD: &str = "# Reference of definitions

Every kind of definition, every key, what it takes and what it means. This page is written from the types
that definitions are read into, like the schemas in `docs/schemas`; a test keeps it true.
[The guide](README.md) tells how they work together, [the rules](../lint.md) what they are held to.

A key in bold must be there. `NAME` stands for an id of your own: kebab-case, and snake_case where
expressions name it (fields, inputs, kinds of link). In an adaptation nothing but the header must be
there, and `null` removes.
";

/// The reference, in Markdown.
pub fn reference() -> String {
    let mut page = Page {
        text: HEAD.to_owned(),
        told: BTreeSet::new(),
    };
    for kind in DefinitionKind::ALL {
        page.kind(kind);
    }
    page.text
}

struct Page {
    text: String,
    /// The parts that have been told of.
    told: BTreeSet<String>,
}

impl Page {
    fn kind(&mut self, kind: DefinitionKind) {
        let schema = whole(kind);
        let place = match kind.folder() {
            Some(folder) => format!("in `{folder}/`"),
            None => "`pack.yaml`".to_owned(),
        };
        let _ = write!(self.text, "\n## {kind}\n\nA file {place}.");
        match kind {
            DefinitionKind::Fragment => {
                self.text.push_str(
                    " A part of a [workflow](#workflow), with the same keys, none of which must be there.\n",
                );
                return;
            }
            DefinitionKind::CatalogueItem => self.text.push_str(
                " All keys of a [workflow](#workflow) beside these are laid over the workflow that it is an item of.",
            ),
            _ => {}
        }
        let _ = writeln!(self.text, " {}", prose(&schema));
        let own: Option<&[&str]> = match kind {
            DefinitionKind::CatalogueItem => Some(&model::definition::CatalogueItem::KEYS),
            _ => None,
        };
        let mut parts = self.map("", &schema, own);
        // Parts of parts, as they are come upon.
        while let Some(part) = parts.first().cloned() {
            parts.remove(0);
            if !self.told.insert(part.clone()) {
                continue;
            }
            let Some(definition) = schema.pointer(&format!("/$defs/{part}")) else {
                continue;
            };
            let _ = write!(self.text, "\n### {part}\n\n");
            let about = prose(definition);
            if !about.is_empty() {
                let _ = writeln!(self.text, "{about}");
            }
            if definition.get("properties").is_some() {
                parts.extend(self.map("", definition, None));
            } else {
                let mut found = Vec::new();
                let _ = writeln!(self.text, "\nTakes {}.", takes(definition, &mut found));
                parts.extend(found);
            }
        }
    }

    /// A table of the keys of a map, then those of the maps within it. Gives the parts that it names.
    fn map(&mut self, path: &str, schema: &Value, only: Option<&[&str]>) -> Vec<String> {
        let mut parts = Vec::new();
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return parts;
        };
        if !path.is_empty() {
            let _ = write!(self.text, "\n`{path}`:\n");
        }
        let one = schema.get("maxProperties").and_then(Value::as_u64) == Some(1);
        self.text.push_str(if one {
            "\n| one of | takes | means |\n|---|---|---|\n"
        } else {
            "\n| key | takes | means |\n|---|---|---|\n"
        });
        let required = schema.get("required").and_then(Value::as_array);
        let must = |key: &str| required.is_some_and(|keys| keys.iter().any(|it| it == key));
        let wanted = |key: &str| only.is_none_or(|only| only.contains(&key));
        let mut within = Vec::new();
        for (key, value) in properties.iter().filter(|(key, _)| wanted(key)) {
            let name = if must(key) {
                format!("**`{key}`**")
            } else {
                format!("`{key}`")
            };
            let mut takes = takes(value, &mut parts);
            if let Some(default) = value.get("default") {
                let _ = write!(takes, "; `{default}` without it");
            }
            let (takes, means) = (cell(&takes), cell(&prose(value)));
            let _ = writeln!(self.text, "| {name} | {takes} | {means} |");
            let below = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            if value.get("properties").is_some() {
                within.push((below, value));
            } else if let Some(each) = each_of(value)
                && each.get("properties").is_some()
            {
                within.push((format!("{below}.NAME"), each));
            }
        }
        for (path, value) in within {
            parts.extend(self.map(&path, value, None));
        }
        parts
    }
}

fn prose(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str);
    text.unwrap_or_default().replace('\n', " ")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// What each value of a map of names is.
fn each_of(schema: &Value) -> Option<&Value> {
    let patterns = schema.get("patternProperties").and_then(Value::as_object);
    let by_pattern = patterns.and_then(|patterns| patterns.values().next());
    by_pattern.or_else(|| {
        schema
            .get("additionalProperties")
            .filter(|it| it.is_object())
    })
}

/// What a schema takes, in words. The parts that it names are added to `parts`.
fn takes(schema: &Value, parts: &mut Vec<String>) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.trim_start_matches("#/$defs/");
        parts.push(name.to_owned());
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        let words = words.iter().filter_map(Value::as_str);
        let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
        return words.join(", ");
    }
    if let Some(word) = schema.get("const").and_then(Value::as_str) {
        return format!("`{word}`");
    }
    if let Some(variants) = schema.get("anyOf").and_then(Value::as_array) {
        let each: Vec<String> = variants.iter().map(|it| takes(it, parts)).collect();
        return each.join(", or ");
    }
    match schema.get("type") {
        Some(Value::Array(types)) => {
            let names = types.iter().filter_map(Value::as_str);
            let each: Vec<&str> = names.map(simple).collect();
            each.join(" or ")
        }
        Some(Value::String(name)) if name == "object" => map_of(schema, parts),
        Some(Value::String(name)) if name == "array" => match schema.get("items") {
            Some(items) => format!("list: {}", takes(items, parts)),
            None => "list".to_owned(),
        },
        Some(Value::String(name)) => bounds(simple(name), schema),
        _ => "any value".to_owned(),
    }
}

fn map_of(schema: &Value, parts: &mut Vec<String>) -> String {
    if schema.get("properties").is_some() {
        return if schema.get("maxProperties").and_then(Value::as_u64) == Some(1) {
            "a choice, see below".to_owned()
        } else {
            "map, see below".to_owned()
        };
    }
    let Some(each) = each_of(schema) else {
        return "map".to_owned();
    };
    let names = schema
        .pointer("/propertyNames/enum")
        .and_then(Value::as_array);
    let names = names.map(|names| {
        let names = names.iter().filter_map(Value::as_str);
        let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
        names.join(", ")
    });
    let name = names.unwrap_or_else(|| "`NAME`".to_owned());
    if each.get("properties").is_some() {
        return format!("{name}: map, see below");
    }
    format!("{name}: {}", takes(each, parts))
}

fn simple(name: &str) -> &str {
    match name {
        "string" => "text",
        "integer" => "whole number",
        "boolean" => "`true` or `false`",
        "object" => "map",
        "array" => "list",
        other => other,
    }
}

/// The type with its bounds.
fn bounds(name: &str, schema: &Value) -> String {
    let number = |key: &str| schema.get(key).and_then(Value::as_f64);
    let mut text = name.to_owned();
    match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) => {
            let _ = write!(text, " from {least} to {most}");
        }
        (Some(least), None) => {
            let _ = write!(text, " from {least}");
        }
        (None, Some(most)) => {
            let _ = write!(text, " to {most}");
        }
        (None, None) => {}
    }
    if let (Some(most), None) = (number("maxLength"), schema.get("pattern")) {
        let _ = write!(text, " of at most {most} characters");
    }
    text
}
