//! Templates of notices, in the language of Jinja: compiled once, sandboxed and bounded. The library
//! behind them shows nowhere outside of this module; it counts steps, and what a step may cost is bounded
//! here, by what a template may be made of, how long it renders, and how long a text a filter takes.

mod plain;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::Arc;

use minijinja::value::{Serde, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};

/// How many steps a template may take.
const FUEL: u64 = 50_000;
/// How deep blocks and macros may nest.
const DEEPEST: usize = 20;
/// The longest text that a filter takes or makes, in bytes.
const LONGEST: usize = 20_000;
/// The name of the one template of an environment.
const NAME: &str = "notice";

/// A checked template. Cheap to clone.
#[derive(Clone)]
pub struct Template(Arc<Compiled>);

struct Compiled {
    source: String,
    environment: Environment<'static>,
    names: BTreeSet<String>,
    /// What it holds and may not: it is never rendered then.
    refused: Option<String>,
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
        // What is not there, and what is there and says nothing, read the same.
        environment.set_formatter(|output, state, value| match value.kind() {
            ValueKind::None => Ok(()),
            _ => minijinja::escape_formatter(output, state, value),
        });
        environment.add_filter("upper", |text: Value| Ok(short(&text)?.to_uppercase()));
        environment.add_filter("lower", |text: Value| Ok(short(&text)?.to_lowercase()));
        environment.add_filter("default", minijinja::filters::default);
        environment.add_filter("join", join);
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
            refused: plain::check(source).err(),
        })))
    }

    /// What it holds that a notice may not, and in which of its lines. Such a template is compiled, so
    /// that what was installed before is still read; it is not rendered.
    pub fn refused(&self) -> Option<&str> {
        self.0.refused.as_deref()
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
        if let Some(refused) = &self.0.refused {
            return Err(refused.clone());
        }
        let mut page = Page {
            text: Vec::new(),
            longest: longest.saturating_mul(4),
            is_full: false,
        };
        let template = self.0.environment.get_template(NAME);
        let rendered = template.and_then(|template| {
            template
                .render_captured_to(Value::from(Serde(context)), &mut page)
                .map(|_| ())
        });
        match rendered {
            Err(error) if !page.is_full => return Err(told(&error)),
            _ => {}
        }
        let text = String::from_utf8_lossy(&page.text);
        Ok(text.chars().take(longest).collect())
    }
}

/// What is rendered, as far as there is room: no more is rendered once it is full.
struct Page {
    text: Vec<u8>,
    /// How many bytes there is room for; a character takes at most four.
    longest: usize,
    is_full: bool,
}

