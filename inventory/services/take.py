"""The take: turning wanted units into reservations, exactly, whatever else is going on.

Every function here is called inside the caller's transaction, after everything else that it locks
and before nothing that it computes: positions are what all orders share.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from config.kernel import ids
from config.kernel.ahead import check_ahead, hand_over, when_answered
from config.kernel.errors import Invalid
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.bindings import LotBook
from inventory.capacity import Book, CapacityBook, joined, limits_of
from inventory.claims import Claims, give_back
from inventory.ledger import LANDED_WORK, write_work
from inventory.models import Reservation
from inventory.quotas import QuotaBook
from inventory.services.take_at_once import Locked, take_at_once
from inventory.states import ReservationState
from inventory.stock_rows import expect_rows
from inventory.types import FutureWant, Taken, TakeResult, Want

_SERVED = "served"
_HAS_QUOTAS = "EXISTS (SELECT FROM inventory_quota WHERE state = 'live' AND sku_id = ANY(%s))"


def take(
    wants: Sequence[Want], *, at: datetime, actor: Actor, has_positions: bool = False
) -> TakeResult:
    """Reserve what can be had, each want whole or not at all, served in the order given.

    One statement for a few wants that can all be had (`take_at_once`); else three at most, the
    last of them sent ahead where the caller does so. What others were quicker to reserve comes back as
    lost. Must run inside the caller's transaction; where that `has_positions` locked already, a
    hard limit that another transaction holds counts as reached.
    """
    result = _take(wants, ReservationState.RESERVED, None, has_positions=has_positions, at=at)
    check_ahead(len(result.taken))
    hand_over()
    return result


def take_again(wants: Sequence[Want], *, at: datetime, actor: Actor) -> TakeResult:
    """Take once more in a transaction that holds positions already, without ever waiting.

    A position or quota that another transaction holds counts as lost: waiting for it now could
    close a ring.
    """
    locked, book = _lock(wants, skip_locked=True, at=at)
    taken, lost, used = _serve(wants, locked, book)
    _raise_reserved(used)
    reserved = _insert(taken, locked, ReservationState.RESERVED, None, at=at)
    if book is not None:
        book.write(reserved)
    return TakeResult(tuple(reserved), tuple(lost))


_QUOTAS_FIRST: Final = """
    WITH quotas AS MATERIALIZED (
        SELECT id FROM inventory_quota WHERE state = 'live' AND sku_id IN (
            SELECT sku_id FROM inventory_stockposition WHERE id = ANY(%(positions)s))
        ORDER BY id FOR UPDATE
    )"""
_LOCK: Final = f"""
    {_QUOTAS_FIRST}
    SELECT id FROM inventory_stockposition
    WHERE id = ANY(%(positions)s) AND (SELECT count(*) >= 0 FROM quotas) ORDER BY id FOR UPDATE
"""  # noqa: S608  # own text
_LOCK_WITH_WINDOWS: Final = f"""
    {_QUOTAS_FIRST}, windows AS MATERIALIZED (
        SELECT id FROM inventory_capacitywindow
        WHERE id = ANY(%(windows)s) AND (SELECT count(*) >= 0 FROM quotas) ORDER BY id FOR UPDATE
    )
    SELECT id FROM inventory_stockposition
    WHERE id = ANY(%(positions)s) AND (SELECT count(*) >= 0 FROM windows) ORDER BY id FOR UPDATE
