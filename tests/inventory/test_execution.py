"""Issue, put back, shortages, counts: what the node reports of its shelves."""

from datetime import date, timedelta

import pytest

from config.kernel import ids
from config.kernel.errors import Conflict, IllegalTransition, Invalid, NotFound
from config.kernel.models import CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Scope
from inventory import selectors, services
from inventory.models import CountRequest, Movement, Reservation, StockLevel
from inventory.types import (
    ExclusionWanted,
    IssuedPortion,
    Portion,
    Shortage,
    SnapshotRow,
    StockChange,
    SubjectTag,
    pk_of,
    subject_id,
    tag_of,
)
from tests.books import check_all
from tests.factories.inventory import ANNA, CountRequestFactory, SkuFactory, reread, stock, want
from tests.factories.kernel import NOON, AccountFactory

pytestmark = pytest.mark.django_db

PARCEL = ids.uuid7()


def committed(position, quantity):
    (taken,) = services.take([want(position, quantity)], at=NOON, actor=ANNA).taken
    services.commit([taken.reservation_id], at=NOON, actor=ANNA)
    return taken.reservation_id


def row(reservation_id):
    return Reservation.objects.for_scope(ALL_ACCOUNTS).get(pk=reservation_id)


def levels(position):
    found = StockLevel.objects.for_scope(ALL_ACCOUNTS).filter(position_id=position.pk)
    return {(level.condition, level.lot): level.on_hand for level in found if level.on_hand}


def receipt(position, quantity, **details):
    change = StockChange(
        position.node_id, position.sku_id, position.account_id, quantity, "receipt", **details
    )
    services.record_changes([change], at=NOON, actor=ANNA)


def issue(claim, quantity, at=NOON):
    services.issue([Portion(claim, quantity)], "parcel", PARCEL, at=at, actor=ANNA)


class TestIssue:
    def test_consumes_the_reservation_and_lowers_on_hand(self):
        position = stock(5)
        claim = committed(position, 3)

        issue(claim, 2)
        assert (row(claim).state, row(claim).consumed) == ("committed", 2)
        issue(claim, 1)

        position = reread(position.pk)
        assert (position.sellable, position.reserved) == (2, 0)
        assert row(claim).state == "consumed"
        assert check_all(about="stock.") == []

    def test_takes_the_lot_that_expires_first(self):
        position = stock(2, lot="LATE", expires_on=date(2027, 1, 1))
        receipt(position, 2, lot="SOON", expires_on=date(2026, 4, 1))

        issue(committed(position, 3), 3)

        assert levels(position) == {("available", "LATE"): 1}

    def test_is_a_fact_beyond_the_book(self):
        position = stock(3)
        claim = committed(position, 3)
        sale = StockChange(position.node_id, position.sku_id, position.account_id, -2, "sale")
        services.record_changes([sale], at=NOON, actor=ANNA)

        issue(claim, 3)

        position = reread(position.pk)
        assert (position.sellable, position.reserved, position.shortfall) == (0, 0, 0)
        assert set(CaseReport.objects.values_list("kind", flat=True)) == {
            "SHORTFALL",
            "STOCK_DISCREPANCY",
        }
        assert check_all(about="stock.") == []

    def test_does_not_lower_again_what_a_snapshot_has_counted_already(self):
        position = stock(5)
        claim = committed(position, 2)
        services.apply_snapshot(
            position.node_id, "wms", NOON, [SnapshotRow(position.sku_id, 3)], at=NOON, actor=ANNA
        )

        issue(claim, 2, at=NOON - timedelta(minutes=1))

        position = reread(position.pk)
        assert (position.sellable, position.reserved) == (3, 0)
        assert row(claim).state == "consumed"
        assert check_all(about="stock.") == []

    def test_refuses_more_than_is_open(self):
        with pytest.raises(Conflict):
            issue(committed(stock(2), 2), 3)

    def test_refuses_a_cart(self):
        position = stock(1)
        held = services.hold([want(position)], until=NOON, at=NOON, actor=ANNA).taken[0]

        with pytest.raises(Conflict):
            issue(held.reservation_id, 1)

    @pytest.mark.parametrize("size", [1, 30])
    def test_costs_the_same_for_any_number(self, size, django_assert_num_queries):
        sku = SkuFactory()
        claims = [committed(stock(2, sku=sku), 1) for _ in range(size)]

        with django_assert_num_queries(8):
            services.issue(
                [Portion(claim, 1) for claim in claims], "parcel", PARCEL, at=NOON, actor=ANNA
            )

    def test_locks_positions_then_reservations_then_writes(self, django_assert_num_queries):
        claim = committed(stock(2), 1)

        with django_assert_num_queries(8) as captured:
            issue(claim, 1)

        locked = [query["sql"] for query in captured if "FOR UPDATE" in query["sql"]]
        tables = ["inventory_stockposition", "inventory_stocklevel", "inventory_reservation"]
        assert [name in sql for name, sql in zip(tables, locked, strict=True)] == [True] * 3


