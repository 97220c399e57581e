//! What expressions do: their results, their messages, and how they meet hostile text.

mod hostile;
mod slips;

use std::collections::BTreeMap;
use std::fmt::Write;

use expect_test::{Expect, expect};
use model::{Duration, Instant, Value};

use super::{Expression, Scope, Term, Type, Variables};

fn id_and(members: &[(&str, Type)]) -> Vec<(String, Type)> {
    let own = members
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), kind.clone()));
    std::iter::once(("id".to_owned(), Type::Text))
        .chain(own)
        .collect()
}

fn scope() -> Scope {
    let category = Type::options(["open", "waiting", "resolved", "closed"]);
    let linked = Type::object(
        "task",
        id_and(&[
            ("workflow", Type::Text),
            ("state", Type::Text),
            ("category", category.clone()),
        ]),
    );
    Scope::new()
        .with("impact", Type::options(["low", "high"]).nullable())
        .with("priority", Type::options(["p1", "p2", "p3"]).nullable())
        .with("summary", Type::Text.nullable())
        .with("cost", Type::Integer.nullable())
        .with("rate", Type::Number.nullable())
        .with("major", Type::Boolean.nullable())
        .with("planned_start", Type::Instant.nullable())
        .with(
            "affected",
            Type::object("service", id_and(&[])).list().nullable(),
        )
        .with(
            "service",
            Type::object("service", id_and(&[("owner", Type::Text.nullable())])).nullable(),
        )
        .with("labels", Type::Text.list())
        .with("anything", Type::Any)
        .with(
            "record",
            Type::object(
                "record",
                id_and(&[
                    ("category", category),
                    ("assignee", Type::Text.nullable()),
                    ("created_at", Type::Instant),
                ]),
            ),
        )
        .with(
            "actor",
            Type::object("actor", id_and(&[("roles", Type::Text.list())])),
        )
        .with("tasks", linked.clone().list())
        .with(
            "links",
            Type::object("links", [("caused_by", linked.list())]),
        )
        .with_calendars(["office", "freeze"])
        .with_now()
}

/// Open from 8 to 16 on each day.
struct World(BTreeMap<String, Term>);

impl Variables for World {
    fn variable(&self, name: &str) -> Option<Term> {
        self.0.get(name).cloned()
    }

    fn open(&self, calendar: &str, at: Instant) -> Option<bool> {
        (calendar == "office")
            .then(|| (8..16).contains(&(at.millis().rem_euclid(86_400_000) / 3_600_000)))
    }

    fn business(&self, calendar: &str, from: Instant, to: Instant) -> Option<Duration> {
        (calendar == "office").then(|| Duration::from_millis(to.since(from).millis() / 3))
    }
}

fn at(text: &str) -> Term {
    Term::Instant(text.parse().expect("an instant"))
}

fn world() -> World {
    let task = |id: &str, category: &str| {
        Term::map([
            ("id", Term::from(id)),
            ("workflow", "task".into()),
            ("state", "done".into()),
            ("category", category.into()),
        ])
    };
    let service = Term::map([("id", Term::from("mail")), ("owner", Term::Null)]);
    let names = [
        ("impact", Term::from("high")),
        ("priority", "p1".into()),
        ("summary", "Größe: the printer is on fire".into()),
        ("cost", 2500.into()),
        ("rate", Term::Number(1.5)),
        ("major", true.into()),
        ("planned_start", Term::Null),
        ("affected", Term::List(vec![service.clone()])),
        ("service", service),
        ("labels", Term::texts(["vip", "office"])),
        (
            "anything",
            Term::from(&serde_json::json!({ "deep": [1, 2.5, "three"] })),
        ),
        (
            "record",
            Term::map([
                ("id", Term::from("INC-1")),
                ("category", "open".into()),
                ("assignee", Term::Null),
                ("created_at", at("2026-03-02T09:00:00Z")),
            ]),
        ),
        (
            "actor",
            Term::map([
                ("id", Term::from("kim")),
                ("roles", Term::texts(["agent", "manager"])),
            ]),
        ),
        (
            "tasks",
            Term::List(vec![task("T-1", "closed"), task("T-2", "open")]),
        ),
        ("links", Term::map([("caused_by", Term::List(vec![]))])),
        ("now", at("2026-03-02T12:00:00Z")),
    ];
    World(
        names
            .into_iter()
            .map(|(name, term)| (name.to_owned(), term))
            .collect(),
    )
}

