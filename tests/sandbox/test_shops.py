"""Simulated shops: buyers alike for the same seed, figures that bound what is sold, two true faces."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from integrations.channels.shopify import translate as from_shopify
from integrations.channels.woocommerce import translate as from_woo
from integrations.sandbox import credentials
from integrations.sandbox.shop_shopify import ShopifyShop
from integrations.sandbox.shop_woocommerce import TRACKING, WooShop
from integrations.sandbox.shops import Shop
from tests.integrations.documents import CHANNEL, summed
from tests.sandbox.shop_calls import NOON, SHOPIFY, WOO, Receiver, a_shop, an_order, ask

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "channels"
recorded = pytest.mark.skipif(not RECORDED.exists(), reason="the recorded payloads are not here")
BUSY = {"per_hour": 40, "cancel_share": 0.2, "change_share": 0.3, "refund_share": 0.2}


def a_days_trade(kind: type[Shop], *, stock: int = 500, **words: Any) -> Shop:
    shop = a_shop(kind, stock=stock, **words)
    ask(shop, "POST", "/_sandbox/shopper", BUSY)
    shop.tick_now(NOON + timedelta(hours=6))
    assert shop.faults == []
    return shop


class TestBuyers:
    def test_come_by_poisson_and_alike_for_the_same_seed_however_often_it_ticks(self):
        whole, steps = a_days_trade(ShopifyShop), a_shop(ShopifyShop, stock=500)
        ask(steps, "POST", "/_sandbox/shopper", BUSY)
        for minute in range(0, 361, 15):
            steps.tick_now(NOON + timedelta(minutes=minute))

        assert steps.store["orders"] == whole.store["orders"]
        assert 190 < len(whole.store["orders"]) < 290
        other = a_days_trade(ShopifyShop, seed=8)
        assert [*other.store["orders"].values()] != [*whole.store["orders"].values()]

    def test_buy_no_more_than_the_shops_own_figure_says(self):
        shop = a_days_trade(WooShop, stock=12)
        sold: Counter[str] = Counter()
        for entry in shop.log.of("placed"):
            for line in entry["lines"]:
                assert 0 < line["quantity"] <= line["figure"]
                sold[line["sku"]] += line["quantity"]

        assert {figure["available"] >= 0 for figure in shop.store["stock"].values()} == {True}
        assert shop.log.counts["turned_away"] > 0
        assert max(sold.values()) >= 12

    def test_cancel_and_change_within_the_hour(self):
        shop = a_days_trade(ShopifyShop)
        placed = {entry["order"]: entry["at"] for entry in shop.log.of("placed")}
        deeds = [*shop.log.of("cancelled"), *shop.log.of("changed")]

        assert {entry.get("change", "cancel") for entry in deeds} == {
            "cancel",
            "cut",
            "address",
            "add",
        }
        assert all(
            datetime.fromisoformat(entry["at"]) - datetime.fromisoformat(placed[entry["order"]])
            <= timedelta(hours=1)
            for entry in deeds
        )

    def test_go_on_after_a_restart_as_if_there_had_been_none(self, tmp_path: Path):
        first = a_shop(ShopifyShop, stock=500, folder=tmp_path)
        ask(first, "POST", "/_sandbox/shopper", BUSY)
        first.tick_now(NOON + timedelta(hours=3))
        first.store.save()
        again = ShopifyShop("shopifyshop", folder=tmp_path)
        again.clock.set(NOON + timedelta(hours=3), speed=0)
        again.tick_now(NOON + timedelta(hours=6))

        def seen(shop: Shop) -> list[Any]:
            return [
                (one["id"], one["lines"], one["status"]) for one in shop.store["orders"].values()
            ]

        assert seen(again) == seen(a_days_trade(ShopifyShop))


@pytest.mark.parametrize(("kind", "translate"), [(ShopifyShop, from_shopify), (WooShop, from_woo)])
def test_orders_of_both_faces_read_as_sales_that_add_up(kind, translate):
    shop = a_days_trade(kind)

    for order in shop.store["orders"].values():
        draft = translate.order_draft(shop.shown(order), CHANNEL, received_at=NOON)
        assert draft.totals is not None
        if not any(line["added"] for line in order["lines"]):
            assert summed(draft) == draft.totals.total_minor
        assert not {"unknown-service", "no-currency"} & {one.code for one in draft.problems}


class TestShopifyFace:
    @recorded
    def test_writes_every_key_that_the_vendor_writes_with_the_same_kind_of_value(self):
        shop = a_shop(ShopifyShop)
        shown = an_order(shop, {"SKU-0": 2}, discount_percent=10)
        path = f"{SHOPIFY}/orders/{shown['id']}"
        theirs = json.loads((RECORDED / "shopify/order__get__orders_json__01.json").read_text())
        told = theirs["orders"][0]
        sent = a_fulfillment(shop, shown, {0: 1}, "1Z1")[1]["fulfillment"]
        refund = ask(shop, "POST", f"{path}/refunds.json", a_refund(shown, 1, "5.00"))[1]["refund"]
        suggested = ask(shop, "POST", f"{path}/refunds/calculate.json", a_refund(shown, 1, "1"))[1]
        [work] = ask(shop, "GET", f"{path}/fulfillment_orders.json")[1]["fulfillment_orders"]

        def recording(name: str, key: str) -> Any:
            return json.loads((RECORDED / "shopify" / name).read_text())[key]

        suggestion = "refund__post__orders_450789469_refunds_calculate_json__05.json"
        works = "fulfillment_order__get__orders_450789469_fulfillment_orders_json__01.json"
        told_refund = told["refunds"][0]
        pairs = {
            "order": (shown, told),
            "line": (shown["line_items"][0], told["line_items"][0]),
            "shipping": (shown["shipping_lines"][0], told["shipping_lines"][0]),
            "customer": (shown["customer"], told["customer"]),
            "refund": (refund, told_refund),
            "refunded": (refund["refund_line_items"][0], told_refund["refund_line_items"][0]),
            "money": (refund["transactions"][0], told_refund["transactions"][0]),
            "sent": (
                sent,
                recording("fulfillment__post__fulfillments_json__09.json", "fulfillment"),
            ),
            "work": (work, recording(works, "fulfillment_orders")[0]),
            "suggested": (suggested["refund"], recording(suggestion, "refund")),
        }

        assert {name: wrong for name, pair in pairs.items() if (wrong := unlike(*pair))} == {}

    def test_pages_through_every_order_once_by_its_links(self):
        shop = a_days_trade(ShopifyShop)
        path = f"{SHOPIFY}/orders.json?status=any&limit=30&order=updated_at asc"
        seen: list[Any] = []
        while path:
            status, body, headers = ask(shop, "GET", path)
            assert status == 200
            seen += body["orders"]
            link = headers.get("Link", "")
            path = link[1 : link.index(">")].removeprefix(shop.url) if link else ""

        assert sorted(one["id"] for one in seen) == sorted(map(int, shop.store["orders"]))
        updated = [datetime.fromisoformat(one["updated_at"]) for one in seen]
        assert updated == sorted(updated)
        bound = updated[-5].isoformat()
        late = ask(shop, "GET", f"{SHOPIFY}/orders.json?status=any&updated_at_min={bound}")[1]
        assert {one["id"] for one in seen[-5:]} <= {one["id"] for one in late["orders"]}
        assert {
            datetime.fromisoformat(one["updated_at"]) >= updated[-5] for one in late["orders"]
        } == {True}

    def test_counts_calls_and_refuses_the_forty_first(self):
        shop = a_shop(ShopifyShop)
        ask(shop, "PUT", "/_sandbox/shop", {"rate": {"bucket": 40, "per_second": 0.01}})

        told = [ask(shop, "GET", f"{SHOPIFY}/shop.json") for _ in range(41)]

        assert [status for status, *_ in told] == [200] * 40 + [429]
        assert told[39][2]["X-Shopify-Shop-Api-Call-Limit"] == "40/40"
        assert float(told[40][2]["Retry-After"]) >= 1

    def test_wants_its_token(self):
        shop = a_shop(ShopifyShop)
        ask(shop, "PUT", "/_sandbox/shop", {"token": "shpat_1"})

        assert ask(shop, "GET", f"{SHOPIFY}/shop.json")[0] == 401
        headers = {"x-shopify-access-token": "shpat_1"}
        assert ask(shop, "GET", f"{SHOPIFY}/shop.json", None, **headers)[0] == 200

    def test_fulfills_again_when_asked_again_until_no_unit_is_left(self):
        shop = a_shop(ShopifyShop)
        order = an_order(shop, {"SKU-0": 2})

        first, second, third = (a_fulfillment(shop, order, {0: 1}, "1Z1") for _ in range(3))

        assert [first[0], second[0], third[0]] == [201, 201, 422]
        assert [entry["again"] for entry in shop.log.of("fulfilled")] == [False, True]
        shown = ask(shop, "GET", f"{SHOPIFY}/orders/{order['id']}.json")[1]["order"]
        assert shown["fulfillment_status"] == "fulfilled"
        assert [one["tracking_number"] for one in shown["fulfillments"]] == ["1Z1", "1Z1"]
        assert ask(shop, "GET", f"{SHOPIFY}/orders.json")[1]["orders"] == []
        assert ask(shop, "POST", f"{SHOPIFY}/orders/{order['id']}/cancel.json", {})[0] == 422

    def test_cancels_and_gives_back_what_it_is_told_to(self):
        shop = a_shop(ShopifyShop, stock=50)
        order = an_order(shop, {"SKU-0": 2})
        said = {"reason": "inventory", "restock": True, "amount": order["total_price"]}

        status, body, _ = ask(shop, "POST", f"{SHOPIFY}/orders/{order['id']}/cancel.json", said)
        again = ask(shop, "POST", f"{SHOPIFY}/orders/{order['id']}/cancel.json", said)

        assert (status, again[0]) == (200, 422)
        shown = body["order"]
        assert (shown["cancel_reason"], shown["financial_status"]) == ("inventory", "refunded")
        assert (shown["line_items"][0]["fulfillable_quantity"], shown["current_total_price"]) == (
            0,
            "0.00",
        )
        assert shop.store["stock"]["SKU-0"]["available"] == 50

    def test_refunds_units_to_the_cent_and_no_more_than_was_paid(self):
        shop = a_shop(ShopifyShop)
        order = an_order(shop, {"SKU-0": 3}, discount_percent=10)
        path = f"{SHOPIFY}/orders/{order['id']}/refunds"

        worth = [refund_of_one(shop, order, path)["transactions"][0]["amount"] for _ in range(3)]
        too_many = ask(shop, "POST", f"{path}.json", a_refund(order, 1, "1.00"))
        too_much = ask(shop, "POST", f"{path}.json", a_refund(order, 0, "999.00"))

        line = order["line_items"][0]
        tax = sum(float(one["price"]) for one in line["tax_lines"])
        assert round(sum(map(float, worth)), 2) == round(59.97 - 5.99 + tax, 2)
        assert (too_many[0], too_much[0]) == (422, 422)

    def test_sets_a_figure_only_from_what_the_caller_believes(self):
        shop = a_shop(ShopifyShop, stock=50)
        item, location = shop.store["catalog"]["SKU-0"]["item"], 655_441_491
        gid = "gid://shopify"

        def set_to(units: int, believed: int) -> Any:
            quantity = {
                "inventoryItemId": f"{gid}/InventoryItem/{item}",
                "locationId": f"{gid}/Location/{location}",
                "quantity": units,
                "compareQuantity": believed,
            }
            said = {"name": "available", "reason": "correction", "quantities": [quantity]}
            query = "mutation($input: …) { inventorySetQuantities(input: $input) { … } }"
            body = {"query": query, "variables": {"input": said}}
            return ask(shop, "POST", f"{SHOPIFY}/graphql.json", body)[1]["data"][
                "inventorySetQuantities"
            ]

        stale, done = set_to(7, believed=49), set_to(7, believed=50)

        assert [one["code"] for one in stale["userErrors"]] == ["COMPARE_QUANTITY_STALE"]
        assert done["inventoryAdjustmentGroup"]["changes"][0]["delta"] == -43
        levels = f"{SHOPIFY}/inventory_levels.json?inventory_item_ids={item}"
        assert ask(shop, "GET", levels)[1]["inventory_levels"][0]["available"] == 7
        assert [(one["before"], one["after"]) for one in shop.log.of("stock")] == [(50, 7)]

    def test_signs_what_it_tells_and_says_what_it_is_about(self, receiver: Receiver):
        shop = a_shop(ShopifyShop)
        with shop.running():
            url = f"{receiver.url}/hooks"
            ask(shop, "PUT", "/_sandbox/shop", {"webhook_url": url, "secret": "s"})
            order = an_order(shop, {"SKU-0": 2})
            ask(shop, "POST", f"/_sandbox/orders/{order['id']}/cut", {})
            assert shop.hooks.drain(5)

        came = receiver.came
        assert [one.headers["x-shopify-topic"] for one in came] == [
            "orders/create",
            "orders/edited",
            "orders/updated",
            "refunds/create",
            "orders/updated",
        ]
        for one in came:
            assert one.headers["x-shopify-hmac-sha256"] == credentials.sign("s", one.raw)
        assert len({one.headers["x-shopify-webhook-id"] for one in came}) == 5
        assert came[2].json["line_items"][0]["current_quantity"] == 1

    def test_keeps_the_tags_and_metafields_that_are_written(self):
        shop = a_shop(ShopifyShop)
        order = an_order(shop, {"SKU-0": 1})
        path = f"{SHOPIFY}/orders/{order['id']}"
        field = {"namespace": "switchyard", "key": "number", "value": "SO-1", "type": "string"}

        shown = ask(shop, "PUT", f"{path}.json", {"order": {"tags": "b, a"}})[1]["order"]
        made = ask(shop, "POST", f"{path}/metafields.json", {"metafield": field})
        twice = ask(shop, "POST", f"{path}/metafields.json", {"metafield": field})

        assert (shown["tags"], made[0], twice[0]) == ("a, b", 201, 422)
        [kept] = ask(shop, "GET", f"{path}/metafields.json?namespace=switchyard")[1]["metafields"]
        assert kept["value"] == "SO-1"
        assert shop.log.counts["refused"] == 1


class TestWooFace:
    @recorded
    def test_writes_every_key_that_the_vendor_writes_with_the_same_kind_of_value(self):
        shown = an_order(a_shop(WooShop), {"SKU-0": 2}, discount_percent=10)
        text = (RECORDED / "woocommerce/v3_orders_example_02.json").read_text()
        told = json.loads(text)[0]

        assert unlike(shown, told) == []
        for part in ("line_items", "shipping_lines", "tax_lines"):
            assert unlike(shown[part][0], told[part][0]) == []

    def test_lists_by_the_sites_own_time_unless_told_that_it_is_gmt(self):
        shop = a_shop(WooShop)
        early = an_order(shop, {"SKU-0": 1}, at=(NOON - timedelta(hours=1)).isoformat())
        late = an_order(shop, {"SKU-0": 1}, at=(NOON + timedelta(hours=1)).isoformat())

        def after(text: str) -> tuple[list[int], str]:
            _, body, headers = ask(shop, "GET", f"{WOO}/orders?per_page=1&modified_after={text}")
            return [one["id"] for one in body], headers["X-WP-Total"]

        assert late["date_created"] == "2026-03-02T08:00:00"
        assert late["date_created_gmt"] == "2026-03-02T13:00:00"
        assert after("2026-03-02T07:00:00") == ([late["id"]], "1")
        assert after("2026-03-02T12:00:00") == ([], "0")
        assert after("2026-03-02T12:00:00&dates_are_gmt=true") == ([late["id"]], "1")
        assert after("2026-03-02T05:00:00") == ([late["id"]], "2")
        assert early["status"] == "processing"

    def test_cancels_by_status_and_moves_no_money(self):
        shop = a_shop(WooShop, stock=50)
        order = an_order(shop, {"SKU-0": 2})
        path = f"{WOO}/orders/{order['id']}"

        shown = ask(shop, "PUT", path, {"status": "cancelled"})[1]

        assert (shown["status"], shown["refunds"]) == ("cancelled", [])
        assert shop.store["stock"]["SKU-0"]["available"] == 50
        made = ask(shop, "POST", f"{path}/refunds", {"amount": order["total"], "reason": "r"})
        assert (made[0], made[1]["amount"]) == (201, order["total"])
        assert ask(shop, "GET", path)[1]["status"] == "refunded"
        assert ask(shop, "POST", f"{path}/refunds", {"amount": "0.01"})[0] == 400

    def test_edits_a_line_that_the_buyer_wants_less_of(self):
        shop = a_shop(WooShop)
        order = an_order(shop, {"SKU-0": 2})

        ask(shop, "POST", f"/_sandbox/orders/{order['id']}/cut", {})
        shown = ask(shop, "GET", f"{WOO}/orders/{order['id']}")[1]

        assert shown["line_items"][0]["quantity"] == 1
        back = float(order["total"]) - float(shown["total"])
        assert float(shown["refunds"][0]["total"]) == pytest.approx(-back)

    def test_counts_a_parcel_that_is_listed_twice(self):
        shop = a_shop(WooShop)
        path = f"{WOO}/orders/{an_order(shop, {'SKU-0': 1})['id']}"
        parcel = {"tracking_number": "9400", "tracking_provider": "usps"}
        for listed in ([parcel], [parcel], [parcel, parcel]):
            ask(shop, "PUT", path, {"meta_data": [{"key": TRACKING, "value": listed}]})

        assert [entry["again"] for entry in shop.log.of("fulfilled")] == [False, True]

    def test_takes_figures_in_batches_each_with_its_own_outcome(self):
        shop = a_shop(WooShop)
        known = ask(shop, "GET", f"{WOO}/products?sku=SKU-0")[1][0]["id"]
        wanted = [{"id": known, "stock_quantity": 4}, {"id": 9, "stock_quantity": 4}]

        answer = ask(shop, "POST", f"{WOO}/products/batch", {"update": wanted})[1]["update"]
        too_many = ask(shop, "POST", f"{WOO}/products/batch", {"update": wanted * 51})

        assert (answer[0]["stock_quantity"], answer[1]["error"]["data"]["status"]) == (4, 404)
        assert too_many[0] == 413

    def test_wants_its_key_and_signs_what_it_tells(self, receiver: Receiver):
        shop = a_shop(WooShop)
        said = {
            "webhook_url": f"{receiver.url}/hooks",
            "secret": "s",
            "key": "ck",
            "key_secret": "cs",
        }
        with shop.running():
            ask(shop, "PUT", "/_sandbox/shop", said)
            an_order(shop, {"SKU-0": 1})
            assert shop.hooks.drain(5)

        [came] = receiver.came
        assert came.headers["x-wc-webhook-topic"] == "order.created"
        assert came.headers["x-wc-webhook-signature"] == credentials.sign("s", came.raw)
        assert ask(shop, "GET", f"{WOO}/orders")[0] == 401
        basic = {"authorization": "Basic Y2s6Y3M="}
        assert ask(shop, "GET", f"{WOO}/orders", None, **basic)[0] == 200


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with (made := Receiver()).running():
        yield made


def a_fulfillment(shop: Shop, order: Any, units: dict[int, int], number: str) -> Any:
    """Fulfill units of lines, by their place."""
    path = f"{SHOPIFY}/orders/{order['id']}/fulfillment_orders.json"
    [work] = ask(shop, "GET", path)[1]["fulfillment_orders"]
    lines = [
        {"id": work["line_items"][place]["id"], "quantity": many} for place, many in units.items()
    ]
    said = {
        "line_items_by_fulfillment_order": [
            {"fulfillment_order_id": work["id"], "fulfillment_order_line_items": lines}
        ],
        "tracking_info": {"number": number, "company": "UPS"},
    }
    return ask(shop, "POST", f"{SHOPIFY}/fulfillments.json", {"fulfillment": said})


def a_refund(order: Any, units: int, amount: str) -> dict[str, Any]:
    line = {
        "line_item_id": order["line_items"][0]["id"],
        "quantity": units,
        "restock_type": "no_restock",
    }
    moved = {"kind": "refund", "amount": amount, "gateway": "shopify_payments"}
    return {"refund": {"refund_line_items": [line] if units else [], "transactions": [moved]}}


def refund_of_one(shop: Shop, order: Any, path: str) -> Any:
    """Give one unit back for what `calculate` says it is worth."""
    suggested = ask(shop, "POST", f"{path}/calculate.json", a_refund(order, 1, "0"))[1]["refund"]
    [money] = suggested["transactions"]
    return ask(shop, "POST", f"{path}.json", a_refund(order, 1, money["amount"]))[1]["refund"]


def unlike(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """Keys of the recording that are not there, or have another kind of value where both have one."""
    empty: tuple[Any, ...] = (None, "", [], {})
    return [
        name
        for name, value in theirs.items()
        if name not in ours
        or (value not in empty and ours[name] not in empty and kind(ours[name]) != kind(value))
    ]


def kind(value: Any) -> str:
    """Numbers are of one kind, whole or not."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return "number" if number else type(value).__name__


