"""A warehouse system for several buildings, speaking the warehouse protocol (docs/warehouse-protocol.md).

One base path per node: `/{node}/orders`, `/{node}/stock`, `/{node}/counts`. What lies on its shelves
differs from what we believe: about one SKU in fifty has shrunk, lies elsewhere or is picked wrongly.
It takes orders on whole, in parts, twice, or as more than was asked; falls short where the shelf is
empty; rejects now and then; ships at its pickup times; answers questions, or stays silent.

    PUT  /_sandbox/shelves   {"node", "webhook_url", "secret", "token", "pickups": ["16:00"],
                              "shelves": {sku: units}, "off_share": 0.02,
                              "lots": {sku: [{"lot", "units", "expires_on"?, "serials"?}]},
                              "stocktakes": false}: counts are answered by lists
    POST /_sandbox/move      {"node", "sku", "quantity", "reason", "lot"?, "expires_on"?}: units come or
                              go, and are told
    POST /_sandbox/snapshot  {"node"}: tells its whole stock
    POST /_sandbox/stocktake {"node", "skus"}: counts these, and tells what it found
"""

from pathlib import Path
from typing import Final
from urllib.parse import unquote

from integrations.sandbox import credentials, wms_lots
from integrations.sandbox.box import Refusal, Reply, Request, route
from integrations.sandbox.wms_floor import ANSWER_MINUTES, NAME, STEPS, Document, Floor, key_of

PORT: Final = 8904
PICKUPS: Final = ("16:00",)
OFF_SHARE: Final = 0.02
PAGE: Final = 100


