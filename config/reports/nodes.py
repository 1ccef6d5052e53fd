"""A node's own work: what to pick, pack and hand over, by cutoff."""

from datetime import datetime
from typing import Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within
from inventory.gtin import in_fourteen, is_gtin

OPEN: Final = ("released", "acknowledged", "picking", "packed", "ready_for_pickup")
WORK_LIMIT: Final = 300

_WORK: Final = """
SELECT f.id, f.number, f.state, f.method, f.released_at, f.acknowledge_by, f.ship_by,
    f.collect_by, f.priority, f.packed_at, f.shipped_at, o.number AS order_number,
    service.name AS service_name, sums.units, sums.picked, sums.packed, sums.line_count,
    parcels.list AS parcels
FROM fulfillment_fulfillmentorder f
JOIN orders_order o ON o.id = f.order_id
LEFT JOIN inventory_servicelevel service ON service.id = f.service_level_id
LEFT JOIN LATERAL (
    SELECT sum(l.requested - l.rejected - l.short - l.cancelled) AS units,
        sum(l.picked + l.packed + l.shipped + l.collected) AS picked,
        sum(l.packed + l.shipped + l.collected) AS packed, count(*) AS line_count
    FROM fulfillment_fulfillmentline l WHERE l.fulfillment_order_id = f.id
) sums ON true
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('id', p.id, 'number', p.number, 'state', p.state,
        'tracking', p.tracking_number, 'carrier', p.carrier_code, 'scanned', EXISTS (
            SELECT FROM fulfillment_trackingevent t WHERE t.parcel_id = p.id)) ORDER BY p.id) AS list
    FROM fulfillment_parcel p WHERE p.fulfillment_order_id = f.id AND p.state <> 'voided'
) parcels ON true
"""
_LINES: Final = """
SELECT l.id, l.fulfillment_order_id, l.position, l.requested, l.waiting, l.accepted, l.picked,
    l.packed, l.shipped, l.collected, l.rejected, l.short, l.cancelled, s.code AS sku_code,
    s.name AS sku_name, s.id AS sku_id, codes.list AS barcodes, asked.list AS requests
FROM fulfillment_fulfillmentline l
JOIN inventory_sku s ON s.id = l.sku_id
LEFT JOIN LATERAL (SELECT array_agg(b.value) AS list FROM inventory_barcode b
    WHERE b.sku_id = l.sku_id) codes ON true
-- A change is of the work as a whole: it stands with the first line.
LEFT JOIN LATERAL (SELECT json_agg(json_build_object('id', r.id, 'kind', r.kind, 'asked', r.asked,
        'until', r.until, 'address', r.contact_id IS NOT NULL,
        'service', (SELECT v.name FROM inventory_servicelevel v WHERE v.id = r.service_level_id)
        ) ORDER BY r.id) AS list
    FROM fulfillment_noderequest r WHERE r.fulfillment_order_id = l.fulfillment_order_id
        AND (r.line_id = l.id OR r.line_id IS NULL AND l.position = 1)
        AND r.state = 'sent') asked ON true
"""


def node(code: str, *, scope: Scope, nodes: set[int] | None) -> Row | None:
    """One node with what it does; None when the reader may not see it."""
    return row(
        f"""
        SELECT n.*, functions.list AS functions
        FROM inventory_node n
        LEFT JOIN LATERAL (
            SELECT json_agg(json_build_object('function', x.function, 'paused', x.paused,
                'until', x.paused_until, 'reason', x.reason) ORDER BY x.function) AS list
            FROM inventory_nodefunction x WHERE x.node_id = n.id
        ) functions ON true
        WHERE n.code = %(code)s AND (%(all_nodes)s OR n.id = ANY(%(nodes)s))
            AND EXISTS (SELECT FROM inventory_nodegrant g
                WHERE g.node_id = n.id AND {within(scope, "g")})
        """,  # noqa: S608  # own text
        reach(scope) | {"code": code, "all_nodes": nodes is None, "nodes": sorted(nodes or ())},
    )


