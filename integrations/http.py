"""One way to call a remote party: bounded in time, tried again only where nothing was sent.

A connection that was never made is retried at once, a few times, within the request's own time.
Anything after the request may have left is not: the caller learns that the outcome is unknown and
asks before it tries again. With a pace (`integrations.pacing`) a party that keeps failing, or asks
for a pause, is not asked at all: `Busy` says when to come back.
Logs name the party, method, path, status and time; never a header, a body or a query.
"""

import json as json_codec
import logging
import random
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from uuid import UUID

import httpx

from integrations.pacing import Busy, Pace, Unreached

__all__ = [
    "Answer",
    "Busy",
    "OutcomeUnknown",
    "RemoteClient",
    "Unreached",
    "authorities",
    "redacted",
]

CONNECT_SECONDS = 2.0
TOTAL_SECONDS = 10.0
CONNECT_ATTEMPTS = 3
WAIT_SECONDS = 0.2
LONGEST_ANSWER = 16 * 1024 * 1024
BUSY_SECONDS = 30.0
"""The pause after a 429 or 503 that names none."""
HIDDEN = "…"
SERVER_ERROR = 500
_BUSY = frozenset({httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE})
_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

logger = logging.getLogger(__name__)
# The library's own lines hold whole URLs, and with them keys and ids.
logging.getLogger("httpx").setLevel(logging.WARNING)


@cache
def authorities() -> ssl.SSLContext:
    """Whom every client trusts to vouch for the other end. To read them takes longer than a call."""
    return httpx.create_ssl_context()


class OutcomeUnknown(Exception):
    """The request may have left, and no answer came: its effect may or may not have happened."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other end said.

    `body` is its JSON object and `rows` its JSON array, each empty when it sent none; `content` are
    the bytes. Header names are in lower case.
    """

    status: int
    body: Mapping[str, Any]
    rows: Sequence[Any] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""

    @property
    def ok(self) -> bool:
        return httpx.codes.is_success(self.status)


@dataclass(frozen=True, slots=True)
class Listener:
    """Who wants to know how calls end: health of the counterpart, never their content."""

    answered: Callable[[], object]
    failed: Callable[[str], object]