class TestPutBack:
    def test_restores_lots_and_claim(self):
        position = stock(1, lot="SOON", expires_on=date(2026, 4, 1))
        receipt(position, 2, lot="LATE", expires_on=date(2027, 1, 1))
        claim = committed(position, 2)
        issue(claim, 2)

        services.put_back([IssuedPortion(claim, 2, "parcel", PARCEL)], at=NOON, actor=ANNA)

        assert levels(position) == {("available", "SOON"): 1, ("available", "LATE"): 2}
        assert (row(claim).state, row(claim).consumed) == ("committed", 0)
        assert reread(position.pk).reserved == 2
        assert check_all(about="stock.") == []

    def test_refuses_more_than_had_left(self):
        claim = committed(stock(2), 2)
        issue(claim, 1)

        with pytest.raises(Conflict):
            services.put_back([IssuedPortion(claim, 2, "parcel", PARCEL)], at=NOON, actor=ANNA)


class TestRecordShortages:
    def short(self, claim, quantity, reason="short"):
        services.record_shortages([Shortage(claim, quantity, reason)], at=NOON, actor=ANNA)

    def test_sets_the_units_apart_and_asks_for_a_count(self):
        position = stock(5)
        claim = committed(position, 3)

        self.short(claim, 2)

        assert levels(position) == {("available", ""): 3, ("count_pending", ""): 2}
        position = reread(position.pk)
        assert (position.sellable, position.reserved, position.shortfall) == (3, 1, 0)
        assert (row(claim).state, row(claim).released) == ("committed", 2)
        request = CountRequest.objects.for_scope(ALL_ACCOUNTS).get()
        event = Event.objects.for_scope(ALL_ACCOUNTS).get(topic="count.requested")
        assert event.subject_id == subject_id(SubjectTag.COUNT_REQUEST, request.pk)
        assert check_all(about="stock.") == []

    def test_fails_a_reservation_that_gets_nothing(self):
        claim = committed(stock(2), 2)

        self.short(claim, 2)

        assert row(claim).state == "failed"

    def test_keeps_the_sku_from_being_sourced_there_for_a_day(self):
        position = stock(2)
        place = (position.node_id, position.sku_id)

        self.short(committed(position, 1), 1)

        day = timedelta(hours=24)
        assert selectors.exclusions([position.sku_id], NOON) == {place}
        assert selectors.exclusions([position.sku_id], NOON + day) == set()

    def test_puts_damaged_units_where_they_are_not_sold(self):
        position = stock(3)

        self.short(committed(position, 2), 2, "damaged")

        assert levels(position) == {("available", ""): 1, ("damaged", ""): 2}

    def test_asks_once_for_the_same_place(self):
        position = stock(4)
        first, second = committed(position, 2), committed(position, 2)

        self.short(first, 1)
        self.short(second, 1)

        assert CountRequest.objects.for_scope(ALL_ACCOUNTS).count() == 1
        assert Event.objects.for_scope(ALL_ACCOUNTS).filter(topic="count.requested").count() == 1

    def test_refuses_an_unknown_reason(self):
        with pytest.raises(Conflict):
            self.short(committed(stock(1), 1), 1, "lost")


