"""The tills of the simulated stores: customers walk in, and take what they find on the shelf."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from integrations.sandbox.wms import Wms
from integrations.sandbox.wms_floor import Document

SALE: Final = "till.sale"
PER_HOUR: Final = 6.0
MOST_LINES: Final = 3
_BASKETS: Final = (0.6, 0.3, 0.1)
"""How many of a hundred customers buy one, two or three different things."""
_TWO_OF_IT: Final = 0.1


class Tills(Wms):
    """A till per store. Sales are told to our API as orders that left, or as changes of the stock."""

    def sign(self, topic: str, body: bytes, message_id: str) -> dict[str, str]:
        return {} if topic == SALE else super().sign(topic, body, message_id)

    def _works(self) -> dict[str, Callable[[Document, datetime], None]]:
        return {**super()._works(), "tills": self._serve_next, "days": self._close_day}

    @abstractmethod
    def _opening(self, node: str, at: datetime) -> datetime:
        """`at` while the store is open, else when it opens next."""

    @abstractmethod
    def _close_day(self, day: Document, at: datetime) -> None:
        """What happens at closing time."""

    def _set_up_till(self, body: Document) -> Document:
        node = str(body["node"])
        till: Document = {
            "node": node,
            "per_hour": float(body.get("per_hour", PER_HOUR)),
            "api_url": str(body.get("api_url", "")),
            "api_key": str(body.get("api_key", "")),
            "currency": str(body.get("currency") or "USD"),
            "tax_percent": float(body.get("tax_percent", 0)),
            "prices": dict(body.get("prices") or {}),
            "due": None,
        }
        self.store["tills"][node] = till
        self._await_next(till, self.clock.now())
        self.store.touch()
        return {"node": node, "next": till["due"]}

    def _await_next(self, till: Document, at: datetime) -> None:
        """Customers come by chance, so many in an hour on the average, while the store is open."""
        if till["per_hour"] <= 0:
            till["due"] = None
            return
        wait = timedelta(hours=self.dice.expovariate(till["per_hour"]))
        opening = self._opening(till["node"], at + wait)
        if opening > at + wait:
            opening += timedelta(hours=self.dice.expovariate(till["per_hour"]))
        till["due"] = opening.isoformat()

    def _serve_next(self, till: Document, at: datetime) -> None:
        self._await_next(till, at)
        shelves = self._shelves(till["node"])
        there = sorted(sku for sku, shelf in shelves.items() if shelf["shelf"] > 0)
        if not there:
            return
        many = self.dice.choices(range(1, MOST_LINES + 1), _BASKETS)[0]
        lines = {}
        for sku in self.dice.sample(there, min(many, len(there))):
            units = 2 if self.dice.random() < _TWO_OF_IT else 1
            lines[sku] = min(units, shelves[sku]["shelf"])
        self._sell(till["node"], lines, at)

    def _sell(self, node: str, lines: Mapping[str, int], at: datetime) -> Document:
        """Somebody pays and leaves with what they took. Answers the receipt."""
        shelves = self._shelves(node)
        for sku, units in lines.items():
            shelf = shelves.setdefault(sku, {"shelf": 0, "aside": 0, "trouble": ""})
            shelf["shelf"] -= int(units)
        number = f"R{self.store.next_number('receipts', 700001)}"
        till = self.store["tills"].get(node, {})
        as_order = bool(till.get("api_url"))
        sale: Document = {
            "receipt": number,
            "node": node,
            "at": at.isoformat(),
            "lines": dict(lines),
            "told_as": "order" if as_order else "changes",
        }
        self.store["sales"][number] = sale
        self.log.append("sale", **sale)
        if as_order:
            self._tell_order(till, sale)
        else:
            self._send(
                node,
                [
                    self._event("stock.changed", at, sku=sku, quantity=-int(units), reason="sale")
                    for sku, units in lines.items()
                ],
            )
        return sale

    def _tell_order(self, till: Document, sale: Document) -> None:
        """The sale as an order that its buyer has taken along, once by its receipt number."""
        lines, total = [], 0
        for place, (sku, units) in enumerate(sorted(sale["lines"].items()), start=1):
            price = int(till["prices"].get(sku, 1_000))
            tax = int(price * units * till["tax_percent"] / 100)
            total += price * units + tax
            lines.append(
                {
                    "external_id": str(place),
                    "sku_code": sku,
                    "quantity": units,
                    "unit_price": f"{price // 100}.{price % 100:02}",
                    "tax_minor": tax,
                    "total_minor": price * units + tax,
                }
            )
        sale["total_minor"] = total
        body = {
            "external_id": sale["receipt"],
            "currency": till["currency"],
            "placed_at": sale["at"],
            "groups": [{"method": "none", "pickup_node_code": sale["node"], "lines": lines}],
            "tenders": [
                {
                    "kind": "card",
                    "amount_minor": total,
                    "captured_minor": total,
                    "collected_by": "till",
                }
            ],
            "totals": {"total_minor": total},
        }
        headers = {
            "Authorization": f"Bearer {till['api_key']}",
            "Idempotency-Key": sale["receipt"],
        }
        self.hooks.send(
            f"{till['api_url']}/orders", SALE, body, headers=headers, message_id=sale["receipt"]
        )
