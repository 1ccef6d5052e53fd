"""What has changed since figures were last worked out; and figures from those that still stand.

A position names the transaction that changed it last: what the publisher's last snapshot did not see
has changed since. Whatever else a figure depends on is compared, has a time, or was marked by `touch`.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from config.kernel import versions
from inventory.demand import demand
from inventory.selectors.availability import ats
from inventory.selectors.network import TOPIC

_NOTHING_SEEN: Final = "1:1:"
_TURN: Final = """
    SELECT coalesce(t.seen, ''), coalesce(t.network_version, -1), coalesce(t.unplaced::text, '{}'),
        t.counted_at, coalesce(t.compared_id, 0), pg_current_snapshot()::text,
        (SELECT json_agg(json_build_array(d.id, d.sku_id)) FROM inventory_dirtysku d)::text
    FROM (SELECT 1) AS one LEFT JOIN inventory_availabilityturn t ON true
"""
_CHANGED: Final = """
    WITH changed AS (
        SELECT sku_id FROM inventory_stockposition
        WHERE changed_xid >= pg_snapshot_xmin(%(since)s::pg_snapshot)::text::bigint
          AND NOT pg_visible_in_snapshot(changed_xid::text::xid8, %(since)s::pg_snapshot)
        UNION SELECT sku_id FROM inventory_exclusion WHERE until > %(before)s AND until <= %(at)s
        UNION SELECT sku_id FROM inventory_stockposition
            WHERE fresh_until > %(before)s AND fresh_until <= %(at)s
        UNION SELECT unnest(%(others)s::bigint[])
    )
    SELECT sku_id FROM changed
    UNION SELECT c.kit_id FROM inventory_kitcomponent c JOIN changed ON changed.sku_id = c.component_id
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """What the publisher knew at its last turn, what is so now, and the SKUs that this concerns.

    `marks` are the rows of `touch` that were read. `network_moved` concerns every SKU.
    """

    since: str
    network_version: int
    unplaced: Mapping[str, int]
    counted_at: datetime | None
    compared_id: int
    seen: str
    network_now: int
    unplaced_now: Mapping[str, int]
    marks: tuple[int, ...]
    skus: frozenset[int]

    @property
    def network_moved(self) -> bool:
        return self.network_now != self.network_version


def changes(at: datetime) -> Changes:
    """Find what has changed since the publisher's last turn. Four statements."""
    with connection.cursor() as cursor:
        cursor.execute(_TURN)
        [(since, network_version, unplaced, counted_at, compared_id, seen, marks)] = (
            cursor.fetchall()
        )
    before: dict[str, int] = json.loads(unplaced)
    now = {str(sku_id): units for sku_id, units in demand().unplaced(None).items()}
    touched = json.loads(marks) if marks else []
    others = {sku_id for _, sku_id in touched}
    others |= {int(key) for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
    with connection.cursor() as cursor:
        cursor.execute(
            _CHANGED,
            {
                "since": since or _NOTHING_SEEN,
                "before": counted_at or at,
                "at": at,
                "others": sorted(others),
            },
        )
        skus = frozenset(row[0] for row in cursor.fetchall())
    return Changes(
        since,
        network_version,
        before,
        counted_at,
        compared_id,
        seen,
        versions.read([TOPIC])[TOPIC],
        now,
        tuple(mark_id for mark_id, _ in touched),
        skus,
    )


def figures(channel_id: UUID, sku_ids: Collection[int], *, at: datetime) -> dict[int, int]:
    """As `ats` of now: kept figures where nothing that they depend on has changed, others counted.

    Called within one moment.
    """
    changed = changes(at)
    kept: dict[int, int] = {}
    if not changed.network_moved:
        wanted = sorted(set(sku_ids) - changed.skus)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sku_id, ats FROM inventory_channelavailability "
                "WHERE channel_id = %s AND sku_id = ANY(%s)",
                [channel_id, wanted],
            )
            kept = dict(cursor.fetchall())
    missing = set(sku_ids) - kept.keys()
    return kept | ats(channel_id, missing, at=at) if missing else kept
