"""Where goods of a lot came from and where they went: forward to buyers, back to who sent them."""

from collections.abc import Collection
from typing import Final

from config.kernel.types import Scope
from config.reports.sql import Row, escaped, reach, row, rows, within

PAGE: Final = 50
SHOWN: Final = 200
"""Parcels on a page; the file has all of them."""


def lots(*, scope: Scope, text: str = "", state: str = "", after: int = 0) -> list[Row]:
    """Lots by code, SKU or name, the latest first, with what lies of them; one more than a page."""
    return rows(
        f"""
        SELECT lot.id, lot.code, lot.state, lot.state_reason, lot.expires_on, lot.recall_id,
            sku.id AS sku_id, sku.code AS sku_code, sku.name AS sku_name,
            coalesce(lying.on_sale, 0) AS on_sale, coalesce(lying.held, 0) AS held,
            coalesce(lying.nodes, 0) AS nodes
        FROM (
            SELECT lot.* FROM inventory_lot lot JOIN inventory_sku sku ON sku.id = lot.sku_id
            WHERE {within(scope, "lot")} AND (%(after)s = 0 OR lot.id < %(after)s)
              AND (%(state)s = '' OR lot.state = %(state)s)
              AND (%(text)s = '' OR lot.code ILIKE %(like)s OR sku.code ILIKE %(like)s
                OR sku.name ILIKE %(like)s)
            ORDER BY lot.id DESC LIMIT {PAGE + 1}
        ) AS lot
        JOIN inventory_sku sku ON sku.id = lot.sku_id
        LEFT JOIN LATERAL (
            SELECT sum(level.on_hand) FILTER (WHERE level.condition = 'available') AS on_sale,
                sum(level.on_hand) FILTER (WHERE level.condition <> 'available') AS held,
                count(DISTINCT position.node_id) AS nodes
            FROM inventory_stockposition position
            JOIN inventory_stocklevel level ON level.position_id = position.id
                AND level.lot = lot.code AND level.on_hand > 0
            WHERE position.sku_id = lot.sku_id) AS lying ON true
        ORDER BY lot.id DESC
        """,  # noqa: S608  # own text
        reach(scope) | {"after": after, "state": state, "text": text, "like": f"%{escaped(text)}%"},
    )


def lot(lot_id: int, *, scope: Scope) -> Row | None:
    """One lot with its SKU, and the recall that it is under."""
    return row(
        f"""
        SELECT lot.id, lot.account_id, lot.code, lot.state, lot.state_reason, lot.expires_on,
            lot.made_on, lot.first_seen_at, lot.unsettled, lot.recall_id, recall.reason,
            recall.state AS recall_state, sku.id AS sku_id, sku.code AS sku_code,
            sku.name AS sku_name, sku.serial_tracked
        FROM inventory_lot lot JOIN inventory_sku sku ON sku.id = lot.sku_id
        LEFT JOIN inventory_recall recall ON recall.id = lot.recall_id
        WHERE lot.id = %(lot)s AND {within(scope, "lot")}
        """,  # noqa: S608  # own text
        reach(scope) | {"lot": lot_id},
    )


def lying(lot_ids: Collection[int]) -> list[Row]:
    """What lies of the lots, by node and condition."""
    return rows(
        """
        SELECT lot.id AS lot_id, lot.code, node.id AS node_id, node.code AS node_code,
            node.name AS node_name, level.condition, sum(level.on_hand)::bigint AS units,
            sum(level.allocated)::bigint AS bound
        FROM inventory_lot lot
        JOIN inventory_stockposition position ON position.sku_id = lot.sku_id
        JOIN inventory_node node ON node.id = position.node_id
        JOIN inventory_stocklevel level ON level.position_id = position.id
            AND level.lot = lot.code AND level.on_hand > 0
        WHERE lot.id = ANY(%(lots)s) GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 4, 6
        """,
        {"lots": list(lot_ids)},
    )


def came(lot_ids: Collection[int]) -> list[Row]:
    """Back: how units of the lots came to a node: received, sent by another node, returned."""
    return rows(
        """
        SELECT moved.kind, moved.cause_kind, moved.cause_id, node.code AS node_code,
            node.name AS node_name, inbound.number AS inbound_number,
            inbound.kind AS inbound_kind, transfer.number AS transfer_number,
            moved.source, min(moved.at) AS at, sum(moved.quantity)::bigint AS units
        FROM inventory_lot lot
        JOIN inventory_stockposition position ON position.sku_id = lot.sku_id
        JOIN inventory_stocklevel level ON level.position_id = position.id
            AND level.lot = lot.code
        JOIN inventory_movement moved ON moved.level_id = level.id AND moved.quantity > 0
            AND moved.kind IN ('receipt', 'transfer', 'return', 'adjust', 'found', 'snapshot')
        JOIN inventory_node node ON node.id = moved.node_id
        LEFT JOIN inventory_inbound inbound ON moved.cause_kind = 'inbound'
            AND inbound.id = ('x' || substr(replace(moved.cause_id::text, '-', ''), 17))::bit(64)
                ::bigint & 4611686018427387903
        LEFT JOIN inventory_transfer transfer ON moved.cause_kind = 'transfer'
            AND transfer.id = moved.cause_id
        WHERE lot.id = ANY(%(lots)s)
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 10
        """,
        {"lots": list(lot_ids)},
    )


