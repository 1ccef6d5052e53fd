"""Shopify's documents become drafts whose sums add up. No database."""

import copy
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.channels.shopify import translate as shopify
from integrations.types import ChannelRef, Unreadable
from orders.types import OrderDraft
from tests.integrations.documents import (
    CHANNEL,
    RECEIVED,
    lines_of,
    problems,
    shop_order,
    summed,
)
from tests.integrations.samples import SHOPIFY


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
        assert (draft.tags, draft.customer_tags) == ((), ())
        assert draft.placed_at == datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
        assert problems(draft) == []

    def test_reads_what_is_said_of_the_order_and_of_its_customer(self):
        document = shop_order(tags="gift, urgent")
        document["customer"] = {"tags": "vip, wholesale"}

        draft = translated(document)

        assert (draft.tags, draft.customer_tags) == (("gift", "urgent"), ("vip", "wholesale"))

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
    def test_makes_an_order_of_hostile_input_or_says_why_not(self, changes):
        with suppress(Unreadable):
            draft = translated(copy.deepcopy(shop_order(**changes)))

            assert draft.external_id
            assert lines_of(draft)
            assert all(isinstance(line.quantity, int) for line in lines_of(draft))
            assert all(line.unit_price.is_finite() for line in lines_of(draft))
            assert isinstance(summed(draft), int)
            assert all(problems(draft))

    def test_cancels_by_the_same_id(self):
        cancel = shopify.cancellation(shop_order(cancel_reason="customer"))

        assert (cancel.external_id, cancel.reason) == ("450789469", "customer")
