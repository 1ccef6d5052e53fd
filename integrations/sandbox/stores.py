"""Stores: small warehouses that open and close, with tills that sell from the same shelves.

They speak the warehouse protocol (docs/warehouse-protocol.md), one base path per store, as the `wms`
simulator does. Shelves differ from our book in about one SKU in fifty. Staff works while the store is
open: takes orders on, picks, falls short where the till has sold the last one, packs for the carrier
or sets aside for the buyer, who comes, sends somebody, or never comes. Each evening the store tells its
whole stock as of closing time.

    PUT  /_sandbox/shelves   as of `wms`, and {"opens": "09:00", "closes": "20:00", "timezone"}
    PUT  /_sandbox/till      {"node", "per_hour": 6, "api_url", "api_key", "prices": {sku: minor units},
                              "currency", "tax_percent"}: without `api_url` it tells stock changes
    POST /_sandbox/sell      {"node", "lines": {sku: units}}: a customer, now
    POST /_sandbox/move, /_sandbox/snapshot   as of `wms`
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from integrations.sandbox.box import Reply, Request
from integrations.sandbox.stores_till import Tills
from integrations.sandbox.wms_floor import Document

NAME: Final = "stores"
PORT: Final = 8905
OPENS: Final = "09:00"
CLOSES: Final = "20:00"
COMES_WITHIN: Final = (60, 72 * 60)
"""Minutes until the buyer of a pickup comes, at least and at most."""
KEPT_DAYS: Final = 8
"""So long units lie aside for a buyer who does not come."""
STAYS_AWAY: Final = 0.05
SENDS_SOMEBODY: Final = 0.1


class Stores(Tills):
    """Several stores of one company."""

    # --- a day

    def _step(self, order: Document, at: datetime) -> None:
        """Staff works while the store is open; what comes in the night waits for the morning."""
        opening = self._opening(order["node"], at)
        if opening > at and order["stage"] != "packed":  # the driver has an appointment
            order["due"] = self._after(opening, 2, 20)
        elif order["method"] == "pickup" and order["stage"] in {"picked", "ready"}:
            self._serve(order, at)
        else:
            super()._step(order, at)

    def _serve(self, order: Document, at: datetime) -> None:
        """What was picked of a pickup: set aside, then handed to its buyer or put back."""
        if order["stage"] == "picked":
            self._set_aside(order, at)
        elif order["script"]["comes"]:
            self._hand_out(order, at)
        else:
            self._put_back(order, at)

    def _script(self) -> Document:
        return {
            **super()._script(),
            "comes": self.dice.random() >= STAYS_AWAY,
            "sends": self.dice.random() < SENDS_SOMEBODY,
        }

    def _set_aside(self, order: Document, at: datetime) -> None:
        if not any(line["picked"] for line in order["lines"]):
            order["stage"], order["due"] = "ended", None
            self._changed(order)
            return
        order["ready_at"], order["stage"] = at.isoformat(), "ready"
        for line in order["lines"]:
            line["packed"] = line["picked"]
        if order["script"]["comes"]:
            order["due"] = self._after(at, *COMES_WITHIN)
        else:
            order["due"] = (at + timedelta(days=KEPT_DAYS)).isoformat()
        self._tell(order, "order.ready", at)

    def _hand_out(self, order: Document, at: datetime) -> None:
        order["collected_at"], order["stage"], order["due"] = at.isoformat(), "ended", None
        order["collected_by"] = "proxy" if order["script"]["sends"] else "buyer"
        for line in order["lines"]:
            self._shelves(order["node"])[line["sku"]]["aside"] -= line["picked"]
        self.log.append("collected", node=order["node"], order=order["order"], at=at.isoformat())
        self._tell(order, "order.collected", at, collected_by=order["collected_by"])

    def _put_back(self, order: Document, at: datetime) -> None:
        order["put_back_at"], order["stage"], order["due"] = at.isoformat(), "ended", None
        for line in order["lines"]:
            shelf = self._shelves(order["node"])[line["sku"]]
            shelf["aside"] -= line["picked"]
            shelf["shelf"] += line["picked"]
        self.log.append("put_back", node=order["node"], order=order["order"], at=at.isoformat())
        self._tell(order, "order.put_back", at)

    def _close_day(self, day: Document, at: datetime) -> None:
        """The evening's stock, as of closing time."""
        self._tell_stock(day["node"], at)
        day["due"] = self._closing(day["node"], at).isoformat()

    # --- hours

    def _opening(self, node: str, at: datetime) -> datetime:
        """`at` while the store is open, else when it opens next."""
        local, opens, closes = self._hours(node, at)
        if local < opens:
            return opens.astimezone(UTC)
        return at if local < closes else (opens + timedelta(days=1)).astimezone(UTC)

    def _closing(self, node: str, at: datetime) -> datetime:
        """When the store closes next."""
        local, _, closes = self._hours(node, at)
        return (closes if local < closes else closes + timedelta(days=1)).astimezone(UTC)

    def _hours(self, node: str, at: datetime) -> tuple[datetime, datetime, datetime]:
        """Now, opening and closing of the day, in the store's own time."""
        known = self.store["nodes"][node]
        local = at.astimezone(ZoneInfo(known["timezone"]))
        opens, closes = (
            local.replace(hour=int(said[:2]), minute=int(said[3:5]), second=0, microsecond=0)
            for said in (known["opens"], known["closes"])
        )
        return local, opens, closes

    # --- what the set-up and tests may do

    def control(self, request: Request, words: list[str]) -> Reply | None:
        body = request.json if request.method in {"POST", "PUT"} else {}
        known = str(body.get("node", "")) in self.store["nodes"]
        match request.method, words:
            case "PUT", ["till"] if known:
                with self.store.lock:
                    return 200, self._set_up_till(body)
            case "POST", ["sell"] if known:
                with self.store.lock:
                    return 200, self._sell(str(body["node"]), body["lines"], self.clock.now())
            case ("PUT", ["till"]) | ("POST", ["sell"]):
                return 422, {"error": "There is no such store."}
        return super().control(request, words)

    def _set_up(self, body: Document) -> Document:
        made = super()._set_up(body)
        node = self.store["nodes"][made["node"]]
        node["opens"] = str(body.get("opens") or OPENS)
        node["closes"] = str(body.get("closes") or CLOSES)
        node["timezone"] = str(body.get("timezone") or "UTC")
        closing = self._closing(made["node"], self.clock.now()).isoformat()
        self.store["days"][made["node"]] = {"node": made["node"], "due": closing}
        return made


def build(port: int = PORT, folder: Path | None = None, seed: int = 7) -> Stores:
    return Stores(NAME, port, seed, folder=folder)
