"""What was brought to buyers within a stretch of time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import reach, rows, within


@dataclass(frozen=True, slots=True)
class DeliveredLine:
    line_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class DeliveredOrder:
    """An order of which parcels arrived, and what was in them."""

    order_id: UUID
    lines: tuple[DeliveredLine, ...]


def delivered(start: datetime, end: datetime, *, scope: Scope) -> list[DeliveredOrder]:
    """Orders of which a parcel was delivered in [start, end), with the units that came then."""
    found = rows(
        f"""
        SELECT f.order_id, array_agg(l.order_line_id ORDER BY l.order_line_id) AS lines,
            array_agg(pl.quantity ORDER BY l.order_line_id) AS units
        FROM fulfillment_parcel p
        JOIN fulfillment_fulfillmentorder f ON f.id = p.fulfillment_order_id
        JOIN fulfillment_parcelline pl ON pl.parcel_id = p.id
        JOIN fulfillment_fulfillmentline l ON l.id = pl.line_id
        WHERE {within(scope, "p")} AND p.delivered_at >= %(start)s AND p.delivered_at < %(end)s
            AND pl.quantity > 0
        GROUP BY 1 ORDER BY 1
        """,  # noqa: S608  # own text; values are parameters
        reach(scope) | {"start": start, "end": end},
    )
    return [
        DeliveredOrder(
            row["order_id"],
            tuple(
                DeliveredLine(line, units)
                for line, units in zip(row["lines"], row["units"], strict=True)
            ),
        )
        for row in found
    ]
