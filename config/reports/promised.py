"""What buyers were promised: units held for them, and the dates first given to them."""

from dataclasses import dataclass
from datetime import datetime

from config.kernel.types import Scope
from config.reports.sql import reach, rows, within


@dataclass(frozen=True, slots=True)
class ShippedGroup:
    """A group that has left whole with carriers, and the date that its buyer was given first."""

    tracking_numbers: tuple[str, ...]
    deliver_latest: datetime


def units_of_stock(*, scope: Scope) -> dict[str, int]:
    """Units reserved of stock and not yet gone, at nodes with a system of their own, by SKU code."""
    found = rows(
        f"""
        SELECT s.code, sum(p.reserved) AS units
        FROM inventory_stockposition p JOIN inventory_sku s ON s.id = p.sku_id
        JOIN inventory_node n ON n.id = p.node_id AND n.has_wms
        WHERE {within(scope, "p")} AND p.reserved > 0 GROUP BY 1
        """,  # noqa: S608  # own text; values are parameters
        reach(scope),
    )
    return {row["code"]: int(row["units"]) for row in found}


def shipped_groups(*, scope: Scope) -> list[ShippedGroup]:
    """Groups of which every parcel has left with a number, by no particular order."""
    found = rows(
        f"""
        WITH gone AS (
            SELECT f.group_id, array_agg(p.tracking_number) AS numbers
            FROM fulfillment_fulfillmentorder f
            JOIN fulfillment_parcel p ON p.fulfillment_order_id = f.id
            WHERE {within(scope, "f")} AND p.state <> 'voided'
            GROUP BY 1
            HAVING bool_and(p.handed_over_at IS NOT NULL AND p.tracking_number <> '')
        ), first AS (
            SELECT DISTINCT ON (group_id) group_id, deliver_latest
            FROM orders_promise ORDER BY group_id, version
        )
        SELECT gone.numbers, first.deliver_latest FROM gone JOIN first USING (group_id)
        """,  # noqa: S608
        reach(scope),
    )
    return [ShippedGroup(tuple(row["numbers"]), row["deliver_latest"]) for row in found]
