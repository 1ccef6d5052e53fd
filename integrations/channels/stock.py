"""Stock figures for shops: what the channel's nodes can promise, swept, never more than that.

A turn reads the figures that are to change as the shop has them, then reads its orders, then reckons
our figure, and sets it if the shop's has not moved since. What the shop had sold by the first reading
is thereby known and reserved here before a figure goes out; what it sold after makes the figure stale,
and the next turn sets it. Where its orders cannot be read no figure is raised.

A shop that cannot compare and set in one step writes over what it sold in between. So its orders are
read once more after the writing, and what they change of a figure is set in the same turn.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from psycopg.types.json import Jsonb

import inventory.selectors
import inventory.services
from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS, Actor
from integrations import connections
from integrations.channels import marks, polling, port
from integrations.channels.port import Shop
from integrations.channels.types import Figure, NewFigure, Said
from integrations.models import ChannelCopy, CopyKind, CopyState
from integrations.types import ConnectionRef

EVERY_SECONDS: Final = 60
AT_ONCE: Final = 1_000
SOONEST: Final = timedelta(seconds=15)
"""A figure of the channel that has changed goes out after so long; without a change, a turn waits."""
LOOK_AGAIN: Final = timedelta(hours=6)
"""A figure that did not change is read again after so long; so is a SKU that the shop does not sell."""
SWEPT: Final = "stock"
"""The connection's cursor that holds when its figures were swept, and what came of it."""
LOOKS_AFTER: Final = 3
"""How often a turn looks for what was sold while it wrote; each writing may be sold into again."""
NOT_SOLD: Final = "The shop does not sell it."


@dataclass(frozen=True, slots=True)
class Swept:
    """What one turn came to, in SKUs. `held_back`: not raised, since the orders could not be read.

    `put_right`: sold while its figure was written, and set once more.
    """

    read: int = 0
    set: int = 0
    stale: int = 0
    held_back: int = 0
    failure: str = ""
    put_right: int = 0


@dataclass(frozen=True, slots=True)
class _Known:
    """A figure as we have it: what it was to be, and how it was found there."""

    quantity: int | None
    state: str
    seen_at: datetime | None


def publish_due(*, at: datetime, actor: Actor) -> list[Swept]:
    """Take a turn with every live connection that is due. Called with no transaction open."""
    return [
        publish(ref, at=at, actor=actor)
        for ref in connections.of_adapter(*port.names(), live_only=True)
        if ref.base_url and ref.settings.get("publish_stock", True) and _due(ref, at)
    ]


def publish(ref: ConnectionRef, *, at: datetime, actor: Actor, shop: Shop | None = None) -> Swept:
    """Bring the shop's figures to ours. One turn, at most `AT_ONCE` SKUs."""
    there = shop or port.shop(ref)
    ours = availability(ref, at=at)
    wanted = _to_look_at(ours, _known(ref), at=at)
    if not wanted:
        return _ended(ref, Swept(), at=at)
    read = there.figures(wanted)
    if read.reply.said is not Said.DONE:
        return _ended(ref, Swept(failure=read.reply.detail), at=at)
    turn = polling.ask_connection(ref, at=at, actor=actor, shop=there)
    ours = availability(ref, at=at)
    theirs = {one.sku: one for one in read.figures}
    changes = [
        NewFigure(one.their_id, ours.get(sku, 0), one.quantity)
        for sku, one in theirs.items()
        if ours.get(sku, 0) != one.quantity
    ]
    allowed = [one for one in changes if turn.until is not None or one.quantity < one.was]
    put = there.set_figures(allowed) if allowed else None
    done = put.done if put else frozenset[str]()
    told = {sku: ours.get(sku, 0) for sku, one in theirs.items() if one.their_id in done}
    put_right = 0
    if told and not there.compares:
        ours, put_right = _put_right(ref, there, told, at=at, actor=actor)
        done = frozenset(theirs[sku].their_id for sku in told if told[sku] == ours.get(sku, 0))
    _write(ref, wanted, ours, theirs, done, at=at)
    same = {sku for sku, one in theirs.items() if one.quantity == ours.get(sku, 0)}
    same |= {sku for sku, one in theirs.items() if one.their_id in done}
    _mark(ref, {sku: ours.get(sku, 0) for sku in same}, at=at, actor=actor)
    return _ended(
        ref,
        Swept(
            len(wanted),
            len(told),
            len(put.stale) if put else 0,
            len(changes) - len(allowed),
            put.reply.detail if put else "",
            put_right,
        ),
        at=at,
    )


