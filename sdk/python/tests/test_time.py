"""Instants and spans are read as the contract and settings write them."""

import unittest
from datetime import datetime, timedelta, timezone

from servicewright_sdk import TimeLimit, iso_duration, rfc3339
from servicewright_sdk._time import from_millis, span_from_millis, span_to_millis, to_millis


class Times(unittest.TestCase):
    def test_instants_are_read_from_rfc_3339(self):
        self.assertEqual(to_millis(rfc3339("1970-01-01T00:00:00Z")), 0)
        self.assertEqual(to_millis(rfc3339("2000-02-29t12:00:00.25z")), 951_825_600_250)
        self.assertEqual(rfc3339("2026-11-20T00:30:00+01:00"), rfc3339("2026-11-19T23:30:00Z"))
        self.assertEqual(to_millis(rfc3339("1969-12-31T23:59:59Z")), -1000)
        for wrong in (
            "2026-02-30T00:00:00Z",
            "2026-11-20",
            "2026-11-20T25:00:00Z",
            "2026-11-20T00:00:00",
            "2026-11-20T00:00:00.Z",
            "20261120T000000Z",
            "２026-11-20T00:00:00Z",
        ):
            with self.assertRaises(ValueError, msg=wrong):
                rfc3339(wrong)

    def test_milliseconds_come_back_the_same(self):
        for millis in (0, 1, -1, 1_767_603_600_123, -62_135_596_800_000, 253_402_300_799_999):
            self.assertEqual(to_millis(from_millis(millis)), millis)
        fine = datetime(2026, 1, 1, microsecond=1_999, tzinfo=timezone.utc)
        self.assertEqual(from_millis(to_millis(fine)).microsecond, 1_000)

    def test_durations_are_read_from_iso_8601(self):
        for text, millis in (
            ("PT4H", 14_400_000),
            ("P1W", 604_800_000),
            ("P1DT1H1M1.5S", 90_061_500),
            ("PT0S", 0),
        ):
            self.assertEqual(span_to_millis(iso_duration(text)), millis)
        wrong = ("", "P", "PT", "4H", "P1M", "P1Y", "PT1S1H", "PT-1H", "PTH", "PT1.H", "P1DT")
        for text in (*wrong, "P" + "9" * 20 + "W", "P" + "9" * 400 + "W"):
            with self.assertRaises(ValueError, msg=text):
                iso_duration(text)

    def test_a_span_too_long_for_python_is_its_longest(self):
        self.assertEqual(span_from_millis(1_500), timedelta(seconds=1.5))
        self.assertEqual(span_from_millis(2**64 - 1), timedelta.max)

    def test_a_time_limit_does_not_run_backwards(self):
        with self.assertRaisesRegex(ValueError, "`duration` must not be negative"):
            TimeLimit(timedelta(seconds=-1))
        with self.assertRaisesRegex(TypeError, "`duration` must be a timedelta, and is an int"):
            TimeLimit(3600)
