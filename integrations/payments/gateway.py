"""The gateway's words: how it signs and numbers what it pushes, and what its events say. Pure."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.kernel.errors import DomainError
from integrations.dialects import Dialect, Headers
from orders.payments import (
    DisputeVerdict,
    LapsedAuthorization,
    NewDispute,
    PaymentNews,
    read_key,
)

NAME: Final = "gateway"
CODE: Final = "fakepay"
"""The provider of demo and development, where no connection names it."""
SIGNATURE: Final = "gateway-signature"

News = PaymentNews | LapsedAuthorization | NewDispute | DisputeVerdict


class UnreadableEvent(DomainError):
    """An event that lacks what it should say."""

    code, title, status = "unreadable", "The event cannot be read", 422


class ForeignPayment(DomainError):
    """Something that was done at the gateway and not asked for by us."""

    code, title, status = "not-ours", "The payment was not asked for by us", 422


def signature(secret: str, stamp: str, raw: bytes) -> str:
    """What `Gateway-Signature` must hold for a body that was sent at this time."""
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def _signed(secret: str, headers: Headers, raw: bytes) -> bool:
    said = headers.get(SIGNATURE, "")
    stamp = dict(part.partition("=")[::2] for part in said.split(",")).get("t", "")
    expected = signature(secret, stamp, raw)
    return bool(stamp) and hmac.compare_digest(said.encode(errors="replace"), expected.encode())


def _body(raw: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _message_id(headers: Headers, raw: bytes) -> str:
    del headers
    return str(_body(raw).get("id") or hashlib.sha256(raw).hexdigest())[:64]


def _topic(headers: Headers, raw: bytes) -> str:
    del headers
    return str(_body(raw).get("type", ""))[:48]


DIALECT: Final = Dialect(NAME, _signed, _message_id, _topic)


# --- what is said -----------------------------------------------------------------------------


def read(document: Any, account_id: UUID, provider: str) -> News | None:
    """What an event says; None where nothing follows from it here.

    Raises UnreadableEvent, ForeignPayment for what was done there without us.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("data"), Mapping):
        raise UnreadableEvent("The event has no data.")
    data, topic = document["data"], str(document.get("type", ""))
    try:
        match topic:
            case "capture.succeeded" | "capture.failed" | "refund.failed":
                happened = topic.endswith("succeeded")
                return payment_news(data, account_id, happened=happened)
            case "authorization.expired":
                return LapsedAuthorization(account_id, provider, str(data["id"]))
            case "dispute.opened":
                return _dispute(data, account_id, provider)
            case "dispute.won" | "dispute.lost":
                won = topic == "dispute.won"
                return DisputeVerdict(account_id, provider, str(data["id"]), won)
    except (KeyError, TypeError, ValueError) as wrong:
        raise UnreadableEvent(f"The event lacks what it should say: {wrong}.") from wrong
    return None


def payment_news(operation: Mapping[str, Any], account_id: UUID, *, happened: bool) -> PaymentNews:
    """An operation of the gateway as news of a payment. Raises ForeignPayment."""
    key = str(operation["key"])
    if read_key(key) is None:
        raise ForeignPayment("It was not asked for by us.")
    return PaymentNews(
        account_id,
        key,
        happened,
        int(operation["amount"]),
        reference=str(operation["id"]),
        why=str(operation.get("code", ""))[:200],
    )


def _dispute(data: Mapping[str, Any], account_id: UUID, provider: str) -> NewDispute:
    due = data.get("evidence_due_at")
    return NewDispute(
        account_id,
        provider,
        authorization_reference=str(data["authorization"]),
        reference=str(data["id"]),
        amount_minor=int(data["amount"]),
        opened_at=_moment(data["opened_at"]),
        reason=str(data.get("reason", ""))[:64],
        evidence_due_at=_moment(due) if due else None,
    )


def _moment(said: Any) -> datetime:
    read_as = datetime.fromisoformat(str(said))
    if read_as.tzinfo is None:
        raise ValueError("an instant without its time zone")
    return read_as
