"""A fake payment provider over HTTP, for the demo, tests and a developer's machine.

It behaves as real ones do, in the ways that hurt: it declines, it takes the money and drops the
connection, it answers a repeated key with the first answer. Wire format, all JSON:

    POST /v1/authorizations                 {"amount", "currency", "token"}   → 201 authorization
    POST /v1/authorizations/{id}/captures   {"amount", "currency"}            → 201 capture
    POST /v1/authorizations/{id}/void       {}                                → 200 authorization
    POST /v1/authorizations/{id}/refunds    {"amount", "currency"}            → 201 refund
    GET  /v1/operations/{idempotency key}                                     → 200 operation | 404

Every POST takes an `Idempotency-Key`. A decline is 402 {"code", "message"}; what makes no sense is
404 or 409 or 422 in the same shape. Amounts are minor units. A refund goes back to the card behind
an authorization, up to what was captured from it. References say what they stand for
(`auth_<amount>_<behavior>_<random>`), so that a fake that was restarted knows them again, though
not what was captured. Behaviors:

    ok              everything works
    decline         the authorization itself is declined
    nocapture       captures are declined
    norefund        refunds are declined
    drop            an operation takes effect, and the first answer is lost with the connection
    lose            the first request is lost with the connection, without effect
"""

import json
import secrets
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any
from urllib.parse import unquote

BEHAVIORS = ("ok", "decline", "nocapture", "norefund", "drop", "lose")
MAX_BODY = 64 * 1024


def new_reference(amount_minor: int, behavior: str = "ok", *, kind: str = "auth") -> str:
    """A reference that the fake will know, as if it had authorized the amount itself."""
    if behavior not in BEHAVIORS:
        raise ValueError(f"{behavior} is no behavior of the fake provider")
    return f"{kind}_{amount_minor}_{behavior}_{secrets.token_hex(8)}"


@dataclass(slots=True)
class Holding:
    """An authorization: what was captured from it and given back. `adopted`: from before a restart."""

    amount: int
    behavior: str
    captured: int = 0
    refunded: int = 0
    voided: bool = False
    adopted: bool = False

    @property
    def refundable(self) -> int:
        return (self.amount if self.adopted else self.captured) - self.refunded


class Declined(Exception):
    """The provider says no."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(slots=True)
class Ledger:
    """What the fake remembers while it runs. One lock: it is a fake."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    holdings: dict[str, Holding] = field(default_factory=dict)
    answers: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    def holding(self, reference: str) -> Holding:
        """The holding of a reference; one from before a restart is known by what it says."""
        found = self.holdings.get(reference)
        if found is None:
            parts = reference.split("_")
            if len(parts) != 4 or parts[0] != "auth" or not parts[1].isdecimal():
                raise Declined(HTTPStatus.NOT_FOUND, "unknown-reference", "There is no such thing.")
            found = self.holdings[reference] = Holding(int(parts[1]), parts[2], adopted=True)
        return found

    def authorize(self, amount: int, token: str) -> dict[str, Any]:
        behavior = token.removeprefix("tok_") if token.startswith("tok_") else "ok"
        if behavior == "decline":
            raise Declined(HTTPStatus.PAYMENT_REQUIRED, "card-declined", "The card was declined.")
        known = behavior if behavior in BEHAVIORS else "ok"
        reference = new_reference(amount, known)
        self.holdings[reference] = Holding(amount, known)
        return {"id": reference, "status": "authorized", "amount": amount}

    def capture(self, reference: str, amount: int) -> dict[str, Any]:
        held = self.holding(reference)
        if held.behavior == "nocapture":
            raise Declined(HTTPStatus.PAYMENT_REQUIRED, "card-declined", "The card was declined.")
        if held.voided:
            raise Declined(HTTPStatus.CONFLICT, "voided", "The authorization was voided.")
        if held.captured + amount > held.amount:
            raise Declined(HTTPStatus.CONFLICT, "too-much", "That is more than was authorized.")
        held.captured += amount
        return {"id": new_reference(amount, kind="cap"), "status": "captured", "amount": amount}

    def void(self, reference: str) -> dict[str, Any]:
        held = self.holding(reference)
        held.voided = True
        return {"id": reference, "status": "voided", "amount": held.amount - held.captured}

    def refund(self, reference: str, amount: int) -> dict[str, Any]:
        held = self.holding(reference)
        if held.behavior == "norefund":
            raise Declined(HTTPStatus.PAYMENT_REQUIRED, "refund-declined", "The bank refuses it.")
        if amount > held.refundable:
            raise Declined(HTTPStatus.CONFLICT, "too-much", "That is more than was captured.")
        held.refunded += amount
        return {"id": new_reference(amount, kind="ref"), "status": "refunded", "amount": amount}

    def behavior_of(self, reference: str) -> str:
        parts = reference.split("_")
        return parts[2] if len(parts) == 4 and parts[2] in BEHAVIORS else "ok"


