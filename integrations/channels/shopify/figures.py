"""Stock figures at Shopify: `inventorySetQuantities` sets a figure only while it is what we read.

REST's `inventory_levels/set` writes over whatever was sold meanwhile; GraphQL compares. It sets all
of a call or nothing, so that figures that have moved are taken out and the rest is set again.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Protocol

from integrations.channels.asking import DONE, Unanswered, refused
from integrations.channels.reading import mapping, rows, text
from integrations.channels.types import Figure, Figures, FiguresSet, NewFigure
from integrations.http import Answer
from integrations.types import ConnectionRef

AT_ONCE: Final = 50
SET_AT_ONCE: Final = 250
SKUS_AT_ONCE: Final = 50
_STALE: Final = frozenset({"COMPARE_QUANTITY_STALE", "CHANGE_FROM_QUANTITY_STALE"})
_VARIANTS: Final = """
query variants($query: String!, $after: String) {
  productVariants(first: 250, query: $query, after: $after) {
    nodes { sku inventoryItem { id } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
_SET: Final = """
mutation setQuantities($input: InventorySetQuantitiesInput!) {
  inventorySetQuantities(input: $input) {
    inventoryAdjustmentGroup { createdAt }
    userErrors { code field message }
  }
}
"""


class Asks(Protocol):
    def ask(
        self,
        method: str,
        path: str,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer: ...

    def graphql(self, query: str, variables: Mapping[str, Any]) -> Mapping[str, Any]: ...


def read(shop: Asks, ref: ConnectionRef, wanted: Collection[str]) -> Figures:
    """What is for sale at the connection's location, of these SKUs."""
    location = text(ref.settings.get("location_id"), 32)
    if not location:
        return Figures(refused("no-location", "The connection's settings name no location_id."))
    try:
        items = _items(shop, sorted(wanted))
        there = _levels(shop, location, list(items))
    except Unanswered as lost:
        return Figures(lost.reply)
    found = (Figure(items[item], item, units) for item, units in there.items() if item in items)
    return Figures(DONE, tuple(found))


def _items(shop: Asks, skus: Sequence[str]) -> dict[str, str]:
    """The shop's inventory items of these SKUs: item → SKU."""
    found: dict[str, str] = {}
    for first in range(0, len(skus), SKUS_AT_ONCE):
        part = skus[first : first + SKUS_AT_ONCE]
        words = " OR ".join(f"sku:'{_quoted(sku)}'" for sku in part)
        after: str | None = None
        while True:
            said = mapping(
                shop.graphql(_VARIANTS, {"query": words, "after": after}), "productVariants"
            )
            for node in rows(said, "nodes"):
                sku, item = text(node.get("sku"), 80), mapping(node, "inventoryItem").get("id")
                if sku in part and item:
                    found[text(item).rpartition("/")[2]] = sku
            page = mapping(said, "pageInfo")
            if not page.get("hasNextPage"):
                break
            after = text(page.get("endCursor"))
    return found


def _quoted(sku: str) -> str:
    return sku.replace("\\", "\\\\").replace("'", "\\'")


def _levels(shop: Asks, location: str, items: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for first in range(0, len(items), AT_ONCE):
        params = {
            "inventory_item_ids": ",".join(items[first : first + AT_ONCE]),
            "location_ids": location,
            "limit": "250",
        }
        answer = shop.ask("GET", "/inventory_levels.json", params=params)
        for row in rows(answer.body, "inventory_levels"):
            if isinstance(row.get("available"), int):
                found[text(row.get("inventory_item_id"), 64)] = int(row["available"])
    return found


def put(shop: Asks, ref: ConnectionRef, wanted: Sequence[NewFigure]) -> FiguresSet:
    """Set figures, a call for each 250; those that have moved are left as they are."""
    done: set[str] = set()
    stale: set[str] = set()
    location = text(ref.settings.get("location_id"), 32)
    try:
        for first in range(0, len(wanted), SET_AT_ONCE):
            part = list(wanted[first : first + SET_AT_ONCE])
            while part:
                moved = _set(shop, location, ref, part)
                if not moved:
                    done |= {one.their_id for one in part}
                    break
                stale |= {one.their_id for one in moved}
                part = [one for one in part if one not in moved]
    except Unanswered as lost:
        return FiguresSet(lost.reply, frozenset(done), frozenset(stale))
    return FiguresSet(DONE, frozenset(done), frozenset(stale))


def _set(
    shop: Asks, location: str, ref: ConnectionRef, part: Sequence[NewFigure]
) -> list[NewFigure]:
    """Set all of these; answers those for whose sake nothing was set. Raises Unanswered."""
    asked = {
        "name": "available",
        "reason": "correction",
        "referenceDocumentUri": f"switchyard://connections/{ref.id}",
        "quantities": [
            {
                "inventoryItemId": f"gid://shopify/InventoryItem/{one.their_id}",
                "locationId": f"gid://shopify/Location/{location}",
                "quantity": one.quantity,
                "compareQuantity": one.was,
            }
            for one in part
        ],
    }
    said = mapping(shop.graphql(_SET, {"input": asked}), "inventorySetQuantities")
    wrong = rows(said, "userErrors")
    if not wrong:
        return []
    places = {_place(one) for one in wrong}
    if None in places or not places:
        raise Unanswered(refused("figures", text(wrong[0].get("message"), 160)))
    return [one for place, one in enumerate(part) if place in places]


def _place(error: Mapping[str, Any]) -> int | None:
    """Which quantity an error is about."""
    path = error.get("field")
    for part in path if isinstance(path, list) else ():
        if str(part).isdecimal():
            return int(part)
    return None
