import unittest
from datetime import timedelta

from servicewright_sdk import Unavailable, http
from servicewright_sdk.delivery import Event
from servicewright_sdk.testing import Desk, call, record

from __SNAKE__ import deliver

CALL = call({"url": "https://other.example/events"})
EVENT = Event(id="event-1", kind="created", record=record("incident", id="INC-1"))


class Delivers(unittest.TestCase):
    def test_an_event_is_told(self) -> None:
        with Desk(respond=lambda request: http.Response(204)) as desk:
            self.assertEqual(deliver(CALL, EVENT), [])
        [sent] = desk.sent
        self.assertEqual(sent.json(), {"event": "created", "record": "INC-1", "state": "new"})
        self.assertEqual(sent.header("idempotency-key"), "call-1")

    def test_who_is_busy_is_told_later(self) -> None:
        busy = http.Response(503, headers=[("retry-after", "60")])
        with Desk(respond=lambda request: busy), self.assertRaises(Unavailable) as raised:
            deliver(CALL, EVENT)
        self.assertEqual(raised.exception.after, timedelta(minutes=1))
