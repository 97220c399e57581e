//! Notices: templates rendered from a record, sandboxed and bounded.

use definition::compile::Notice;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use model::Instant;
use model::command::Actor;
use model::record::Record;
use serde_json::json;

/// How many steps a template may take.
const FUEL: u64 = 50_000;
/// The longest subject and text, in characters.
const LONGEST_SUBJECT: usize = 500;
const LONGEST_TEXT: usize = 50_000;

/// The subject and the text of a notice: `{{ record.id }}`, `{{ resolution }}`, `{{ actor }}`, `{{ now }}`.
///
/// # Errors
/// What is wrong with the template, for who wrote it.
pub(crate) fn render(
    notice: &Notice,
    record: &Record,
    actor: &Actor,
    now: Instant,
) -> Result<(String, String), String> {
    let mut environment = Environment::empty();
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(20);
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.add_filter("upper", minijinja::filters::upper);
    environment.add_filter("lower", minijinja::filters::lower);
    environment.add_filter("default", minijinja::filters::default);
    environment.add_filter("join", minijinja::filters::join);
    environment.add_filter("length", minijinja::filters::length);
    let mut context: serde_json::Map<_, _> = record
        .fields
        .iter()
        .map(|(id, value)| (id.to_string(), value.to_json()))
        .collect();
    context.insert(
        "record".to_owned(),
        json!({
            "id": record.id, "workflow": record.workflow, "state": record.state, "category": record.category,
            "requester": record.requester, "assignee": record.assignee, "team": record.team,
            "created_at": record.created_at, "updated_at": record.updated_at,
        }),
    );
    context.insert("actor".to_owned(), json!(actor.id()));
    context.insert("now".to_owned(), json!(now.to_seconds_text()));
    let context = Value::from(Serde(&context));
    let one = |name: &str, template: &str, longest: usize| {
        let text = environment
            .render_str(template, context.clone())
            .map_err(|error| format!("the {name}: {error}"))?;
        Ok::<_, String>(text.chars().take(longest).collect::<String>())
    };
    let subject = one("subject", &notice.subject, LONGEST_SUBJECT)?;
    Ok((
        subject.replace(['\r', '\n'], " "),
        one("text", &notice.text, LONGEST_TEXT)?,
    ))
}
