"""Promises that were broken, by the stage that ate the slack.

A promise is broken when its goods left after ship-by, or have not left yet; else when the last of
them came after the last day promised, or has not come yet. Its stage is the one that took most
beyond its plan. What is counted against is the first promise that the buyer got, or the one that
stands.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from config.kernel.types import Scope
from config.reports.sql import Row, reach, rows, within
from fulfillment.services.stage_times import KnownPaces, known_paces
from fulfillment.slack import AT_NODE, targets
from fulfillment.states import Stage

MOST: Final = 20_000
SHIPPED_LATE, NOT_SHIPPED = "shipped_late", "not_shipped"
DELIVERED_LATE, NOT_DELIVERED = "delivered_late", "not_delivered"
KINDS: Final = {
    SHIPPED_LATE: "Left late",
    NOT_SHIPPED: "Not left yet",
    DELIVERED_LATE: "Came late",
    NOT_DELIVERED: "Not come yet",
}
AGAINST: Final = {"first": "ASC", "standing": "DESC"}
BY: Final = ("stage", "kind", "node", "carrier", "channel", "day")

_BROKEN: Final = """
SELECT * FROM (
    SELECT g.id AS group_id, o.number, g.position + 1 AS position, o.account_id, c.code AS channel,
        c.name AS channel_name, o.placed_at, o.accepted_at, work.node_id, n.code AS node,
        n.name AS node_name, work.released_at, work.acknowledged_at, work.picked_at, work.packed_at,
        out.shipped_at, out.delivered_at, coalesce(out.carrier_code, '') AS carrier,
        p.ship_by, p.deliver_latest, consent.accepted, units.waiting, CASE
            WHEN units.open > 0 AND p.ship_by < %(now)s THEN 'not_shipped'
            WHEN units.open = 0 AND out.shipped_at > p.ship_by THEN 'shipped_late'
            WHEN units.open = 0 AND units.underway > 0 AND p.deliver_latest < %(now)s
                THEN 'not_delivered'
            WHEN units.open = 0 AND units.underway = 0 AND out.delivered_at > p.deliver_latest
                THEN 'delivered_late'
        END AS kind
    FROM orders_deliverygroup g
    JOIN orders_order o ON o.id = g.order_id AND o.mode <> 'history'
        AND o.state IN ('accepted', 'closed') AND o.placed_at > %(since)s - interval '45 days'
        AND o.placed_at < %(until)s
    JOIN kernel_channel c ON c.id = o.channel_id
    JOIN LATERAL (
        SELECT p.ship_by, p.deliver_latest FROM orders_promise p WHERE p.group_id = g.id
        ORDER BY p.version {order} LIMIT 1
    ) p ON p.ship_by < %(until)s
    JOIN LATERAL (
        SELECT sum(l.pending + l.backordered + l.reserved + l.released) AS open,
            sum(l.pending + l.backordered + l.reserved) AS waiting, sum(l.underway) AS underway, sum(l.ordered - l.cancelled) AS wanted
        FROM orders_orderline l WHERE l.group_id = g.id AND l.kind = 'stock'
    ) units ON units.wanted > 0
    LEFT JOIN LATERAL (
        SELECT f.* FROM fulfillment_fulfillmentorder f
        WHERE f.group_id = g.id AND f.state <> 'cancelled'
        ORDER BY coalesce(f.shipped_at, f.ready_at, 'infinity') DESC, f.id DESC LIMIT 1
    ) work ON true
    LEFT JOIN LATERAL (
        SELECT max(coalesce(x.handed_over_at, f.ready_at)) AS shipped_at,
            max(coalesce(x.delivered_at, f.ended_at)) AS delivered_at,
            max(x.carrier_code) AS carrier_code
        FROM fulfillment_fulfillmentorder f
        LEFT JOIN fulfillment_parcel x ON x.fulfillment_order_id = f.id AND x.state <> 'voided'
        WHERE f.group_id = g.id AND f.state <> 'cancelled'
    ) out ON true
    LEFT JOIN inventory_node n ON n.id = work.node_id
    LEFT JOIN LATERAL (
        SELECT bool_or(a.choice = 'accept') AS accepted FROM orders_consentquestion q
        JOIN orders_consentanswer a ON a.question_id = q.id WHERE q.group_id = g.id
    ) consent ON true
    WHERE g.fulfilled_by = 'us' AND {wall}
        AND (%(all_nodes)s OR work.node_id = ANY(%(nodes)s))
) broken
WHERE kind IS NOT NULL AND CASE WHEN kind IN ('not_shipped', 'shipped_late') THEN ship_by
    ELSE deliver_latest END BETWEEN %(since)s AND %(until)s
