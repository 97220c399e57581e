//! How much a schema may ask for. A plugin's schema for its settings is a stranger's, and checking
//! settings against it is work: references that fan out take longer than anybody waits, and those
//! that lead back to themselves never end.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value as Json;

/// How many places a schema may have, where each reference counts as what it leads to.
const PLACES: usize = 10_000;
/// How deep it may be, what references lead to included.
const DEPTH: usize = 64;
/// How many patterns it may have.
const PATTERNS: usize = 100;
/// How large a pattern may become, in bytes.
const PATTERN: usize = 1 << 20;
/// How many steps a pattern that looks around may go back in one text.
const STEPS: usize = 100_000;
/// What would make a reference depend on where checking has come from.
const DYNAMIC: [&str; 5] = [
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveAnchor",
    "$recursiveRef",
];

/// A validator for a schema that asks for no more than it may, or what is wrong with it.
pub(crate) fn validator(schema: &Json) -> Result<Validator, String> {
    let mut measure = Measure {
        root: schema,
        places: 0,
        patterns: 0,
    };
    measure.visit(schema, 0)?;
    let patterns = PatternOptions::fancy_regex()
        .backtrack_limit(STEPS)
        .size_limit(PATTERN)
        .dfa_size_limit(PATTERN);
    jsonschema::options()
        .with_pattern_options(patterns)
        .build(schema)
        .map_err(|error| error.to_string())
}

struct Measure<'a> {
    root: &'a Json,
    places: usize,
    patterns: usize,
}

impl Measure<'_> {
    fn visit(&mut self, place: &Json, depth: usize) -> Result<(), String> {
        self.places += 1;
        if self.places > PLACES {
            let what = format!("it has more than {PLACES} places, counting what it refers to");
            return Err(what);
        }
        if depth > DEPTH {
            let what = format!("it is more than {DEPTH} deep, or refers to itself");
            return Err(what);
        }
        match place {
            Json::Array(entries) => entries
                .iter()
                .try_for_each(|entry| self.visit(entry, depth + 1)),
            Json::Object(entries) => entries
                .iter()
                .try_for_each(|(name, entry)| self.entry(name, entry, depth)),
            _ => Ok(()),
        }
    }

    fn entry(&mut self, name: &str, entry: &Json, depth: usize) -> Result<(), String> {
        let patterns = match (name, entry) {
            ("pattern", Json::String(_)) => 1,
            ("patternProperties", Json::Object(patterns)) => patterns.len(),
            _ => 0,
        };
        self.patterns += patterns;
        if self.patterns > PATTERNS {
            return Err(format!("it has more than {PATTERNS} patterns"));
        }
        match entry {
            Json::String(_) | Json::Bool(_) if DYNAMIC.contains(&name) => {
                Err(format!("it uses `{name}`; refer by `#/…` instead"))
            }
            // Below another id, references would lead elsewhere.
            Json::String(_) if name == "$id" && depth > 0 => {
                Err("it has an `$id` within; refer by `#/…` instead".to_owned())
            }
            Json::String(reference) if name == "$ref" => {
                let shown: String = reference.chars().take(100).collect();
                let target = reference
                    .strip_prefix('#')
                    .and_then(|pointer| self.root.pointer(pointer))
                    .ok_or_else(|| format!("it refers to `{shown}`, which is not in it"))?;
                self.visit(target, depth + 1)
            }
            _ => self.visit(entry, depth + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::validator;
    use serde_json::{Map, Value as Json, json};

    /// Each definition refers twice to the next: the last one is reached in so many ways.
    fn fan(length: usize) -> Json {
        let definitions: Map<String, Json> = (0..length)
            .map(|number| {
                let next = json!({ "$ref": format!("#/$defs/{}", number + 1) });
                (number.to_string(), json!({ "allOf": [next, next] }))
            })
            .chain([(length.to_string(), json!({ "type": "object" }))])
            .collect();
        json!({ "$ref": "#/$defs/0", "$defs": definitions })
    }

    #[test]
    fn a_schema_that_takes_for_ever_is_refused() {
        let many: Vec<Json> = (0..200)
            .map(|n| json!({ "pattern": n.to_string() }))
            .collect();
        for (schema, says) in [
            (json!({ "$ref": "#" }), "refers to itself"),
            (json!({ "allOf": [{ "$ref": "#" }] }), "refers to itself"),
            (
                json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } }),
                "refers to itself",
            ),
            (fan(16), "more than 10000 places"),
            (
                json!({ "$ref": "https://example.com/schema.json" }),
                "which is not in it",
            ),
            (json!({ "$dynamicRef": "#a" }), "$dynamicRef"),
            (
                json!({ "properties": { "a": { "$id": "b:c" } } }),
                "an `$id` within",
            ),
            (json!({ "anyOf": many }), "more than 100 patterns"),
            (json!({ "pattern": "((a{999}){999}){999}" }), "is not a"),
            (json!({ "type": "nonsense" }), "nonsense"),
        ] {
            let error = validator(&schema).expect_err(&schema.to_string());
            assert!(error.contains(says), "{schema}: {error}");
        }
    }

    #[test]
    fn a_schema_as_people_write_them_is_none_of_these() {
        let schema = json!({
            "$id": "https://example.com/settings.json",
            "type": "object",
            "properties": {
                "$ref": { "type": "string" },
                "room": { "$ref": "#/$defs/room" },
                "other": { "$ref": "#/$defs/room" },
            },
            "$defs": { "room": { "type": "string", "pattern": "^[a-z]+$" } },
        });
        let validator = validator(&schema).unwrap();
        assert!(validator.is_valid(&json!({ "room": "desk", "$ref": "x" })));
        assert!(!validator.is_valid(&json!({ "other": "Desk 1" })));
        assert!(super::validator(&fan(5)).is_ok());
    }

    #[test]
    fn a_pattern_that_would_go_back_and_forth_does_not() {
        // The look-ahead keeps it from being run by steps that only go forward.
        for pattern in ["^(a+)+$", "^(?!c)((a+)+)+(?!c)$"] {
            let schema = json!({ "pattern": pattern });
            let text = json!(format!("{}b", "a".repeat(5_000)));
            assert!(!validator(&schema).unwrap().is_valid(&text), "{pattern}");
        }
    }
}
