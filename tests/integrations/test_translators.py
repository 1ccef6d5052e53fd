"""Translators: real documents of channels become drafts whose sums add up. No database."""

import copy
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel import ids
from integrations.channels.native import translate as native
from integrations.channels.online_retail import translate as retail
from integrations.channels.online_retail.translate import Nature
from integrations.channels.reading import Reading, text
from integrations.channels.shopify import translate as shopify
from integrations.channels.woocommerce import translate as woocommerce
from integrations.types import ChannelRef, NotSold, Unreadable
from orders.types import OrderDraft
from orders.validators.amounts import total_of
from tests.integrations.samples import SHOPIFY, WOOCOMMERCE

RECEIVED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CHANNEL = ChannelRef(ids.uuid7(), ids.uuid7(), ids.uuid7(), "web-us", "USD", "America/New_York")
BLANK_ADDRESS = {"first_name": "", "address_1": ""}


def lines_of(draft: OrderDraft) -> list[Any]:
    return [line for group in draft.groups for line in group.lines]


def summed(draft: OrderDraft) -> int:
    """What lines and shipping add up to, as the validators add."""
    shipping = draft.totals.shipping_minor if draft.totals else 0
    return shipping + sum(
        total_of(line, draft.currency, tax_inclusive=draft.tax_inclusive)
        for line in lines_of(draft)
    )


def problems(draft: OrderDraft) -> list[str]:
    return [problem.code for problem in draft.problems]


def shop_order(**changes: Any) -> dict[str, Any]:
    """A Shopify order of two tees, discounted and taxed, with paid shipping."""
    return {
        "id": 450789469,
        "name": "#1001",
        "currency": "USD",
        "created_at": "2026-03-02T06:30:00-05:00",
        "email": "ann@example.com",
        "financial_status": "paid",
        "total_line_items_price": "40.00",
        "total_discounts": "4.00",
        "total_tax": "2.88",
        "total_price": "43.83",
        "total_outstanding": "0.00",
        "payment_gateway_names": ["shopify_payments"],
        "line_items": [
            {
                "id": 1,
                "sku": "TEE-M",
                "name": "Tee - M",
                "quantity": 2,
                "price": "20.00",
                "requires_shipping": True,
                "fulfillment_service": "manual",
                "tax_lines": [{"price": "2.88"}],
                "discount_allocations": [{"amount": "4.00"}],
            }
        ],
        "shipping_lines": [{"code": "Standard", "price": "4.95"}],
        "shipping_address": {
            "name": "Ann Lee",
            "address1": "350 Fifth Avenue",
            "city": "New York",
            "province_code": "NY",
            "zip": "10118",
            "country_code": "US",
        },
        **changes,
    }


def translated(document: dict[str, Any], channel: ChannelRef = CHANNEL) -> OrderDraft:
    return shopify.order_draft(document, channel, received_at=RECEIVED)


