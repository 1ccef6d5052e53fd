"""Units are sold before they are there: within caps, resting on goods that are on their way.

Called inside the caller's transaction, after everything else that it locks: lines with a limit of
their own, then caps, by ascending id. Where a SKU has neither nothing is locked.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from config.kernel.types import Actor
from inventory.backing import Coming, Share, Waiter, deal, ready_at
from inventory.models import Backing
from inventory.selectors.inbound_ahead import LineComing, lines_coming, units_waiting
from inventory.services.take import reserve_future
from inventory.stock_rows import expect_rows
from inventory.types import AheadWant, Backed, FutureWant

CAP_REACHED: Final = "the channel has sold as many ahead as it may"
LINE_REACHED: Final = "more of what is on its way may not be sold ahead"
_WITH_LOCK = "FOR UPDATE"
_GUARDED = "AND cap.used + sold.units <= cap.units"

_CAPS: Final = """
    SELECT id, channel_id, sku_id, units, used FROM inventory_aheadcap
    WHERE sku_id = ANY(%(skus)s) AND channel_id = ANY(%(channels)s) AND starts_at <= %(at)s
      AND (ends_at IS NULL OR ends_at > %(at)s)
"""
_COUNT_CAPS: Final = """
    UPDATE inventory_aheadcap cap SET used = coalesce((
        SELECT sum(r.quantity - r.consumed - r.released) FROM inventory_backing b
        JOIN inventory_reservation r ON r.id = b.reservation_id AND r.state = 'waiting'
        WHERE b.cap_id = cap.id), 0)
    WHERE cap.id = ANY(%(ids)s) RETURNING cap.id, cap.units, cap.used
"""
_COUNT_LINES: Final = """
    UPDATE inventory_inboundline line SET sold_ahead = coalesce((
        SELECT sum(r.quantity - r.consumed - r.released) FROM inventory_backing b
        JOIN inventory_reservation r ON r.id = b.reservation_id AND r.state = 'waiting'
        WHERE b.line_id = line.id), 0)
    WHERE line.id = ANY(%(ids)s)
    RETURNING line.id, greatest(0, line.expected - line.received) * line.ahead_percent / 100
        - line.sold_ahead
"""


@dataclass(slots=True)
class _Room:
    """What is left of the caps and limits, as this transaction has locked them."""

    caps: dict[tuple[UUID, int], int] = field(default_factory=dict)
    cap_left: dict[int, int] = field(default_factory=dict)
    line_left: dict[int, int] = field(default_factory=dict)
    cap_sold: Counter[int] = field(default_factory=Counter)
    line_sold: Counter[int] = field(default_factory=Counter)


def back_ahead(wants: Sequence[AheadWant], *, at: datetime, actor: Actor) -> list[Backed]:
    """What each want is to rest on, in the order given, behind all who wait already.

    A want is within its cap and its lines' limits whole or refused. Three statements where nothing
    limits the SKUs; what is limited is counted here, and sold with this transaction. Must run
    inside it, and before nothing that waits for a position.
    """
    if not wants:
        return []
    skus = {want.sku_id for want in wants}
    lines = lines_coming(skus, at)
    room = _locked(wants, lines, at)
    left = _behind(units_waiting(skus), lines)
    answers = [_back(want, lines, left, room) for want in wants]
    if any(answer.refused for answer in answers) and _count_anew(room):
        left = _behind(units_waiting(skus), lines)
        room.cap_sold, room.line_sold = Counter(), Counter()
        answers = [_back(want, lines, left, room) for want in wants]
    _write(room)
    return answers


def reserve_backed(
    wants: Sequence[tuple[FutureWant, Backed]], *, at: datetime, actor: Actor
) -> list[UUID]:
    """Queue the demand, a reservation per line that it rests on, and what each of them rests on.

    A refused want is queued as well, resting on nothing: what was sold is sold.
    """
    parts = [part for want, backed in wants for part in _parts(want, backed)]
    made = reserve_future([want for want, _, _ in parts], at=at, actor=actor)
    Backing.objects.bulk_create(
        Backing(reservation_id=key, line_id=line_id, cap_id=cap_id, ready_by=ready)
        for key, (_, (line_id, ready), cap_id) in zip(made, parts, strict=True)
        if line_id is not None or cap_id is not None or ready is not None
    )
    return made


def rest_on(
    backings: Mapping[UUID, tuple[int | None, datetime | None]], *, at: datetime, actor: Actor
) -> None:
    """Waiting reservations rest on other goods, or on others by when. One statement.

    In the transaction that holds the orders: a backing changes only under its order's lock.
    """
    if not backings:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_backing AS kept (reservation_id, line_id, ready_by)
            SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::timestamptz[])
            ON CONFLICT (reservation_id) DO UPDATE
            SET line_id = excluded.line_id, ready_by = excluded.ready_by
            """,
            [
                list(backings),
                [line_id for line_id, _ in backings.values()],
                [ready for _, ready in backings.values()],
            ],
        )


