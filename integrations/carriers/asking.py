"""One way to ask a carrier, and to read what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from config.kernel.money import to_minor
from fulfillment.carriers import LabelStatus
from integrations.http import Answer, Busy, OutcomeUnknown, RemoteClient, Unreached

_LATER: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
"""Nothing was tried: our credential is wrong, or they are busy. No refusal of the parcel."""

_NO_ANSWER: Final = Answer(0, {})


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one call: the answer where one came, else why none did."""

    status: LabelStatus
    answer: Answer = _NO_ANSWER
    code: str = ""
    message: str = ""
    after_seconds: float = 0.0


def ask(
    client: RemoteClient,
    method: str,
    path: str,
    *,
    json: Mapping[str, Any] | Sequence[Any] | None = None,
    key: str = "",
) -> Reply:
    """Send one request. Never raises for what became of it."""
    try:
        answer = client.send(method, path, json=json, key=key)
    except Busy as busy:
        return Reply(
            LabelStatus.RETRY, code="busy", message=str(busy), after_seconds=busy.after_seconds
        )
    except Unreached as lost:
        return Reply(LabelStatus.RETRY, code="unreached", message=str(lost))
    except OutcomeUnknown as lost:
        return Reply(LabelStatus.UNKNOWN, code="no-answer", message=str(lost))
    if answer.ok:
        return Reply(LabelStatus.DONE, answer)
    if answer.status in _LATER or answer.status < HTTPStatus.BAD_REQUEST:
        return Reply(LabelStatus.RETRY, answer, code=f"http-{answer.status}")
    return Reply(LabelStatus.REFUSED, answer, code=f"http-{answer.status}")


def document(client: RemoteClient, base_url: str, url: str, hosts: Sequence[str]) -> bytes | None:
    """The bytes behind an address that the carrier named; None when they cannot be had now.

    Our credentials go to the carrier's own host alone, and no request to a host that the connection
    does not name.
    """
    wanted, own = urlsplit(url), urlsplit(base_url)
    path = wanted.path + (f"?{wanted.query}" if wanted.query else "")
    if not wanted.netloc or (wanted.scheme, wanted.netloc) == (own.scheme, own.netloc):
        reply = ask(client, "GET", path)
        return reply.answer.content if reply.status is LabelStatus.DONE else None
    if wanted.scheme != "https" or wanted.hostname not in hosts:
        return None
    other = RemoteClient(client.party, f"https://{wanted.netloc}")
    try:
        reply = ask(other, "GET", path)
    finally:
        other.close()
    return reply.answer.content if reply.status is LabelStatus.DONE else None


def minor_units(amount: Any, currency: str) -> int | None:
    """An amount as carriers write it ("7.58") in minor units; None when it is none."""
    try:
        return to_minor(Decimal(str(amount)), currency)
    except InvalidOperation:
        return None


def portions(numbers: Sequence[str], size: int) -> list[Sequence[str]]:
    """The numbers in portions that one request may name."""
    return [numbers[first : first + size] for first in range(0, len(numbers), size)]
