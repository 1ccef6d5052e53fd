"""Money that a shop gave back by itself: credited where the goods are back, kept in any case.

Where the shop does not say what became of the units that a refund names, ours do: those at the end of
their way came back, those that have not left are taken off, others are a case.

What we credit by its word is not asked of it again (the event names the channel as its actor), and
what it gave back beyond that lowers what we ask of it later (`Wish.known_minor`). Runs in the
transaction that marks the messages, with the orders locked.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import orders.services
from config.kernel import case_reports
from config.kernel.case_reports import Report
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind
from integrations.appliers import Applied, Ignored, NotYet, Received, Verdict
from integrations.channels import keeping, marks, refund_reading
from integrations.channels.cases import REFUNDED_THERE
from integrations.channels.types import Memory, ShopRefund, ShopRefunds
from integrations.models import CopyKind
from orders.selectors import LineStanding, creditable_lines, standing_lines
from orders.types import CancelRequest, CreditedUnits, CreditRequest

CAUSE: Final = "channel_refund"
_NOT_BACK: Final = "The goods have not come to the end of their way, or are credited already."


@dataclass(slots=True)
class _Refund:
    """One refund that we hear of for the first time, and what of it was credited."""

    letter: Received
    order_id: UUID
    external_id: str
    refund: ShopRefund
    back: dict[UUID, int] = field(default_factory=dict)
    """Units per line to be credited."""
    off: dict[UUID, int] = field(default_factory=dict)
    """Units per line to be taken off."""
    credited_minor: int = 0
    cancelled_minor: int = 0
    why: str = ""

    @property
    def settled(self) -> bool:
        """Whether all that was given back is accounted for."""
        done = self.credited_minor + self.cancelled_minor
        return self.refund.of_cancel or done == self.refund.amount_minor


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
    Those whose lines are told elsewhere are read first, and come again with them.
    """
    new = _new(told, memories)
    for one in new:
        if one.order_id in taken_off and not one.refund.units and not one.refund.named:
            one.refund = replace(one.refund, of_cancel=True)
    new = _put_off(new, at=at, actor=actor)
    if not new:
        return set()
    open_ = [one for one in new if not one.refund.of_cancel]
    _sort_units(open_)
    _credit([one for one in open_ if one.back], at=at, actor=actor)
    _take_off([one for one in open_ if one.off], at=at, actor=actor)
    keeping.keep_refunds(
        [
            (
                one.letter.connection,
                one.order_id,
                one.external_id,
                one.refund,
                one.credited_minor,
                one.cancelled_minor,
            )
            for one in new
        ],
        at=at,
    )
    case_reports.report([_report(one) for one in new if not one.settled], at=at)
    return {one.letter.row.id for one in new}


def _put_off(new: Sequence[_Refund], *, at: datetime, actor: Actor) -> list[_Refund]:
    """Have the lines of those be read that are told elsewhere; answers the others."""
    later: dict[keeping.Key, list[_Refund]] = {}
    now = []
    for one in new:
        ref = one.letter.connection
        if one.refund.unread and not one.refund.of_cancel and refund_reading.may_be_read(ref):
            later.setdefault((ref.id, one.order_id), []).append(one)
        else:
            now.append(one)
    refund_reading.have_read(
        [
            (
                own[0].letter.connection,
                own[0].order_id,
                own[0].external_id,
                [one.refund for one in own],
            )
            for own in later.values()
        ],
        at=at,
        actor=actor,
    )
    return now


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


def _sort_units(new: Sequence[_Refund]) -> None:
    """Say of each which units are to be credited and which to be taken off, or why neither."""
    if not new:
        return
    orders_ = {one.order_id for one in new}
    lines = {
        (line.order_id, line.external_id): line
        for standing in standing_lines(orders_).values()
        for line in standing
        if line.external_id
    }
    room = {line.line_id: line.creditable for line in creditable_lines(orders_, ALL_ACCOUNTS)}
    unshipped = {line.line_id: line.unshipped for line in lines.values()}
    for one in new:
        wanted = one.refund.named if one.refund.undecided else one.refund.units
        known = {lines.get((one.order_id, line)): many for line, many in wanted.items()}
        if not wanted:
            one.why = "It names no goods that came back."
        elif None in known:
            one.why = "It names goods that are not of the order."
        elif one.refund.undecided:
            _decide(one, known, room, unshipped)
        elif any(line and room.get(line.line_id, 0) < many for line, many in known.items()):
            one.why = _NOT_BACK
        else:
            one.back = {line.line_id: many for line, many in known.items() if line is not None}
        for line_id, many in one.back.items():
            room[line_id] -= many


def _decide(
    one: _Refund,
    named: Mapping[LineStanding | None, int],
    room: Mapping[UUID, int],
    unshipped: dict[UUID, int],
) -> None:
    """Units that came back first, then those that have not left; what is on its way is neither."""
    for line, many in named.items():
        if line is None:
            continue
        back = min(many, room.get(line.line_id, 0))
        off = min(many - back, unshipped[line.line_id])
        unshipped[line.line_id] -= off
        one.back |= {line.line_id: back} if back else {}
        one.off |= {line.line_id: off} if off else {}
        one.cancelled_minor += one.refund.worth.get(line.external_id, 0) * off // many
        if back + off < many:
            one.why = _NOT_BACK
    if not one.back and not one.why:
        # All of it, the shipping too, is for what will not be sent.
        one.cancelled_minor = one.refund.amount_minor


def _credit(new: Sequence[_Refund], *, at: datetime, actor: Actor) -> None:
    """Write the credit notes of what has come to the end of its way."""
    # Whoever listens knows by the actor that the shop has given this back already.
    by_channel = replace(actor, kind=ActorKind.CHANNEL)
    answers = orders.services.credit_units([_request(one) for one in new], at=at, actor=by_channel)
    for one, answer in zip(new, answers, strict=True):
        if answer.value is not None:
            one.credited_minor = answer.value.amount_minor
            one.why = one.why or "What the goods are worth here is another amount."
        else:
            one.why = answer.problem.detail if answer.problem else "The credit was refused."


def _take_off(new: Sequence[_Refund], *, at: datetime, actor: Actor) -> None:
    """Cancel what has not left; a refund that is for nothing else goes with it."""
    wanted = [
        (one, CancelRequest(one.order_id, line_id, many, "taken off by the shop", "channel"))
        for one in new
        for line_id, many in one.off.items()
    ]
    answers = orders.services.cancel_units([ask for _, ask in wanted], at=at, actor=actor)
    for (one, _), answer in zip(wanted, answers, strict=True):
        if not answer.ok:
            one.why = answer.problem.detail if answer.problem else "The cancel was refused."
            one.cancelled_minor = 0
    for one in new:
        if one.cancelled_minor == one.refund.amount_minor:
            one.refund = replace(one.refund, of_cancel=True)


def _request(one: _Refund) -> CreditRequest:
    return CreditRequest(
        one.order_id,
        CAUSE,
        marks.theirs(one.letter.connection.id, CopyKind.REFUND, one.refund.id),
        tuple(CreditedUnits(line, many) for line, many in one.back.items()),
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
            "cancelled_minor": one.cancelled_minor,
            "why": one.why,
        },
        cause=one.letter.row.source,
        thread_id=one.order_id,
        dedupe_key=f"{REFUNDED_THERE}:{one.letter.connection.id}:{one.refund.id}",
    )
