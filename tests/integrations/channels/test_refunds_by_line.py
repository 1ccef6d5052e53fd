"""Refunds name their lines, both ways: a shop's own is followed by them, and ours are told with them."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from config.kernel import clock
from config.kernel.ids import uuid7
from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS
from integrations.channels import marks
from integrations.channels.woocommerce import inbound
from integrations.models import CopyKind
from integrations.selectors import channel_ref
from orders.models import Order, OrderLine, Tender
from orders.services import credit_units, lock_orders
from orders.types import CreditedUnits, CreditRequest
from tests.factories.kernel import NOON, ChannelFactory
from tests.factories.routing import SYSTEM
from tests.integrations.channels.shops import TOKEN, Trade, a_trade
from tests.sandbox.shop_calls import WOO, ask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("integrations.api.urls")]


@pytest.fixture(params=["shopify", "woocommerce"])
def trade(request: pytest.FixtureRequest) -> Iterator[Trade]:
    with a_trade(request.param) as made:
        yield made


@pytest.fixture
def woo() -> Iterator[Trade]:
    with a_trade("woocommerce") as made:
        yield made


def refund_there(trade: Trade, order_id: int, sku: str) -> int:
    """The shop's people refund all units of a line, and mark nothing; answers the minor units."""
    [line] = [one for one in trade.document(order_id)["line_items"] if one["sku"] == sku]
    worth = round(100 * (float(line["total"]) + float(line["total_tax"])))
    taxes = [{"id": one["id"], "refund_total": float(one["total"])} for one in line["taxes"]]
    told = {"id": line["id"], "quantity": line["quantity"], "refund_tax": taxes}
    body = {
        "amount": f"{worth / 100:.2f}",
        "reason": "they asked",
        "line_items": [{**told, "refund_total": float(line["total"])}],
    }
    path = f"{WOO}/orders/{order_id}/refunds"
    key = base64.b64encode(f"ck_canary:{TOKEN}".encode()).decode()
    status, said, _ = ask(trade.shop, "POST", path, body, authorization=f"Basic {key}")
    assert status == 201, said
    return worth


def delivered(trade: Trade, order: Order) -> None:
    trade.ship(order)
    for line in OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(order=order, shipped__gt=0):
        OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(pk=line.pk).update(
            underway=0, delivered=line.shipped
        )
    trade.carry_out()


def cases() -> list[str]:
    return list(CaseReport.objects.values_list("kind", flat=True))


class TestARefundThatTheShopMade:
    @pytest.mark.parametrize("polled", [True, False])
    def test_of_goods_that_arrived_is_credited_by_its_lines(
        self, woo: Trade, *, polled: bool
    ) -> None:
        placed, order = woo.captured({"SKU-0": 1, "SKU-1": 2})
        delivered(woo, order)
        woo.pass_time()
        worth = refund_there(woo, placed["id"], "SKU-0")

        woo.poll() if polled else woo.push(placed["id"])
        woo.carry_out()
        woo.push(placed["id"])
        woo.carry_out()

        order.refresh_from_db()
        [copy] = woo.copies(kind=CopyKind.REFUND)
        assert (order.credited_minor, copy.wanted["credited_minor"]) == (worth, worth)
        assert (copy.state, sum(copy.wanted["units"].values())) == ("told", 1)
        assert len(woo.shop.store["orders"][str(placed["id"])]["refunds"]) == 1
        assert cases() == []

    def test_of_units_that_have_not_left_takes_them_off(self, woo: Trade) -> None:
        placed, order = woo.captured({"SKU-0": 1, "SKU-1": 2})
        woo.pass_time()
        refund_there(woo, placed["id"], "SKU-1")

        woo.push(placed["id"])
        woo.carry_out()

        assert [line.cancelled for line in woo.lines(order)] == [0, 2]
        [copy] = woo.copies(kind=CopyKind.REFUND)
        assert (copy.wanted["of_cancel"], woo.copies(kind=CopyKind.CANCEL)) == (True, [])
        assert cases() == []

    def test_of_units_on_their_way_is_a_case(self, woo: Trade) -> None:
        placed, order = woo.captured({"SKU-0": 1, "SKU-1": 2})
        woo.ship(order)
        woo.carry_out()
        refund_there(woo, placed["id"], "SKU-0")

        woo.push(placed["id"])
        woo.carry_out()

        [report] = CaseReport.objects.filter(kind="CHANNEL_REFUNDED")
        assert "end of their way" in report.evidence["why"]
        assert woo.copies(kind=CopyKind.REFUND)[0].wanted["credited_minor"] == 0

    def test_lowers_what_it_is_asked_for_later_only_by_what_it_was_for(self, woo: Trade) -> None:
        placed, order = woo.captured({"SKU-0": 1, "SKU-1": 1})
        woo.pass_time()
        off = refund_there(woo, placed["id"], "SKU-0")
        woo.push(placed["id"])
        woo.carry_out()
        delivered(woo, order)

        back = credit(woo, order, "SKU-1")

        made = woo.shop.store["orders"][str(placed["id"])]["refunds"]
        assert [one["amount"] for one in made] == [off, back]