ORDER BY ship_by DESC, group_id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Breach:
    """A broken promise. `stage` ate most of the slack: `overrun_seconds` beyond its plan."""

    group_id: UUID
    number: str
    position: int
    kind: str
    stage: str
    overrun_seconds: int
    late_seconds: int
    due_at: datetime
    happened_at: datetime | None
    node: str
    node_name: str
    carrier: str
    channel: str
    channel_name: str
    consented: bool

    @property
    def day(self) -> str:
        return self.due_at.date().isoformat()

    @property
    def label(self) -> str:
        return KINDS[self.kind]


def breaches(
    *,
    scope: Scope,
    nodes: set[int] | None,
    since: datetime,
    until: datetime,
    now: datetime,
    against: str = "first",
) -> list[Breach]:
    """Every promise that was due in the time and broken, the latest first; at most `MOST`."""
    query = _BROKEN.format(order=AGAINST.get(against, "ASC"), wall=within(scope, "g"))
    found = rows(
        query,
        reach(scope)
        | {
            "since": since,
            "until": min(until, now),
            "now": now,
            "limit": MOST,
            "all_nodes": nodes is None,
            "nodes": sorted(nodes or ()),
        },
    )
    known = known_paces()
    made = [_breach(each, known, now) for each in found]
    return sorted(made, key=lambda one: (one.due_at, one.number), reverse=True)


def _breach(found: Row, known: KnownPaces, now: datetime) -> Breach:
    on_the_road = found["kind"] in {DELIVERED_LATE, NOT_DELIVERED}
    happened = found["delivered_at" if on_the_road else "shipped_at"]
    if found["kind"] in {NOT_SHIPPED, NOT_DELIVERED}:
        happened = None
    due = found["deliver_latest" if on_the_road else "ship_by"]
    stage, overrun = (
        (Stage.DELIVER, int(((happened or now) - due).total_seconds()))
        if on_the_road
        else eater(found, known, now)
    )
    return Breach(
        found["group_id"],
        found["number"],
        found["position"],
        found["kind"],
        stage.value,
        overrun,
        int(((happened or now) - due).total_seconds()),
        due,
        happened,
        found["node"] or "",
        found["node_name"] or "No node",
        found["carrier"] if on_the_road else "",
        found["channel"],
        found["channel_name"],
        bool(found["accepted"]),
    )


def eater(found: Row, known: KnownPaces, now: datetime) -> tuple[Stage, int]:
    """The stage at the node that took most beyond its plan, and by how many seconds."""
    paces = known.of(found["account_id"], found["node_id"])
    planned = targets(found["placed_at"], found["ship_by"], found["deliver_latest"], paces)
    ends = [
        found[name]
        for name in (
            "accepted_at", "released_at", "acknowledged_at", "picked_at", "packed_at", "shipped_at",
        )
    ]  # fmt: skip
    if found["kind"] == NOT_SHIPPED:
        # What no node was asked for yet is what it waits for; else what its node still has.
        ends = [*ends[:1], *[None] * 5] if found["waiting"] else [*ends[:-1], None]
    begun, plan_begun = found["placed_at"], found["placed_at"]
    worst, overrun = Stage.ACCEPT, -(10**12)
    for place, stage in enumerate(AT_NODE):
        reached = [end for end in ends[place:] if end is not None]
        # A step that was never recorded ended with the next one that was.
        ended = reached[0] if reached else now
        over = (ended - begun) - (planned[stage] - plan_begun)
        if over.total_seconds() > overrun:
            worst, overrun = stage, int(over.total_seconds())
        if not reached:
            break
        begun, plan_begun = max(begun, ended), planned[stage]
    return worst, overrun


def counted(found: Sequence[Breach], by: str) -> list[tuple[str, str, int]]:
    """(code, name, how many) of the breaches by stage, kind, node, carrier, channel or day."""
    names: dict[str, str] = {}
    tally: Counter[str] = Counter()
    for one in found:
        code = getattr(one, by)
        if by == "carrier" and not code:
            continue
        names[code] = {
            "node": one.node_name,
            "channel": one.channel_name,
            "kind": one.label,
            "stage": Stage(one.stage).label,
        }.get(by, code)
        tally[code] += 1
    ordered = sorted(
        tally.items(), key=lambda each: each[0] if by == "day" else (-each[1], each[0])
    )
    return [(code, names[code], many) for code, many in ordered]


def narrowed(found: Iterable[Breach], chosen: dict[str, str]) -> list[Breach]:
    """Those that are of all of these."""
    wanted = [(name, value) for name, value in chosen.items() if value and name in BY]
    return [one for one in found if all(getattr(one, name) == value for name, value in wanted)]
