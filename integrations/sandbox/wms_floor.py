"""The floor of the simulated warehouse: shelves, and orders that go their way step by step."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Any, Final

from integrations.sandbox import credentials, wms_lots
from integrations.sandbox.box import Simulator

NAME: Final = "wms"
STEPS: Final = {"ack": (1, 12), "pick": (10, 60), "pack": (5, 30)}
"""Minutes that each step takes, at least and at most."""
ANSWER_MINUTES: Final = (2, 40)

Document = dict[str, Any]


class Floor(Simulator):
    """What happens inside the buildings, and what is told of it."""

    def sign(self, topic: str, body: bytes, message_id: str) -> dict[str, str]:
        del topic, message_id
        node = self.store["nodes"].get(json.loads(body)["node"], {})
        secret = node.get("secret", "")
        return {"X-Wms-Signature": f"sha256={credentials.sign(secret, body, 'hex')}"}

    # --- working

    def tick(self, now: datetime) -> None:
        """Do what has become due by now, the earliest first: steps of orders, answers, counts."""
        works = self._works()
        queue = [
            (datetime.fromisoformat(one["due"]), kind, key)
            for kind in works
            for key, one in self.store[kind].items()
            if one["due"] and datetime.fromisoformat(one["due"]) <= now
        ]
        heapify(queue)
        while queue:
            at, kind, key = heappop(queue)
            one = self.store[kind][key]
            if kind != "orders":
                one["due"] = None
            works[kind](one, at)
            if one["due"] and datetime.fromisoformat(one["due"]) <= now:
                heappush(queue, (datetime.fromisoformat(one["due"]), kind, key))

    def _works(self) -> dict[str, Callable[[Document, datetime], None]]:
        """What has to be done when a document of a collection is due."""
        return {"orders": self._step, "requests": self._answer, "counts": self._count}

    def _script(self) -> Document:
        """How this order will go, drawn once."""
        draw = self.dice.random()
        acks = "parts" if draw < 0.08 else "twice" if draw < 0.16 else "over" if draw < 0.18 else ""
        return {
            "acks": acks,
            "rejects": self.dice.random() < 0.01,
            "in_steps": self.dice.random() < 0.15,
            "boxes": 2 if self.dice.random() < 0.1 else 1,
        }

    def _step(self, order: Document, at: datetime) -> None:
        """One step of an order at the time when it was due."""
        if not any(open_units(line) for line in order["lines"]) and order["stage"] != "packed":
            order["due"], order["stage"] = None, "ended"
            self._changed(order)
            return
        match order["stage"]:
            case "new" if order["script"]["rejects"]:
                self._reject(order, at)
            case "new":
                self._acknowledge(order, at)
            case "taken":
                self._pick(order, at)
            case "picked":
                self._pack(order, at)
            case "packed":
                self._ship(order, at)
            case _:
                order["due"] = None

    def _reject(self, order: Document, at: datetime) -> None:
        for line in order["lines"]:
            line["rejected"] = open_units(line)
        order.update(stage="ended", due=None, reject_reason="no_capacity")
        self._tell(order, "order.rejected", at, reason="no_capacity", lines=[])

    def _acknowledge(self, order: Document, at: datetime) -> None:
        how = order["script"]["acks"]
        told = {line["line"]: line["quantity"] for line in order["lines"]}
        if how == "over":
            told = {place: units + 1 for place, units in told.items()}
        if how == "parts" and not order["acknowledged"]:
            told = {place: (units + 1) // 2 for place, units in told.items()}
            order["due"] = self._after(at, *STEPS["ack"])
        else:
            order["stage"], order["due"] = "taken", self._after(at, *STEPS["pick"])
        order["script"]["acks"] = "over" if how == "over" else ""
        order["acknowledged"] = True
        for line in order["lines"]:
            line["acknowledged"] = told[line["line"]]
        facts = {"reference": order["reference"], "lines": _told(order, "acknowledged")}
        self._tell(order, "order.acknowledged", at, **facts)
        if how == "twice":
            self._tell(order, "order.acknowledged", at, **facts)

    def _pick(self, order: Document, at: datetime) -> None:
        """Take from the shelves what is there; a first half on its own now and then."""
        shelves = self._shelves(order["node"])
        half = order["script"]["in_steps"] and not any(line["picked"] for line in order["lines"])
        missing = []
        for line in order["lines"]:
            shelf = shelves.setdefault(line["sku"], {"shelf": 0, "aside": 0, "trouble": ""})
            wanted = open_units(line) - line["picked"]
            step = (wanted + 1) // 2 if half else wanted
            found = max(0, min(step, shelf["shelf"]))
            self._take(shelves, line["sku"], found)
            line["picked"] += found
            if taken := wms_lots.take(shelf, found):
                line["lots"] = [*line.get("lots", []), *({**one} for one in taken)]
                line["taken"] = [*line.get("taken", []), *taken]
            if found < step:
                line["short"] += step - found
                missing.append(line)
        self._tell(order, "order.picked", at, lines=_told(order, "picked"))
        if missing:
            short = [
                {"line": line["line"], "quantity": line["short"], "reason": "missing"}
                for line in missing
            ]
            self._tell(order, "order.short", at, lines=short)
        if all(line["picked"] >= open_units(line) for line in order["lines"]):
            order["stage"] = "picked"
        order["due"] = self._after(at, *STEPS["pack"])

    def _take(self, shelves: dict[str, Document], sku: str, units: int) -> None:
        """Units leave their shelf; of a mispicked SKU one comes from its neighbour's."""
        shelf = shelves[sku]
        taken = units
        if shelf["trouble"] == "mispicked" and units:
            other = next((key for key in sorted(shelves) if key > sku), "")
            if other and shelves[other]["shelf"] > 0:
                shelves[other]["shelf"] -= 1
                taken -= 1
                shelf["trouble"] = ""
                self.log.append("mispick", sku=sku, instead=other)
        shelf["shelf"] -= taken
        shelf["aside"] += units

    def _pack(self, order: Document, at: datetime) -> None:
        boxes = min(order["script"]["boxes"], sum(line["picked"] for line in order["lines"]))
        left = {line["line"]: line["picked"] - line["packed"] for line in order["lines"]}
        for number in range(boxes):
            contents = {}
            for place, units in left.items():
                part = units if number == boxes - 1 else units // 2
                contents[place] = part
                left[place] -= part
            if not any(contents.values()):
                continue
            parcel = {
                "id": f"BOX-{self.store.next_number('boxes', 50001)}",
                "weight_grams": 200 + 150 * sum(contents.values()),
                "lines": [
                    self._content(order, place, units) for place, units in contents.items() if units
                ],
                "carrier": order["carrier"],
                "tracking_number": "",
                "shipped_at": None,
            }
            for line in order["lines"]:
                line["packed"] += contents.get(line["line"], 0)
            order["parcels"].append(parcel)
            self._tell(order, "order.packed", at, parcel=_boxed(parcel))
        order["stage"], order["due"] = "packed", self._pickup(order["node"], at)

    def _content(self, order: Document, place: int, units: int) -> Document:
        """Units of a line in a box; of SKUs kept by lot or serial, those that were taken."""
        found: Document = {"line": place, "quantity": units}
        line = next(line for line in order["lines"] if line["line"] == place)
        taken = wms_lots.part_of(line.get("taken", []), units)
        return {**found, "lots": taken} if taken else found

    def _ship(self, order: Document, at: datetime) -> None:
        """The carrier comes for what stands packed."""
        shelves = self._shelves(order["node"])
        places = {line["line"]: line for line in order["lines"]}
        for parcel in order["parcels"]:
            if parcel["shipped_at"]:
                continue
            parcel["shipped_at"] = at.isoformat()
            parcel["tracking_number"] = f"W{parcel['id'].rpartition('-')[2]}{self.seed:03}"
            for part in parcel["lines"]:
                shelf = shelves[places[part["line"]]["sku"]]
                shelf["aside"] -= part["quantity"]
                wms_lots.leave(shelf, part.get("lots", ()))
            self.log.append(
                "shipped",
                node=order["node"],
                order=order["order"],
                tracking_number=parcel["tracking_number"],
                to_zip=order["to_zip"],
                service=order["service"],
                at=at.isoformat(),
            )
            self._tell(order, "order.shipped", at, parcel=_boxed(parcel))
        order["stage"], order["due"] = "ended", None
        self._changed(order)

    def _answer(self, asked: Document, at: datetime) -> None:
        """Agree to what can still be done; now and then to a part of it, or to nothing."""
        order = self.store["orders"][key_of(asked["node"], asked["order"])]
        if asked["kind"] == "change":
            granted = self._change(order, asked)
        else:
            granted = self._give_up(order, asked)
        answer = {"request": asked["request"], "granted": granted, "note": ""}
        order["answers"].append(answer)
        self.log.append("answer", node=order["node"], order=order["order"], **answer)
        self._changed(order)
        self._send(order["node"], [self._event("request.answered", at, **answer)])

    def _change(self, order: Document, asked: Document) -> int:
        """Another address or service, as long as nobody has begun to pick."""
        if self._has_begun(order) or self.dice.random() < 0.1:
            return 0
        order["to_zip"] = asked["to_zip"] or order["to_zip"]
        order["service"] = asked["service"] or order["service"]
        return int(asked["quantity"])

    def _has_begun(self, order: Document) -> bool:
        picked = any(line["picked"] for line in order["lines"])
        return picked or order["stage"] not in {"new", "taken"}

    def _give_up(self, order: Document, asked: Document) -> int:
        """Units that are cancelled, or that another building is to send: what is not packed."""
        line = next((one for one in order["lines"] if one["line"] == asked["line"]), None)
        free = 0
        if line is not None and order["stage"] in {"new", "taken", "picked"}:
            free = max(0, min(asked["quantity"], open_units(line) - line["packed"]))
        draw = self.dice.random()
        granted = int(free if draw < 0.8 else free // 2 if draw < 0.9 else 0)
        if line is not None and granted:
            line["cancelled"] += granted
            back = max(0, line["picked"] - (open_units(line)))
            shelf = self._shelves(order["node"])[line["sku"]] if back else None
            line["picked"] -= back
            if shelf is not None:
                shelf["aside"] -= back
                shelf["shelf"] += back
                wms_lots.leave(shelf, wms_lots.part_of(line.get("taken", []), back), back=True)
                line["lots"] = [{**one} for one in line.get("taken", [])]
        return granted

    def _count(self, asked: Document, at: datetime) -> None:
        """Answer a question by its id; where counts go by lists, walk the places of the SKU."""
        if self.store["nodes"].get(asked["node"], {}).get("stocktakes"):
            self._take_stock(asked["node"], [asked["sku"]], at)
            return
        shelf = self._shelves(asked["node"]).get(asked["sku"], {"shelf": 0, "aside": 0})
        facts = {"count": asked["count"], "sku": asked["sku"]}
        event = self._event(
            "stock.counted", at, **facts, quantity=max(0, shelf["shelf"] + shelf["aside"])
        )
        self._send(asked["node"], [event])

    def _take_stock(self, node: str, skus: Iterable[str], at: datetime) -> None:
        """Tell what was counted of these SKUs: on their shelves, lot by lot, and what stands aside."""
        rows: list[Document] = []
        for sku in skus:
            shelf = self._shelves(node).get(sku, {"shelf": 0, "aside": 0})
            if shelf.get("lots") or not shelf["aside"]:
                rows += [{**row, "location": "shelf"} for row in wms_lots.rows(sku, shelf)]
                continue
            for location in ("shelf", "aside"):
                units = max(0, shelf[location])
                rows.append({"sku": sku, "quantity": units, "location": location})
        event = self._event("stock.stocktake", at, counted_at=at.isoformat(), rows=rows)
        self._send(node, [event])
        self.log.append("stocktake", node=node, rows=len(rows))

    def _move(self, body: Document) -> None:
        node, sku, units = str(body["node"]), str(body["sku"]), int(body["quantity"])
        shelf = self._shelves(node).setdefault(sku, {"shelf": 0, "aside": 0, "trouble": ""})
        shelf["shelf"] += units
        wms_lots.receive(shelf, units, body)
        reason = str(body.get("reason", "adjust"))
        if not body.get("silently"):
            facts = {"sku": sku, "quantity": units, "reason": reason}
            facts |= {name: body[name] for name in ("lot", "expires_on") if body.get(name)}
            self._send(node, [self._event("stock.changed", self.clock.now(), **facts)])
        self.log.append("move", node=node, sku=sku, quantity=units)

    def _tell_stock(self, node: str, at: datetime) -> None:
        shelves = self._shelves(node)
        rows = self._rows(shelves, sorted(shelves))
        self._send(node, [self._event("stock.snapshot", at, as_of=at.isoformat(), rows=rows)])

    # --- telling

    def _tell(self, order: Document, kind: str, at: datetime, **facts: Any) -> None:
        self._changed(order)
        self._send(order["node"], [self._event(kind, at, order=order["order"], **facts)])

    def _event(self, kind: str, at: datetime, **facts: Any) -> Document:
        number = self.store.next_number("events", 1)
        return {"id": f"{self.name}-{number}", "type": kind, "at": at.isoformat(), **facts}

    def _send(self, node: str, events: list[Document]) -> None:
        for event in events:
            self.log.append("event", node=node, id=event["id"], type=event["type"])
        url = self.store["nodes"].get(node, {}).get("webhook_url", "")
        if not url:
            return
        key = self.new_id()
        body = {"version": 1, "id": key, "node": node, "events": events}
        self.hooks.send(url, events[0]["type"], body, message_id=key)

    def _changed(self, order: Document) -> None:
        order["revision"] += 1
        order["changed"] = self.store.next_number("changes", 1)
        order["updated_at"] = self.clock.now().isoformat()

    # --- finding

    def _shelves(self, node: str) -> dict[str, Document]:
        found: dict[str, Document] = self.store["shelves"].setdefault(node, {})
        return found

    def _rows(self, shelves: dict[str, Document], skus: Iterable[str]) -> list[Document]:
        return [row for sku in skus for row in wms_lots.rows(sku, shelves[sku])]

    def _in(self, least: int, most: int) -> str:
        return self._after(self.clock.now(), least, most)

    def _after(self, at: datetime, least: int, most: int) -> str:
        return (at + timedelta(minutes=self.dice.randint(least, most))).isoformat()

    def _pickup(self, node: str, at: datetime) -> str:
        """The next time a carrier comes, in UTC."""
        times = [
            at.astimezone(UTC).replace(
                hour=int(said[:2]), minute=int(said[3:5]), second=0, microsecond=0
            )
            + timedelta(days=days)
            for said in self.store["nodes"][node]["pickups"]
            for days in (0, 1)
        ]
        return min(when for when in times if when > at).isoformat()


def key_of(node: str, number: str) -> str:
    return f"{node}/{number}"


def open_units(line: Document) -> int:
    """Units that are still to be worked on, or have been."""
    return int(line["quantity"] - line["short"] - line["rejected"] - line["cancelled"])


def _told(order: Document, name: str) -> list[Document]:
    """Totals of the lines so far; what was picked says of which lots."""
    return [
        {"line": line["line"], "quantity": line[name]}
        | ({"lots": line["lots"]} if name == "picked" and line.get("lots") else {})
        for line in order["lines"]
        if line[name]
    ]


def _boxed(parcel: Document) -> Document:
    return {name: value for name, value in parcel.items() if value}
