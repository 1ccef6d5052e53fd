"""What a batch of demands is planned from, read at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import inventory.selectors
from inventory import quotas
from inventory.consigned import free_of
from inventory.lives import Lives
from inventory.quotas import Kept
from inventory.types import PositionView
from orders.sourcing import Demand
from routing import books, engine, reference
from routing.books import Prices
from routing.engine import Supply
from routing.offered import NO_OFFERS, Leads, Offered
from routing.reference import Network, Policy, Reference
from routing.rooms import PICKUP, SHIP, Rooms, read_rooms
from routing.willingness import (
    ACCEPTANCE_TOPIC,
    FULL_TOPIC,
    Acceptance,
    acceptance,
    full_nodes,
    goods_of,
    rejections_cost,
)

PICKUP_METHODS = frozenset({"pickup"})
STORE_METHODS = frozenset({"ship_to_store"})

Key = tuple[int, int]
"""(node id, SKU id)."""
Goods = tuple[str, Leads]
"""What decides how nodes see a demand's goods: their class, and what suppliers need for them."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the batch is planned from: one read of versions, of positions and of exclusions."""

    reference: Reference
    codes: Mapping[int, str]
    positions: Mapping[Key, PositionView]
    excluded: frozenset[Key]
    kept: Kept | None = None
    rooms: Rooms = field(default_factory=Rooms)
    lives: Lives | None = None
    prices: Mapping[UUID, Prices] = field(default_factory=dict)
    acceptance: Acceptance = field(default_factory=Acceptance)
    offered: Offered = NO_OFFERS

    def book(
        self, demands: Sequence[Demand], policy: Policy, *, at: datetime
    ) -> engine.PriceBook | None:
        """What later orders ask for the units of these demands of one channel, where it is known.

        What a buyer collects is there or not: prices have no say in it.
        """
        prices = self.prices.get(demands[0].account_id)
        if prices is None or not policy.prices_percent or function_of(demands[0]) == PICKUP:
            return None
        if prices.header.currency != self.reference.rates().currency:
            return None
        skus = {line.sku_id for one in demands for line in one.lines}
        return prices.book(
            skus,
            self.positions,
            percent=policy.prices_percent,
            at=at,
            in_full=not policy.rules.fill_first,
        )

    def goods(self, demands: Sequence[Demand]) -> list[Goods]:
        """The class of each demand's goods, where nodes are known to reject some more than others.

        Beside it how long drop-ship suppliers need for them.
        """
        leads = [self.offered.leads(one) for one in demands]
        if not self.acceptance.rates:
            return [("", days) for days in leads]
        known = self.reference.traits({line.sku_id for one in demands for line in one.lines})
        return [
            (goods_of([known[line.sku_id] for line in one.lines if line.sku_id in known]), days)
            for one, days in zip(demands, leads, strict=True)
        ]

    def willing(
        self, demand: Demand, network: Network, policy: Policy, told: Goods, rooms: Rooms
    ) -> tuple[tuple[engine.Node, ...], Policy]:
        """The nodes as they are for the demand and its goods; rejections cost what the policy says."""
        goods, leads = told
        nodes = rooms.open_nodes(network, function_of(demand))
        nodes = self.offered.nodes(nodes, leads)
        asked = self.acceptance.nodes(nodes, goods)
        rules = rejections_cost(policy.rules, asked, policy.reroute_minor)
        if rules is policy.rules:
            return nodes, policy
        return asked, replace(policy, rules=rules)

    def supply(self, demands: Sequence[Demand] = ()) -> Supply:
        """What is free, and what was set aside for these demands when it landed."""
        units = free_of(self.positions)
        for demand in demands:
            for node_id, sku_id, landed in demand.set_aside:
                units[node_id, sku_id] = units.get((node_id, sku_id), 0) + landed
        return Supply(units)


def read_snapshot(demands: Sequence[Demand], *, excluded: frozenset[Key], at: datetime) -> Snapshot:
    """Read supply and exclusions of everything the demands name: one statement each."""
    known = reference.current()
    accounts = {demand.account_id for demand in demands}
    sku_ids = sorted({line.sku_id for demand in demands for line in demand.lines})
    networks = [
        known.network(*users)
        for users in {(demand.account_id, demand.channel_id) for demand in demands}
    ]
    node_ids = sorted({node_id for network in networks for node_id in network.node_ids()})
    kept_skus = known.kept_skus(accounts, sku_ids)
    positions = inventory.selectors.supply(sku_ids, node_ids)
    return Snapshot(
        known,
        known.codes(sku_ids),
        positions,
        excluded | frozenset(inventory.selectors.exclusions(sku_ids, at)),
        quotas.kept(quotas.live_quotas(kept_skus), at) if kept_skus else None,
        read_rooms(networks, at, full_nodes(known.versions[FULL_TOPIC])),
        known.lives(accounts, sku_ids, [view.id for view in positions.values()], at),
        books.prices_for(accounts, sku_ids, version=known.versions[books.TOPIC]),
        acceptance(known.versions[ACCEPTANCE_TOPIC]),
        known.offered(sku_ids, at.date()),
    )


def function_of(demand: Demand) -> str:
    """What a node does for it: hands it over, or ships it."""
    return PICKUP if demand.method in PICKUP_METHODS else SHIP