class TestThePast:
    """What was sold and told before anybody listened is given to a shop at one call."""

    def a_past(self, kind: type[Shop]) -> tuple[Shop, dict[str, Any]]:
        shop = a_shop(kind)
        lines = [
            {"sku": "SKU-0", "title": "Thing", "price": 1000, "quantity": 2, "discount": 0, "tax": 90},
            {"sku": "OLD-1", "title": "Old", "price": 500, "quantity": 1, "discount": 100, "tax": 0},
            {
                "sku": "WRAP", "title": "Wrap", "price": 300, "quantity": 1, "discount": 0, "tax": 0,
                "ships": False,
            },
        ]  # fmt: skip
        place = {"line1": "1 Elm St", "line2": "", "city": "Brooklyn", "region": "NY"}
        buyer = {
            "first_name": "Ada", "last_name": "Baker", "email": "ada@example.com", "phone": "",
            "address": {**place, "zip": "11201", "country": "US"},
        }  # fmt: skip
        order = {
            "at": (NOON - timedelta(days=3)).isoformat(),
            "buyer": buyer,
            "lines": lines,
            "shipping": ["standard", "Standard shipping", 595],
            "payment": "authorized",
            "gateway": "fakepay",
        }
        [made] = ask(shop, "POST", "/_sandbox/past", {"orders": [order]})[1]["orders"]
        return shop, made

    @pytest.mark.parametrize("kind", [ShopifyShop, WooShop])
    def test_is_a_sale_at_its_own_prices_that_takes_no_money_itself(self, kind: type[Shop]):
        shop, made = self.a_past(kind)
        translate = from_shopify if kind is ShopifyShop else from_woo
        document = shop.shown(shop.store["orders"][str(made["id"])])
        draft = translate.order_draft(document, CHANNEL, received_at=NOON)

        assert draft.totals is not None
        assert draft.totals.total_minor == 2 * 1000 + 90 + 400 + 300 + 595
        assert [tender.captured_minor for tender in draft.tenders] == [0]
        assert draft.placed_at == NOON - timedelta(days=3)
        assert shop.store["stock"]["SKU-0"]["available"] == 48

    @pytest.mark.parametrize("kind", [ShopifyShop, WooShop])
    def test_holds_what_was_told_of_it(self, kind: type[Shop]):
        shop, made = self.a_past(kind)
        line, other, _ = made["lines"]
        said = {"order": made["id"], "at": NOON.isoformat()}
        tracking = {"number": "T-1", "company": "bluevan", "url": ""}
        told = [
            {**said, "kind": "written", "tags": ["ours"], "meta": {"ours": "SY-1"}},
            {**said, "kind": "taken_off", "lines": {line: 1}, "note": "mark"},
            {
                **said, "kind": "sent", "lines": {line: 1, other: 1}, "tracking": tracking,
                "key": "k", "last": True,
            },
        ]  # fmt: skip
        answer = ask(shop, "POST", "/_sandbox/past/told", {"told": told})[1]
        order = shop.store["orders"][str(made["id"])]
        document = shop.shown(order)

        assert answer["made"][1] == str(order["refunds"][0]["id"])
        assert [one["tracking"]["numbers"] for one in order["fulfillments"]] == [["T-1"]]
        if kind is ShopifyShop:
            assert document["tags"] == "ours"
            assert (document["fulfillment_status"], document["financial_status"]) == (
                "fulfilled",
                "authorized",
            )
            assert document["fulfillments"][0]["tracking_numbers"] == ["T-1"]
        else:
            assert {one["key"] for one in document["meta_data"]} == {"ours", TRACKING}
            assert (document["status"], document["date_paid"]) == ("completed", None)
            assert document["refunds"][0]["total"] == "-10.45"
