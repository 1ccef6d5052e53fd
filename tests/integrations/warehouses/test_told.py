"""What warehouses tell has its effect once, in whatever message, and what cannot be is one case."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

import inventory.selectors
from config.kernel import ids
from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import NodeRequest, Parcel
from fulfillment.services import time_out_requests
from fulfillment.states import RequestState
from integrations import services
from integrations.models import InboxMessage
from integrations.services.inbox import ATTEMPTS
from inventory.models import CountRequest, Movement, StockPosition
from inventory.types import SubjectTag, subject_id
from orders.services import cancel_units
from orders.types import CancelRequest
from tests.books import check_all
from tests.factories.fulfillment import BEN, line_of, work
from tests.factories.inventory import stock
from tests.factories.kernel import NOON
from tests.factories.warehouses import (
    LATER,
    a_warehouse,
    cases,
    event,
    message,
    no_such_id,
    sent,
    tell,
    units,
)

pytestmark = pytest.mark.django_db


def sellable(sku, node) -> int:
    return StockPosition.objects.for_scope(ALL_ACCOUNTS).get(sku=sku, node=node).sellable


def try_until_dead(found: InboxMessage) -> InboxMessage:
    for _ in range(ATTEMPTS):
        services.apply_messages([found.pk], at=LATER, actor=BEN)
    found.refresh_from_db()
    return found


@pytest.fixture
def warehouse():
    """A warehouse with an order of three units: (connection, SKU, node, placed, work)."""
    ref, sku, node = a_warehouse()
    placed, order = sent(ref, sku, node, 3)
    return ref, sku, node, placed, order


class TestAWholeWay:
    def test_goes_from_taking_on_to_the_door(self, warehouse):
        ref, _, _, placed, order = warehouse
        number = order.number
        box = {"id": "B-1", "lines": units(3), "carrier": "paper", "tracking_number": "T-9"}

        tell(ref, event("order.acknowledged", order=number, reference="WMS-7"))
        tell(ref, event("order.picked", order=number, lines=units(3)))
        tell(ref, event("order.packed", order=number, parcel=box))
        told = tell(ref, event("order.shipped", order=number, parcel={**box, "lines": []}))

        assert (told.state, told.subject_id) == ("applied", order.pk)
        assert (work(order.pk).state, work(order.pk).external_id) == ("shipped", "WMS-7")
        assert Parcel.objects.for_scope(ALL_ACCOUNTS).get().tracking_number == "T-9"
        assert placed.line().shipped == 3
        assert check_all() == []

    def test_takes_several_events_of_one_message(self, warehouse):
        ref, *_, order = warehouse
        box = {"id": "B-1", "lines": units(3)}

        tell(
            ref,
            event("order.acknowledged", order=order.number),
            event("order.packed", order=order.number, parcel=box),
            event("order.shipped", order=order.number, parcel=box),
        )

        assert work(order.pk).state == "shipped"
        assert check_all() == []

    def test_closes_a_parcel_whose_packing_was_lost(self, warehouse):
        ref, *_, order = warehouse

        tell(ref, event("order.shipped", order=order.number, parcel={"id": "B", "lines": units(3)}))

        assert line_of(order).shipped == 3


class TestOnce:
    def test_an_event_counts_once_in_whatever_message_it_comes(self, warehouse):
        ref, *_, order = warehouse
        packed = event("order.packed", order=order.number, parcel={"id": "B", "lines": units(2)})
        tell(ref, packed)

        again = tell(ref, packed)

        assert (again.state, again.code) == ("ignored", "repeated")
        assert line_of(order).packed == 2

    def test_totals_that_are_told_again_change_nothing(self, warehouse):
        ref, *_, order = warehouse
        tell(ref, event("order.picked", order=order.number, lines=units(2)))

        again = tell(ref, event("order.picked", order=order.number, lines=units(2)))

        assert again.code == "repeated"
        assert line_of(order).picked == 2

    def test_partial_totals_add_up_to_the_whole(self, warehouse):
        ref, *_, order = warehouse

        tell(ref, event("order.acknowledged", order=order.number, lines=units(1)))
        tell(ref, event("order.acknowledged", order=order.number, lines=units(1)))
        assert (line_of(order).accepted, line_of(order).waiting) == (1, 2)

        tell(ref, event("order.acknowledged", order=order.number, lines=units(3)))
        assert (line_of(order).accepted, line_of(order).waiting) == (3, 0)


class TestWhatCannotBe:
    def test_more_taken_on_than_asked_for_is_one_case_and_the_rest_is_taken_on(self, warehouse):
        ref, *_, order = warehouse

        for _ in range(2):
            told = tell(ref, event("order.acknowledged", order=order.number, lines=units(5)))

        assert line_of(order).accepted == 3
        assert len(cases("WAREHOUSE_DISAGREES")) == 1
        assert told.state == "ignored"

    def test_more_picked_than_wanted_is_one_case(self, warehouse):
        ref, *_, order = warehouse

        tell(ref, event("order.picked", order=order.number, lines=units(4)))

        assert line_of(order).picked == 3
        assert CaseReport.objects.get().evidence["code"] == "over-picked"

    def test_a_line_that_the_order_does_not_have_is_one_case(self, warehouse):
        ref, *_, order = warehouse

        tell(ref, event("order.picked", order=order.number, lines=units(1, 9)))

        assert CaseReport.objects.get().evidence["line"] == 9

    def test_a_rejection_of_picked_units_is_one_case(self, warehouse):
        ref, *_, order = warehouse
        tell(ref, event("order.picked", order=order.number, lines=units(3)))

        told = tell(ref, event("order.rejected", order=order.number, reason="no_capacity"))

        assert (told.state, told.code) == ("ignored", "begun")
        assert len(cases("WAREHOUSE_DISAGREES")) == 1

    def test_units_picked_before_they_fell_short_are_no_contradiction(self, warehouse):
        ref, *_, order = warehouse
        tell(ref, event("order.short", order=order.number, lines=units(1, reason="damaged")))

        tell(ref, event("order.picked", order=order.number, lines=units(3)))

        assert (line_of(order).picked, line_of(order).short) == (2, 1)
        assert cases("WAREHOUSE_DISAGREES") == set()


class TestWhatHasNotCome:
    def test_an_order_that_nobody_knows_waits_and_becomes_one_case(self, warehouse):
        ref = warehouse[0]
        told = tell(ref, event("order.acknowledged", order="FO-999999"))
        assert (told.state, told.code) == ("received", "no-order")

        assert try_until_dead(told).state == "dead"
        assert len(cases("INBOX_DEAD")) == 1

    def test_an_order_of_another_node_is_unknown(self, warehouse):
        *_, order = warehouse
        stranger, *_ = a_warehouse()

        told = tell(stranger, event("order.acknowledged", order=order.number))

        assert told.code == "no-order"
        assert work(order.pk).state == "released"

    def test_a_parcel_that_left_waits_for_its_contents(self, warehouse):
        ref, *_, order = warehouse
        told = tell(ref, event("order.shipped", order=order.number, parcel={"id": "B"}))
        assert told.code == "no-parcel"

        box = {"id": "B", "lines": units(3)}
        tell(ref, event("order.packed", order=order.number, parcel=box))
        services.apply_messages([told.pk], at=LATER, actor=BEN)

        assert work(order.pk).state == "shipped"

    def test_the_rest_of_the_message_has_its_effect(self, warehouse):
        ref, *_, order = warehouse

        told = tell(
            ref,
            event("order.acknowledged", order="FO-999999"),
            event("order.acknowledged", order=order.number),
        )

        assert told.state == "received"
        assert work(order.pk).state == "acknowledged"

    def test_what_is_not_the_protocol_is_dead_at_once(self, warehouse):
        ref = warehouse[0]

        assert tell(ref, event("order.teleported", order="FO-1")).state == "dead"
        assert tell(ref, event("order.picked", order="FO-1", lines=units(-1))).state == "dead"


class TestAnswers:
    def asked(self, warehouse):
        ref, *_, placed, order = warehouse
        cancel_units([CancelRequest(placed.order.pk, reason="changed my mind")], at=NOON, actor=BEN)
        return ref, placed, order, NodeRequest.objects.for_scope(ALL_ACCOUNTS).get()

    def test_cancel_what_is_granted(self, warehouse):
        ref, placed, order, request = self.asked(warehouse)

        tell(ref, event("request.answered", request=str(request.pk), granted=3))

        assert (placed.line().cancelled, work(order.pk).state) == (3, "cancelled")
        assert check_all() == []

    def test_are_the_truth_also_late(self, warehouse):
        ref, placed, _, request = self.asked(warehouse)
        late = NOON + timedelta(hours=5)
        time_out_requests(limit=5, at=late, actor=BEN)

        tell(ref, event("request.answered", request=str(request.pk), granted=1), at=late)

        request.refresh_from_db()
        assert (request.state, placed.line().cancelled) == (RequestState.PARTLY, 1)

    def test_that_contradict_the_first_are_one_case(self, warehouse):
        ref, _, _, request = self.asked(warehouse)
        tell(ref, event("request.answered", request=str(request.pk), granted=3))

        tell(ref, event("request.answered", request=str(request.pk), granted=1))

        assert len(cases("WAREHOUSE_DISAGREES")) == 1

    def test_to_what_was_never_asked_wait(self, warehouse):
        told = tell(warehouse[0], event("request.answered", request=no_such_id(), granted=1))

        assert told.code == "no-request"


class TestStock:
    def test_changes_count_once(self, warehouse):
        ref, sku, node, *_ = warehouse
        before = sellable(sku, node)
        moved = event("stock.changed", sku=sku.code, quantity=7, reason="receipt")

        first, again = tell(ref, moved), tell(ref, moved)

        assert (first.state, again.code) == ("applied", "repeated")
        assert sellable(sku, node) == before + 7
        assert check_all() == []

    def test_a_snapshot_is_the_book(self, warehouse):
        ref, sku, node, *_ = warehouse
        rows = [{"sku": sku.code, "quantity": 5}]

        tell(ref, event("stock.snapshot", as_of=NOON.isoformat(), rows=rows))

        assert sellable(sku, node) == 5

    def test_what_happened_before_a_snapshot_is_in_it(self, warehouse):
        ref, sku, node, _, order = warehouse
        rows = [{"sku": sku.code, "quantity": 5}]
        tell(ref, event("stock.snapshot", as_of=LATER.isoformat(), rows=rows))
        then = LATER - timedelta(minutes=1)

        box = {"id": "B", "lines": units(3)}
        tell(ref, event("order.shipped", at=then, order=order.number, parcel=box))
        tell(ref, event("stock.changed", at=then, sku=sku.code, quantity=-1, reason="damage"))

        assert sellable(sku, node) == 5
        assert check_all() == []

    def test_an_older_snapshot_changes_nothing(self, warehouse):
        ref, sku, node, *_ = warehouse
        new, old = [{"sku": sku.code, "quantity": 5}], [{"sku": sku.code, "quantity": 9}]
        tell(ref, event("stock.snapshot", as_of=LATER.isoformat(), rows=new))

        told = tell(ref, event("stock.snapshot", as_of=NOON.isoformat(), rows=old))

        assert (told.state, sellable(sku, node)) == ("ignored", 5)

    def test_an_unknown_sku_waits(self, warehouse):
        told = tell(warehouse[0], event("stock.changed", sku="NOBODY", quantity=1))

        assert told.code == "unknown-sku"

    def test_a_count_answers_the_short_that_asked_for_it(self, warehouse):
        ref, sku, node, _, order = warehouse
        tell(ref, event("order.short", order=order.number, lines=units(1)))
        count = CountRequest.objects.for_scope(ALL_ACCOUNTS).get()
        key = str(subject_id(SubjectTag.COUNT_REQUEST, count.pk))

        tell(ref, event("stock.counted", at=LATER, count=key, sku=sku.code, quantity=4))

        assert sellable(sku, node) == 4
        assert check_all() == []

    def test_a_stocktake_answers_the_short_and_has_it_sourced_again(self, warehouse):
        ref, sku, node, _, order = warehouse
        tell(ref, event("order.short", order=order.number, lines=units(1)))
        rows = [
            {"sku": sku.code, "quantity": 3, "location": "A-1"},
            {"sku": sku.code, "quantity": 4, "location": "B-7"},
        ]
        list_ = event("stock.stocktake", counted_at=LATER.isoformat(), rows=rows)

        told, again = tell(ref, list_), tell(ref, list_)

        assert (told.state, again.code) == ("applied", "repeated")
        assert sellable(sku, node) == 7
        count = CountRequest.objects.for_scope(ALL_ACCOUNTS).get()
        assert (count.state, count.counted) == ("answered", 7)
        assert not inventory.selectors.exclusions([sku.pk], LATER)
        kinds = Movement.objects.for_scope(ALL_ACCOUNTS).filter(sku_id=sku.pk)
        assert "count" in set(kinds.values_list("kind", flat=True))
        assert check_all() == []

    def test_an_older_stocktake_leaves_what_was_counted_later(self, warehouse):
        ref, sku, node, *_ = warehouse
        rows = [{"sku": sku.code, "quantity": 5}]
        tell(ref, event("stock.snapshot", as_of=LATER.isoformat(), rows=rows))
        before = (LATER - timedelta(minutes=5)).isoformat()
        rows = [{"sku": sku.code, "quantity": 9}]

        tell(ref, event("stock.stocktake", counted_at=before, rows=rows))

        assert sellable(sku, node) == 5

    def test_goods_of_others_lie_in_the_same_heap(self, warehouse):
        ref, sku, node, *_ = warehouse
        theirs = stock(3, sku=sku, node=node, owner_id=ids.uuid7())
        rows = [{"sku": sku.code, "quantity": 8}]

        tell(ref, event("stock.snapshot", as_of=LATER.isoformat(), rows=rows))

        own = StockPosition.objects.for_scope(ALL_ACCOUNTS).get(
            sku=sku, node=node, owner_id=F("account_id")
        )
        assert own.sellable == 5
        theirs.refresh_from_db()
        assert theirs.sellable == 3


def test_messages_of_a_batch_take_effect_together(warehouse):
    ref, sku, node, _, order = warehouse
    _, other = sent(ref, sku, node, 2)
    box = {"id": "B", "lines": units(3)}

    services.take_in_all(
        ref,
        [
            message(event("order.shipped", order=order.number, parcel=box)),
            message(event("order.short", order=other.number, lines=units(2))),
            message(event("stock.changed", sku=sku.code, quantity=4)),
            message(event("order.packed", order=order.number, parcel=box)),
        ],
        at=LATER,
        actor=ref.actor(),
    )

    states = set(InboxMessage.objects.for_scope(ALL_ACCOUNTS).values_list("state", flat=True))
    assert states == {"applied"}
    assert (work(order.pk).state, line_of(other).short) == ("shipped", 2)
    assert check_all() == []


def test_statements_do_not_grow_with_the_messages():
    def counted(orders: int) -> int:
        ref, sku, node = a_warehouse()
        found = []
        for _ in range(orders):
            _, order = sent(ref, sku, node, 3)
            box = {"id": "B", "lines": units(2)}
            found.append(
                message(
                    event("order.picked", order=order.number, lines=units(2)),
                    event("order.short", order=order.number, lines=units(1)),
                    event("order.shipped", order=order.number, parcel=box),
                    event("stock.changed", sku=sku.code, quantity=1),
                )
            )
        with CaptureQueriesContext(connection) as seen:
            services.take_in_all(ref, found, at=LATER, actor=ref.actor())
        return sum("SAVEPOINT" not in query["sql"] for query in seen.captured_queries)

    assert counted(6) == counted(2)
