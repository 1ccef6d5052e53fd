"""The book: position, level and movement always agree, whatever happens."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.kernel.models import CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from inventory import services
from inventory.ledger import Book
from inventory.models import LandedWork, Movement, Reservation, ShortfallWork, StockLevel
from inventory.states import Condition
from inventory.stock_rows import expect_rows
from inventory.types import BufferChange, IssuedPortion, Portion, Shortage, StockChange
from tests.books import check_all
from tests.factories.inventory import (
    ANNA,
    NodeFactory,
    SkuFactory,
    future_want,
    reread,
    stock,
    want,
)
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db


def like(position, quantity, kind="adjust", **details):
    return StockChange(
        position.node_id, position.sku_id, position.account_id, quantity, kind, **details
    )


def on_hand(position, condition=Condition.AVAILABLE):
    levels = StockLevel.objects.for_scope(ALL_ACCOUNTS).filter(
        position_id=position.pk, condition=condition
    )
    return sum(level.on_hand for level in levels)


def movements(position):
    return list(
        Movement.objects.for_scope(ALL_ACCOUNTS)
        .filter(position_id=position.pk)
        .order_by("id")
        .values_list("kind", "quantity", "balance")
    )


class TestRecordChanges:
    def test_writes_position_level_and_movement_from_one_number(self):
        position = stock(10)

        (outcome,) = services.record_changes([like(position, -3, "sale")], at=NOON, actor=ANNA)

        assert outcome.kind is OutcomeKind.DONE
        assert outcome.value.on_hand == 7
        assert (reread(position.pk).sellable, on_hand(position)) == (7, 7)
        assert movements(position) == [("receipt", 10, 10), ("sale", -3, 7)]

    def test_never_refuses_a_fact_beyond_the_book(self):
        position = stock(2)

        services.record_changes([like(position, -5, "sale")], at=NOON, actor=ANNA)

        assert reread(position.pk).sellable == 0
        assert movements(position)[1:] == [
            ("sale", -2, 0),
            ("discrepancy", 3, 3),
            ("sale", -3, 0),
        ]
        assert list(CaseReport.objects.values_list("kind", flat=True)) == ["STOCK_DISCREPANCY"]
        assert check_all(about="stock.") == []

    def test_raises_a_shortfall_with_work_event_and_case_when_reserved_units_go(self):
        position = stock(3)
        services.take([want(position, 3)], at=NOON, actor=ANNA)

        services.record_changes([like(position, -2, "sale")], at=NOON, actor=ANNA)

        position = reread(position.pk)
        assert (position.sellable, position.reserved, position.shortfall) == (1, 3, 2)
        assert ShortfallWork.objects.get(done_at=None).quantity == 2
        event = Event.objects.for_scope(ALL_ACCOUNTS).get(topic="stock.short")
        assert (event.data["shortfall"], event.seq) == (2, position.event_seq)
        assert list(CaseReport.objects.values_list("kind", flat=True)) == ["SHORTFALL"]
        assert check_all(about="stock.") == []

    def test_settles_the_shortfall_when_units_come(self):
        position = stock(3)
        services.take([want(position, 3)], at=NOON, actor=ANNA)
        services.record_changes([like(position, -2, "sale")], at=NOON, actor=ANNA)

        services.record_changes([like(position, 2, "receipt")], at=NOON, actor=ANNA)

        assert reread(position.pk).shortfall == 0
        assert ShortfallWork.objects.get().done_at == NOON
        assert check_all(about="stock.") == []

    def test_takes_the_lot_that_expires_first(self):
        position = stock(5, lot="B", expires_on=date(2027, 1, 1))
        services.record_changes(
            [like(position, 5, "receipt", lot="A", expires_on=date(2026, 6, 1))],
            at=NOON,
            actor=ANNA,
        )

        services.record_changes([like(position, -6, "sale")], at=NOON, actor=ANNA)

        lots = StockLevel.objects.for_scope(ALL_ACCOUNTS).order_by("lot")
        assert [(level.lot, level.on_hand) for level in lots] == [("A", 0), ("B", 4)]
        assert check_all(about="stock.") == []

    def test_happens_once_per_source_and_external_id(self):
        position = stock(0)
        change = like(position, 4, "receipt", source="wms", external_id="R-1")

        first, twin = services.record_changes([change, change], at=NOON, actor=ANNA)
        (again,) = services.record_changes([change], at=NOON, actor=ANNA)

        assert [first.kind, twin.kind, again.kind] == ["done", "repeated", "repeated"]
        assert twin.value.movement_id == again.value.movement_id == first.value.movement_id
        assert reread(position.pk).sellable == 4

    def test_refuses_only_what_names_nothing_we_know_and_does_the_others(self):
        position, stranger = stock(1), SkuFactory()
        changes = [
            like(position, 1, "receipt"),
            StockChange(999_999, position.sku_id, position.account_id, 1, "receipt"),
            StockChange(position.node_id, stranger.pk, position.account_id, 1, "receipt"),
            like(position, 1, "magic"),
            like(position, 0),
            like(position, 1, condition="lost"),
            like(position, 1, external_id="x"),
        ]

        outcomes = services.record_changes(changes, at=NOON, actor=ANNA)

        assert [outcome.problem and outcome.problem.code for outcome in outcomes] == [
            None,
            "unknown-node",
            "unknown-sku",
            "unknown-kind",
            "no-units",
            "unknown-condition",
            "no-source",
        ]
        assert reread(position.pk).sellable == 2

    def test_keeps_other_conditions_from_being_sold(self):
        position = stock(3, condition=Condition.DAMAGED)

        assert (reread(position.pk).sellable, on_hand(position, Condition.DAMAGED)) == (0, 3)

    def test_costs_the_same_number_of_statements_for_one_and_for_fifty(
        self, django_assert_max_num_queries
    ):
        sku = SkuFactory()
        nodes = [NodeFactory(account=sku.account) for _ in range(50)]
        changes = [
            StockChange(
                node.pk, sku.pk, sku.account_id, 5, "receipt", source="wms", external_id=node.code
            )
            for node in nodes
        ]

        with django_assert_max_num_queries(15) as one:
            services.record_changes(changes[:1], at=NOON, actor=ANNA)
        with django_assert_max_num_queries(15) as many:
            services.record_changes(changes[1:], at=NOON, actor=ANNA)

        assert len(one) == len(many)


class TestReceipts:
    def test_sets_units_aside_for_who_waits_and_tells_it(self):
        position = stock(0)
        services.reserve_future([future_want(position.sku, 4)], at=NOON, actor=ANNA)

        services.record_changes([like(position, 6, "receipt")], at=NOON, actor=ANNA)

        position = reread(position.pk)
        assert (position.sellable, position.landed) == (6, 4)
        assert LandedWork.objects.get(done_at=None).quantity == 4
        event = Event.objects.for_scope(ALL_ACCOUNTS).get(topic="stock.received")
        assert event.data == {
            "position_id": position.pk,
            "node_id": position.node_id,
            "sku_id": position.sku_id,
            "landed": 4,
        }
        assert check_all(about="stock.") == []

    def test_lands_nothing_for_demand_of_another_node(self):
        position = stock(0)
        elsewhere = NodeFactory(account=position.account)
        services.reserve_future(
            [future_want(position.sku, 4, node_id=elsewhere.pk)], at=NOON, actor=ANNA
        )

        services.record_changes([like(position, 6, "receipt")], at=NOON, actor=ANNA)

        assert reread(position.pk).landed == 0

    def test_does_not_land_the_same_demand_at_two_nodes(self):
        position = stock(0)
        other = stock(0, sku=position.sku)
        services.reserve_future([future_want(position.sku, 4)], at=NOON, actor=ANNA)

        services.record_changes(
            [like(position, 3, "receipt"), like(other, 3, "receipt")], at=NOON, actor=ANNA
        )

        assert reread(position.pk).landed + reread(other.pk).landed == 4

    def test_covers_a_shortfall_before_it_lands(self):
        position = stock(2)
        services.take([want(position, 2)], at=NOON, actor=ANNA)
        services.record_changes([like(position, -2, "sale")], at=NOON, actor=ANNA)
        services.reserve_future([future_want(position.sku, 4)], at=NOON, actor=ANNA)

        services.record_changes([like(position, 3, "receipt")], at=NOON, actor=ANNA)

        position = reread(position.pk)
        assert (position.shortfall, position.landed) == (0, 1)

    def test_gives_landed_units_back_when_nobody_waits_any_more(self):
        position = stock(0)
        (waiting,) = services.reserve_future([future_want(position.sku, 4)], at=NOON, actor=ANNA)
        services.record_changes([like(position, 6, "receipt")], at=NOON, actor=ANNA)
        services.release([Portion(waiting, 3)], "cancelled", at=NOON, actor=ANNA)

        assert services.free_unowed(10, at=NOON, actor=ANNA) == 1
        assert services.free_unowed(10, at=NOON, actor=ANNA) == 0

        assert reread(position.pk).landed == 1
        assert check_all(about="stock.") == []


class TestSetBuffers:
    def test_keeps_units_from_being_taken(self):
        position = stock(5)

        services.set_buffers(
            [BufferChange(position.node_id, position.sku_id, 4)], at=NOON, actor=ANNA
        )
        result = services.take([want(position, 1), want(position, 1)], at=NOON, actor=ANNA)

        assert (len(result.taken), len(result.lost)) == (1, 1)


class TestTheDatabase:
    def test_refuses_more_reserved_than_there_is(self):
        position = stock(2)

        with (
            pytest.raises(IntegrityError, match="position_never_oversold"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "UPDATE inventory_stockposition SET reserved = 3 WHERE id = %s", [position.pk]
            )

    def test_refuses_to_change_a_movement(self):
        stock(2)

        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("UPDATE inventory_movement SET quantity = 3")

    def test_applies_only_one_of_several_matches_of_an_update_from(self):
        """The trap for which the take sums its need per position first."""
        position = stock(5)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE inventory_stockposition p SET reserved = p.reserved + need.quantity "
                "FROM unnest(%s::bigint[], %s::bigint[]) AS need (id, quantity) "
                "WHERE p.id = need.id",
                [[position.pk, position.pk], [1, 1]],
            )

        assert reread(position.pk).reserved == 1

    def test_does_not_commit_an_update_that_missed_a_row(self):
        with pytest.raises(RuntimeError, match="2 rows were locked, but 1 were written"):
            expect_rows(1, 2)


VERBS = """receipt sale adjust take landed future release commit issue put_back short damaged
count sweep buffer"""
STEPS = st.lists(
    st.tuples(
        st.sampled_from(VERBS.split()),
        st.integers(min_value=0, max_value=1),
        st.integers(min_value=1, max_value=6),
        st.integers(min_value=0, max_value=50),
    ),
    min_size=1,
    max_size=25,
)


class TestAnySequence:
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(steps=STEPS)
    def test_keeps_the_books(self, steps):
        life = transaction.atomic()
        # As a test case's own block: what a step locks is watched in each of its transactions.
        life._from_testcase = True
        with life:
            positions = [stock(4), stock(0)]
            for number, step in enumerate(steps):
                with transaction.atomic():
                    _play(positions, *step, at=NOON + timedelta(minutes=number))
            assert check_all(about="stock.") == []
            transaction.set_rollback(True)


def _play(positions, verb, place, quantity, pick, *, at):
    """One step of a random life of two positions; a step that has no object is skipped."""
    position = reread(positions[place].pk)
    rows = list(
        Reservation.objects.for_scope(ALL_ACCOUNTS).filter(sku_id=position.sku_id).order_by("pk")
    )
    if verb in ("receipt", "sale", "adjust", "count", "buffer"):
        _change(position, verb, quantity, pick, at=at)
    elif verb in ("take", "future", "landed", "sweep"):
        _want(position, rows, verb, quantity, at=at)
    elif rows:
        _settle(rows[pick % len(rows)], verb, quantity, at=at)


def _change(position, verb, quantity, pick, *, at):
    if verb == "buffer":
        change = BufferChange(position.node_id, position.sku_id, quantity)
        services.set_buffers([change], at=at, actor=ANNA)
    elif verb == "count":
        counted = [like(position, -1, "count"), like(position, 2, "count", lot="L")]
        services.record_changes(counted, at=at, actor=ANNA)
    else:
        signed = quantity if verb == "receipt" or (verb == "adjust" and pick % 2) else -quantity
        services.record_changes([like(position, signed, verb)], at=at, actor=ANNA)


def _want(position, rows, verb, quantity, *, at):
    if verb == "take":
        services.take([want(position, quantity)], at=at, actor=ANNA)
    elif verb == "future":
        services.reserve_future([future_want(position.sku, quantity)], at=at, actor=ANNA)
    elif verb == "landed":
        open_rows = [row for row in rows if row.state == "waiting"]
        wanted = [want(position, row.open, demand_id=row.demand_id) for row in open_rows]
        services.take_landed(wanted, at=at, actor=ANNA)
    else:
        services.free_unowed(10, at=at, actor=ANNA)


def _settle(row, verb, quantity, *, at):
    portion = Portion(row.pk, min(quantity, row.open))
    claimed = row.state in ("reserved", "committed")
    if verb == "put_back" and row.consumed and row.state in ("committed", "consumed"):
        back = IssuedPortion(row.pk, min(quantity, row.consumed), "parcel", row.thread_id)
        services.put_back([back], at=at, actor=ANNA)
    elif verb == "release" and row.open:
        services.release([portion], "cancelled", at=at, actor=ANNA)
    elif verb == "commit" and row.state == "reserved":
        services.commit([row.pk], at=at, actor=ANNA)
    elif verb == "issue" and claimed:
        services.issue([portion], "parcel", row.thread_id, at=at, actor=ANNA)
    elif verb in ("short", "damaged") and claimed:
        shortage = Shortage(row.pk, portion.quantity, verb)
        services.record_shortages([shortage], at=at, actor=ANNA)


class TestTheBook:
    def test_locks_positions_in_ascending_order_then_their_levels(
        self, django_assert_max_num_queries
    ):
        positions = sorted((stock(1) for _ in range(3)), key=lambda one: one.pk)

        with transaction.atomic(), django_assert_max_num_queries(2) as captured:
            Book.of_positions([one.pk for one in reversed(positions)])

        locks = [query["sql"] for query in captured if "FOR UPDATE" in query["sql"]]
        assert ["ORDER BY id FOR UPDATE" in sql for sql in locks] == [True, True]
        assert "inventory_stockposition" in locks[0]
        assert "inventory_stocklevel" in locks[1]
