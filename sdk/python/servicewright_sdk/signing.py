"""Proving who sent a message, with a secret that the plugin may use but never sees. For
integrations.

A secret that the binding was not granted is `Misconfigured`. Signatures stand in headers mostly as
hexadecimal digits: `signature.hex()` and `bytes.fromhex(text)`, which raises `ValueError` where the
text is anything else.
"""

from . import _check, _host


def hmac_sha256(secret: str, message: bytes) -> bytes:
    """The 32 bytes of HMAC-SHA-256 (RFC 2104) over a message, keyed with the secret of this
    name."""
    _check.data("message", message)
    return _host.present().hmac_sha256(secret, message)


def verify_hmac_sha256(secret: str, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is what `hmac_sha256` makes of the message, compared in constant time."""
    _check.data("message", message)
    _check.data("signature", signature)
    return _host.present().verify_hmac_sha256(secret, message, signature)


def is_secret(secret: str, candidate: bytes) -> bool:
    """Whether `candidate` is the secret itself, compared in constant time: for a sender that shows
    a shared token instead of signing. At most 16 times in a call."""
    _check.data("candidate", candidate)
    return _host.present().is_secret(secret, candidate)
