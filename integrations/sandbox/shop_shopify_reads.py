"""What Shopify's Admin REST API lets read: orders and what belongs to them, products, stock."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from integrations.sandbox import shop_shopify_refunds, shop_shopify_wire
from integrations.sandbox.box import Refusal, Reply, Request, route
from integrations.sandbox.clock import instant
from integrations.sandbox.shop_orders import Document
from integrations.sandbox.shop_shopify_lines import LOCATION_ID, SHOP_ID, amount, gid, when
from integrations.sandbox.shops import Shop

API: Final = "/admin/api/{version}"
PAGE: Final = 50
MOST: Final = 250
NOT_FOUND: Final = {"errors": "Not Found"}
_SORTS: Final = ("processed_at", "created_at", "updated_at", "id")


class ShopifyReads(Shop):
    """The reading half of the face."""

    def shown(self, order: Document) -> Document:
        return shop_shopify_wire.order(order, self.settings["domain"])

    # --- orders

    @route("GET", API + "/orders.json")
    def orders(self, request: Request) -> Reply:
        """A page of orders by `status` (open), `ids`, `since_id` and times; `Link` goes on."""
        asked, after = _page_of(request)
        name, _, way = asked.get("order", "processed_at desc").partition(" ")
        if name not in _SORTS:
            raise Refusal(400, {"errors": {"order": f"Invalid order: {name}"}})

        def key(order: Document) -> list[Any]:
            sort = {"processed_at": "created_at"}.get(name, name)
            return [order[sort], order["id"]]

        found = sorted(filter(_wanted(asked), self.store["orders"].values()), key=key)
        if way.lower() != "asc":
            found.reverse()
        if after is not None:
            places = [n for n, order in enumerate(found) if _past(key(order), after, way)]
            found = found[places[0] :] if places else []
        most = min(int(asked.get("limit", PAGE)), MOST)
        page = found[:most]
        headers = {}
        if len(found) > most:
            headers["Link"] = self._link(request, asked, key(page[-1]))
        shown = [_only(self.shown(order), asked.get("fields", "")) for order in page]
        return 200, {"orders": shown}, headers

    @route("GET", API + "/orders/count.json")
    def count(self, request: Request) -> Reply:
        found = filter(_wanted(request.query), self.store["orders"].values())
        return 200, {"count": sum(1 for _ in found)}

    @route("GET", API + "/orders/{id}.json")
    def read_order(self, request: Request) -> Reply:
        shown = self.shown(self._order(request))
        return 200, {"order": _only(shown, request.query.get("fields", ""))}

    @route("GET", API + "/orders/{id}/fulfillment_orders.json")
    def fulfillment_orders(self, request: Request) -> Reply:
        made = shop_shopify_wire.fulfillment_order(self._order(request))
        return 200, {"fulfillment_orders": [made]}

    @route("GET", API + "/fulfillment_orders/{id}.json")
    def fulfillment_order(self, request: Request) -> Reply:
        order = self._by("fulfillment_order", request.params["id"])
        return 200, {"fulfillment_order": shop_shopify_wire.fulfillment_order(order)}

    @route("GET", API + "/orders/{id}/fulfillments.json")
    def fulfillments(self, request: Request) -> Reply:
        order = self._order(request)
        made = [shop_shopify_wire.fulfillment(order, one) for one in order["fulfillments"]]
        return 200, {"fulfillments": made}

    @route("GET", API + "/orders/{id}/refunds.json")
    def refunds(self, request: Request) -> Reply:
        order = self._order(request)
        return 200, {
            "refunds": [shop_shopify_refunds.refund(order, one) for one in order["refunds"]]
        }

    @route("GET", API + "/orders/{id}/transactions.json")
    def transactions(self, request: Request) -> Reply:
        order = self._order(request)
        made = [shop_shopify_refunds.transaction(order, one) for one in order["transactions"]]
        return 200, {"transactions": made}

    @route("GET", API + "/orders/{id}/metafields.json")
    def metafields(self, request: Request) -> Reply:
        asked = request.query
        made = [
            one
            for one in self._order(request)["meta"]
            if all(one[name] == asked.get(name, one[name]) for name in ("namespace", "key"))
        ]
        return 200, {"metafields": made}

    # --- what is sold

    @route("GET", API + "/shop.json")
    def shop(self, request: Request) -> Reply:
        del request
        shop = {
            "id": SHOP_ID,
            "name": self.settings["domain"].partition(".")[0],
            "domain": self.settings["domain"],
            "myshopify_domain": self.settings["domain"],
            "currency": self.settings["currency"],
            "iana_timezone": "America/New_York",
            "primary_location_id": LOCATION_ID,
        }
        return 200, {"shop": shop}

    @route("GET", API + "/locations.json")
    def locations(self, request: Request) -> Reply:
        del request
        location = {
            "id": LOCATION_ID,
            "name": "Online",
            "active": True,
            "legacy": False,
            "country_code": "US",
            "admin_graphql_api_id": gid("Location", LOCATION_ID),
        }
        return 200, {"locations": [location]}

    @route("GET", API + "/products.json")
    def products(self, request: Request) -> Reply:
        """Every product has one variant, and every variant one inventory item."""
        asked, after = _page_of(request)
        least = int(after[0]) if after else int(asked.get("since_id", 0))
        found = sorted(
            (item for item in self.store["catalog"].values() if item["product"] > least),
            key=lambda item: int(item["product"]),
        )
        most = min(int(asked.get("limit", PAGE)), MOST)
        headers = {}
        if len(found) > most:
            headers["Link"] = self._link(request, asked, [found[most - 1]["product"]])
        return 200, {"products": [self._product(item) for item in found[:most]]}, headers

    @route("GET", API + "/variants/{id}.json")
    def read_variant(self, request: Request) -> Reply:
        for item in self.store["catalog"].values():
            if str(item["variant"]) == request.params["id"]:
                return 200, {"variant": self._variant(item)}
        raise Refusal(404, NOT_FOUND)

    @route("GET", API + "/inventory_items.json")
    def inventory_items(self, request: Request) -> Reply:
        wanted = _listed(request.query.get("ids", ""))
        made = [
            {
                "id": item["item"],
                "sku": item["sku"],
                "tracked": True,
                "requires_shipping": True,
                "admin_graphql_api_id": gid("InventoryItem", item["item"]),
            }
            for item in self.store["catalog"].values()
            if str(item["item"]) in wanted
        ]
        return 200, {"inventory_items": made}

    @route("GET", API + "/inventory_levels.json")
    def inventory_levels(self, request: Request) -> Reply:
        items = _listed(request.query.get("inventory_item_ids", ""))
        places = _listed(request.query.get("location_ids", ""))
        if not items and not places:
            raise Refusal(
                422,
                {"errors": "one of the following parameters is required: inventory_item_ids"},
            )
        if places and str(LOCATION_ID) not in places:
            return 200, {"inventory_levels": []}
        found = sorted(
            (
                item
                for item in self.store["catalog"].values()
                if not items or str(item["item"]) in items
            ),
            key=lambda item: int(item["item"]),
        )
        most = min(int(request.query.get("limit", PAGE)), MOST)
        return 200, {"inventory_levels": [self._level(item) for item in found[:most]]}

    # --- inside

    def _order(self, request: Request) -> Document:
        found = self.store["orders"].get(request.params["id"])
        if found is None:
            raise Refusal(404, NOT_FOUND)
        order: Document = found
        return order

    def _by(self, name: str, number: object) -> Document:
        """The order whose number of this name it is."""
        for order in self.store["orders"].values():
            if str(order[name]) == str(number):
                found: Document = order
                return found
        raise Refusal(404, NOT_FOUND)

    def _item(self, number: object) -> Document:
        """The article of an inventory item, by its number or its global id."""
        wanted = str(number).rpartition("/")[2]
        for item in self.store["catalog"].values():
            if str(item["item"]) == wanted:
                found: Document = item
                return found
        raise Refusal(404, NOT_FOUND)

    def _level(self, item: Mapping[str, Any]) -> Document:
        figure = self.store["stock"][item["sku"]]
        return {
            "inventory_item_id": item["item"],
            "location_id": LOCATION_ID,
            "available": figure["available"],
            "updated_at": when(figure["told_at"] or self.clock.now().isoformat()),
            "admin_graphql_api_id": gid(
                "InventoryLevel", f"{LOCATION_ID}?inventory_item_id={item['item']}"
            ),
        }

    def _product(self, item: Mapping[str, Any]) -> Document:
        return {
            "id": item["product"],
            "title": item["title"],
            "status": "active",
            "variants": [self._variant(item)],
            "admin_graphql_api_id": gid("Product", item["product"]),
        }

    def _variant(self, item: Mapping[str, Any]) -> Document:
        return {
            "id": item["variant"],
            "product_id": item["product"],
            "title": "Default Title",
            "price": amount(item["price"]),
            "sku": item["sku"],
            "grams": item["grams"],
            "inventory_item_id": item["item"],
            "inventory_management": "shopify",
            "inventory_policy": "deny",
            "inventory_quantity": self.store["stock"][item["sku"]]["available"],
            "admin_graphql_api_id": gid("ProductVariant", item["variant"]),
        }

    def _link(self, request: Request, asked: Mapping[str, str], after: list[Any]) -> str:
        kept = {name: value for name, value in asked.items() if name not in {"limit", "fields"}}
        packed = base64.urlsafe_b64encode(json.dumps({"asked": kept, "after": after}).encode())
        query = f"limit={asked.get('limit', PAGE)}&page_info={packed.decode().rstrip('=')}"
        return f'<{self.url}{request.path}?{query}>; rel="next"'


def _page_of(request: Request) -> tuple[dict[str, str], list[Any] | None]:
    """What is asked, and after which row: with a `page_info` nothing else but `limit` and `fields`."""
    asked = dict(request.query)
    info = asked.pop("page_info", "")
    if not info:
        return asked, None
    if set(asked) - {"limit", "fields"}:
        raise Refusal(400, {"errors": {"page_info": "Invalid value."}})
    try:
        said = json.loads(base64.urlsafe_b64decode(info + "=" * (-len(info) % 4)))
    except ValueError:
        raise Refusal(400, {"errors": {"page_info": "Invalid value."}}) from None
    return {**said["asked"], **asked}, list(said["after"])


def _past(key: list[Any], after: list[Any], way: str) -> bool:
    return key > after if way.lower() == "asc" else key < after


def _wanted(asked: Mapping[str, str]) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an order is among those asked for."""
    status, ids = asked.get("status", "open"), _listed(asked.get("ids", ""))
    names = {"updated_at": "updated_at", "created_at": "created_at", "processed_at": "created_at"}
    try:
        bounds = [
            (field, end, moment.astimezone(UTC))
            for name, field in names.items()
            for end in ("min", "max")
            if (moment := instant(asked.get(f"{name}_{end}", "").replace(" ", "+"))) is not None
        ]
    except ValueError:
        raise Refusal(400, {"errors": {"updated_at_min": "Invalid time."}}) from None

    def wanted(order: Mapping[str, Any]) -> bool:
        if ids and str(order["id"]) not in ids:
            return False
        if order["id"] <= int(asked.get("since_id", 0)) or not _has_status(order, status):
            return False
        return all(
            datetime.fromisoformat(order[field]) >= bound
            if end == "min"
            else datetime.fromisoformat(order[field]) <= bound
            for field, end, bound in bounds
        )

    return wanted


def _has_status(order: Mapping[str, Any], status: str) -> bool:
    is_open = not order["cancelled_at"] and not order["completed_at"]
    return {
        "any": True,
        "open": is_open,
        "closed": bool(order["completed_at"]),
        "cancelled": bool(order["cancelled_at"]),
    }.get(status, False)


def _listed(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}


def _only(document: Document, fields: str) -> Document:
    wanted: Iterable[str] = _listed(fields)
    return {name: document[name] for name in wanted if name in document} if wanted else document
