"""A marketplace that sells our goods: it sends orders to our public API, and hears by our webhooks.

It is a shop with its own figures and buyers (`integrations.sandbox.shops`), of another temper: it takes
the money, fulfills a share of its orders itself and says so, and counts what a seller does badly.
It knows no more than it is told: `order.accepted` acknowledges; other news has it read the order.
An order, cancel or reading that gets no answer is tried again under the same key.

    PUT  /_sandbox/shop      {"base_url", "key", "webhook_secret", "channel", "own_share",
                              "ack_hours", "ship_hours", "currency"}
    POST /webhooks           our Standard Webhooks; a message that was seen is taken and not counted

Catalog, shopper, orders and figures as at every shop; of the buyers' wishes there is only `cancel`.
Records: `orders` (with `own`, `theirs`, `acknowledged_at`, `shipments`, `penalties`: unacknowledged,
late_shipment, seller_cancel), and the log: placed, answered, acknowledged, shipped, cancelled, penalty,
webhook, forged, hook.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from standardwebhooks.webhooks import (
    EmptyWebhookSecretError,
    Webhook,
    WebhookVerificationError,
)

from integrations.sandbox import shop_orders, shoppers
from integrations.sandbox.box import Refusal, Reply, Request, route
from integrations.sandbox.hooks import Hook
from integrations.sandbox.shop_orders import Document, stamp
from integrations.sandbox.shops import Shop

NAME: Final = "marketplace"
AGAIN: Final = timedelta(minutes=15)
"""After which it asks again for what got no answer."""
LOOK: Final = timedelta(hours=12)
"""How often it reads an order that is not done, for news that were lost."""
LOOKS_FOR: Final = timedelta(days=10)
SHIPPED: Final = frozenset(
    "handed_over in_transit out_for_delivery attempted at_pickup_point delivered returning "
    "returned damaged lost".split()
)


def build(port: int = 0, folder: Path | None = None, seed: int = 7) -> "Marketplace":
    return Marketplace(NAME, port, seed, folder=folder)


class Marketplace(Shop):
    """The simulator; `theirs` of an order is what we answered when it was sent."""

    defaults = {
        "base_url": "",
        "key": "",
        "webhook_secret": "",
        "channel": "",
        "service": "standard",
        "own_share": 0.3,
        "ack_hours": 24,
        "ship_hours": 72,
        "currency": "USD",
    }
    shopper_defaults = {
        "shipping": (("standard", "Standard", 0, 1.0),),
        "change_share": 0.0,
        "refund_share": 0.0,
        "discount_share": 0.0,
    }

    def shown(self, order: Document) -> Document:
        return order

    # --- what it sends

    def sign(self, topic: str, body: bytes, message_id: str) -> dict[str, str]:
        """The key; a forger's body ends in a space, and a forger has another key."""
        del topic, message_id
        key = "forged" if body.endswith(b" ") else self.settings["key"]
        return {"Authorization": f"Bearer {key}"}

    def news(self, what: str, order: Document, at: datetime, **facts: Any) -> None:
        """A new order is sent; of everything else the marketplace speaks in its own ways."""
        del facts
        if what != "placed":
            return
        dice = shoppers.dice_of(self.seed, self.name, order["number"], "own")
        order |= _begun(own=dice.random() < float(self.settings["own_share"]))
        self._send(order)
        self._later(order, AGAIN, "send")
        if not order["own"]:
            self.plan(order, at + timedelta(hours=float(self.settings["ack_hours"])), "ack_due")
            self.plan(order, at + timedelta(hours=float(self.settings["ship_hours"])), "ship_due")
            self._later(order, LOOK, "look")

    def recall(self, order: Document, said: Mapping[str, Any]) -> None:
        """An order of before: `own` says that the marketplace itself sends it."""
        order |= _begun(own=bool(said.get("own")))

    def stood(self, order: Document, told: Mapping[str, Any], at: datetime) -> None:
        """`theirs`, `cancelled`, units `sent` and `off` per line, and the numbers of `parcels`."""
        order["theirs"] = told["theirs"]
        self.store["threads"][told["theirs"]["id"]] = str(order["id"])
        self._acknowledge(order, at)
        for line in order["lines"]:
            line["fulfilled"] = int(told["sent"].get(str(line["id"]), line["fulfilled"]))
            line["cancelled"] = int(told["off"].get(str(line["id"]), 0))
            line["refunded"] = line["cancelled"]
        if told["cancelled"]:
            order.update(cancelled_at=stamp(at), cancel_reason="seller", cancelled_by="api")
        order["shipments"] = [{"tracking": number, "at": stamp(at)} for number in told["parcels"]]
        if not _done(order):
            self._later(order, LOOK, "look")

    def do(self, order: Document, deed: str, at: datetime) -> None:
        match deed:
            case "send" if not order["theirs"] and not order["refused"]:
                self._send(order)
                self._later(order, AGAIN, "send")
            case "cancel" if not order["refused"] and not order["cancelled_at"]:
                self._cancel(order)
            case "look" if not _done(order):
                self._read(order)
                if at - datetime.fromisoformat(order["created_at"]) < LOOKS_FOR:
                    self._later(order, LOOK, "look")
            case "ack_due" if not order["acknowledged_at"] and not _ended(order):
                self._punish(order, "unacknowledged", at)
            case "ship_due" if not _done(order):
                self._punish(order, "late_shipment", at)

    def _cancel(self, order: Document) -> None:
        """The buyer's cancel; asked until it is answered."""
        if order["theirs"]:
            said = {"reason": "buyer-cancelled", "initiator": "channel"}
            self._call(order, "cancel", f"/orders/{order['theirs']['id']}/cancel", said)
        self._later(order, AGAIN, "cancel")

    def _send(self, order: Document) -> None:
        self._call(order, "order", "/orders", draft_of(order, self.settings))

    def _read(self, order: Document) -> None:
        if order["theirs"]:
            path = f"/orders/{order['theirs']['id']}"
            self._call(order, "read", path, None, method="GET")

    def _call(
        self,
        order: Document,
        topic: str,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        method: str = "POST",
    ) -> None:
        base = self.settings["base_url"].rstrip("/")
        if base:
            key = f"{self.name}-{order['id']}-{topic}"
            self.hooks.send(
                f"{base}{path}",
                topic,
                body if body is not None else b"",
                headers={"Idempotency-Key": key} if body is not None else {},
                message_id=f"{order['id']}:{topic}",
                method=method,
            )

    # --- what it is answered

    def answered(self, hook: Hook, status: int, body: bytes) -> bool:
        """Final are success, and a refusal of what was asked; anything else is asked again."""
        try:
            said = json.loads(body)
        except ValueError:
            said = {}
        busy = status == 409 and "idempotency" in str(said.get("type", ""))
        if status in {401, 429} or status >= 500 or busy:
            return False
        with self.store.lock:
            order = self.store["orders"].get(hook.id.partition(":")[0])
            if order is not None:
                self._hear(order, hook.topic, status, said)
                self.store.touch()
        return True

    def _hear(self, order: Document, topic: str, status: int, said: Mapping[str, Any]) -> None:
        now, taken = self.clock.now(), 200 <= status < 300
        if topic == "read" and taken:
            self._learn(order, said, now)
        elif topic == "order" and taken and not order["theirs"]:
            order["theirs"] = {"id": said["id"], "number": said["number"]}
            self.store["threads"][said["id"]] = str(order["id"])
            self.log.append("answered", order=order["id"], asked=topic, state=said["state"])
            if said["state"] == "accepted":
                self._acknowledge(order, now)
        elif topic == "order" and not taken and not order["theirs"]:
            order["refused"] = str(said.get("code") or said.get("type") or status)
            self.log.append("answered", order=order["id"], asked=topic, refused=order["refused"])
        elif topic == "cancel" and not order["cancelled_at"]:
            self.log.append("answered", order=order["id"], asked=topic, status=status)
            self._drop(order, "cancel")
            if taken:
                self.cancel(order, now, by="buyer", reason="customer", restock=True, back=None)

    def _learn(self, order: Document, said: Mapping[str, Any], now: datetime) -> None:
        """What an order that was read holds: parcels on their way, and units that were taken off."""
        if said["state"] != "captured":
            self._acknowledge(order, now)
        known = {one["tracking"] for one in order["shipments"]}
        for parcel in _shipped(said):
            name = parcel["tracking_number"] or parcel["number"]
            if name in known:
                continue
            units = sum(line["quantity"] for line in parcel["lines"])
            made = {"tracking": name, "carrier": parcel["carrier_code"], "units": units}
            order["shipments"].append({**made, "at": stamp(now), "parcel": parcel["id"]})
            self.log.append("shipped", at=stamp(now), order=order["id"], tracking=name, units=units)
        for line in _lines(said):
            ours = shop_orders.line_of(order, line["external_id"])
            if ours is None:
                continue
            quantities = line["quantities"]
            ours["fulfilled"] = int(quantities.get("shipped", 0))
            gone = int(quantities.get("cancelled", 0)) - ours["cancelled"]
            if gone > 0 and not order["cancelled_at"]:
                self._withdrawn(order, ours, gone, now)
        self.updated(order, now)

    def _withdrawn(self, order: Document, line: Document, units: int, now: datetime) -> None:
        """The seller sold what it cannot send."""
        line["cancelled"] += units
        line["refunded"] += units
        self.log.append(
            "cancelled", at=stamp(now), order=order["id"], by="api", line=line["id"], units=units
        )
        self._punish(order, "seller_cancel", now)

    def _acknowledge(self, order: Document, now: datetime) -> None:
        if not order["acknowledged_at"]:
            order["acknowledged_at"] = stamp(now)
            self.log.append("acknowledged", at=stamp(now), order=order["id"])

    def _punish(self, order: Document, why: str, at: datetime) -> None:
        if why not in [one["why"] for one in order["penalties"]]:
            order["penalties"].append({"why": why, "at": stamp(at)})
            self.log.append("penalty", at=stamp(at), order=order["id"], why=why)

    def _later(self, order: Document, after: timedelta, deed: str) -> None:
        """From now, not from when it was due: who comes late asks once, not for each time missed."""
        self.plan(order, self.clock.now() + after, deed)

    def _drop(self, order: Document, deed: str) -> None:
        self.store["deeds"].pop(f"{order['id']}:{deed}", None)

    # --- what it hears

    @route("POST", "/webhooks", open=True)
    def hear(self, request: Request) -> Reply:
        try:
            secret = Webhook(self.settings["webhook_secret"])
            event = secret.verify(request.raw, request.headers)
        except (WebhookVerificationError, EmptyWebhookSecretError, ValueError, RuntimeError):
            self.log.append("forged", message=request.headers.get("webhook-id", ""))
            raise Refusal(401, {"error": "The signature is wrong."}) from None
        message, data = request.headers["webhook-id"], event.get("data") or {}
        again = message in self.store["messages"]
        order = self._of_thread(data)
        if order is not None:
            self.log.append("webhook", message=message, topic=event["type"], again=again)
        if not again:
            self.store["messages"][message] = event["type"]
            if order is not None and event["type"] == "order.accepted":
                self._acknowledge(order, self.clock.now())
            elif order is not None:
                self._read(order)
        return 204, None

    def _of_thread(self, data: Mapping[str, Any]) -> Document | None:
        """The order that a message is about; most are about other channels'."""
        thread = str(data.get("thread_id") or (data.get("subject") or {}).get("id") or "")
        found: Document | None = self.store["orders"].get(self.store["threads"].get(thread, ""))
        return found


