"""Drop-ship suppliers' offers for people: with what is known of how suppliers keep their word."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import inventory.selectors
from config.kernel.types import Scope
from config.reports import flows
from config.reports.sql import Row
from inventory.selectors.traits import traits
from inventory.states import NodeKind
from routing.willingness import SURE, goods_of, learnt_rates


def suppliers(account_id: UUID) -> list[tuple[str, str, int]]:
    """(code, name, id) of the account's suppliers, by name."""
    found = inventory.selectors.network(account_id)
    rows = [(one.code, one.name, one.id) for one in found if one.kind == NodeKind.SUPPLIER]
    return sorted(rows, key=lambda row: row[1])


def shown(offers: Sequence[Any], on: date) -> list[dict[str, Any]]:
    """Each offer with its difference to our own cost, whether it holds, and what was learnt.

    `acceptance` is the share of requests for such goods that the supplier takes on; None where
    nothing has been learnt. Two statements.
    """
    known = traits({one.sku_id for one in offers})
    rates = learnt_rates({one.node_id for one in offers})
    found = []
    for one in offers:
        goods = goods_of([known[one.sku_id]] if one.sku_id in known else [])
        rate = rates.get((one.node_id, goods))
        found.append(
            {
                "row": one,
                "more": None
                if one.own_cost_minor is None
                else one.unit_cost_minor - one.own_cost_minor,
                "state": _state(one, on),
                "acceptance": None if rate is None else rate / SURE,
            }
        )
    return found


def kept_word(scope: Scope, nodes: set[int] | None, *, since: datetime, at: datetime) -> list[Row]:
    """Of each supplier with work: what it took on, and what left by the time that was promised."""
    cards = flows.scorecards(scope=scope, nodes=nodes, since=since, until=at, at=at)
    return [card for card in cards if card["kind"] == NodeKind.SUPPLIER]


def _state(offer: Any, on: date) -> str:
    if on < offer.valid_from:
        return "to come"
    return "over" if offer.valid_until is not None and offer.valid_until <= on else "holds"
