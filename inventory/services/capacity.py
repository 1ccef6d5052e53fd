"""Capacity: windows are opened ahead, work is entered into them, and entries are folded behind it.

Entries are only inserted. A fold reads behind the horizon of running transactions, as the relay of
events does, so that a late commit is never stepped over. What is taken from a hard limit is counted
in the transaction that takes it (`inventory.capacity`); the fold leaves it out.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from config.kernel.types import Actor
from inventory.models import CapacityEntry, CapacityFold, CapacityWindow, NodeCapacity
from inventory.selectors.network import counted_nodes, node_views
from inventory.states import CapacityResource
from inventory.stock_rows import expect_rows
from inventory.types import NodeView, WorkAtNode
from inventory.windows import Window, window_of, windows

AHEAD: Final = timedelta(days=8)
"""How far windows are opened: beyond it no order comes to a node now."""

FOLD: Final = "entries"

Key = tuple[UUID, int, str, str]
"""What work is entered under: (cause, node, function, resource)."""

_FRESH: Final = """
    WITH position AS (
        SELECT xid FROM inventory_capacityfold WHERE name = %(name)s FOR UPDATE SKIP LOCKED
    ), fresh AS MATERIALIZED (
        SELECT e.* FROM position JOIN inventory_capacityentry e ON e.xid >= position.xid
        WHERE e.xid < pg_snapshot_xmin(pg_current_snapshot())
    ), moved AS (
        UPDATE inventory_capacityfold f
        SET xid = greatest(f.xid, pg_snapshot_xmin(pg_current_snapshot()))
        WHERE f.name = %(name)s AND EXISTS (SELECT FROM fresh)
    )
    SELECT node_id, function, resource, starts_at,
        coalesce(sum(used) FILTER (WHERE NOT counted), 0)::bigint, sum(done)::bigint
    FROM fresh GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
_ADD: Final = """
    WITH written AS (
        UPDATE inventory_capacitywindow w SET used = w.used + f.used, done = w.done + f.done
        FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[],
            %s::bigint[]) AS f (node_id, function, resource, starts_at, used, done)
        WHERE (w.node_id, w.function, w.resource, w.starts_at)
            = (f.node_id, f.function, f.resource, f.starts_at)
        RETURNING 1
    )
    SELECT count(*) FROM written
"""
# The window that is open, or the next, inherits what all before it left undone.
_INHERITED: Final = """
    WITH inherited AS MATERIALIZED (
        SELECT w.id, w.node_id, w.backlog AS known, greatest(0, coalesce((
            SELECT sum(p.used - p.done) FROM inventory_capacitywindow p
            WHERE (p.node_id, p.function, p.resource) = (w.node_id, w.function, w.resource)
              AND p.ends_at <= %(at)s
        ), 0))::bigint AS backlog
        FROM (
            SELECT DISTINCT ON (node_id, function, resource) * FROM inventory_capacitywindow
            WHERE ends_at > %(at)s AND node_id = ANY(%(nodes)s)
            ORDER BY node_id, function, resource, starts_at
        ) AS w
    )
"""
_MOVED_ON: Final = f"""
    {_INHERITED} SELECT DISTINCT node_id FROM inherited WHERE known <> backlog
"""  # noqa: S608  # own text
_INHERIT: Final = f"""
    {_INHERITED}
    UPDATE inventory_capacitywindow w SET backlog = i.backlog
    FROM inherited i WHERE w.id = i.id AND i.known <> i.backlog
"""  # noqa: S608  # own text
_LOCK: Final = """
    SELECT id FROM inventory_capacitywindow
    WHERE node_id = ANY(%s) AND (ends_at > %s OR starts_at >= %s) ORDER BY id FOR UPDATE
"""
"""Once, by ascending id, all that is written afterwards: a take locks windows in this order too."""

_OPEN: Final = """
    INSERT INTO inventory_capacitywindow AS known (node_id, function, resource, starts_at, ends_at,
        most, hard, used, done, backlog)
    SELECT w.*, 0, 0, 0
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[],
        %s::bigint[], %s::boolean[]) AS w
    ON CONFLICT (node_id, function, resource, starts_at) DO NOTHING
"""
_RENEW: Final = """
    UPDATE inventory_capacitywindow w SET ends_at = c.ends_at, most = c.most, hard = c.hard
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[], %s::boolean[])
        AS c (id, ends_at, most, hard)
    WHERE w.id = c.id
"""
_BOOKED: Final = """
    SELECT cause_id, node_id, function, resource, starts_at, sum(used)::bigint, sum(done)::bigint,
        max(id)
    FROM inventory_capacityentry WHERE cause_id = ANY(%s) GROUP BY 1, 2, 3, 4, 5
"""


