"""Stock figures by Shopify's Admin API: REST sets and adjusts, GraphQL compares and sets.

Of GraphQL there are `inventorySetQuantities`, all of it or nothing, `tagsAdd` for orders,
`fulfillmentTrackingInfoUpdate`, and the query `productVariants` by SKU, which answers the fields that figures need, whatever selection was written.
Its calls cost points of a bucket of their own; a call that does not fit is answered `THROTTLED`.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from integrations.sandbox.box import Refusal, Reply, Request, route
from integrations.sandbox.bucket import Bucket
from integrations.sandbox.shop_orders import Document
from integrations.sandbox.shop_shopify_fulfillments import ShopifyFulfillments
from integrations.sandbox.shop_shopify_lines import LOCATION_ID, gid
from integrations.sandbox.shop_shopify_reads import API, NOT_FOUND

COST: Final = 10
MOST_QUANTITIES: Final = 250
_SKU: Final = re.compile(r"sku:\s*(?:'([^']*)'|\"([^\"]*)\"|(\S+))")


class ShopifyStock(ShopifyFulfillments):
    """The half of the face that takes figures."""

    def _ready(self) -> None:
        rate = self.settings["rate"]
        size, loss = rate.get("points", 2_000), rate.get("points_per_second", 100)
        self._points = Bucket(float(size), float(loss))

    @route("POST", API + "/inventory_levels/set.json")
    def set_level(self, request: Request) -> Reply:
        item = self._at_location(request.json)
        units = _whole(request.json.get("available"), "available")
        self.set_stock(item["sku"], units, self.clock.now(), by="api")
        return 200, {"inventory_level": self._level(item)}

    @route("POST", API + "/inventory_levels/adjust.json")
    def adjust_level(self, request: Request) -> Reply:
        item = self._at_location(request.json)
        change = _whole(request.json.get("available_adjustment"), "available_adjustment")
        units = self.store["stock"][item["sku"]]["available"] + change
        self.set_stock(item["sku"], units, self.clock.now(), by="api")
        return 200, {"inventory_level": self._level(item)}

    @route("POST", API + "/graphql.json")
    def graphql(self, request: Request) -> Reply:
        asked = str(request.json.get("query", ""))
        variables = request.json.get("variables") or {}
        if self._points.add(COST)[1]:
            self.log.append("limited", path=request.path)
            throttled = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
            return 200, {"errors": [throttled]}
        done: Document
        if "inventorySetQuantities" in asked:
            done = {"inventorySetQuantities": self._set_quantities(variables.get("input") or {})}
        elif "productVariants" in asked:
            done = {"productVariants": self._variants(variables, asked)}
        elif "tagsAdd" in asked:
            done = {"tagsAdd": self._add_tags(variables)}
        elif "fulfillmentTrackingInfoUpdate" in asked:
            done = {"fulfillmentTrackingInfoUpdate": self.track(variables)}
        else:
            return 200, {"errors": [{"message": "This simulator does not know the query."}]}
        return 200, {"data": done, "extensions": {"cost": {"requestedQueryCost": COST}}}

    def _add_tags(self, variables: Mapping[str, Any]) -> Document:
        """Tags beside those that there are."""
        number = str(variables.get("id", "")).rpartition("/")[2]
        order = self.store["orders"].get(number)
        if order is None:
            wrong = {"field": ["id"], "message": "Order does not exist"}
            return {"node": None, "userErrors": [wrong]}
        said = variables.get("tags") or []
        given = said if isinstance(said, list) else str(said).split(",")
        tags = sorted({*order["tags"], *(tag.strip() for tag in given)})
        if tags != order["tags"]:
            order["tags"] = tags
            self.written(order, self.clock.now(), tags=tags)
        return {"node": {"id": variables["id"]}, "userErrors": []}

    def _set_quantities(self, said: Mapping[str, Any]) -> Document:
        """Set all, or none when one has moved since the caller read it."""
        quantities = said.get("quantities") or []
        wrong = self._wrong(said, quantities)
        if wrong:
            return {"inventoryAdjustmentGroup": None, "userErrors": wrong}
        changes, now = [], self.clock.now()
        for one in quantities:
            item, units = self._item(one["inventoryItemId"]), int(one["quantity"])
            before = self.store["stock"][item["sku"]]["available"]
            if before == units:
                continue
            self.set_stock(item["sku"], units, now, by="api")
            changes.append(
                {"name": "available", "delta": units - before, "quantityAfterChange": units}
            )
        group = {
            "createdAt": now.isoformat(),
            "reason": said.get("reason", "correction"),
            "referenceDocumentUri": said.get("referenceDocumentUri"),
            "changes": changes,
        }
        return {"inventoryAdjustmentGroup": group if changes else None, "userErrors": []}

    def _wrong(self, said: Mapping[str, Any], quantities: list[Any]) -> list[Document]:
        if not 1 <= len(quantities) <= MOST_QUANTITIES:
            return [_user_error("TOO_MANY_QUANTITIES", [], f"1 to {MOST_QUANTITIES} are taken.")]
        found = []
        for place, one in enumerate(quantities):
            at = ["quantities", str(place)]
            try:
                item = self._item(one.get("inventoryItemId"))
            except Refusal:
                words = "The specified inventory item could not be found."
                found.append(_user_error("INVALID_INVENTORY_ITEM", [*at, "inventoryItemId"], words))
                continue
            if str(one.get("locationId", "")).rpartition("/")[2] != str(LOCATION_ID):
                words = "The specified location could not be found."
                found.append(_user_error("INVALID_LOCATION", [*at, "locationId"], words))
            elif not said.get("ignoreCompareQuantity"):
                found += self._compared(one, item, at)
        return found

    def _compared(
        self, one: Mapping[str, Any], item: Mapping[str, Any], at: list[str]
    ) -> list[Any]:
        """Whether the figure still is what the caller believes; newer versions name it otherwise."""
        believed = one.get("changeFromQuantity", one.get("compareQuantity"))
        if believed is None:
            words = "The compareQuantity argument must be given to each quantity or ignored."
            return [_user_error("COMPARE_QUANTITY_REQUIRED", [*at, "compareQuantity"], words)]
        if believed != self.store["stock"][item["sku"]]["available"]:
            self.log.append("stale_figure", sku=item["sku"], believed=believed)
            words = "The compareQuantity value does not match persisted value."
            return [_user_error("COMPARE_QUANTITY_STALE", [*at, "compareQuantity"], words)]
        return []

    def _variants(self, variables: Mapping[str, Any], asked: str) -> Document:
        text = next((str(v) for v in variables.values() if "sku:" in str(v)), asked)
        wanted = {"".join(groups) for groups in _SKU.findall(text)}
        nodes = [
            {
                "id": gid("ProductVariant", item["variant"]),
                "sku": item["sku"],
                "inventoryQuantity": self.store["stock"][item["sku"]]["available"],
                "inventoryItem": {"id": gid("InventoryItem", item["item"]), "tracked": True},
            }
            for item in self.store["catalog"].values()
            if item["sku"] in wanted
        ]
        page = {"hasNextPage": False, "endCursor": None}
        return {"nodes": nodes, "edges": [{"node": node} for node in nodes], "pageInfo": page}

    def _at_location(self, said: Mapping[str, Any]) -> Document:
        if str(said.get("location_id")) != str(LOCATION_ID):
            raise Refusal(404, NOT_FOUND)
        return self._item(said.get("inventory_item_id"))


def _whole(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Refusal(422, {"errors": {name: ["is not a number"]}})
    try:
        return int(value)
    except ValueError:
        raise Refusal(422, {"errors": {name: ["is not a number"]}}) from None


def _user_error(code: str, field: list[str], message: str) -> Document:
    return {"code": code, "field": ["input", *field], "message": message}
