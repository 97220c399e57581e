"""Settings are read as the plugin's own dataclass, and what does not fit is named with its
place."""

import unittest
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, Literal

from servicewright_sdk import Misconfigured
from servicewright_sdk.testing import call, schema_defaults


class Prefer(Enum):
    IDLE = "least-loaded"
    TURN = "round-robin"


@dataclass
class Row:
    team: str
    weight: float = 1.0


@dataclass
class Settings:
    team: str
    rows: list[Row] = field(default_factory=list)
    by_category: dict[str, str] = field(default_factory=dict)
    prefer: Prefer = Prefer.IDLE
    assign: Literal["person", "team"] = "person"
    within: timedelta | None = None
    most: int | str = 3
    more: Any = None


class Reading(unittest.TestCase):
    def test_settings_become_a_dataclass(self):
        settings = call(
            {
                "team": "desk",
                "rows": [{"team": "network", "weight": 2}],
                "by_category": {"lan": "network"},
                "prefer": "round-robin",
                "within": "PT4H",
                "most": "many",
                "more": [1],
                "unknown": True,
            }
        ).settings_as(Settings)
        self.assertEqual(
            settings,
            Settings(
                team="desk",
                rows=[Row("network", 2.0)],
                by_category={"lan": "network"},
                prefer=Prefer.TURN,
                within=timedelta(hours=4),
                most="many",
                more=[1],
            ),
        )
        self.assertEqual(call({"team": "desk", "within": None}).settings_as(Settings).most, 3)

    def test_what_does_not_fit_is_a_matter_of_configuration_and_named(self):
        for settings, said in (
            ({}, "`team` is missing"),
            ({"team": 3}, "`team` must be a text, and is an integer"),
            ({"team": "a", "rows": [{}]}, "`rows[0].team` is missing"),
            ({"team": "a", "rows": {}}, "`rows` must be a list, and is an object"),
            ({"team": "a", "by_category": {"b": 1}}, "`by_category.b` must be a text"),
            ({"team": "a", "prefer": "x"}, "`prefer` must be one of least-loaded, round-robin"),
            ({"team": "a", "assign": "x"}, "`assign` must be one of person, team, and is x"),
            ({"team": "a", "within": "4h"}, "`within`: `4h` is not a duration such as PT4H"),
            ({"team": "a", "most": True}, "`most` must be a text, and is a boolean"),
        ):
            with self.assertRaises(Misconfigured) as raised:
                call(settings).settings_as(Settings)
            self.assertIn(f"the settings do not fit: {said}", raised.exception.message)

    def test_only_a_dataclass_is_read(self):
        with self.assertRaisesRegex(TypeError, "settings are read as a dataclass"):
            call().settings_as(dict)

    def test_the_defaults_of_a_schema_are_what_is_set_where_nothing_is(self):
        schema = {
            "properties": {
                "team": {"default": "desk"},
                "nested": {"properties": {"a": {"default": 1}, "b": {}}},
                "rows": {"required": ["x"], "properties": {"x": {"default": 1}}},
            }
        }
        self.assertEqual(schema_defaults(schema), {"team": "desk", "nested": {"a": 1}})


class Chance(unittest.TestCase):
    def test_the_same_call_draws_the_same(self):
        drawn = [call(seed=seed).random().random() for seed in (1, 1, 2)]
        self.assertEqual(drawn[0], drawn[1])
        self.assertNotEqual(drawn[0], drawn[2])
