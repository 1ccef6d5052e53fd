"""What is left of a supply while demands are planned one after another against it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from inventory.consigned import Shared, shared
from inventory.lives import Lasting
from inventory.quotas import Allotment
from inventory.types import PositionView
from orders.sourcing import Demand
from routing.engine import Supply
from routing.rooms import Pace, Rooms
from routing.snapshot import Key, Snapshot


@dataclass(slots=True)
class Left:
    """What is left of a snapshot while its demands are planned one after another.

    Where quotas keep units for channels, each run of demands is offered only what its channel may
    have; where lots are bound, only those that last long enough. `pace` is what nodes can still begin.
    """

    supply: Supply
    positions: Mapping[Key, PositionView]
    aside: dict[Key, int]
    allotment: Allotment | None
    lasting: Lasting | None = None
    shared: Shared | None = None
    pace: Pace = field(default_factory=lambda: Pace(Rooms()))

    @classmethod
    def of(cls, snapshot: Snapshot, demands: Sequence[Demand]) -> "Left":
        aside: dict[Key, int] = {}
        for demand in demands if snapshot.kept is not None else ():
            for node_id, sku_id, landed in demand.set_aside:
                aside[node_id, sku_id] = aside.get((node_id, sku_id), 0) + landed
        allotment = None if snapshot.kept is None else Allotment(snapshot.kept)
        lasting = None if snapshot.lives is None else Lasting(snapshot.lives)
        owners = shared(snapshot.positions)
        pace = Pace(snapshot.rooms)
        return cls(
            snapshot.supply(demands), snapshot.positions, aside, allotment, lasting, owners, pace
        )

    def offered(
        self, channel_id: UUID, sku_ids: Collection[int], held: Mapping[Key, int]
    ) -> tuple[Supply, frozenset[int]]:
        """What the channel's demands may be planned from, and the SKUs of which units are kept back.

        Units that were set aside for who waits are nobody's quota; nor are those that the one
        demand's own cart has `held`.
        """
        if self.allotment is None and self.lasting is None and self.shared is None and not held:
            return self.supply, frozenset()
        units = {sku_id: dict(self.supply.holders(sku_id)) for sku_id in sku_ids}
        kept = self._keep_back(channel_id, units)
        if (owners := self.shared) is not None:
            for node_id, sku_id in owners:
                if free := units.get(sku_id, {}).get(node_id, 0):
                    not_sold = owners.not_sold(channel_id, (node_id, sku_id))
                    units[sku_id][node_id] = max(0, free - not_sold)
        for (node_id, sku_id), own in held.items():
            if (node_id, sku_id) in self.positions:
                there = units.setdefault(sku_id, {})
                there[node_id] = there.get(node_id, 0) + own
        if self.lasting is not None:
            for sku_id, by_node in units.items():
                for node_id, n in by_node.items():
                    position_id = self.positions[node_id, sku_id].id
                    by_node[node_id] = self.lasting.offered(channel_id, sku_id, position_id, n)
        return Supply.by_sku(units), frozenset(kept)

    def _keep_back(self, channel_id: UUID, units: dict[int, dict[int, int]]) -> set[int]:
        """Lower units by SKU and node to what quotas leave the channel; the SKUs where they do."""
        kept: set[int] = set()
        if self.allotment is None:
            return kept
        for sku_id in self.allotment.limited(units):
            by_node = units[sku_id]
            free = {
                self.positions[node_id, sku_id].id: max(0, n - self.aside.get((node_id, sku_id), 0))
                for node_id, n in by_node.items()
            }
            offered = self.allotment.offered(channel_id, sku_id, free)
            for node_id, n in by_node.items():
                key = node_id, sku_id
                by_node[node_id] = min(n, self.aside.get(key, 0) + offered[self.positions[key].id])
                if by_node[node_id] < n:
                    kept.add(sku_id)
        return kept

    def drawn(self, channel_id: UUID, key: Key, units: int) -> list[tuple[int, int]]:
        """The positions that the units come from: of several owners in their turn."""
        if self.shared is None or key not in self.shared:
            return [(self.positions[key].id, units)]
        return self.shared.draw(channel_id, key, units)

    def take(
        self, channel_id: UUID, supply: Supply, key: Key, units: int, held: dict[Key, int]
    ) -> None:
        """Units of the position were planned for the channel, held ones first, then landed ones."""
        supply.take(*key, units)
        if self.lasting is not None:
            self.lasting.take(channel_id, key[1], self.positions[key].id, units)
        if own := min(units, held.get(key, 0)):
            held[key] -= own
            units -= own
        if not units:
            return
        if supply is not self.supply:
            self.supply.take(*key, units)
        if self.allotment is None:
            return
        aside = min(units, self.aside.get(key, 0))
        if aside:
            self.aside[key] -= aside
        position = self.positions[key]
        self.allotment.take(channel_id, key[1], position.id, units - aside, units)