def _put_right(
    ref: ConnectionRef, shop: Shop, told: dict[str, int], *, at: datetime, actor: Actor
) -> tuple[dict[str, int], int]:
    """Set once more the figures, told just now, of what was sold while they were written.

    Such a sale is an order by now, and reserved here once it is read. `told` follows what is set.
    Answers our figures, and how many were set once more.
    """
    put_right, ours = 0, dict[str, int]()
    for _ in range(LOOKS_AFTER):
        turn = polling.ask_connection(ref, at=at, actor=actor, shop=shop)
        ours = availability(ref, at=at)
        moved = {sku for sku, figure in told.items() if figure != ours.get(sku, 0)}
        if not moved or turn.until is None:
            break
        there = shop.figures(moved).figures
        told |= {one.sku: one.quantity for one in there}
        changes = {
            one.their_id: NewFigure(one.their_id, ours.get(one.sku, 0), one.quantity)
            for one in there
            if one.quantity != ours.get(one.sku, 0)
        }
        if not changes:
            break
        done = shop.set_figures(list(changes.values())).done
        told |= {one.sku: changes[one.their_id].quantity for one in there if one.their_id in done}
        put_right += len(done)
    return ours, put_right


def availability(ref: ConnectionRef, *, at: datetime) -> dict[str, int]:
    """Units that the channel may sell, by the code it sells them under.

    The channel's figure of now, worked out from supply itself: an order that was read a moment ago
    is in it. Less what the connection keeps back of each SKU (`stock_threshold`).
    """
    if ref.channel_id is None:
        return {}
    codes = inventory.selectors.codes_for_sale(ref.account_id, ref.channel_id)
    threshold = int(ref.settings.get("stock_threshold", 0))
    with inventory.selectors.one_moment():
        figures = inventory.selectors.ats(ref.channel_id, set(codes.values()), at=at)
    return {code: max(0, figures[sku_id] - threshold) for code, sku_id in codes.items()}


def _mark(ref: ConnectionRef, told: Mapping[str, int], *, at: datetime, actor: Actor) -> None:
    """Keep which version of its figures the channel holds now: where what we keep is what it was told."""
    if ref.channel_id is None or not told:
        return
    threshold = int(ref.settings.get("stock_threshold", 0))
    codes = inventory.selectors.codes_for_sale(ref.account_id, ref.channel_id)
    of_sku = {codes[code]: units for code, units in told.items() if code in codes}
    inventory.services.mark_published(
        ref.channel_id,
        {
            one.sku_id: one.version
            for one in inventory.selectors.kept_figures(of_sku, [ref.channel_id])
            if max(0, one.units - threshold) == of_sku[one.sku_id]
        },
        at=at,
        actor=actor,
    )


def _due(ref: ConnectionRef, at: datetime) -> bool:
    kept = connections.cursor_of(ref.id, SWEPT) or {}
    if not kept.get("at"):
        return True
    every = timedelta(seconds=float(ref.settings.get("stock_every_seconds", EVERY_SECONDS)))
    last = datetime.fromisoformat(kept["at"])
    if not last <= at < last + every:
        return True
    if at < last + min(every, SOONEST) or ref.channel_id is None:
        return False
    return inventory.selectors.changed_since(ref.channel_id, last)


def _known(ref: ConnectionRef) -> dict[str, _Known]:
    rows = ChannelCopy.objects.for_scope(ALL_ACCOUNTS).filter(
        connection_id=ref.id, kind=CopyKind.STOCK
    )
    return {
        wanted["sku"]: _Known(wanted.get("quantity"), state, seen_at)
        for wanted, state, seen_at in rows.values_list("wanted", "state", "seen_at")
    }


