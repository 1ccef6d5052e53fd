"""Orders as a channel would lay them beside its own: by its ids, units sent and taken off."""

from collections.abc import Sequence
from dataclasses import dataclass

from config.kernel.types import Scope
from config.reports.sql import reach, rows, within


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """`lines` are (their line id, units sent, units taken off); numbers are of parcels that left.

    `refunds` are amounts that went back of money that the channel never had, in minor units, sorted.
    """

    lines: frozenset[tuple[str, int, int]]
    cancelled: bool
    tracking_numbers: frozenset[str]
    refunds: tuple[int, ...] = ()


def with_a_case(kinds: Sequence[str], *, scope: Scope) -> set[str]:
    """The channels' own ids of orders on which a person is at work over a case of these kinds."""
    found = rows(
        f"""
        SELECT DISTINCT o.external_id FROM kernel_case c JOIN orders_order o ON o.id = c.thread_id
        WHERE {within(scope, "c")} AND c.kind = ANY(%(kinds)s)
            AND c.state IN ('open', 'acknowledged', 'in_progress', 'waiting')
        """,  # noqa: S608  # own text; values are parameters
        reach(scope) | {"kinds": list(kinds)},
    )
    return {row["external_id"] for row in found}


def orders_of(channel: str, *, scope: Scope) -> dict[str, PlacedOrder]:
    """Sales of one channel by its own order ids; of a kit as many as parts of it have left for."""
    found = rows(
        f"""
        WITH o AS (
            SELECT o.id, o.external_id, o.state FROM orders_order o
            JOIN kernel_channel c ON c.id = o.channel_id
            WHERE {within(scope, "o")} AND c.code = %(channel)s AND o.document_kind = 'sale'
                AND o.mode <> 'history'
        ), parts AS (
            SELECT l.parent_id,
                least(max(kit.ordered), max((l.shipped * kit.ordered + l.ordered - 1) / l.ordered))
                    AS shipped,
                min(l.cancelled * kit.ordered / l.ordered) AS cancelled
            FROM orders_orderline l JOIN o ON o.id = l.order_id
            JOIN orders_orderline kit ON kit.id = l.parent_id
            WHERE l.relation = 'kit_component' AND l.ordered > 0 GROUP BY 1
        ), lines AS (
            SELECT l.order_id, array_agg(l.external_id) AS ids,
                array_agg(coalesce(parts.shipped, l.shipped)) AS shipped,
                array_agg(coalesce(parts.cancelled, l.cancelled)) AS cancelled
            FROM orders_orderline l JOIN o ON o.id = l.order_id
            LEFT JOIN parts ON parts.parent_id = l.id
            WHERE l.external_id <> '' AND l.relation <> 'kit_component'
                AND l.kind IN ('stock', 'kit') GROUP BY 1
        ), gone AS (
            SELECT f.order_id, array_agg(
                coalesce(nullif(p.tracking_number, ''), p.number)) AS numbers
            FROM fulfillment_fulfillmentorder f JOIN o ON o.id = f.order_id
            JOIN fulfillment_parcel p ON p.fulfillment_order_id = f.id
            WHERE p.handed_over_at IS NOT NULL AND p.state <> 'voided' GROUP BY 1
        ), back AS (
            SELECT n.order_id, array_agg(n.amount_minor - n.carried_minor
                ORDER BY n.amount_minor - n.carried_minor) AS refunds
            FROM orders_creditnote n JOIN o ON o.id = n.order_id
            WHERE n.amount_minor > n.carried_minor AND n.cause_kind <> 'channel_refund'
                AND NOT EXISTS (SELECT FROM orders_tender t
                    WHERE t.order_id = n.order_id AND t.collected_by = 'channel') GROUP BY 1
        )
        SELECT o.external_id, o.state, lines.ids, lines.shipped, lines.cancelled, gone.numbers,
            back.refunds
        FROM o JOIN lines ON lines.order_id = o.id LEFT JOIN gone ON gone.order_id = o.id
        LEFT JOIN back ON back.order_id = o.id
        """,  # noqa: S608  # own text; values are parameters
        reach(scope) | {"channel": channel},
    )
    return {
        row["external_id"]: PlacedOrder(
            frozenset(zip(row["ids"], row["shipped"], row["cancelled"], strict=True)),
            row["state"] == "cancelled",
            frozenset(row["numbers"] or ()),
            tuple(row["refunds"] or ()),
        )
        for row in found
    }
