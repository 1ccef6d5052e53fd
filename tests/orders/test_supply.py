"""When supply moves, and when someone sends an order from elsewhere."""

from dataclasses import replace
from datetime import timedelta

import pytest

from config.kernel.errors import Invalid
from config.kernel.types import ALL_ACCOUNTS
from inventory.models import Reservation, StockPosition
from inventory.services import cover_transfers, record_changes
from inventory.types import StockChange
from orders import sourcing
from orders.models import Hold, Promise
from orders.services import (
    add_notes,
    correct_addresses,
    cover_shortfalls,
    expire_holds,
    give_stock_back,
    leave_node,
    pin_groups,
    place_holds,
    release_holds,
    resource_groups,
    serve_backorders,
    source_left_behind,
)
from orders.sourcing import Plan
from orders.types import AddressCorrection, HoldRequest, NodePin, NoteDraft
from tests.factories.inventory import stock
from tests.factories.kernel import NOON
from tests.factories.moves import transfer
from tests.factories.orders import ANNA, HOME, NearestStock, Shop, line, only_line, order_of


def change(web: Shop, sku, units: int, kind: str) -> None:
    record_changes(
        [StockChange(web.node.id, sku.id, web.account.id, units, kind)], at=NOON, actor=ANNA
    )


def claims(state: str = "reserved") -> list[tuple[int, int]]:
    rows = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(state=state).order_by("pk")
    return list(rows.values_list("node_id", "quantity"))


class NothingGoes(NearestStock):
    """A sourcing for which every node is paused."""

    def plan(self, demands, *, excluded, at):
        return [
            Plan(
                demand.group_id,
                (),
                tuple((line.line_id, line.quantity, "paused") for line in demand.lines),
            )
            for demand in demands
        ]


def group_of(order):
    return only_line(order).group_id


class TestServeBackorders:
    def test_gives_what_came_in_to_who_waited(self, web: Shop) -> None:
        sku = web.sku()
        order = web.accepted(line(sku, 3))
        stock(0, sku=sku, node=web.node)
        change(web, sku, 2, "receipt")

        served = serve_backorders([sku.id], at=NOON, actor=ANNA)

        kept = only_line(order)
        assert (served, kept.reserved, kept.backordered) == (2, 2, 1)
        position = StockPosition.objects.for_scope(ALL_ACCOUNTS).get()
        assert (position.reserved, position.landed) == (2, 0)
        waiting = Reservation.objects.for_scope(ALL_ACCOUNTS).get(state="waiting")
        assert waiting.quantity - waiting.released == 1

    def test_promises_and_keeps_why(self, web: Shop, nearest: NearestStock) -> None:
        sku = web.sku()
        order = web.accepted(line(sku, 3))
        assert order.ship_by is None
        change(web, sku, 2, "receipt")
        nearest.decided.clear()

        serve_backorders([sku.id], at=NOON, actor=ANNA)

        promise = Promise.objects.for_scope(ALL_ACCOUNTS).get()
        assert promise.group_id == group_of(order)
        assert order_of(order.id).ship_by == promise.ship_by
        (decided,) = nearest.decided
        assert [(take.node_id, take.quantity) for take in decided.takes] == [(web.node.id, 2)]

    def test_serves_only_what_sourcing_would_send(self, web: Shop) -> None:
        sku = web.sku()
        order = web.accepted(line(sku, 3))
        change(web, sku, 2, "receipt")

        with sourcing.using(NothingGoes()):
            assert serve_backorders([sku.id], at=NOON, actor=ANNA) == 0

        assert only_line(order).backordered == 3
        assert serve_backorders([sku.id], at=NOON, actor=ANNA) == 2

    def test_lifts_the_hold_of_a_line_that_has_its_stock_at_last(self, web: Shop) -> None:
        web.channel.backorders = False
        web.channel.save(update_fields=["backorders"])
        sku = web.sku()
        order = web.accepted(line(sku, 1))
        change(web, sku, 5, "receipt")

        serve_backorders([sku.id], at=NOON, actor=ANNA)

        assert order_of(order.id).holds_open == 0
        assert Hold.objects.for_scope(ALL_ACCOUNTS).get().state == "released"

    def test_serves_the_higher_priority_first(self, web: Shop) -> None:
        sku = web.sku()
        low, high = web.accepted(line(sku, 2)), web.accepted(line(sku, 2), priority=5)
        change(web, sku, 2, "receipt")

        serve_backorders([sku.id], at=NOON, actor=ANNA)

        assert (only_line(low).reserved, only_line(high).reserved) == (0, 2)