def _to_look_at(ours: Mapping[str, int], known: Mapping[str, _Known], *, at: datetime) -> list[str]:
    """SKUs whose figure is another, did not go out, or was not looked at for long; the longest first.

    What is not sold at our nodes any more is looked at too: its figure is 0.
    """
    never = datetime.min.replace(tzinfo=at.tzinfo)
    found = []
    for sku in {*ours, *known}:
        one = known.get(sku)
        seen = (one.seen_at if one else None) or never
        told = one is not None and one.state == CopyState.TOLD
        moved = one is None or one.state == CopyState.WAITING or one.quantity != ours.get(sku, 0)
        if seen < at - LOOK_AGAIN or (moved and not told):
            found.append((seen, sku))
    return [sku for _, sku in sorted(found)[:AT_ONCE]]


def _write(
    ref: ConnectionRef,
    wanted: Collection[str],
    ours: Mapping[str, int],
    theirs: Mapping[str, Figure],
    done: Collection[str],
    *,
    at: datetime,
) -> None:
    """Keep what the shop holds of each of these by now. One statement."""
    rows = sorted(_row(sku, ours.get(sku, 0), theirs.get(sku), done) for sku in wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_channelcopy AS copy (id, account_id, connection_id, kind,
                our_id, wanted, wanted_hash, their_id, state, sent_hash, asked, round, version,
                failure, wanted_at, sent_at, seen_at)
            SELECT fresh.id, %s, %s, 'stock', fresh.our_id, fresh.wanted, fresh.hash,
                fresh.their_id, fresh.state, CASE WHEN fresh.sent THEN fresh.hash ELSE '' END,
                false, 0, '', fresh.failure, %s, CASE WHEN fresh.sent THEN %s END, %s
            FROM unnest(%s::uuid[], %s::uuid[], %s::jsonb[], %s::text[], %s::text[], %s::text[],
                %s::text[], %s::boolean[])
                AS fresh (id, our_id, wanted, hash, their_id, state, failure, sent)
            ON CONFLICT (connection_id, kind, our_id) DO UPDATE
            SET wanted = excluded.wanted, wanted_hash = excluded.wanted_hash,
                their_id = excluded.their_id, state = excluded.state, failure = excluded.failure,
                wanted_at = CASE WHEN copy.wanted_hash <> excluded.wanted_hash
                    THEN excluded.wanted_at ELSE copy.wanted_at END,
                sent_hash = coalesce(nullif(excluded.sent_hash, ''), copy.sent_hash),
                sent_at = coalesce(excluded.sent_at, copy.sent_at), seen_at = excluded.seen_at
            """,
            [
                ref.account_id,
                ref.id,
                at,
                at,
                at,
                [ids.uuid7() for _ in rows],
                [marks.theirs(ref.id, CopyKind.STOCK, one.sku) for one in rows],
                [Jsonb({"sku": one.sku, "quantity": one.quantity}) for one in rows],
                [marks.hash_of([one.sku, one.quantity]) for one in rows],
                [one.their_id for one in rows],
                [one.state for one in rows],
                [one.failure for one in rows],
                [one.sent for one in rows],
            ],
        )


@dataclass(frozen=True, slots=True, order=True)
class _Row:
    sku: str
    quantity: int
    their_id: str
    state: str
    failure: str
    sent: bool


def _row(sku: str, quantity: int, figure: Figure | None, done: Collection[str]) -> _Row:
    if figure is None:
        return _Row(sku, quantity, "", CopyState.TOLD.value, NOT_SOLD, sent=False)
    sent = figure.their_id in done
    same = sent or figure.quantity == quantity
    state = CopyState.SAME if same else CopyState.WAITING
    return _Row(sku, quantity, figure.their_id, state.value, "", sent)


def _ended(ref: ConnectionRef, swept: Swept, *, at: datetime) -> Swept:
    """Keep when the figures were swept, and what came of it."""
    outcome: dict[str, Any] = {
        "at": at.isoformat(),
        "set": swept.set,
        "stale": swept.stale,
        "held_back": swept.held_back,
        "put_right": swept.put_right,
        "failure": swept.failure[:200],
    }
    connections.move_cursor(ref.id, SWEPT, outcome)
    return swept