@transaction.atomic
def open_windows(node_ids: Collection[int] | None = None, *, at: datetime) -> None:
    """Have the windows of the coming days stand with their limits as they are now.

    A window that is no longer in the calendar stays while something was entered into it, with
    nothing to give. Of all counted nodes, or of these; a constant number of statements.
    """
    _begin()
    counted = set(NodeCapacity.objects.values_list("node_id", flat=True).distinct())
    wanted = counted if node_ids is None else set(node_ids)
    wished = _wished(wanted & counted, at)
    coming = CapacityWindow.objects.filter(
        node_id__in=sorted(wanted), ends_at__gt=at, starts_at__lt=at + AHEAD
    ).values_list("node_id", "function", "resource", "starts_at", "pk", "ends_at", "most", "hard")
    known = {row[:4]: row[4:] for row in coming}
    _open([(*key[:3], window) for key, window in wished.items() if key not in known])
    renewed = [
        (key[0], pk, window.ends_at, window.most, window.hard)
        if window
        else (key[0], pk, ends_at, 0, hard)
        for key, (pk, ends_at, most, hard) in known.items()
        for window in [wished.get(key)]
        if _differs(window, ends_at, most, hard)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_MOVED_ON, {"at": at, "nodes": sorted(wanted)})
        moved = {row[0] for row in cursor.fetchall()}
    if renewed or moved:
        _lock({row[0] for row in renewed} | moved, at, since=at)
        _renew([row[1:] for row in renewed])
        _inherit(moved, at)


def _wished(
    node_ids: Collection[int], at: datetime
) -> dict[tuple[int, str, str, datetime], Window]:
    """The windows of the coming days as calendars, limits and plans have them.

    Read afresh: the caller may have changed them, and what it changed may yet be rolled back.
    """
    return {
        (node.id, function, resource, window.starts_at): window
        for node in (node_views(node_ids) if node_ids else ())
        for function, resource in sorted({(c.function, c.resource) for c in node.capacities})
        for window in windows(node, function, resource, at, at + AHEAD)
    }


@transaction.atomic
def use_capacity(
    works: Sequence[WorkAtNode], *, about: Collection[UUID] = (), at: datetime, actor: Actor
) -> int:
    """Enter what causes give nodes to do, as the difference to what was entered before.

    What was done is never taken back, and keeps what it took. `about` are causes whose work at a node
    that is not named has gone from it. Answers how many entries were made; a repeat makes none.
    Four statements.
    """
    del actor
    counted = counted_nodes()
    booked = _booked({*about, *(work.cause_id for work in works)})
    entries: list[_Entry] = []
    named: set[Key] = set()
    for work in works:
        node = counted.get(work.node_id)
        if node is None:
            continue
        for resource in CapacityResource.values:
            key = (work.cause_id, work.node_id, work.function, resource)
            named.add(key)
            entries += _entries_of(work, node, key, booked.get(key) or _Booked())
    for key, known in booked.items():
        if key not in named:
            entries += _gone(key, known)
    if entries:
        _open([(*entry.key[1:], entry.window) for entry in entries if entry.window])
        CapacityEntry.objects.bulk_create(entry.row(at) for entry in entries)
    return len(entries)


@transaction.atomic
def fold_capacity(*, at: datetime) -> int:
    """Add what was entered by transactions that have ended to its windows. Returns how many moved.

    One statement while there is nothing new.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FRESH, {"name": FOLD})
        fresh = cursor.fetchall()
        if not fresh:
            return 0
        _lock({row[0] for row in fresh}, at, since=min(row[3] for row in fresh))
        cursor.execute(_ADD, [list(column) for column in zip(*fresh, strict=True)])
        expect_rows(cursor.fetchone()[0], len(fresh))
    _inherit({row[0] for row in fresh}, at)
    return len(fresh)


@dataclass(slots=True)
class _Booked:
    """What was entered for one key so far: by window, and the last entry."""

    used: dict[datetime, int] = field(default_factory=dict)
    done: dict[datetime, int] = field(default_factory=dict)
    last: int = 0


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry to make; `window` is given where it may have to be opened."""

    key: Key
    kind: str
    starts_at: datetime
    used: int
    done: int
    after: int
    place: int
    window: Window | None = None

    def row(self, at: datetime) -> CapacityEntry:
        cause_id, node_id, function, resource = self.key
        return CapacityEntry(
            node_id=node_id,
            function=function,
            resource=resource,
            starts_at=self.starts_at,
            used=self.used,
            done=self.done,
            counted=False,
            cause_kind=self.kind,
            cause_id=cause_id,
            after=self.after,
            place=self.place,
            at=at,
        )


