"""The desk stands in for the server, with the same answers and the same errors."""

import doctest
import unittest
from datetime import datetime, timedelta, timezone

import servicewright_sdk.testing
from servicewright_sdk import InvalidInput, Misconfigured, Unavailable
from servicewright_sdk import business_time, directory, http, key_value, log, signing
from servicewright_sdk.testing import NOW, Desk, record


class LookUps(unittest.TestCase):
    def test_without_a_desk_nothing_is_known(self):
        self.assertIsNone(directory.user("ann"))
        self.assertEqual(directory.members("desk"), [])
        log.info("nobody reads this")

    def test_the_directory_answers(self):
        desk = Desk(
            people=[directory.Person("ann", manager="bea")],
            teams={"desk": [directory.Member("ann", open_records=2)], "empty": []},
            things={("service", "mail"): {"team": "desk"}},
        )
        with desk:
            self.assertEqual(directory.user("ann").manager, "bea")
            self.assertEqual(directory.teams(), ["desk", "empty"])
            self.assertEqual(directory.members("desk")[0].open_records, 2)
            self.assertEqual(directory.find("service", "mail").read("team", str), "desk")
            self.assertIsNone(directory.find("service", "phone"))
        self.assertEqual(directory.teams(), [])

    def test_records_are_found_by_link_and_by_what_they_hold(self):
        old = record(
            "incident", {"service": "mail"}, id="INC-1", updated_at=NOW - timedelta(days=9)
        )
        new = record("incident", {"service": "mail"}, id="INC-2")
        with Desk(records=[old, new], links={("PRB-1", "caused"): ["INC-1"]}):
            self.assertEqual(directory.linked("PRB-1", "caused"), [old])
            since = NOW - timedelta(days=10)
            self.assertEqual(directory.alike("incident", {"service": "mail"}, since), [new, old])
            self.assertEqual(directory.alike("incident", {"service": "mail"}, NOW), [new])
            self.assertEqual(directory.alike("incident", {"service": "phone"}, since), [])
            with self.assertRaisesRegex(ValueError, "`since` must say its timezone"):
                directory.alike("incident", {}, datetime(2026, 1, 1))

    def test_business_time_is_added_and_measured(self):
        spans = [("2026-01-05T08:00:00Z", "2026-01-05T10:00:00Z")]
        spans.append(("2026-01-06T08:00:00Z", "2026-01-06T10:00:00Z"))
        with Desk(calendars={"office": spans}):
            two = timedelta(hours=2)
            end = business_time.add("office", NOW, two)
            self.assertEqual(end, datetime(2026, 1, 6, 9, tzinfo=timezone.utc))
            self.assertEqual(business_time.between("office", NOW, end), two)
            self.assertEqual(business_time.between("office", end, NOW), timedelta(0))
            with self.assertRaisesRegex(InvalidInput, "has no business time left"):
                business_time.add("office", NOW, timedelta(hours=9))
            with self.assertRaisesRegex(Misconfigured, "there is no calendar `other`"):
                business_time.add("other", NOW, two)


class KeyValues(unittest.TestCase):
    def test_a_value_is_only_replaced_where_it_is_the_expected_one(self):
        with Desk() as desk:
            self.assertTrue(key_value.compare_and_set("a", None, b"1"))
            self.assertFalse(key_value.compare_and_set("a", None, b"2"))
            key_value.update("a", lambda value: value + b"1")
            self.assertEqual(desk.key_values, {"a": b"11"})
            key_value.update("a", lambda value: None)
            self.assertIsNone(key_value.get("a"))
            with self.assertRaisesRegex(TypeError, "`value` must be bytes, and is a str"):
                key_value.compare_and_set("a", None, "1")

    def test_who_always_comes_second_gives_up(self):
        def interfere(value):
            key_value.compare_and_set("a", value, (value or b"") + b"x")
            return b"mine"

        with Desk(), self.assertRaisesRegex(Unavailable, "others kept changing the key `a`"):
            key_value.update("a", interfere)

    def test_keys_are_listed_by_prefix_from_a_place(self):
        with Desk():
            for key in ("b/2", "a", "b/1", "c"):
                key_value.compare_and_set(key, None, b"x")
            self.assertEqual(key_value.keys("b/"), ["b/1", "b/2"])
            self.assertEqual(key_value.keys("b/", after="b/1"), ["b/2"])


class Signatures(unittest.TestCase):
    def test_a_message_is_signed_as_rfc_4231_has_it(self):
        message = b"what do ya want for nothing?"
        with Desk(secrets={"key": b"Jefe"}):
            signature = signing.hmac_sha256("key", message)
            self.assertEqual(
                signature.hex(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            )
            self.assertTrue(signing.verify_hmac_sha256("key", message, signature))
            self.assertFalse(signing.verify_hmac_sha256("key", b"for nothing", signature))
            self.assertFalse(signing.verify_hmac_sha256("key", b"", b""))
            with self.assertRaisesRegex(Misconfigured, "the secret `other` was not granted"):
                signing.hmac_sha256("other", message)


class Requests(unittest.TestCase):
    def test_requests_are_answered_and_kept(self):
        answer = http.Response(429, b"[1]", [("Retry-After", "7")])
        with Desk(respond=lambda request: answer) as desk:
            got = http.post("https://a.example/b", json={"c": 1}, headers={"x": "{{secret:key}}"})
        self.assertEqual(got.retry_after, timedelta(seconds=7))
        self.assertFalse(got.is_success)
        self.assertEqual(got.json(), [1])
        sent = desk.sent[0]
        self.assertEqual((sent.method, sent.json()), ("POST", {"c": 1}))
        self.assertEqual(sent.header("Content-Type"), "application/json")
        self.assertEqual(sent.header("x"), "{{secret:key}}")

    def test_without_an_answer_no_host_is_granted(self):
        with Desk(), self.assertRaisesRegex(Misconfigured, "no host was granted"):
            http.get("https://a.example")

    def test_an_address_is_taken_apart(self):
        def target(url):
            return http.Request(method="GET", url=url).target()

        self.assertEqual(target("https://a.example"), (True, "a.example", ""))
        self.assertEqual(target("http://a.example:80/b?c=d#e"), (False, "a.example:80", "/b?c=d"))
        self.assertEqual(target("https://a.example?c"), (True, "a.example", "?c"))
        for wrong in ("ftp://a.example", "https://", "a.example", "https://ann:x@a.example"):
            with self.assertRaisesRegex(Misconfigured, "is not an HTTP address"):
                http.get(wrong)

    def test_what_is_not_json_is_not_well(self):
        with self.assertRaises(Unavailable):
            http.Response(200, b"<html>").json()
        self.assertIsNone(http.Response(503, b"", [("retry-after", "tomorrow")]).retry_after)


def load_tests(loader, tests, pattern):
    tests.addTests(doctest.DocTestSuite(servicewright_sdk.testing))
    return tests