impl io::Write for Page {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        let room = self.longest - self.text.len();
        self.text.extend_from_slice(&more[..more.len().min(room)]);
        if more.len() > room {
            self.is_full = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value as a text that is not too long: a text, a number, or a flag.
fn short(value: &Value) -> Result<String, Error> {
    let text = match value.kind() {
        ValueKind::String => value.as_str().unwrap_or_default().to_owned(),
        ValueKind::Number | ValueKind::Bool => value.to_string(),
        ValueKind::Undefined | ValueKind::None => String::new(),
        kind => return Err(not_possible(format!("a {kind} is no text"))),
    };
    if text.len() > LONGEST {
        return Err(not_possible(too_long()));
    }
    Ok(text)
}

/// The items of a list, with a text between them.
fn join(list: &Value, between: Option<&str>) -> Result<String, Error> {
    let mut joined = String::new();
    for (item, place) in list.try_iter()?.zip(0..) {
        if place > 0 {
            joined.push_str(between.unwrap_or_default());
        }
        joined.push_str(&short(&item)?);
        if joined.len() > LONGEST {
            return Err(not_possible(too_long()));
        }
    }
    Ok(joined)
}

fn too_long() -> String {
    format!("a filter takes and makes at most {LONGEST} bytes of text")
}

fn not_possible(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
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
        let context = json!({ "record": { "id": "INC-7", "team": null }, "tags": ["a", "b"], "text": "Größe" });
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
        assert_eq!(render("[{{ record.team }}]", 9).as_deref(), Ok("[]"));
    }

    #[test]
    fn what_is_no_template_or_takes_too_long_is_told() {
        let said = Template::compile("Dear\n{{ record.id }").expect_err("it is not closed");
        assert!(said.ends_with("in its line 2"), "{said}");
        assert!(render("{% for a in range(9) %}x{% endfor %}", 9).is_err());
        let body = "{% if none %}x{% endif %}";
        let long = "{% for a in text %}".repeat(8) + body + &"{% endfor %}".repeat(8);
        assert!(render(&long, 9).is_err());
    }

    #[test]
    fn it_says_what_it_reads() {
        let template = Template::compile("{{ record.id }} {% if urgent %}!{% endif %}");
        let template = template.expect("a template");
        assert!(template.names().contains("record.id") && template.names().contains("urgent"));
        // Not among the names for the library, which takes the first for a variable of its own.
        let template = Template::compile("{% for urgent in urgent %}{{ urgent }}{% endfor %}");
        let template = template.expect("a template");
        assert!(template.mentions("urgent") && !template.mentions("now"));
    }

    #[test]
    fn hostile_templates_end_soon_and_take_little() {
        let grown = |count: usize| "{% set a = a ~ a %}".repeat(count);
        let doubled = format!("{{% set a = 'aaaaaaaaaaaaaaaa' %}}{}{{{{ a }}}}", grown(60));
        let listed = "{% set a = [a, a] %}".repeat(60) + "{{ a }}";
        let captured = "{% set a %}{{ a }}{{ a }}{% endset %}".repeat(60) + "{{ a }}";
        let nested =
            "{% for b in [text ~ text] %}".repeat(15) + "{{ b }}" + &"{% endfor %}".repeat(15);
        let deep = "{{ ".to_owned() + &"(".repeat(5_000) + "1" + &")".repeat(5_000) + " }}";
        for hostile in [
            doubled.as_str(),
            &listed,
            &captured,
            &nested,
            &deep,
            "{{ 'x' * 100000000 }}",
            "{{ [1] * 100000000 }}",
            "{% filter upper %}{% for a in text %}{{ text }}{% endfor %}{% endfilter %}",
            "{% for a in tags recursive %}{{ loop(tags) }}{{ loop(tags) }}{% endfor %}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{% include 'notice' %}",
            "{% extends 'notice' %}",
            "{% import 'notice' as n %}",
            "{{ range(1000000000) }}",
            "{{ debug() }}",
            "{{ tags | map(attribute='x') | list }}",
            "{{ tags.__class__ }}{{ tags.append('c') }}",
        ] {
            let said = render(hostile, 50);
            assert!(
                said.is_err(),
                "{}: {said:?}",
                &hostile[..hostile.len().min(60)]
            );
        }
    }

    #[test]
    fn what_is_long_is_cut_and_no_more_of_it_is_rendered() {
        let context =
            json!({ "text": "ö".repeat(30_000), "list": vec!["ab"; 5_000], "deep": [[1, [2]]] });
        let context = context.as_object().expect("a map");
        let render = |source: &str, longest| Template::compile(source)?.render(context, longest);
        assert_eq!(
            render("{{ text }}", 50_000)
                .expect("it fits")
                .chars()
                .count(),
            30_000
        );
        // Were all of it rendered, the steps would not do.
        let endless = "{% for a in list %}{% for b in list %}{{ text }}{% endfor %}{% endfor %}";
        assert_eq!(
            render(endless, 40_000).expect("it is cut").chars().count(),
            40_000
        );
        assert_eq!(render("{{ list | join }}", 4).as_deref(), Ok("abab"));
        assert_eq!(render("{{ deep }}", 20).as_deref(), Ok("[[1, [2]]]"));
        let long = render("{{ text | upper }}", 10).expect_err("too long");
        assert!(long.contains("at most 20000 bytes"), "{long}");
        let long = render("{{ list | join(text) }}", 10).expect_err("too long");
        assert!(long.contains("at most 20000 bytes"), "{long}");
        assert!(render("{{ deep | join }}", 10).is_err());
    }

    #[test]
    fn nothing_is_escaped_in_plain_text() {
        let context = json!({ "text": "<b>&\"'" });
        let template = Template::compile("{{ text }}").expect("a template");
        let said = template.render(context.as_object().expect("a map"), 50);
        assert_eq!(said.as_deref(), Ok("<b>&\"'"));
    }
}
