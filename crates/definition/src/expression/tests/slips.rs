//! What is refused when it is compiled, where, and in which words.

use expect_test::expect;

use super::super::Type;
use super::check;

#[test]
fn names_and_options_have_to_be_known() {
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
        ],
        &expect![[r"
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
        "]],
    );
}

#[test]
fn operators_take_what_goes_together() {
    check(
        &Type::Boolean,
        &[
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
        ],
        &expect![[r"
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
        "]],
    );
}

#[test]
fn functions_and_methods_take_what_they_are_for() {
    check(
        &Type::Boolean,
        &[
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
        ],
        &expect![[r"
            opn('office', now)
                refused at 0 `opn('office', now)`: there is no function `opn`; did you mean `open`?
            open('ofice', now)
                refused at 5 `'ofice'`: there is no calendar `ofice`; did you mean `office`?
            open('office')
                refused at 0 `open('office')`: `open` takes 2 arguments: write open('office', now)
            open('office', '2026-03-01')
                refused at 15 `'2026-03-01'`: an instant is wanted here, not `2026-03-01`; write timestamp('2026-03-01T09:30:00Z')
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
                refused at 0 `labels.contains('vip')`: `contains` does not work on a list of texts with `vip`; write x in labels
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
        "]],
    );
}

#[test]
fn what_cel_has_and_we_do_not() {
    check(
        &Type::Boolean,
        &[
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
        ],
        &expect![[r"
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
                refused at 4 `cost`: `has` takes a member, as in has(service.owner)
            size == 1
                refused at 0 `size`: `size` is a function: write size(tasks)
        "]],
    );
}

#[test]
fn text_that_is_not_cel_is_explained() {
    check(
        &Type::Boolean,
        &[
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
        ],
        &expect![[r"
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
                refused at 0 `99999999999999999999`: `99999999999999999999` is too large a number
            labels.all(1, true)
                refused at 11 `1`: a loop begins with a name for the item, as in tasks.all(t, t.id != '')

                refused at 0 ``: the expression is empty
        "]],
    );
}