class TestShopify:
    @pytest.mark.skipif(not SHOPIFY, reason="the Shopify samples are not on this machine")
    @pytest.mark.parametrize(
        "document", [one for _, one in SHOPIFY], ids=[name for name, _ in SHOPIFY]
    )
    def test_reads_every_sample_and_its_sums_add_up(self, document):
        draft = translated(document)

        assert draft.external_id == str(document["id"])
        assert sum(line.quantity for line in lines_of(draft)) == sum(
            item["quantity"] for item in document["line_items"]
        )
        assert draft.totals is not None
        # Documents cut down to some fields state a total without what it is made of.
        if document.get("total_discounts") is not None:
            assert abs(summed(draft) - (draft.totals.total_minor or 0)) <= len(lines_of(draft))

    def test_keeps_money_place_and_person_apart(self):
        draft = translated(shop_order())

        [line] = lines_of(draft)
        assert (line.sku_code, line.quantity, line.unit_price) == ("TEE-M", 2, Decimal("20.00"))
        assert (line.discount_minor, line.tax_minor) == (400, 288)
        assert draft.totals is not None
        assert (draft.totals.shipping_minor, draft.totals.total_minor) == (495, 4_383)
        assert summed(draft) == 4_383
        assert draft.groups[0].address is not None
        assert draft.groups[0].address.region == "NY"
        assert draft.customer.email == "ann@example.com"
        assert draft.placed_at == datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
        assert problems(draft) == []

    def test_leaves_the_money_to_shopify(self):
        [tender] = translated(shop_order()).tenders

        assert (tender.collected_by, tender.amount_minor, tender.captured_minor) == (
            "channel",
            4_383,
            4_383,
        )

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"financial_status": "pending"}, "payment-pending"),
            ({"financial_status": "partially_refunded"}, "refunded"),
            ({"cancelled_at": "2026-03-02T07:00:00Z"}, "cancelled"),
            ({"test": True}, "test-order"),
            ({"currency": None}, "no-currency"),
            ({"created_at": "yesterday"}, "not-a-time"),
            ({"total_tax": "a lot"}, "not-a-number"),
        ],
    )
    def test_captures_what_is_odd_and_says_so(self, changes, code):
        assert code in problems(translated(shop_order(**changes)))

    def test_says_that_units_were_removed_before_capture(self):
        document = shop_order()
        document["line_items"][0]["current_quantity"] = 1

        assert problems(translated(document)) == ["changed-before-capture"]

    def test_sorts_lines_by_who_carries_them(self):
        document = shop_order()
        template = document["line_items"][0]
        document["line_items"] += [
            {**template, "id": 2, "sku": "E-BOOK", "requires_shipping": False},
            {**template, "id": 3, "sku": "CARD", "gift_card": True},
            {**template, "id": 4, "sku": "CAP", "fulfillment_service": "amazon_marketplace_web"},
        ]

        groups = {
            (group.method, group.fulfilled_by): [line.sku_code for line in group.lines]
            for group in translated(document).groups
        }

        assert groups == {
            ("ship", "us"): ["TEE-M"],
            ("digital", "us"): ["E-BOOK", "CARD"],
            ("ship", "elsewhere"): ["CAP"],
        }

    def test_names_a_line_without_sku_by_its_variant(self):
        document = shop_order()
        document["line_items"][0] |= {"sku": None, "variant_id": 39072856}

        assert lines_of(translated(document))[0].sku_code == "variant:39072856"

    def test_adds_the_tax_of_shipping_unless_prices_include_it(self):
        taxed = [{"code": "Standard", "price": "4.95", "tax_lines": [{"price": "0.40"}]}]

        outside = translated(shop_order(shipping_lines=taxed))
        within = translated(shop_order(shipping_lines=taxed, taxes_included=True))

        assert outside.totals is not None
        assert within.totals is not None
        assert (outside.totals.shipping_minor, within.totals.shipping_minor) == (535, 495)

    def test_maps_shipping_methods_where_the_channel_has_a_map(self):
        channel = ChannelRef(
            CHANNEL.id,
            CHANNEL.account_id,
            CHANNEL.brand_id,
            "web-us",
            "USD",
            service_levels={"Standard": "ground"},
        )
        express = shop_order(shipping_lines=[{"code": "Express", "price": "4.95"}])

        assert translated(shop_order(), channel).groups[0].service_level_code == "ground"
        assert problems(translated(express, channel)) == ["unknown-service"]

    def test_takes_tips_as_a_service(self):
        [_, tip] = lines_of(translated(shop_order(total_tip_received="3.00")))

        assert (tip.kind, tip.sku_code, tip.unit_price) == ("service", "TIP", Decimal("3.00"))

    @pytest.mark.parametrize(
        "document",
        [
            {},
            [],
            "order",
            {"id": ""},
            shop_order(line_items=[]),
            shop_order(line_items=None),
            shop_order(line_items=[{"id": 1, "quantity": "two"}]),
            shop_order(line_items=[{"id": 1, "quantity": 1.5}]),
            shop_order(line_items=[{"id": 1, "quantity": -1}]),
            shop_order(line_items=[{"id": 1, "quantity": 1}] * 1_001),
        ],
    )
    def test_refuses_what_is_no_order(self, document):
        with pytest.raises(Unreadable):
            translated(document)

    @given(
        st.dictionaries(
            st.sampled_from(sorted(shop_order())),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["id", "price", "sku", "zip"]), inner)
                ),
                max_leaves=6,
            ),
            max_size=4,
        )
    )
    def test_never_breaks_on_hostile_input(self, changes):
        with suppress(Unreadable):
            translated(copy.deepcopy(shop_order(**changes)))

    def test_cancels_by_the_same_id(self):
        cancel = shopify.cancellation(shop_order(cancel_reason="customer"))

        assert (cancel.external_id, cancel.reason) == ("450789469", "customer")


def woo_order(**changes: Any) -> dict[str, Any]:
    """A WooCommerce order of three mugs with a coupon."""
    return {
        "id": 727,
        "number": "727",
        "status": "processing",
        "currency": "USD",
        "date_created_gmt": "2026-03-02T11:30:00",
        "total": "39.70",
        "total_tax": "2.20",
        "shipping_total": "10.00",
        "shipping_tax": "0.50",
        "date_paid_gmt": "2026-03-02T11:31:00",
        "payment_method": "stripe",
        "billing": {
            "first_name": "Ann",
            "last_name": "Lee",
            "email": "ann@example.com",
            "phone": "(212) 555-0100",
            "address_1": "350 Fifth Avenue",
            "city": "New York",
            "state": "NY",
            "postcode": "10118",
            "country": "US",
        },
        "shipping": BLANK_ADDRESS,
        "shipping_lines": [{"method_id": "flat_rate", "total": "10.00"}],
        "line_items": [
            {
                "id": 315,
                "name": "Mug &ndash; blue",
                "sku": "MUG",
                "product_id": 93,
                "quantity": 3,
                "subtotal": "30.00",
                "total": "27.50",
                "total_tax": "1.70",
            }
        ],
        **changes,
    }


