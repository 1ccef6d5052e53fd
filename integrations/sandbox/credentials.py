"""What a simulator may ask of its callers: checks for `Simulator.require`, and signatures for hooks."""

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integrations.sandbox.box import Check, Request


def bearer(token: str) -> "Check":
    """`Authorization: Bearer …`."""
    return header("authorization", f"Bearer {token}")


def basic(user: str, password: str) -> "Check":
    """`Authorization: Basic …`."""
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return header("authorization", f"Basic {encoded}")


def header(name: str, value: str) -> "Check":
    """A header with exactly this value."""

    def check(request: "Request") -> bool:
        return _same(request.headers.get(name.lower(), ""), value)

    return check


def signed(secret: str, name: str, *, encoding: str = "base64") -> "Check":
    """A header with the HMAC-SHA256 of the body."""

    def check(request: "Request") -> bool:
        return _same(request.headers.get(name.lower(), ""), sign(secret, request.raw, encoding))

    return check


def sign(secret: str, body: bytes, encoding: str = "base64") -> str:
    """HMAC-SHA256 of the bytes, in base64 or hex."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256)
    return digest.hexdigest() if encoding == "hex" else base64.b64encode(digest.digest()).decode()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
