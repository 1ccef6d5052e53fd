"""Keeping every channel's figures: what has changed is found, counted as of one moment and written.

A position names the transaction that changed it last, so the publisher finds changed positions by
themselves; demand without a place and the network are compared with what they were. Whoever changes
anything else that a figure depends on says so by `touch`. A figure never exceeds what could be
counted at its `as_of`: everything that goes into it is read as of that moment, and nothing older
is written over anything newer.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from config.kernel import case_reports, events, versions
from config.kernel.types import Actor
from inventory.demand import demand
from inventory.selectors.availability import ats, one_moment
from inventory.selectors.network import TOPIC
from inventory.types import Published, SubjectTag, subject_id

LOW_UNITS: Final = 5
"""Units at or below which a figure is low, where the channel's settings name no `low_units`."""

_NOTHING_SEEN: Final = "1:1:"
_SEEN: Final = """
    SELECT coalesce(t.seen, ''), coalesce(t.network_version, -1), coalesce(t.unplaced::text, '{}'),
        t.counted_at, coalesce(t.compared_id, 0), pg_current_snapshot()::text
    FROM (SELECT 1) AS one LEFT JOIN inventory_availabilityturn t ON true
"""
_CHANGED: Final = """
    WITH changed AS (
        SELECT sku_id FROM inventory_stockposition
        WHERE changed_xid >= pg_snapshot_xmin(%(since)s::pg_snapshot)::text::bigint
          AND NOT pg_visible_in_snapshot(changed_xid::text::xid8, %(since)s::pg_snapshot)
        UNION SELECT sku_id FROM inventory_exclusion WHERE until > %(before)s AND until <= %(at)s
        UNION SELECT unnest(%(others)s::bigint[])
    )
    SELECT sku_id FROM changed
    UNION SELECT c.kit_id FROM inventory_kitcomponent c JOIN changed ON changed.sku_id = c.component_id
"""
_CHANNELS: Final = """
    SELECT c.id, c.account_id, c.code, coalesce((c.settings ->> 'low_units')::bigint, %s)
    FROM kernel_channel c
    WHERE c.active AND EXISTS (SELECT FROM inventory_channelnode n WHERE n.channel_id = c.id)
    ORDER BY c.id
"""
_WRITE: Final = """
    INSERT INTO inventory_channelavailability AS known (account_id, channel_id, sku_id, ats, version,
        as_of, changed_at, last_order_id, published_version, seen_xid)
    SELECT fresh.account_id, fresh.channel_id, fresh.sku_id, fresh.ats, 1, %(at)s, %(at)s,
        fresh.last_order_id, 0, pg_snapshot_xmin(%(seen)s::pg_snapshot)::text::bigint
    FROM unnest(%(accounts)s::uuid[], %(channels)s::uuid[], %(skus)s::bigint[], %(units)s::bigint[],
        %(orders)s::uuid[]) AS fresh (account_id, channel_id, sku_id, ats, last_order_id)
    ON CONFLICT (channel_id, sku_id) DO UPDATE
    SET ats = excluded.ats, version = known.version + 1, as_of = excluded.as_of,
        changed_at = excluded.changed_at, last_order_id = excluded.last_order_id,
        seen_xid = excluded.seen_xid
    WHERE known.ats <> excluded.ats AND known.as_of <= excluded.as_of
    RETURNING old.ats, new.id, new.version, new.channel_id, new.sku_id, new.ats
"""


@dataclass(frozen=True, slots=True)
class _Channel:
    id: UUID
    account_id: UUID
    code: str
    low_units: int


@dataclass(slots=True)
class _Turn:
    """What a turn has read, and what it has counted: everything as of `at`."""

    since: str
    network_version: int
    unplaced: Mapping[str, int]
    counted_at: datetime | None
    compared_id: int
    seen: str
    network_now: int = 0
    unplaced_now: Mapping[str, int] = field(default_factory=dict)
    marks: list[int] = field(default_factory=list)
    left: set[int] = field(default_factory=set)
    counted: dict[tuple[UUID, int], int] = field(default_factory=dict)
    channels: dict[UUID, _Channel] = field(default_factory=dict)
    newest: Mapping[UUID, UUID] = field(default_factory=dict)
    compared: int | None = None
    drifted: list[tuple[_Channel, int, int, int]] = field(default_factory=list)

    @property
    def moved(self) -> bool:
        return bool(self.marks or self.left or self.counted or self.compared is not None) or (
            self.network_now != self.network_version or self.unplaced_now != self.unplaced
        )


def touch(sku_ids: Collection[int], *, channel_id: UUID | None = None, at: datetime) -> None:
    """Have the figures of these SKUs worked out anew, in one channel or in all. One statement.

    Called in the transaction that changes what the figures depend on. A changed position needs none.
    """
    if not sku_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_dirtysku (account_id, sku_id, channel_id, at) "
            "SELECT account_id, id, %s, %s FROM inventory_sku WHERE id = ANY(%s)",
            [channel_id, at, sorted(set(sku_ids))],
        )


