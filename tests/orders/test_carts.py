"""An order takes over what its cart holds, and says what became of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import inventory.selectors
from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS, Outcome
from inventory import services as supply
from inventory.models import CartHold, Reservation, Sku, StockPosition
from inventory.types import BufferChange, CartDraft, QuotaDraft
from orders import services
from orders.models import Order
from orders.types import CapturedOrder
from tests.factories.inventory import stock
from tests.factories.kernel import NOON, ChannelFactory
from tests.factories.orders import ANNA, Shop, card, line, lines_of, only_line

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def hold(web: Shop, *lines: tuple[Sku, int], cart: str = "c1", at: datetime = NOON) -> CartHold:
    inventory.selectors.forget()
    wanted = tuple((sku.pk, units) for sku, units in lines)
    supply.hold_cart(CartDraft(web.channel.pk, cart, wanted), at=at, actor=ANNA)
    found: CartHold = CartHold.objects.for_scope(ALL_ACCOUNTS).get(cart=cart, closed_at=None)
    return found


def capture(web: Shop, *lines: Any, at: datetime = NOON, **details: Any) -> Outcome[CapturedOrder]:
    draft = web.draft(*lines, **{"cart": "c1", **details})
    return services.capture_orders([draft], at=at, actor=ANNA)[0]


def order(web: Shop, *lines: Any, at: datetime = NOON, **details: Any) -> Order:
    captured = capture(web, *lines, at=at, **details).value
    assert captured is not None
    assert services.accept_orders([captured.id], at=at, actor=ANNA)[0].ok
    found: Order = Order.objects.for_scope(ALL_ACCOUNTS).get(pk=captured.id)
    return found


def claims(order: Order) -> list[tuple[str, int]]:
    rows = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(thread_id=order.pk).order_by("pk")
    return [(str(row.state), row.open) for row in rows]


def told(order: Order, topic: str) -> dict[str, Any]:
    (event,) = Event.objects.for_scope(ALL_ACCOUNTS).filter(subject_id=order.pk, topic=topic)
    data: dict[str, Any] = event.data
    return data


def reserved(sku: Sku) -> list[int]:
    rows = StockPosition.objects.for_scope(ALL_ACCOUNTS).filter(sku=sku).order_by("pk")
    return list(rows.values_list("reserved", flat=True))


class TestTakingOver:
    def test_the_claim_changes_hands_at_its_place(self, web: Shop) -> None:
        """Also of the last units in the network; the claim is the same row, nothing is taken anew."""
        sku = web.sku(2)
        held = hold(web, (sku, 2))

        mine = order(web, line(sku, 2))

        (claim,) = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(sku=sku)
        assert (claim.thread_id, claim.demand_id) == (mine.pk, only_line(mine).pk)
        assert (str(claim.state), claim.open, claim.expires_at) == ("reserved", 2, None)
        assert claim.promised_at == mine.deliver_by
        assert (only_line(mine).reserved, reserved(sku)) == (2, [2])
        held.refresh_from_db()
        assert (held.close_reason, held.taken_by, held.closed_at) == ("ordered", mine.pk, NOON)
        assert told(mine, "order.cart_taken_over") == {
            "hold_id": str(held.pk),
            "units": 2,
            "given_back": 0,
        }
        assert supply.expire_held(10, at=NOON + 60 * MINUTE, actor=ANNA) == 0

    def test_less_is_given_back_and_more_is_taken(self, web: Shop) -> None:
        more, less, gone = web.sku(5), web.sku(5), web.sku(5)
        hold(web, (more, 2), (less, 3), (gone, 1))

        mine = order(web, line(more, 4), line(less, 1))

        assert [kept.reserved for kept in lines_of(mine)] == [4, 1]
        assert [reserved(sku) for sku in (more, less, gone)] == [[4], [1], [0]]
        assert told(mine, "order.cart_taken_over")["given_back"] == 3

    def test_one_claim_for_two_lines_is_parted_with_its_quota(self, web: Shop) -> None:
        sku = web.sku(3)
        kept = QuotaDraft(web.account.pk, web.channel.pk, "mine", "fixed", NOON, units=3)
        supply.plan_quotas([kept], at=NOON, actor=ANNA)
        hold(web, (sku, 3))

        mine = order(web, line(sku, 2), line(sku, 1))

        assert [kept.reserved for kept in lines_of(mine)] == [2, 1]
        assert sorted(units for _, units in claims(mine)) == [1, 2]
        assert reserved(sku) == [3]

    def test_what_came_since_undoes_no_hold(self, web: Shop) -> None:
        """Neither safety stock nor another channel's quota; who has no hold is refused by both."""
        sku = web.sku(1)
        hold(web, (sku, 1))
        market = ChannelFactory(account=web.account)
        kept = QuotaDraft(web.account.pk, market.pk, "theirs", "fixed", NOON, units=1)
        supply.plan_quotas([kept], at=NOON, actor=ANNA)
        supply.set_buffers([BufferChange(web.node.pk, sku.pk, 1)], at=NOON, actor=ANNA)

        assert only_line(order(web, line(sku))).reserved == 1
        assert only_line(order(web, line(sku), cart="")).backordered == 1

    def test_a_kit_is_taken_over_by_its_components(self, web: Shop) -> None:
        cup, plate = web.sku(2), web.sku(4)
        kit = web.sku(kind="kit", components={cup: 1, plate: 2})
        hold(web, (kit, 2))

        mine = order(web, line(kit, 2))

        assert [kept.reserved for kept in lines_of(mine)] == [0, 2, 4]
        assert told(mine, "order.cart_taken_over")["units"] == 6
        assert (reserved(cup), reserved(plate)) == ([2], [4])

    def test_what_another_node_sends_frees_the_hold(self, web: Shop) -> None:
        sku = web.sku(1)
        hold(web, (sku, 1))
        stock(1, sku=sku, node=web.another_node())
        pickup = {"method": "pickup", "pickup_node_code": web.node.code}
        assert only_line(order(web, line(sku), group=pickup)).reserved == 1
        hold(web, (sku, 1), cart="c2")

        there = {"method": "pickup", "pickup_node_code": web.node.code}
        mine = order(web, line(sku), cart="c2", group=there)

        assert only_line(mine).backordered == 1
        assert reserved(sku) == [1, 0]
        assert told(mine, "order.cart_taken_over") | {"hold_id": ""} == {
            "hold_id": "",
            "units": 0,
            "given_back": 1,
        }


