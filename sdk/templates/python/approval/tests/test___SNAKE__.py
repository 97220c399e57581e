import unittest

from servicewright_sdk import InvalidInput, approval
from servicewright_sdk.testing import call, record

from __SNAKE__ import decide

REQUEST = approval.Request(transition="submit")


class Decides(unittest.TestCase):
    def test_a_harmless_change_passes(self) -> None:
        verdict = decide(call({"team": "cab"}), record("change", {"impact": "low"}), REQUEST)
        self.assertEqual(verdict, approval.Approve("A change of low impact is harmless."))

    def test_the_team_is_asked_about_others(self) -> None:
        verdict = decide(call({"team": "cab"}), record("change", {"impact": "high"}), REQUEST)
        assert isinstance(verdict, approval.Ask)
        self.assertEqual(verdict.stages[0].approvers, [approval.Team("cab")])

    def test_without_an_impact_it_cannot_tell(self) -> None:
        with self.assertRaisesRegex(InvalidInput, "field `impact` must be a text, and is empty"):
            decide(call({"team": "cab"}), record("change"), REQUEST)
