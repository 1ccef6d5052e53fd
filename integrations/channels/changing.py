"""What a channel changed in an order that we have: followed where that can be, else a case.

Called inside the transaction that marks the messages. The order is locked first; what we know of the
channel's own state of it (its copy of kind `order`) is read after that, so that two messages of one
order follow one another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orders.services
from config.kernel import case_reports
from config.kernel.case_reports import Report
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from integrations.appliers import Applied, Ignored, Received, Verdict
from integrations.cases import CANCEL_TOO_LATE
from integrations.channels import difference, keeping, refunding
from integrations.channels.cases import FULFILLED_THERE, ORDER_CHANGED
from integrations.channels.difference import Difference
from integrations.channels.types import Memory, ShopOrder
from orders.selectors import order_heads, standing_lines
from orders.selectors.buyers import bought_orders
from orders.states import FulfilledBy, Method, OrderState
from orders.types import AddressCorrection, Cancelled, CancelRequest


@dataclass(frozen=True, slots=True)
class Followed:
    """News of an order of ours. `new`: it was captured of this very document."""

    letter: Received
    shop: ShopOrder
    order_id: UUID
    new: bool = False


@dataclass(slots=True)
class _Change:
    """One order's newest news, what differs by it, and what came of that."""

    told: Followed
    difference: Difference
    done: bool = False
    refusals: list[tuple[str, str]] = field(default_factory=list)
    late: list[str] = field(default_factory=list)


def follow(told: Sequence[Followed], *, at: datetime, actor: Actor) -> dict[UUID, Verdict]:
    """Have the newest news of each order take effect; a verdict for every message."""
    if not told:
        return {}
    orders.services.lock_orders({one.order_id for one in told})
    memories = keeping.memories({(one.letter.connection.id, one.order_id) for one in told})
    changes = _changes(_newest(told, memories), memories)
    # Where nodes have hard limits, these are locked for new addresses, before any position is.
    _correct(changes, at=at, actor=actor)
    _cancel(changes, at=at, actor=actor)
    refunding.record(
        [(one.told.letter, one.told.order_id, one.told.shop.refunds) for one in changes],
        memories,
        taken_off={
            one.told.order_id
            for one in changes
            if one.difference.cancelled or one.difference.reduced
        },
        at=at,
        actor=actor,
    )
    keeping.remember(
        [
            (one.told.letter.connection, one.told.order_id, one.told.shop, one.difference)
            for one in changes
        ],
        at=at,
    )
    case_reports.report([report for one in changes for report in _reports(one)], at=at)
    followed = {one.told.letter.row.id: _verdict(one) for one in changes}
    return {one.letter.row.id: _older(one) for one in told} | followed


def _changes(
    newest: Sequence[Followed], memories: Mapping[tuple[UUID, UUID], Memory]
) -> list[_Change]:
    """What each order's news changes, as things stand here. Two statements."""
    standing = standing_lines({one.order_id for one in newest})
    heads = order_heads({one.order_id for one in newest}, ALL_ACCOUNTS)
    ended = {
        order_id
        for order_id, head in heads.items()
        if head.state in (OrderState.CANCELLED, OrderState.CLOSED)
    }
    return [
        _Change(
            one,
            difference.of(
                one.shop,
                memories[one.letter.connection.id, one.order_id],
                standing[one.order_id],
                ended=one.order_id in ended,
                new=one.new,
            ),
        )
        for one in newest
    ]


def _newest(
    told: Sequence[Followed], memories: Mapping[tuple[UUID, UUID], Memory]
) -> list[Followed]:
    """Of each order the latest news, unless what we hold is later."""
    latest: dict[tuple[UUID, UUID], Followed] = {}
    for one in told:
        key = (one.letter.connection.id, one.order_id)
        before = latest.get(key)
        if one.shop.version and one.shop.version < memories[key].version:
            continue
        if before is None or one.shop.version >= before.shop.version:
            latest[key] = one
    return sorted(latest.values(), key=lambda one: one.order_id)