def _booked(causes: Collection[UUID]) -> dict[Key, _Booked]:
    found: dict[Key, _Booked] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BOOKED, [sorted(causes)])
        for cause_id, node_id, function, resource, starts_at, used, done, last in cursor.fetchall():
            known = found.setdefault((cause_id, node_id, function, resource), _Booked())
            known.used[starts_at], known.done[starts_at] = used, done
            known.last = max(known.last, last)
    return found


def _entries_of(work: WorkAtNode, node: NodeView, key: Key, known: _Booked) -> list[_Entry]:
    """What has grown or was done comes to the window of the moment; what has shrunk leaves its own."""
    resource = key[3]
    done = max(work.done.get(resource, 0) - sum(known.done.values()), 0)
    kept = sum(known.done.values()) + done
    grown = max(work.work.get(resource, 0), kept) - sum(known.used.values())
    made: list[_Entry] = []
    if grown > 0 or done:
        window = window_of(node, work.function, resource, work.moment)
        if window is not None:
            made.append(
                _Entry(
                    key,
                    work.cause_kind,
                    window.starts_at,
                    max(grown, 0),
                    done,
                    known.last,
                    0,
                    window,
                )
            )
    if grown < 0:
        made += _given_back(key, work.cause_kind, known, -grown, len(made))
    return made


def _gone(key: Key, known: _Booked) -> list[_Entry]:
    """Work that has left the node, but for what was done of it."""
    left = sum(known.used.values()) - sum(known.done.values())
    return _given_back(key, "order", known, left, 0) if left > 0 else []


def _given_back(key: Key, kind: str, known: _Booked, units: int, place: int) -> list[_Entry]:
    """Take so many back from the windows that they came to, the latest first."""
    made: list[_Entry] = []
    for starts_at in sorted(known.used, reverse=True):
        part = min(units, known.used[starts_at])
        if part > 0:
            made.append(_Entry(key, kind, starts_at, -part, 0, known.last, place + len(made)))
            units -= part
    return made


def _open(rows: Sequence[tuple[int, str, str, Window]]) -> None:
    """Insert windows that are not there, in the order of their keys."""
    if not rows:
        return
    unique = {(node, function, resource, w.starts_at): w for node, function, resource, w in rows}
    ordered = sorted(unique.items())
    with connection.cursor() as cursor:
        cursor.execute(
            _OPEN,
            [
                [key[0] for key, _ in ordered],
                [key[1] for key, _ in ordered],
                [key[2] for key, _ in ordered],
                [key[3] for key, _ in ordered],
                [window.ends_at for _, window in ordered],
                [window.most for _, window in ordered],
                [window.hard for _, window in ordered],
            ],
        )


def _differs(window: Window | None, ends_at: datetime, most: int, hard: bool) -> bool:  # noqa: FBT001
    """Whether a window stands otherwise than it should; one that is no more gives nothing."""
    if window is None:
        return most > 0
    return (window.ends_at, window.most, window.hard) != (ends_at, most, hard)


def _renew(rows: Sequence[tuple[int, datetime, int, bool]]) -> None:
    """Write the limits of windows as they are now; they are locked."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_RENEW, [list(column) for column in zip(*rows, strict=True)])


def _lock(node_ids: Collection[int], at: datetime, *, since: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [sorted(node_ids), at, since])


def _inherit(node_ids: Collection[int], at: datetime) -> None:
    """Hand on what was left undone; the nodes' windows are locked."""
    if node_ids:
        with connection.cursor() as cursor:
            cursor.execute(_INHERIT, {"at": at, "nodes": sorted(node_ids)})


def _begin() -> None:
    """Where nothing was folded yet, begin with the first entry."""
    CapacityFold.objects.bulk_create([CapacityFold(name=FOLD)], ignore_conflicts=True)