class RemoteClient:
    """JSON over HTTP to one party. Safe to share between threads."""

    def __init__(
        self,
        party: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        total_seconds: float = TOTAL_SECONDS,
        pace: Pace | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.party = party
        self._seconds = total_seconds
        self._pace = pace
        self._listener = listener
        self._client = httpx.Client(
            verify=authorities(),
            base_url=base_url,
            headers=dict(headers or {}),
            timeout=httpx.Timeout(total_seconds, connect=CONNECT_SECONDS),
            follow_redirects=False,
        )

    def close(self) -> None:
        self._client.close()

    def rest(self, seconds: float) -> None:
        """Ask nothing for so long: the other end has said how little of its rate is left."""
        if self._pace is not None:
            self._pace.pause(seconds)

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | Sequence[Any] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        key: str = "",
    ) -> Answer:
        """Send one request. `key` goes along as the Idempotency-Key.

        Raises Unreached when no connection was made (Busy, which is one, when nothing was tried or
        they asked for a pause), OutcomeUnknown when no answer can be trusted: a lost connection, a
        time-out, an error of theirs.
        """
        if self._pace is not None:
            self._pace.enter()
        sent = dict(headers or {}) | ({"Idempotency-Key": key} if key else {})
        request = self._client.build_request(method, path, json=json, params=params, headers=sent)
        began = time.monotonic()
        try:
            answer = self._tried(request, began + self._seconds)
        except _NOT_CONNECTED as lost:
            self._failed(method, path, "unreached", began)
            raise Unreached(f"{self.party} cannot be reached") from lost
        except httpx.HTTPError as lost:
            self._failed(method, path, type(lost).__name__, began)
            raise OutcomeUnknown(f"{self.party} did not answer") from lost
        if answer.status in _BUSY:
            self._busy(answer, method, path, began)
        elif answer.status >= SERVER_ERROR:
            self._failed(method, path, str(answer.status), began)
            raise OutcomeUnknown(f"{self.party} answered {answer.status}")
        else:
            self._answered(method, path, answer, began)
        return answer

    def _tried(self, request: httpx.Request, deadline: float) -> Answer:
        """Connect, a few times when need be, send once and read, all before the deadline."""
        attempt = 1
        while True:
            left = max(deadline - time.monotonic(), 0.05)
            connecting = min(CONNECT_SECONDS, left)
            request.extensions["timeout"] = {
                "connect": connecting,
                "pool": connecting,
                "read": left,
                "write": left,
            }
            try:
                return _read(self._client.send(request, stream=True), deadline)
            except _NOT_CONNECTED:
                wait = WAIT_SECONDS * attempt * (0.5 + random.random())  # noqa: S311  # spreads callers
                if attempt == CONNECT_ATTEMPTS or time.monotonic() + wait >= deadline:
                    raise
                attempt += 1
                time.sleep(wait)

    def _busy(self, answer: Answer, method: str, path: str, began: float) -> None:
        """They want to be left alone: with a pace, for as long as they say."""
        seconds = _retry_after(answer.headers.get("retry-after", ""))
        if answer.status == httpx.codes.SERVICE_UNAVAILABLE:
            self._failed(method, path, str(answer.status), began)
        else:
            self._log(method, path, str(answer.status), began)
        if self._pace is not None:
            self._pace.pause(seconds)
            raise Busy(f"{self.party} answered {answer.status}", after_seconds=seconds)

    def _answered(self, method: str, path: str, answer: Answer, began: float) -> None:
        self._log(method, path, str(answer.status), began)
        if self._pace is not None:
            self._pace.breaker.succeeded()
        if self._listener is not None:
            self._listener.answered()

    def _failed(self, method: str, path: str, outcome: str, began: float) -> None:
        self._log(method, path, outcome, began)
        if self._pace is not None:
            self._pace.breaker.failed()
        if self._listener is not None:
            self._listener.failed(outcome)

    def _log(self, method: str, path: str, outcome: str, began: float) -> None:
        milliseconds = round((time.monotonic() - began) * 1000)
        logger.info(
            "remote call %s %s %s: %s in %d ms",
            self.party,
            method,
            redacted(path),
            outcome,
            milliseconds,
        )


def redacted(path: str) -> str:
    """A path fit for a log: anything that looks like an id or a token is hidden."""
    plain = path.partition("?")[0]
    return "/".join(part if _is_word(part) else HIDDEN for part in plain.split("/"))


def _is_word(part: str) -> bool:
    """Whether a path segment is a word of the API: letters, and versions such as v1."""
    if part.isalpha() or not part:
        return True
    if part[0] == "v" and part[1:].isdecimal():
        return True
    try:
        UUID(part)
    except ValueError:
        return part.replace("-", "").replace("_", "").isalpha()
    return False


def _read(response: httpx.Response, deadline: float) -> Answer:
    """The whole answer, unless it is too long or comes in drips past the deadline."""
    parts: list[bytes] = []
    size = 0
    try:
        for part in response.iter_bytes():
            size += len(part)
            parts.append(part)
            if size > LONGEST_ANSWER:
                raise httpx.ReadError("the answer is too long")
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer came too slowly")
    finally:
        response.close()
    content = b"".join(parts)
    document = _document(content)
    return Answer(
        response.status_code,
        document if isinstance(document, dict) else {},
        document if isinstance(document, list) else [],
        {name.lower(): value for name, value in response.headers.items()},
        content,
    )


def _document(content: bytes) -> Any:
    try:
        return json_codec.loads(content)
    except (ValueError, RecursionError):
        return None


def _retry_after(said: str) -> float:
    """Seconds to wait by a Retry-After header: a number, or a date."""
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return BUSY_SECONDS
