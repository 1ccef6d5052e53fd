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

from config.kernel import case_reports, events
from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.demand import demand
from inventory.models import ChannelNode
from inventory.selectors.availability import ats, one_moment
from inventory.selectors.freshness import Changes, changes
from inventory.types import Published, SubjectTag, subject_id

LOW_UNITS: Final = 5
"""Units at or below which a figure is low, where the channel's settings name no `low_units`."""

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
    """What a turn has found and counted: everything as of one moment."""

    changes: Changes
    left: set[int] = field(default_factory=set)
    counted: dict[tuple[UUID, int], int] = field(default_factory=dict)
    channels: dict[UUID, _Channel] = field(default_factory=dict)
    newest: Mapping[UUID, UUID] = field(default_factory=dict)
    compared: int | None = None
    drifted: list[tuple[_Channel, int, int, int]] = field(default_factory=list)

    @property
    def moved(self) -> bool:
        known = self.changes
        return (
            bool(known.marks or self.left or self.counted)
            or self.compared is not None
            or known.network_moved
            or known.unplaced_now != known.unplaced
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
    turn = _Turn(changes(at))
    dirty = set(turn.changes.skus)
    if turn.changes.network_moved:
        dirty |= _kept_skus()
    now = set(sorted(dirty)[:limit])
    turn.left = dirty - now
    turn.channels = _channels()
    _count(turn, now, at)
    if compare:
        _compare(turn, dirty, compare, at)
    if turn.counted:
        turn.newest = demand().newest({channel_id for channel_id, _ in turn.counted})
    return turn


def _kept_skus() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sku_id FROM inventory_channelavailability "
            "UNION SELECT sku_id FROM inventory_stockposition"
        )
        return {row[0] for row in cursor.fetchall()}


def _channels() -> dict[UUID, _Channel]:
    """Every channel that ships from some node: one that is switched off is kept as well."""
    sells = Channel.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=ChannelNode.objects.values("channel_id")
    )
    return {
        row.pk: _Channel(
            row.pk, row.account_id, row.code, int(row.settings.get("low_units", LOW_UNITS))
        )
        for row in sells.order_by("pk")
    }


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
            [turn.changes.compared_id, most],
        )
        rows = cursor.fetchall()
    turn.compared = rows[-1][0] if len(rows) == most else 0
    if not rows and not turn.changes.compared_id:
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
    known = turn.changes
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
                known.seen,
                known.network_now,
                json.dumps(dict(known.unplaced_now)),
                at,
                turn.compared,
                known.since,
                known.counted_at,
            ],
        )
        if not cursor.rowcount:
            return False
        if known.marks:
            cursor.execute("DELETE FROM inventory_dirtysku WHERE id = ANY(%s)", [list(known.marks)])
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
                "seen": turn.changes.seen,
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