_WENT = """
    WITH recorded AS (
        SELECT traced.parcel_id, lot.id AS lot_id, sum(traced.quantity) AS units,
            array_remove(array_agg(traced.serial ORDER BY traced.serial), '') AS serials
        FROM inventory_lot lot
        JOIN fulfillment_tracedunits traced ON (traced.sku_id, traced.lot) = (lot.sku_id, lot.code)
            AND traced.parcel_id IS NOT NULL
        WHERE lot.id = ANY(%(lots)s) GROUP BY 1, 2
    ), issued AS (
        SELECT lot.id AS lot_id, lot.sku_id, moved.cause_id, -sum(moved.quantity) AS units
        FROM inventory_lot lot
        JOIN inventory_stockposition position ON position.sku_id = lot.sku_id
        JOIN inventory_stocklevel level ON level.position_id = position.id
            AND level.lot = lot.code
        JOIN inventory_movement moved ON moved.level_id = level.id
            AND moved.kind IN ('issue', 'put_back') AND moved.cause_id IS NOT NULL
        WHERE lot.id = ANY(%(lots)s) GROUP BY 1, 2, 3 HAVING sum(moved.quantity) < 0
    ), booked AS (
        SELECT parcel.id AS parcel_id, issued.lot_id,
            least(issued.units, sum(content.quantity)) AS units
        FROM issued
        JOIN fulfillment_parcel parcel ON parcel.issued_under = issued.cause_id
        JOIN fulfillment_parcelline content ON content.parcel_id = parcel.id
        JOIN fulfillment_fulfillmentline line ON line.id = content.line_id
            AND line.sku_id = issued.sku_id
        WHERE NOT EXISTS (SELECT FROM fulfillment_tracedunits named
            WHERE named.parcel_id = parcel.id AND named.line_id = line.id AND named.lot <> '')
        GROUP BY parcel.id, issued.lot_id, issued.units
    ), went AS (
        SELECT parcel_id, lot_id, units, serials FROM recorded
        UNION ALL SELECT parcel_id, lot_id, units, '{}' FROM booked
    )
    SELECT parcel.id AS parcel_id, parcel.number AS parcel_number, parcel.state,
        parcel.carrier_code, parcel.tracking_number, parcel.handed_over_at, parcel.delivered_at,
        went.lot_id, went.units::bigint AS units, went.serials, ordered.id AS order_id,
        ordered.number AS order_number, ordered.external_id, ordered.customer_id,
        work.number AS work_number, node.code AS node_code, channel.code AS channel_code,
        grouped.country, grouped.postal_code
    FROM went
    JOIN fulfillment_parcel parcel ON parcel.id = went.parcel_id AND parcel.state <> 'voided'
    JOIN fulfillment_fulfillmentorder work ON work.id = parcel.fulfillment_order_id
    JOIN inventory_node node ON node.id = work.node_id
    JOIN orders_order ordered ON ordered.id = work.order_id
    JOIN orders_deliverygroup grouped ON grouped.id = work.group_id
    JOIN kernel_channel channel ON channel.id = ordered.channel_id
    ORDER BY parcel.handed_over_at DESC NULLS FIRST, parcel.id DESC
"""


def went(lot_ids: Collection[int], *, limit: int | None = None) -> list[Row]:
    """Forward: parcels with units of the lots, those that still stand at a node first."""
    query = _WENT if limit is None else f"{_WENT} LIMIT {int(limit)}"
    return rows(query, {"lots": list(lot_ids)})


def reached(lot_ids: Collection[int]) -> Row:
    """How far the lots went: parcels, orders and buyers, and units on the way to them."""
    return (
        row(
            f"""
        SELECT count(DISTINCT parcel_id) AS parcels, count(DISTINCT order_id) AS orders,
            count(DISTINCT coalesce(customer_id::text, order_id::text)) AS buyers,
            coalesce(sum(units), 0)::bigint AS units,
            count(DISTINCT parcel_id) FILTER (WHERE handed_over_at IS NULL) AS standing
        FROM ({_WENT}) AS found
        """,  # noqa: S608  # own text
            {"lots": list(lot_ids)},
        )
        or {}
    )


