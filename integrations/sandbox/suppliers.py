"""Drop-ship suppliers: they take released work as purchase orders, and ship from shelves of their own.

They speak the supplier profile of the warehouse protocol (docs/suppliers.md), one base path per supplier.
A supplier accepts an order with the day on which it will ship: as asked, or some days later; accepts a
part; declines; or says nothing at all. What it accepts it sets aside, and ships under its own tracking
number. Each morning it tells what it has to sell, which is sometimes yesterday's list or a part of it.
Its other customers buy from the same shelves, so that the list is never quite true.

    PUT  /_sandbox/shelves   as of `wms`, and {"feed_at": "06:00"} (UTC)
    PUT  /_sandbox/manners   {"part": 0.06, "later": 0.08, "decline": 0.04, "silent": 0.02,
                              "stale": 0.1, "partial": 0.1, "sold_elsewhere": 0.05}: shares
    POST /_sandbox/move, /_sandbox/snapshot   as of `wms`
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from integrations.sandbox.box import Reply, Request
from integrations.sandbox.wms import Wms
from integrations.sandbox.wms_floor import Document, open_units

NAME: Final = "suppliers"
PORT: Final = 8908
FEED_AT: Final = "06:00"
ANSWERS_WITHIN: Final = (20, 180)
"""Minutes until a supplier answers an order, at least and at most."""
LATER_DAYS: Final = (2, 6)
MANNERS: Final = {
    "part": 0.06,
    "later": 0.08,
    "decline": 0.04,
    "silent": 0.02,
    "stale": 0.1,
    "partial": 0.1,
    "sold_elsewhere": 0.05,
}
"""How often a supplier does what: of its orders the first four, of its mornings the others."""


class Suppliers(Wms):
    """Several suppliers, each with shelves, manners and a list of its own."""

    def _works(self) -> dict[str, Callable[[Document, datetime], None]]:
        return {**super()._works(), "feeds": self._tell_list}

    # --- purchase orders

    def _script(self) -> Document:
        """How this order will go: the shares are of all orders, and exclude each other."""
        draw, said = self.dice.random(), ""
        manners = self._manners()
        for name in ("silent", "decline", "part", "later"):
            if draw < manners[name]:
                said = name
                break
            draw -= manners[name]
        return {"says": said, "days": self.dice.randint(*LATER_DAYS)}

    def _step(self, order: Document, at: datetime) -> None:
        if not any(open_units(line) for line in order["lines"]):
            order["stage"], order["due"] = "ended", None
            self._changed(order)
        elif order["stage"] == "new" and order["script"]["says"] == "silent":
            order["due"] = None
            self.log.append("silent", node=order["node"], order=order["order"])
        elif order["stage"] == "new" and "read_at" not in order:
            order["read_at"] = at.isoformat()
            order["due"] = self._after(at, *ANSWERS_WITHIN)
        elif order["stage"] == "new":
            self._answer_order(order, at)
        elif order["stage"] == "taken":
            self._send_off(order, at)

    def _answer_order(self, order: Document, at: datetime) -> None:
        """Accept what is there, or half of it, with a day; or decline."""
        says, shelves = order["script"]["says"], self._shelves(order["node"])
        for line in order["lines"]:
            shelf = shelves.setdefault(line["sku"], {"shelf": 0, "aside": 0, "trouble": ""})
            wanted = open_units(line)
            taken = min(wanted, shelf["shelf"])
            if says == "part":
                taken = min(taken, wanted // 2)
            if says == "decline":
                taken = 0
            shelf["shelf"] -= taken
            shelf["aside"] += taken
            line["acknowledged"] = line["picked"] = taken
            line["short"] = wanted - taken
        if not any(line["picked"] for line in order["lines"]):
            self._decline(order, at)
            return
        ships = self._pickup(order["node"], at)
        if says == "later" and order["ship_by"]:
            later = datetime.fromisoformat(order["ship_by"]) + timedelta(
                days=order["script"]["days"]
            )
            ships = later.astimezone(UTC).isoformat()
        order.update(acknowledged=True, expected_at=ships, stage="taken", due=ships)
        self.log.append(
            "accepted", node=order["node"], order=order["order"], says=says, expected_at=ships
        )
        taken_on = [
            {"line": line["line"], "quantity": line["picked"]}
            for line in order["lines"]
            if line["picked"]
        ]
        self._tell(
            order,
            "order.acknowledged",
            at,
            reference=order["reference"],
            lines=taken_on,
            expected_at=ships,
        )
        missing = [
            {"line": line["line"], "quantity": line["short"], "reason": "missing"}
            for line in order["lines"]
            if line["short"]
        ]
        if missing:
            self._tell(order, "order.short", at, lines=missing)

    def _has_begun(self, order: Document) -> bool:
        """What is set aside can still be sent anywhere, until it is sent."""
        return order["stage"] not in {"new", "taken"}

    def _decline(self, order: Document, at: datetime) -> None:
        for line in order["lines"]:
            line["rejected"], line["short"] = line["short"], 0
        order.update(stage="ended", due=None, reject_reason="cannot_ship")
        self.log.append("declined", node=order["node"], order=order["order"])
        self._tell(order, "order.rejected", at, reason="cannot_ship", lines=[])

    def _send_off(self, order: Document, at: datetime) -> None:
        """One parcel with all that was accepted and not cancelled since. Its packing is not told."""
        contents = [
            {"line": line["line"], "quantity": line["picked"]}
            for line in order["lines"]
            if line["picked"]
        ]
        shelves = self._shelves(order["node"])
        for line in order["lines"]:
            shelves[line["sku"]]["aside"] -= line["picked"]
            line["packed"] = line["picked"]
        number = self.store.next_number("parcels", 1)
        parcel: Document = {
            "id": f"PO-{number}",
            "lines": contents,
            "weight_grams": 200 + 150 * sum(part["quantity"] for part in contents),
            "carrier": order["carrier"],
            "tracking_number": f"D{self.seed:03}{number:06}",
            "shipped_at": at.isoformat(),
        }
        order["parcels"].append(parcel)
        order["stage"], order["due"] = "ended", None
        self.log.append(
            "shipped",
            node=order["node"],
            order=order["order"],
            tracking_number=parcel["tracking_number"],
            to_zip=order["to_zip"],
            service=order["service"],
            at=at.isoformat(),
        )
        self._tell(order, "order.shipped", at, parcel=parcel)

    # --- the morning's list

    def _tell_list(self, feed: Document, at: datetime) -> None:
        """What there is to sell; now and then yesterday's list again, or a part of today's."""
        node, manners = feed["node"], self._manners()
        feed["due"] = (at + timedelta(days=1)).isoformat()
        shelves = self._shelves(node)
        for sku in sorted(shelves):
            if shelves[sku]["shelf"] > 0 and self.dice.random() < manners["sold_elsewhere"]:
                units = self.dice.randint(1, min(3, shelves[sku]["shelf"]))
                shelves[sku]["shelf"] -= units
                self.log.append("sold_elsewhere", node=node, sku=sku, units=units)
        rows = self._rows(shelves, sorted(shelves))
        shown, as_of, became = rows, at.isoformat(), "whole"
        draw = self.dice.random()
        if draw < manners["stale"] and feed.get("rows"):
            shown, as_of, became = feed["rows"], feed["as_of"], "stale"
        elif draw < manners["stale"] + manners["partial"]:
            shown = [row for row in rows if self.dice.random() < 0.7]  # most of it
            became = "partial"
        else:
            feed["rows"], feed["as_of"] = rows, as_of
        self.log.append("list", node=node, became=became, rows=len(shown), as_of=as_of)
        if shown:
            self._send(node, [self._event("stock.snapshot", at, as_of=as_of, rows=shown)])

    # --- what the set-up and tests may do

    def control(self, request: Request, words: list[str]) -> Reply | None:
        if (request.method, words) == ("PUT", ["manners"]):
            unknown = set(request.json) - set(MANNERS)
            if unknown:
                return 422, {"error": f"No supplier does this: {', '.join(sorted(unknown))}."}
            with self.store.lock:
                self.store["manners"].update(
                    {name: float(share) for name, share in request.json.items()}
                )
                self.store.touch()
            return 200, self._manners()
        return super().control(request, words)

    def _manners(self) -> dict[str, float]:
        return {**MANNERS, **self.store["manners"]}

    def _set_up(self, body: Document) -> Document:
        made = super()._set_up(body)
        said = str(body.get("feed_at") or FEED_AT)
        now = self.clock.now().astimezone(UTC)
        due = now.replace(hour=int(said[:2]), minute=int(said[3:5]), second=0, microsecond=0)
        due += timedelta(days=due <= now)
        self.store["feeds"].setdefault(made["node"], {"node": made["node"]})["due"] = (
            due.isoformat()
        )
        return made


def build(port: int = PORT, folder: Path | None = None, seed: int = 7) -> Suppliers:
    return Suppliers(NAME, port, seed, folder=folder)
