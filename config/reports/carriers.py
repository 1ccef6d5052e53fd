"""The carriers at work: what waits for a scan, what is late or in trouble, and how well each delivers.

Parcels that were handed to a carrier, by the carrier's code and our service. Promises are what the
buyer was told last; a carrier's own word is its first estimate. What was not measured is None.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within

UNSCANNED_AFTER: Final = timedelta(hours=24)
FEW: Final = 30
"""Below so many parcels a share says little: `few` marks the row."""
_MOVING: Final = (
    "handed_over",
    "in_transit",
    "out_for_delivery",
    "attempted",
    "at_pickup_point",
    "returning",
)
_TROUBLE: Final = ("attempted", "at_pickup_point", "returning", "damaged", "lost")
_ENDED_BADLY: Final = ("damaged", "lost")

_PARCELS: Final = """
FROM fulfillment_parcel p
JOIN fulfillment_fulfillmentorder f ON f.id = p.fulfillment_order_id
JOIN orders_order o ON o.id = f.order_id
JOIN orders_deliverygroup g ON g.id = f.group_id
JOIN inventory_node n ON n.id = f.node_id
LEFT JOIN inventory_carrier carrier ON carrier.code = p.carrier_code
LEFT JOIN inventory_servicelevel service ON service.id = f.service_level_id
LEFT JOIN integrations_deliveryestimate estimate ON estimate.parcel_id = p.id
"""
_ROW: Final = """
SELECT p.id, p.number, p.state, p.carrier_code, coalesce(carrier.name, p.carrier_code) AS carrier_name,
    p.tracking_number, p.handed_over_at, p.last_heard_at, o.number AS order_number, o.id AS order_id,
    n.code AS node_code, coalesce(service.name, '') AS service_name, g.deliver_by, g.postal_code,
    g.country, estimate.latest_at AS estimated_at