def reserved(lot_ids: Collection[int]) -> Row:
    """Claims that have the lots bound, and claims on positions where they lie."""
    return (
        row(
            """
        SELECT coalesce(sum(bound.units), 0)::bigint AS units,
            count(DISTINCT claim.thread_id) AS orders
        FROM inventory_lot lot
        JOIN inventory_stockposition position ON position.sku_id = lot.sku_id
        JOIN inventory_stocklevel level ON level.position_id = position.id
            AND level.lot = lot.code AND level.allocated > 0
        JOIN inventory_allocation bound ON bound.level_id = level.id
        JOIN inventory_reservation claim ON claim.id = bound.reservation_id
        WHERE lot.id = ANY(%(lots)s)
        """,
            {"lots": list(lot_ids)},
        )
        or {}
    )


def lots_of_recall(recall_id: object, *, scope: Scope) -> list[Row]:
    """The lots of a recall, with their SKUs."""
    return rows(
        f"""
        SELECT lot.id, lot.code, lot.state, lot.unsettled, lot.expires_on, sku.id AS sku_id,
            sku.code AS sku_code, sku.name AS sku_name
        FROM inventory_lot lot JOIN inventory_sku sku ON sku.id = lot.sku_id
        WHERE lot.recall_id = %(recall)s AND {within(scope, "lot")} ORDER BY sku.code, lot.code
        """,  # noqa: S608  # own text
        reach(scope) | {"recall": recall_id},
    )


def job_of_recall(recall_id: object, *, scope: Scope) -> Row | None:
    """The job that sees to whoever has some: it is younger than the recall, by little."""
    return row(
        f"""
        SELECT job.id, job.state, job.total, job.done, job.refused FROM kernel_job job
        WHERE job.id > %(recall)s AND job.kind = 'fulfillment.recall'
          AND job.params->>'recall' = %(recall)s::text AND {within(scope, "job")}
        ORDER BY job.id LIMIT 1
        """,  # noqa: S608  # own text
        reach(scope) | {"recall": recall_id},
    )


def serial(serial_id: int, *, scope: Scope) -> Row | None:
    """One single thing: where it is, its lot, and its whole way."""
    found = row(
        f"""
        SELECT thing.id, thing.number, thing.state, thing.seen_at, thing.cause_kind,
            thing.cause_id, lot.id AS lot_id, lot.code AS lot_code, lot.state AS lot_state,
            sku.id AS sku_id, sku.code AS sku_code, sku.name AS sku_name, node.code AS node_code,
            node.name AS node_name
        FROM inventory_serial thing JOIN inventory_sku sku ON sku.id = thing.sku_id
        LEFT JOIN inventory_lot lot ON lot.id = thing.lot_id
        LEFT JOIN inventory_stockposition position ON position.id = thing.position_id
        LEFT JOIN inventory_node node ON node.id = position.node_id
        WHERE thing.id = %(serial)s AND {within(scope, "thing")}
        """,  # noqa: S608  # own text
        reach(scope) | {"serial": serial_id},
    )
    if found is not None:
        found["way"] = rows(
            """
            SELECT past.state, past.history_at AS at, past.actor_name, past.cause_kind,
                parcel.number AS parcel_number, ordered.number AS order_number
            FROM inventory_historicalserial past
            LEFT JOIN fulfillment_parcel parcel ON past.cause_kind = 'parcel'
                AND parcel.id = past.cause_id
            LEFT JOIN fulfillment_fulfillmentorder work ON work.id = parcel.fulfillment_order_id
            LEFT JOIN orders_order ordered ON ordered.id = work.order_id
            WHERE past.id = %(serial)s ORDER BY past.history_id
            """,
            {"serial": serial_id},
        )
    return found


def named(text: str, *, scope: Scope) -> Row | None:
    """What a code off the goods or the box names: a serial, a lot, or a parcel with its lots."""
    return row(
        f"""
        SELECT 'serial' AS kind, thing.id FROM inventory_serial thing
        WHERE {within(scope, "thing")} AND thing.number = %(text)s
        UNION ALL
        SELECT 'lot', lot.id FROM inventory_lot lot
        WHERE {within(scope, "lot")} AND lot.code = %(text)s
        UNION ALL
        SELECT 'lot', lot.id FROM fulfillment_parcel parcel
        JOIN fulfillment_tracedunits traced ON traced.parcel_id = parcel.id
        JOIN inventory_lot lot ON (lot.sku_id, lot.code) = (traced.sku_id, traced.lot)
        WHERE {within(scope, "parcel")}
          AND (parcel.number = %(text)s OR parcel.tracking_number = %(text)s)
        LIMIT 2
        """,  # noqa: S608  # own text
        reach(scope) | {"text": text},
    )