"""  # noqa: S608  # own text


def lock_positions(
    position_ids: Collection[int],
    reservation_ids: Collection[UUID] = (),
    *,
    levels: bool = False,
    windows: Collection[int] = (),
) -> None:
    """Lock at once, by ascending id, all positions that this transaction will release and take.

    A transaction that gives units back at one position and takes them at another calls this first:
    its later calls then wait for nobody. The live quotas of their SKUs come before them, then the
    `windows` of hard limits that it may take from. With their `levels` where it also issues units:
    what gives units back locks reservations, which stand after levels. Three statements at most.
    """
    wanted = set(position_ids)
    with connection.cursor() as cursor:
        if reservation_ids:
            cursor.execute(
                "SELECT DISTINCT position_id FROM inventory_reservation "
                "WHERE id = ANY(%s) AND position_id IS NOT NULL",
                [list(reservation_ids)],
            )
            wanted |= {row[0] for row in cursor.fetchall()}
        asked = {"positions": sorted(wanted), "windows": sorted(windows)}
        cursor.execute(_LOCK_WITH_WINDOWS if windows else _LOCK, asked)
        if levels:
            cursor.execute(
                "SELECT id FROM inventory_stocklevel WHERE position_id = ANY(%s) "
                "ORDER BY id FOR UPDATE",
                [sorted(wanted)],
            )


def hold(wants: Sequence[Want], *, until: datetime, at: datetime, actor: Actor) -> TakeResult:
    """Reserve for a cart: like `take`, but the claim expires unless it is confirmed by `until`."""
    return _take(wants, ReservationState.HELD, until, has_positions=False, at=at)


def confirm_held(reservation_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> None:
    """The cart became an order: held → reserved. Raises IllegalTransition for one that expired."""
    claims = Claims.lock(reservation_ids)
    for row in claims.rows.values():
        row.confirm()
        claims.touch(row)
    claims.write()


def take_landed(
    wants: Sequence[Want], *, at: datetime, actor: Actor, has_positions: bool = False
) -> TakeResult:
    """Reserve for waiting demand: units set aside for it may be had too, and are used up first.

    The demand's waiting reservation becomes the claim, or gives up as many units to a new one.
    """
    locked, book = _lock(wants, has_positions=has_positions, at=at)
    taken, lost, used = _serve(wants, locked, book, landed=True)
    left = _use_landed(used)
    write_work(
        LANDED_WORK,
        [(id_, left[id_]) for id_, row in locked.items() if id_ in left and row.landed],
        at=at,
    )
    confirmed = _serve_waiting(taken, at=at)
    fresh = [want for want, known in zip(taken, confirmed, strict=True) if known is None]
    made = iter(_insert(fresh, locked, ReservationState.RESERVED, None, at=at))
    served = [known or next(made) for known in confirmed]
    if book is not None:
        book.write(served)
    return TakeResult(tuple(served), tuple(lost))


def reserve_future(wants: Sequence[FutureWant], *, at: datetime, actor: Actor) -> list[UUID]:
    """Queue demand that no position can serve now. Returns the waiting reservations, in order."""
    _require_units(wants)
    made = [ids.uuid7() for _ in wants]
    if wants:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO inventory_reservation (id, account_id, sku_id, node_id, demand_id,
                    thread_id, quantity, priority, promised_at, inbound_line_id, state, consumed,
                    released, release_reason, at)
                SELECT wanted.*, 'waiting', 0, 0, '', %s
                FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[], %s::uuid[],
                    %s::uuid[], %s::bigint[], %s::smallint[], %s::timestamptz[], %s::bigint[])
                    AS wanted
                """,
                [
                    at,
                    made,
                    [want.account_id for want in wants],
                    [want.sku_id for want in wants],
                    [want.node_id for want in wants],
                    [want.demand_id for want in wants],
                    [want.thread_id for want in wants],
                    [want.quantity for want in wants],
                    [want.priority for want in wants],
                    [want.promised_at for want in wants],
                    [want.inbound_line_id for want in wants],
                ],
            )
    return made


def _take(
    wants: Sequence[Want],
    state: ReservationState,
    until: datetime | None,
    *,
    has_positions: bool,
    at: datetime,
) -> TakeResult:
    """At once where all can be had; else step by step, from what that has locked."""
    _require_units(wants)
    known = take_at_once(wants, state, until, at=at)
    if known is None:
        locked, book = _lock(wants, has_positions=has_positions, at=at)
    elif known.taken:
        return TakeResult(known.taken, ())
    else:
        locked = known.locked
        book = QuotaBook(wants, known.quotas, at=at) if known.quotas else None
    taken, lost, used = _serve(wants, locked, book)
    _raise_reserved(used)
    reserved = _insert(taken, locked, state, until, at=at)
    if book is not None:
        book.write(reserved)
    return TakeResult(tuple(reserved), tuple(lost))


