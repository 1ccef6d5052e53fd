"""What can be sold: of thousands of SKUs at once, now or by a later time.

A node's figure (ATP) is what lies there to be picked and is neither reserved, kept back nor set aside,
with what becomes pickable or has surely come in by then. A node that
cannot ship has none. A channel's figure (ATS) is the sum over its nodes, within its limits.
Goods of other owners count where the channel sells them, now and later with what is free of them now.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from config.kernel import versions
from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS, Scope
from inventory import quotas
from inventory.consigned import SOLD_HERE
from inventory.demand import demand
from inventory.lots import OVER
from inventory.models import ChannelAvailability, ChannelTerm, KitComponent, Node, PickableTime, Sku
from inventory.reckoning import Limits, of_kit, offered
from inventory.selectors.inbound_ahead import LATE, SURE_AT
from inventory.selectors.network import TOPIC, channel_nodes, network
from inventory.states import Function
from inventory.types import KeptFigure, NodeView

Parts = Mapping[int, Sequence[tuple[int, int]]]
"""The components of each kit: (SKU, how many of it)."""

_NET: Final = "p.sellable - p.reserved - p.buffer - p.landed"
_OWN: Final = "p.account_id = %(account)s AND p.owner_id = p.account_id"
_EXCLUDED: Final = """
    SELECT FROM inventory_exclusion x
    WHERE x.sku_id = p.sku_id AND x.node_id = p.node_id AND x.until > %(by)s
"""
_NOW: Final = f"""
    SELECT p.sku_id, p.node_id, p.landed,
        CASE WHEN p.shortfall = 0 AND (p.fresh_until IS NULL OR p.fresh_until > %(at)s)
            THEN greatest(0, {_NET}) ELSE 0 END AS units
    FROM inventory_stockposition p
    WHERE p.sku_id = ANY({{skus}}) AND p.node_id = ANY(%(nodes)s)
      AND p.account_id = %(account)s AND {SOLD_HERE} AND NOT EXISTS ({_EXCLUDED})
"""  # noqa: S608  # own text
COMING: Final = f"""
    SELECT l.sku_id, i.node_id, i.kind, {SURE_AT} AS due_at, i.id AS inbound_id, i.number,
        (l.expected - l.received) * CASE WHEN late.hours IS NULL THEN l.reliability_percent
            ELSE 100 END / 100 AS units,
        l.eta_at AS told_at, late.hours AS late_hours,
        CASE WHEN late.hours IS NULL THEN l.reliability_percent ELSE 100 END AS percent
    FROM inventory_inboundline l JOIN inventory_inbound i ON i.id = l.inbound_id {LATE}
    WHERE l.sku_id = ANY({{skus}}) AND l.received < l.expected AND l.eta_at <= %(by)s
      AND {SURE_AT} <= %(by)s
      AND i.state IN ('expected', 'arriving') AND i.account_id = %(account)s
    UNION ALL
    SELECT p.sku_id, p.node_id, v.condition, %(at)s + t.minutes * interval '1 minute',
        NULL, '', v.on_hand, NULL, NULL, NULL
    FROM inventory_stockposition p
    JOIN inventory_stocklevel v ON v.position_id = p.id AND v.on_hand > 0
    JOIN inventory_pickabletime t ON t.node_id = p.node_id AND t.condition = v.condition
    WHERE p.sku_id = ANY({{skus}}) AND {_OWN}
      AND %(at)s + t.minutes * interval '1 minute' <= %(by)s
    UNION ALL
    SELECT p.sku_id, p.node_id, 'expires', {OVER}, NULL, level.lot, -level.on_hand,
        NULL, NULL, NULL
    FROM inventory_stockposition p
    JOIN inventory_sku sku ON sku.id = p.sku_id
    JOIN inventory_node node ON node.id = p.node_id
    JOIN inventory_stocklevel level ON level.position_id = p.id AND level.on_hand > 0
        AND level.condition = 'available' AND level.expires_on IS NOT NULL
    WHERE p.sku_id = ANY({{skus}}) AND {_OWN} AND p.fresh_until <= %(by)s AND {OVER} <= %(by)s
"""  # noqa: S608  # own text
"""What can be picked from `at` to `by` that cannot now, and what no longer can, by SKU and node.

