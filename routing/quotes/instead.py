"""Where a pickup can be collected instead, once its store has given it up."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

import inventory.selectors
from orders.selectors.choices import OpenChoice
from routing.quotes.asking import Asked, read_asked
from routing.quotes.options import Working
from routing.quotes.types import CHECKOUT, IN_STOCK, LASTS, PICKUP, Option, QuoteRequest, WantedLine


def stores_instead(choice: OpenChoice, *, at: datetime) -> list[Option]:
    """The nearest stores that can hand all of it out now, nearest to the one that gave it up.

    At most five, within the usual reach; nothing is reserved. None where part of it is at the first
    store still. The number of statements does not depend on units or stores.
    """
    known = {view.id: view for view in inventory.selectors.network(choice.account_id)}
    here = known.get(choice.store_id) if choice.store_id is not None else None
    if here is None or choice.divided:
        return []
    request = QuoteRequest(
        account_id=choice.account_id,
        channel_id=choice.channel_id,
        currency=choice.currency,
        kind=CHECKOUT,
        lines=tuple(WantedLine(code, units) for code, units in choice.codes.items()),
        postal_code=here.postal_code,
        region=here.region,
        country=here.country,
        methods=(PICKUP,),
    )
    asked = read_asked(request, at=at)
    stores = _holding(asked, excluded={here.id})
    if not stores or not asked.baskets:
        return []
    asked = replace(asked, request=replace(request, stores=stores))
    working = Working(asked, at + LASTS[CHECKOUT], backorders=False, explains=False)
    found = [
        answer
        for answer in working.answers()
        if isinstance(answer, Option)
        and answer.availability == IN_STOCK
        and answer.store is not None
        and answer.store.distance_km <= request.pickup_km
    ]
    return sorted(found, key=lambda one: one.store.distance_km if one.store else 0)


def _holding(asked: Asked, *, excluded: Collection[int]) -> tuple[str, ...]:
    """Codes of the stores that have every unit free. One statement."""
    wanted = {line.sku_id: 0 for basket in asked.baskets for line in basket.lines}
    for basket in asked.baskets:
        for line in basket.lines:
            wanted[line.sku_id] += line.quantity
    able = [node for node in asked.network.pickup if node.groups and node.id not in excluded]
    if not wanted or not able:
        return ()
    supply = inventory.selectors.supply(set(wanted), {node.id for node in able})
    return tuple(
        node.code
        for node in able
        if all(
            (there := supply.get((node.id, sku_id))) is not None and there.free >= units
            for sku_id, units in wanted.items()
        )
    )
