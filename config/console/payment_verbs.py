"""What a person may do about payments that ended badly: judgements and commands for the verbs."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orders.services
from config.console import words
from config.kernel import money
from config.kernel.types import Actor, Outcome
from config.reports.sql import Row
from integrations.buyer import payment_letters
from orders.types import HandSettlement, NewAuthorization

FOR_WANT_OF_MONEY: Final = frozenset({"ask_to_pay", "accept_risk"})
"""Verbs whose form says how much nothing secures."""
_NOTHING: Outcome[Any] = Outcome.refused("conflict", "The order has no such payment.")


def judge_retry_refund(order: Row) -> str:
    failed = any(_is(each, "Refund", "failed") for each in order["payments"])
    return "" if failed else "No refund of the order was refused."


def judge_look_up(order: Row) -> str:
    unknown = any(each["state"] in {"unknown", "sent"} for each in order["payments"])
    return "" if unknown else "Every payment of the order has a known outcome."


def judge_authorize(order: Row) -> str:
    if order["state"] not in {"captured", "accepted"}:
        return f"It is {order['state']}: nothing is taken for it any more."
    if order["payment_state"] in {"pending", "failed"}:
        return ""
    return "Its money is secured, taken, or collected by others."


def judge_unsecured(order: Row) -> str:
    """Of an order that waits for its payment there is something to ask for, or to risk."""
    if order["state"] not in {"captured", "accepted"}:
        return f"It is {order['state']}: nothing is taken for it any more."
    if any(hold["type"] == "payment" for hold in order["holds"]):
        return ""
    return judge_authorize(order)


def judge_settle(order: Row) -> str:
    return "" if order["payments"] else "No payment of the order waits for a person."


def choices(order: Row) -> list[tuple[str, str]]:
    """The payments that a person may settle: (id, words)."""
    said = {"failed": "refused", "sent": "outcome unknown", "unknown": "outcome unknown"}
    return [
        (
            str(each["id"]),
            f"{each['what']} of {words.amount(each['amount'], order['currency'])}, {said[each['state']]}",
        )
        for each in order["payments"]
    ]


def retry_refund(
    rows: Sequence[Row], params: Any, at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    del params
    return list(orders.services.retry_refunds([each["id"] for each in rows], at=at, actor=actor))


def authorize(rows: Sequence[Row], params: Any, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    """Note the new authorisation; what is owed is asked of it at once, and the hold is lifted."""
    until = datetime.fromisoformat(params["until"]) if params.get("until") else None
    given = [
        NewAuthorization(
            each["id"],
            params["reference"],
            money.to_minor(Decimal(params["amount"]), each["currency"]),
            until,
        )
        for each in rows
    ]
    return list(orders.services.record_authorizations(given, at=at, actor=actor))


def ask_to_pay(rows: Sequence[Row], params: Any, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    del params
    return list(payment_letters.ask_to_pay([each["id"] for each in rows], at=at, actor=actor))


def accept_risk(rows: Sequence[Row], params: Any, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    ids = [each["id"] for each in rows]
    return list(orders.services.accept_risks(ids, params["reason"], at=at, actor=actor))


def look_up(rows: Sequence[Row], params: Any, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    del params
    return list(orders.services.look_up_payments([each["id"] for each in rows], at=at, actor=actor))


def settle(rows: Sequence[Row], params: Any, at: datetime, actor: Actor) -> list[Outcome[Any]]:
    """Settle the named payment; orders that do not have it are refused."""
    wanted = UUID(params["payment"])
    said = HandSettlement(wanted, params["happened"] == "yes", params.get("reference", ""))
    owning = [each for each in rows if any(one["id"] == wanted for one in each["payments"])]
    outcomes = orders.services.settle_payments_by_hand([said], at=at, actor=actor) if owning else []
    return [outcomes[0] if each in owning else _NOTHING for each in rows]


def _is(payment: Row, what: str, state: str) -> bool:
    return bool(payment["what"] == what and payment["state"] == state)
