"""Whether an order is given what it was quoted: by a quote that holds still, for what was asked."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orders.sourcing import Demand
from routing.quote_models import PromiseQuote
from routing.quotes.types import PICKUP, SHIP_TO_STORE
from routing.reference import Reference

AREA_DIGITS = 5


def bound_by(
    quote: PromiseQuote | None, demand: Demand, known: Reference, *, at: datetime
) -> dict[str, Any]:
    """The dates that the quote binds the demand to; or why it does not, as a code and in words."""
    named = {"id": str(demand.quote_id), "option": demand.quote_option}
    if quote is None or quote.channel_id != demand.channel_id:
        return named | _missed("unknown", "No such quote was given, or it was too long ago.")
    found = [one for one in quote.options if one["id"] == demand.quote_option]
    if not found:
        return named | _missed("unknown_option", "The quote has no such option.")
    [option] = found
    why = _differs(quote, option, demand, known) or _over(option, demand.placed_at or at)
    if why is not None:
        return named | why
    return named | {
        "ship_by": option["ship_by"],
        "earliest": option["earliest_at"],
        "deliver_by": option["latest_at"],
        "start_at": option["start_at"],
        "timezone": option["timezone"],
    }


def _over(option: Mapping[str, Any], placed_at: datetime) -> dict[str, str] | None:
    """A quote holds for orders that were placed in its time, whenever they reach us."""
    until = datetime.fromisoformat(option["holds_until"])
    if placed_at <= until:
        return None
    return _missed("expired", f"The quote was honoured until {until:%Y-%m-%d %H:%M} UTC.")


def _differs(
    quote: PromiseQuote, option: Mapping[str, Any], demand: Demand, known: Reference
) -> dict[str, str] | None:
    """What of the order is not as it was quoted."""
    if option["method"] != demand.method:
        return _missed("other_method", "It is delivered by another method than was quoted.")
    if demand.method in {PICKUP, SHIP_TO_STORE}:
        store = next(
            (n for n in known.network(demand.account_id, demand.channel_id).pickup
             if n.id == demand.pickup_node_id),
            None,
        )  # fmt: skip
        if store is None or store.code != option["store"]["node"]:
            return _missed("other_store", "It is collected elsewhere than was quoted.")
    elif not _same_place(quote, demand):
        return _missed("other_place", "It goes elsewhere than was quoted.")
    if option["service"] and known.service_for(demand.service_level) != option["service"]:
        return _missed("other_service", "It is sent by another service level than was quoted.")
    quoted: Counter[int] = Counter()
    for code, _, units in quote.lines:
        if option["item"] in {"", code}:
            quoted.update({int(sku_id): many for sku_id, many in units.items()})
    wanted: Counter[int] = Counter()
    for line in demand.lines:
        wanted[line.sku_id] += line.quantity
    if wanted - quoted:
        return _missed("other_goods", "It has other goods, or more of them, than were quoted.")
    return None


def _same_place(quote: PromiseQuote, demand: Demand) -> bool:
    """As far as the quote knew the place: by postal code, else by state, else by country."""
    if quote.country and demand.country and quote.country != demand.country.upper():
        return False
    if quote.postal_code:
        return _digits(quote.postal_code) == _digits(demand.postal_code)
    return not quote.region or quote.region == demand.region.upper()


def _digits(postal_code: str) -> str:
    return postal_code.replace(" ", "").upper()[:AREA_DIGITS]


def _missed(code: str, detail: str) -> dict[str, str]:
    return {"missed": code, "detail": detail}