def from_woo(document: dict[str, Any], **options: Any) -> OrderDraft:
    return woocommerce.order_draft(document, CHANNEL, received_at=RECEIVED, **options)


class TestWooCommerce:
    @pytest.mark.skipif(not WOOCOMMERCE, reason="the WooCommerce samples are not on this machine")
    @pytest.mark.parametrize(
        "document", [one for _, one in WOOCOMMERCE], ids=[name for name, _ in WOOCOMMERCE]
    )
    def test_reads_every_sample_and_its_sums_add_up(self, document):
        try:
            draft = from_woo(document)
        except NotSold:
            assert document["status"] in woocommerce.NOT_SOLD
            return

        assert draft.external_id == str(document["id"])
        assert draft.totals is not None
        assert abs(summed(draft) - (draft.totals.total_minor or 0)) <= 1 + len(lines_of(draft))

    def test_takes_the_discount_from_what_a_line_came_down_by(self):
        [line] = lines_of(from_woo(woo_order()))

        assert (line.unit_price, line.discount_minor, line.tax_minor, line.total_minor) == (
            Decimal("10.000000"),
            250,
            170,
            2_920,
        )
        assert line.title == "Mug – blue"

    def test_adds_up_with_the_tax_of_shipping(self):
        draft = from_woo(woo_order())

        assert draft.totals is not None
        assert summed(draft) == draft.totals.total_minor == 3_970

    def test_ships_to_the_billing_address_where_shipping_is_blank(self):
        address = from_woo(woo_order()).groups[0].address

        assert address is not None
        assert (address.name, address.postal_code) == ("Ann Lee", "10118")

    @pytest.mark.parametrize("status", sorted(woocommerce.NOT_SOLD))
    def test_does_not_take_an_unpaid_order_for_a_sale(self, status):
        with pytest.raises(NotSold):
            from_woo(woo_order(status=status))

    @pytest.mark.parametrize(
        ("status", "code"),
        [("on-hold", "payment-pending"), ("cancelled", "cancelled"), ("completed", "completed")],
    )
    def test_captures_what_is_odd_and_says_so(self, status, code):
        assert problems(from_woo(woo_order(status=status))) == [code]

    def test_takes_completed_orders_as_history_without_a_word(self):
        assert problems(from_woo(woo_order(status="completed"), mode="history")) == []

    def test_shares_a_negative_fee_as_a_discount(self):
        document = woo_order(
            total="34.70", fee_lines=[{"id": 9, "name": "Loyal", "total": "-5.00"}]
        )
        document["line_items"].append(
            {**document["line_items"][0], "id": 316, "subtotal": "0.00", "total": "0.00"}
            | {"total_tax": "0.00"}
        )

        draft = from_woo(document)

        assert [line.discount_minor for line in lines_of(draft)] == [750, 0]
        assert summed(draft) == 3_470

    def test_takes_a_fee_as_a_service(self):
        [_, fee] = lines_of(from_woo(woo_order(fee_lines=[{"id": 9, "total": "2.00"}])))

        assert (fee.kind, fee.total_minor) == ("service", 200)

    def test_asks_where_a_pickup_takes_place(self):
        draft = from_woo(woo_order(shipping_lines=[{"method_id": "local_pickup:3"}]))

        assert draft.groups[0].method == "pickup"
        assert problems(draft) == ["no-pickup-node"]

    def test_reads_a_cancel_from_an_update(self):
        standing = woocommerce.cancellation(woo_order())
        gone = woocommerce.cancellation(woo_order(status="cancelled"))

        assert standing is None
        assert gone is not None
        assert gone.external_id == "727"


