import unittest

from servicewright_sdk import Unavailable, commands, http
from servicewright_sdk.testing import Desk, call

from __SNAKE__ import run

CALL = call({"url": "https://shop.example"})


def refuse(request: http.Request) -> http.Response:
    raise Unavailable("the connection was refused")


class Runs(unittest.TestCase):
    def test_a_page_that_answers_needs_nothing(self) -> None:
        with Desk(respond=lambda request: http.Response(200)):
            self.assertEqual(run(CALL), [])

    def test_one_that_does_not_is_reported_once_a_day(self) -> None:
        with Desk(respond=refuse):
            [create] = run(CALL)
        assert isinstance(create, commands.Create)
        self.assertEqual(create.reference, "https://shop.example 2026-01-05")
        self.assertIn("the connection was refused", create.fields["summary"])

    def test_an_error_page_is_reported_too(self) -> None:
        with Desk(respond=lambda request: http.Response(500)):
            [create] = run(CALL)
        assert isinstance(create, commands.Create)
        self.assertIn("its status is 500", create.fields["summary"])
