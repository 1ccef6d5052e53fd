"""Orders and cancels that shops send: captured or cancelled in one batch, accepted after it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orders.services
from config.kernel import case_reports
from config.kernel.case_reports import Report
from config.kernel.types import Actor, Outcome, OutcomeKind
from integrations import selectors
from integrations.appliers import Applied, Ignored, NotYet, Received, Refused, Verdict
from integrations.cases import CANCEL_TOO_LATE
from integrations.channels.paid import payment_told
from integrations.types import ChannelCancel, ChannelRef, NotSold, Unreadable
from orders.selectors.external import ids_by_external
from orders.types import CancelRequest, CapturedOrder, OrderDraft

Understood = OrderDraft | ChannelCancel | Ignored
Understand = Callable[[str, Mapping[str, Any], ChannelRef, datetime], Understood]
"""(topic, document, channel, received_at) → what it asks. Raises Unreadable or NotSold."""


@dataclass(frozen=True, slots=True)
class ChannelApplier:
    """Implements `appliers.Applier` for shops whose messages are whole orders."""

    understand: Understand

    def apply(self, letters: Sequence[Received], *, at: datetime, actor: Actor) -> list[Verdict]:
        channels = selectors.channels_by_id(
            [one.connection.channel_id for one in letters if one.connection.channel_id]
        )
        read = {
            one.row.id: self._read(one, channels.get(one.connection.channel_id or one.row.id))
            for one in letters
        }
        verdicts: dict[UUID, Verdict] = {
            key: what for key, what in read.items() if isinstance(what, Ignored | Refused)
        }
        drafts = {key: what for key, what in read.items() if isinstance(what, OrderDraft)}
        answers = orders.services.capture_orders(list(drafts.values()), at=at, actor=actor)
        captured = dict(zip(drafts, answers, strict=True))
        verdicts |= {key: _captured(answer) for key, answer in captured.items()}
        verdicts |= _secured(drafts, captured, at=at, actor=actor)
        cancels = [
            (one, what) for one in letters if isinstance(what := read[one.row.id], ChannelCancel)
        ]
        verdicts |= _cancelled(cancels, at=at, actor=actor)
        return [verdicts[one.row.id] for one in letters]

    def _read(self, one: Received, channel: ChannelRef | None) -> Understood | Refused:
        if channel is None:
            return Refused("no-channel", "The connection names no channel.")
        try:
            document = json.loads(one.letter.raw)
            understood = self.understand(one.row.kind, document, channel, one.row.received_at)
        except (ValueError, RecursionError):
            return Refused("not-json", "The message is not valid JSON.")
        except NotSold as nothing:
            return Ignored(nothing.code, nothing.detail)
        except Unreadable as unreadable:
            return Refused(unreadable.code, unreadable.detail)
        if isinstance(understood, OrderDraft):
            return replace(understood, inbox_id=one.row.id)
        return understood


def accept_created(applied: Sequence[Applied], *, at: datetime, actor: Actor) -> None:
    """After the commit: accept the orders that were captured. A crash before is the sweep's."""
    orders.services.accept_orders([one.subject_id for one in applied], at=at, actor=actor)


def _captured(answer: Outcome[CapturedOrder]) -> Verdict:
    if answer.value is None:
        problem = answer.problem
        return Refused(
            problem.code if problem else "refused",
            problem.detail if problem else "It was refused.",
        )
    order_id, number = answer.value.id, answer.value.number
    if answer.value.repeated:
        reason = f"The order {number} was captured before."
        return Ignored("repeated", reason, "order", order_id, order_id)
    return Applied("order", order_id, order_id, created=True)


def _secured(
    drafts: Mapping[UUID, OrderDraft],
    captured: Mapping[UUID, Outcome[CapturedOrder]],
    *,
    at: datetime,
    actor: Actor,
) -> dict[UUID, Verdict]:
    """What is news in messages about orders that we have: that their payment is secured by now."""
    told = {
        key: payment
        for key, answer in captured.items()
        if answer.value is not None
        and answer.value.repeated
        and (payment := payment_told(answer.value.id, drafts[key])) is not None
    }
    if not told:
        return {}
    outcomes = orders.services.secure_payments(list(told.values()), at=at, actor=actor)
    return {
        key: Applied("order", payment.order_id, payment.order_id)
        for (key, payment), outcome in zip(told.items(), outcomes, strict=True)
        if outcome.kind is OutcomeKind.DONE
    }


def _cancelled(
    cancels: Sequence[tuple[Received, ChannelCancel]], *, at: datetime, actor: Actor
) -> dict[UUID, Verdict]:
    """Cancel what channels have cancelled. One that we do not have yet waits for its order."""
    if not cancels:
        return {}
    found = ids_by_external([_natural(one, cancel) for one, cancel in cancels])
    verdicts: dict[UUID, Verdict] = {}
    wanted: list[tuple[Received, UUID, CancelRequest]] = []
    for one, cancel in cancels:
        order_id = found.get(_natural(one, cancel))
        if order_id is None:
            verdicts[one.row.id] = NotYet("no-order", "Its order has not come yet.")
        else:
            asked = CancelRequest(order_id, reason=cancel.reason, initiator="channel")
            wanted.append((one, order_id, asked))
    late: list[Report] = []
    answers = orders.services.cancel_units([ask for *_, ask in wanted], at=at, actor=actor)
    for (one, order_id, _), answer in zip(wanted, answers, strict=True):
        if answer.ok:
            verdicts[one.row.id] = Applied("order", order_id, order_id)
            continue
        code = answer.problem.code if answer.problem else "refused"
        reason = answer.problem.detail if answer.problem else "The cancel was refused."
        verdicts[one.row.id] = Ignored(code, reason, "order", order_id, order_id)
        late.append(_too_late(one, order_id, reason))
    case_reports.report(late, at=at)
    return verdicts


def _natural(one: Received, cancel: ChannelCancel) -> tuple[UUID, str]:
    """The order's key: the channel, and its id there. Without a channel nothing was understood."""
    channel_id = one.connection.channel_id
    if channel_id is None:
        raise ValueError("a cancel came through no channel")
    return channel_id, cancel.external_id


def _too_late(one: Received, order_id: UUID, why: str) -> Report:
    """The channel has told its buyer that the order is cancelled, and the goods are on their way."""
    return Report(
        CANCEL_TOO_LATE,
        "order",
        order_id,
        one.row.account_id,
        evidence={"source": one.row.source, "why": why},
        thread_id=order_id,
    )
