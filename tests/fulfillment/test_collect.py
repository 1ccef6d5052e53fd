from datetime import timedelta

import pytest

from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from fulfillment.models import Parcel
from fulfillment.services import collect, expire_pickups, put_back
from fulfillment.states import FulfillmentState, ParcelState
from fulfillment.types import Collection, Content
from inventory.models import Reservation
from tests.factories.fulfillment import BEN, line_of, packed, ready, work
from tests.factories.inventory import reread
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db
TOO_LATE = NOON + timedelta(days=8)


def reservation_of(order) -> Reservation:
    return Reservation.objects.for_scope(ALL_ACCOUNTS).get(pk=line_of(order).reservation_id)


class TestCollect:
    def test_hands_everything_over_as_shipped_and_delivered(self):
        placed, order = ready(2)

        outcome = collect([Collection(order.pk, collected_by="proxy")], at=NOON, actor=BEN)[0]

        assert outcome.value.state == FulfillmentState.COLLECTED
        assert work(order.pk).collected_by == "proxy"
        line = placed.line()
        assert (line.released, line.shipped, line.delivered) == (0, 2, 2)
        assert reservation_of(order).open == 0
        taken = Parcel.objects.for_scope(ALL_ACCOUNTS).get()
        assert (taken.state, taken.lines.get().quantity) == (ParcelState.DELIVERED, 2)

    def test_hands_over_a_part_and_keeps_the_rest(self):
        placed, order = ready(2)
        part = (Content(line_of(order).pk, 1),)

        collect([Collection(order.pk, part)], at=NOON, actor=BEN)

        assert work(order.pk).state == FulfillmentState.READY_FOR_PICKUP
        assert (line_of(order).packed, placed.line().delivered) == (1, 1)

    def test_is_harmless_twice(self):
        placed, order = ready(2)
        collect([Collection(order.pk)], at=NOON, actor=BEN)

        again = collect([Collection(order.pk)], at=NOON, actor=BEN)[0]

        assert again.kind is OutcomeKind.REPEATED
        assert placed.line().delivered == 2

    def test_refuses_more_than_lies_ready_and_what_goes_by_parcel(self):
        _, order = ready(2)
        _, by_parcel, _ = packed()
        part = (Content(line_of(order).pk, 3),)

        outcomes = collect(
            [Collection(order.pk, part), Collection(by_parcel.pk)], at=NOON, actor=BEN
        )

        assert [o.problem.code for o in outcomes] == ["too-many", "illegal-transition"]

    def test_costs_the_same_statements_for_one_as_for_eight(self, statements):
        taken = [Collection(ready(1)[1].pk) for _ in range(9)]

        one = statements(lambda: collect(taken[:1], at=NOON, actor=BEN))
        eight = statements(lambda: collect(taken[1:], at=NOON, actor=BEN))

        assert eight == one


class TestExpirePickups:
    def test_closes_what_nobody_came_for_with_a_case(self):
        placed, order = ready(2)
        _, fresh = ready(1)
        type(fresh).objects.for_scope(ALL_ACCOUNTS).filter(pk=fresh.pk).update(
            collect_by=TOO_LATE + timedelta(days=1)
        )

        assert expire_pickups(limit=50, at=TOO_LATE, actor=BEN) == 1

        assert work(order.pk).state == FulfillmentState.EXPIRED
        assert work(fresh.pk).state == FulfillmentState.READY_FOR_PICKUP
        assert CaseReport.objects.get().subject_id == order.pk
        assert (placed.line().released, line_of(order).packed) == (2, 2)

    def test_still_hands_over_to_a_buyer_who_comes_late(self):
        _, order = ready(2)
        expire_pickups(limit=50, at=TOO_LATE, actor=BEN)

        collect([Collection(order.pk)], at=TOO_LATE, actor=BEN)

        assert work(order.pk).state == FulfillmentState.COLLECTED


class TestPutBack:
    def test_makes_the_units_sellable_again_and_cancels_them(self):
        placed, order = ready(2)
        position_id = reservation_of(order).position_id
        expire_pickups(limit=50, at=TOO_LATE, actor=BEN)
        assert reread(position_id).reserved == 2

        outcome = put_back([order.pk], at=TOO_LATE, actor=BEN)[0]

        assert outcome.ok
        assert reread(position_id).reserved == 0
        assert (placed.line().released, placed.line().cancelled) == (0, 2)
        assert work(order.pk).state == FulfillmentState.EXPIRED

    def test_is_harmless_twice_and_refused_while_the_buyer_may_come(self):
        _, order = ready(2)
        assert put_back([order.pk], at=NOON, actor=BEN)[0].problem.code == "illegal-transition"
        expire_pickups(limit=50, at=TOO_LATE, actor=BEN)
        put_back([order.pk], at=TOO_LATE, actor=BEN)

        assert put_back([order.pk], at=TOO_LATE, actor=BEN)[0].kind is OutcomeKind.REPEATED
