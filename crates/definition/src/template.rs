//! Templates of notices, in the language of Jinja: compiled once, sandboxed and bounded. The library
//! behind them shows nowhere outside of this module.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};

/// How many steps a template may take.
const FUEL: u64 = 50_000;
/// How deep blocks and macros may nest.
const DEEPEST: usize = 20;
/// The name of the one template of an environment.
const NAME: &str = "notice";

/// A checked template. Cheap to clone.
#[derive(Clone)]
pub struct Template(Arc<Compiled>);

struct Compiled {
    source: String,
    environment: Environment<'static>,
    names: BTreeSet<String>,
}

impl Template {
    /// Compiles a template. It may branch, loop, and use the filters `upper`, `lower`, `default`,
    /// `join` and `length`; it can read nothing but what it is rendered from.
    ///
    /// # Errors
    /// Why it is no template, and in which of its lines.
    pub fn compile(source: &str) -> Result<Self, String> {
        let mut environment = Environment::empty();
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(DEEPEST);
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.add_filter("upper", minijinja::filters::upper);
        environment.add_filter("lower", minijinja::filters::lower);
        environment.add_filter("default", minijinja::filters::default);
        environment.add_filter("join", minijinja::filters::join);
        environment.add_filter("length", minijinja::filters::length);
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| told(&error))?;
        let named = environment
            .get_template(NAME)
            .map_err(|error| told(&error))?;
        let names = named.undeclared_variables(true).into_iter().collect();
        Ok(Self(Arc::new(Compiled {
            source: source.to_owned(),
            environment,
            names,
        })))
    }

    /// The names that it reads, with their members: `resolution`, `record.id`.
    pub fn names(&self) -> &BTreeSet<String> {
        &self.0.names
    }

    /// Whether a name stands anywhere in its text. What does not, it cannot read.
    pub fn mentions(&self, name: &str) -> bool {
        self.0.source.contains(name)
    }

    /// The text that comes of it, at most `longest` characters. What it reads and is not there is empty.
    ///
    /// # Errors
    /// What went wrong, for who wrote it.
    pub fn render(
        &self,
        context: &serde_json::Map<String, serde_json::Value>,
        longest: usize,
    ) -> Result<String, String> {
        let template = self.0.environment.get_template(NAME);
        let text = template
            .and_then(|template| template.render(Value::from(Serde(context))))
            .map_err(|error| told(&error))?;
        Ok(match text.char_indices().nth(longest) {
            Some((end, _)) => text[..end].to_owned(),
            None => text,
        })
    }
}

/// The reason, and the line of the template where it is known.
fn told(error: &minijinja::Error) -> String {
    let reason = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) => format!("{reason}, in its line {line}"),
        None => reason,
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.0.source).finish()
    }
}

impl PartialEq for Template {
    /// Two templates are equal if their texts are.
    fn eq(&self, other: &Self) -> bool {
        self.0.source == other.0.source
    }
}

impl Eq for Template {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Template;

    fn render(source: &str, longest: usize) -> Result<String, String> {
        let context = json!({ "record": { "id": "INC-7" }, "tags": ["a", "b"], "text": "Größe" });
        Template::compile(source)?.render(context.as_object().expect("a map"), longest)
    }

    #[test]
    fn a_template_is_rendered_within_its_length() {
        let said = render(
            "{{ record.id }}: {{ tags | join(', ') }}{{ none.at.all }}",
            50,
        );
        assert_eq!(said.as_deref(), Ok("INC-7: a, b"));
        assert_eq!(render("{{ text }}", 3).as_deref(), Ok("Grö"));
    }

    #[test]
    fn what_is_no_template_or_takes_too_long_is_told() {
        let said = Template::compile("Dear\n{{ record.id }").expect_err("it is not closed");
        assert!(said.ends_with("in its line 2"), "{said}");
        assert!(render("{% for a in range(9) %}x{% endfor %}", 9).is_err());
        let long = "{% for a in text %}".repeat(8) + "x" + &"{% endfor %}".repeat(8);
        assert!(render(&long, 9).is_err());
    }

    #[test]
    fn it_says_what_it_reads() {
        let template = Template::compile("{{ record.id }} {% if urgent %}!{% endif %}");
        let template = template.expect("a template");
        assert!(template.names().contains("record.id") && template.names().contains("urgent"));
        // Not among the names for the library, which takes the first for a variable of its own.
        let template = Template::compile("{% set urgent = urgent %}{{ urgent }}");
        let template = template.expect("a template");
        assert!(template.mentions("urgent") && !template.mentions("now"));
    }
}