def work(node_id: int, *, scope: Scope, step: str = "") -> list[Row]:
    """Open fulfillment orders of the node, the nearest cutoff first."""
    states = {
        "pick": ["released", "acknowledged", "picking"],
        "pack": ["picking"],
        "ship": ["packed"],
        "pickup": ["ready_for_pickup"],
    }.get(step, list(OPEN))
    return rows(
        f"{_WORK} WHERE f.node_id = %(node)s AND f.state = ANY(%(states)s) "
        f"AND {within(scope, 'f')} "
        "ORDER BY f.ship_by NULLS LAST, f.priority DESC, f.id LIMIT %(limit)s",
        reach(scope) | {"node": node_id, "states": states, "limit": WORK_LIMIT},
    )


def step_counts(node_id: int, *, scope: Scope) -> dict[str, int]:
    """How many fulfillment orders stand at each open state of the node."""
    found = rows(
        f"SELECT f.state, count(*) AS n FROM fulfillment_fulfillmentorder f "  # noqa: S608
        f"WHERE f.node_id = %(node)s AND f.state = ANY(%(states)s) AND {within(scope, 'f')} "
        "GROUP BY 1",
        reach(scope) | {"node": node_id, "states": list(OPEN)},
    )
    return {each["state"]: each["n"] for each in found}


def fulfillment_order(number: str, *, node_id: int, scope: Scope) -> Row | None:
    """One fulfillment order of this node, with its lines."""
    found = row(
        f"{_WORK} WHERE f.number = %(number)s AND f.node_id = %(node)s AND {within(scope, 'f')}",
        reach(scope) | {"number": number, "node": node_id},
    )
    if found:
        found["lines"] = lines([found["id"]])
    return found


def lines(ids: list[UUID]) -> list[Row]:
    """The lines of fulfillment orders, in the order in which they are walked."""
    found = rows(
        f"{_LINES} WHERE l.fulfillment_order_id = ANY(%(ids)s) "
        "ORDER BY l.fulfillment_order_id, l.position",
        {"ids": ids},
    )
    for request in (each for line in found for each in line["requests"] or ()):
        request["until"] = datetime.fromisoformat(request["until"])
    return found


def open_line_for(scanned: str, *, node_id: int, scope: Scope, fulfillment: str = "") -> Row | None:
    """The line that a scanned SKU or barcode serves next: the nearest cutoff with units to pick.

    `scan_units` is how many units the barcode stands for: those of a pack, where it is on one.
    """
    return row(
        f"""
        SELECT l.id, l.picked, l.packed, l.shipped, l.collected, l.waiting, l.accepted,
            s.code AS sku_code, s.name AS sku_name, f.number, f.id AS fulfillment_order_id,
            coalesce(scan.units, 1) AS scan_units
        FROM fulfillment_fulfillmentline l
        JOIN fulfillment_fulfillmentorder f ON f.id = l.fulfillment_order_id
        JOIN inventory_sku s ON s.id = l.sku_id
        LEFT JOIN LATERAL (
            SELECT coalesce(p.units, 1) AS units FROM inventory_barcode b
            LEFT JOIN inventory_skupack p ON p.id = b.pack_id
            WHERE b.sku_id = s.id AND (b.value = %(code)s OR b.gtin = %(gtin)s) LIMIT 1
        ) AS scan ON true
        WHERE f.node_id = %(node)s AND f.state IN ('released', 'acknowledged', 'picking')
            AND l.waiting + l.accepted > 0 AND {within(scope, "f")}
            AND (%(number)s = '' OR f.number = %(number)s)
            AND (upper(s.code) = upper(%(code)s) OR scan.units IS NOT NULL)
        ORDER BY f.ship_by NULLS LAST, f.priority DESC, f.id, l.position LIMIT 1
        """,  # noqa: S608  # own text
        reach(scope)
        | {
            "node": node_id,
            "code": scanned,
            "gtin": in_fourteen(scanned) if is_gtin(scanned) else None,
            "number": fulfillment,
        },
    )


