"""WooCommerce's documents become drafts whose sums add up. No database."""

from decimal import Decimal
from typing import Any

import pytest

from integrations.channels.woocommerce import translate as woocommerce
from integrations.types import NotSold
from orders.types import OrderDraft
from tests.integrations.documents import CHANNEL, RECEIVED, lines_of, problems, summed, woo_order
from tests.integrations.samples import WOOCOMMERCE


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
