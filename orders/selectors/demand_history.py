"""What was ordered of us, added up: by day, by destination and service, and by SKU."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection


@dataclass(frozen=True, slots=True)
class SoldSku:
    """Lines and units of a SKU; `recent` are lines of the later part. Value and weight of a unit."""

    sku_id: int
    lines: int
    units: int
    recent: int
    unit_minor: int
    grams: int


@dataclass(frozen=True, slots=True)
class SoldPlace:
    """Delivery groups by where they went and how; `recent` are those of the later part."""

    country: str
    region: str
    postal_code: str
    service: str
    groups: int
    recent: int


@dataclass(frozen=True, slots=True)
class Sold:
    """Recorded demand of an account in a currency. `sizes` are groups by their number of lines.

    `channel_id` is the channel that most of it came through; None where there was nothing.
    """

    by_day: Mapping[date, int]
    sizes: Mapping[int, int]
    places: tuple[SoldPlace, ...]
    skus: tuple[SoldSku, ...]
    channel_id: UUID | None
    recent: int

    @property
    def groups(self) -> int:
        return sum(self.by_day.values())


_OURS = """
    FROM orders_order o
    JOIN orders_deliverygroup g ON g.order_id = o.id AND g.fulfilled_by = 'us'
        AND g.method IN ('ship', 'own_delivery')
    JOIN orders_orderline l ON l.group_id = g.id AND l.kind = 'stock' AND l.sku_id IS NOT NULL
    WHERE o.account_id = %(account)s AND o.currency = %(currency)s
        AND o.placed_at >= %(since)s AND o.placed_at < %(until)s AND o.state <> 'draft'
"""


def sold(
    account_id: UUID, currency: str, *, since: datetime, later: datetime, until: datetime
) -> Sold:
    """What buyers ordered from `since` to `until`; what came from `later` on counts as recent.

    Days are those of UTC. Two statements, whatever was sold.
    """
    asked: dict[str, Any] = {
        "account": account_id,
        "currency": currency,
        "since": since,
        "later": later,
        "until": until,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH parts AS (
                SELECT g.id, o.channel_id, g.country, g.region, g.service_code,
                    min(g.postal_code) AS postal_code, (o.placed_at AT TIME ZONE 'UTC')::date AS day,
                    (o.placed_at >= %(later)s)::int AS recent, count(*) AS lines
                {_OURS} GROUP BY g.id, o.id
            )
            SELECT grouping(day), grouping(lines), grouping(channel_id), day, lines, channel_id,
                country, region, service_code, min(postal_code), count(*), sum(recent)
            FROM parts GROUP BY GROUPING SETS (
                (day), (lines), (channel_id), (country, region, service_code))
            ORDER BY day, lines, channel_id, country, region, service_code
            """,  # noqa: S608  # a constant of this module
            asked,
        )
        found = cursor.fetchall()
        cursor.execute(
            f"""
            SELECT l.sku_id, count(*), sum(l.ordered),
                count(*) FILTER (WHERE o.placed_at >= %(later)s),
                sum(l.total_minor) / greatest(1, sum(l.ordered)), max(l.unit_weight_grams)
            {_OURS} GROUP BY l.sku_id ORDER BY l.sku_id
            """,  # a constant of this module
            asked,
        )
        skus = tuple(SoldSku(*map(int, row)) for row in cursor.fetchall())
    return Sold(
        {row[3]: row[10] for row in found if not row[0]},
        {row[4]: row[10] for row in found if not row[1]},
        tuple(
            SoldPlace(row[6], row[7], row[9], row[8], row[10], int(row[11]))
            for row in found
            if row[0] and row[1] and row[2]
        ),
        skus,
        max(((row[10], row[5]) for row in found if not row[2]), default=(0, None))[1],
        sum(int(row[11]) for row in found if not row[0]),
    )


def accounts_that_sell(*, since: datetime, until: datetime, before: datetime) -> set[UUID]:
    """Accounts of which something was ordered from `since` to `until`, and something before that.

    One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT account_id FROM (SELECT DISTINCT account_id FROM orders_order
                WHERE placed_at >= %s AND placed_at <= %s) now
            WHERE EXISTS (SELECT FROM orders_order o
                WHERE o.account_id = now.account_id AND o.placed_at <= %s)
            """,
            [since, until, before],
        )
        return {row[0] for row in cursor.fetchall()}