def _lock(
    wants: Sequence[Want],
    *,
    skip_locked: bool = False,
    has_positions: bool = False,
    at: datetime,
) -> tuple[dict[int, Locked], Book | None]:
    """Lock live quotas, hard limits, then positions, by ascending id; read what each can give.

    One statement while none of the SKUs has a live quota: the filter on the quotas is worked out,
    and they are locked with it, before the first position is looked at.
    """
    _require_units(wants)
    waiting, live = "", "false"
    if skip_locked:
        waiting, live = "SKIP LOCKED", _HAS_QUOTAS
    skus = sorted({want.sku_id for want in wants})
    limits = limits_of(wants, "SKIP LOCKED" if has_positions else waiting)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH quotas AS MATERIALIZED (
                SELECT id FROM inventory_quota WHERE state = 'live' AND sku_id = ANY(%s)
                ORDER BY id FOR UPDATE {waiting}
            ){limits.parts}
            SELECT id, account_id, node_id, sku_id,
                CASE WHEN shortfall = 0 AND (fresh_until IS NULL OR fresh_until > %s)
                    THEN greatest(0, sellable - reserved - buffer - landed) ELSE 0 END,
                landed, (SELECT array_agg(id) FROM quotas), {live}, {limits.room}
            FROM inventory_stockposition
            WHERE id = ANY(%s) AND (SELECT count(*) >= 0 FROM quotas) {limits.guard}
            ORDER BY id FOR UPDATE {waiting}
            """,  # noqa: S608  # constants of this module
            [
                skus,
                *limits.params,
                at,
                *([skus] if skip_locked else []),
                sorted({want.position_id for want in wants}),
            ],
        )
        rows = cursor.fetchall()
    locked = {row[0]: Locked(*row[1:6]) for row in rows}
    quotas, unseen, rooms = rows[0][6:] if rows else (None, False, None)
    return locked, joined(
        QuotaBook(wants, quotas or (), at=at) if quotas is not None or unseen else None,
        CapacityBook.of(rooms, at=at) if limits.params else None,
        LotBook.of(wants),
    )


def _serve(
    wants: Sequence[Want],
    locked: Mapping[int, Locked],
    book: Book | None,
    *,
    landed: bool = False,
) -> tuple[list[Want], list[Want], Counter[int]]:
    """Serve the wants one after another in memory: taken, lost, and units used per position.

    With `landed`, units set aside for waiting demand may be had too, and go first: quotas keep
    units only of what is free.
    """
    used: Counter[int] = Counter()
    taken: list[Want] = []
    lost: list[Want] = []
    for want in wants:
        row = locked.get(want.position_id)
        before = used[want.position_id]
        aside = row.landed if row is not None and landed else 0
        if row is None or row.free + aside - before < want.quantity:
            lost.append(want)
            continue
        free = max(0, before + want.quantity - aside) - max(0, before - aside)
        if book is not None:
            if not book.allows(want, free):
                lost.append(want)
                continue
            book.count(want, free)
        used[want.position_id] += want.quantity
        taken.append(want)
    return taken, lost, used


def _raise_reserved(used: Counter[int]) -> None:
    """One row per position: of several matches an UPDATE … FROM would apply only one.

    Within `sending_ahead` nobody waits for it: that every row was reached is heard at its end.
    """
    if not used:
        return
    cursor = connection.cursor()
    cursor.execute(
        """
        WITH raised AS (
            UPDATE inventory_stockposition p SET reserved = p.reserved + need.quantity,
                changed_xid = pg_current_xact_id()::text::bigint
            FROM unnest(%s::bigint[], %s::bigint[]) AS need (id, quantity)
            WHERE p.id = need.id AND p.shortfall = 0
              AND p.sellable - p.reserved - p.buffer - p.landed >= need.quantity
            RETURNING 1
        )
        SELECT count(*) FROM raised
        """,
        [list(used), list(used.values())],
    )

    def check() -> None:
        with cursor:
            [(raised,)] = cursor.fetchall()
        expect_rows(raised, len(used))

    when_answered(check)


def _use_landed(used: Counter[int]) -> dict[int, int]:
    """Raise what is reserved, from landed units first; returns the landed units that remain."""
    if not used:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inventory_stockposition p
            SET reserved = p.reserved + need.quantity,
                landed = p.landed - least(p.landed, need.quantity)
            FROM unnest(%s::bigint[], %s::bigint[]) AS need (id, quantity)
            WHERE p.id = need.id AND p.shortfall = 0
              AND greatest(0, p.sellable - p.reserved - p.buffer - p.landed) + p.landed
                >= need.quantity
            RETURNING p.id, p.landed
            """,
            [list(used), list(used.values())],
        )
        left = dict(cursor.fetchall())
    expect_rows(len(left), len(used))
    return left


