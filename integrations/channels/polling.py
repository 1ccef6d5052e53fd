"""Shops are read as well as heard: what pushes lost is found, what they hold is compared with ours.

A turn with one connection reads the orders that have changed since the last, a little further back
than that, and takes them in under the ids that pushes have. What is compared is the same documents:
whoever changes an order there changes its time. What is missing or differs is sent again once; what
differs after that is a case.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports
from config.kernel.types import ALL_ACCOUNTS, Actor
from integrations import connections, services
from integrations.channels import comparing, copies, port
from integrations.channels.cases import COPY_DIFFERS
from integrations.channels.comparing import Seen
from integrations.channels.port import Shop
from integrations.channels.selectors import CALLS, RECONCILED
from integrations.channels.types import Message, Page, Said
from integrations.models import ChannelCopy, CopyKind, CopyState
from integrations.services import Found
from integrations.types import ConnectionRef
from orders.selectors import ids_by_external

ASK_EVERY_MINUTES: Final = 5
OVERLAP: Final = timedelta(minutes=10)
PAGES: Final = 40
ORDERS: Final = "orders"
"""The connection's cursor that holds up to when its orders were read."""
COMPARED: Final = (CopyState.SAME, CopyState.DIFFERENT, CopyState.MISSING)
HEALED: Final = 1
"""How often a copy that differs is sent again by itself."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn with one connection came to. `until`: everything changed before was read."""

    read: int = 0
    missing_here: int = 0
    compared: int = 0
    missing_there: int = 0
    different: int = 0
    healed: int = 0
    until: datetime | None = None
    reached: bool = True

    def __add__(self, other: "Turn") -> "Turn":
        return Turn(
            self.read + other.read,
            self.missing_here + other.missing_here,
            self.compared + other.compared,
            self.missing_there + other.missing_there,
            self.different + other.different,
            self.healed + other.healed,
            other.until,
            other.reached,
        )


def ask_due(*, at: datetime, actor: Actor) -> list[Turn]:
    """Take a turn with every connection that is due. Called with no transaction open."""
    return [
        ask_connection(ref, at=at, actor=actor)
        for ref in connections.of_adapter(*port.names())
        if ref.base_url and _due(ref, at)
    ]


def ask_connection(
    ref: ConnectionRef, *, at: datetime, actor: Actor, shop: Shop | None = None
) -> Turn:
    """One turn. A shop that cannot be asked is asked again from where this turn came to."""
    there = shop or port.shop(ref)
    kept: dict[str, Any] = connections.cursor_of(ref.id, ORDERS) or {}
    since = datetime.fromisoformat(kept["until"]) if kept.get("until") else at
    turn, cursor = Turn(), ""
    for _ in range(PAGES):
        page = there.changed(since - OVERLAP, cursor)
        turn += _take_page(ref, there, page, at=at, actor=actor)
        cursor = page.cursor
        if not turn.reached or not cursor:
            break
    if turn.reached and not cursor:
        turn = replace(turn, until=at)
        connections.heard([ref.id], at=at)
        connections.move_cursor(ref.id, ORDERS, {"until": at.isoformat()})
        _keep_outcome(ref, turn, there, at=at)
    return turn


def compare_orders(
    ref: ConnectionRef,
    external_ids: Sequence[str],
    *,
    at: datetime,
    actor: Actor,
    shop: Shop | None = None,
) -> Turn:
    """Read these orders there, take in what is news and compare what they hold."""
    there = shop or port.shop(ref)
    page = there.orders(external_ids)
    turn = _take_page(ref, there, page, at=at, actor=actor)
    if not turn.reached:
        return turn
    found = {one.order.external_id for one in page.messages if one.order is not None}
    gone = _lose_orders(ref, set(external_ids) - found, at=at)
    return turn + Turn(missing_there=gone)


def _due(ref: ConnectionRef, at: datetime) -> bool:
    kept = connections.cursor_of(ref.id, ORDERS) or {}
    if not kept.get("until"):
        return True
    every = timedelta(minutes=float(ref.settings.get("ask_every_minutes", ASK_EVERY_MINUTES)))
    last = datetime.fromisoformat(kept["until"])
    return not last <= at < last + every


def _take_page(ref: ConnectionRef, shop: Shop, page: Page, *, at: datetime, actor: Actor) -> Turn:
    """Take in a page of orders, then compare what they hold with what they are to hold."""
    if page.reply.said is not Said.DONE:
        return Turn(reached=False)
    known = _known(ref, page.messages)
    services.take_in_all(
        ref,
        [Found(one.id, one.topic, one.raw) for one in page.messages if one.id],
        at=at,
        actor=actor,
    )
    new = len(_known(ref, page.messages)) - len(known)
    messages = _with_refunds(ref, shop, page.messages)
    seen = _compare(ref, messages, at=at, actor=actor)
    return replace(seen, read=len(page.messages), missing_here=new)


def _known(ref: ConnectionRef, messages: Iterable[Message]) -> dict[tuple[UUID, str], UUID]:
    channel_id = ref.channel_id
    if channel_id is None:
        return {}
    return ids_by_external(
        [(channel_id, one.order.external_id) for one in messages if one.order is not None]
    )


