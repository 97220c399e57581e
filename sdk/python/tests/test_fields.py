"""Values are read as the type that is wanted, or an error names the field."""

import doctest
import unittest
from datetime import date, datetime, timedelta, timezone

import servicewright_sdk._fields
from servicewright_sdk import Fields, InvalidInput
from servicewright_sdk._fields import check

AT = datetime(2026, 11, 20, 8, 30, tzinfo=timezone.utc)


class Reading(unittest.TestCase):
    def test_a_value_is_read_as_what_is_wanted(self):
        fields = Fields(
            impact="high", cost=1200, hours=1.5, vip=True, at=AT, labels=["a"], more={"b": [1]}
        )
        self.assertEqual(fields.read("impact", str), "high")
        self.assertEqual(fields.read("cost", int), 1200)
        self.assertEqual(fields.read("cost", float), 1200.0)
        self.assertEqual(fields.read("hours", float), 1.5)
        self.assertIs(fields.read("vip", bool), True)
        self.assertEqual(fields.read("at", datetime), AT)
        self.assertEqual(fields.read("labels", list[str]), ["a"])
        self.assertEqual(fields.read("more", dict), {"b": [1]})

    def test_instants_dates_and_spans_are_read_from_text_too(self):
        fields = Fields(at="2026-11-20T09:30:00+01:00", on="2026-11-20", within="PT1H30M")
        self.assertEqual(fields.read("at", datetime), AT)
        self.assertEqual(fields.read("on", date), date(2026, 11, 20))
        self.assertEqual(fields.read("within", timedelta), timedelta(minutes=90))

    def test_an_error_names_the_field(self):
        fields = Fields(cost=1200, vip=True, at="noon", labels=["a", 1])
        for id, wanted, said in (
            ("cost", str, "field `cost` must be a text, and is an integer"),
            ("vip", int, "field `vip` must be an integer, and is a boolean"),
            ("vip", float, "field `vip` must be a number, and is a boolean"),
            ("at", datetime, "field `at` must be an instant, and is a text"),
            ("labels", list[str], "field `labels` must be a list of texts, and is a list"),
            ("impact", str, "field `impact` must be a text, and is empty"),
        ):
            with self.assertRaises(InvalidInput) as raised:
                fields.read(id, wanted)
            self.assertEqual(raised.exception.message, said)

    def test_an_empty_field_is_the_default_and_another_type_is_not(self):
        fields = Fields(impact=None, cost=1)
        self.assertIsNone(fields.read("impact", str, default=None))
        self.assertEqual(fields.read("urgency", str, default="low"), "low")
        with self.assertRaises(InvalidInput):
            fields.read("cost", str, default="none")

    def test_what_no_field_can_be_read_as_is_the_authors_mistake(self):
        with self.assertRaisesRegex(TypeError, "field `a` cannot be read as <class 'bytes'>"):
            Fields(a="b").read("a", bytes)


class Writing(unittest.TestCase):
    def test_whatever_json_has_can_be_written(self):
        check({"a": None, "b": True, "c": 2**63 - 1, "d": 0.5, "e": "x", "f": AT, "g": ["y"]})
        check({"a": {"b": [1, None]}, "c": []})

    def test_what_no_record_can_hold_is_named(self):
        for value, said in (
            (2**63, "field `a` is 9223372036854775808, which takes more than 64 bits"),
            (float("nan"), "field `a` is nan, which no record can hold"),
            (datetime(2026, 1, 1), "`a` must say its timezone"),
            (b"x", "field `a` is bytes, which no record can hold"),
            ({"b": AT}, "field `a` cannot be written as JSON"),
        ):
            with self.assertRaisesRegex((TypeError, ValueError), said):
                check({"a": value})
        with self.assertRaisesRegex(
            TypeError, "the names in `fields` must be str, and 1 is an int"
        ):
            check({1: "a"})
        with self.assertRaisesRegex(TypeError, "`fields` must be a dict, and is None"):
            check(None)


def load_tests(loader, tests, pattern):
    tests.addTests(doctest.DocTestSuite(servicewright_sdk._fields))
    return tests
