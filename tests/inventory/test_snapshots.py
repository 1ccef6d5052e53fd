"""Snapshots as documents: staged, checked, refused whole or applied to the end, and reconciled."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS, Actor, Scope
from inventory import services
from inventory.models import (
    Difference,
    Reconciliation,
    SnapshotDocument,
    SnapshotLine,
    SnapshotProblem,
    StockPosition,
)
from inventory.snapshot_files import decoded, read_file, read_rows
from inventory.types import FeedTerms, SnapshotDraft, SnapshotRow, StockChange
from tests.books import check_all
from tests.factories.inventory import (
    ANNA,
    InboundFactory,
    InboundLineFactory,
    NodeFactory,
    SkuFactory,
    reread,
    stock,
    want,
)
from tests.factories.kernel import NOON, AccountFactory
from tests.factories.shelves import furnish, written
from tests.factories.shelves import shelf as shelf_of

pytestmark = pytest.mark.django_db

MORNING = NOON - timedelta(hours=3)
EARLY = NOON - timedelta(days=20)


def draft(position, **details):
    details = {"as_of": MORNING} | details
    return SnapshotDraft(position.node_id, position.account_id, "wms", **details)


def send(position, rows, *, at=NOON, totals=None, **details):
    """Open, fill and close a snapshot of (SKU code, units) or whole rows; the document."""
    document_id = services.open_snapshot(draft(position, **details), at=at, actor=ANNA)
    told = [row if isinstance(row, dict) else {"sku": row[0], "quantity": row[1]} for row in rows]
    services.add_part(document_id, 1, read_rows(told, first=1), at=at, actor=ANNA)
    return services.close_snapshot(document_id, totals or services.Totals(), at=at, actor=ANNA)


def apply(document, *, size=5_000, at=NOON):
    while services.apply_range(document.id, at=at, actor=ANNA, size=size):
        pass
    document.refresh_from_db()
    return Reconciliation.objects.for_scope(ALL_ACCOUNTS).get(document=document)


def declare(position, **terms):
    wanted = FeedTerms(position.node_id, "wms", position.account_id, **terms)
    services.declare_feeds([wanted], at=NOON, actor=ANNA)


def differences(run):
    return {
        line.sku.code: line
        for line in Difference.objects.for_scope(ALL_ACCOUNTS).filter(run=run).select_related("sku")
    }


def problems(document):
    return list(
        SnapshotProblem.objects.filter(document=document)
        .order_by("row", "id")
        .values_list("row", "column", "code")
    )


def shelf(node, *units, account):
    return [stock(each, node=node, sku=SkuFactory(account=account), at=EARLY) for each in units]


class TestDocuments:
    def test_count_for_nothing_until_they_are_closed(self):
        position = stock(10, at=EARLY)
        document_id = services.open_snapshot(draft(position), at=NOON, actor=ANNA)
        rows = read_rows([{"sku": position.sku.code, "quantity": 4}], first=1)

        services.add_part(document_id, 1, rows, at=NOON, actor=ANNA)

        assert services.apply_range(document_id, at=NOON, actor=ANNA) is False
        assert reread(position.pk).sellable == 10

    def test_come_in_parts_that_may_be_repeated(self):
        one, two = stock(10, at=EARLY), stock(10, at=EARLY)
        two = stock(10, node=one.node, sku=SkuFactory(account=one.account), at=EARLY)
        document_id = services.open_snapshot(draft(one), at=NOON, actor=ANNA)
        parts = [
            [{"sku": one.sku.code, "quantity": 3}],
            [{"sku": two.sku.code, "quantity": 4}, {"sku": "NOBODY", "quantity": 1}],
        ]

        def part(number, rows):
            return services.add_part(
                document_id, number, read_rows(rows, first=1), at=NOON, actor=ANNA
            )

        assert [part(1, parts[0]), part(2, parts[1]), part(1, parts[0])] == [0, 1, 1]
        with pytest.raises(Conflict):
            part(1, parts[1])
        with pytest.raises(Conflict):
            part(4, parts[1])
        document = services.close_snapshot(document_id, services.Totals(), at=NOON, actor=ANNA)
        assert (document.state, document.rows) == ("refused", 3)
        assert problems(document) == [(3, "sku", "unknown-sku")]
        assert not SnapshotLine.objects.filter(document=document).exists()

    def test_are_applied_in_ranges_to_the_end_whatever_happens_between(self):
        node, account = NodeFactory(), AccountFactory()
        places = shelf(node, 5, 5, 5, 5, 5, account=account)
        document = send(places[0], [(place.sku.code, 7) for place in places])

        assert services.apply_range(document.id, at=NOON, actor=ANNA, size=2) is True
        assert [reread(place.pk).sellable for place in places] == [7, 7, 5, 5, 5]
        assert services.apply_left_behind(at=NOON, actor=ANNA) == 0
        assert services.apply_range(document.id, at=NOON, actor=ANNA) is False

        document.refresh_from_db()
        run = Reconciliation.objects.for_scope(ALL_ACCOUNTS).get()
        assert document.state == "applied"
        assert (run.compared, run.equal, run.healed, run.units_up) == (5, 0, 5, 10)
        assert [reread(place.pk).sellable for place in places] == [7] * 5
        assert not SnapshotLine.objects.filter(document=document).exists()
        assert check_all(about="stock.") == []

    def test_say_that_what_they_do_not_list_is_not_there(self):
        node, account = NodeFactory(), AccountFactory()
        kept, gone = shelf(node, 5, 5, account=account)
        in_lots = stock(3, node=node, sku=SkuFactory(account=account), lot="A", at=EARLY)
        change = StockChange(node.pk, in_lots.sku_id, account.pk, 4, "receipt", lot="B")
        services.record_changes([change], at=EARLY, actor=ANNA)
        rows = [(kept.sku.code, 5), {"sku": in_lots.sku.code, "quantity": 3, "lot": "A"}]

        run = apply(send(kept, rows, complete=True))

        assert [reread(place.pk).sellable for place in (kept, gone, in_lots)] == [5, 0, 3]
        assert (run.compared, run.equal, run.healed) == (4, 2, 2)

    def test_are_doubted_when_much_of_what_is_in_stock_is_not_on_them(self):
        node, account = NodeFactory(), AccountFactory()
        places = shelf(node, *[1] * 25, account=account)

        document = send(places[0], [(places[0].sku.code, 1)], complete=True)

        assert problems(document) == [(0, "", "doubtful")]

    def test_need_a_node_and_an_account_in_reach_and_a_time_that_has_been(self):
        position = stock(1, at=EARLY)
        stranger = Actor.system("eve", scope=Scope(frozenset({AccountFactory().pk})))
        with pytest.raises(NotFound):
            services.open_snapshot(draft(position), at=NOON, actor=stranger)
        late = draft(position, as_of=NOON + timedelta(seconds=1))
        with pytest.raises(Invalid):
            services.open_snapshot(late, at=NOON, actor=ANNA)
        send(position, [(position.sku.code, 1)])
        with pytest.raises(Conflict):
            services.open_snapshot(
                draft(position, as_of=MORNING - timedelta(1)), at=NOON, actor=ANNA
            )


class TestLines:
    def test_that_agree_or_are_small_heal_and_the_others_wait_for_a_person(self):
        node, account = NodeFactory(), AccountFactory()
        equal, small, large = shelf(node, 10, 10, 10, account=account)
        declare(equal, heal_units=1, heal_percent=20)

        run = apply(send(equal, [(equal.sku.code, 10), (small.sku.code, 9), (large.sku.code, 2)]))

        assert (run.equal, run.healed, run.opened) == (1, 1, 1)
        assert [reread(one.pk).sellable for one in (equal, small, large)] == [10, 9, 10]
        assert [reread(one.pk).counted_at for one in (small, large)] == [MORNING, None]
        line = differences(run)[large.sku.code]
        assert (line.state, line.ours, line.theirs, line.cause) == ("open", 10, 2, "lost")
        (report,) = CaseReport.objects.filter(kind="STOCK_UNRECONCILED")
        assert report.evidence["units"] == -8

    def test_of_dear_or_sensitive_goods_wait_where_the_feed_says_so(self):
        node, account = NodeFactory(), AccountFactory()
        cheap, dear, traced = shelf(node, 10, 10, 10, account=account)
        of_sku = type(dear.sku)._base_manager
        of_sku.filter(pk=dear.sku_id).update(price_minor=90_000)
        of_sku.filter(pk=traced.sku_id).update(regulation="battery")
        declare(cheap, heal_value_minor=50_000, heal_sensitive=False)

        run = apply(send(cheap, [(place.sku.code, 9) for place in (cheap, dear, traced)]))

        assert (run.healed, run.opened) == (1, 2)
        assert [reread(place.pk).sellable for place in (cheap, dear, traced)] == [9, 10, 10]

    def test_name_what_probably_made_them_differ(self):
        node, account = NodeFactory(), AccountFactory()
        shipped, doubled, arrived, left, right, moving = shelf(
            node, 9, 6, 5, 5, 5, 9, account=account
        )
        declare(shipped, heal_units=0)
        (taken,) = services.take([want(shipped, 3)], at=NOON, actor=ANNA).taken
        services.commit([taken.reservation_id], at=NOON, actor=ANNA)
        inbound = InboundFactory(account=account, node=node)
        InboundLineFactory(inbound=inbound, sku=arrived.sku, expected=8)
        sold = StockChange(node.pk, moving.sku_id, account.pk, -2, "sale")
        services.record_changes([sold], at=MORNING - timedelta(minutes=2), actor=ANNA)

        run = apply(
            send(
                shipped,
                [
                    (shipped.sku.code, 6),
                    (doubled.sku.code, 12),
                    (arrived.sku.code, 12),
                    (left.sku.code, 1),
                    (right.sku.code, 9),
                    (moving.sku.code, 9),
                ],
            )
        )

        found = {code: line.cause for code, line in differences(run).items()}
        assert found == {
            shipped.sku.code: "unposted_shipment",
            doubled.sku.code: "counted_twice",
            arrived.sku.code: "unbooked_receipt",
            left.sku.code: "neighbour",
            right.sku.code: "neighbour",
            moving.sku.code: "moving",
        }
        assert (run.opened, run.in_flight) == (5, 1)
        assert reread(moving.pk).sellable == 7

    def test_are_settled_by_a_later_figure(self):
        position = stock(10, at=EARLY)
        declare(position, heal_units=1)
        first = apply(send(position, [(position.sku.code, 2)]))

        apply(send(position, [(position.sku.code, 10)], as_of=NOON))

        assert differences(first)[position.sku.code].state == "superseded"

    def test_are_one_case_together_when_too_many_differ(self):
        node, account = NodeFactory(), AccountFactory()
        places = shelf(node, *[10] * 24, account=account)
        declare(places[0], heal_units=1)

        run = apply(send(places[0], [(place.sku.code, 3) for place in places]))

        assert run.opened == 24
        assert set(CaseReport.objects.values_list("kind", flat=True)) == {"FEED_DOUBTFUL"}


@settings(max_examples=10, deadline=None)
@given(shelves=st.lists(shelf_of(), min_size=1, max_size=8))
def test_in_bulk_and_by_the_book_the_same_is_written(shelves):
    by_book, by_bulk = furnish(shelves), furnish(shelves)
    skus = {sku.code: sku.pk for sku in by_book[1]}
    rows = [SnapshotRow(skus[row["sku"]], row["quantity"], row["condition"]) for row in by_book[2]]
    services.apply_snapshot(by_book[0].pk, "wms", MORNING, rows, at=NOON, actor=ANNA)

    node, told, rows = by_bulk
    if rows:
        position = StockPosition.objects.for_scope(ALL_ACCOUNTS).filter(node=node)[0]
        run = apply(send(position, rows), size=3)
        assert run.opened == run.in_flight == 0

    assert written(node, told) == written(*by_book[:2])
    assert check_all(about="stock.") == []


def test_a_document_is_gone_through_in_statements_that_do_not_grow(django_assert_max_num_queries):
    node, account = NodeFactory(), AccountFactory()
    places = shelf(node, *[5] * 30, account=account)
    document = send(places[0], [(place.sku.code, 6) for place in places])

    with django_assert_max_num_queries(26):
        services.apply_range(document.id, at=NOON, actor=ANNA)

    assert SnapshotDocument.objects.for_scope(ALL_ACCOUNTS).get().state == "applied"


def test_a_file_is_read_as_it_is_written():
    text = b'\xef\xbb\xbfquantity,sku,lot\r\n3,A-1,L1\r\n\r\n0,"B ""2""",\r\nEND,2,3\r\n'

    rows = list(read_file(decoded([text[:7], text[7:]])))

    assert [(row.row, row.sku, row.quantity, row.lot) for row in rows] == [
        (1, "A-1", 3, "L1"),
        (2, 'B "2"', 0, ""),
    ]