"""


def _reach(scope: Scope, nodes: set[int] | None, carrier: str) -> tuple[str, Row]:
    """The condition for the parcels that the reader sees, of one carrier or of all."""
    wall = f"{within(scope, 'p')} AND (%(all_nodes)s OR f.node_id = ANY(%(nodes)s))"
    values = reach(scope) | {
        "all_nodes": nodes is None,
        "nodes": sorted(nodes or ()),
        "carrier": carrier,
    }
    return f"{wall} AND (%(carrier)s = '' OR p.carrier_code = %(carrier)s)", values


def standing(
    *, scope: Scope, nodes: set[int] | None, at: datetime, unscanned: timedelta = UNSCANNED_AFTER
) -> list[Row]:
    """Per carrier, of the parcels it has now: how many, without a scan, late, and in trouble."""
    seen, values = _reach(scope, nodes, "")
    return rows(
        f"""
        SELECT p.carrier_code, coalesce(carrier.name, p.carrier_code) AS carrier_name,
            count(*) FILTER (WHERE p.state = ANY(%(moving)s)) AS on_the_way,
            count(*) FILTER (WHERE p.state = 'handed_over' AND p.handed_over_at < %(before)s)
                AS without_scan,
            count(*) FILTER (WHERE p.state = ANY(%(moving)s) AND g.deliver_by < %(at)s) AS late,
            count(*) FILTER (WHERE p.state = ANY(%(trouble)s)) AS in_trouble,
            max(p.last_heard_at) AS last_heard_at
        {_PARCELS}
        WHERE p.state = ANY(%(states)s) AND p.carrier_code <> '' AND {seen}
        GROUP BY 1, 2 ORDER BY 1
        """,
        values
        | {
            "at": at,
            "before": at - unscanned,
            "moving": list(_MOVING),
            "trouble": list(_TROUBLE),
            "states": [*_MOVING, *_ENDED_BADLY],
        },
    )


def without_scan(
    *,
    scope: Scope,
    nodes: set[int] | None,
    at: datetime,
    unscanned: timedelta = UNSCANNED_AFTER,
    carrier: str = "",
    limit: int = 100,
) -> list[Row]:
    """Parcels that were handed over so long ago and never scanned, the oldest first."""
    seen, values = _reach(scope, nodes, carrier)
    return rows(
        f"{_ROW} {_PARCELS} WHERE p.state = 'handed_over' AND p.handed_over_at < %(before)s "
        f"AND p.carrier_code <> '' AND {seen} ORDER BY p.handed_over_at, p.id LIMIT %(limit)s",
        values | {"before": at - unscanned, "limit": limit},
    )


def late(
    *, scope: Scope, nodes: set[int] | None, at: datetime, carrier: str = "", limit: int = 100
) -> list[Row]:
    """Parcels on their way past what the buyer was promised, the latest first."""
    seen, values = _reach(scope, nodes, carrier)
    return rows(
        f"{_ROW} {_PARCELS} WHERE p.state = ANY(%(states)s) AND g.deliver_by < %(at)s "
        f"AND p.carrier_code <> '' AND {seen} ORDER BY g.deliver_by, p.id LIMIT %(limit)s",
        values | {"at": at, "states": list(_MOVING), "limit": limit},
    )


def in_trouble(
    *, scope: Scope, nodes: set[int] | None, carrier: str = "", limit: int = 100
) -> list[Row]:
    """Parcels attempted, waiting, turned back, damaged or lost, the longest silent first."""
    seen, values = _reach(scope, nodes, carrier)
    return rows(
        f"{_ROW} {_PARCELS} WHERE p.state = ANY(%(states)s) AND p.carrier_code <> '' AND {seen} "
        "ORDER BY p.last_heard_at NULLS FIRST, p.id LIMIT %(limit)s",
        values | {"states": list(_TROUBLE), "limit": limit},
    )


_COHORT: Final = """
WITH cohort AS (
    SELECT p.id, p.carrier_code, coalesce(carrier.name, p.carrier_code) AS carrier_name,
        coalesce(service.name, '') AS service_name, p.state, p.handed_over_at, p.delivered_at,
        g.deliver_by, g.postal_code, g.country, n.code AS node_code, estimate.first_at AS estimated_at
    {parcels}
    WHERE p.handed_over_at >= %(since)s AND p.handed_over_at < %(until)s AND p.carrier_code <> ''
        AND {seen}
)
"""
_HOURS: Final = "extract(epoch FROM {0} - handed_over_at) / 3600"


def scorecard(
    *,
    scope: Scope,
    nodes: set[int] | None,
    since: datetime,
    until: datetime,
    at: datetime,
    carrier: str = "",
) -> list[Row]:
    """Per carrier and service, of the parcels handed over in the window.

    `on_time` and `to_own_word` are shares of those whose day has come; `first_attempt` of those
    delivered; lost and damaged per thousand; hours to the first scan (median and 95th of a hundred);
    days to the door (median); the price of a label in minor units.
    """
    seen, values = _reach(scope, nodes, carrier)
    return rows(
        f"""
        {_COHORT.format(parcels=_PARCELS, seen=seen)},
        scans AS (
            SELECT t.parcel_id, min(t.happened_at) FILTER (WHERE t.status <> 'handed_over') AS first_at,
                bool_or(t.status = 'attempted') AS attempted
            FROM fulfillment_trackingevent t JOIN cohort ON cohort.id = t.parcel_id GROUP BY 1
        ),
        labels AS (
            SELECT l.parcel_id, sum(l.cost_minor) AS cost, min(l.currency) AS currency
            FROM fulfillment_label l JOIN cohort ON cohort.id = l.parcel_id
            WHERE l.voided_at IS NULL AND l.cost_minor IS NOT NULL GROUP BY 1
        )
        SELECT carrier_code, carrier_name, service_name, count(*) AS parcels,
            count(*) < %(few)s AS few, count(*) FILTER (WHERE state = 'delivered') AS delivered,
            avg((coalesce(delivered_at, 'infinity') <= deliver_by)::int)
                FILTER (WHERE deliver_by <= %(at)s OR delivered_at IS NOT NULL)::float AS on_time,
            avg((coalesce(delivered_at, 'infinity') <= estimated_at)::int)
                FILTER (WHERE estimated_at <= %(at)s OR delivered_at IS NOT NULL)::float
                AS to_own_word,
            avg((NOT coalesce(attempted, false))::int)
                FILTER (WHERE delivered_at IS NOT NULL)::float AS first_attempt,
            (1000.0 * count(*) FILTER (WHERE state = 'lost') / count(*))::float AS lost_per_mille,
            (1000.0 * count(*) FILTER (WHERE state = 'damaged') / count(*))::float
                AS damaged_per_mille,
            count(*) FILTER (WHERE first_at IS NULL) AS without_scan,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY {_HOURS.format("first_at")})
                AS first_scan_hours,
            percentile_cont(0.95) WITHIN GROUP (ORDER BY {_HOURS.format("first_at")})
                AS first_scan_hours_p95,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY {_HOURS.format("delivered_at")} / 24)
                AS days,
            avg(labels.cost)::float AS cost_minor, min(labels.currency) AS currency
        FROM cohort
        LEFT JOIN scans ON scans.parcel_id = cohort.id
        LEFT JOIN labels ON labels.parcel_id = cohort.id
        GROUP BY 1, 2, 3 ORDER BY 1, 3
        """,  # noqa: S608  # own text
        values | {"since": since, "until": until, "at": at, "few": FEW},
    )


def lanes(
    *,
    scope: Scope,
    nodes: set[int] | None,
    since: datetime,
    until: datetime,
    carrier: str = "",
    limit: int = 200,
) -> list[Row]:
    """Days to the door by carrier and lane (node → first digit of the ZIP code, or the country)."""
    seen, values = _reach(scope, nodes, carrier)
    return rows(
        f"""
        {_COHORT.format(parcels=_PARCELS, seen=seen)}
        SELECT carrier_code, carrier_name, node_code,
            CASE WHEN country = 'US' THEN left(postal_code, 1) ELSE country END AS destination,
            count(*) AS parcels, count(*) < %(few)s AS few,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY {_HOURS.format("delivered_at")} / 24)
                AS days,
            percentile_cont(0.9) WITHIN GROUP (ORDER BY {_HOURS.format("delivered_at")} / 24)
                AS days_p90,
            avg((delivered_at <= deliver_by)::int)::float AS on_time
        FROM cohort WHERE delivered_at IS NOT NULL
        GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 3, 4 LIMIT %(limit)s
        """,  # noqa: S608  # own text
        values | {"since": since, "until": until, "few": FEW, "limit": limit},
    )


def estimate(parcel_id: UUID, *, scope: Scope) -> Row | None:
    """When the carrier expects to deliver one parcel: at first, and now. None when it has not said."""
    return row(
        "SELECT e.first_at, e.latest_at, e.told_at FROM integrations_deliveryestimate e "  # noqa: S608
        f"WHERE e.parcel_id = %(parcel)s AND {within(scope, 'e')}",
        reach(scope) | {"parcel": parcel_id},
    )
