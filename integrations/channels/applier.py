"""Orders as channels send them: captured in one batch and accepted after it, changes followed.

News of one order counts by the channel's own time of it: what is older than what we hold has no
effect, whatever the way it came. Of several in a batch the newest is followed.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orders.services
from config.kernel.types import Actor, Outcome, OutcomeKind
from integrations import selectors
from integrations.appliers import Applied, Ignored, NotYet, Received, Refused, Verdict
from integrations.channels import changing, refunding
from integrations.channels.changing import Followed
from integrations.channels.paid import payment_told
from integrations.channels.types import ShopOrder, ShopRefunds
from integrations.types import ChannelRef, NotSold, Unreadable
from orders.selectors.external import ids_by_external
from orders.types import CapturedOrder, OrderDraft

Understood = OrderDraft | ShopOrder | ShopRefunds | Ignored
Understand = Callable[[str, Mapping[str, Any], ChannelRef, datetime], Understood]
"""(topic, document, channel, received_at) → what it says. Raises Unreadable or NotSold."""

_Letters = Mapping[UUID, Received]


@dataclass(frozen=True, slots=True)
class ChannelApplier:
    """Implements `appliers.Applier` for channels whose messages are whole orders."""

    understand: Understand

    def apply(self, letters: Sequence[Received], *, at: datetime, actor: Actor) -> list[Verdict]:
        channels = selectors.channels_by_id(
            [one.connection.channel_id for one in letters if one.connection.channel_id]
        )
        by_id = {one.row.id: one for one in letters}
        read = {
            key: self._read(one, channels.get(one.connection.channel_id or key))
            for key, one in by_id.items()
        }
        verdicts: dict[UUID, Verdict] = {
            key: what for key, what in read.items() if isinstance(what, Ignored | Refused)
        }
        told = {key: what for key, what in read.items() if isinstance(what, ShopOrder)}
        money = {key: what for key, what in read.items() if isinstance(what, ShopRefunds)}
        known = _known(by_id, {**told, **money})
        verdicts |= _passed_over(by_id, told, known)
        drafts = _drafts(read, {key: one for key, one in told.items() if key not in verdicts})
        answers = orders.services.capture_orders(list(drafts.values()), at=at, actor=actor)
        captured = dict(zip(drafts, answers, strict=True))
        verdicts |= {key: _captured(answer) for key, answer in captured.items()}
        secured = _secured(drafts, captured, at=at, actor=actor)
        followed = changing.follow(
            _to_follow(by_id, told, captured, known), at=at, actor=actor
        ) | refunding.follow(
            [(by_id[key], one, known.get(_natural(by_id[key], one))) for key, one in money.items()],
            at=at,
            actor=actor,
        )
        for key, verdict in (followed | secured).items():
            if not isinstance(verdicts.get(key), Applied):
                verdicts[key] = verdict
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


def _natural(one: Received, what: ShopOrder | ShopRefunds) -> tuple[UUID, str]:
    """The order's key: the channel, and its id there. Without a channel nothing was understood."""
    channel_id = one.connection.channel_id
    if channel_id is None:
        raise ValueError("news of an order came through no channel")
    return channel_id, what.external_id


def _known(
    letters: _Letters, told: Mapping[UUID, ShopOrder | ShopRefunds]
) -> dict[tuple[UUID, str], UUID]:
    """The orders that we have of those that are told of."""
    if not told:
        return {}
    return ids_by_external([_natural(letters[key], what) for key, what in told.items()])


def _passed_over(
    letters: _Letters, told: Mapping[UUID, ShopOrder], known: Mapping[tuple[UUID, str], UUID]
) -> dict[UUID, Verdict]:
    """Orders that we do not have and that are none to take in, and words of a cancel alone."""
    verdicts: dict[UUID, Verdict] = {}
    for key, order in told.items():
        if _natural(letters[key], order) in known:
            continue
        since = str(letters[key].connection.settings.get("orders_since", ""))
        if order.draft is None:
            verdicts[key] = (
                NotYet("no-order", "Its order has not come yet.")
                if not order.lines_told
                else Ignored("not-sold", "It was cancelled before it was sold.")
            )
        elif order.over:
            verdicts[key] = Ignored("over", "It was fulfilled before it was first told of.")
        elif since and order.draft.placed_at < datetime.fromisoformat(since):
            verdicts[key] = Ignored("before-us", f"It was placed before {since}.")
    return verdicts


def _drafts(
    read: Mapping[UUID, Understood | Refused], told: Mapping[UUID, ShopOrder]
) -> dict[UUID, OrderDraft]:
    """What is to be captured; of several documents of one order the newest stands first."""
    drafts = {key: what for key, what in read.items() if isinstance(what, OrderDraft)}
    newest = sorted(told.items(), key=lambda pair: pair[1].version, reverse=True)
    return drafts | {
        key: replace(order.draft, inbox_id=key) for key, order in newest if order.draft is not None
    }


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


def _to_follow(
    letters: _Letters,
    told: Mapping[UUID, ShopOrder],
    captured: Mapping[UUID, Outcome[CapturedOrder]],
    known: Mapping[tuple[UUID, str], UUID],
) -> list[Followed]:
    """News of orders that we have by now."""
    ours = dict(known)
    new = set()
    for key, answer in captured.items():
        if answer.value is not None and key in told:
            ours[_natural(letters[key], told[key])] = answer.value.id
            if not answer.value.repeated:
                new.add(key)
    return [
        Followed(letters[key], order, order_id, new=key in new)
        for key, order in told.items()
        if (order_id := ours.get(_natural(letters[key], order))) is not None
    ]
