"""Taking, holding, waiting, giving back and committing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel import ids
from config.kernel.errors import Conflict, IllegalTransition, Invalid, NotFound
from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import Reservation
from inventory.types import Portion, StockChange
from tests.books import check_all
from tests.factories.inventory import ANNA, SkuFactory, future_want, reread, stock, want
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db


def row(reservation_id):
    return Reservation.objects.for_scope(ALL_ACCOUNTS).get(pk=reservation_id)


def take(position, quantity=1, **details):
    (taken,) = services.take([want(position, quantity, **details)], at=NOON, actor=ANNA).taken
    return taken.reservation_id


class TestTake:
    def test_serves_in_the_order_given_and_returns_the_rest(self):
        position = stock(5)
        wants = [want(position, 3), want(position, 3), want(position, 2)]

        result = services.take(wants, at=NOON, actor=ANNA)

        assert [taken.want for taken in result.taken] == [wants[0], wants[2]]
        assert result.lost == (wants[1],)
        assert reread(position.pk).reserved == 5
        assert check_all(about="stock.") == []

    def test_names_the_place_and_account_of_the_position_itself(self):
        position, stranger = stock(1), SkuFactory()
        mistaken = replace(
            want(position), sku_id=stranger.pk, node_id=0, account_id=stranger.account_id
        )

        (taken,) = services.take([mistaken], at=NOON, actor=ANNA).taken

        claim = row(taken.reservation_id)
        assert (claim.sku_id, claim.node_id, claim.account_id) == (
            position.sku_id,
            position.node_id,
            position.account_id,
        )

    def test_loses_what_names_no_position(self):
        position = stock(1)
        position.pk = position.id = 999_999

        result = services.take([want(position)], at=NOON, actor=ANNA)

        assert (result.taken, len(result.lost)) == ((), 1)

    def test_takes_nothing_from_a_position_in_shortfall(self):
        position = stock(2)
        take(position, 2)
        change = StockChange(position.node_id, position.sku_id, position.account_id, -1, "sale")
        services.record_changes([change], at=NOON, actor=ANNA)

        assert services.take([want(position)], at=NOON, actor=ANNA).taken == ()

    def test_refuses_a_want_of_nothing(self):
        with pytest.raises(Invalid):
            services.take([want(stock(1), 0)], at=NOON, actor=ANNA)

    @pytest.mark.parametrize(("size", "statements"), [(1, 1), (30, 1), (31, 3), (60, 3)])
    def test_costs_one_statement_or_three(self, size, statements, django_assert_num_queries):
        sku = SkuFactory()
        positions = [stock(2, sku=sku) for _ in range(size)]
        wants = [want(one) for one in positions]

        with django_assert_num_queries(statements):
            taken = services.take(wants, at=NOON, actor=ANNA).taken

        assert [one.want for one in taken] == wants
        assert {reread(one.pk).reserved for one in positions} == {1}

    def test_goes_on_from_what_it_has_locked_where_not_all_can_be_had(
        self, django_assert_num_queries
    ):
        full, short = stock(5), stock(1)
        wants = [want(short, 2), want(full, 5)]

        with django_assert_num_queries(3):
            result = services.take(wants, at=NOON, actor=ANNA)

        assert ([one.want for one in result.taken], result.lost) == ([wants[1]], (wants[0],))
        assert (reread(full.pk).reserved, reread(short.pk).reserved) == (5, 0)

    def test_serves_two_wants_of_one_position_one_after_the_other(self):
        position = stock(5)
        wants = [want(position, 2), want(position, 4), want(position, 3)]

        result = services.take(wants, at=NOON, actor=ANNA)

        assert ([one.want for one in result.taken], result.lost) == (wants[::2], (wants[1],))

    @pytest.mark.parametrize(
        ("times", "guard"),
        [
            (1, "free >= quantity"),
            (2, "p.sellable - p.reserved - p.buffer - p.landed >= need.quantity"),
        ],
    )
    def test_locks_by_ascending_id_before_it_writes(self, times, guard):
        positions = [stock(2) for _ in range(3)]
        wants = [want(one) for one in reversed(positions)] * times

        with CaptureQueriesContext(connection) as captured:
            services.take(wants, at=NOON, actor=ANNA)

        said = " ".join(query["sql"] for query in captured)
        lock, update = said.rindex("id FOR UPDATE"), said.index("UPDATE inventory_stockposition")
        assert lock < update < said.index("INSERT INTO inventory_reservation")
        assert guard in said


class TestTakeAgain:
    def test_takes_what_nobody_holds(self):
        position = stock(1)

        assert len(services.take_again([want(position)], at=NOON, actor=ANNA).taken) == 1


class TestHold:
    def test_reserves_until_it_expires(self):
        position = stock(2)
        with transaction.atomic():
            services.hold(
                [want(position, 2)], until=NOON + timedelta(minutes=15), at=NOON, actor=ANNA
            )

        assert services.expire_held(10, at=NOON + timedelta(minutes=14), actor=ANNA) == 0
        assert reread(position.pk).reserved == 2
        assert services.expire_held(10, at=NOON + timedelta(minutes=15), actor=ANNA) == 1
        assert reread(position.pk).reserved == 0
        assert check_all(about="stock.") == []

    def test_is_confirmed_by_the_order(self):
        position = stock(2)
        held = services.hold([want(position)], until=NOON, at=NOON, actor=ANNA).taken[0]

        services.confirm_held([held.reservation_id], at=NOON, actor=ANNA)

        assert row(held.reservation_id).state == "reserved"
        assert services.expire_held(10, at=NOON, actor=ANNA) == 0

    def test_is_not_confirmed_once_expired(self):
        position = stock(2)
        held = services.hold([want(position)], until=NOON, at=NOON, actor=ANNA).taken[0]
        services.expire_held(10, at=NOON, actor=ANNA)

        with pytest.raises(IllegalTransition):
            services.confirm_held([held.reservation_id], at=NOON, actor=ANNA)


class TestRelease:
    def test_gives_units_back_in_portions(self):
        position = stock(3)
        claim = take(position, 3)

        services.release([Portion(claim, 1), Portion(claim, 1)], "edit", at=NOON, actor=ANNA)
        assert (row(claim).state, reread(position.pk).reserved) == ("reserved", 1)

        services.release([Portion(claim, 1)], "cancelled", at=NOON, actor=ANNA)
        assert (row(claim).state, row(claim).release_reason) == ("released", "cancelled")
        assert reread(position.pk).reserved == 0
        assert check_all(about="stock.") == []

    def test_refuses_more_than_is_open_and_changes_nothing(self):
        position = stock(3)
        claim = take(position, 3)

        with pytest.raises(Conflict):
            services.release([Portion(claim, 4)], "edit", at=NOON, actor=ANNA)

        assert reread(position.pk).reserved == 3

    def test_refuses_what_does_not_exist(self):
        with pytest.raises(NotFound):
            services.release([Portion(ids.uuid7(), 1)], "edit", at=NOON, actor=ANNA)

    def test_settles_a_shortfall(self):
        position = stock(3)
        claim = take(position, 3)
        change = StockChange(position.node_id, position.sku_id, position.account_id, -2, "sale")
        services.record_changes([change], at=NOON, actor=ANNA)

        services.release([Portion(claim, 2)], "resourced", at=NOON, actor=ANNA)

        assert reread(position.pk).shortfall == 0
        assert check_all(about="stock.") == []

    @pytest.mark.parametrize("size", [1, 30])
    def test_costs_the_same_for_any_number(self, size, django_assert_num_queries):
        sku = SkuFactory()
        claims = [take(stock(1, sku=sku)) for _ in range(size)]

        with django_assert_num_queries(5):
            services.release([Portion(claim, 1) for claim in claims], "edit", at=NOON, actor=ANNA)


class TestCommit:
    def test_moves_reserved_to_committed_and_may_be_repeated(self):
        claim = take(stock(1))

        services.commit([claim], at=NOON, actor=ANNA)
        services.commit([claim], at=NOON, actor=ANNA)

        assert row(claim).state == "committed"

    def test_refuses_what_was_given_back(self):
        claim = take(stock(1))
        services.release([Portion(claim, 1)], "edit", at=NOON, actor=ANNA)

        with pytest.raises(IllegalTransition):
            services.commit([claim], at=NOON, actor=ANNA)


class TestTakeLanded:
    def landed(self, waited, received):
        position = stock(0)
        queued = future_want(position.sku, waited)
        services.reserve_future([queued], at=NOON, actor=ANNA)
        change = StockChange(
            position.node_id, position.sku_id, position.account_id, received, "receipt"
        )
        services.record_changes([change], at=NOON, actor=ANNA)
        return position, queued

    def test_turns_the_waiting_reservation_into_the_claim(self):
        position, queued = self.landed(waited=2, received=5)

        result = services.take_landed(
            [want(position, 2, demand_id=queued.demand_id)], at=NOON, actor=ANNA
        )

        (claim,) = Reservation.objects.for_scope(ALL_ACCOUNTS)
        assert result.taken[0].reservation_id == claim.pk
        assert (claim.state, claim.position_id) == ("reserved", position.pk)
        assert (reread(position.pk).reserved, reread(position.pk).landed) == (2, 0)
        assert check_all(about="stock.") == []

    def test_serves_in_part_with_a_claim_of_its_own(self):
        position, queued = self.landed(waited=5, received=2)

        services.take_landed([want(position, 2, demand_id=queued.demand_id)], at=NOON, actor=ANNA)

        waiting, claim = Reservation.objects.for_scope(ALL_ACCOUNTS).order_by("pk")
        assert (waiting.state, waiting.open) == ("waiting", 3)
        assert (claim.state, claim.quantity) == ("reserved", 2)
        assert check_all(about="stock.") == []

    def test_keeps_landed_units_from_everybody_else(self):
        position, _ = self.landed(waited=2, received=2)

        assert services.take([want(position)], at=NOON, actor=ANNA).taken == ()
