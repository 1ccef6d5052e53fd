"""A simulated shop: its catalog, its own stock figures, its orders and buyers. Two faces speak for it.

`shop_shopify` and `shop_woocommerce` are the same shop behind two vendors' APIs. It sells only while
its own figure of a SKU is above nought, and lowers it: what it sells too much, it was told wrongly.

Control plane beside the common one (`integrations.sandbox.box`):

    PUT  /_sandbox/shop       {"webhook_url", "secret", "token", …}: see the faces
    POST /_sandbox/catalog    [{"sku", "title", "price": "19.99", "weight": grams, "stock", "pace"}]
    POST /_sandbox/shopper    {"per_hour", "cancel_share", "change_share", "refund_share",
                              "ship_to": [[city, region, zip]], …}: see `shoppers.Habits`
    POST /_sandbox/orders     {"lines": [{"sku", "quantity"}], "buyer", "shipping", "note", "at"}
    POST /_sandbox/orders/{id}/{deed}   cancel | cut | address | add | refund: as a buyer would
    POST /_sandbox/past       orders of before, and what was told of them: see `shop_past`
    POST /_sandbox/stock      {sku: units}: somebody in the shop sets figures by hand

Records: `orders` (money in minor units; what we were told is in fulfillments, refunds, tags, meta and
notes), `stock`, `catalog`, and the log: placed, changed, cancelled, refunded, fulfilled, tracking,
written, stock, refused, hook.
"""

import heapq
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from integrations.sandbox import shop_orders, shop_past, shoppers
from integrations.sandbox.box import Reply, Request
from integrations.sandbox.clock import instant
from integrations.sandbox.shop_book import ShopBook
from integrations.sandbox.shop_orders import Document, stamp
from integrations.sandbox.shoppers import Basket, Habits, Offer

DEEDS: Final = ("cancel", "cut", "address", "add", "refund")


