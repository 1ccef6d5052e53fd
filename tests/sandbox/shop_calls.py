"""Asking a simulated shop without a network between: what it would answer, and what it is told of."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from integrations.sandbox.box import Reply, Request, Simulator, route
from integrations.sandbox.clock import SandboxClock
from integrations.sandbox.shops import Shop

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHOPIFY, WOO = "/admin/api/2025-07", "/wp-json/wc/v3"


class Receiver(Simulator):
    """Takes webhooks in, or calls of an API, and remembers each."""

    def __init__(self) -> None:
        super().__init__("receiver")
        self.came: list[Request] = []
        self.reply: Reply = (200, {})
        self.genuine: Callable[[Request], bool] = lambda _: True

    @route("POST", "/{a}")
    @route("POST", "/{a}/{b}")
    @route("POST", "/{a}/{b}/{c}/{d}")
    @route("GET", "/{a}/{b}/{c}")
    def take(self, request: Request) -> Reply:
        self.came.append(request)
        return self.reply if self.genuine(request) else (401, {})


def a_shop(kind: type[Shop], *, stock: int = 50, skus: int = 4, **words: Any) -> Shop:
    """A shop at noon whose time stands still, with a catalog."""
    shop = kind(kind.__name__.lower(), clock=SandboxClock(NOON, speed=0), **words)
    items = [
        {"sku": f"SKU-{n}", "title": f"Thing {n}", "price": "19.99", "weight": 250, "stock": stock}
        for n in range(skus)
    ]
    ask(shop, "POST", "/_sandbox/catalog", items)
    return shop


def an_order(shop: Shop, lines: dict[str, int], **words: Any) -> dict[str, Any]:
    """An order that is placed now; answers it as the face writes it."""
    wanted = [{"sku": sku, "quantity": units} for sku, units in lines.items()]
    buyer = {"address": {"city": "Brooklyn", "region": "NY", "zip": "11201"}}
    said = {"lines": wanted, "buyer": buyer, "shipping": "standard", **words}
    order: dict[str, Any] = ask(shop, "POST", "/_sandbox/orders", said)[1]["order"]
    return order


def ask(
    simulator: Simulator, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any, dict[str, str]]:
    """Status, body and headers of an answer."""
    raw = b"" if body is None else json.dumps(body).encode()
    parts, _, text = path.partition("?")
    query = dict(part.split("=", 1) for part in text.split("&")) if text else {}
    reply = simulator.answer(Request(method, parts, {}, query, headers, raw))
    assert reply is not None
    shown = json.loads(json.dumps(reply[1]))
    return reply[0], shown, dict(reply[2]) if len(reply) > 2 else {}
