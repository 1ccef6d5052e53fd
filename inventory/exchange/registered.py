"""The kinds of file that there are, in the order in which they depend on each other."""

from config.kernel.services import jobs, upkeep
from inventory.exchange import (
    assortment,
    feeds,
    inbound,
    items,
    lots,
    moves,
    nodes,
    offers,
    owners,
    pickable,
)
from inventory.exchange.imports import JOB, remove_old, run_parts
from inventory.exchange.kinds import register


def register_all() -> None:
    """Called once, from `ready()`. Each subject adds its kinds here."""
    jobs.register(JOB, run_parts, outside=True)
    upkeep.also_remove(remove_old)
    register(items.SKUS, items.PACKS, items.BARCODES)
    register(assortment.KITS, assortment.SUBSTITUTES, assortment.LISTINGS)
    register(moves.ADJUSTMENTS, moves.TRANSFERS)
    register(nodes.NODES, nodes.NODE_HOURS, nodes.CUTOFFS, nodes.PICKUPS)
    register(nodes.CAPACITY, nodes.CLOSURES)
    register(feeds.FEEDS)
    register(lots.LOTS)
    register(pickable.PICKABLE_TIMES)
    register(owners.OWNER_PRICES)
    register(offers.SUPPLIER_OFFERS)
    register(inbound.INBOUND, inbound.INBOUND_ETAS, inbound.AHEAD_CAPS, inbound.SUPPLY_LANES)