class TestMissing:
    def test_an_expired_hold_is_said_and_the_order_taken_like_any_other(self, web: Shop) -> None:
        sku = web.sku(2)
        hold(web, (sku, 1))

        late = capture(web, line(sku), at=NOON + 10 * MINUTE).value

        assert late is not None
        assert late.warnings == (
            "The hold of the cart c1 had expired: the order was taken like any other.",
        )
        assert services.accept_orders([late.id], at=NOON + 10 * MINUTE, actor=ANNA)[0].ok
        mine = Order.objects.for_scope(ALL_ACCOUNTS).get(pk=late.id)
        assert told(mine, "order.cart_missed")["why"] == "expired"
        assert (only_line(mine).reserved, reserved(sku)) == (1, [2])

    def test_a_cart_without_a_hold_or_with_a_used_one_is_refused_by_its_field(
        self, web: Shop
    ) -> None:
        sku = web.sku(9)
        foreign = ChannelFactory(account=web.account)
        supply.hold_cart(CartDraft(foreign.pk, "x", ((sku.pk, 1),)), at=NOON, actor=ANNA)
        hold(web, (sku, 1))
        first = order(web, line(sku), external_id="W-1")

        again = capture(web, line(sku), external_id="W-1")
        used, strange = capture(web, line(sku)), capture(web, line(sku), cart="x")

        assert (again.value and again.value.id, again.kind) == (first.pk, "repeated")
        assert [
            (one.problem.extra["errors"][0]["pointer"], one.problem.extra["errors"][0]["code"])
            for one in (used, strange)
            if one.problem
        ] == [("/cart", "cart-used"), ("/cart", "cart-unknown")]
        sold = capture(web, line(sku), tenders=(card(1_000, captured_minor=1_000),))
        assert sold.value is not None
        assert sold.value.warnings == ("What was held for the cart c1 went to another order.",)

    def test_of_two_orders_that_were_captured_with_one_cart_the_first_has_it(
        self, web: Shop
    ) -> None:
        sku = web.sku(1)
        hold(web, (sku, 1))
        both = [capture(web, line(sku)).value for _ in range(2)]

        ids = [one.id for one in both if one is not None]
        services.accept_orders(ids, at=NOON, actor=ANNA)

        first, second = (Order.objects.for_scope(ALL_ACCOUNTS).get(pk=each) for each in ids)
        assert only_line(first).reserved == 1
        assert (only_line(second).backordered, told(second, "order.cart_missed")["why"]) == (
            1,
            "used",
        )


def accept_in_one(web: Shop, carts: Sequence[str], sku: Sku) -> int:
    """The statements of accepting so many orders at once, of these carts."""
    drafts = [web.draft(line(sku, 2), cart=cart) for cart in carts]
    captured = services.capture_orders(drafts, at=NOON, actor=ANNA)
    ids = [one.value.id for one in captured if one.value is not None]
    with CaptureQueriesContext(connection) as sent:
        services.accept_orders(ids, at=NOON, actor=ANNA)
    return len(sent.captured_queries)


def test_the_statements_are_the_same_for_two_carts_and_for_six(web: Shop) -> None:
    sku = web.sku(100)
    counts = []
    for size in (2, 6):
        carts = [f"{size}-{number}" for number in range(size)]
        for cart in carts:
            hold(web, (sku, 1), cart=cart)
        counts.append(accept_in_one(web, carts, sku))

    assert counts[0] == counts[1]
    assert accept_in_one(web, [""] * 2, sku) <= counts[0] - 5