/// What comes of each expression, one per line, where `wanted` is wanted of it.
fn check(wanted: &Type, sources: &[&str], expected: &Expect) {
    let (scope, world) = (scope(), world());
    let mut shown = String::new();
    for source in sources {
        let outcome = match Expression::compile(source, &scope, wanted) {
            Err(error) => {
                let range = error.offset..error.offset + error.length;
                let place = source.get(range).expect("the fault lies in the text");
                format!("refused at {} `{place}`: {error}", error.offset)
            }
            Ok(expression) => match expression
                .evaluate(&world)
                .and_then(|term| term.into_value(wanted))
            {
                Err(error) => format!("fails: {error}"),
                Ok(value) => format!("{value:?}"),
            },
        };
        writeln!(shown, "{source}\n    {outcome}").expect("a string takes all");
    }
    expected.assert_eq(&shown);
}

#[test]
fn conditions_hold_or_not() {
    check(
        &Type::Boolean,
        &[
            "true",
            "impact == 'high' && priority == \"p1\"",
            "cost > 2000",
            "cost < 2500.5 && rate >= 1",
            "record.assignee != null",
            "record.category in ['resolved', 'closed']",
            "'manager' in actor.roles",
            "tasks.all(t, t.category == 'closed')",
            "tasks.exists(t, t.category == 'closed')",
            "tasks.exists_one(t, t.category == 'closed')",
            "!major || tasks.filter(t, t.category == 'open').size() == 1",
            "links.caused_by.all(l, l.state == 'x')",
            "affected.size() > 3 || size(labels) == 2",
            "has(service.owner)",
            "has(record.category) && !has(record.assignee)",
            "summary.contains('printer') && summary.startsWith('Gr') && summary.endsWith('fire')",
            "summary.matches('(?i)^größe: .* FIRE$')",
            "open('office', now) && !open('office', record.created_at - duration('2h'))",
            "business('office', record.created_at, now) == duration('1h')",
            "now - record.created_at > duration('2h30m')",
            "timestamp('2026-03-02T13:00:00+01:00') == now",
            "now.getDayOfWeek('Europe/Brussels') == 1 && now.getHours('Europe/Brussels') == 13",
            "planned_start == null ? false : planned_start > now",
            "anything.deep[1] == 2.5 && anything['deep'].size() == 3",
            "labels.map(l, l + '!').exists(l, l == 'vip!')",
            "tasks.exists(t, labels.exists(l, l == t.id))",
            "priority < 'p2'",
            "{'a': cost}.a == 2500 // really",
        ],
        &expect![[r#"
            true
                Boolean(true)
            impact == 'high' && priority == "p1"
                Boolean(true)
            cost > 2000
                Boolean(true)
            cost < 2500.5 && rate >= 1
                Boolean(true)
            record.assignee != null
                Boolean(false)
            record.category in ['resolved', 'closed']
                Boolean(false)
            'manager' in actor.roles
                Boolean(true)
            tasks.all(t, t.category == 'closed')
                Boolean(false)
            tasks.exists(t, t.category == 'closed')
                Boolean(true)
            tasks.exists_one(t, t.category == 'closed')
                Boolean(true)
            !major || tasks.filter(t, t.category == 'open').size() == 1
                Boolean(true)
            links.caused_by.all(l, l.state == 'x')
                Boolean(true)
            affected.size() > 3 || size(labels) == 2
                Boolean(true)
            has(service.owner)
                Boolean(false)
            has(record.category) && !has(record.assignee)
                Boolean(true)
            summary.contains('printer') && summary.startsWith('Gr') && summary.endsWith('fire')
                Boolean(true)
            summary.matches('(?i)^größe: .* FIRE$')
                Boolean(true)
            open('office', now) && !open('office', record.created_at - duration('2h'))
                Boolean(true)
            business('office', record.created_at, now) == duration('1h')
                Boolean(true)
            now - record.created_at > duration('2h30m')
                Boolean(true)
            timestamp('2026-03-02T13:00:00+01:00') == now
                Boolean(true)
            now.getDayOfWeek('Europe/Brussels') == 1 && now.getHours('Europe/Brussels') == 13
                Boolean(true)
            planned_start == null ? false : planned_start > now
                Boolean(false)
            anything.deep[1] == 2.5 && anything['deep'].size() == 3
                Boolean(true)
            labels.map(l, l + '!').exists(l, l == 'vip!')
                Boolean(true)
            tasks.exists(t, labels.exists(l, l == t.id))
                Boolean(false)
            priority < 'p2'
                Boolean(true)
            {'a': cost}.a == 2500 // really
                Boolean(true)
        "#]],
    );
}

#[test]
fn integers_are_computed_and_may_be_null() {
    check(
        &Type::Integer.nullable(),
        &[
            "major ? 60 : 15",
            "cost - 1500",
            "cost / 7 % 5",
            "-cost",
            "null",
            "labels.size()",
            "int(rate * 2)",
            "cost / 0",
            "cost + 9223372036854775807",
            "[1, 2][5]",
        ],
        &expect![[r"
            major ? 60 : 15
                Integer(60)
            cost - 1500
                Integer(1000)
            cost / 7 % 5
                Integer(2)
            -cost
                Integer(-2500)
            null
                Null
            labels.size()
                Integer(2)
            int(rate * 2)
                Integer(3)
            cost / 0
                fails: division by zero
            cost + 9223372036854775807
                fails: the result of `+` is out of range
            [1, 2][5]
                fails: there is no item 5 in the list
        "]],
    );
}

#[test]
fn numbers_take_integers_in() {
    check(
        &Type::Number,
        &[
            "cost * 1.5",
            "rate + 1",
            "double(cost) / 3.0",
            "cost",
            "1e300 * 1e300",
        ],
        &expect![[r"
            cost * 1.5
                Number(3750.0)
            rate + 1
                Number(2.5)
            double(cost) / 3.0
                Number(833.3333333333334)
            cost
                Number(2500.0)
            1e300 * 1e300
                fails: this gave no finite number, but a number is wanted
        "]],
    );
}

#[test]
fn text_is_joined_and_converted() {
    check(
        &Type::Text,
        &[
            "'Account for ' + summary",
            "string(cost) + ' EUR'",
            "service.id",
            "impact",
            "string(now)",
        ],
        &expect![[r#"
            'Account for ' + summary
                Text("Account for Größe: the printer is on fire")
            string(cost) + ' EUR'
                Text("2500 EUR")
            service.id
                Text("mail")
            impact
                Text("high")
            string(now)
                Text("2026-03-02T12:00:00Z")
        "#]],
    );
}

#[test]
fn options_are_told_apart() {
    check(
        &Type::options(["p1", "p2"]),
        &[
            "major ? 'p1' : 'p2'",
            "major ? 'p1' : 'p9'",
            "priority",
            "summary",
        ],
        &expect![[r#"
            major ? 'p1' : 'p2'
                Text("p1")
            major ? 'p1' : 'p9'
                refused at 15 `'p9'`: `p9` is not an option of the field; did you mean `p1`?
            priority
                refused at 0 `priority`: this gives one of p1, p2, p3, but one of p1, p2 is wanted
            summary
                refused at 0 `summary`: this gives text, but one of p1, p2 is wanted
        "#]],
    );
}

#[test]
fn instants_are_moved_by_durations() {
    check(
        &Type::Instant,
        &["record.created_at + duration('90m')", "now", "'2026-03-01'"],
        &expect![[r"
            record.created_at + duration('90m')
                Instant(Instant(1772447400000))
            now
                Instant(Instant(1772452800000))
            '2026-03-01'
                refused at 0 `'2026-03-01'`: this gives `2026-03-01`, but an instant is wanted
        "]],
    );
}

#[test]
fn lists_are_mapped_and_joined() {
    check(
        &Type::Text.list(),
        &[
            "tasks.map(t, t.id)",
            "labels + ['x']",
            "tasks.map(t, t.category == 'open', t.id)",
            "[]",
            "[1]",
        ],
        &expect![[r#"
            tasks.map(t, t.id)
                Texts(["T-1", "T-2"])
            labels + ['x']
                Texts(["vip", "office", "x"])
            tasks.map(t, t.category == 'open', t.id)
                Texts(["T-2"])
            []
                Texts([])
            [1]
                refused at 0 `[1]`: this gives a list of integers, but a list of texts is wanted
        "#]],
    );
}

#[test]
fn null_is_an_answer_only_to_equality() {
    check(
        &Type::Boolean,
        &[
            "planned_start == null",
            "planned_start > now",
            "planned_start > now || true",
            "planned_start > now || false",
            "!(planned_start > now)",
            "service.owner.contains('x')",
            "service.owner == 'kim'",
            "open('office', planned_start)",
            "open('freeze', now)",
            "record.assignee in ['kim']",
        ],
        &expect![[r"
            planned_start == null
                Boolean(true)
            planned_start > now
                fails: `>` was given what is not set
            planned_start > now || true
                Boolean(true)
            planned_start > now || false
                fails: `>` was given what is not set
            !(planned_start > now)
                fails: `>` was given what is not set
            service.owner.contains('x')
                fails: `contains` was given what is not set
            service.owner == 'kim'
                Boolean(false)
            open('office', planned_start)
                fails: `open` was given what is not set
            open('freeze', now)
                fails: the calendar `freeze` gives no answer
            record.assignee in ['kim']
                Boolean(false)
        "]],
    );
}

#[test]
fn what_may_not_change_with_time_may_not_read_now() {
    let scope = Scope::new().with("cost", Type::Integer);
    let error = Expression::compile(
        "now > timestamp('2026-01-01T00:00:00Z')",
        &scope,
        &Type::Boolean,
    )
    .expect_err("refused");
    assert_eq!(
        error.to_string(),
        "`now` may not be read here: this changes only with the record"
    );
}

#[test]
fn an_expression_tells_what_it_reads() {
    let source = "major && record.category == 'open' && now > record.created_at && tasks.filter(t, t.state == 'x')[0].id != '' \
                  && links.caused_by.all(l, l.category == 'open' && l.id in ['a']) && has(service.owner) && open('office', now)";
    let expression = Expression::compile(source, &scope(), &Type::Boolean).expect("compiles");
    let members = |name: &str| {
        expression
            .selected_members(name)
            .into_iter()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        expression
            .references()
            .into_iter()
            .collect::<Vec<_>>()
            .join(" "),
        "links major now record service tasks"
    );
    assert_eq!(members("record"), "category created_at");
    assert_eq!(members("tasks"), "id state");
    assert_eq!(members("links"), "caused_by");
    assert_eq!(members("links.caused_by"), "category id");
    assert_eq!(members("service"), "owner");
    assert!(expression.reads_now() && !expression.asks_any_calendar());
    assert_eq!(
        expression.calendars().iter().collect::<Vec<_>>(),
        ["office"]
    );
    for read in expression.reads() {
        let last = read.path.rsplit('.').next().expect("a path has parts");
        let written = &source[read.offset..read.offset + read.length];
        assert!(written == last, "{read:?} is written {written}");
    }
}

#[test]
fn long_lists_are_not_gone_through() {
    let mut world = world();
    let many = |count: usize| Term::texts((0..count).map(|n| n.to_string()));
    let expression = Expression::compile("labels.exists(l, l == '7')", &scope(), &Type::Boolean)
        .expect("compiles");
    world.0.insert("labels".into(), many(100));
    assert_eq!(expression.holds(&world), Ok(true));
    world.0.insert("labels".into(), many(101));
    assert_eq!(
        expression.holds(&world).map_err(|error| error.to_string()),
        Err("a list of 101 items is too long to go through; the most is 100".to_owned())
    );
    let objects =
        Expression::compile("anything.all(x, true)", &scope(), &Type::Boolean).expect("compiles");
    assert!(
        objects.holds(&world).is_err(),
        "the order of an object's members is not the same each time"
    );
}

#[test]
fn what_plus_builds_stays_small() {
    let doubling = format!(
        "size({}) > 0",
        "[summary]".to_owned() + &".map(x, x + x)".repeat(13) + "[0]"
    );
    let expression = Expression::compile(&doubling, &scope(), &Type::Boolean).expect("compiles");
    let error = expression.holds(&world()).expect_err("too large");
    assert_eq!(error.to_string(), "the result of `+` grew too large");
}

#[test]
fn a_value_of_another_type_than_the_scope_says_is_an_error_not_a_truth() {
    let mut world = world();
    world.0.insert("major".into(), "yes".into());
    let expression = Expression::compile("major", &scope(), &Type::Boolean).expect("compiles");
    assert_eq!(
        expression.holds(&world).map_err(|error| error.to_string()),
        Err("this gave text, but a boolean is wanted".to_owned())
    );
    world.0.remove("major");
    assert_eq!(
        expression.holds(&world).map_err(|error| error.to_string()),
        Err("`major` has no value here".to_owned())
    );
}

/// A caller that gives single members without building the whole.
struct Sparse;

impl Variables for Sparse {
    fn variable(&self, _: &str) -> Option<Term> {
        None
    }

    fn member(&self, name: &str, member: &str) -> Option<Term> {
        (name == "record" && member == "category").then(|| "open".into())
    }

    fn open(&self, _: &str, _: Instant) -> Option<bool> {
        None
    }

    fn business(&self, _: &str, _: Instant, _: Instant) -> Option<Duration> {
        None
    }
}

#[test]
fn a_single_member_is_asked_for_before_the_whole() {
    let holds = |source: &str| {
        Expression::compile(source, &scope(), &Type::Boolean)
            .expect("compiles")
            .holds(&Sparse)
    };
    assert_eq!(holds("record.category == 'open'"), Ok(true));
    assert!(holds("record.id == 'x'").is_err());
}

#[test]
fn a_loop_variable_hides_the_name_outside() {
    let source = "tasks.map(record, record.category)[1] == 'open' && record.category == 'open'";
    assert_eq!(
        Expression::compile(source, &scope(), &Type::Boolean)
            .expect("compiles")
            .holds(&world()),
        Ok(true)
    );
}

#[test]
fn computed_values_become_values_of_the_model() {
    let expression = Expression::compile("anything.deep", &scope(), &Type::Any).expect("compiles");
    let value = expression
        .evaluate(&world())
        .and_then(|term| term.into_value(&Type::Any));
    assert_eq!(value, Ok(Value::Json(serde_json::json!([1, 2.5, "three"]))));
}
