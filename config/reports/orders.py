"""The order list: keyset pages of rows with what a person looks for, in two statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.order_filters import Filters, Moment, condition
from config.reports.sql import Row, reach, row, rows, within

PAGE: Final = 50
COUNT_LIMIT: Final = 10_001

_DETAILS: Final = """
SELECT o.id, o.number, o.external_number, o.state, o.progress, o.payment_state, o.currency,
    o.total_minor, o.placed_at, o.ship_by, o.deliver_by, o.holds_open, o.blocked, o.tags, o.mode,
    o.closed_at, o.priority, c.code AS channel_code, c.name AS channel_name, b.name AS brand_name,
    lines.units, lines.open_units, lines.line_count,
    holds.types AS hold_types, places.nodes, cases.open_cases
FROM orders_order o
JOIN kernel_channel c ON c.id = o.channel_id
JOIN kernel_brand b ON b.id = o.brand_id
LEFT JOIN LATERAL (
    SELECT sum(l.ordered) FILTER (WHERE l.kind <> 'kit') AS units, count(*) AS line_count,
        sum(l.pending + l.backordered + l.reserved + l.released) AS open_units
    FROM orders_orderline l WHERE l.order_id = o.id
) lines ON true
LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT h.type ORDER BY h.type) AS types
    FROM orders_hold h WHERE h.order_id = o.id AND h.state = 'active'
) holds ON o.holds_open > 0
LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT n.code ORDER BY n.code) AS nodes FROM (
        SELECT r.node_id FROM inventory_reservation r
        WHERE r.thread_id = o.id AND r.state IN ('reserved', 'committed', 'consumed')
        UNION SELECT f.node_id FROM fulfillment_fulfillmentorder f
        WHERE f.order_id = o.id AND f.state <> 'cancelled'
    ) used JOIN inventory_node n ON n.id = used.node_id
) places ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS open_cases FROM kernel_case k WHERE k.thread_id = o.id
    AND k.state IN ('open', 'acknowledged', 'in_progress', 'waiting')
) cases ON true
WHERE o.id = ANY(%(ids)s)
"""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows newest first, and the ids to go on from; None where there is no more."""

    rows: list[Row]
    older: UUID | None
    newer: UUID | None


def page(
    filters: Filters,
    *,
    scope: Scope,
    moment: Moment,
    before: UUID | None = None,
    after: UUID | None = None,
    size: int = PAGE,
) -> Page:
    """One page of the list, by id: rows older than `before`, or newer than `after`."""
    where, values = condition(filters, scope=scope, moment=moment)
    forward = after is not None
    edge = "o.id > %(edge)s" if forward else "o.id < %(edge)s" if before else "true"
    values |= {"edge": after or before, "limit": size + 1}
    found = rows(
        f"SELECT o.id FROM orders_order o WHERE ({where}) AND {edge} "  # noqa: S608  # own text
        f"ORDER BY o.id {'ASC' if forward else 'DESC'} LIMIT %(limit)s",
        values,
    )
    ids = [each["id"] for each in found]
    more, ids = len(ids) > size, ids[:size]
    if forward:
        ids.reverse()
    shown = details(ids)
    if not shown:
        return Page([], None, None)
    newer_exists = more if forward else before is not None
    older_exists = True if forward else more
    return Page(shown, ids[-1] if older_exists else None, ids[0] if newer_exists else None)


def details(ids: Sequence[UUID]) -> list[Row]:
    """The rows of these orders, in the order given. Their scope is the caller's."""
    if not ids:
        return []
    by_id = {each["id"]: each for each in rows(_DETAILS, {"ids": list(ids)})}
    return [by_id[each] for each in ids if each in by_id]


def matching(filters: Filters, *, scope: Scope, moment: Moment, limit: int) -> list[UUID]:
    """The ids of matching orders, newest first, at most `limit`."""
    where, values = condition(filters, scope=scope, moment=moment)
    found = rows(
        f"SELECT o.id FROM orders_order o WHERE {where} "  # noqa: S608  # own text
        "ORDER BY o.id DESC LIMIT %(limit)s",
        values | {"limit": limit},
    )
    return [each["id"] for each in found]


def reachable(ids: Sequence[UUID], *, scope: Scope) -> list[UUID]:
    """Those of the ids that the scope may see, in the order given."""
    found = rows(
        f"SELECT o.id FROM orders_order o WHERE o.id = ANY(%(ids)s) AND {within(scope, 'o')}",  # noqa: S608
        reach(scope) | {"ids": list(ids)},
    )
    known = {each["id"] for each in found}
    return [each for each in ids if each in known]


def count(filters: Filters, *, scope: Scope, moment: Moment) -> int:
    """How many match, counted up to 10,001 and no further."""
    where, values = condition(filters, scope=scope, moment=moment)
    found = row(
        "SELECT count(*) AS n FROM (SELECT FROM orders_order o "  # noqa: S608  # own text
        f"WHERE {where} LIMIT %(limit)s) counted",
        values | {"limit": COUNT_LIMIT},
    )
    return int(found["n"]) if found else 0


def counts(tabs: Mapping[str, Filters], *, scope: Scope, moment: Moment) -> dict[str, int]:
    """How many match each set of filters, counted up to 10,001, in one statement."""
    parts: list[str] = []
    values: dict[str, Any] = {"limit": COUNT_LIMIT}
    for name, filters in tabs.items():
        where, more = condition(filters, scope=scope, moment=moment)
        values |= more
        parts.append(
            f"(SELECT count(*) FROM (SELECT FROM orders_order o WHERE {where} "  # noqa: S608
            f'LIMIT %(limit)s) counted) AS "{name}"'
        )
    found = row(f"SELECT {', '.join(parts)}", values)
    return {name: int((found or {}).get(name) or 0) for name in tabs}


def choices(scope: Scope) -> dict[str, list[Row]]:
    """What the filters offer: channels and nodes within the scope."""
    values = reach(scope)
    return {
        "channels": rows(
            f"SELECT c.code, c.name FROM kernel_channel c WHERE {within(scope, 'c')} "  # noqa: S608
            "ORDER BY c.name",
            values,
        ),
        "nodes": rows(
            "SELECT n.code, n.name FROM inventory_node n WHERE EXISTS (SELECT FROM "  # noqa: S608
            f"inventory_nodegrant g WHERE g.node_id = n.id AND {within(scope, 'g')}) "
            "ORDER BY n.code",
            values,
        ),
    }


def node_ids(scope: Scope) -> dict[str, int]:
    """The ids of the scope's nodes, by code."""
    found = rows(
        "SELECT n.code, n.id FROM inventory_node n WHERE EXISTS (SELECT FROM "  # noqa: S608
        f"inventory_nodegrant g WHERE g.node_id = n.id AND {within(scope, 'g')})",
        reach(scope),
    )
    return {each["code"]: each["id"] for each in found}
