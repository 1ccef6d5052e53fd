"""Feeds for people: who tells of stock, how old it is, and the lines at which it differs."""

from typing import Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within

RUNS: Final = 30
LINES: Final = 200


def _values(scope: Scope, nodes: set[int] | None) -> Row:
    return reach(scope) | {"all_nodes": nodes is None, "nodes": sorted(nodes or ())}


_AT: Final = "(%(all_nodes)s OR f.node_id = ANY(%(nodes)s))"


def feeds(*, scope: Scope, nodes: set[int] | None, feed_id: int | None = None) -> list[Row]:
    """Feeds with their last comparison; those that are silent or late first."""
    return rows(
        f"""
        SELECT f.id, f.source, f.semantics, f.ordering, f.nets_committed, f.nets_picked,
            f.nets_held, f.degrade, f.haircut_percent, f.heal_units, f.heal_percent,
            f.heal_value_minor, f.heal_sensitive, f.state,
            f.state_since, f.seen_at, f.as_of, f.sequence, f.missing, f.gap_since, f.asked_at,
            f.degraded, extract(epoch FROM f.expected_every)::bigint AS expected_every,
            extract(epoch FROM f.silent_after)::bigint AS silent_after,
            extract(epoch FROM f.reconcile_every)::bigint AS reconcile_every,
            n.code AS node_code, n.name AS node_name, a.code AS account_code,
            run.id AS run_id, run.begun_at AS run_at, run.compared, run.healed, run.opened,
            coalesce(open.lines, 0) AS open_lines
        FROM inventory_feed f
        JOIN inventory_node n ON n.id = f.node_id
        JOIN kernel_account a ON a.id = f.account_id
        LEFT JOIN LATERAL (
            SELECT r.* FROM inventory_reconciliation r WHERE r.feed_id = f.id
            ORDER BY r.begun_at DESC LIMIT 1
        ) AS run ON true
        LEFT JOIN (
            SELECT r.feed_id, count(*) AS lines FROM inventory_difference d
            JOIN inventory_reconciliation r ON r.id = d.run_id
            WHERE d.state = 'open' GROUP BY 1
        ) AS open ON open.feed_id = f.id
        WHERE {within(scope, "f")} AND {_AT} AND (%(feed)s::bigint IS NULL OR f.id = %(feed)s)
        ORDER BY f.state = 'fresh', n.code, f.source, f.id
        """,  # noqa: S608  # own text
        _values(scope, nodes) | {"feed": feed_id},
    )


def runs(feed_id: int, *, scope: Scope, nodes: set[int] | None) -> list[Row]:
    """The last comparisons of a feed, newest first."""
    return rows(
        f"""
        SELECT r.id, r.as_of, r.begun_at, r.ended_at, r.compared, r.equal, r.in_flight, r.healed,
            r.opened, r.units_up, r.units_down
        FROM inventory_reconciliation r JOIN inventory_feed f ON f.id = r.feed_id
        WHERE f.id = %(feed)s AND {within(scope, "f")} AND {_AT}
        ORDER BY r.begun_at DESC LIMIT {RUNS}
        """,  # noqa: S608  # own text
        _values(scope, nodes) | {"feed": feed_id},
    )


def run(run_id: UUID, *, scope: Scope, nodes: set[int] | None) -> Row | None:
    """One comparison with its sums and its document's state."""
    return row(
        f"""
        SELECT r.*, f.source, n.code AS node_code, n.name AS node_name, d.rows AS document_rows,
            d.cursor AS document_cursor, d.state AS document_state
        FROM inventory_reconciliation r
        JOIN inventory_feed f ON f.id = r.feed_id
        JOIN inventory_node n ON n.id = r.node_id
        LEFT JOIN inventory_snapshotdocument d ON d.id = r.document_id
        WHERE r.id = %(run)s AND {within(scope, "f")} AND {_AT}
        """,  # noqa: S608  # own text
        _values(scope, nodes) | {"run": run_id},
    )


def lines(run_id: UUID, *, states: list[str], after: int = 0) -> list[Row]:
    """Lines of a comparison that differ, by id; a page of them. The caller has checked the run."""
    return rows(
        f"""
        SELECT d.id, d.condition, d.lot, d.ours, d.theirs, d.units, d.cause, d.evidence, d.state,
            d.decided_at, d.decided_by, d.note, d.movement_id, s.id AS sku_id, s.code AS sku_code,
            s.name AS sku_name
        FROM inventory_difference d JOIN inventory_sku s ON s.id = d.sku_id
        WHERE d.run_id = %(run)s AND d.state = ANY(%(states)s) AND d.id > %(after)s
        ORDER BY d.id LIMIT {LINES}
        """,  # noqa: S608  # own text
        {"run": run_id, "states": states, "after": after},
    )


def run_of(difference_id: int, *, scope: Scope) -> UUID | None:
    """The comparison that a line belongs to."""
    found = row(
        "SELECT d.run_id FROM inventory_difference d "  # noqa: S608  # own text
        f"WHERE d.id = %(line)s AND {within(scope, 'd')}",
        reach(scope) | {"line": difference_id},
    )
    return None if found is None else found["run_id"]
