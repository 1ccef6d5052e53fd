"""The book of a simulated shop: its orders, its stock figures, and what becomes of both."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from integrations.sandbox import shop_orders
from integrations.sandbox.box import Reply, Request, Simulator
from integrations.sandbox.control import CONTROL
from integrations.sandbox.shop_orders import Document, stamp
from integrations.sandbox.shoppers import Basket

FIRST: Final = {
    "order_number": 1001,
    "order_id": 5_820_000_001,
    "line_id": 14_100_000_001,
    "shipping_id": 4_900_000_001,
    "fulfillment_order_id": 6_600_000_001,
    "fulfillment_line_id": 13_300_000_001,
    "fulfillment_id": 5_100_000_001,
    "transaction_id": 6_900_000_001,
    "refund_id": 910_000_001,
    "refund_line_id": 560_000_001,
    "product_id": 8_200_000_001,
    "variant_id": 44_700_000_001,
    "item_id": 46_800_000_001,
    "customer_id": 7_100_000_001,
}
"""Where sequences begin: no id of one kind looks like an id of another."""


class ShopBook(Simulator):
    """What is done with orders and figures. A face tells the `news`, and says its `defaults`."""

    defaults: Mapping[str, Any] = {}
    firsts: Mapping[str, int] = FIRST

    # --- for the faces

    @abstractmethod
    def news(self, what: str, order: Document, at: datetime, **facts: Any) -> None:
        """Something about an order has happened: send the webhooks."""

    @abstractmethod
    def shown(self, order: Document) -> Document:
        """The order as this face writes it."""

    def _ready(self) -> None:
        """The settings have changed: ask for their credentials from now on."""

    @property
    def settings(self) -> Document:
        return {**self.defaults, **self.store["_settings"]}

    def number(self, sequence: str) -> int:
        return self.store.next_number(sequence, self.firsts.get(sequence, 1))

    def answer(self, request: Request) -> Reply | None:
        """As every simulator; refusals are written down."""
        reply = super().answer(request)
        if reply and 400 <= reply[0] < 500 and not request.path.startswith(CONTROL):
            self.log.append(
                "refused", method=request.method, path=request.path, status=reply[0], why=reply[1]
            )
        return reply

    # --- what happens to orders

    def place(self, basket: Basket, at: datetime) -> Document:
        """Sell what the basket holds: the figures go down, the order is paid."""
        figures = {sku: self.store["stock"][sku]["available"] for sku, _ in basket.lines}
        order = shop_orders.new_order(
            basket,
            self.store["catalog"],
            self.number,
            currency=self.settings["currency"],
            token=self.new_id(),
            at=at,
        )
        self.store["orders"][str(order["id"])] = order
        for sku, units in basket.lines:
            self.sold(sku, units)
        self.log.append(
            "placed",
            at=order["created_at"],
            order=order["id"],
            number=order["number"],
            lines=[
                {"sku": sku, "quantity": units, "figure": figures[sku]}
                for sku, units in basket.lines
            ],
        )
        self.store.touch()
        self.news("placed", order, at)
        return order

    def cancel(
        self,
        order: Document,
        at: datetime,
        *,
        by: str,
        reason: str,
        restock: bool,
        back: int | None,
    ) -> None:
        """Nothing more of the order is sent. `back` is what is refunded; None: all that is left."""
        left = shop_orders.received(order) - shop_orders.refunded(order)
        back = left if back is None else min(back, left)
        order.update(
            cancelled_at=stamp(at), cancel_reason=reason, cancelled_by=by, status="cancelled"
        )
        self.log.append(
            "cancelled", at=stamp(at), order=order["id"], by=by, reason=reason, amount=back
        )
        refund = None
        if back:
            lines = [
                (line, units, "cancel" if restock else "no_restock")
                for line in order["lines"]
                if (units := min(shop_orders.open_units(line), shop_orders.kept_units(line))) > 0
            ]
            shipping = shop_orders.shipping_total(order) - order["shipping"]["refunded"]
            refund = self.refunded(
                order,
                at,
                by=by,
                lines=lines,
                shipping=shipping if back == left else 0,
                amount=back,
                note=reason,
            )
        for line in order["lines"]:
            units = shop_orders.open_units(line)
            line["cancelled"] += units
            if restock:
                self.sold(line["sku"], -units)
        self.updated(order, at)
        self.news("cancelled", order, at)
        if refund is not None:
            self.news("refunded", order, at, refund=refund)

    def refund(
        self,
        order: Document,
        at: datetime,
        *,
        by: str,
        lines: Sequence[tuple[Document, int, str]] = (),
        shipping: int = 0,
        amount: int = 0,
        note: str = "",
    ) -> Document:
        """Give money back, for units or none."""
        refund = self.refunded(
            order, at, by=by, lines=lines, shipping=shipping, amount=amount, note=note
        )
        self.updated(order, at)
        self.news("refunded", order, at, refund=refund)
        return refund

    def refunded(
        self,
        order: Document,
        at: datetime,
        *,
        by: str,
        lines: Sequence[tuple[Document, int, str]] = (),
        shipping: int = 0,
        amount: int = 0,
        note: str = "",
    ) -> Document:
        """Write a refund down, and move its money and units."""
        refund: Document = {
            "id": self.number("refund_id"),
            "created_at": stamp(at),
            "by": by,
            "note": note,
            "lines": shop_orders.refund_lines(order, lines, self.number),
            "shipping": shipping,
            "amount": amount,
            "transactions": [],
        }
        if amount:
            moved = shop_orders.transaction(order, "refund", amount, self.number, at=at)
            order["transactions"].append(moved)
            refund["transactions"] = [moved["id"]]
        for line, units, restock in lines:
            line["refunded"] += units
            if restock == "cancel":
                line["cancelled"] += units
            if restock in {"cancel", "return"}:
                self.sold(line["sku"], -units)
        order["shipping"]["refunded"] += shipping
        order["refunds"].append(refund)
        self.log.append(
            "refunded",
            at=stamp(at),
            order=order["id"],
            refund=refund["id"],
            by=by,
            amount=amount,
            note=note,
            again=bool(note and by == "api" and self._told_before(order, note, amount)),
        )
        return refund

    def fulfill(
        self,
        order: Document,
        lines: Sequence[tuple[Document, int]],
        tracking: Mapping[str, Any],
        at: datetime,
        *,
        notify: bool = False,
    ) -> Document:
        """Units have been sent, and everybody is told."""
        fulfillment = self.fulfilled(order, lines, tracking, at, notify=notify)
        self.updated(order, at)
        self.news("fulfilled", order, at, fulfillment=fulfillment)
        return fulfillment

    def fulfilled(
        self,
        order: Document,
        lines: Sequence[tuple[Document, int]],
        tracking: Mapping[str, Any],
        at: datetime,
        *,
        notify: bool = False,
    ) -> Document:
        """Write a fulfillment down. Asked twice, it does so twice: the log says `again`."""
        number = str(tracking.get("number") or "")
        again = any(number in known["tracking"]["numbers"] for known in order["fulfillments"])
        fulfillment: Document = {
            "id": self.number("fulfillment_id"),
            "created_at": stamp(at),
            "updated_at": stamp(at),
            "status": "success",
            "lines": [{"line": line["id"], "quantity": units} for line, units in lines],
            "tracking": shop_orders.tracking(tracking),
            "notified": notify,
        }
        for line, units in lines:
            line["fulfilled"] += units
        order["fulfillments"].append(fulfillment)
        self.log.append(
            "fulfilled",
            at=stamp(at),
            order=order["id"],
            fulfillment=fulfillment["id"],
            tracking=number,
            units=sum(units for _, units in lines),
            again=again,
        )
        return fulfillment

    def tracked(self, order: Document, fulfillment: Document, at: datetime) -> None:
        """A fulfillment has another tracking number or state."""
        self.log.append(
            "tracking",
            at=stamp(at),
            order=order["id"],
            fulfillment=fulfillment["id"],
            tracking=", ".join(fulfillment["tracking"]["numbers"]),
            status=fulfillment["status"],
        )
        self.updated(order, at)
        self.news("tracked", order, at, fulfillment=fulfillment)

    def written(self, order: Document, at: datetime, **fields: Any) -> None:
        """Something was written on the order: tags, notes, metadata, a status."""
        self.log.append("written", at=stamp(at), order=order["id"], **fields)
        self.updated(order, at)
        self.news("updated", order, at)

    def set_stock(self, sku: str, units: int, at: datetime, *, by: str) -> None:
        """A figure is told; the log keeps what it was before, and every word of the API."""
        known = self.store["stock"][sku]
        before = known["available"]
        if by == "shop" and before == units:
            return
        known |= {"available": units, "told": units, "told_at": stamp(at), "sold_since": 0}
        self.log.append("stock", at=stamp(at), sku=sku, before=before, after=units, by=by)

    def changed(self, order: Document, at: datetime, kind: str, **facts: Any) -> None:
        self.log.append("changed", at=stamp(at), order=order["id"], change=kind, **facts)
        self.updated(order, at)
        self.news("changed", order, at, change=kind, **facts)

    def updated(self, order: Document, at: datetime) -> None:
        order["updated_at"] = max(order["updated_at"], stamp(at))
        self.store.touch()

    def sold(self, sku: str, units: int) -> None:
        """The figure goes down; what is sold no more has none."""
        known = self.store["stock"].get(sku)
        if known is not None:
            known["available"] -= units
            known["sold_since"] += units

    # --- what was before anybody listened (`shop_past`)

    def recall(self, order: Document, said: Mapping[str, Any]) -> None:
        """What a face keeps of an order besides."""

    def stood(self, order: Document, told: Mapping[str, Any], at: datetime) -> None:
        """What a face knows of an order by what it has read of the seller."""

    def sent(
        self,
        order: Document,
        lines: Sequence[tuple[Document, int]],
        told: Mapping[str, Any],
        at: datetime,
    ) -> str:
        """A parcel left; the id of its fulfillment. One that brought only the rest of lines adds its
        number to what was sent of these.
        """
        rest = {str(line) for line in told.get("rest_of", ())}
        begun = [
            known
            for known in order["fulfillments"]
            if known["status"] == "success" and rest & {str(one["line"]) for one in known["lines"]}
        ]
        if begun:
            numbers = begun[-1]["tracking"]
            both = {
                "numbers": [*numbers["numbers"], told["tracking"]["number"]],
                "urls": [*numbers["urls"], told["tracking"]["url"]],
            }
            begun[-1]["tracking"] = shop_orders.tracking(both, numbers)
            return str(begun[-1]["id"])
        fits = [(line, min(units, shop_orders.open_units(line))) for line, units in lines]
        open_ = [(line, units) for line, units in fits if units > 0]
        made = self.fulfilled(order, open_, told["tracking"], at)
        if not any(map(shop_orders.open_units, order["lines"])):
            order["completed_at"] = stamp(at)
        return str(made["id"])

    def taken_off(
        self, order: Document, lines: Sequence[tuple[Document, int]], note: str, at: datetime
    ) -> Document:
        """Units will not be sent; no money of theirs was taken."""
        off = [(line, units, "cancel") for line, units in lines]
        return self.refunded(order, at, by="api", lines=off, note=note)

    def given_back(
        self,
        order: Document,
        lines: Sequence[tuple[Document, int]],
        told: Mapping[str, Any],
        at: datetime,
    ) -> Document:
        """Whoever took the money has given some back: no payment here moves."""
        back = [(line, units, "no_restock") for line, units in lines]
        return self.refunded(order, at, by="api", lines=back, note=str(told["note"]))

    def _told_before(self, order: Document, note: str, amount: int) -> bool:
        return any(
            refund["note"] == note and refund["amount"] == amount and refund["by"] == "api"
            for refund in order["refunds"][:-1]
        )