def _insert(
    taken: Sequence[Want],
    locked: Mapping[int, Locked],
    state: ReservationState,
    until: datetime | None,
    *,
    at: datetime,
) -> list[Taken]:
    """Insert one reservation per want; account, node and SKU are the position's own."""
    if not taken:
        return []
    made = [ids.uuid7() for _ in taken]
    rows = [locked[want.position_id] for want in taken]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_reservation (id, account_id, sku_id, node_id, position_id,
                demand_id, thread_id, quantity, priority, promised_at, state, consumed, released,
                release_reason, expires_at, at)
            SELECT taken.*, %s, 0, 0, '', %s, %s
            FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[],
                %s::uuid[], %s::uuid[], %s::bigint[], %s::smallint[], %s::timestamptz[]) AS taken
            """,
            [
                state.value,
                until,
                at,
                made,
                [row.account_id for row in rows],
                [row.sku_id for row in rows],
                [row.node_id for row in rows],
                [want.position_id for want in taken],
                [want.demand_id for want in taken],
                [want.thread_id for want in taken],
                [want.quantity for want in taken],
                [want.priority for want in taken],
                [want.promised_at for want in taken],
            ],
        )
    return [Taken(want, made_id) for want, made_id in zip(taken, made, strict=True)]


def _serve_waiting(taken: Sequence[Want], *, at: datetime) -> list[Taken | None]:
    """Turn the demands' waiting reservations into claims: whole ones in place, others in part.

    None stands for a want that still needs a reservation of its own.
    """
    claims = Claims(_locked_waiting({want.demand_id for want in taken}))
    waiting: dict[UUID, list[Reservation]] = {}
    for row in claims.rows.values():
        waiting.setdefault(row.demand_id, []).append(row)
    confirmed: list[Taken | None] = []
    for want in taken:
        rows = [row for row in waiting.get(want.demand_id, []) if _is_waiting(row)]
        whole = next((row for row in rows if row.quantity == row.open == want.quantity), None)
        if whole is None:
            _lower_waiting(claims, rows, want.quantity, at=at)
            confirmed.append(None)
        else:
            whole.position_id, whole.node_id = want.position_id, want.node_id
            whole.confirm()
            claims.touch(whole)
            confirmed.append(Taken(want, whole.id))
    claims.write()
    return confirmed


def _locked_waiting(demands: Collection[UUID]) -> list[Reservation]:
    return list(
        Reservation.objects.for_scope(ALL_ACCOUNTS)
        .filter(demand_id__in=demands, state=ReservationState.WAITING)
        .order_by("pk")
        .select_for_update(of=("self",))
    )


def _lower_waiting(
    claims: Claims, rows: Sequence[Reservation], quantity: int, *, at: datetime
) -> None:
    left = quantity
    for row in rows:
        if part := min(left, row.open):
            give_back(row, part, reason=_SERVED, at=at)
            claims.touch(row)
            left -= part


def _is_waiting(row: Reservation) -> bool:
    return bool(row.state == ReservationState.WAITING)


def _require_units(wants: Sequence[Want | FutureWant]) -> None:
    if any(want.quantity <= 0 for want in wants):
        raise Invalid("A want is for at least one unit.")
