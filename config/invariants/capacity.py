"""Invariant 8 for nodes: capacity used is the sum of what was entered, and so is what was done.

Capacity belongs to nodes, which accounts share: a reader of one account asks of the nodes that it uses.
"""

from config.invariants import by_sql, register

_ENTERED = """
    SELECT e.node_id, e.function, e.resource, e.starts_at,
        sum(e.used) FILTER (WHERE e.counted OR e.xid < f.xid) AS used,
        sum(e.done) FILTER (WHERE e.xid < f.xid) AS done
    FROM inventory_capacityentry e
    LEFT JOIN inventory_capacityfold f ON f.name = 'entries'
    GROUP BY 1, 2, 3, 4
"""
_REACHED = "node_id IN (SELECT g.node_id FROM inventory_nodegrant g WHERE {account})"


def _told(column: str) -> str:
    return f"""
        SELECT coalesce(w.node_id, e.node_id) AS node_id, coalesce(w.function, e.function),
            coalesce(w.resource, e.resource), coalesce(w.starts_at, e.starts_at),
            coalesce(w.{column}, 0), coalesce(e.{column}, 0)
        FROM (SELECT * FROM inventory_capacitywindow WHERE {_REACHED}) AS w
        FULL JOIN (SELECT * FROM ({_ENTERED}) AS sums WHERE {_REACHED}) AS e
            USING (node_id, function, resource, starts_at)
        WHERE coalesce(w.{column}, 0) <> coalesce(e.{column}, 0) ORDER BY 1, 2, 3, 4
    """  # noqa: S608  # own text


register(
    by_sql(
        "capacity.used",
        "What a window says is used is the sum of what was entered into it",
        "Node {}, {} {} of {}: {} used, but {} entered.",
        _told("used"),
    ),
    by_sql(
        "capacity.done",
        "What a window says is done is the sum of what was entered into it",
        "Node {}, {} {} of {}: {} done, but {} entered.",
        _told("done"),
    ),
)