Inbound counts whole from when nine of ten of its supplier have come (`SURE_AT`); of a supplier of whom
nobody knows how late he is, from when it is expected and as far as it can be relied on. Lots fall away
when their remaining life is too short.
"""

_LATER: Final = f"""
    WITH coming AS MATERIALIZED (
        SELECT sku_id, node_id, sum(units)::bigint AS units FROM ({COMING}) AS each GROUP BY 1, 2
    ), able AS (
        SELECT p.sku_id, p.node_id, p.landed, greatest(0, {_NET} + coalesce(c.units, 0)) AS units
        FROM inventory_stockposition p
        LEFT JOIN coming c ON (c.sku_id, c.node_id) = (p.sku_id, p.node_id)
        WHERE p.sku_id = ANY({{skus}}) AND p.node_id = ANY(%(nodes)s) AND {_OWN}
        UNION ALL
        SELECT c.sku_id, c.node_id, 0, greatest(0, c.units) FROM coming c
        WHERE c.node_id = ANY(%(nodes)s) AND NOT EXISTS (
            SELECT FROM inventory_stockposition p
            WHERE p.sku_id = c.sku_id AND p.node_id = c.node_id AND {_OWN})
        UNION ALL
        SELECT p.sku_id, p.node_id, p.landed,
            CASE WHEN p.shortfall = 0 THEN greatest(0, {_NET}) ELSE 0 END
        FROM inventory_stockposition p
        WHERE p.sku_id = ANY({{skus}}) AND p.node_id = ANY(%(nodes)s)
          AND p.account_id = %(account)s AND p.owner_id <> p.account_id AND {SOLD_HERE}
    )
    SELECT p.* FROM able p WHERE NOT EXISTS ({_EXCLUDED})
"""  # noqa: S608  # own text
_KITS: Final = """
    SELECT c.kit_id AS sku_id, f.node_id, min(f.units / c.quantity) AS units
    FROM inventory_kitcomponent c
    JOIN (SELECT sku_id, node_id, sum(units)::bigint AS units FROM ({free}) AS each GROUP BY 1, 2)
        AS f ON f.sku_id = c.component_id
    WHERE c.kit_id = ANY(%(skus)s)
    GROUP BY 1, 2
    HAVING count(*) = (SELECT count(*) FROM inventory_kitcomponent a WHERE a.kit_id = c.kit_id)
