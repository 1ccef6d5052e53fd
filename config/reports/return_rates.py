"""How often goods come back, and buyers send some: hints for whoever decides or inspects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within

DAYS: Final = 90
MEASURED_FROM: Final = 20
"""Units sent, fewer of which say nothing about how often they come back."""
HIGH_PERCENT: Final = 25
BUYER_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class ReturnRate:
    """Units of a SKU sent in the last days, and units asked back or back in the same days."""

    sent: int
    returned: int
    reason: str
    """The one that most of them gave; a code."""
    days: int = DAYS

    @property
    def measured(self) -> bool:
        return self.sent >= MEASURED_FROM

    @property
    def percent(self) -> str:
        return f"{100 * self.returned / self.sent:.1f}" if self.sent else "0.0"

    @property
    def high(self) -> bool:
        return self.measured and 100 * self.returned >= HIGH_PERCENT * self.sent


def return_rates(sku_ids: Sequence[int], *, scope: Scope, at: datetime) -> dict[int, ReturnRate]:
    """The rate of each SKU. One statement; what the carrier sent back is nobody's wish and left out."""
    if not sku_ids:
        return {}
    found = rows(
        f"""
        WITH wanted AS (SELECT DISTINCT unnest(%(skus)s::bigint[]) AS sku_id),
        sent AS (
            SELECT p.sku_id, -sum(m.quantity) AS units
            FROM wanted JOIN inventory_stockposition p ON p.sku_id = wanted.sku_id
            JOIN inventory_movement m ON m.position_id = p.id AND m.at >= %(since)s
                AND m.at <= %(at)s AND m.kind IN ('issue', 'put_back', 'sale')
            WHERE {within(scope, "p")} GROUP BY 1
        ),
        reasons AS (
            SELECT l.sku_id, l.reason, sum(greatest(l.requested, l.received)) AS units
            FROM wanted JOIN returns_returnline l ON l.sku_id = wanted.sku_id
            JOIN returns_return r ON r.id = l.returned_id AND r.requested_at >= %(since)s
                AND r.requested_at <= %(at)s AND r.kind <> 'sent_back'
                AND r.state NOT IN ('declined', 'cancelled', 'expired')
            WHERE {within(scope, "r")} GROUP BY 1, 2
        ),
        back AS (
            SELECT sku_id, sum(units) AS units,
                (array_agg(reason ORDER BY units DESC, reason) FILTER (WHERE reason <> ''))[1]
                    AS reason
            FROM reasons GROUP BY 1
        )
        SELECT wanted.sku_id, coalesce(sent.units, 0)::int AS sent,
            coalesce(back.units, 0)::int AS returned, coalesce(back.reason, '') AS reason
        FROM wanted LEFT JOIN sent USING (sku_id) LEFT JOIN back USING (sku_id)
        """,  # noqa: S608  # own text
        reach(scope) | {"skus": list(sku_ids), "since": at - timedelta(days=DAYS), "at": at},
    )
    return {
        each["sku_id"]: ReturnRate(max(0, each["sent"]), each["returned"], each["reason"])
        for each in found
    }


def rates_of_lines(
    line_ids: Sequence[UUID], *, scope: Scope, at: datetime
) -> dict[UUID, ReturnRate]:
    """The rate of what each order line sold. Two statements."""
    found = rows(
        "SELECT l.id, l.sku_id FROM orders_orderline l "
        "WHERE l.id = ANY(%(lines)s) AND l.sku_id IS NOT NULL",
        {"lines": list(line_ids)},
    )
    rates = return_rates([each["sku_id"] for each in found], scope=scope, at=at)
    return {each["id"]: rates[each["sku_id"]] for each in found}


def buyer_of(order_id: UUID, *, scope: Scope, at: datetime) -> Row | None:
    """Of the buyer's orders of a year, how many had a return; None for one who is not known."""
    return row(
        f"""
        SELECT count(*) AS orders, count(*) FILTER (WHERE EXISTS (
            SELECT FROM returns_return r WHERE r.order_id = o.id AND r.kind <> 'sent_back'
                AND r.state NOT IN ('declined', 'cancelled'))) AS came_back
        FROM orders_order asked
        JOIN orders_order o ON o.customer_id = asked.customer_id AND o.placed_at >= %(since)s
        WHERE asked.id = %(order)s AND {within(scope, "o")}
        HAVING count(*) > 0
        """,  # noqa: S608  # own text
        reach(scope) | {"order": order_id, "since": at - timedelta(days=BUYER_DAYS)},
    )