def credit(trade: Trade, order: Order, sku: str, *, fee: int = 0) -> int:
    """A unit came back, and the shop is told; answers what it is to give back."""
    line = OrderLine.objects.for_scope(ALL_ACCOUNTS).get(order=order, external_sku=sku)
    with transaction.atomic():
        lock_orders([order.pk])
        units = (CreditedUnits(line.pk, 1),)
        request = CreditRequest(order.pk, "return", uuid7(), units, fee_minor=fee)
        [outcome] = credit_units([request], at=clock.now(), actor=SYSTEM)
    assert outcome.value is not None, outcome.problem
    trade.carry_out()
    return outcome.value.amount_minor


class TestARefundThatWeHaveMade:
    @pytest.mark.parametrize("fee", [0, 500])
    def test_names_the_lines_it_is_for_and_is_compared_by_them(
        self, trade: Trade, fee: int
    ) -> None:
        placed, order = trade.captured({"SKU-0": 1, "SKU-1": 2})
        delivered(trade, order)

        amount = credit(trade, order, "SKU-1", fee=fee)

        [made] = trade.shop.store["orders"][str(placed["id"])]["refunds"]
        [line] = made["lines"]
        assert (made["amount"], line["quantity"], line["restock"]) == (amount, 1, "no_restock")
        if trade.adapter == "woocommerce":
            assert line["subtotal"] + line["tax"] == amount
        trade.pass_time(30)
        trade.push(placed["id"])
        assert (trade.poll().different, cases()) == (0, [])

        line["quantity"] = 2
        made_at = clock.now()
        trade.shop.store["orders"][str(placed["id"])]["updated_at"] = made_at.isoformat()
        assert trade.poll().different == 1

    def test_names_none_where_the_shop_has_refunded_them_already(self, trade: Trade) -> None:
        placed, order = trade.captured({"SKU-0": 1})
        delivered(trade, order)
        kept = trade.shop.store["orders"][str(placed["id"])]
        trade.shop.refund(
            kept, trade.shop.clock.now(), by="shop",
            lines=[(kept["lines"][0], 1, "no_restock")], amount=100,
        )  # fmt: skip

        amount = credit(trade, order, "SKU-0")

        assert sum(one["amount"] for one in kept["refunds"]) == amount
        assert kept["refunds"][-1]["lines"] == []
        assert not trade.shop.log.of("refused")


class TestMoneyThatWeGaveBackOurselves:
    """The shop never had it: it is told the amount, and what it says of it is compared."""

    def test_without_goods_is_told_and_compared_by_its_amount(self, trade: Trade) -> None:
        placed, order = trade.captured({"SKU-0": 1})
        delivered(trade, order)
        Tender.objects.for_scope(ALL_ACCOUNTS).filter(order=order).update(
            collected_by="us", provider="fakepay"
        )
        kept = trade.shop.store["orders"][str(placed["id"])]
        with transaction.atomic():
            lock_orders([order.pk])
            request = CreditRequest(
                order.pk, "goodwill", uuid7(), (), shipping_minor=300, reason="late"
            )
            [outcome] = credit_units([request], at=clock.now(), actor=SYSTEM)
        assert outcome.value is not None, outcome.problem
        trade.carry_out()

        [made] = kept["refunds"]
        assert made["lines"] == []
        assert (marks.stated_in(made["note"]) or made["amount"] / 100) == 3
        trade.pass_time(30)
        trade.push(placed["id"])
        assert (trade.poll().different, cases()) == (0, [])

        made |= {"note": made["note"].replace("3.00", "4.00"), "amount": made["amount"] and 400}
        kept["updated_at"] = clock.now().isoformat()
        assert trade.poll().different == 1


def test_what_woocommerce_documents_of_a_refund_is_read() -> None:
    """The response of `GET orders/723/refunds` in the REST API's documentation, cut to two refunds."""
    channel = channel_ref(ChannelFactory())
    line = {"id": 314, "quantity": -1, "total": "-9.00", "total_tax": "0.00", "price": -9}
    line |= {"meta_data": [{"id": 2076, "key": "_refunded_item_id", "value": "311"}]}
    listed: list[dict[str, Any]] = [
        {"id": 726, "amount": "10.00", "reason": "", "line_items": []},
        {"id": 724, "amount": "9.00", "reason": "", "line_items": [line]},
    ]

    read = inbound.understand(
        "order.refunds", {"order_id": "723", "refunds": listed}, channel, NOON
    )

    assert read.external_id == "723"  # type: ignore[union-attr]  # refunds, as asked
    alone, of_a_line = read.refunds  # type: ignore[union-attr]
    assert (alone.id, alone.amount_minor, dict(alone.named)) == ("726", 1000, {})
    assert (of_a_line.amount_minor, of_a_line.named, of_a_line.worth) == (
        900,
        {"311": 1},
        {"311": 900},
    )