def _older(one: Followed) -> Ignored:
    reason = "What is known of the order is as new, or newer."
    return Ignored("older", reason, "order", one.order_id, one.order_id)


def _cancel(changes: Sequence[_Change], *, at: datetime, actor: Actor) -> None:
    """Take off what the channel took off; what has left is a case."""
    wanted: list[tuple[_Change, CancelRequest]] = []
    for change in changes:
        order_id, found = change.told.order_id, change.difference
        if found.cancelled:
            wanted.append(
                (change, CancelRequest(order_id, reason=found.cancelled, initiator="channel"))
            )
            if found.gone:
                change.late.append(f"{found.gone} units have left already.")
            continue
        for part in found.reduced:
            if part.open:
                why = "fulfilled by the shop" if part.elsewhere else "taken off by the shop"
                wanted.append(
                    (change, CancelRequest(order_id, part.line_id, part.open, why, "channel"))
                )
            if part.late:
                change.late.append(f"{part.late} × {part.sku} have left already.")
    if not wanted:
        return
    answers = orders.services.cancel_units([ask for _, ask in wanted], at=at, actor=actor)
    for (change, _), answer in zip(wanted, answers, strict=True):
        _note(change, answer)


def _note(change: _Change, answer: Outcome[Cancelled]) -> None:
    if answer.ok:
        change.done = True
        return
    code = answer.problem.code if answer.problem else "refused"
    why = answer.problem.detail if answer.problem else "The cancel was refused."
    change.refusals.append((code, why))
    change.late.append(why)


def _correct(changes: Sequence[_Change], *, at: datetime, actor: Actor) -> None:
    """Send what has not left to the new address."""
    moved = {change.told.order_id: change for change in changes if change.difference.moved}
    if not moved:
        return
    wanted: list[tuple[_Change, AddressCorrection]] = []
    for order_id, bought in bought_orders(moved).items():
        address = moved[order_id].told.shop.address
        wanted += [
            (moved[order_id], AddressCorrection(group.pk, address))
            for group in bought.groups
            if address is not None
            and group.method == Method.SHIP
            and group.fulfilled_by == FulfilledBy.US
        ]
    corrections = [correction for _, correction in wanted]
    answers = orders.services.correct_addresses(corrections, at=at, actor=actor)
    for (change, _), answer in zip(wanted, answers, strict=True):
        if answer.ok:
            change.done = True
            continue
        why = answer.problem.detail if answer.problem else "The address was refused."
        change.difference.unfollowed.append({"what": "address", "why": why})


def _reports(change: _Change) -> Iterable[Report]:
    """The cases of one order's news."""
    told = change.told

    def case(kind: str, evidence: Mapping[str, Any]) -> Report:
        return Report(
            kind,
            "order",
            told.order_id,
            told.letter.row.account_id,
            evidence={"source": told.letter.row.source, **evidence},
            thread_id=told.order_id,
        )

    if change.late:
        yield case(CANCEL_TOO_LATE, {"why": " ".join(dict.fromkeys(change.late))})
    if change.difference.unfollowed:
        yield case(ORDER_CHANGED, {"changes": change.difference.unfollowed})
    if change.difference.elsewhere:
        yield case(FULFILLED_THERE, {"units": change.difference.elsewhere})


def _verdict(change: _Change) -> Verdict:
    told = change.told
    if change.done or change.difference.elsewhere or change.difference.unfollowed:
        return Applied("order", told.order_id, told.order_id)
    if change.refusals:
        code, why = change.refusals[0]
        return Ignored(code, why, "order", told.order_id, told.order_id)
    if change.late:
        why = change.late[0]
        return Ignored("too-late", why, "order", told.order_id, told.order_id)
    reason = "It says what is known of the order."
    return Ignored("repeated", reason, "order", told.order_id, told.order_id)