class TestNative:
    def test_reads_the_lines_of_one_order(self):
        common = {
            "order_id": "W-1",
            "placed_at": "2026-03-02T06:30:00",
            "name": "Ann Lee",
            "address1": "350 Fifth Avenue",
            "postal_code": "10118",
            "country": "us",
            "shipping": "4.95",
            "order_total": "54.95",
            "payment": "fakepay",
            "authorization": "auth_5495_ok_1",
        }
        rows = [
            {**common, "sku": "TEE", "quantity": "2", "unit_price": "20.00", "total": "40.00"},
            {**common, "sku": "MUG", "quantity": "1", "unit_price": "10.00"},
        ]

        draft = native.order_draft(rows, CHANNEL, received_at=RECEIVED)

        assert [(line.sku_code, line.quantity) for line in lines_of(draft)] == [
            ("TEE", 2),
            ("MUG", 1),
        ]
        assert draft.placed_at == datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
        assert draft.totals is not None
        assert summed(draft) == draft.totals.total_minor == 5_495
        assert (draft.tenders[0].collected_by, draft.tenders[0].amount_minor) == ("us", 5_495)

    def test_keeps_delivery_groups_apart(self):
        common = {"order_id": "W-1", "quantity": "1"}
        rows = [
            {**common, "sku": "TEE", "group": "a"},
            {**common, "sku": "MUG", "group": "b"},
            {**common, "sku": "CAP", "group": "a", "method": "pickup", "pickup_node": "NEWARK"},
        ]

        groups = native.order_draft(rows, CHANNEL, received_at=RECEIVED).groups

        assert [(group.method, [line.sku_code for line in group.lines]) for group in groups] == [
            ("ship", ["TEE"]),
            ("ship", ["MUG"]),
            ("pickup", ["CAP"]),
        ]
        assert groups[2].pickup_node_code == "NEWARK"

    @pytest.mark.parametrize(
        "row",
        [
            {"order_id": "", "sku": "TEE", "quantity": "1"},
            {"order_id": "W-1", "sku": "", "quantity": "1"},
            {"order_id": "W-1", "sku": "TEE", "quantity": "one"},
        ],
    )
    def test_refuses_what_is_no_order_line(self, row):
        with pytest.raises(Unreadable):
            native.order_draft([row], CHANNEL, received_at=RECEIVED)

    def test_knows_which_columns_it_does_not_know(self):
        assert native.unknown_columns(["order_id", "sku", "qty"]) == ["qty"]
        assert native.missing_columns(["order_id", "sku", "qty"]) == ["quantity"]


def retail_row(**changes: str) -> dict[str, str]:
    return {
        "InvoiceNo": "536365",
        "StockCode": "85123a",
        "Description": "WHITE HANGING HEART",
        "Quantity": "6",
        "InvoiceDate": "2011-07-01 08:26:00",
        "UnitPrice": "2.55",
        "CustomerID": "17850.0",
        "Country": "United Kingdom",
        **changes,
    }


class TestOnlineRetail:
    @pytest.mark.parametrize(
        ("changes", "nature"),
        [
            ({}, Nature.SALE),
            ({"StockCode": "POST"}, Nature.SERVICE),
            ({"StockCode": "m"}, Nature.SERVICE),
            ({"StockCode": "BANK CHARGES"}, Nature.SERVICE),
            ({"StockCode": "gift_0001_20"}, Nature.SALE),
            ({"UnitPrice": "0"}, Nature.SALE),
            ({"CustomerID": ""}, Nature.SALE),
            ({"CustomerID": "", "UnitPrice": "0"}, Nature.STOCK_ADJUSTMENT),
            ({"Quantity": "-10", "UnitPrice": "0"}, Nature.STOCK_ADJUSTMENT),
            ({"Quantity": "0"}, Nature.STOCK_ADJUSTMENT),
            ({"InvoiceNo": "C536379", "Quantity": "-1"}, Nature.CREDIT),
            ({"InvoiceNo": "C536379", "StockCode": "D"}, Nature.SERVICE_CREDIT),
            ({"InvoiceNo": "A563186", "UnitPrice": "-11062.06"}, Nature.BOOKKEEPING),
        ],
    )
    def test_tells_what_a_line_is(self, changes, nature):
        assert retail.natures([retail_row(**changes)]) == [nature]

    def test_reads_an_invoice_with_repeated_lines_and_a_guest(self):
        rows = [retail_row(CustomerID=""), retail_row(CustomerID=""), retail_row(StockCode="DOT")]

        draft = retail.order_draft(rows, CHANNEL, received_at=RECEIVED)

        assert [(line.external_id, line.sku_code, line.kind) for line in lines_of(draft)] == [
            ("1", "85123A", None),
            ("2", "85123A", None),
            ("3", "DOT", "service"),
        ]
        assert (draft.currency, draft.customer.external_id) == ("GBP", "")
        # Half past eight in a London summer.
        assert draft.placed_at == datetime(2011, 7, 1, 7, 26, tzinfo=UTC)

    def test_has_no_destination_where_the_country_is_not_one(self):
        draft = retail.order_draft(
            [retail_row(Country="Unspecified")], CHANNEL, received_at=RECEIVED
        )

        assert draft.groups[0].address is None


class TestReading:
    def test_prints_no_control_characters(self):
        assert text("a\x00b\nc\u200b") == "a b c"

    @pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400", "12,50", [], {}])
    def test_takes_what_is_no_amount_for_zero_and_says_so(self, value):
        reading = Reading("USD")

        assert reading.minor(value, "/price") == 0
        assert [problem.code for problem in reading.problems] == ["not-a-number"]