class TestCoverShortfalls:
    def test_takes_from_the_least_claim_and_finds_it_another_node(self, web: Shop) -> None:
        sku, other = web.sku(4), web.another_node()
        first, second = web.accepted(line(sku, 2)), web.accepted(line(sku, 2))
        stock(5, sku=sku, node=other)
        change(web, sku, -2, "sale")
        position = StockPosition.objects.for_scope(ALL_ACCOUNTS).get(node=web.node)
        assert position.shortfall == 2

        taken = cover_shortfalls([position.id], at=NOON, actor=ANNA)

        assert taken == 2
        position.refresh_from_db()
        assert (position.shortfall, position.reserved) == (0, 2)
        assert [order_of(o.id).progress for o in (first, second)] == ["reserved", "reserved"]
        assert (other.id, 2) in claims()

    def test_takes_what_transfers_do_not_give_up(self, web: Shop) -> None:
        sku = web.sku(4)
        order = web.accepted(line(sku, 2))
        position = StockPosition.objects.for_scope(ALL_ACCOUNTS).get()
        transfer("released", 2, position=position)
        change(web, sku, -3, "sale")

        assert cover_shortfalls([position.id], at=NOON, actor=ANNA) == 1
        assert cover_transfers(10, at=NOON, actor=ANNA) == 2
        assert cover_shortfalls([position.id], at=NOON, actor=ANNA) == 0

        position.refresh_from_db()
        assert (position.shortfall, position.reserved) == (0, 1)
        assert (only_line(order).reserved, only_line(order).backordered) == (1, 1)

    def test_backorders_what_nothing_else_can_serve(self, web: Shop) -> None:
        sku = web.sku(2)
        order = web.accepted(line(sku, 2))
        change(web, sku, -1, "sale")
        position = StockPosition.objects.for_scope(ALL_ACCOUNTS).get()

        cover_shortfalls([position.id], at=NOON, actor=ANNA)

        kept = only_line(order)
        assert (kept.reserved, kept.backordered) == (1, 1)


class TestPinGroups:
    def test_sends_what_is_unreleased_from_the_named_node(self, web: Shop) -> None:
        sku, other = web.sku(4), web.another_node()
        stock(5, sku=sku, node=other)
        order = web.accepted(line(sku, 2))

        (outcome,) = pin_groups([NodePin(group_of(order), other.id)], at=NOON, actor=ANNA)

        assert outcome.ok
        assert claims() == [(other.id, 2)]

    def test_refuses_a_node_outside_the_channel_s_network(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(4), 2))

        (outcome,) = pin_groups([NodePin(group_of(order), 999_999)], at=NOON, actor=ANNA)

        assert outcome.problem is not None
        assert claims() == [(web.node.id, 2)]


class TestResourceGroups:
    def test_leaves_the_excluded_node(self, web: Shop) -> None:
        sku, other = web.sku(4), web.another_node()
        stock(5, sku=sku, node=other)
        order = web.accepted(line(sku, 2))

        resource_groups([group_of(order)], frozenset({(web.node.id, sku.id)}), at=NOON, actor=ANNA)

        assert claims() == [(other.id, 2)]