class Wms(Floor):
    """The buildings as their customers know them: the API."""

    # --- what callers may ask

    @route("POST", "/{node}/orders", idempotent=True)
    def take_order(self, request: Request) -> Reply:
        node = self._node(request)
        body = request.json
        number, lines = str(body.get("order", "")), body.get("lines")
        if body.get("version") != 1 or not number or not lines:
            raise Refusal(422, {"code": "unreadable", "error": "No order of version 1."})
        key = key_of(node["node"], number)
        known = self.store["orders"].get(key)
        if known is not None:
            return 200, _shown(known)
        order: Document = {
            "order": number,
            "node": node["node"],
            "method": str(body.get("method") or "ship"),
            "ship_by": body.get("ship_by"),
            "carrier": str(body.get("carrier", "")),
            "service": str(body.get("service", "")),
            "to_zip": str((body.get("ship_to") or {}).get("postal_code", "")),
            "reference": f"W{self.store.next_number('references', 10001)}",
            "acknowledged": False,
            "reject_reason": "",
            "lines": [_line(line) for line in lines],
            "parcels": [],
            "answers": [],
            "stage": "new",
            "revision": 0,
            "script": self._script(),
            "due": self._in(*STEPS["ack"]),
        }
        self.store["orders"][key] = order
        self._changed(order)
        self.log.append("order", node=node["node"], order=number)
        return 201, _shown(order)

    @route("GET", "/{node}/orders/{order}")
    def show_order(self, request: Request) -> Reply:
        return 200, _shown(self._order(request))

    @route("GET", "/{node}/orders")
    def changed_orders(self, request: Request) -> Reply:
        """Orders by when they last changed, oldest first; the cursor is the last change shown."""
        node = self._node(request)["node"]
        limit = min(int(request.query.get("limit", PAGE)), PAGE)
        after = int(request.query.get("cursor") or 0)
        if after > int(self.store["_sequences"].get("changes", 0)):
            raise Refusal(410, {"code": "unknown-cursor", "error": "Read from the beginning."})
        changed = sorted(
            (
                order
                for order in self.store["orders"].values()
                if order["node"] == node and order["changed"] > after
            ),
            key=lambda order: int(order["changed"]),
        )
        shown = changed[:limit]
        cursor = shown[-1]["changed"] if shown else after
        return 200, {
            "orders": [_shown(order) for order in shown],
            "cursor": str(cursor),
            "more": len(changed) > len(shown),
        }

    @route("POST", "/{node}/orders/{order}/requests", idempotent=True)
    def take_request(self, request: Request) -> Reply:
        order, body = self._order(request), request.json
        key = str(body.get("request", ""))
        if key in self.store["requests"]:
            return 202, {"request": key}
        silent = self.dice.random() < 0.05
        self.store["requests"][key] = {
            "request": key,
            "node": order["node"],
            "order": order["order"],
            "kind": str(body.get("kind", "cancel")),
            "line": int(body.get("line") or 0),
            "quantity": int(body.get("quantity", 0)),
            "to_zip": str((body.get("ship_to") or {}).get("postal_code", "")),
            "service": str(body.get("service", "")),
            "due": None if silent else self._in(*ANSWER_MINUTES),
        }
        self.log.append(
            "request",
            node=order["node"],
            order=order["order"],
            request=key,
            asked=self.store["requests"][key]["kind"],
            silent=silent,
        )
        return 202, {"request": key}

    @route("POST", "/{node}/counts", idempotent=True)
    def take_count(self, request: Request) -> Reply:
        node, body = self._node(request)["node"], request.json
        key = str(body.get("count", ""))
        self.store["counts"].setdefault(
            key,
            {
                "count": key,
                "node": node,
                "sku": str(body.get("sku", "")),
                "due": self._in(*ANSWER_MINUTES),
            },
        )
        return 202, {"count": key}

    @route("GET", "/{node}/stock")
    def show_stock(self, request: Request) -> Reply:
        node = self._node(request)
        limit = int(request.query.get("limit", 1_000))
        after = request.query.get("after", "")
        shelves = self._shelves(node["node"])
        skus = sorted(sku for sku in shelves if sku > after)
        shown = skus[:limit]
        return 200, {
            "as_of": self.clock.now().isoformat(),
            "rows": self._rows(shelves, shown),
            "next": shown[-1] if len(skus) > len(shown) else None,
        }

    # --- what the set-up and tests may do

    def control(self, request: Request, words: list[str]) -> Reply | None:
        body = request.json if request.method in {"POST", "PUT"} else {}
        match request.method, words:
            case "PUT", ["shelves"]:
                return 200, self._set_up(body)
            case "POST", ["move"]:
                with self.store.lock:
                    self._move(body)
                return 200, {}
            case "POST", ["stocktake"]:
                with self.store.lock:
                    skus = [str(sku) for sku in body["skus"]]
                    self._take_stock(str(body["node"]), skus, self.clock.now())
                return 200, {}
            case "POST", ["snapshot"]:
                with self.store.lock:
                    self._tell_stock(str(body["node"]), self.clock.now())
                return 200, {}
        return None

    def _set_up(self, body: Document) -> Document:
        """Take a building on: where to tell, how to sign, and what lies there, nearly."""
        node = str(body["node"])
        with self.store.lock:
            self.store["nodes"][node] = {
                "node": node,
                "webhook_url": str(body.get("webhook_url", "")),
                "secret": str(body.get("secret", "")),
                "token": str(body.get("token", "")),
                "pickups": list(body.get("pickups") or PICKUPS),
                "stocktakes": bool(body.get("stocktakes")),
            }
            shelves = self._shelves(node)
            share = float(body.get("off_share", OFF_SHARE))
            off: list[str] = []
            for sku, units in sorted(body.get("shelves", {}).items()):
                shelf: Document = {"shelf": int(units), "aside": 0, "trouble": ""}
                if share and self.dice.random() < share:
                    shelf["trouble"] = self.dice.choice(("shrunk", "misplaced", "mispicked"))
                    off.append(sku)
                if shelf["trouble"] == "shrunk":
                    shelf["shelf"] = max(0, shelf["shelf"] - self.dice.randint(1, 3))
                elif shelf["trouble"] == "misplaced":
                    shelf["shelf"] = 0
                if sku in body.get("lots", {}):
                    shelf["lots"] = wms_lots.seeded(body["lots"][sku])
                shelves[sku] = shelf
            self.store.touch()
        return {"node": node, "skus": len(shelves), "off": off}

    # --- finding

    def _node(self, request: Request) -> Document:
        """The building of the path, for a caller that shows its token."""
        node = self.store["nodes"].get(unquote(request.params["node"]))
        if node is None:
            raise Refusal(404, {"code": "unknown-node", "error": "There is no such node."})
        if node["token"] and not credentials.bearer(node["token"])(request):
            raise Refusal(401, {"code": "unauthorized", "error": "The token is wrong."})
        found: Document = node
        return found

    def _order(self, request: Request) -> Document:
        node = self._node(request)["node"]
        order = self.store["orders"].get(key_of(node, unquote(request.params["order"])))
        if order is None:
            raise Refusal(404, {"code": "unknown-order", "error": "There is no such order."})
        found: Document = order
        return found


def _line(told: Document) -> Document:
    counts = dict.fromkeys(
        ("acknowledged", "picked", "packed", "short", "rejected", "cancelled"), 0
    )
    return {
        "line": int(told["line"]),
        "sku": str(told["sku"]),
        "quantity": int(told["quantity"]),
        **counts,
    }


def _shown(order: Document) -> Document:
    """An order as callers see it: what happened, never what will."""
    hidden = {
        "script",
        "due",
        "stage",
        "changed",
        "carrier",
        "service",
        "to_zip",
        "method",
        "ship_by",
    }
    shown = {name: value for name, value in order.items() if name not in hidden}
    lines = [{k: v for k, v in line.items() if k != "taken"} for line in order["lines"]]
    return {**shown, "lines": lines}


def build(port: int = PORT, folder: Path | None = None, seed: int = 7) -> Wms:
    return Wms(NAME, port, seed, folder=folder)
