"""How nodes are doing, measured from their own work of the last days."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection

import inventory.selectors
import inventory.services
from config.kernel.types import Actor, Scope
from fulfillment.states import OPEN_FULFILLMENT
from inventory.states import CapacityResource, Function, SignalCode
from inventory.types import Measured

MEASURED_OVER: Final = timedelta(days=7)
_OPEN: Final = [str(state) for state in OPEN_FULFILLMENT]
_MINUTE: Final = timedelta(minutes=1)

_WORK: Final = """
    SELECT f.node_id, sum(l.waiting + l.accepted + l.picked)
    FROM fulfillment_fulfillmentorder f
    JOIN fulfillment_fulfillmentline l ON l.fulfillment_order_id = f.id
    WHERE f.state = ANY(%s) GROUP BY 1
"""
_LATENCY: Final = """
    SELECT node_id, percentile_cont(0.5) WITHIN GROUP (
        ORDER BY extract(epoch FROM acknowledged_at - released_at)) / 60
    FROM fulfillment_fulfillmentorder
    WHERE released_at > %s AND acknowledged_at IS NOT NULL GROUP BY 1
"""
_FAILED: Final = """
    SELECT f.node_id, 100.0 * sum(l.short) / sum(l.picked + l.packed + l.shipped + l.collected
        + l.short)
    FROM fulfillment_fulfillmentorder f
    JOIN fulfillment_fulfillmentline l ON l.fulfillment_order_id = f.id
    WHERE f.released_at > %s AND l.picked + l.packed + l.shipped + l.collected + l.short > 0
    GROUP BY 1 HAVING sum(l.picked + l.packed + l.shipped + l.collected + l.short) >= 20
"""


def measure_nodes(scope: Scope, *, at: datetime, actor: Actor) -> int:
    """Measure open work, time to take work on, units not found, age of the feed, backlog and docks.

    Nobody's work is no measure: a node that took nothing on in the days looked at has no latency, and
    one that was asked for fewer than twenty units has no share of them.
    Answers how many nodes were measured.
    """
    node_ids = [node.id for node in inventory.selectors.nodes(scope) if node.state != "closed"]
    since = at - MEASURED_OVER
    found = {
        SignalCode.OPEN_WORK: dict.fromkeys(node_ids, 0.0) | _answer(_WORK, _OPEN),
        SignalCode.ACK_LATENCY: _answer(_LATENCY, since),
        SignalCode.PICK_FAIL_RATE: _answer(_FAILED, since),
        SignalCode.FEED_AGE: {
            node_id: view.age / _MINUTE
            for node_id, view in inventory.selectors.feed_state(node_ids, at).items()
            if view.age is not None
        },
        SignalCode.BACKLOG: _backlogs(node_ids, at),
        SignalCode.DOCKS: inventory.selectors.fullest_docks(node_ids, at),
    }
    measured = [
        Measured(node_id, code.value, known.get(node_id))
        for code, known in found.items()
        for node_id in node_ids
    ]
    inventory.services.record_signals(measured, at=at, actor=actor)
    return len(node_ids)


def _answer(sql: str, param: datetime | list[str]) -> dict[int, float]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [param])
        return {node_id: float(value) for node_id, value in cursor.fetchall()}


def _backlogs(node_ids: list[int], at: datetime) -> dict[int, float]:
    """What earlier windows left, in percent of what the window can do: the worst of its resources.

    Parcels are what comes of the work, not the work itself.
    """
    worst: dict[int, float] = {}
    for (node_id, function), windows in inventory.selectors.current_windows(node_ids, at).items():
        for window in windows:
            goes_out = function != Function.RECEIVING
            if goes_out and window.resource != CapacityResource.PARCELS and window.most:
                share = 100.0 * window.backlog / window.most
                worst[node_id] = max(worst.get(node_id, 0.0), share)
    return worst