def _parts(
    want: FutureWant, backed: Backed
) -> Iterable[tuple[FutureWant, tuple[int | None, datetime | None], int | None]]:
    """The want as a reservation per line, and one for what rests on none."""
    if backed.refused:
        yield want, (None, None), None
        return
    left, by_line = want.quantity, defaultdict[int | None, int](int)
    ready: dict[int | None, datetime] = {}
    for line_id, _, units, sure_at in backed.shares:
        by_line[line_id] += units
        ready[line_id] = max(sure_at, ready.get(line_id, sure_at))
        left -= units
    for line_id, units in by_line.items():
        yield _of(want, units), (line_id, backed.ready_at and ready[line_id]), backed.cap_id
    if left:
        yield _of(want, left), (None, None), backed.cap_id


def _of(want: FutureWant, units: int) -> FutureWant:
    return FutureWant(
        want.sku_id,
        want.node_id,
        units,
        want.demand_id,
        want.thread_id,
        want.account_id,
        want.priority,
        want.promised_at,
        want.inbound_line_id,
    )


def _locked(
    wants: Sequence[AheadWant], lines: Mapping[int, Sequence[LineComing]], at: datetime
) -> _Room:
    """Lock what limits these wants: one look at the caps where there is none."""
    room = _Room()
    channels = sorted({want.channel_id for want in wants if want.channel_id is not None})
    limited = sorted(
        line.coming.line_id or 0
        for known in lines.values()
        for line in known
        if line.ahead_percent is not None
    )
    if limited:
        for line_id, left in _rows(
            f"""
            SELECT id, greatest(0, expected - received) * ahead_percent / 100 - sold_ahead
            FROM inventory_inboundline WHERE id = ANY(%(ids)s) AND ahead_percent IS NOT NULL
            ORDER BY id {_WITH_LOCK}
            """,  # noqa: S608  # a constant of this module
            {"ids": limited},
        ):
            room.line_left[line_id] = left
    values = {"skus": sorted({want.sku_id for want in wants}), "channels": channels, "at": at}
    for cap_id, channel_id, sku_id, units, used in _rows(
        f"{_CAPS} ORDER BY id {_WITH_LOCK}", values
    ):
        room.caps[channel_id, sku_id] = cap_id
        room.cap_left[cap_id] = units - used
    return room


def _behind(
    waiting: Mapping[int, Sequence[Waiter[tuple[int, int]]]],
    lines: Mapping[int, Sequence[LineComing]],
) -> dict[int, list[Coming]]:
    """What is left of the goods to come when all who wait already are served."""
    left: dict[int, list[Coming]] = {}
    for sku_id, known in lines.items():
        goods = [line.coming for line in known]
        dealt: Counter[tuple[int | None, int]] = Counter()
        for shares in deal(waiting.get(sku_id, ()), goods).values():
            for share in shares:
                dealt[share.line_id, share.node_id] += share.units
        left[sku_id] = [
            Coming(
                one.line_id,
                one.node_id,
                one.units - dealt[one.line_id, one.node_id],
                one.ready_at,
            )
            for one in goods
        ]
    return left