def _begun(*, own: bool) -> Document:
    """What a marketplace keeps of an order besides, when it is placed."""
    return {
        "own": own,
        "theirs": None,
        "refused": "",
        "acknowledged_at": None,
        "shipments": [],
        "penalties": [],
    }


def _ended(order: Mapping[str, Any]) -> bool:
    return bool(order["own"] or order["refused"] or order["cancelled_at"])


def _done(order: Mapping[str, Any]) -> bool:
    """Nothing is expected of the seller any more."""
    return _ended(order) or not any(map(shop_orders.open_units, order["lines"]))


def _shipped(said: Mapping[str, Any]) -> Iterator[Document]:
    for work in said.get("fulfillment_orders", []):
        yield from (one for one in work["parcels"] if one["state"] in SHIPPED)


def _lines(said: Mapping[str, Any]) -> Iterator[Document]:
    for group in said.get("groups", []):
        yield from group["lines"]


def draft_of(order: Mapping[str, Any], settings: Mapping[str, Any]) -> Document:
    """The order as our API takes it; alike each time that it is sent."""
    person, whole = order["customer"], shop_orders.total(order)
    name = f"{person['first_name']} {person['last_name']}"
    lines = [_line(line) for line in order["lines"]]
    group = {
        "method": "ship",
        "fulfilled_by": "channel" if order["own"] else "us",
        "service_level_code": settings["service"] or None,
        "address": _address(order, name),
        "gift_message": order["note"],
        "lines": lines,
    }
    tender = {
        "kind": "marketplace",
        "amount_minor": whole,
        "collected_by": "channel",
        "captured_minor": whole,
    }
    draft: Document = {
        "external_id": str(order["id"]),
        "external_number": f"AG-{order['number']}",
        "currency": order["currency"],
        "placed_at": order["created_at"],
        "customer": {"name": name, "email": person["email"], "phone": person["phone"]},
        "groups": [group],
        "tenders": [tender],
        "totals": {
            "shipping_minor": shop_orders.shipping_total(order),
            "tax_minor": sum(line["tax_minor"] for line in lines),
            "total_minor": whole,
        },
    }
    if settings["channel"]:
        draft["channel"] = settings["channel"]
    return draft


def _line(line: Mapping[str, Any]) -> Document:
    return {
        "external_id": str(line["id"]),
        "sku_code": line["sku"],
        "quantity": line["quantity"],
        "title": line["title"],
        "unit_price": f"{line['price'] / 100:.2f}",
        "discount_minor": line["discount"],
        "tax_minor": shop_orders.tax(line),
        "total_minor": shop_orders.goods(line) + shop_orders.tax(line),
    }


def _address(order: Mapping[str, Any], name: str) -> Document:
    place = order["address"]
    return {
        "name": name,
        "line1": place["line1"],
        "line2": place["line2"],
        "city": place["city"],
        "region": place["region"],
        "postal_code": place["zip"],
        "country": place["country"],
        "phone": order["customer"]["phone"],
    }