def _with_refunds(ref: ConnectionRef, shop: Shop, messages: Sequence[Message]) -> Sequence[Message]:
    """The orders with the lines of those refunds that we had made for lines, where they are told apart.

    One call per such order; what cannot be read now is compared by its id alone.
    """
    unread = {
        refund.ours
        for one in messages
        for refund in (one.order.refunds if one.order else ())
        if refund.unread and refund.ours
    }
    if not unread:
        return messages
    copies_ = ChannelCopy.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=list(unread), connection_id=ref.id, kind=CopyKind.REFUND, state__in=COMPARED
    )
    wanted = {copy.pk for copy in copies_ if copy.wanted.get("units")}
    return [_with_lines(shop, one, wanted) for one in messages]


def _with_lines(shop: Shop, message: Message, wanted: Collection[UUID]) -> Message:
    order = message.order
    if order is None or not any(one.ours in wanted for one in order.refunds):
        return message
    read = {one.id: one for one in shop.refunds(order.external_id).refunds}
    refunds = tuple(read.get(one.id, one) for one in order.refunds)
    return replace(message, order=replace(order, refunds=refunds))


@transaction.atomic
def _compare(
    ref: ConnectionRef, messages: Sequence[Message], *, at: datetime, actor: Actor
) -> Turn:
    """Hold what was sent of these orders against what they say; heal what differs, once."""
    ours = {external: order_id for (_, external), order_id in _known(ref, messages).items()}
    shops = {
        ours[one.order.external_id]: one.order
        for one in messages
        if one.order is not None and one.order.external_id in ours
    }
    found = [
        seen
        for order_id, own in _sent_copies(ref, shops, at=at).items()
        for seen in comparing.compare(own, shops[order_id])
    ]
    return _settle(ref, found, at=at, actor=actor)


def _sent_copies(
    ref: ConnectionRef, order_ids: Collection[UUID], *, at: datetime
) -> dict[UUID, list[ChannelCopy]]:
    """Those sent before this turn, locked so that nothing is sent of them meanwhile."""
    rows = (
        ChannelCopy.objects.for_scope(ALL_ACCOUNTS)
        .filter(connection_id=ref.id, order_id__in=list(order_ids), state__in=COMPARED)
        .filter(sent_at__lt=at)
        .exclude(kind=CopyKind.ORDER)
        .order_by("kind", "our_id")
        .select_for_update()
    )
    found: dict[UUID, list[ChannelCopy]] = {}
    for row in rows:
        if row.order_id is not None:
            found.setdefault(row.order_id, []).append(row)
    return found


def _settle(ref: ConnectionRef, found: Sequence[Seen], *, at: datetime, actor: Actor) -> Turn:
    """Write down how the copies were found, and have sent again what was not yet."""
    for one in found:
        if one.same:
            one.copy.see(at=at)
        elif one.missing and one.copy.state != CopyState.MISSING:
            one.copy.lose(at=at)
        elif one.why and one.copy.state != CopyState.DIFFERENT:
            one.copy.differ(why=one.why, at=at)
    ChannelCopy.objects.for_scope(ALL_ACCOUNTS).bulk_update(
        [one.copy for one in found], ["state", "seen_at", "failure"], batch_size=500
    )
    odd = [one for one in found if not one.same]
    first = [one.copy.pk for one in odd if one.copy.round < HEALED]
    healed = copies.heal_copies(ref.id, first, at=at, actor=actor) if first and ref.live else []
    _report(ref, [one for one in odd if one.copy.round >= HEALED], at=at)
    return Turn(
        compared=len(found),
        missing_there=sum(one.missing for one in odd),
        different=sum(not one.missing for one in odd),
        healed=len(healed),
    )


@transaction.atomic
def _lose_orders(ref: ConnectionRef, external_ids: set[str], *, at: datetime) -> int:
    """What was sent of orders that the shop has no more: nothing can be sent again. Answers how many."""
    if not external_ids or ref.channel_id is None:
        return 0
    ours = ids_by_external([(ref.channel_id, one) for one in external_ids])
    rows = [row for own in _sent_copies(ref, list(ours.values()), at=at).values() for row in own]
    for row in rows:
        if row.state != CopyState.MISSING:
            row.lose(at=at)
    ChannelCopy.objects.for_scope(ALL_ACCOUNTS).bulk_update(rows, ["state", "seen_at", "failure"])
    _report(ref, [Seen(row, missing=True) for row in rows], at=at)
    return len(rows)


def _report(ref: ConnectionRef, odd: Sequence[Seen], *, at: datetime) -> None:
    case_reports.report(
        [
            case_reports.Report(
                COPY_DIFFERS,
                "channel_copy",
                one.copy.pk,
                ref.account_id,
                evidence={
                    "connection": ref.code,
                    "what": one.copy.kind,
                    "why": one.why or "It is not there any more.",
                },
                cause=f"connection:{ref.code}",
                thread_id=one.copy.order_id,
            )
            for one in odd
        ],
        at=at,
    )


def _keep_outcome(ref: ConnectionRef, turn: Turn, shop: Shop, *, at: datetime) -> None:
    """Keep what the turn came to, for the pages that show how the channel is doing."""
    outcome = {
        "at": at.isoformat(),
        "read": turn.read,
        "missing_here": turn.missing_here,
        "compared": turn.compared,
        "missing_there": turn.missing_there,
        "different": turn.different,
        "healed": turn.healed,
    }
    connections.move_cursor(ref.id, RECONCILED, outcome)
    if shop.calls is not None:
        used, most = shop.calls
        connections.move_cursor(ref.id, CALLS, {"used": used, "of": most})
