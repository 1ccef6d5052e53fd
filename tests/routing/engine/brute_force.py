"""The engine's question answered the slow way: every way to spread every unit, priced in turn.

It shares no code with the engine but the price of a node (`Offer`), which has tests of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from routing.engine import Demand, Dependents, Node, Policy, RateCard
from routing.engine.geo import haversine_km

Spread = tuple[tuple[int, ...], ...]
"""Units by line, by node."""


@dataclass(frozen=True, slots=True)
class World:
    demand: Demand
    nodes: Sequence[Node]
    units: dict[tuple[int, int], int]
    rates: RateCard
    policy: Policy

    def spreads(self) -> Iterator[Spread]:
        """Every assignment that breaks no rule."""
        for spread in product(*(self._ways(place) for place in range(len(self.demand.lines)))):
            if self.allows(spread):
                yield spread

    def _ways(self, place: int) -> list[tuple[int, ...]]:
        line, demand = self.demand.lines[place], self.demand
        most = []
        for node in self.nodes:
            barred = (node.id, line.sku) in demand.excluded or (
                demand.pinned_node is not None and node.id != demand.pinned_node
            )
            held = 0 if barred else self.units.get((node.id, line.sku), 0)
            most.append(min(held, line.quantity))
        return [way for way in product(*(range(m + 1) for m in most)) if sum(way) <= line.quantity]

    def allows(self, spread: Spread) -> bool:
        lines, policy = self.demand.lines, self.policy
        for sku in {line.sku for line in lines}:
            taken = [
                sum(units)
                for units in zip(
                    *(way for line, way in zip(lines, spread, strict=True) if line.sku == sku),
                    strict=True,
                )
            ]
            if any(
                used > self.units.get((node.id, sku), 0)
                for node, used in zip(self.nodes, taken, strict=True)
            ):
                return False
            most = policy.max_nodes_per_line
            if most is not None and sum(used > 0 for used in taken) > most:
                return False
        if len(self.used(spread)) > self._most_parcels():
            return False
        return self._families_whole(spread) and self._complete_or_empty(spread)

    def _families_whole(self, spread: Spread) -> bool:
        lines = self.demand.lines
        places = {line.key: place for place, line in enumerate(lines)}
        if self.policy.dependents is not Dependents.TOGETHER:
            return all(line.parent is None for line in lines)
        for place, line in enumerate(lines):
            if line.parent is None:
                continue
            parent = places[line.parent]
            for member in (place, parent):
                if sum(spread[member]) not in (0, lines[member].quantity):
                    return False
            mine = {j for j, units in enumerate(spread[place]) if units}
            theirs = {j for j, units in enumerate(spread[parent]) if units}
            if mine != theirs or len(mine) > 1:
                return False
        return True

    def _complete_or_empty(self, spread: Spread) -> bool:
        if not self.demand.ship_complete and self.policy.allow_partial:
            return True
        missing = self.missing(spread)
        return missing == 0 or not self.used(spread)

    def _most_parcels(self) -> int:
        most = self.policy.max_nodes_per_demand
        return len(self.nodes) if most is None else most

    def used(self, spread: Spread) -> frozenset[int]:
        return frozenset(j for way in spread for j, units in enumerate(way) if units)

    def missing(self, spread: Spread) -> int:
        wanted = sum(line.quantity for line in self.demand.lines)
        return wanted - sum(map(sum, spread))

    def score(self, spread: Spread) -> Fraction:
        """Minor units, unrounded."""
        weights, lines = self.policy.weights, self.demand.lines
        used = self.used(spread)
        score = Fraction(max(0, len(used) - 1) * weights.parcel)
        for j in used:
            node = self.nodes[j]
            km = round(
                haversine_km(node.place.latitude, node.place.longitude, self.demand.destination)
            )
            zone = next(z for z in self.rates.zones[self.demand.service] if km <= z.max_km)
            cost = Fraction(zone.base + node.handling_cost)
            for line, way in zip(lines, spread, strict=True):
                cost += way[j] * (node.pick_cost + Fraction(zone.per_kg * line.weight_grams, 1000))
            score += cost * weights.cost_percent / 100
            score += Fraction(km * weights.distance_per_km, 1000)
        for line, way in zip(lines, spread, strict=True):
            score += (line.quantity - sum(way)) * line.unfilled_cost
        return score

    def rank(self, spread: Spread) -> tuple[int, Fraction, int]:
        """Less is better: units missing where filling comes first, score, parcels."""
        first = self.missing(spread) if self.policy.fill_first else 0
        return first, self.score(spread), len(self.used(spread))
