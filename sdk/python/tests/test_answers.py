"""What an author hands over is checked where it is made."""

import doctest
import unittest
from datetime import datetime, timedelta, timezone

import servicewright_sdk.commands
from servicewright_sdk import (
    InvalidInput,
    _hooks,
    approval,
    commands,
    routing,
    service_level,
    webhook,
)


class Answers(unittest.TestCase):
    def test_mistakes_name_what_is_wrong(self):
        ticket = commands.Reference("alert-17")
        for make, said in (
            (
                lambda: routing.Assignment(team=None, reason="x"),
                "`team` must be a str, and is None",
            ),
            (lambda: approval.Count(0), "`number` must be 1 to 4294967295, and is 0"),
            (lambda: approval.Percent(101), "`number` must be 1 to 100, and is 101"),
            (lambda: approval.Percent(True), "`number` must be an int, and is a bool"),
            (lambda: approval.Ask(approval.User("ann")), "`stages` must be a list, and is a User"),
            (
                lambda: approval.Stage(id="a", approvers=["ann"], reason="b"),
                r"`approvers\[0\]` must be User or Team or Role, and is a str",
            ),
            (lambda: service_level.DueAt(datetime(2026, 1, 1)), "`at` must say its timezone"),
            (
                lambda: service_level.Target(id="a", goal=timedelta(1), reason="b"),
                "`goal` must be Within or DueAt, and is a timedelta",
            ),
            (
                lambda: commands.Comment("INC-1", "x"),
                "`subject` must be Id or Reference, and is a str",
            ),
            (lambda: commands.Update(ticket, {"a": {1}}), "field `a` is a set, which no record"),
            (lambda: commands.Refer(ticket, "a", on_behalf_of=1), "`on_behalf_of` must be a str"),
            (lambda: webhook.Response(99), "`status` must be 100 to 599"),
            (lambda: webhook.Response(200, "text"), "`body` must be bytes, and is a str"),
            (lambda: webhook.Response(200, b"", [("a",)]), r"`headers\[0\]` must be a name and"),
            (
                lambda: webhook.Reply(webhook.Response(), ["x"]),
                r"`commands\[0\]` must be Create or",
            ),
        ):
            with self.assertRaisesRegex((TypeError, ValueError), said):
                make()

    def test_answers_are_plain_values_that_compare(self):
        stage = approval.Stage(id="cab", approvers=[approval.Team("cab")], reason="It is risky.")
        self.assertEqual(stage.quorum, approval.ALL)
        self.assertNotEqual(approval.ALL, approval.ANY)
        self.assertEqual(approval.Ask([stage]), approval.Ask([stage]))
        self.assertEqual(
            service_level.DueAt(datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))),
            service_level.DueAt(datetime(2026, 1, 1, tzinfo=timezone.utc)),
        )


class Requests(unittest.TestCase):
    def test_a_request_is_read(self):
        request = webhook.Request(headers=[("x-kind", "a"), ("x-kind", "b")], body=b'{"a": 1}')
        self.assertEqual(request.header("X-Kind"), "a")
        self.assertIsNone(request.header("x-other"))
        self.assertEqual(request.json(), {"a": 1})
        self.assertEqual(request.fields().read("a", int), 1)
        with self.assertRaisesRegex(InvalidInput, "the body must be a JSON object, and is a list"):
            webhook.Request(body=b"[]").fields()
        for body in (b"{", b"\xff", b"[" * 100_000):
            with self.assertRaisesRegex(InvalidInput, "the body is not JSON"):
                webhook.Request(body=body).json()

    def test_a_response_is_text_or_json(self):
        self.assertEqual(webhook.Response.text(400, "no").body, b"no")
        response = webhook.Response.json(200, {"a": "é"})
        self.assertEqual(response.body, '{"a": "é"}'.encode())
        self.assertEqual(response.headers, [("content-type", "application/json")])


class Hooks(unittest.TestCase):
    def setUp(self):
        before = dict(_hooks._answering)
        self.addCleanup(_hooks._answering.update, before)
        self.addCleanup(_hooks._answering.clear)
        _hooks._answering.clear()

    def test_one_function_answers_at_a_hook(self):
        @routing.hook
        def route(call, record):
            return routing.Assignment(team="desk", reason="x")

        self.assertIs(_hooks.of("routing"), route)
        self.assertEqual(_hooks.answered(), ["routing"])
        with self.assertRaisesRegex(TypeError, "two functions answer at the hook routing: .*other"):

            @routing.hook
            def other(call, record):
                pass

    def test_only_a_function_answers(self):
        with self.assertRaisesRegex(TypeError, "only a function can answer at the hook approval"):
            approval.hook("decide")


def load_tests(loader, tests, pattern):
    tests.addTests(doctest.DocTestSuite(servicewright_sdk.commands))
    return tests
