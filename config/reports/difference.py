"""What a channel was told of a SKU against what it may sell now, and what has happened between."""

from datetime import datetime
from typing import Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, rows, within
from inventory.types import SubjectTag, subject_id

SHOWN: Final = 50
"""Events on a page, the latest first."""

_TERMS: Final = """
    WITH place AS (
        SELECT p.id FROM inventory_stockposition p
        JOIN inventory_channelnode used ON used.node_id = p.node_id
            AND used.channel_id = %(channel)s AND used.ships
        WHERE p.sku_id = %(sku)s
    )
    SELECT moved.kind AS code, sum(moved.quantity)::bigint AS units, count(*) AS many
    FROM place JOIN inventory_movement moved ON moved.position_id = place.id
    WHERE moved.condition = 'available' AND moved.kind NOT IN ('issue', 'put_back')
        AND moved.at > %(since)s
    GROUP BY 1
    UNION ALL
    SELECT 'claimed', -sum(claim.quantity - claim.consumed - claim.released)::bigint, count(*)
    FROM place JOIN inventory_reservation claim ON claim.position_id = place.id
    WHERE claim.state IN ('held', 'reserved', 'committed') AND claim.at > %(since)s
    HAVING count(*) > 0
    UNION ALL
    SELECT 'given_back', sum(claim.released)::bigint, count(*)
    FROM place JOIN inventory_reservation claim ON claim.position_id = place.id
    WHERE claim.at <= %(since)s AND claim.closed_at > %(since)s AND claim.released > 0
    HAVING count(*) > 0
    ORDER BY 2
"""
_ABOUT: Final = """
    WITH used AS (SELECT node_id FROM inventory_channelnode WHERE channel_id = %(channel)s)
    SELECT %(node)s AS tag, node_id AS pk FROM used
    UNION ALL SELECT %(feed)s, feed.id FROM inventory_feed feed JOIN used USING (node_id)
    UNION ALL SELECT %(position)s, held.id FROM inventory_stockposition held
        JOIN used USING (node_id) WHERE held.sku_id = %(sku)s
    UNION ALL SELECT %(lot)s, lot.id FROM inventory_lot lot WHERE lot.sku_id = %(sku)s
    UNION ALL SELECT %(sku_tag)s, %(sku)s
"""
_PLANS: Final = """
    SELECT rule.id FROM inventory_bufferrule rule JOIN kernel_channel c USING (account_id)
    WHERE c.id = %(channel)s
    UNION ALL
    SELECT plan.id FROM inventory_quotaplan plan JOIN kernel_channel c USING (account_id)
    WHERE c.id = %(channel)s
"""


def terms(channel_id: UUID, sku_id: int, since: datetime) -> list[Row]:
    """What has come to and gone from the shelves since, what was claimed, and what was given back.

    What left with a parcel had been claimed before: it changes nothing.
    """
    return rows(_TERMS, {"channel": channel_id, "sku": sku_id, "since": since})


def happened(channel_id: UUID, sku_id: int, since: datetime, *, scope: Scope) -> list[Row]:
    """Events since of what a figure depends on: nodes, feeds, positions, lots, rules and quotas."""
    asked = {
        "channel": channel_id,
        "sku": sku_id,
        "node": SubjectTag.NODE.value,
        "feed": SubjectTag.FEED.value,
        "position": SubjectTag.POSITION.value,
        "lot": SubjectTag.LOT.value,
        "sku_tag": SubjectTag.SKU.value,
    }
    subjects = [subject_id(SubjectTag(each["tag"]), each["pk"]) for each in rows(_ABOUT, asked)]
    subjects += [each["id"] for each in rows(_PLANS, asked)]
    return rows(
        f"""
        SELECT event.topic, event.at, event.actor_name, event.subject_kind, event.subject_id,
            coalesce(event.data->>'node_code', '') AS node, coalesce(event.data->>'reason', '')
                AS reason
        FROM kernel_event event
        WHERE event.subject_id = ANY(%(subjects)s) AND event.at > %(since)s
            AND {within(scope, "event")}
        ORDER BY event.at DESC, event.id DESC LIMIT {SHOWN}
        """,  # noqa: S608  # own text
        reach(scope) | {"subjects": subjects, "since": since},
    )
