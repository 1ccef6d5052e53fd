"""Snapshots of a node's system, and inbound that arrives."""

from datetime import timedelta

import pytest

from config.kernel import ids
from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS
from inventory import selectors, services
from inventory.models import Inbound, InboundLine, Movement
from inventory.types import FeedTerms, Portion, ReceivedLine, SnapshotRow, StockChange
from tests.books import check_all
from tests.factories.inventory import (
    ANNA,
    InboundFactory,
    InboundLineFactory,
    NodeFactory,
    SkuFactory,
    future_want,
    reread,
    stock,
    want,
)
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db

MORNING = NOON - timedelta(hours=3)


def snapshot(position, units, *, as_of=MORNING, source="wms", at=NOON):
    rows = [SnapshotRow(position.sku_id, units)]
    (outcome,) = services.apply_snapshot(position.node_id, source, as_of, rows, at=at, actor=ANNA)
    return outcome


def declare(position, source, **terms):
    wanted = FeedTerms(position.node_id, source, position.account_id, **terms)
    (feed_id,) = services.declare_feeds([wanted], at=NOON, actor=ANNA)
    return feed_id


def sell(position, units, at):
    change = StockChange(position.node_id, position.sku_id, position.account_id, -units, "sale")
    services.record_changes([change], at=at, actor=ANNA)


class TestApplySnapshot:
    def test_moves_the_book_to_what_was_seen(self):
        position = stock(10)

        outcome = snapshot(position, 8)

        assert outcome.value.on_hand == 8
        assert reread(position.pk).sellable == 8
        moved = Movement.objects.for_scope(ALL_ACCOUNTS).order_by("-id").first()
        assert (moved.kind, moved.quantity, moved.at) == ("snapshot", -2, MORNING)
        assert check_all(about="stock.") == []

    def test_stands_under_what_happened_since(self):
        position = stock(10)
        sell(position, 2, at=MORNING + timedelta(minutes=5))

        snapshot(position, 9)

        assert reread(position.pk).sellable == 7

    def test_changes_nothing_when_it_is_sent_again(self):
        position = stock(10)
        snapshot(position, 8)

        assert snapshot(position, 8).value is None
        assert reread(position.pk).sellable == 8

    def test_is_refused_when_it_is_older_than_the_watermark(self):
        position = stock(10)
        snapshot(position, 8)

        with pytest.raises(Conflict):
            snapshot(position, 9, as_of=MORNING - timedelta(seconds=1))

    def test_refuses_a_row_that_was_counted_later(self):
        position = stock(10)
        snapshot(position, 8)

        outcome = snapshot(position, 9, as_of=MORNING - timedelta(seconds=1), source="erp")

        assert outcome.problem.code == "stale"
        assert reread(position.pk).sellable == 8

    def test_is_refused_from_the_future_and_from_a_feed_of_deltas(self):
        position = stock(1)
        declare(position, "pos", semantics="delta")

        with pytest.raises(Invalid):
            snapshot(position, 1, as_of=NOON + timedelta(seconds=1))
        with pytest.raises(Conflict):
            snapshot(position, 1, source="pos")

    def test_adds_what_the_source_has_taken_off_already(self):
        position = stock(10)
        declare(position, "wms", nets_committed=True)
        (taken,) = services.take([want(position, 3)], at=NOON, actor=ANNA).taken
        services.commit([taken.reservation_id], at=NOON, actor=ANNA)

        assert snapshot(position, 7).value is None
        assert reread(position.pk).sellable == 10

    def test_leaves_a_shortfall_below_what_is_reserved(self):
        position = stock(10)
        services.take([want(position, 6)], at=NOON, actor=ANNA)

        snapshot(position, 4)

        assert reread(position.pk).shortfall == 2
        assert check_all(about="stock.") == []

    def test_lands_what_it_finds_for_those_who_wait(self):
        position = stock(0)
        services.reserve_future([future_want(position.sku, 3)], at=NOON, actor=ANNA)

        snapshot(position, 5)

        assert reread(position.pk).landed == 3

    @pytest.mark.parametrize(("units", "reported"), [(9, 0), (3, 1)])
    def test_reports_only_a_difference_worth_a_look(self, units, reported):
        snapshot(stock(10), units)

        assert CaseReport.objects.filter(kind="STOCK_DISCREPANCY").count() == reported

    def test_refuses_rows_it_does_not_know_and_does_the_others(self):
        position, stranger = stock(1), SkuFactory(kind="service")
        rows = [
            SnapshotRow(stranger.pk, 1),
            SnapshotRow(position.sku_id, 4),
            SnapshotRow(position.sku_id, -1),
        ]

        outcomes = services.apply_snapshot(
            position.node_id, "wms", MORNING, rows, at=NOON, actor=ANNA
        )

        assert [one.problem and one.problem.code for one in outcomes] == [
            "unknown-sku",
            None,
            "invalid-row",
        ]
        assert reread(position.pk).sellable == 4

    @pytest.mark.parametrize("size", [1, 40])
    def test_costs_the_same_for_any_number_of_rows(self, size, django_assert_num_queries):
        node = NodeFactory()
        skus = SkuFactory.create_batch(size, account=SkuFactory().account)
        rows = [SnapshotRow(sku.pk, 5) for sku in skus]

        with django_assert_num_queries(24):
            services.apply_snapshot(node.pk, "wms", MORNING, rows, at=NOON, actor=ANNA)