def publish_changes(limit: int, *, compare: int = 0, at: datetime, actor: Actor) -> Published:
    """Bring the kept figures up to date: of at most so many SKUs, all channels at once.

    With `compare`, so many more that nothing has touched are counted anew as well: one that differs
    has drifted, is put right, and is a case when it had said too much. Called with no transaction
    open.
    """
    with one_moment():
        turn = _look(limit, compare, at)
    if not turn.moved:
        return Published()
    with transaction.atomic():
        if not _finish(turn, at=at):
            return Published()
        changed = _write(turn, at=at)
        _tell(turn, changed, at=at, actor=actor)
        case_reports.report(_drift_reports(turn), at=at)
    return Published(len(turn.counted), len(changed), len(turn.left), len(turn.drifted))


def mark_published(
    channel_id: UUID, told: Mapping[int, int], *, at: datetime, actor: Actor
) -> None:
    """The channel was told these versions of its figures, by SKU; an older one is passed over."""
    del at, actor
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM inventory_channelavailability "
            "WHERE channel_id = %s AND sku_id = ANY(%s) ORDER BY channel_id, sku_id FOR UPDATE",
            [channel_id, sorted(told)],
        )
        cursor.execute(
            """
            UPDATE inventory_channelavailability known SET published_version = told.version
            FROM unnest(%s::bigint[], %s::bigint[]) AS told (sku_id, version)
            WHERE known.channel_id = %s AND known.sku_id = told.sku_id
              AND known.published_version < told.version AND told.version <= known.version
            """,
            [list(told), list(told.values()), channel_id],
        )


def _look(limit: int, compare: int, at: datetime) -> _Turn:
    """Find what has changed since the last turn, and count it."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN)
        [row] = cursor.fetchall()
        turn = _Turn(row[0], row[1], json.loads(row[2]), row[3], row[4], row[5])
        cursor.execute("SELECT id, sku_id, channel_id FROM inventory_dirtysku ORDER BY id")
        marks = cursor.fetchall()
    turn.marks = [mark[0] for mark in marks]
    turn.network_now = versions.read([TOPIC])[TOPIC]
    turn.unplaced_now = {str(key): units for key, units in demand().unplaced(None).items()}
    touched = {sku_id for _, sku_id, _ in marks} | _moved_demand(turn)
    if turn.network_now != turn.network_version:
        touched |= _kept_skus()
    dirty = _changed(turn, touched, at)
    now = set(sorted(dirty)[:limit])
    turn.left = dirty - now
    turn.channels = _channels()
    _count(turn, now, at)
    if compare:
        _compare(turn, dirty, compare, at)
    if turn.counted:
        turn.newest = demand().newest({channel_id for channel_id, _ in turn.counted})
    return turn


def _moved_demand(turn: _Turn) -> set[int]:
    """SKUs of which more or fewer units are without a place than at the last turn."""
    before, now = turn.unplaced, turn.unplaced_now
    return {int(key) for key in before.keys() | now.keys() if before.get(key) != now.get(key)}


def _kept_skus() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sku_id FROM inventory_channelavailability "
            "UNION SELECT sku_id FROM inventory_stockposition"
        )
        return {row[0] for row in cursor.fetchall()}


def _changed(turn: _Turn, others: Collection[int], at: datetime) -> set[int]:
    """SKUs whose figures may be others now, and the kits that they are components of."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CHANGED,
            {
                "since": turn.since or _NOTHING_SEEN,
                "before": turn.counted_at or at,
                "at": at,
                "others": sorted(others),
            },
        )
        return {row[0] for row in cursor.fetchall()}


def _channels() -> dict[UUID, _Channel]:
    with connection.cursor() as cursor:
        cursor.execute(_CHANNELS, [LOW_UNITS])
        return {row[0]: _Channel(*row) for row in cursor.fetchall()}


def _count(turn: _Turn, sku_ids: Collection[int], at: datetime) -> None:
    """Count these SKUs in every channel of their accounts: some statements per channel."""
    by_account = _by_account(sku_ids)
    for channel in turn.channels.values():
        if own := by_account.get(channel.account_id):
            figures = ats(channel.id, own, at=at)
            turn.counted |= {(channel.id, sku_id): units for sku_id, units in figures.items()}


def _by_account(sku_ids: Collection[int]) -> dict[UUID, list[int]]:
    found: dict[UUID, list[int]] = {}
    if not sku_ids:
        return found
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id, array_agg(id) FROM inventory_sku WHERE id = ANY(%s) GROUP BY 1",
            [sorted(sku_ids)],
        )
        return dict(cursor.fetchall())


