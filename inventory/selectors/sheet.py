"""What is read to open a figure: positions, what lies there, who claims it and what comes in."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from config.kernel import versions
from inventory.consigned import SOLD_HERE
from inventory.reckoning import Limits, makes
from inventory.selectors.availability import COMING, limits, parts_of, why_not
from inventory.selectors.network import TOPIC, channel_nodes, network
from inventory.types import NodeView

_POSITIONS: Final = f"""
    SELECT p.id, p.sku_id, p.node_id, p.reserved, p.buffer, p.haircut, p.landed, p.shortfall,
        p.sellable, p.counted_at, p.fresh_until, x.until, coalesce(x.reason, ''),
        coalesce(o.code, '')
    FROM inventory_stockposition p
    LEFT JOIN inventory_exclusion x ON x.sku_id = p.sku_id AND x.node_id = p.node_id
    LEFT JOIN inventory_stockowner o ON o.id = p.owner_id
    WHERE p.sku_id = ANY(%(skus)s) AND p.account_id = %(account)s AND {SOLD_HERE}
    ORDER BY p.id
"""  # noqa: S608  # own text
_LEVELS: Final = """
    SELECT position_id, condition, lot, on_hand FROM inventory_stocklevel
    WHERE position_id = ANY(%(ids)s) AND on_hand > 0 ORDER BY position_id, condition, lot
"""
_CLAIMS: Final = """
    SELECT r.position_id, r.state, EXISTS (SELECT FROM inventory_transferline t WHERE t.id = r.demand_id),
        sum(r.quantity - r.consumed - r.released)::bigint, count(*), min(r.at)
    FROM inventory_reservation r
    WHERE r.position_id = ANY(%(ids)s) AND r.state IN ('held', 'reserved', 'committed')
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Comes:
    """What can be picked from a time on, or no longer: inbound, another condition, an expired lot.

    Of inbound `told_at` is when it is expected, `late_hours` how late nine of ten of its supplier come
    (None: nobody knows), `percent` how much of it counts.
    """

    kind: str
    due_at: datetime
    units: int
    number: str = ""
    inbound_id: int | None = None
    told_at: datetime | None = None
    late_hours: int | None = None
    percent: int | None = None


@dataclass(slots=True)
class Place:
    """A position, or a node at which there is none yet and something comes in.

    `owner` is the code of whose goods they are; empty, they are the account's own.
    """

    sku_id: int
    node_id: int
    id: int | None = None
    reserved: int = 0
    buffer: int = 0
    haircut: int = 0
    landed: int = 0
    shortfall: int = 0
    sellable: int = 0
    counted_at: datetime | None = None
    fresh_until: datetime | None = None
    until: datetime | None = None
    reason: str = ""
    owner: str = ""
    levels: list[tuple[str, str, int]] = field(default_factory=list)
    claims: list[tuple[str, bool, int, int, datetime]] = field(default_factory=list)
    coming: list[Comes] = field(default_factory=list)

    @property
    def net(self) -> int:
        return self.sellable - self.reserved - self.buffer - self.landed

    def excluded(self, at: datetime) -> bool:
        return self.until is not None and self.until > at

    def stale(self, at: datetime) -> bool:
        """Whether a lot has expired that still lies among the sellable ones."""
        return self.fresh_until is not None and self.fresh_until <= at

    def come(self, at: datetime) -> int:
        return sum(each.units for each in self.coming if each.due_at <= at)

    def free(self, at: datetime, *, later: bool) -> int:
        """What the node can promise of it, if it can ship."""
        if self.excluded(at) or (not later and self.stale(at)) or (self.owner and self.shortfall):
            return 0
        return max(0, self.net + (self.come(at) if later else 0))