def _back(
    want: AheadWant,
    lines: Mapping[int, Sequence[LineComing]],
    left: dict[int, list[Coming]],
    room: _Room,
) -> Backed:
    """Serve one want in memory; what it takes the next one lacks."""
    cap_id = None
    if want.channel_id is not None:
        cap_id = room.caps.get((want.channel_id, want.sku_id))
    if cap_id is not None and room.cap_left[cap_id] - room.cap_sold[cap_id] < want.units:
        return Backed(cap_id=cap_id, refused=CAP_REACHED)
    goods = [_within(one, room) for one in left.get(want.sku_id, ())]
    [shares] = [*deal([Waiter(0, want.units, want.nodes)], goods).values()] or [[]]
    ready = ready_at(want.units, shares)
    if ready is None and any(line.ahead_percent is not None for line in lines.get(want.sku_id, ())):
        return Backed(cap_id=cap_id, refused=LINE_REACHED)
    _use(want.sku_id, shares, left, room)
    if cap_id is not None:
        room.cap_sold[cap_id] += want.units
    return Backed(
        tuple((share.line_id, share.node_id, share.units, share.ready_at) for share in shares),
        ready,
        cap_id,
    )


def _within(one: Coming, room: _Room) -> Coming:
    """The goods, as far as they may be sold ahead."""
    if one.line_id not in room.line_left:
        return one
    most = room.line_left[one.line_id] - room.line_sold[one.line_id]
    return Coming(one.line_id, one.node_id, max(0, min(one.units, most)), one.ready_at)


def _use(sku_id: int, shares: Sequence[Share], left: dict[int, list[Coming]], room: _Room) -> None:
    used = Counter[tuple[int | None, int]]()
    for share in shares:
        used[share.line_id, share.node_id] += share.units
        if share.line_id in room.line_left:
            room.line_sold[share.line_id] += share.units
    left[sku_id] = [
        Coming(one.line_id, one.node_id, one.units - used[one.line_id, one.node_id], one.ready_at)
        for one in left.get(sku_id, ())
    ]


def _count_anew(room: _Room) -> bool:
    """Count what is still sold ahead: the counters may stand above it. Whether any did."""
    before = (dict(room.cap_left), dict(room.line_left))
    if room.cap_left:
        for cap_id, units, used in _rows(_COUNT_CAPS, {"ids": sorted(room.cap_left)}):
            room.cap_left[cap_id] = units - used
    if room.line_left:
        for line_id, left in _rows(_COUNT_LINES, {"ids": sorted(room.line_left)}):
            room.line_left[line_id] = left
    return before != (room.cap_left, room.line_left)


def _write(room: _Room) -> None:
    """Count what was sold; the caps' limit is repeated in the statement."""
    if sold := +room.line_sold:
        _raise(
            """
            UPDATE inventory_inboundline line SET sold_ahead = line.sold_ahead + sold.units
            FROM unnest(%s::bigint[], %s::bigint[]) AS sold (id, units)
            WHERE line.id = sold.id AND line.sold_ahead + sold.units
                <= greatest(0, line.expected - line.received) * line.ahead_percent / 100
            """,
            sold,
        )
    if sold := +room.cap_sold:
        _raise(
            f"""
            UPDATE inventory_aheadcap cap SET used = cap.used + sold.units
            FROM unnest(%s::bigint[], %s::bigint[]) AS sold (id, units)
            WHERE cap.id = sold.id {_GUARDED}
            """,  # noqa: S608  # a constant of this module
            sold,
        )


def _raise(update: str, sold: Mapping[Any, int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH raised AS ({update} RETURNING 1) SELECT count(*) FROM raised",  # noqa: S608  # own text
            [list(sold), list(sold.values())],
        )
        [(raised,)] = cursor.fetchall()
    expect_rows(raised, len(sold))


def _rows(query: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def count_ahead(cap_ids: Collection[int]) -> None:
    """Bring the counters of caps to what is still sold ahead. Inside a transaction that holds them."""
    _rows(_COUNT_CAPS, {"ids": sorted(set(cap_ids))})


def count_lines(line_ids: Collection[int]) -> None:
    """The same for lines with a limit of their own."""
    _rows(_COUNT_LINES, {"ids": sorted(set(line_ids))})
