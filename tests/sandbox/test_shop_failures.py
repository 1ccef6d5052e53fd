"""The failure panel spoils every seller alike: what they are asked, and what they tell."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations.sandbox import credentials
from integrations.sandbox.box import Request
from integrations.sandbox.marketplace import Marketplace
from integrations.sandbox.shop_shopify import ShopifyShop
from integrations.sandbox.shop_woocommerce import WooShop
from integrations.sandbox.shops import Shop
from tests.sandbox.shop_calls import SHOPIFY, WOO, Receiver, a_shop, an_order, ask

Genuine = Callable[[Request], bool]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with (made := Receiver()).running():
        made.reply = (200, {"id": "1", "number": "1", "state": "accepted"})
        yield made


def signed(name: str) -> Genuine:
    return lambda came: came.headers[name] == credentials.sign("s", came.raw)


@pytest.mark.parametrize(
    ("kind", "setup", "genuine"),
    [
        (ShopifyShop, {"secret": "s"}, signed("x-shopify-hmac-sha256")),
        (WooShop, {"secret": "s"}, signed("x-wc-webhook-signature")),
        (Marketplace, {"key": "k"}, lambda came: came.headers["authorization"] == "Bearer k"),
    ],
)
def test_tells_twice_late_out_of_order_never_stale_and_forged(kind, setup, genuine, receiver):
    shop: Shop = a_shop(kind, stock=500)
    receiver.genuine = genuine
    where = "base_url" if kind is Marketplace else "webhook_url"

    def orders_told(many: int, *failures: dict[str, Any]) -> list[tuple[str, bool]]:
        """What came of this many orders under these failures: whose, and whether it was genuine."""
        receiver.came.clear()
        ask(shop, "PUT", "/_sandbox/failures", {"failures": [*failures]})
        for _ in range(many):
            an_order(shop, {"SKU-0": 1})
        assert shop.hooks.drain(8)
        return [(order_in(came), genuine(came)) for came in receiver.came]

    with shop.running():
        ask(shop, "PUT", "/_sandbox/shop", {**setup, where: f"{receiver.url}/v1"})
        [(first, _)] = orders_told(1)
        twice = orders_told(2, {"kind": "duplicate"})
        forged = orders_told(1, {"kind": "wrong_signature"})
        stale = orders_told(1, {"kind": "stale"})
        mixed = orders_told(6, {"kind": "reorder", "seconds": 0.4})
        late = orders_told(1, {"kind": "slow", "seconds": 0.1})
        dropped = orders_told(2, {"kind": "drop"})

    assert sorted(twice) == sorted([*set(twice)] * 2)
    assert len(set(twice)) == 2
    assert [truth for _, truth in forged] == [False, True]
    assert [whose for whose, _ in stale][1:] == [first]
    assert mixed != sorted(mixed)
    assert (len(mixed), len(late), dropped) == (6, 1, [])


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (ShopifyShop, f"{SHOPIFY}/orders.json"),
        (WooShop, f"{WOO}/orders"),
        (Marketplace, "/webhooks"),
    ],
)
def test_answers_too_many_too_late_wrongly_or_not_at_all(kind, path):
    shop = a_shop(kind)
    method = "POST" if kind is Marketplace else "GET"
    usual = 401 if kind is Marketplace else 200

    def answer(**failure: Any) -> Any:
        ask(shop, "PUT", "/_sandbox/failures", {"failures": [failure] if failure else []})
        return shop.answer(Request(method, path, {}, {}, {}, b""))

    limited = answer(kind="rate_limit", seconds=9)
    assert (limited[0], limited[2]["Retry-After"]) == (429, "9")
    assert answer(kind="server_error")[0] == 500
    assert answer(kind="silence") is None
    assert answer(kind="slow", seconds=0.01)[0] == usual
    assert answer()[0] == usual


def order_in(came: Request) -> str:
    """Which order a message is about."""
    body = came.json
    return str(body.get("external_id") or body["id"])