class TestLeaveNode:
    def test_moves_what_is_not_pinned(self, web: Shop) -> None:
        sku, other = web.sku(4), web.another_node()
        stock(5, sku=sku, node=other)
        free, pinned = web.accepted(line(sku, 1)), web.accepted(line(sku, 1))
        pin_groups([NodePin(group_of(pinned), web.node.id)], at=NOON, actor=ANNA)

        outcomes = leave_node([free.id, pinned.id], web.node.id, at=NOON, actor=ANNA)

        assert [outcome.ok for outcome in outcomes] == [True, False]
        assert sorted(claims()) == sorted([(other.id, 1), (web.node.id, 1)])


class TestCorrectAddresses:
    def test_clears_the_hold_and_plans_for_the_new_place(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(4)), address=replace(HOME, postal_code="ABC"))
        assert order.holds_open == 1

        (outcome,) = correct_addresses(
            [AddressCorrection(group_of(order), HOME)], at=NOON, actor=ANNA
        )

        assert outcome.ok
        order = order_of(order.id)
        assert (order.holds_open, order.progress) == (0, "reserved")
        assert order.groups.get().postal_code == "12207"

    def test_refuses_an_address_that_is_no_better(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(4)))

        (outcome,) = correct_addresses(
            [AddressCorrection(group_of(order), replace(HOME, postal_code="99999"))],
            at=NOON,
            actor=ANNA,
        )

        assert outcome.problem is not None
        assert "does not lie in NY" in outcome.problem.detail


class TestHolds:
    def test_are_placed_once_per_handle(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(4)))
        request = HoldRequest(order.id, "fraud", "velocity", handle="rule-7")

        first, again = place_holds([request, request], at=NOON, actor=ANNA)

        assert (first.kind.value, again.kind.value) == ("done", "repeated")
        now = order_of(order.id)
        assert (now.holds_open, now.blocked) == (1, ["capture", "release"])

    def test_end_by_themselves_when_their_time_is_over(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(4)))
        place_holds(
            [HoldRequest(order.id, "manual", "wait", until=NOON + timedelta(hours=1))],
            at=NOON,
            actor=ANNA,
        )

        assert expire_holds(at=NOON, actor=ANNA) == 0
        assert expire_holds(at=NOON + timedelta(hours=2), actor=ANNA) == 1

        assert (order_of(order.id).holds_open, order_of(order.id).blocked) == (0, [])

    def test_give_the_stock_back_past_their_deadline_and_take_it_again_when_lifted(
        self, web: Shop
    ) -> None:
        order = web.accepted(line(web.sku(4), 2))
        (placed,) = place_holds([HoldRequest(order.id, "fraud", "odd")], at=NOON, actor=ANNA)
        late = NOON + timedelta(days=5)

        assert give_stock_back(at=late, actor=ANNA) == 1
        assert source_left_behind(at=late, actor=ANNA) == 0
        assert (only_line(order).pending, claims()) == (2, [])
        assert placed.value is not None
        release_holds([placed.value], "fine", at=late, actor=ANNA)

        assert only_line(order).reserved == 2

    def test_take_a_reason_of_a_sentence_and_no_more(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(4)))

        short, long = place_holds(
            [HoldRequest(order.id, "fraud", "x" * length) for length in (200, 201)],
            at=NOON,
            actor=ANNA,
        )

        assert short.ok
        assert long.problem is not None
        assert "note" in long.problem.detail
        with pytest.raises(Invalid):
            release_holds([short.value], "x" * 201, at=NOON, actor=ANNA)


class TestAddNotes:
    def test_keeps_the_words_sealed(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(4)))

        good, empty = add_notes(
            [NoteDraft(order.id, "call Zoltan"), NoteDraft(order.id, " ")], at=NOON, actor=ANNA
        )

        assert (good.ok, empty.ok) == (True, False)
        assert b"Zoltan" not in bytes(order.notes.get().sealed)