class TestReceiveInbound:
    def receive(self, line, quantity, external_id=""):
        return services.receive_inbound(
            line.inbound_id,
            [ReceivedLine(line.pk, quantity, external_id=external_id)],
            at=NOON,
            actor=ANNA,
        )

    def test_books_what_arrived_until_everything_has(self):
        line = InboundLineFactory(expected=10)

        self.receive(line, 4)
        assert Inbound.objects.for_scope(ALL_ACCOUNTS).get().state == "arriving"
        self.receive(line, 6)

        assert Inbound.objects.for_scope(ALL_ACCOUNTS).get().state == "received"
        assert InboundLine.objects.get().received == 10
        assert Inbound.history.count() == 2
        key = (line.inbound.node_id, line.sku_id)
        assert selectors.supply([line.sku_id], [line.inbound.node_id])[key].sellable == 10
        assert check_all(about="stock.") == []

    def test_books_more_than_was_expected(self):
        line = InboundLineFactory(expected=1)

        self.receive(line, 3)

        assert InboundLine.objects.get().received == 3

    def test_counts_a_repeated_message_once(self):
        line = InboundLineFactory(expected=10)

        self.receive(line, 4, external_id="GR-1")
        (again,) = self.receive(line, 4, external_id="GR-1")

        assert again.kind == "repeated"
        assert InboundLine.objects.get().received == 4

    def test_refuses_a_line_of_another_inbound(self):
        line, other = InboundLineFactory(), InboundFactory()

        with pytest.raises(NotFound):
            services.receive_inbound(other.pk, [ReceivedLine(line.pk, 1)], at=NOON, actor=ANNA)

    def test_refuses_a_cancelled_one(self):
        line = InboundLineFactory(inbound=InboundFactory(state="cancelled"))

        with pytest.raises(Conflict):
            self.receive(line, 1)

    def test_shortens_what_is_still_expected(self):
        line = InboundLineFactory(expected=10)
        self.receive(line, 4)

        (eta,) = selectors.eta_of(line.sku_id, [line.inbound.node_id])

        assert (eta.units, eta.inbound_line_id) == (6, line.pk)


class TestPortionsOfNothing:
    def test_are_refused(self):
        with pytest.raises(Conflict):
            services.release([Portion(ids.uuid7(), 0)], "edit", at=NOON, actor=ANNA)
