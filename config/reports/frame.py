"""What every page of the console carries: a few counts, and the palette's answers."""

from typing import Any
from uuid import UUID

from config.kernel.types import Scope
from config.reports.order_filters import Filters, Moment, condition
from config.reports.sql import Row, escaped, reach, row, rows, within

FOUND = 6


def counts(*, cases: Scope | None, jobs: Scope | None, nodes: set[int] | None) -> dict[str, int]:
    """Open cases (up to 100) and running jobs, where the reader may see them; one statement."""
    parts, values = [], {"all_nodes": nodes is None, "nodes": sorted(nodes or ())}
    if cases is not None:
        values["case_accounts"] = sorted(cases.account_ids)
        wall = "true" if cases.everything else "c.account_id = ANY(%(case_accounts)s)"
        parts.append(
            "(SELECT count(*) FROM (SELECT FROM kernel_case c WHERE c.state IN "  # noqa: S608
            f"('open', 'acknowledged', 'in_progress') AND {wall} AND (%(all_nodes)s OR EXISTS "
            "(SELECT FROM fulfillment_fulfillmentorder f WHERE f.node_id = ANY(%(nodes)s) AND "
            "(f.id = c.subject_id OR f.order_id = c.thread_id))) LIMIT 100) x) AS cases"
        )
    if jobs is not None:
        values["job_accounts"] = sorted(jobs.account_ids)
        wall = "true" if jobs.everything else "j.account_id = ANY(%(job_accounts)s)"
        parts.append(
            "(SELECT count(*) FROM kernel_job j WHERE j.state IN ('queued', 'running') "  # noqa: S608
            f"AND {wall}) AS jobs"
        )
    if not parts:
        return {}
    return row(f"SELECT {', '.join(parts)}", values) or {}


def account_zone(account_ids: list[UUID], *, everything: bool) -> str:
    """The time zone of the first account the reader reaches."""
    found = row(
        "SELECT a.timezone FROM kernel_account a WHERE %(everything)s OR a.id = ANY(%(ids)s) "
        "ORDER BY a.id LIMIT 1",
        {"everything": everything, "ids": account_ids},
    )
    return found["timezone"] if found else "UTC"


def orders(text: str, *, scope: Scope, moment: Moment) -> list[Row]:
    """Orders that the palette's text names: exactly, or by the beginning of the number."""
    where, values = condition(Filters({"q": text}), scope=scope, moment=moment)
    return rows(
        "SELECT o.number, o.external_number, o.state, o.progress, o.holds_open FROM orders_order o "  # noqa: S608
        f"WHERE {where} ORDER BY o.id DESC LIMIT %(limit)s",
        values | {"limit": FOUND},
    )


def skus(text: str, *, scope: Scope) -> list[Row]:
    return rows(
        f"SELECT s.id, s.code, s.name FROM inventory_sku s WHERE {within(scope, 's')} "  # noqa: S608
        "AND (s.code ILIKE %(prefix)s OR s.name ILIKE %(anywhere)s) ORDER BY s.code LIMIT %(limit)s",
        reach(scope)
        | {"prefix": f"{escaped(text)}%", "anywhere": f"%{escaped(text)}%", "limit": FOUND},
    )


def nodes(text: str, *, scope: Scope, node_ids: set[int] | None) -> list[Row]:
    values: dict[str, Any] = reach(scope) | {
        "anywhere": f"%{escaped(text)}%",
        "limit": FOUND,
        "all_nodes": node_ids is None,
        "nodes": sorted(node_ids or ()),
    }
    return rows(
        "SELECT n.code, n.name, n.city FROM inventory_node n "  # noqa: S608  # own text
        "WHERE (n.code ILIKE %(anywhere)s OR n.name ILIKE %(anywhere)s OR n.city ILIKE %(anywhere)s) "
        "AND (%(all_nodes)s OR n.id = ANY(%(nodes)s)) AND EXISTS (SELECT FROM inventory_nodegrant g "
        f"WHERE g.node_id = n.id AND {within(scope, 'g')}) ORDER BY n.code LIMIT %(limit)s",
        values,
    )


def order_number(order_id: UUID, *, scope: Scope) -> str | None:
    found = row(
        f"SELECT o.number FROM orders_order o WHERE o.id = %(id)s AND {within(scope, 'o')}",  # noqa: S608
        reach(scope) | {"id": order_id},
    )
    return found["number"] if found else None


def case_number(case_id: UUID, *, scope: Scope) -> int | None:
    found = row(
        f"SELECT c.number FROM kernel_case c WHERE c.id = %(id)s AND {within(scope, 'c')}",  # noqa: S608
        reach(scope) | {"id": case_id},
    )
    return found["number"] if found else None


def work_place(record_id: UUID, *, scope: Scope) -> Row | None:
    """The node and number of a fulfillment order, named by its id or by that of a parcel."""
    return row(
        "SELECT f.number, f.node_id, n.code FROM fulfillment_fulfillmentorder f "  # noqa: S608
        "JOIN inventory_node n ON n.id = f.node_id WHERE (f.id = %(id)s OR f.id = (SELECT "
        "p.fulfillment_order_id FROM fulfillment_parcel p WHERE p.id = %(id)s)) "
        f"AND {within(scope, 'f')}",
        reach(scope) | {"id": record_id},
    )


def names(*, nodes: list[int], skus: list[int], carriers: list[str]) -> dict[tuple[str, str], str]:
    """The names of nodes, SKUs and carriers, by kind and key; no statement when none is asked."""
    if not nodes and not skus and not carriers:
        return {}
    found = rows(
        "SELECT 'node' AS kind, n.id::text AS key, n.name AS name FROM inventory_node n "
        "WHERE n.id = ANY(%(nodes)s) UNION ALL SELECT 'sku', s.id::text, s.code "
        "FROM inventory_sku s WHERE s.id = ANY(%(skus)s) UNION ALL SELECT 'carrier', c.code, c.name "
        "FROM inventory_carrier c WHERE c.code = ANY(%(carriers)s)",
        {"nodes": nodes, "skus": skus, "carriers": carriers},
    )
    return {(each["kind"], each["key"]): each["name"] for each in found}
