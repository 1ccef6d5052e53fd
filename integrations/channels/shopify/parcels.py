"""Parcels at Shopify: a fulfillment for each, or one more number of a fulfillment that is there.

A fulfillment is known by its tracking numbers, of which it may have several: a kit whose parts come in
two parcels is one line there, fulfilled with the first, and the second adds its number to it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol
from urllib.parse import quote

from integrations.channels.asking import Unanswered, refused
from integrations.channels.reading import mapping, rows, text
from integrations.channels.shopify import seen
from integrations.channels.types import Reply, Said, ShopFulfillment, Wish
from integrations.http import Answer

_RENUMBER: Final = """
mutation fulfillmentTrackingInfoUpdate(
  $fulfillmentId: ID!, $trackingInfoInput: FulfillmentTrackingInput!, $notifyCustomer: Boolean
) {
  fulfillmentTrackingInfoUpdate(
    fulfillmentId: $fulfillmentId
    trackingInfoInput: $trackingInfoInput
    notifyCustomer: $notifyCustomer
  ) { fulfillment { id } userErrors { field message } }
}
"""
"""REST updates one number; only GraphQL takes several."""

Document = Mapping[str, Any]


class Calls(Protocol):
    """What asks the shop. Both raise Unanswered."""

    def ask(
        self,
        method: str,
        path: str,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer: ...

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Mapping[str, Any]: ...


def there(wish: Wish, order: Document) -> Reply | None:
    """Whether a fulfillment has the parcel's number; of one that is taken back, whether none has."""
    standing = _standing(order)
    if wish.gone:
        return None if any(_is_of(wish, one) for _, one in standing) else Reply(Said.DONE)
    same = [one for _, one in standing if wish.tracking_number in one.tracking]
    return Reply(Said.DONE, same[0].id) if same else None


def fulfill(shop: Calls, wish: Wish, order: Document, *, notify: bool) -> Reply:
    """Give a fulfillment that is there the parcel's number, or make one of the parcel's units."""
    standing = _standing(order)
    for row, one in standing:
        if wish.their_id and one.id == wish.their_id:
            return _number(shop, wish, row, wish.beside, notify=False)
    if not wish.rest_of:
        return _made(shop, wish, notify=notify)
    begun = [(row, one) for row, one in standing if wish.rest_of & one.units.keys()]
    if not begun:
        return refused("not-fulfillable", "Nothing there was sent that this brings the rest of.")
    row, one = begun[-1]
    return _number(shop, wish, row, one.tracking, notify=notify)


def take_back(shop: Calls, wish: Wish, order: Document) -> Reply:
    """Take the parcel's number off. A fulfillment that another parcel of ours keeps open is made anew
    where it holds more than that brings the rest of; one of no other is cancelled.
    """
    for row, one in _standing(order):
        if not _is_of(wish, one):
            continue
        kept = [number for number in one.tracking if number in wish.beside]
        begun = frozenset().union(*(wish.beside[number] for number in kept))
        if kept and one.units.keys() <= begun:
            _renumber(shop, row, _numbered(row, kept), notify=False)
            continue
        shop.ask("POST", f"/fulfillments/{one.id}/cancel.json", {})
        units = {line: many for line, many in one.units.items() if line in begun}
        if not units:
            continue
        first, *others = _numbered(row, kept)
        again = replace(wish, units=units, tracking_number=first[0], tracking_url=first[1])
        made = _made(shop, again, notify=False)
        if others:
            anew = {"id": made.their_id, "tracking_company": row.get("tracking_company")}
            _renumber(shop, anew, [first, *others], notify=False)
    return Reply(Said.DONE, wish.their_id)


def _standing(order: Document) -> list[tuple[Document, ShopFulfillment]]:
    """The fulfillments that were not cancelled, as they are written and as they are read."""
    read = [(row, seen.fulfillment(row)) for row in rows(order, "fulfillments")]
    return [(row, one) for row, one in read if not one.gone]


def _is_of(wish: Wish, one: ShopFulfillment) -> bool:
    return one.id == wish.their_id or wish.tracking_number in one.tracking


