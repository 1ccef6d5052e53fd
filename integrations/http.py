"""One way to call a remote party: bounded in time, tried again only where nothing was sent.

A connection that was never made is retried at once, a few times. Anything after the request may
have left is not: the caller learns that the outcome is unknown and asks before it tries again.
Logs name the party, method, path, status and time; never a header, a body or a query.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

CONNECT_SECONDS = 2.0
TOTAL_SECONDS = 10.0
CONNECT_ATTEMPTS = 3
MAX_WAIT_SECONDS = 1.0
HIDDEN = "…"
SERVER_ERROR = 500

logger = logging.getLogger(__name__)


class Unreached(Exception):
    """No connection was made: nothing happened at the other end."""


class OutcomeUnknown(Exception):
    """The request may have left, and no answer came: its effect may or may not have happened."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other end said. `body` is its JSON object, empty when it sent none."""

    status: int
    body: Mapping[str, Any]


class RemoteClient:
    """JSON over HTTP to one party. Safe to share between threads."""

    def __init__(
        self,
        party: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self.party = party
        self._client = httpx.Client(
            base_url=base_url,
            headers=dict(headers or {}),
            timeout=httpx.Timeout(total_seconds, connect=CONNECT_SECONDS),
            follow_redirects=False,
        )

    def close(self) -> None:
        self._client.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        key: str = "",
    ) -> Answer:
        """Send one request. `key` goes along as the Idempotency-Key.

        Raises Unreached when no connection was made, OutcomeUnknown when no answer can be trusted:
        a lost connection, a time-out, an error of theirs.
        """
        headers = {"Idempotency-Key": key} if key else {}
        request = self._client.build_request(
            method, path, json=json, params=params, headers=headers
        )
        began = time.monotonic()
        try:
            response = self._tried(request)
        except RetryError as lost:
            self._log(method, path, "unreached", began)
            raise Unreached(f"{self.party} cannot be reached") from lost
        except httpx.HTTPError as lost:
            self._log(method, path, type(lost).__name__, began)
            raise OutcomeUnknown(f"{self.party} did not answer") from lost
        self._log(method, path, str(response.status_code), began)
        if (
            response.status_code >= SERVER_ERROR
            and response.status_code != httpx.codes.SERVICE_UNAVAILABLE
        ):
            raise OutcomeUnknown(f"{self.party} answered {response.status_code}")
        return Answer(response.status_code, _object(response))

    def _tried(self, request: httpx.Request) -> httpx.Response:
        retrying = Retrying(
            retry=retry_if_exception_type((httpx.ConnectError, httpx.ConnectTimeout)),
            stop=stop_after_attempt(CONNECT_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.05, max=MAX_WAIT_SECONDS),
        )
        return retrying(self._client.send, request)

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
    return "/".join(part if _is_word(part) else HIDDEN for part in path.split("/"))


def _is_word(part: str) -> bool:
    """Whether a path segment is a word of the API: letters, and versions such as v1."""
    if part.isalpha() or not part:
        return True
    if part[0] == "v" and part[1:].isdecimal():
        return True
    try:
        UUID(part)
    except ValueError:
        return part.replace("-", "").isalpha()
    return False


def _object(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
