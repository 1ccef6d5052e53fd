"""Stores where a buyer may collect: near the destination, or those that were named."""

from dataclasses import dataclass

import inventory.selectors
from routing import engine
from routing.engine.geo import distances_km
from routing.places import locate
from routing.quotes.asking import Asked
from routing.quotes.types import MOST_STORES, Place, Unavailable


@dataclass(frozen=True, slots=True)
class NearStore:
    """A store of the channel, and how far it is from the destination."""

    node: engine.Node
    place: Place

    @property
    def code(self) -> str:
        return self.node.code

    @property
    def timezone(self) -> str:
        return self.node.timezone


def near_stores(asked: Asked) -> tuple[list[NearStore], Unavailable | None]:
    """The nearest stores of the channel within reach, and why there is none. No statement."""
    request = asked.request
    able = [node for node in asked.network.pickup if node.groups]
    if request.stores:
        able = [node for node in able if node.code in request.stores]
    elif not request.has_destination:
        return [], _none("no_destination", "Stores are looked for near a destination.")
    where = locate(request.postal_code, request.region, request.country)
    there = engine.Place(
        request.postal_code, where.latitude, where.longitude, request.region, request.country
    )
    if not able:
        return [], _none("no_store", "Orders of this channel are collected nowhere.")
    [distances] = distances_km([node.place for node in able], [there])
    near = sorted(
        (
            (km, node.code, node)
            for km, node in zip(distances, able, strict=True)
            if request.stores or km <= request.pickup_km
        ),
        key=lambda found: found[:2],
    )
    if not near:
        return [], _none("no_store_near", f"No store is within {request.pickup_km} km.")
    version = asked.snapshot.reference.versions["network"]
    views = {v.id: v for v in inventory.selectors.network(request.account_id, version=version)}
    stores = []
    for km, _, node in near[:MOST_STORES]:
        view = views[node.id]
        place = Place(node.code, node.name, view.city, view.region, view.postal_code, int(km))
        stores.append(NearStore(node, place))
    return stores, None


def _none(code: str, detail: str) -> Unavailable:
    return Unavailable("", "", "", "", code, detail)