# --- one more number --------------------------------------------------------------------------


def _number(
    shop: Calls, wish: Wish, row: Document, others: Collection[str], *, notify: bool
) -> Reply:
    """Have it bear this parcel's number beside those of the others."""
    kept = [number for number in seen.fulfillment(row).tracking if number in others]
    numbers = [*_numbered(row, kept), (wish.tracking_number, wish.tracking_url)]
    _renumber(shop, row, numbers, notify=notify, carrier=wish.carrier)
    return Reply(Said.DONE, text(row.get("id"), 64))


def _numbered(row: Document, kept: Sequence[str]) -> list[tuple[str, str]]:
    """Numbers that it has, each with its page."""
    pages = row.get("tracking_urls")
    named = seen.fulfillment(row).tracking
    page = dict(zip(named, map(text, pages), strict=False)) if isinstance(pages, list) else {}
    return [(number, page.get(number, "")) for number in kept]


def _renumber(
    shop: Calls,
    row: Document,
    numbers: Sequence[tuple[str, str]],
    *,
    notify: bool,
    carrier: str = "",
) -> None:
    told: dict[str, Any] = {"numbers": [number for number, _ in numbers]}
    if all(page for _, page in numbers):
        told["urls"] = [page for _, page in numbers]
    if company := text(row.get("tracking_company"), 80) or carrier:
        told["company"] = company
    asked = {
        "fulfillmentId": f"gid://shopify/Fulfillment/{text(row.get('id'), 64)}",
        "trackingInfoInput": told,
        "notifyCustomer": notify,
    }
    said = mapping(shop.graphql(_RENUMBER, asked), "fulfillmentTrackingInfoUpdate")
    if wrong := rows(said, "userErrors"):
        raise Unanswered(refused("tracking", text(wrong[0].get("message"), 160)))


# --- a fulfillment ----------------------------------------------------------------------------


def _made(shop: Calls, wish: Wish, *, notify: bool) -> Reply:
    """One fulfillment per fulfillment order that still holds units of the parcel."""
    answer = shop.ask("GET", f"/orders/{quote(wish.order, safe='')}/fulfillment_orders.json")
    portions, left = _portions(wish.units, rows(answer.body, "fulfillment_orders"))
    if not portions:
        return refused("not-fulfillable", "Nothing of the parcel is open to fulfill there.")
    made = ""
    for fulfillment_order_id, lines in portions:
        body = {
            "fulfillment": {
                "line_items_by_fulfillment_order": [
                    {
                        "fulfillment_order_id": fulfillment_order_id,
                        "fulfillment_order_line_items": lines,
                    }
                ],
                "tracking_info": _tracking(wish),
                "notify_customer": notify,
            }
        }
        said = mapping(shop.ask("POST", "/fulfillments.json", body).body, "fulfillment")
        made = made or text(said.get("id"), 64)
    note = f"{left} units more than were open to fulfill there." if left else ""
    return Reply(Said.DONE, made, note=note)


def _tracking(wish: Wish) -> dict[str, str]:
    told = {
        "number": wish.tracking_number,
        "url": wish.tracking_url,
        "company": wish.carrier,
    }
    return {name: value for name, value in told.items() if value}


def _portions(
    units: Mapping[str, int], orders: Sequence[Document]
) -> tuple[list[tuple[Any, list[dict[str, Any]]]], int]:
    """Units spread over the fulfillment orders that hold them; how many nobody holds."""
    left = dict(units)
    portions = []
    for one in orders:
        if one.get("status") not in ("open", "in_progress", "incomplete"):
            continue
        lines = []
        for line in rows(one, "line_items"):
            wanted = left.get(text(line.get("line_item_id"), 64), 0)
            part = min(wanted, int(line.get("fulfillable_quantity") or 0))
            if part > 0:
                left[text(line.get("line_item_id"), 64)] = wanted - part
                lines.append({"id": line.get("id"), "quantity": part})
        if lines:
            portions.append((one.get("id"), lines))
    return portions, sum(left.values())