"""


def ats(
    channel_id: UUID, sku_ids: Collection[int], *, at: datetime, by: datetime | None = None
) -> dict[int, int]:
    """Units of each SKU that the channel may sell now, or by a later time. At most ten statements.

    A kit counts by its scarcest component per node; of its components' limits the hardest counts.
    """
    wanted = sorted(set(sku_ids))
    account_id = _account_of(channel_id)
    version = versions.read([TOPIC])[TOPIC]
    uses = channel_nodes(channel_id, version=version)
    nodes = [
        node.id
        for node in network(account_id, version=version)
        if uses.get(node.id, (False, False))[0] and not why_not(node, by or at)
    ]
    parts = parts_of(wanted)
    asked = _asked(account_id, channel_id, nodes, wanted, parts, at, by)
    totals = _totals(asked, parts, by)
    bounds = limits(channel_id, wanted, parts, {k: v[1] for k, v in totals.items()}, at=by or at)
    return {sku_id: offered(totals.get(sku_id, (0, 0))[0], bounds[sku_id]) for sku_id in wanted}


def atp(
    node_ids: Collection[int],
    sku_ids: Collection[int],
    *,
    account_id: UUID,
    at: datetime,
    by: datetime | None = None,
) -> dict[tuple[int, int], int]:
    """Units that each node can promise of each SKU, by (node, SKU); none is absent. Four statements."""
    wanted = sorted(set(sku_ids))
    able = {node.id for node in network(account_id) if not why_not(node, by or at)}
    parts = parts_of(wanted)
    asked = _asked(account_id, None, sorted(able & set(node_ids)), wanted, parts, at, by)
    queries = [
        f"SELECT sku_id, node_id, sum(units)::bigint FROM ({_free('%(skus)s', by)}) AS f GROUP BY 1, 2"  # noqa: S608  # own text
    ]
    if parts:
        queries.append(_KITS.format(free=_free("%(parts)s", by)))
    return {
        (node_id, sku_id): units
        for sku_id, node_id, units in _rows(" UNION ALL ".join(queries), asked)
        if units
    }


def limits(
    channel_id: UUID | None,
    sku_ids: Collection[int],
    parts: Parts,
    landed: Mapping[int, int],
    *,
    at: datetime,
) -> dict[int, Limits]:
    """What keeps the channel from the nodes' units of each SKU. At most five statements.

    What has landed for those who wait is off sale already: of unplaced demand the rest counts.
    """
    every = {*sku_ids, *(part_id for known in parts.values() for part_id, _ in known)}
    unplaced = {
        sku_id: max(0, units - landed.get(sku_id, 0))
        for sku_id, units in demand().unplaced(every).items()
    }
    kept = quotas.left(channel_id, every, at) if channel_id is not None else {}
    thresholds = (
        dict(
            ChannelTerm.objects.for_scope(ALL_ACCOUNTS)
            .filter(channel_id=channel_id, sku_id__in=sku_ids)
            .values_list("sku_id", "threshold")
        )
        if channel_id is not None
        else {}
    )

    sold = set(
        Sku.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=sku_ids, active=True)
        .values_list("pk", flat=True)
    )

    def protected(sku_id: int) -> int:
        return kept[sku_id].others_protected if sku_id in kept else 0

    return {
        sku_id: Limits(
            of_kit(
                unplaced.get(sku_id, 0), [(unplaced.get(p, 0), q) for p, q in parts.get(sku_id, ())]
            ),
            of_kit(protected(sku_id), [(protected(p), q) for p, q in parts.get(sku_id, ())]),
            kept[sku_id].cap_left if sku_id in kept else None,
            thresholds.get(sku_id, 0),
            withdrawn=sku_id not in sold,
        )
        for sku_id in sku_ids
    }


def parts_of(sku_ids: Collection[int]) -> dict[int, list[tuple[int, int]]]:
    """The components of the kits among these SKUs: one statement."""
    parts: dict[int, list[tuple[int, int]]] = {}
    rows = KitComponent.objects.filter(kit_id__in=sku_ids).order_by("component_id")
    for kit_id, *part in rows.values_list("kit_id", "component_id", "quantity"):
        parts.setdefault(kit_id, []).append((part[0], part[1]))
    return parts


def why_not(node: NodeView, at: datetime) -> str:
    """Why the node cannot ship at this time; empty when it can. What is paused until then can."""
    if node.performs(Function.SHIP):
        return ""
    if node.state == "active":
        for known in node.functions:
            if known.function == Function.SHIP and known.paused_until and known.paused_until <= at:
                return ""
    return node.reason_closed(Function.SHIP)


def pickable_times(scope: Scope) -> list[tuple[str, str, int]]:
    """(node, condition, minutes) of every node of the scope, in that order."""
    found = PickableTime.objects.filter(node__in=Node.objects.for_scope(scope))
    rows = found.order_by("node__code", "condition")
    return list(rows.values_list("node__code", "condition", "minutes"))


def kept_figures(sku_ids: Collection[int], channel_ids: Collection[UUID]) -> list[KeptFigure]:
    """Figures as they are kept for these channels. One statement; what was never counted is absent."""
    found = ChannelAvailability.objects.for_scope(ALL_ACCOUNTS).filter(
        sku_id__in=sku_ids, channel_id__in=channel_ids
    )
    return [
        KeptFigure(
            row.channel_id,
            row.sku_id,
            row.ats,
            row.version,
            row.as_of,
            row.changed_at,
            row.last_order_id,
            row.published_version,
        )
        for row in found.order_by("sku_id", "channel_id")
    ]


def changed_since(channel_id: UUID, since: datetime) -> bool:
    """Whether a figure of the channel has changed since then and the channel was not told of it."""
    changed = ChannelAvailability.objects.for_scope(ALL_ACCOUNTS).filter(
        channel_id=channel_id, changed_at__gte=since, published_version__lt=F("version")
    )
    return changed.exists()


@contextmanager
def one_moment() -> Iterator[None]:
    """Whatever is read within is read as of one moment. Within a transaction it changes nothing."""
    nested = connection.in_atomic_block
    with transaction.atomic():
        if not nested:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _account_of(channel_id: UUID) -> UUID:
    account_id: UUID = (
        Channel.objects.for_scope(ALL_ACCOUNTS)
        .values_list("account_id", flat=True)
        .get(pk=channel_id)
    )
    return account_id


def _asked(
    account_id: UUID,
    channel_id: UUID | None,
    nodes: Sequence[int],
    sku_ids: Sequence[int],
    parts: Parts,
    at: datetime,
    by: datetime | None,
) -> dict[str, Any]:
    return {
        "account": account_id,
        "channel": channel_id,
        "nodes": nodes,
        "skus": sku_ids,
        "parts": sorted({part_id for known in parts.values() for part_id, _ in known}),
        "at": at,
        "by": by or at,
    }


def _free(skus: str, by: datetime | None) -> str:
    return (_NOW if by is None else _LATER).format(skus=skus)


def _totals(asked: dict[str, Any], parts: Parts, by: datetime | None) -> dict[int, tuple[int, int]]:
    """(units over all nodes, landed units) by SKU. A statement, and one more where there are kits."""
    loose = f"SELECT sku_id, sum(units)::bigint, sum(landed)::bigint FROM ({_free('%(skus)s', by)}) AS f GROUP BY 1"  # noqa: S608  # own text
    totals = {sku_id: (units, landed) for sku_id, units, landed in _rows(loose, asked)}
    if not parts:
        return totals
    made = f"SELECT sku_id, sum(units)::bigint FROM ({_KITS.format(free=_free('%(parts)s', by))}) AS k GROUP BY 1"  # noqa: S608  # own text
    for sku_id, units in _rows(made, asked):
        totals[sku_id] = (totals.get(sku_id, (0, 0))[0] + units, totals.get(sku_id, (0, 0))[1])
    landed = f"SELECT sku_id, sum(landed)::bigint FROM ({_free('%(parts)s', by)}) AS f GROUP BY 1"  # noqa: S608  # own text
    for sku_id, units in _rows(landed, asked):
        totals.setdefault(sku_id, (0, units))
    return totals


def _rows(query: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())
