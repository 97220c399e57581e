//! An outcome held to what is expected: only the parts that the expectation names, each in full.

use std::fmt;

use serde_json::{Map, Value as Json};

/// A part of an outcome that is not what was expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where in the outcome, such as `answer.assignment.team`.
    pub place: String,
    /// What was expected there.
    pub expected: Option<Json>,
    /// What there is.
    pub found: Option<Json>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |value: &Option<Json>| match value {
            Some(value) => value.to_string(),
            None => "nothing".to_owned(),
        };
        let (expected, found) = (told(&self.expected), told(&self.found));
        write!(f, "{}: expected {expected}, found {found}", self.place)
    }
}

/// Where an outcome differs. Of a failure only what is named is held: its kind alone as a text, or
/// `kind` and `says`, which its message has to contain.
pub(crate) fn differences(expected: &Map<String, Json>, outcome: &Json) -> Vec<Difference> {
    let mut found = Vec::new();
    for (part, expected) in expected {
        let has = outcome.get(part);
        match (part.as_str(), has) {
            ("failure" | "refused", Some(has)) => failure(part, expected, has, &mut found),
            _ => compare(part, Some(expected), has, &mut found),
        }
    }
    found
}

fn failure(place: &str, expected: &Json, has: &Json, found: &mut Vec<Difference>) {
    if expected.is_string() {
        let kind = has.get("kind").or(Some(has));
        return compare(place, Some(expected), kind, found);
    }
    for (name, expected) in expected.as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        if name == "says" {
            let message = has["message"].as_str().unwrap_or_default();
            if !expected.as_str().is_some_and(|says| message.contains(says)) {
                found.push(Difference {
                    place,
                    expected: Some(expected.clone()),
                    found: Some(message.into()),
                });
            }
        } else {
            compare(&place, Some(expected), has.get(name), found);
        }
    }
}

/// Notes the innermost places that differ. What is null is as if it were not there.
fn compare(place: &str, expected: Option<&Json>, has: Option<&Json>, found: &mut Vec<Difference>) {
    let expected = expected.filter(|value| !value.is_null());
    let has = has.filter(|value| !value.is_null());
    match (expected, has) {
        (Some(Json::Object(wanted)), Some(Json::Object(present))) => {
            for (name, value) in wanted {
                compare(
                    &format!("{place}.{name}"),
                    Some(value),
                    present.get(name),
                    found,
                );
            }
            for (name, value) in present {
                if !wanted.contains_key(name) {
                    compare(&format!("{place}.{name}"), None, Some(value), found);
                }
            }
        }
        (Some(Json::Array(wanted)), Some(Json::Array(present))) => {
            for at in 0..wanted.len().max(present.len()) {
                compare(
                    &format!("{place}[{at}]"),
                    wanted.get(at),
                    present.get(at),
                    found,
                );
            }
        }
        (expected, has) if expected != has => found.push(Difference {
            place: place.to_owned(),
            expected: expected.cloned(),
            found: has.cloned(),
        }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::{Value as Json, json};

    use super::differences;

    fn check(expected: &Json, outcome: &Json, differs: &Expect) {
        let expected = expected.as_object().expect("a map");
        let found = differences(expected, outcome);
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        differs.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn only_what_is_named_is_held_and_that_in_full() {
        let outcome = json!({ "answer": { "assignment": { "team": "desk", "assignee": null, "reason": "so" } }, "log": ["x"] });
        let right = json!({ "answer": { "assignment": { "team": "desk", "reason": "so" } } });
        check(&right, &outcome, &expect![""]);
        let wrong = json!({ "answer": { "assignment": { "team": "network", "skill": 1 } } });
        check(
            &wrong,
            &outcome,
            &expect![[r#"
            answer.assignment.team: expected "network", found "desk"
            answer.assignment.skill: expected 1, found nothing
            answer.assignment.reason: expected nothing, found "so""#]],
        );
        check(
            &json!({ "log": ["x", "y"] }),
            &outcome,
            &expect![[r#"log[1]: expected "y", found nothing"#]],
        );
    }

    #[test]
    fn a_failure_is_held_by_kind_or_by_what_it_says() {
        let outcome = json!({ "failure": { "kind": "invalid-input", "message": "the field `impact` is missing" } });
        check(
            &json!({ "failure": "invalid-input" }),
            &outcome,
            &expect![""],
        );
        check(
            &json!({ "failure": { "says": "`impact`" } }),
            &outcome,
            &expect![""],
        );
        check(
            &json!({ "failure": "trap" }),
            &outcome,
            &expect![[r#"failure: expected "trap", found "invalid-input""#]],
        );
        check(
            &json!({ "failure": { "says": "cost" } }),
            &outcome,
            &expect![[r#"failure.says: expected "cost", found "the field `impact` is missing""#]],
        );
        check(
            &json!({ "failure": "trap" }),
            &json!({ "answer": 1 }),
            &expect![[r#"failure: expected "trap", found nothing"#]],
        );
    }
}