def _compare(turn: _Turn, dirty: Collection[int], most: int, at: datetime) -> None:
    """Count the next figures anew that nothing has touched; remember those that differ."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, channel_id, sku_id, ats FROM inventory_channelavailability "
            "WHERE id > %s ORDER BY id LIMIT %s",
            [turn.compared_id, most],
        )
        rows = cursor.fetchall()
    turn.compared = rows[-1][0] if len(rows) == most else 0
    if not rows and not turn.compared_id:
        turn.compared = None
    kept: dict[UUID, dict[int, int]] = {}
    for _, channel_id, sku_id, units in rows:
        if channel_id in turn.channels and sku_id not in dirty:
            kept.setdefault(channel_id, {})[sku_id] = units
    for channel_id, figures in kept.items():
        for sku_id, units in ats(channel_id, figures, at=at).items():
            if units != figures[sku_id]:
                turn.counted[channel_id, sku_id] = units
                turn.drifted.append((turn.channels[channel_id], sku_id, figures[sku_id], units))


def _finish(turn: _Turn, *, at: datetime) -> bool:
    """Move on, unless somebody else has had a turn meanwhile: theirs is newer then."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_availabilityturn (id, seen, network_version, unplaced, "
            "compared_id) VALUES (1, '', -1, '{}', 0) ON CONFLICT (id) DO NOTHING"
        )
        cursor.execute(
            "UPDATE inventory_availabilityturn SET seen = %s, network_version = %s, "
            "unplaced = %s::jsonb, counted_at = %s, compared_id = coalesce(%s, compared_id) "
            "WHERE id = 1 AND seen = %s AND counted_at IS NOT DISTINCT FROM %s",
            [
                turn.seen,
                turn.network_now,
                json.dumps(turn.unplaced_now),
                at,
                turn.compared,
                turn.since,
                turn.counted_at,
            ],
        )
        if not cursor.rowcount:
            return False
        if turn.marks:
            cursor.execute("DELETE FROM inventory_dirtysku WHERE id = ANY(%s)", [turn.marks])
    touch(turn.left, at=at)
    return True


def _write(turn: _Turn, *, at: datetime) -> list[tuple[int | None, int, int, UUID, int, int]]:
    """Put the figures down; returns those that changed: before, row, version, channel, SKU, now."""
    keys = sorted(turn.counted)
    if not keys:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "accounts": [turn.channels[channel_id].account_id for channel_id, _ in keys],
                "channels": [channel_id for channel_id, _ in keys],
                "skus": [sku_id for _, sku_id in keys],
                "units": [turn.counted[key] for key in keys],
                "orders": [turn.newest.get(channel_id) for channel_id, _ in keys],
                "at": at,
                "seen": turn.seen,
            },
        )
        return list(cursor.fetchall())


def crossed(before: int | None, now: int, low: int) -> str:
    """The event of a figure that went from one number to another; empty when it crossed nothing."""
    if before is None or before == now:
        return ""
    if now == 0:
        return "availability.sold_out"
    if before == 0:
        return "availability.back_in_stock"
    return "availability.low" if before > low >= now else ""


def _tell(
    turn: _Turn,
    changed: Iterable[tuple[int | None, int, int, UUID, int, int]],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    news = [
        (topic, row)
        for row in changed
        if (topic := crossed(row[0], row[5], turn.channels[row[3]].low_units))
    ]
    codes = _codes({row[4] for _, row in news})
    events.record(
        [
            events.Fact(
                topic,
                "channel_sku",
                subject_id(SubjectTag.CHANNEL_SKU, row_id),
                version,
                turn.channels[channel_id].account_id,
                {
                    "channel_id": str(channel_id),
                    "channel": turn.channels[channel_id].code,
                    "sku_id": sku_id,
                    "sku": codes.get(sku_id, ""),
                    "units": now,
                    "before": before,
                    "version": version,
                    "as_of": at.isoformat(),
                },
            )
            for topic, (before, row_id, version, channel_id, sku_id, now) in news
        ],
        at=at,
        actor=actor,
    )


def _codes(sku_ids: Collection[int]) -> dict[int, str]:
    if not sku_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, code FROM inventory_sku WHERE id = ANY(%s)", [sorted(sku_ids)])
        return dict(cursor.fetchall())


def _drift_reports(turn: _Turn) -> Sequence[case_reports.Report]:
    """Figures that had said more than there is, although nothing was known to have changed."""
    return [
        case_reports.Report(
            "AVAILABILITY_DRIFT",
            "sku",
            subject_id(SubjectTag.SKU, sku_id),
            channel.account_id,
            {"sku_id": sku_id, "channel": channel.code, "kept": kept, "counted": units},
            cause=f"channel:{channel.code}",
        )
        for channel, sku_id, kept, units in turn.drifted
        if kept > units
    ]