class Shop(ShopBook):
    """The shop's life: buyers who come, change their minds, and what the set-up may do."""

    shopper_defaults: Mapping[str, Any] = {}

    def __init__(self, *args: Any, **words: Any) -> None:
        super().__init__(*args, **words)
        self._due = [(due, deed, key) for key, (due, deed) in self.store["deeds"].items()]
        heapq.heapify(self._due)
        self._ready()

    # --- living

    def tick(self, now: datetime) -> None:
        """Orders and deeds that have become due by now, in order of time."""
        while True:
            coming = instant(self.store["_shopper"].get("next_at"))
            due = datetime.fromisoformat(self._due[0][0]) if self._due else None
            first = min((at for at in (coming, due) if at is not None), default=None)
            if first is None or first > now:
                return
            if first == coming:
                self._sell(first)
            else:
                self._do_next(first)

    def _sell(self, at: datetime) -> None:
        """The buyer who is due comes, and the next one is awaited."""
        shopper, habits = self.store["_shopper"], self.habits
        visit = self.store.next_number("visits")
        dice = shoppers.dice_of(self.seed, self.name, visit)
        following = shoppers.next_order_at(habits, dice, at)
        shopper["next_at"] = following.isoformat() if following else None
        wanted = shoppers.basket(habits, dice, self._offers())
        if wanted is None:
            self.log.append("turned_away", at=stamp(at), why="everything is sold out")
            return
        order = self.place(wanted, at)
        for due, deed in shoppers.plans(habits, dice, at):
            self.plan(order, due, deed)

    def plan(self, order: Document, due: datetime, deed: str) -> None:
        key, when = f"{order['id']}:{deed}", due.astimezone(UTC).isoformat()
        self.store["deeds"][key] = [when, deed]
        heapq.heappush(self._due, (when, deed, key))

    def _do_next(self, at: datetime) -> None:
        _, deed, key = heapq.heappop(self._due)
        if self.store["deeds"].pop(key, None) is not None:
            self.do(self.store["orders"][key.partition(":")[0]], deed, at)

    def do(self, order: Document, deed: str, at: datetime) -> None:
        """A buyer's wish, or a person's of the shop; nothing where it is too late for it."""
        dice = shoppers.dice_of(self.seed, self.name, order["number"], deed)
        untouched = not order["cancelled_at"] and not order["fulfillments"]
        if deed == "cancel" and untouched:
            self.cancel(order, at, by="buyer", reason="customer", restock=True, back=None)
        elif deed == "cut" and untouched:
            self._one_less(order, dice.choice(order["lines"]), at)
        elif deed == "address" and untouched:
            place = order["address"]
            moved = shoppers.address(dice, place["city"], place["region"], place["zip"])
            order["address"] = moved
            self.changed(order, at, "address")
        elif deed == "add" and untouched:
            self._add(order, dice.random(), at)
        elif deed == "refund" and not order["cancelled_at"]:
            amount = min(500, shop_orders.received(order) - shop_orders.refunded(order))
            if amount > 0:
                self.refund(order, at, by="shop", amount=amount, note="goodwill")

    def _one_less(self, order: Document, line: Document, at: datetime) -> None:
        """The buyer wants one unit less of a line, or the order not at all if it is the last one."""
        last = sum(map(shop_orders.kept_units, order["lines"])) <= 1
        if last or not shop_orders.open_units(line):
            self.cancel(order, at, by="buyer", reason="customer", restock=True, back=None)
        else:
            self.cut(order, line, at)

    def cut(self, order: Document, line: Document, at: datetime) -> None:
        """One unit of the line is taken off, and its worth given back."""
        worth = shop_orders.refund_lines(order, [(line, 1, "cancel")], self.number)[0]
        refund = self.refunded(
            order,
            at,
            by="buyer",
            lines=[(line, 1, "cancel")],
            amount=worth["subtotal"] + worth["tax"],
            note="changed by the buyer",
        )
        self.changed(order, at, "cut", line=line["id"], quantity=1)
        self.news("refunded", order, at, refund=refund)

    def _add(self, order: Document, draw: float, at: datetime) -> None:
        """The buyer wants one more thing, and pays for it."""
        offers = [offer for offer in self._offers() if offer.available > 0]
        if not offers:
            return
        offer = offers[int(draw * len(offers))]
        line = shop_orders.new_line(
            self.store["catalog"][offer.sku], 1, order["address"], self.number
        )
        line["added"] = True
        order["lines"].append(line)
        paid = shop_orders.goods(line) + shop_orders.tax(line)
        order["transactions"].append(
            shop_orders.transaction(order, "sale", paid, self.number, at=at)
        )
        self.sold(offer.sku, 1)
        self.changed(order, at, "add", line=line["id"], quantity=1)

    def _offers(self) -> list[Offer]:
        stock = self.store["stock"]
        return [
            Offer(sku, item["price"], stock[sku]["available"], item["pace"])
            for sku, item in self.store["catalog"].items()
        ]

    # --- control plane

    @property
    def habits(self) -> Habits:
        return Habits.read({**self.shopper_defaults, **self.store["_shopper"].get("habits", {})})

    def control(self, request: Request, words: list[str]) -> Reply | None:
        body = request.json if request.method in {"POST", "PUT"} else {}
        try:
            with self.store.lock:
                if (request.method, words[:1]) == ("POST", ["past"]):
                    done: Document | None = shop_past.answer(self, words[1:], body)
                else:
                    done = self._control(request.method, words, body)
                self.store.touch()
        except (ValueError, KeyError, TypeError) as wrong:
            return 422, {"error": f"{type(wrong).__name__}: {wrong}"}
        return None if done is None else (200, done)

    def _control(self, method: str, words: list[str], body: Any) -> Document | None:
        now = self.clock.now()
        match method, words:
            case "PUT", ["shop"]:
                unknown = set(body) - set(self.defaults)
                if unknown:
                    raise ValueError(f"a shop has no {', '.join(sorted(unknown))}")
                self.store["_settings"].update(body)
                self._ready()
                return {"shop": self.name}
            case "POST", ["catalog"]:
                return self._stock_up(body["items"] if isinstance(body, dict) else body)
            case (("POST" | "PUT"), ["shopper"]):
                return self._invite(body, now)
            case "POST", ["orders", *wish]:
                return self._told(self._asked(wish, body, instant(body.get("at")) or now))
            case "POST", ["stock"]:
                for sku, units in body.items():
                    self.set_stock(sku, int(units), now, by="shop")
                return {}
        return None

    def _asked(self, wish: list[str], body: Mapping[str, Any], at: datetime) -> Document:
        """A new order, or a known one with its deed."""
        if not wish:
            return self.place(self._basket(body), at)
        key, deed = wish
        order: Document = self.store["orders"][key]
        if deed not in DEEDS:
            raise ValueError(f"{deed} is no deed: {', '.join(DEEDS)}")
        self.do(order, deed, at)
        return order

    def _told(self, order: Document) -> Document:
        return {"id": order["id"], "number": order["number"], "order": self.shown(order)}

    def _stock_up(self, items: Iterable[Mapping[str, Any]]) -> Document:
        """Take articles into the catalog; known ones keep their ids and figures, unless told anew."""
        catalog, stock = self.store["catalog"], self.store["stock"]
        for said in items:
            sku = str(said["sku"])
            known = catalog.get(sku) or {
                "product": self.number("product_id"),
                "variant": self.number("variant_id"),
                "item": self.number("item_id"),
            }
            catalog[sku] = known | {
                "sku": sku,
                "title": str(said.get("title") or sku),
                "price": int(Decimal(str(said["price"])).scaleb(2)),
                "grams": int(said.get("weight") or 0),
                "pace": float(said.get("pace", 1.0)),
            }
            if "stock" in said or sku not in stock:
                units = int(said.get("stock", 0))
                stock[sku] = {"available": units, "told": units, "told_at": None, "sold_since": 0}
        return {"skus": len(catalog)}

    def _invite(self, said: Mapping[str, Any], now: datetime) -> Document:
        """Change how buyers behave; what is not said stays. The next one is drawn anew."""
        shopper = self.store["_shopper"]
        habits = Habits.read({**self.habits.said(), **said})
        shopper["habits"] = habits.said()
        dice = shoppers.dice_of(self.seed, self.name, "begin", habits.per_hour, now.isoformat())
        following = shoppers.next_order_at(habits, dice, now)
        shopper["next_at"] = following.isoformat() if following else None
        return {"habits": habits.said(), "next_at": shopper["next_at"]}

    def _basket(self, said: Mapping[str, Any]) -> Basket:
        """A basket as the control plane describes it; buyer and shipping are drawn where not said."""
        dice = shoppers.dice_of(self.seed, self.name, "asked", len(self.store["orders"]))
        habits = self.habits
        lines: dict[str, int] = {}
        for line in said["lines"]:
            sku = str(line["sku"])
            lines[sku] = lines.get(sku, 0) + int(line.get("quantity", 1))
            if sku not in self.store["catalog"]:
                raise ValueError(f"the catalog has no {sku}")
        drawn = shoppers.buyer(dice, habits.ship_to)
        given = said.get("buyer") or {}
        buyer = {**drawn, **given, "address": {**drawn["address"], **given.get("address", {})}}
        ways = [way for way in habits.shipping if way[0] == said.get("shipping")]
        return Basket(
            lines=tuple(lines.items()),
            buyer=buyer,
            shipping=(ways or habits.shipping)[0],
            discount_percent=int(said.get("discount_percent", 0)),
            note=str(said.get("note", "")),
            gift=bool(said.get("gift", False)),
        )
