"""Real documents of shops: those the adapters claim are read, and every field that is read is written down."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from integrations.channels.shopify import seen as shopify
from integrations.channels.shopify.parcels import _portions
from integrations.channels.woocommerce import seen as woocommerce
from integrations.sandbox.shop_shopify import ShopifyShop
from integrations.sandbox.shop_woocommerce import WooShop
from tests.integrations.documents import CHANNEL, RECEIVED
from tests.integrations.samples import SAMPLES, SHOPIFY, WOOCOMMERCE
from tests.sandbox.shop_calls import a_shop, an_order, ask

DOCS = Path(__file__).parents[3] / "docs" / "channels.md"


class Watched(dict[str, Any]):
    """A document that knows which of its fields were looked at."""

    def __init__(self, document: dict[str, Any], asked: set[str]) -> None:
        super().__init__(document)
        self._asked = asked

    def get(self, key: str, default: Any = None) -> Any:
        self._asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self._asked.add(key)
        return super().__getitem__(key)


def lived(kind: type) -> dict[str, Any]:
    """A document of the simulated shop, whose buyer has changed his mind."""
    shop = a_shop(kind)
    placed = an_order(shop, {"SKU-0": 3, "SKU-1": 2})
    for deed in ("cut", "refund"):
        ask(shop, "POST", f"/_sandbox/orders/{placed['id']}/{deed}", {})
    shown: dict[str, Any] = json.loads(
        json.dumps(shop.shown(shop.store["orders"][str(placed["id"])]))
    )
    return shown


def fields_in_docs(heading: str) -> set[str]:
    """The names in the first column of the table of docs/channels.md under this heading."""
    table = DOCS.read_text().split(f"| {heading} | Becomes |")[1].split("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()[2:] if line.startswith("|")]
    return {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}


@pytest.mark.parametrize(
    ("adapter", "kind", "samples", "heading", "first"),
    [
        (shopify, ShopifyShop, SHOPIFY, "Shopify field", ["processed_at"]),
        (
            woocommerce,
            WooShop,
            WOOCOMMERCE,
            "WooCommerce field",
            ["date_created_gmt", "date_modified_gmt", "date_paid_gmt"],
        ),
    ],
    ids=["shopify", "woocommerce"],
)
def test_the_fields_that_are_read_are_those_that_the_document_names(
    adapter, kind, samples, heading, first
):
    asked: set[str] = set()
    one = lived(kind)
    bare = {name: value for name, value in one.items() if name not in first}
    ended = {**one, "email": "", "cancelled_at": RECEIVED.isoformat()}
    for document in [one, bare, ended, *(document for _, document in samples)]:
        watched = Watched(document, asked)
        adapter.shop_order(watched, CHANNEL, received_at=RECEIVED)
        adapter.message_id(watched)

    assert asked == fields_in_docs(heading)


def found(pattern: str) -> list[tuple[str, Any]]:
    paths = sorted((SAMPLES / "channels" / "shopify").glob(pattern))
    if not paths:
        pytest.skip("the samples of Shopify are not on this machine")
    return [(path.name, json.loads(path.read_text())) for path in paths]


def listed(document: dict[str, Any], name: str) -> list[Any]:
    one = document.get(name)
    return [one] if isinstance(one, dict) else document.get(f"{name}s", [])


def test_orders_of_every_sample_are_read():
    orders = [*SHOPIFY]
    if not orders:
        pytest.skip("the samples of Shopify are not on this machine")
    for _, document in orders:
        order = shopify.shop_order(document, CHANNEL, received_at=RECEIVED)
        assert order.draft is not None or order.cancelled
        assert {line.id for line in order.lines} <= {
            str(row["id"]) for row in document["line_items"]
        }


def test_fulfillments_refunds_and_fulfillment_orders_of_every_sample_are_read():
    fulfillments = [
        shopify.fulfillment(row)
        for _, document in found("fulfillment__*.json")
        for row in listed(document, "fulfillment")
    ]
    refunds = [
        shopify.refund(row, "USD", {}, cancelled=False)
        for _, document in found("refund__*refunds_json*.json")
        for row in listed(document, "refund")
    ]
    assert all(one.id and one.units for one in fulfillments)
    assert any(one.gone for one in fulfillments)
    assert all(one.id for one in refunds)
    assert max(one.amount_minor for one in refunds) > 0
    for _, document in found("fulfillment_order__get__orders*.json"):
        orders = listed(document, "fulfillment_order")
        wanted = {str(line["line_item_id"]): 1 for one in orders for line in one["line_items"]}
        portions, left = _portions(wanted, orders)
        closed = all(one["status"] == "closed" for one in orders)
        assert closed or (portions and not left)
