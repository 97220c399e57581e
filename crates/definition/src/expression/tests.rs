//! What expressions do: their results, their messages, and how they meet hostile text.

mod hostile;

use std::collections::BTreeMap;

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
        shown.push_str(&format!("{source}\n    {outcome}\n"));
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
fn values_have_the_type_of_their_field() {
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
        &expect![[r#"
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
        "#]],
    );
    check(
        &Type::Number,
        &[
            "cost * 1.5",
            "rate + 1",
            "double(cost) / 3.0",
            "cost",
            "1e300 * 1e300",
        ],
        &expect![[""]],
    );
    check(
        &Type::Text,
        &[
            "'Account for ' + summary",
            "string(cost) + ' EUR'",
            "service.id",
            "impact",
            "string(now)",
        ],
        &expect![[""]],
    );
    check(
        &Type::options(["p1", "p2"]),
        &[
            "major ? 'p1' : 'p2'",
            "major ? 'p1' : 'p9'",
            "priority",
            "summary",
        ],
        &expect![[""]],
    );
    check(
        &Type::Instant,
        &["record.created_at + duration('90m')", "now", "'2026-03-01'"],
        &expect![[""]],
    );
    check(
        &Type::Text.list(),
        &[
            "tasks.map(t, t.id)",
            "labels + ['x']",
            "tasks.map(t, t.category == 'open', t.id)",
            "[]",
            "[1]",
        ],
        &expect![[""]],
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
        &expect![[r#"
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
                fails: `[ ]` cannot be applied to question and a list
            open('freeze', now)
                fails: the calendar `freeze` gives no answer
            record.assignee in ['kim']
                Boolean(false)
        "#]],
    );
}

#[test]
fn slips_are_found_when_the_expression_is_compiled() {
    check(
        &Type::Boolean,
        &[
            "impact == 'hgih'",
            "'hihg' != impact",
            "priority in ['p1', 'p4']",
            "record.category in ['resolved', 'closd']",
            "major ? impact == 'x' : true",
            "imapct == 'high'",
            "record.assigne != null",
            "service.onwer == 'kim'",
            "tasks.all(t, t.categry == 'closed')",
            "tasks.category == 'closed'",
            "cost.amount > 3",
            "cost > '2000'",
            "summary > 3",
            "summary + 1 == 'a'",
            "impact == priority",
            "service == 'mail'",
            "service > null",
            "record.created_at > '2026-03-01'",
            "now - record.created_at > '8h'",
            "now - record.created_at > duration('PT36H')",
            "duration('soon') > duration('1h')",
            "timestamp('tomorrow') > now",
            "cost",
            "summary",
            "cost && major",
            "!cost",
            "-summary == 'a'",
            "cost ? true : false",
            "(major ? 1 : 'one') == 1",
            "opn('office', now)",
            "open('ofice', now)",
            "open('office')",
            "open('office', '2026-03-01')",
            "business('office', now) > duration('1h')",
            "size(cost) > 1",
            "contains(summary, 'x')",
            "summary.open()",
            "summary.contain('x')",
            "summary.contains(3)",
            "labels.contains('vip')",
            "tasks.all(t)",
            "summary.matches('(')",
            "summary.matches(summary)",
            "now.getHours('Mars/Olympus') == 1",
            "cost.exists(x, x > 1)",
            "record.exists(x, x == 'id')",
            "tasks.map(t, [t.id]).size() > 0",
            "labels[true] == 'vip'",
            "record['nope'] == 1",
            "1u == 1",
            "b'x' == b'x'",
            "Name{a: 1}.a == 1",
            ".cost > 1",
            "has(cost)",
            "size == 1",
            "while > 1",
            "impact = 'high'",
            "impact == 'high' and major",
            "not major",
            "impact == 'high' &&",
            "impact == \n 'high' &&\n ö",
            "impact == 'high",
            "(major",
            "major)",
            "99999999999999999999 > 1",
            "labels.all(1, true)",
            "",
            "  ",
        ],
        &expect![[r#"
            impact == 'hgih'
                refused at 10 `'hgih'`: `hgih` is not an option of impact; did you mean `high`?
            'hihg' != impact
                refused at 0 `'hihg'`: `hihg` is not an option of impact; did you mean `high`?
            priority in ['p1', 'p4']
                refused at 19 `'p4'`: `p4` is not an option of priority; did you mean `p1`?
            record.category in ['resolved', 'closd']
                refused at 32 `'closd'`: `closd` is not an option of record.category; did you mean `closed`?
            major ? impact == 'x' : true
                refused at 18 `'x'`: `x` is not an option of impact
            imapct == 'high'
                refused at 0 `imapct`: `imapct` is not known here; did you mean `impact`?
            record.assigne != null
                refused at 7 `assigne`: `record` has no member `assigne`; did you mean `assignee`?
            service.onwer == 'kim'
                refused at 8 `onwer`: `service` has no member `onwer`; did you mean `owner`?
            tasks.all(t, t.categry == 'closed')
                refused at 15 `categry`: `tasks` has no member `categry`; did you mean `category`?
            tasks.category == 'closed'
                refused at 6 `category`: `tasks` is a list; ask its items, as in tasks.exists(x, x.category == …)
            cost.amount > 3
                refused at 5 `amount`: `cost` is an integer, which has no members
            cost > '2000'
                refused at 0 `cost > '2000'`: `>` cannot compare an integer with `2000`; numbers are written without quotes
            summary > 3
                refused at 0 `summary > 3`: `>` cannot compare text with an integer; numbers are written without quotes
            summary + 1 == 'a'
                refused at 0 `summary + 1`: `+` does not work on text and an integer; write string(1)
            impact == priority
                refused at 0 `impact == priority`: `==` cannot compare one of low, high with one of p1, p2, p3
            service == 'mail'
                refused at 0 `service == 'mail'`: `==` cannot compare an object (service) with `mail`; write service.id
            service > null
                refused at 0 `service > null`: `service` has no order: it is an object (service)
            record.created_at > '2026-03-01'
                refused at 0 `record.created_at > '2026-03-01'`: `>` cannot compare an instant with `2026-03-01`; write timestamp('2026-03-01')
            now - record.created_at > '8h'
                refused at 0 `now - record.created_at > '8h'`: `>` cannot compare a duration with `8h`; write duration('8h')
            now - record.created_at > duration('PT36H')
                refused at 35 `'PT36H'`: `PT36H` is not a duration; write duration('36h')
            duration('soon') > duration('1h')
                refused at 9 `'soon'`: `soon` is not a duration; write duration('8h'), duration('1h30m')
            timestamp('tomorrow') > now
                refused at 10 `'tomorrow'`: `tomorrow` is not an instant such as 2026-03-01T09:30:00Z
            cost
                refused at 0 `cost`: this gives an integer, but a boolean is wanted
            summary
                refused at 0 `summary`: this gives text, but a boolean is wanted
            cost && major
                refused at 0 `cost`: `&&` takes booleans; `cost` is an integer
            !cost
                refused at 1 `cost`: `!` takes booleans; `cost` is an integer
            -summary == 'a'
                refused at 0 `-summary`: `-` cannot be put before text
            cost ? true : false
                refused at 0 `cost`: `? :` takes booleans; `cost` is an integer
            (major ? 1 : 'one') == 1
                refused at 1 `major ? 1 : 'one'`: `? :` gives either an integer or `one`; both must be of one type
            opn('office', now)
                refused at 0 `opn('office', now)`: there is no function `opn`; did you mean `open`?
            open('ofice', now)
                refused at 5 `'ofice'`: there is no calendar `ofice`; did you mean `office`?
            open('office')
                refused at 0 `open('office')`: `open` takes 2 arguments: write open('office', now)
            open('office', '2026-03-01')
                refused at 15 `'2026-03-01'`: `'2026-03-01'` is `2026-03-01`, but an instant is wanted; write timestamp('2026-03-01T09:30:00Z')
            business('office', now) > duration('1h')
                refused at 0 `business('office', now)`: `business` takes 3 arguments: write business('office', record.created_at, now)
            size(cost) > 1
                refused at 0 `size(cost)`: `size` does not take an integer: write size(tasks)
            contains(summary, 'x')
                refused at 0 `contains(summary, 'x')`: `contains` is a method: write summary.contains('printer')
            summary.open()
                refused at 0 `summary.open()`: `open` is a function: write open('office', now)
            summary.contain('x')
                refused at 0 `summary.contain('x')`: there is no method `contain`; did you mean `contains`?
            summary.contains(3)
                refused at 0 `summary.contains(3)`: `contains` does not work on text with an integer
            labels.contains('vip')
                refused at 0 `labels.contains('vip')`: `contains` does not work on a list, each text with `vip`; write x in labels
            tasks.all(t)
                refused at 0 `tasks.all(t)`: `all` takes 2 arguments: write tasks.all(t, t.category == 'closed')
            summary.matches('(')
                refused at 16 `'('`: the pattern is wrong: unclosed group
            summary.matches(summary)
                refused at 16 `summary`: the pattern of `matches` must be written out
            now.getHours('Mars/Olympus') == 1
                refused at 13 `'Mars/Olympus'`: `Mars/Olympus` is not a time zone such as Europe/Brussels
            cost.exists(x, x > 1)
                refused at 0 `cost`: only lists can be gone through; `cost` is an integer
            record.exists(x, x == 'id')
                refused at 0 `record`: only lists can be gone through; `record` is an object (record)
            tasks.map(t, [t.id]).size() > 0
                refused at 13 `[t.id]`: `map` makes a list of plain values, not of lists
            labels[true] == 'vip'
                refused at 7 `true`: an item's place is an integer, not a boolean
            record['nope'] == 1
                refused at 7 `'nope'`: record has no member `nope`
            1u == 1
                refused at 0 `1u`: unsigned numbers do not exist here; leave out the `u`
            b'x' == b'x'
                refused at 0 `b'x'`: bytes do not exist here; leave out the `b`
            Name{a: 1}.a == 1
                refused at 4 `{`: messages such as Name{} do not exist here
            .cost > 1
                refused at 1 `cost`: a name begins without a dot
            has(cost)
                refused at 4 `cost`: invalid argument to has() macro
            size == 1
                refused at 0 `size`: `size` is a function: write size(tasks)
            while > 1
                refused at 0 `while`: `while` is a word of CEL's own, which cannot be a name
            impact = 'high'
                refused at 7 `=`: `=` does not compare; write `==`
            impact == 'high' and major
                refused at 17 `and`: write `&&` for and
            not major
                refused at 4 `major`: write `!` for not
            impact == 'high' &&
                refused at 19 ``: the expression ends where more should follow
            impact == 
             'high' &&
             ö
                refused at 23 `ö`: `ö` has no place here
            impact == 'high
                refused at 10 `'high`: the text is never closed
            (major
                refused at 0 `(`: `(` is never closed
            major)
                refused at 5 `)`: `)` closes nothing
            99999999999999999999 > 1
                refused at 0 `99999999999999999999`: invalid int literal
            labels.all(1, true)
                refused at 11 `1`: argument must be a simple name

                refused at 0 ``: the expression is empty
  
                refused at 0 `  `: the expression is empty
        "#]],
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
        vec!["[summary]"; 1].join("") + &".map(x, x + x)".repeat(13) + "[0]"
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
