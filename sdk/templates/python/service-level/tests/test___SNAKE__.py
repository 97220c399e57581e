import unittest
from datetime import timedelta
from pathlib import Path

from servicewright_sdk.service_level import Agreement, Within
from servicewright_sdk.testing import call, record, schema_defaults

from __SNAKE__ import Settings, targets

AGREEMENT = Agreement(id="standard", targets=["resolution"], calendar="office")


class Targets(unittest.TestCase):
    def test_the_goal_depends_on_the_impact(self) -> None:
        settings = call({"goals": {"high": "PT4H"}})
        for impact, hours in (("high", 4), ("low", 24)):
            [target] = targets(settings, record("incident", {"impact": impact}), AGREEMENT)
            self.assertEqual(target.goal, Within(timedelta(hours=hours), "office"))

    def test_the_schema_has_the_same_defaults_as_the_code(self) -> None:
        schema = Path(__file__).resolve().parent.parent / "settings.schema.json"
        defaults = schema_defaults(schema.read_text(encoding="utf-8"))
        self.assertEqual(call(defaults).settings_as(Settings), Settings())
