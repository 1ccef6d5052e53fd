"""Reserved units that people move to another node, or give to an order that goes first."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.models import CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS, Actor, Scope
from inventory import selectors as inventory
from inventory.models import Node
from inventory.types import ReservationView
from orders.models import Order, Promise
from orders.services import free_units, move_reserved, preview_free_units
from orders.types import GiveWay, ReservedMove
from tests.factories.inventory import NodeFactory, stock
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, NearestStock, Shop, line, only_line, order_of, send_to_node

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)
STRANGER = Actor("user", "1", "eve", scope=Scope(frozenset()))


def claim_of(order: Order) -> ReservationView:
    (claim,) = inventory.claims_of([only_line(order).pk])[only_line(order).pk]
    return claim


def collected(web: Shop) -> dict[str, str]:
    """A delivery that its buyer collects at the DC: no other node can serve it."""
    return {"method": "pickup", "pickup_node_code": web.node.code}


def told(order: Order) -> list[str]:
    events = Event.objects.for_scope(ALL_ACCOUNTS).filter(subject_id=order.pk).order_by("seq")
    return list(events.values_list("topic", flat=True))


def versions(order: Order) -> int:
    return Promise.objects.for_scope(ALL_ACCOUNTS).filter(order=order).count()


class TestMoveReserved:
    def test_moves_some_of_them_with_plan_promise_and_reason(
        self, web: Shop, nearest: NearestStock
    ) -> None:
        sku = web.sku(5)
        other = web.another_node()
        stock(5, sku=sku, node=other)
        mine = web.accepted(line(sku, 3))
        wanted = ReservedMove(claim_of(mine).id, other.pk, 2)

        assert move_reserved([wanted], "nearer to the buyer", at=LATER, actor=ANNA) == 2

        held = inventory.claims_of([only_line(mine).pk])[only_line(mine).pk]
        assert {claim.node_id: claim.open for claim in held} == {web.node.pk: 1, other.pk: 2}
        assert (only_line(mine).reserved, versions(mine)) == (3, 2)
        assert told(mine)[-2:] == ["order.units_moved", "order.resourced"]
        assert nearest.decided[-1].takes[0].node_id == other.pk

    def test_all_of_them_or_none(self, web: Shop) -> None:
        sku, scarce = web.sku(5), web.sku(5)
        other = web.another_node()
        stock(5, sku=sku, node=other)
        both = [web.accepted(line(each)) for each in (sku, scarce)]
        moves = [ReservedMove(claim_of(each).id, other.pk) for each in both]

        with pytest.raises(Conflict, match="0 of the 1 units"):
            move_reserved(moves, "closing", at=LATER, actor=ANNA)

        assert [claim_of(each).node_id for each in both] == [web.node.pk] * 2

    def test_sends_the_same_statements_for_one_and_for_five(self, web: Shop) -> None:
        sku, other = web.sku(9), web.another_node()
        stock(9, sku=sku, node=other)
        counts = []
        for size in (1, 5):
            claims = [claim_of(web.accepted(line(sku))) for _ in range(size)]
            moves = [ReservedMove(claim.id, other.pk) for claim in claims]
            with CaptureQueriesContext(connection) as sent:
                assert move_reserved(moves, "closing", at=LATER, actor=ANNA) == size
            counts.append(len(sent))

        assert counts[1] <= counts[0] + 2, "the units of few are taken at once"

    def test_refuses_in_words_what_may_not_go(self, web: Shop) -> None:
        sku, beyond = web.sku(9), NodeFactory(account=web.account)
        other = web.another_node()
        stock(9, sku=sku, node=other)
        released, fetched, free = (
            web.accepted(line(sku)),
            web.accepted(line(sku), group=collected(web)),
            web.accepted(line(sku)),
        )
        send_to_node(only_line(released))

        def said(order: Order, node: Node, actor: Actor = ANNA) -> str:
            move = ReservedMove(claim_of(order).id, node.pk)
            with pytest.raises((Conflict, NotFound)) as refusal:
                move_reserved([move], "why", at=LATER, actor=actor)
            return refusal.value.detail

        assert "released to their node" in said(released, other)
        assert "The buyer of" in said(fetched, other)
        assert said(free, web.node) == "It is there."
        assert "does not ship for the channel" in said(free, beyond)
        assert "No order in your reach" in said(free, other, STRANGER)
        with pytest.raises(Invalid):
            move_reserved([ReservedMove(claim_of(free).id, other.pk)], " ", at=LATER, actor=ANNA)


class TestFreeUnits:
    def test_the_loser_is_sourced_again_at_once(self, web: Shop) -> None:
        sku = web.sku(2)
        stock(1, sku=sku, node=web.another_node())
        low = web.accepted(line(sku, 2))
        vip = web.accepted(line(sku, 2), priority=5, group=collected(web))
        given = [GiveWay(claim_of(low).id, 2)]
        assert only_line(vip).backordered == 2

        seen = preview_free_units(only_line(vip).pk, given, at=LATER, actor=ANNA)
        assert (only_line(vip).reserved, only_line(low).reserved) == (0, 2)
        done = free_units(only_line(vip).pk, given, "a VIP", at=LATER, actor=ANNA)

        assert seen == done
        (loser,) = done.losers
        assert (done.units, loser.number, loser.found, loser.waits) == (2, low.number, 1, 1)
        assert (only_line(vip).reserved, only_line(vip).backordered) == (2, 0)
        assert (only_line(low).reserved, only_line(low).backordered) == (1, 1)
        assert {"order.units_gained", "order.resourced"} <= set(told(vip))
        assert {"order.units_given_up", "order.resourced"} <= set(told(low))
        assert versions(low) >= 2
        reports = CaseReport.objects.filter(subject_id=low.pk).values_list("kind", flat=True)
        assert {"GAVE_WAY", "UNFILLABLE"} <= set(reports)
        assert order_of(vip.pk).deliver_by is not None

    def test_who_is_found_elsewhere_in_time_is_no_case(self, web: Shop) -> None:
        sku = web.sku(1)
        stock(1, sku=sku, node=web.another_node())
        low = web.accepted(line(sku))
        vip = web.accepted(line(sku), group=collected(web))

        done = free_units(
            only_line(vip).pk, [GiveWay(claim_of(low).id)], "a VIP", at=NOON, actor=ANNA
        )

        assert (done.losers[0].found, done.losers[0].later) == (1, False)
        assert not CaseReport.objects.filter(subject_id=low.pk).exists()

    def test_refuses_in_words_who_may_not_go_first(self, web: Shop) -> None:
        sku, apart = web.sku(3), web.sku(1)
        low, high, gone = (
            web.accepted(line(sku)),
            web.accepted(line(sku), priority=9),
            web.accepted(line(sku)),
        )
        send_to_node(only_line(gone))
        served, other = web.accepted(line(apart)), web.accepted(line(apart))
        vip = web.accepted(line(sku), priority=5)

        def said(winner: Order, loser: Order, units: int | None = None) -> str:
            with pytest.raises((Conflict, NotFound)) as refusal:
                free_units(
                    only_line(winner).pk,
                    [GiveWay(claim_of(loser).id, units)],
                    "why",
                    at=NOON,
                    actor=ANNA,
                )
            return refusal.value.detail

        assert "higher priority" in said(vip, high)
        assert "released to their node" in said(vip, gone)
        assert "reserves something else" in said(other, low)
        assert "waits for no stock" in said(served, low)
        assert "1 units of it are reserved" in said(vip, low, 2)
        assert (only_line(low).reserved, only_line(vip).reserved) == (1, 0)
