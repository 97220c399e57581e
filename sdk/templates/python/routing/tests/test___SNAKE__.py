import unittest

from servicewright_sdk.directory import Member
from servicewright_sdk.testing import Desk, call, record

from __SNAKE__ import route


class Routes(unittest.TestCase):
    def test_work_goes_to_who_has_the_least(self) -> None:
        with Desk(teams={"desk": [Member("ann", open_records=7), Member("bob")]}):
            answer = route(call({"team": "desk"}), record("incident"))
        self.assertEqual(answer.assignee, "bob")

    def test_an_empty_team_has_it_wait(self) -> None:
        with Desk(teams={"desk": []}):
            answer = route(call({"team": "desk"}), record("incident"))
        self.assertEqual((answer.team, answer.assignee), ("desk", None))
