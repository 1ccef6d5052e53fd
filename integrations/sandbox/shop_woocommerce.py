"""A shop behind WooCommerce's REST API v3: orders, notes, refunds, products, signed webhooks.

As at the vendor: a cancel is a status, and moves no money; a refund of everything makes the order
`refunded`; an edited line states its new quantity; a stock quantity is set without comparing; parcels
are what the shipment tracking extension keeps in `_wc_shipment_tracking_items`.

    PUT /_sandbox/shop   {"webhook_url", "secret", "key", "key_secret", "site", "currency", "topics"}
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from integrations.sandbox import credentials, shop_orders, shop_woocommerce_wire
from integrations.sandbox import shop_woocommerce_asked as asked_for
from integrations.sandbox.box import Refusal, Reply, Request, route
from integrations.sandbox.shop_orders import Document, stamp
from integrations.sandbox.shops import Shop

NAME: Final = "woocommerce"
API: Final = "/wp-json/wc/v3"
TOPICS: Final = ("order.created", "order.updated")
STATUSES: Final = frozenset(
    {"pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "trash"}
)
PAGE: Final = 10
MOST: Final = 100
TRACKING: Final = "_wc_shipment_tracking_items"
_SORTS: Final = {"date": "created_at", "modified": "updated_at", "id": "id"}


def build(port: int = 0, folder: Path | None = None, seed: int = 7) -> "WooShop":
    return WooShop(NAME, port, seed, folder=folder)


class WooShop(Shop):
    """The face."""

    defaults = {
        "webhook_url": "",
        "secret": "",
        "key": "",
        "key_secret": "",
        "site": "https://northlight.example.com",
        "currency": "USD",
        "topics": list(TOPICS),
    }
    firsts = {"order_id": 727, "line_id": 3150, "product_id": 93, "refund_id": 40_001}

    def _ready(self) -> None:
        key, secret = self.settings["key"], self.settings["key_secret"]
        self.require(credentials.basic(key, secret) if key else None)

    def shown(self, order: Document) -> Document:
        return shop_woocommerce_wire.order(order, self.settings["site"])

    # --- webhooks

    def sign(self, topic: str, body: bytes, message_id: str) -> dict[str, str]:
        resource, _, event = topic.partition(".")
        return {
            "X-WC-Webhook-Source": f"{self.settings['site']}/",
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": credentials.sign(self.settings["secret"], body),
            "X-WC-Webhook-ID": str(1 + TOPICS.index(topic)),
            "X-WC-Webhook-Delivery-ID": message_id,
        }

    def news(self, what: str, order: Document, at: datetime, **facts: Any) -> None:
        del at, facts
        topic = "order.created" if what == "placed" else "order.updated"
        url = self.settings["webhook_url"]
        if url and topic in self.settings["topics"]:
            self.hooks.send(url, topic, self.shown(order))

    def cut(self, order: Document, line: Document, at: datetime) -> None:
        """The line is edited to one unit less, and its worth given back."""
        worth = shop_orders.shrink(line)
        order["lines"] = [one for one in order["lines"] if one["quantity"]]
        self.sold(line["sku"], -1)
        self.refunded(order, at, by="buyer", amount=worth, note="changed by the buyer")
        self.changed(order, at, "cut", line=line["id"], quantity=1)

    def sent(
        self,
        order: Document,
        lines: Sequence[tuple[Document, int]],
        told: Mapping[str, Any],
        at: datetime,
    ) -> str:
        """The parcel stands in the tracking list; the last one completes the order."""
        del lines
        tracking = told["tracking"]
        parcel = {
            "tracking_provider": "",
            "custom_tracking_provider": tracking["company"],
            "custom_tracking_link": tracking["url"],
            "tracking_number": tracking["number"],
            "date_shipped": at.date().isoformat(),
            "tracking_id": told["key"],
        }
        known = (one["value"] for one in order["meta"] if one["key"] == TRACKING)
        self._meta(order, {"key": TRACKING, "value": [*next(known, []), parcel]}, at)
        if told["last"] and order["status"] == "processing":
            order |= {"status": "completed", "completed_at": stamp(at)}
        return str(tracking["number"])

    def taken_off(
        self, order: Document, lines: Sequence[tuple[Document, int]], note: str, at: datetime
    ) -> Document:
        """A refund by hand of what the units cost."""
        off = [(line, units, "no_restock") for line, units in lines]
        parts = shop_orders.refund_lines(order, off, lambda _: 0)
        worth = sum(one["subtotal"] + one["tax"] for one in parts)
        return self.refunded(order, at, by="api", lines=off, amount=worth, note=note)

    def given_back(
        self,
        order: Document,
        lines: Sequence[tuple[Document, int]],
        told: Mapping[str, Any],
        at: datetime,
    ) -> Document:
        """A refund by hand: its amount, and what of it is for which line."""
        back = [(line, units, "no_restock") for line, units in lines]
        made = self.refunded(
            order, at, by="api", lines=back, amount=int(told["amount"]), note=str(told["note"])
        )
        made["by_gateway"] = False
        for one in made["lines"]:
            share = int(told["worth"].get(str(one["line"]), 0))
            whole = one["subtotal"] + one["tax"]
            one["tax"] = share * one["tax"] // whole if whole else 0
            one["subtotal"] = share - one["tax"]
        if not shop_orders.due_back(order):
            order["status"] = "refunded"
        return made

    # --- orders

    @route("GET", API + "/orders")
    def orders(self, request: Request) -> Reply:
        """A page of orders by `status`, `include` and times; what is past the last page is empty."""
        asked = request.query
        wanted = asked_for.wanted(asked)
        sort = _SORTS.get(asked.get("orderby", "date"))
        if sort is None:
            raise asked_for.wrong("rest_invalid_param", "Invalid parameter(s): orderby")
        found = sorted(
            filter(wanted, self.store["orders"].values()),
            key=lambda order: (order[sort], order["id"]),
            reverse=asked.get("order", "desc") != "asc",
        )
        page, headers = self._page(request, found, "orders")
        return 200, [self.shown(order) for order in page], headers

    @route("GET", API + "/orders/{id}")
    def read_order(self, request: Request) -> Reply:
        return 200, self.shown(self._order(request))

    @route("PUT", API + "/orders/{id}")
    @route("POST", API + "/orders/{id}")
    def write_order(self, request: Request) -> Reply:
        """Status, meta data, customer note and shipping address."""
        order, said, now = self._order(request), request.json, self.clock.now()
        status = str(said.get("status") or order["status"])
        if status not in STATUSES:
            raise asked_for.wrong("rest_invalid_param", "Invalid parameter(s): status")
        fields: Document = {}
        if "meta_data" in said:
            fields["meta"] = [self._meta(order, one, now) for one in said["meta_data"]]
        if "customer_note" in said:
            fields["note"] = order["note"] = str(said["customer_note"])
        if said.get("shipping"):
            names = {"address_1": "line1", "address_2": "line2", "city": "city"}
            names |= {"state": "region", "postcode": "zip", "country": "country"}
            moved = {
                ours: said["shipping"][theirs]
                for theirs, ours in names.items()
                if theirs in said["shipping"]
            }
            fields["address"] = order["address"] = {**order["address"], **moved}
        if status == "cancelled" != order["status"]:
            self.cancel(order, now, by="api", reason="cancelled", restock=True, back=0)
        elif status != order["status"]:
            fields["status"] = order["status"] = status
            if status == "completed":
                order["completed_at"] = stamp(now)
        if fields:
            self.written(order, now, **fields)
        return 200, self.shown(order)

    @route("GET", API + "/orders/{id}/notes")
    def notes(self, request: Request) -> Reply:
        return 200, list(reversed(self._order(request)["notes"]))

    @route("POST", API + "/orders/{id}/notes")
    def add_note(self, request: Request) -> Reply:
        """A note does not change the order: no webhook."""
        order, said = self._order(request), request.json
        note: Document = {
            "id": self.number("note_id"),
            "author": "Switchyard" if said.get("added_by_user") else "system",
            **shop_woocommerce_wire.times("date_created", stamp(self.clock.now())),
            "note": str(said.get("note", "")),
            "customer_note": bool(said.get("customer_note")),
        }
        order["notes"].append(note)
        self.log.append("note", order=order["id"], note=note["note"])
        return 201, note

    @route("GET", API + "/orders/{id}/refunds")
    def refunds(self, request: Request) -> Reply:
        order = self._order(request)
        page, headers = self._page(request, list(reversed(order["refunds"])), "refunds")
        site = self.settings["site"]
        return 200, [shop_woocommerce_wire.refund(order, one, site) for one in page], headers

    @route("POST", API + "/orders/{id}/refunds")
    def create_refund(self, request: Request) -> Reply:
        """Give back an amount; lines say which units, and are restocked unless `api_restock` is off."""
        order, said = self._order(request), request.json
        worth = asked_for.minor(said.get("amount", "0"))
        left = shop_orders.due_back(order)
        if not 0 < worth <= left:
            raise asked_for.wrong("woocommerce_rest_invalid_order_refund", "Invalid refund amount.")
        restock = "cancel" if said.get("api_restock", True) else "no_restock"
        lines = []
        for one in said.get("line_items") or []:
            line = shop_orders.line_of(order, one.get("id"))
            units = int(one.get("quantity") or 0)
            if line is None or units > shop_orders.kept_units(line):
                raise asked_for.wrong(
                    "woocommerce_rest_invalid_order_refund", "Invalid refund quantity."
                )
            if units:
                lines.append((line, units, restock))
        if worth == left:
            order["status"] = "refunded"
        note = str(said.get("reason") or "")
        made = self.refund(order, self.clock.now(), by="api", lines=lines, amount=worth, note=note)
        made["by_gateway"] = bool(said.get("api_refund", True))
        asked_for.as_asked(made, said.get("line_items") or [])
        if said.get("meta_data"):
            made["meta"] = said["meta_data"]
        return 201, shop_woocommerce_wire.refund(order, made, self.settings["site"])

    # --- products

    @route("GET", API + "/products")
    def products(self, request: Request) -> Reply:
        """Products by `sku` (a comma between several) and `include`, by id."""
        skus = asked_for.listed(request.query.get("sku", ""))
        ids = asked_for.listed(request.query.get("include", ""))
        found = sorted(
            (
                item
                for item in self.store["catalog"].values()
                if (not skus or item["sku"] in skus) and (not ids or str(item["product"]) in ids)
            ),
            key=lambda item: int(item["product"]),
        )
        page, headers = self._page(request, found, "products")
        return 200, [self._product(item) for item in page], headers

    @route("GET", API + "/products/{id}")
    def read_product(self, request: Request) -> Reply:
        return 200, self._product(self._item(request.params["id"]))

    @route("PUT", API + "/products/{id}")
    def write_product(self, request: Request) -> Reply:
        return 200, self._set_product(request.params["id"], request.json)

    @route("POST", API + "/products/batch")
    def write_products(self, request: Request) -> Reply:
        """Up to a hundred, each with its own outcome."""
        said = request.json.get("update") or []
        if len(said) > MOST:
            words = f"Unable to accept more than {MOST} items for this request."
            raise asked_for.wrong("woocommerce_rest_request_entity_too_large", words, 413)
        done: list[Any] = []
        for one in said:
            try:
                done.append(self._set_product(one.get("id"), one))
            except Refusal as refusal:
                done.append({"id": one.get("id"), "error": refusal.reply[1]})
        return 200, {"update": done}

    # --- inside

    def _order(self, request: Request) -> Document:
        found = self.store["orders"].get(request.params["id"])
        if found is None:
            raise asked_for.wrong("woocommerce_rest_shop_order_invalid_id", "Invalid ID.", 404)
        order: Document = found
        return order

    def _item(self, number: object) -> Document:
        for item in self.store["catalog"].values():
            if str(item["product"]) == str(number):
                found: Document = item
                return found
        raise asked_for.wrong("woocommerce_rest_product_invalid_id", "Invalid ID.", 404)

    def _product(self, item: Mapping[str, Any]) -> Document:
        figure = self.store["stock"][item["sku"]]
        return shop_woocommerce_wire.product(item, figure, self.settings["site"])

    def _set_product(self, number: object, said: Mapping[str, Any]) -> Document:
        item = self._item(number)
        if "stock_quantity" in said:
            units = said["stock_quantity"]
            if isinstance(units, bool) or not isinstance(units, int):
                raise asked_for.wrong("rest_invalid_param", "Invalid parameter(s): stock_quantity")
            self.set_stock(item["sku"], units, self.clock.now(), by="api")
        return self._product(item)

    def _meta(self, order: Document, said: Mapping[str, Any], at: datetime) -> Document:
        """Write a meta datum over the one of this id or key; None takes it away."""
        known = next(
            (
                one
                for one in order["meta"]
                if (one["id"] == said["id"] if said.get("id") else one["key"] == said.get("key"))
            ),
            None,
        )
        if known is None:
            known = {"id": self.number("meta_id"), "key": str(said.get("key", "")), "value": None}
            order["meta"].append(known)
        before, known["value"] = known["value"], said.get("value")
        if known["value"] is None:
            order["meta"].remove(known)
        if known["key"] == TRACKING:
            self._parcels(order, before, known["value"], at)
        return dict(known)

    def _parcels(self, order: Document, before: Any, now: Any, at: datetime) -> None:
        """Parcels that the tracking list holds anew are fulfillments; one listed twice is two."""
        told = [str(one.get("tracking_number")) for one in before or []]
        for one in now or []:
            number = str(one.get("tracking_number"))
            if number in told:
                told.remove(number)
                continue
            company = one.get("tracking_provider") or one.get("custom_tracking_provider")
            tracking = {"number": number, "company": company}
            self.fulfilled(order, [], {**tracking, "url": one.get("custom_tracking_link")}, at)

    def _page(
        self, request: Request, found: list[Any], name: str
    ) -> tuple[list[Any], dict[str, str]]:
        try:
            number = max(1, int(request.query.get("page", 1)))
            size = int(request.query.get("per_page", PAGE))
        except ValueError:
            raise asked_for.wrong("rest_invalid_param", "Invalid parameter(s): page") from None
        if not 1 <= size <= MOST:
            raise asked_for.wrong("rest_invalid_param", "Invalid parameter(s): per_page")
        pages = -(-len(found) // size)
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
        if number < pages:
            next_page = f"{self.url}{API}/{name}?page={number + 1}&per_page={size}"
            headers["Link"] = f'<{next_page}>; rel="next"'
        return found[(number - 1) * size : number * size], headers
