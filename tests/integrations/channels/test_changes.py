"""What shops change in orders that we have: followed once, by the shop's own time, or kept as a case."""

import json
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS
from integrations import services
from integrations.models import CopyKind
from integrations.services import Incoming
from orders.models import Order, Tender
from orders.selectors.buyers import bought_orders
from tests.factories.kernel import NOON
from tests.factories.routing import SYSTEM
from tests.integrations.channels.shops import Trade, a_trade

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("integrations.api.urls")]


@pytest.fixture(params=["shopify", "woocommerce"])
def trade(request) -> Iterator[Trade]:
    with a_trade(request.param) as made:
        yield made


@pytest.fixture
def shopify() -> Iterator[Trade]:
    with a_trade("shopify") as made:
        yield made


def alive(trade: Trade, order: Order) -> list[int]:
    return [line.ordered - line.cancelled for line in trade.lines(order)]


def cases(kind: str) -> list[dict]:
    found = CaseReport.objects.filter(kind=kind).order_by("pk")
    return [report.evidence for report in found]


class TestUnits:
    def test_that_the_shop_takes_off_are_cancelled_once(self, trade):
        placed, order = trade.captured({"SKU-0": 3, "SKU-1": 1})
        trade.pass_time()
        trade.deed(placed["id"], "cut")

        told = trade.push(placed["id"])
        again = trade.push(placed["id"])

        assert (told["state"], again["repeated"]) == ("applied", True)
        assert sum(alive(trade, order)) == 3
        assert (cases("CANCEL_TOO_LATE"), cases("CHANNEL_REFUNDED")) == ([], [])
        trade.carry_out()
        assert trade.copies(kind=CopyKind.CANCEL) == []

    def test_of_older_news_come_too_late(self, trade):
        placed, order = trade.captured({"SKU-0": 3})
        before = trade.document(placed["id"])
        trade.pass_time()
        trade.deed(placed["id"], "cut")
        trade.push(placed["id"])
        before["note"] = before["customer_note"] = "The same time, and another message."
        if trade.adapter == "shopify":
            before["tags"] = "older"
        else:
            before["meta_data"] = [{"key": "_switchyard_number", "value": "older"}]

        trade.push(placed["id"], document=before)

        assert alive(trade, order) == [2]
        assert trade.messages()[-1].code == "older"

    def test_that_have_left_are_a_case(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        document = trade.document(placed["id"])
        trade.ship(order)
        line = document["line_items"][0]
        if trade.adapter == "shopify":
            document |= {"updated_at": "2026-03-05T12:00:00+00:00"}
            line["current_quantity"] = 1
        else:
            document |= {"date_modified_gmt": "2026-03-03T12:00:00"}
            line["quantity"] = 1

        trade.push(placed["id"], document=document)

        assert alive(trade, order) == [2]
        assert len(cases("CANCEL_TOO_LATE")) == 1

    def test_and_goods_that_are_added_are_a_case_that_says_what(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        trade.pass_time()
        trade.deed(placed["id"], "add")

        trade.push(placed["id"])

        [case] = cases("CHANNEL_ORDER_CHANGED")
        assert {change["what"] for change in case["changes"]} <= {"line", "units", "price"}
        assert case["changes"][0]["units"] == 1
        assert alive(trade, order) == [2]


class TestOrder:
    def test_that_is_cancelled_there_is_cancelled_here_and_not_told_back(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        trade.pass_time()
        trade.deed(placed["id"], "cancel")

        trade.push(placed["id"])
        trade.carry_out()

        order.refresh_from_db()
        assert order.state == "cancelled"
        assert trade.copies(kind=CopyKind.CANCEL) == []
        assert (cases("CANCEL_TOO_LATE"), cases("CHANNEL_REFUNDED")) == ([], [])

    def test_that_goes_elsewhere_by_now_is_sent_there(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        trade.pass_time()
        trade.deed(placed["id"], "address")

        trade.push(placed["id"])

        wanted = trade.shop.store["orders"][str(placed["id"])]["address"]["line1"]
        [address] = bought_orders([order.pk])[order.pk].addresses.values()
        assert address.line1 == wanted

    def test_whose_address_changes_after_it_left_is_a_case(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        trade.ship(order)
        trade.pass_time()
        document = trade.document(placed["id"])
        at = "shipping_address" if trade.adapter == "shopify" else "shipping"
        document[at] = {**document[at], "address1": "1 New Way", "address_1": "1 New Way"}
        document |= {"updated_at": "2026-03-03T12:00:00Z", "date_modified_gmt": "2026-03-03T12:00"}

        trade.push(placed["id"], document=document)

        [case] = cases("CHANNEL_ORDER_CHANGED")
        assert case["changes"][0]["what"] == "address"

    def test_that_was_done_before_we_saw_it_is_not_taken_in(self, trade):
        placed = trade.place({"SKU-0": 1})
        document = trade.document(placed["id"])
        document |= {"fulfillment_status": "fulfilled", "status": "completed"}

        trade.push(placed["id"], document=document)

        assert trade.messages()[-1].code == "over"
        assert not Order.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_that_was_cancelled_before_we_saw_it_is_kept_as_cancelled(self, trade):
        placed = trade.place({"SKU-0": 1})
        first = trade.document(placed["id"])
        trade.pass_time()
        trade.deed(placed["id"], "cancel")

        trade.push(placed["id"])
        trade.push(placed["id"], first=True, document=first)

        order = trade.order(placed["id"])
        assert (order.state, order.holds_open) == ("cancelled", 0)


class TestRefundOfTheShop:
    def test_is_kept_and_a_case_while_nothing_came_back(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        trade.pass_time()
        trade.deed(placed["id"], "refund")

        trade.push(placed["id"])
        trade.push(placed["id"])
        trade.carry_out()

        [case] = cases("CHANNEL_REFUNDED")
        [kept] = trade.copies(kind=CopyKind.REFUND)
        assert (case["amount_minor"], case["credited_minor"]) == (500, 0)
        assert (kept.state, kept.order_id, kept.wanted["amount_minor"]) == ("told", order.pk, 500)

    def test_is_credited_once_where_the_goods_are_back_and_not_asked_for_again(self, shopify):
        placed, order = shopify.captured({"SKU-0": 2})
        shopify.ship(order)
        shopify.carry_out()
        line = shopify.lines(order)[0]
        type(line).objects.for_scope(ALL_ACCOUNTS).filter(pk=line.pk).update(
            underway=0, delivered=2
        )
        refund, document = given_back(shopify, placed["id"], units=1)

        shopify.send("refunds/create", refund)
        shopify.push(placed["id"], document=document)
        shopify.carry_out()

        order.refresh_from_db()
        tender = Tender.objects.for_scope(ALL_ACCOUNTS).get(order=order)
        [kept] = shopify.copies(kind=CopyKind.REFUND)
        assert order.credited_minor == tender.credited_minor == kept.wanted["credited_minor"] > 0
        assert kept.state == "told"
        assert cases("CHANNEL_REFUNDED") == []
        assert len(shopify.shop.store["orders"][str(placed["id"])]["refunds"]) == 0


def given_back(trade: Trade, order_id: int, *, units: int) -> tuple[dict, dict]:
    """A refund of units that came back, as the shop would tell it, alone and on its order."""
    document = trade.document(order_id)
    line = document["line_items"][0]
    tax = sum(float(one["price"]) for one in line["tax_lines"])
    worth = f"{(float(line['price']) * line['quantity'] + tax) * units / line['quantity']:.2f}"
    refund = {
        "id": 777,
        "order_id": order_id,
        "note": "came back",
        "refund_line_items": [
            {"line_item_id": line["id"], "quantity": units, "restock_type": "return"}
        ],
        "order_adjustments": [],
        "transactions": [{"kind": "refund", "status": "success", "amount": worth}],
    }
    line["current_quantity"] = line["quantity"] - units
    document |= {"refunds": [refund], "updated_at": "2026-03-04T12:00:00+00:00"}
    return refund, document


class TestFulfillmentOfTheShop:
    def test_of_units_of_ours_stops_them_here_with_a_case(self, shopify):
        placed, order = shopify.captured({"SKU-0": 2, "SKU-1": 1})
        document = shopify.document(placed["id"])
        line = document["line_items"][0]
        document["fulfillments"] = [
            {
                "id": 900,
                "status": "success",
                "tracking_numbers": ["THEIRS-1"],
                "line_items": [{"id": line["id"], "quantity": 2}],
            }
        ]
        document["updated_at"] = "2026-03-04T12:00:00+00:00"

        shopify.push(placed["id"], document=document)

        assert alive(shopify, order) == [0, 1]
        assert [case["units"] for case in cases("CHANNEL_FULFILLED")] == [{"SKU-0": 2}]
        [kept] = shopify.copies(kind=CopyKind.FULFILLMENT)
        assert (kept.state, kept.their_id) == ("told", "900")

    def test_that_is_the_echo_of_ours_changes_nothing(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        trade.ship(order)
        trade.carry_out()

        trade.push(placed["id"])

        order.refresh_from_db()
        assert order.progress == "shipped"
        assert alive(trade, order) == [2]
        assert not CaseReport.objects.filter(kind__startswith="CHANNEL_").exists()


def test_news_in_a_batch_asks_as_little_for_twenty_orders_as_for_two(shopify):
    def statements(count: int, tag: str) -> int:
        placed = [shopify.place({"SKU-0": 1}) for _ in range(count)]
        found = [
            Incoming.of(
                shopify.ref,
                external_id=f"{tag}{n}",
                kind="orders/updated",
                headers={},
                raw=json.dumps(shopify.document(one["id"])).encode(),
            )
            for n, one in enumerate(placed)
        ]
        kept = services.keep_messages(found, at=NOON, actor=SYSTEM)
        with CaptureQueriesContext(connection) as queries:
            services.apply_messages([one.id for one in kept], at=NOON, actor=SYSTEM)
        return len(queries)

    assert statements(2, "a") >= statements(20, "b")


def test_all_that_we_gave_back_is_no_cancel_of_the_shop():
    with a_trade("woocommerce") as trade:
        placed, order = trade.captured({"SKU-0": 2})
        trade.ship(order)
        trade.carry_out()
        trade.pass_time()
        document = trade.document(placed["id"])
        document |= {
            "status": "refunded",
            "date_modified_gmt": "2026-03-06T12:00:00",
            "refunds": [{"id": 9, "reason": f"back [sy:{order.pk}]", "total": "-48.50"}],
        }

        trade.push(placed["id"], document=document)

        assert not CaseReport.objects.exists()
        assert trade.messages()[-1].code == "repeated"


def test_a_cancel_of_what_left_in_part_stops_the_rest_with_a_case():
    with a_trade("shopify") as trade:
        placed, order = trade.captured({"SKU-0": 1, "SKU-1": 1})
        sent = trade.lines(order)[0]
        type(sent).objects.for_scope(ALL_ACCOUNTS).filter(pk=sent.pk).update(
            reserved=0, shipped=1, underway=1
        )
        document = trade.document(placed["id"])
        document |= {"cancelled_at": "2026-03-06T12:00:00Z", "updated_at": "2026-03-06T12:00:00Z"}

        trade.push(placed["id"], document=document)

        assert alive(trade, order) == [1, 0]
        assert len(cases("CANCEL_TOO_LATE")) == 1