class Handler(BaseHTTPRequestHandler):
    """The wire. One instance per request."""

    protocol_version = "HTTP/1.1"
    server: "FakePay"

    def do_GET(self) -> None:
        """Tell what became of the request with an idempotency key."""
        parts = [unquote(part) for part in self.path.split("?")[0].strip("/").split("/")]
        ledger = self.server.ledger
        if parts == ["healthz"]:
            self._send(HTTPStatus.OK, {"status": "ok"})
            return
        with ledger.lock:
            known = ledger.answers.get(parts[-1]) if parts[:2] == ["v1", "operations"] else None
        if known is None:
            self._send(HTTPStatus.NOT_FOUND, {"code": "unknown-key", "message": "Never seen."})
        else:
            self._send(HTTPStatus.OK, {"http_status": known[0], **known[1]})

    def do_POST(self) -> None:
        """Do what is asked once per key, and answer; or behave badly, as the reference says."""
        size = int(self.headers.get("Content-Length") or 0)
        if size > MAX_BODY:
            self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"code": "too-large", "message": ""})
            return
        try:
            body = json.loads(self.rfile.read(size) or b"{}")
            amount = int(body.get("amount", 0))
        except (ValueError, AttributeError, TypeError):
            self._send(HTTPStatus.UNPROCESSABLE_ENTITY, {"code": "not-json", "message": ""})
            return
        parts = [unquote(part) for part in self.path.strip("/").split("/")]
        key = self.headers.get("Idempotency-Key", "")
        ledger = self.server.ledger
        with ledger.lock:
            behavior = ledger.behavior_of(parts[2]) if len(parts) > 2 else "ok"
            first = key not in ledger.lost
            if behavior == "lose" and first:
                ledger.lost.add(key)
                self._hang_up()
                return
            status, answer = ledger.answers.get(key) or _perform(ledger, parts, amount, body)
            if key:
                ledger.answers[key] = (status, answer)
            if behavior == "drop" and first:
                ledger.lost.add(key)
                self._hang_up()
                return
        self._send(HTTPStatus(status), answer)

    def _send(self, status: HTTPStatus, body: Mapping[str, Any]) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _hang_up(self) -> None:
        """Close the connection without a word, as a failing network does."""
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it
        """Stay silent: the caller logs its calls."""


def _perform(
    ledger: Ledger, parts: list[str], amount: int, body: Mapping[str, Any]
) -> tuple[int, dict[str, Any]]:
    try:
        match parts:
            case ["v1", "authorizations"]:
                return 201, ledger.authorize(amount, str(body.get("token", "")))
            case ["v1", "authorizations", reference, "captures"]:
                return 201, ledger.capture(reference, amount)
            case ["v1", "authorizations", reference, "void"]:
                return 200, ledger.void(reference)
            case ["v1", "authorizations", reference, "refunds"]:
                return 201, ledger.refund(reference, amount)
            case _:
                return 404, {"code": "unknown-path", "message": "There is no such call."}
    except Declined as declined:
        return declined.status, {"code": declined.code, "message": declined.message}


class FakePay(ThreadingHTTPServer):
    """The fake provider, listening on this machine only. Port 0 takes a free one."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.ledger = Ledger()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


def serve(port: int) -> None:
    """Answer until interrupted; says on standard output where. Call from the main thread."""
    server = FakePay(port)
    signal.signal(signal.SIGTERM, _stop)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
    finally:
        server.server_close()


def _stop(signum: int, frame: FrameType | None) -> None:
    del signum, frame
    raise KeyboardInterrupt
