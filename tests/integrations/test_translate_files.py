"""Rows of files become drafts: our own layout and the online retailer's. No database."""

from datetime import UTC, datetime

import pytest

from integrations.channels.native import translate as native
from integrations.channels.online_retail import translate as retail
from integrations.channels.online_retail.translate import Nature
from integrations.channels.reading import Reading, text
from integrations.types import Unreadable
from tests.integrations.documents import CHANNEL, RECEIVED, lines_of, summed


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
            "customer_tags": "vip,wholesale",
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
        assert draft.customer_tags == ("vip", "wholesale")
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