def parcels_of(ids: list[UUID], *, node_id: int) -> list[UUID]:
    """The parcels of these fulfillment orders that are still at the node."""
    found = rows(
        "SELECT p.id FROM fulfillment_parcel p JOIN fulfillment_fulfillmentorder f "
        "ON f.id = p.fulfillment_order_id WHERE f.id = ANY(%(ids)s) AND f.node_id = %(node)s "
        "AND p.state IN ('packed', 'labelled', 'manifested') ORDER BY p.id",
        {"ids": ids, "node": node_id},
    )
    return [each["id"] for each in found]


def parcel(number: str, *, node_id: int, scope: Scope) -> Row | None:
    """A parcel of this node by its number."""
    return row(
        "SELECT p.id, p.number, p.state FROM fulfillment_parcel p "  # noqa: S608  # own text
        "JOIN fulfillment_fulfillmentorder f ON f.id = p.fulfillment_order_id "
        f"WHERE p.number = %(number)s AND f.node_id = %(node)s AND {within(scope, 'f')}",
        reach(scope) | {"number": number, "node": node_id},
    )


def all_parcels_of(ids: list[UUID], *, node_id: int, scope: Scope) -> list[UUID]:
    """The parcels of these fulfillment orders, but the voided ones."""
    found = rows(
        "SELECT p.id FROM fulfillment_parcel p "  # noqa: S608  # own text
        "JOIN fulfillment_fulfillmentorder f ON f.id = p.fulfillment_order_id "
        "WHERE f.id = ANY(%(ids)s) AND f.node_id = %(node)s AND p.state <> 'voided' "
        f"AND {within(scope, 'f')} ORDER BY p.id",
        reach(scope) | {"ids": ids, "node": node_id},
    )
    return [each["id"] for each in found]


def carrier_names(codes: list[str]) -> dict[str, str]:
    """The names of these carriers, by code."""
    found = rows(
        "SELECT c.code, c.name FROM inventory_carrier c WHERE c.code = ANY(%(codes)s)",
        {"codes": codes},
    )
    return {each["code"]: each["name"] for each in found}


def manifests(node_id: int, *, scope: Scope, limit: int) -> list[Row]:
    """What the node has handed over, the latest first, with what was taken back since."""
    return rows(
        f"""
        SELECT m.id, m.number, m.carrier_code, m.day, m.closed_at, c.name AS carrier_name,
            lines.parcels, lines.taken_back
        FROM fulfillment_manifest m
        LEFT JOIN inventory_carrier c ON c.code = m.carrier_code
        CROSS JOIN LATERAL (SELECT count(*) AS parcels,
                count(*) FILTER (WHERE l.taken_back_at IS NOT NULL) AS taken_back
            FROM fulfillment_manifestline l WHERE l.manifest_id = m.id) AS lines
        WHERE m.node_id = %(node)s AND {within(scope, "m")} ORDER BY m.id DESC LIMIT %(limit)s
        """,  # noqa: S608  # own text
        reach(scope) | {"node": node_id, "limit": limit},
    )


def invoiced_with(parcel_id: UUID) -> Row | None:
    """What was last invoiced for a parcel; None when nothing was."""
    return row(
        "SELECT i.amount_minor, i.currency FROM orders_invoice i "
        "WHERE i.parcel_id = %(parcel)s AND i.kind = 'invoice' ORDER BY i.id DESC LIMIT 1",
        {"parcel": parcel_id},
    )


def traced_so_far(line_id: UUID, lot: str) -> int:
    """Units of a line that are recorded as of a lot, those packed and shipped among them."""
    found = row(
        "SELECT coalesce(sum(quantity), 0)::bigint AS units FROM fulfillment_tracedunits "
        "WHERE line_id = %(line)s AND lot = %(lot)s AND serial = ''",
        {"line": line_id, "lot": lot},
    )
    return int(found["units"]) if found else 0
