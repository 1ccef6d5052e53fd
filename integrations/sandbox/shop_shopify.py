"""A shop behind Shopify's Admin API: REST of 2025-xx, `inventorySetQuantities`, signed webhooks.

Reads are in `shop_shopify_reads`, figures in `shop_shopify_stock`, what was sent in
`shop_shopify_fulfillments`. As at the vendor, nothing is
idempotent: a fulfillment posted twice is two, as long as the fulfillment order still holds units (422
after that). Calls fill a leaky bucket of 40 that loses 2 a second of wall time: `rate` widens it.

    PUT /_sandbox/shop   {"webhook_url", "secret", "token", "domain", "currency", "topics",
                          "rate": {"bucket": 40, "per_second": 2,
                                   "points": 2000, "points_per_second": 100}}
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from integrations.sandbox import (
    credentials,
    shop_orders,
    shop_shopify_refunds,
    shop_shopify_wire,
)
from integrations.sandbox.box import Refusal, Reply, Request, route
from integrations.sandbox.bucket import Bucket
from integrations.sandbox.shop_orders import Document, stamp
from integrations.sandbox.shop_shopify_lines import gid, when
from integrations.sandbox.shop_shopify_reads import API
from integrations.sandbox.shop_shopify_stock import ShopifyStock

NAME: Final = "shopify"
VERSION: Final = "2025-07"
REASONS: Final = ("customer", "inventory", "fraud", "declined", "staff", "other")
TOPICS: Final = (
    "orders/create",
    "orders/updated",
    "orders/edited",
    "orders/cancelled",
    "refunds/create",
    "fulfillments/create",
    "fulfillments/update",
)
_TOO_MANY: Final = (
    "Exceeded 2 calls per second for api client. "
    "Reduce request rates to resume uninterrupted service."
)


def build(port: int = 0, folder: Path | None = None, seed: int = 7) -> "ShopifyShop":
    return ShopifyShop(NAME, port, seed, folder=folder)


class ShopifyShop(ShopifyStock):
    """The face: signs, counts calls, and takes what we write."""

    defaults = {
        "webhook_url": "",
        "secret": "",
        "token": "",
        "domain": "harbor.myshopify.com",
        "currency": "USD",
        "topics": list(TOPICS),
        "rate": {"bucket": 40, "per_second": 2, "points": 2_000, "points_per_second": 100},
    }

    def _ready(self) -> None:
        super()._ready()
        token, rate = self.settings["token"], self.settings["rate"]
        self.require(credentials.header("X-Shopify-Access-Token", token) if token else None)
        self._bucket = Bucket(float(rate["bucket"]), float(rate["per_second"]))

    def answer(self, request: Request) -> Reply | None:
        """As every shop, with the bucket before it and its state told in a header."""
        if not request.path.startswith("/admin/") or request.path.endswith("/graphql.json"):
            return super().answer(request)
        used, wait = self._bucket.add()
        size = int(self._bucket.size)
        told = {"X-Shopify-Shop-Api-Call-Limit": f"{used}/{size}", "X-Shopify-API-Version": VERSION}
        if wait:
            self.log.append("limited", path=request.path)
            return 429, {"errors": _TOO_MANY}, {**told, "Retry-After": f"{max(1.0, wait):.1f}"}
        reply = super().answer(request)
        if reply is None:
            return None
        return reply[0], reply[1], {**(reply[2] if len(reply) > 2 else {}), **told}

    # --- webhooks

    def sign(self, topic: str, body: bytes, message_id: str) -> dict[str, str]:
        return {
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": credentials.sign(self.settings["secret"], body),
            "X-Shopify-Shop-Domain": self.settings["domain"],
            "X-Shopify-API-Version": VERSION,
            "X-Shopify-Webhook-Id": message_id,
        }

    def news(self, what: str, order: Document, at: datetime, **facts: Any) -> None:
        """Send what there is to send: the special topic first, then the order as it is now."""
        if not self.settings["webhook_url"]:
            return
        shown = self.shown(order)
        if what == "placed":
            self._send("orders/create", shown, at)
            return
        if what == "changed" and facts["change"] != "address":
            self._send("orders/edited", {"order_edit": self._edit(order, at, facts)}, at)
        elif what == "cancelled":
            self._send("orders/cancelled", shown, at)
        elif what == "refunded":
            self._send("refunds/create", shop_shopify_refunds.refund(order, facts["refund"]), at)
        elif what in {"fulfilled", "tracked"}:
            topic = "fulfillments/create" if what == "fulfilled" else "fulfillments/update"
            made = shop_shopify_wire.fulfillment(order, facts["fulfillment"])
            self._send(topic, {**made, "email": order["customer"]["email"]}, at)
        self._send("orders/updated", shown, at)

    def _send(self, topic: str, body: Document, at: datetime) -> None:
        if topic in self.settings["topics"]:
            headers = {"X-Shopify-Triggered-At": stamp(at), "X-Shopify-Event-Id": self.new_id()}
            self.hooks.send(self.settings["webhook_url"], topic, body, headers=headers)

    def _edit(self, order: Document, at: datetime, facts: Mapping[str, Any]) -> Document:
        change = [{"id": facts["line"], "delta": facts["quantity"]}]
        added = facts["change"] == "add"
        nothing: Document = {"additions": [], "removals": []}
        return {
            "id": self.number("edit_id"),
            "app_id": None,
            "created_at": when(stamp(at)),
            "committed_at": when(stamp(at)),
            "notify_customer": False,
            "order_id": order["id"],
            "staff_note": "",
            "user_id": None,
            "line_items": {
                "additions": change if added else [],
                "removals": [] if added else change,
            },
            "discounts": {"line_item": nothing},
            "shipping_lines": nothing,
        }

    # --- orders

    @route("PUT", API + "/orders/{id}.json")
    def write_order(self, request: Request) -> Reply:
        """Tags, note, note attributes, contact, address and metafields."""
        order, said = self._order(request), request.json.get("order") or {}
        fields: Document = {}
        if "tags" in said:
            tags = said["tags"]
            parts = tags if isinstance(tags, list) else str(tags).split(",")
            fields["tags"] = order["tags"] = sorted(
                {part.strip() for part in parts if part.strip()}
            )
        if "note" in said:
            fields["note"] = order["note"] = str(said["note"] or "")
        if "note_attributes" in said:
            given = said["note_attributes"]
            pairs = (
                given.items()
                if isinstance(given, dict)
                else [(p["name"], p["value"]) for p in given]
            )
            fields["attributes"] = order["attributes"] = dict(pairs)
        if "shipping_address" in said:
            self._readdress(order, said["shipping_address"])
            fields["address"] = order["address"]
        for name in ("email", "phone"):
            if name in said:
                fields[name] = order["customer"][name] = said[name]
        for one in said.get("metafields", []):
            fields.setdefault("meta", []).append(self._metafield(order, one, anew=True))
        if fields:
            self.written(order, self.clock.now(), **fields)
        return 200, {"order": self.shown(order)}

    @route("POST", API + "/orders/{id}/metafields.json")
    def add_metafield(self, request: Request) -> Reply:
        order, said = self._order(request), request.json.get("metafield") or {}
        made = self._metafield(order, said, anew=False)
        self.written(order, self.clock.now(), meta=[made])
        return 201, {"metafield": made}

    @route("POST", API + "/orders/{id}/cancel.json")
    def cancel_order(self, request: Request) -> Reply:
        """Cancel an order of which nothing has been sent. `amount` or `refund` gives money back."""
        order, said = self._order(request), request.json
        if order["cancelled_at"]:
            raise Refusal(422, {"error": "Order has already been canceled"})
        if order["fulfillments"] and shop_orders.fulfillment_status(order):
            raise Refusal(422, {"error": "Cannot cancel a paid and fulfilled order"})
        reason = str(said.get("reason") or "other")
        if reason not in REASONS:
            raise Refusal(422, {"errors": {"reason": ["is not included in the list"]}})
        refund = said.get("refund") or {}
        back = _minor(said["amount"]) if "amount" in said else _moved(refund)
        restock = bool(said.get("restock") or refund.get("restock"))
        self.cancel(order, self.clock.now(), by="api", reason=reason, restock=restock, back=back)
        return 200, {"order": self.shown(order), "notice": "Order has been canceled"}

    @route("POST", API + "/orders/{id}/close.json")
    def close_order(self, request: Request) -> Reply:
        order = self._order(request)
        order["completed_at"] = order["completed_at"] or stamp(self.clock.now())
        self.written(order, self.clock.now(), closed=True)
        return 200, {"order": self.shown(order)}

    # --- refunds

    @route("POST", API + "/orders/{id}/refunds/calculate.json")
    def calculate_refund(self, request: Request) -> Reply:
        order, said = self._order(request), request.json.get("refund") or {}
        lines = shop_orders.refund_lines(order, self._to_refund(order, said), self.number)
        shown = shop_shopify_refunds.suggested(order, lines, _shipping(order, said))
        return 200, {"refund": shown}

    @route("POST", API + "/orders/{id}/refunds.json")
    def create_refund(self, request: Request) -> Reply:
        order, said = self._order(request), request.json.get("refund") or {}
        lines, moved = self._to_refund(order, said), _moved(said)
        left = shop_orders.received(order) - shop_orders.refunded(order)
        if moved > left:
            raise Refusal(422, {"errors": {"base": ["Refund amount exceeds what is available."]}})
        refund = self.refund(
            order,
            self.clock.now(),
            by="api",
            lines=lines,
            shipping=_shipping(order, said),
            amount=moved,
            note=str(said.get("note") or ""),
        )
        return 201, {"refund": shop_shopify_refunds.refund(order, refund)}

    # --- inside

    def _to_refund(
        self, order: Document, said: Mapping[str, Any]
    ) -> list[tuple[Document, int, str]]:
        lines = []
        for one in said.get("refund_line_items") or []:
            line, units = shop_orders.line_of(order, one.get("line_item_id")), int(one["quantity"])
            restock = str(one.get("restock_type") or "no_restock")
            if line is None or not 0 < units <= shop_orders.kept_units(line):
                words = "Quantity cannot refund more items than were purchased"
                raise Refusal(422, {"errors": {"refund_line_items.quantity": [words]}})
            if restock == "cancel" and units > shop_orders.open_units(line):
                words = "Quantity cannot remove more than the fulfillable quantity"
                raise Refusal(422, {"errors": {"refund_line_items.quantity": [words]}})
            lines.append((line, units, restock))
        return lines

    def _readdress(self, order: Document, said: Mapping[str, Any]) -> None:
        names = {"address1": "line1", "address2": "line2", "city": "city", "zip": "zip"}
        names |= {"province_code": "region", "country_code": "country"}
        order["address"] |= {ours: said[theirs] for theirs, ours in names.items() if theirs in said}

    def _metafield(self, order: Document, said: Mapping[str, Any], *, anew: bool) -> Document:
        """A metafield of the order; a known one is written over, or refused where one is posted."""
        named = {name: str(said.get(name) or "") for name in ("namespace", "key")}
        now = when(stamp(self.clock.now()))
        for known in order["meta"]:
            if all(known[name] == value for name, value in named.items()):
                if not anew:
                    words = "must be unique within this namespace on this resource"
                    raise Refusal(422, {"errors": {"key": [words]}})
                known |= {"value": said.get("value"), "updated_at": now}
                found: Document = known
                return found
        number = self.number("metafield_id")
        made = {
            "id": number,
            **named,
            "value": said.get("value"),
            "type": said.get("type", "single_line_text_field"),
            "description": None,
            "owner_id": order["id"],
            "owner_resource": "order",
            "created_at": now,
            "updated_at": now,
            "admin_graphql_api_id": gid("Metafield", number),
        }
        order["meta"].append(made)
        return made


def _minor(said: object) -> int:
    try:
        return int((Decimal(str(said)) * 100).to_integral_value())
    except InvalidOperation:
        raise Refusal(422, {"errors": {"amount": ["is not a number"]}}) from None


def _moved(refund: Mapping[str, Any]) -> int:
    """The money that a refund's transactions give back."""
    return sum(
        _minor(one.get("amount"))
        for one in refund.get("transactions") or []
        if one.get("kind", "refund") == "refund"
    )


def _shipping(order: Mapping[str, Any], refund: Mapping[str, Any]) -> int:
    """What of the shipping is given back, with its tax."""
    said = refund.get("shipping") or {}
    whole, price = shop_orders.shipping_total(order), int(order["shipping"]["price"])
    left = whole - int(order["shipping"]["refunded"])
    if said.get("full_refund"):
        return left
    asked = _minor(said.get("amount") or 0)
    with_tax = asked * whole // price if price else asked
    if with_tax > left:
        raise Refusal(422, {"errors": {"shipping": ["amount exceeds what is left of it"]}})
    return with_tax