class TestAnswerCount:
    def asked(self, units, short):
        position = stock(units)
        claim = committed(position, short)
        services.record_shortages([Shortage(claim, short, "short")], at=NOON, actor=ANNA)
        return position, CountRequest.objects.for_scope(ALL_ACCOUNTS).get()

    @pytest.mark.parametrize("counted", [0, 3, 5, 8])
    def test_makes_the_book_say_what_was_counted(self, counted):
        position, request = self.asked(units=5, short=2)

        services.answer_count(request.pk, counted, at=NOON, actor=ANNA)

        assert levels(position) == ({("available", ""): counted} if counted else {})
        assert reread(position.pk).counted_at == NOON
        assert selectors.exclusions([position.sku_id], NOON) == set()
        event = Event.objects.for_scope(ALL_ACCOUNTS).get(topic="count.answered")
        assert (event.data["counted"], event.seq) == (counted, 2)
        assert check_all(about="stock.") == []

    def test_leaves_a_shortfall_when_less_was_found_than_is_reserved(self):
        position, request = self.asked(units=5, short=1)
        committed(position, 4)

        services.answer_count(request.pk, 2, at=NOON, actor=ANNA)

        assert reread(position.pk).shortfall == 2
        assert check_all(about="stock.") == []

    def test_is_answered_once(self):
        _, request = self.asked(units=5, short=1)
        services.answer_count(request.pk, 5, at=NOON, actor=ANNA)

        with pytest.raises(IllegalTransition):
            services.answer_count(request.pk, 5, at=NOON, actor=ANNA)

    def test_refuses_a_negative_count(self):
        with pytest.raises(Invalid):
            services.answer_count(CountRequestFactory().pk, -1, at=NOON, actor=ANNA)

    def test_is_not_found_by_another_account(self):
        request = CountRequestFactory()
        stranger = Actor(ActorKind.USER, "x", "x", Scope(frozenset({AccountFactory().pk})))

        with pytest.raises(NotFound):
            services.answer_count(request.pk, 1, at=NOON, actor=stranger)


class TestExclude:
    def test_keeps_the_later_end_and_is_lifted(self):
        position = stock(1)
        place = (position.node_id, position.sku_id)
        for hours in (5, 2):
            until = NOON + timedelta(hours=hours)
            services.exclude([ExclusionWanted(*place, until, "recall")], at=NOON, actor=ANNA)

        assert selectors.exclusions([position.sku_id], NOON + timedelta(hours=3)) == {place}
        assert services.lift_exclusions([place], at=NOON, actor=ANNA) == 1
        assert selectors.exclusions([position.sku_id], NOON) == set()


class TestSubjectIds:
    @pytest.mark.parametrize("tag", SubjectTag)
    def test_are_uuids_that_lead_back_to_their_row(self, tag):
        subject = subject_id(tag, 123_456)

        assert (pk_of(subject), tag_of(subject), subject.version) == (123_456, tag, 8)


class TestTheLedger:
    def test_tells_who_moved_what_and_why(self):
        position = stock(5)
        issue(committed(position, 2), 2)

        latest = selectors.ledger(ALL_ACCOUNTS, position_id=position.pk)[0]

        assert (latest.kind, latest.quantity, latest.balance) == ("issue", -2, 3)
        assert (latest.cause_kind, latest.cause_id, latest.actor_name) == ("parcel", PARCEL, "anna")
        assert Movement.objects.for_scope(ALL_ACCOUNTS).count() == 2
