"""Money that a shop gave back by itself: credited where the goods are back, kept in any case.

What we credit by its word is not asked of it again (the event names the channel as its actor), and
what it gave back beyond that lowers what we ask of it later (`Wish.known_minor`). Runs in the
transaction that marks the messages, with the orders locked.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import orders.services
from config.kernel import case_reports
from config.kernel.case_reports import Report
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind
from integrations.appliers import Applied, Ignored, NotYet, Received, Verdict
from integrations.channels import keeping, marks
from integrations.channels.cases import REFUNDED_THERE
from integrations.channels.types import Memory, ShopRefund, ShopRefunds
from integrations.models import CopyKind
from orders.selectors import creditable_lines, standing_lines
from orders.types import CreditedUnits, CreditRequest

CAUSE: Final = "channel_refund"


@dataclass(slots=True)
class _Refund:
    """One refund that we hear of for the first time, and what of it was credited."""

    letter: Received
    order_id: UUID
    external_id: str
    refund: ShopRefund
    credited_minor: int = 0
    why: str = ""


def follow(
    told: Sequence[tuple[Received, ShopRefunds, UUID | None]], *, at: datetime, actor: Actor
) -> dict[UUID, Verdict]:
    """News of refunds alone; those whose order has not come wait for it."""
    ours = [(letter, what, order_id) for letter, what, order_id in told if order_id is not None]
    verdicts: dict[UUID, Verdict] = {
        letter.row.id: NotYet("no-order", "Its order has not come yet.")
        for letter, _, order_id in told
        if order_id is None
    }
    if not ours:
        return verdicts
    orders.services.lock_orders({order_id for *_, order_id in ours})
    memories = keeping.memories({(one.connection.id, order_id) for one, _, order_id in ours})
    new = record(
        [(letter, order_id, what.refunds) for letter, what, order_id in ours],
        memories,
        at=at,
        actor=actor,
    )
    for letter, _, order_id in ours:
        verdicts[letter.row.id] = (
            Applied("order", order_id, order_id)
            if letter.row.id in new
            else Ignored("repeated", "It is known already.", "order", order_id, order_id)
        )
    return verdicts


def record(
    told: Sequence[tuple[Received, UUID, Sequence[ShopRefund]]],
    memories: Mapping[keeping.Key, Memory],
    *,
    taken_off: Collection[UUID] = (),
    at: datetime,
    actor: Actor,
) -> set[UUID]:
    """Keep the refunds that are new and not ours; answers the messages that told of any.

    Of orders that the same news has `taken_off` units of, a refund that names no goods is theirs.
    """
    new = _new(told, memories)
    for one in new:
        if one.order_id in taken_off and not one.refund.units:
            one.refund = replace(one.refund, of_cancel=True)
    if not new:
        return set()
    _credit([one for one in new if not one.refund.of_cancel], at=at, actor=actor)
    keeping.keep_refunds(
        [
            (one.letter.connection, one.order_id, one.external_id, one.refund, one.credited_minor)
            for one in new
        ],
        at=at,
    )
    case_reports.report(
        [
            _report(one)
            for one in new
            if not one.refund.of_cancel and one.credited_minor != one.refund.amount_minor
        ],
        at=at,
    )
    return {one.letter.row.id for one in new}


def _new(
    told: Sequence[tuple[Received, UUID, Sequence[ShopRefund]]],
    memories: Mapping[keeping.Key, Memory],
) -> list[_Refund]:
    found: dict[tuple[UUID, str], _Refund] = {}
    for letter, order_id, refunds in told:
        memory = memories[letter.connection.id, order_id]
        for refund in refunds:
            known = refund.id in memory.refunds or refund.id in memory.refunds_ours
            if known or refund.ours is not None or not (refund.amount_minor or refund.units):
                continue
            external_id = str(memory.told.get("order", ""))
            one = _Refund(letter, order_id, external_id, refund)
            found.setdefault((letter.connection.id, refund.id), one)
    return list(found.values())


def _credit(new: Sequence[_Refund], *, at: datetime, actor: Actor) -> None:
    """Write the credit notes of what has come to the end of its way."""
    lines = {
        (line.order_id, line.external_id): line.line_id
        for standing in standing_lines({one.order_id for one in new}).values()
        for line in standing
        if line.external_id
    }
    room = {
        line.line_id: line.creditable
        for line in creditable_lines({one.order_id for one in new}, ALL_ACCOUNTS)
    }
    wanted: list[tuple[_Refund, CreditRequest]] = []
    for one in new:
        units = {lines.get((one.order_id, line)): many for line, many in one.refund.units.items()}
        if not units:
            one.why = "It names no goods that came back."
        elif any(line is None or room.get(line, 0) < many for line, many in units.items()):
            one.why = "The goods have not come to the end of their way, or are credited already."
        else:
            wanted.append((one, _request(one, units)))
            for line, many in units.items():
                if line is not None:
                    room[line] -= many
    # Whoever listens knows by the actor that the shop has given this back already.
    by_channel = replace(actor, kind=ActorKind.CHANNEL)
    answers = orders.services.credit_units(
        [request for _, request in wanted], at=at, actor=by_channel
    )
    for (one, _), answer in zip(wanted, answers, strict=True):
        if answer.value is not None:
            one.credited_minor = answer.value.amount_minor
            one.why = "What the goods are worth here is another amount."
        else:
            one.why = answer.problem.detail if answer.problem else "The credit was refused."


def _request(one: _Refund, units: Mapping[UUID | None, int]) -> CreditRequest:
    return CreditRequest(
        one.order_id,
        CAUSE,
        marks.theirs(one.letter.connection.id, CopyKind.REFUND, one.refund.id),
        tuple(CreditedUnits(line, many) for line, many in units.items() if line is not None),
        shipping_minor=one.refund.shipping_minor,
        reason="given back by the shop",
    )


def _report(one: _Refund) -> Report:
    return Report(
        REFUNDED_THERE,
        "order",
        one.order_id,
        one.letter.row.account_id,
        evidence={
            "source": one.letter.row.source,
            "refund": one.refund.id,
            "amount_minor": one.refund.amount_minor,
            "credited_minor": one.credited_minor,
            "why": one.why,
        },
        cause=one.letter.row.source,
        thread_id=one.order_id,
        dedupe_key=f"{REFUNDED_THERE}:{one.letter.connection.id}:{one.refund.id}",
    )