@dataclass(slots=True)
class Sheet:
    """What was read of a SKU, or of a kit's components."""

    account_id: UUID
    channel_id: UUID | None
    sku_id: int
    sku_code: str
    nodes: Mapping[int, NodeView]
    used: frozenset[int]
    places: list[Place]
    parts: Sequence[tuple[int, int]]
    codes: Mapping[int, str]
    at: datetime
    limits: Limits = field(default_factory=Limits)

    def able(self, node_id: int, at: datetime) -> bool:
        node = self.nodes.get(node_id)
        return node is not None and node_id in self.used and not why_not(node, at)

    def landed(self, at: datetime) -> dict[int, int]:
        """Units set aside for waiting demand at the nodes that count, by SKU."""
        found: dict[int, int] = defaultdict(int)
        for place in self.places:
            if self.able(place.node_id, at) and not place.excluded(at):
                found[place.sku_id] += place.landed
        return found

    def by_node(self, at: datetime, *, later: bool) -> dict[int, int]:
        """What each node can promise: kits by the scarcest component."""
        own: dict[int, int] = defaultdict(int)
        free: dict[int, dict[int, int]] = defaultdict(dict)
        for place in self.places:
            if not self.able(place.node_id, at):
                continue
            units = place.free(at, later=later)
            if place.sku_id == self.sku_id:
                own[place.node_id] += units
            else:
                there = free[place.node_id]
                there[place.sku_id] = there.get(place.sku_id, 0) + units
        for node_id, units_of in free.items():
            own[node_id] += makes(units_of, self.parts)
        return own


def read(
    account_id: UUID,
    channel_id: UUID | None,
    sku_ids: Collection[int],
    at: datetime,
    horizon: datetime,
    by: datetime | None,
    node_ids: Collection[int] | None = None,
) -> dict[int, Sheet]:
    """Read SKUs, kits with their components, and what comes in by the horizon or by `by`.

    A dozen statements, however many SKUs they are.
    """
    version = versions.read([TOPIC])[TOPIC]
    known = {node.id: node for node in network(account_id, version=version)}
    used = frozenset(known)
    if channel_id is not None:
        uses = channel_nodes(channel_id, version=version)
        used &= {node_id for node_id, (ships, _) in uses.items() if ships}
    parts = parts_of(sku_ids)
    skus = sorted({*sku_ids, *(part_id for some in parts.values() for part_id, _ in some)})
    places = _places(skus, account_id, channel_id, at, max(horizon, by or at))
    if node_ids is not None:
        places = {
            sku_id: [place for place in some if place.node_id in node_ids]
            for sku_id, some in places.items()
        }
    codes = dict(
        _rows("SELECT id, code FROM inventory_sku WHERE id = ANY(%(skus)s)", {"skus": skus})
    )
    sheets = {
        sku_id: Sheet(
            account_id,
            channel_id,
            sku_id,
            codes.get(sku_id, ""),
            known,
            used,
            [
                place
                for part_id in (sku_id, *(part_id for part_id, _ in parts.get(sku_id, ())))
                for place in places.get(part_id, ())
            ],
            parts.get(sku_id, ()),
            codes,
            at,
        )
        for sku_id in sku_ids
    }
    if node_ids is not None:
        return sheets
    landed: dict[int, int] = {}
    for sheet in sheets.values():
        landed |= sheet.landed(by or at)
    for sku_id, found in limits(channel_id, sku_ids, parts, landed, at=by or at).items():
        sheets[sku_id].limits = found
    return sheets


def _places(
    skus: Sequence[int],
    account_id: UUID,
    channel_id: UUID | None,
    at: datetime,
    by: datetime,
) -> dict[int, list[Place]]:
    """Positions with all that belongs to them, and where something comes in, by SKU."""
    values = {"skus": skus, "account": account_id, "channel": channel_id, "at": at, "by": by}
    places = {
        (row[1], row[2], row[-1]): Place(row[1], row[2], row[0], *row[3:])
        for row in _rows(_POSITIONS, values)
    }
    by_id = {place.id: place for place in places.values()}
    ids = {"ids": list(by_id)}
    for position_id, condition, lot, units in _rows(_LEVELS, ids):
        by_id[position_id].levels.append((condition, lot, units))
    for position_id, state, transfer, units, claims, since in _rows(_CLAIMS, ids):
        by_id[position_id].claims.append((state, transfer, units, claims, since))
    for sku_id, node_id, kind, due_at, inbound_id, number, units, *sure in _rows(
        COMING.format(skus="%(skus)s"), values
    ):
        place = places.setdefault((sku_id, node_id, ""), Place(sku_id, node_id))
        place.coming.append(Comes(kind, due_at, int(units), number, inbound_id, *sure))
    found: dict[int, list[Place]] = {}
    for place in places.values():
        found.setdefault(place.sku_id, []).append(place)
    return found


def _rows(query: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())
