import unittest

from servicewright_sdk import InvalidInput, commands, signing
from servicewright_sdk.testing import Desk, call
from servicewright_sdk.webhook import Reply, Request

from __SNAKE__ import receive


def signed(body: bytes) -> Reply:
    with Desk(secrets={"key": b"a key"}):
        signature = signing.hmac_sha256("key", body).hex()
        request = Request(body=body, headers=[("x-signature", signature)])
        return receive(call({"secret": "key"}), request)


class Receives(unittest.TestCase):
    def test_an_alert_becomes_a_record(self) -> None:
        reply = signed(b'{"id": "a-17", "summary": "Disk full"}')
        self.assertEqual(reply.response.status, 204)
        create = commands.Create("incident", {"summary": "Disk full"}, reference="a-17")
        self.assertEqual(reply.commands, [create])

    def test_a_stranger_is_turned_away(self) -> None:
        for headers in ([], [("x-signature", "none")], [("x-signature", "00")]):
            with Desk(secrets={"key": b"a key"}):
                reply = receive(call({"secret": "key"}), Request(body=b"{}", headers=headers))
            self.assertEqual((reply.response.status, list(reply.commands)), (401, []))

    def test_an_alert_without_a_summary_is_refused(self) -> None:
        with self.assertRaisesRegex(InvalidInput, "field `summary` must be a text"):
            signed(b'{"id": "a-17"}')
