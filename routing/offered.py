"""What drop-ship suppliers ask for the SKUs at hand, as the engine takes it. Pure.

A supplier's price is compared with what a unit of our own costs, where the offer says it, and else
with the least that any supplier asks for the SKU that day.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from inventory.types import OfferTerms
from orders.sourcing import Demand
from routing import engine

OFFERS_TOPIC: Final = "offers"

Leads = tuple[tuple[int, int], ...]
"""By supplier, how many of its working days a demand's goods take until they are ready."""


@dataclass(frozen=True, slots=True)
class Offered:
    """The suppliers' terms for some SKUs on one day, by node."""

    partners: Mapping[int, engine.Partner] = field(default_factory=dict)
    leads_by_sku: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    """By SKU and node, of the offers that hold."""

    def leads(self, demand: Demand) -> Leads:
        """Each supplier's lead for all of the demand: that of the SKU which takes longest."""
        if not self.leads_by_sku:
            return ()
        longest: dict[int, int] = {}
        for line in demand.lines:
            for node, days in self.leads_by_sku.get(line.sku_id, {}).items():
                longest[node] = max(days, longest.get(node, 0))
        # No lead is the usual case, and demands that are alike are planned in one call.
        return tuple(sorted((node, days) for node, days in longest.items() if days))

    def nodes(self, nodes: tuple[engine.Node, ...], leads: Leads) -> tuple[engine.Node, ...]:
        """The nodes with their terms; the same ones where no supplier has any."""
        if not self.partners:
            return nodes
        days = dict(leads)
        return tuple(
            replace(node, partner=replace(terms, lead_days=days.get(node.id, 0)))
            if node.partner is not None and (terms := self.partners.get(node.id)) is not None
            else node
            for node in nodes
        )

    def in_turn(self, nodes: Sequence[engine.Node], demand: Demand) -> list[engine.Node]:
        """The nodes with what they need alone, for goods that they are to send whatever they ask."""
        days = dict(self.leads(demand))
        return [
            replace(node, partner=engine.Partner(days[node.id]))
            if node.partner is not None and node.id in days
            else node
            for node in nodes
        ]


NO_OFFERS: Final = Offered()


def offered(
    known: Mapping[int, Sequence[OfferTerms]],
    sku_ids: Collection[int],
    *,
    currency: str,
    on: date,
) -> Offered:
    """What is offered of these SKUs that day.

    An offer in another currency than the rates are in counts by its lead and its least order alone.
    """
    surcharges: dict[int, dict[int, int]] = {}
    least: dict[int, dict[int, int]] = {}
    leads: dict[int, dict[int, int]] = {}
    for sku in sku_ids:
        hold, over = _standing(known.get(sku, ()), on)
        for node in over:
            least.setdefault(node, {})[sku] = engine.NO_MORE
        asked = [one.unit_cost_minor for one in hold if one.currency == currency]
        for one in hold:
            leads.setdefault(sku, {})[one.node_id] = one.lead_days
            if one.least_units > 1:
                least.setdefault(one.node_id, {})[sku] = one.least_units
            if one.currency == currency:
                ours = min(asked) if one.own_cost_minor is None else one.own_cost_minor
                surcharges.setdefault(one.node_id, {})[sku] = one.unit_cost_minor - ours
    nodes = surcharges.keys() | least.keys() | {node for days in leads.values() for node in days}
    return Offered(
        {
            node: engine.Partner(
                surcharges={sku: more for sku, more in surcharges.get(node, {}).items() if more},
                least=least.get(node, {}),
            )
            for node in nodes
        },
        leads,
    )


def _standing(terms: Sequence[OfferTerms], on: date) -> tuple[list[OfferTerms], set[int]]:
    """Of one SKU's offers, the last begun first: those that hold, and suppliers whose last one is over."""
    last: dict[int, OfferTerms] = {}
    for one in terms:
        if one.valid_from <= on:
            last.setdefault(one.node_id, one)
    hold = [one for one in last.values() if one.holds(on)]
    return hold, last.keys() - {one.node_id for one in hold}


def stored(nodes: Sequence[engine.Node], skus: Collection[int]) -> list[list[Any]]:
    """The suppliers' terms that a plan of these SKUs was made under, as JSON values."""
    found = []
    for node in nodes:
        if node.partner is None:
            continue
        said = [
            sorted([sku, n] for sku, n in values.items() if sku in skus)
            for values in (node.partner.surcharges, node.partner.least)
        ]
        if node.partner.lead_days or any(said):
            found.append([node.id, node.partner.lead_days, *said])
    return sorted(found)


def with_terms(
    nodes: tuple[engine.Node, ...], said: Sequence[Sequence[Any]]
) -> tuple[engine.Node, ...]:
    """The nodes under the terms that an opened input names; the same ones where it names none."""
    if not said:
        return nodes
    terms = {
        node: engine.Partner(lead, dict(surcharges), dict(least))
        for node, lead, surcharges, least in said
    }
    return tuple(
        replace(node, partner=terms[node.id]) if node.id in terms else node for node in nodes
    )
