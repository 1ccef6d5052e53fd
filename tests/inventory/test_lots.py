"""Lots: first to expire first, off sale in time, held and recalled everywhere, bound where asked."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from config.kernel import ids
from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS
from inventory import lives, services
from inventory.models import Allocation, Lot, Movement, Serial, StockLevel
from inventory.services import LifeDraft
from inventory.types import IssuedPortion, LotDraft, Portion, Selection, SnapshotRow, StockChange
from tests.books import check_all
from tests.factories.inventory import ANNA, NodeFactory, SkuFactory, reread, stock, want
from tests.factories.kernel import NOON, ChannelFactory

pytestmark = pytest.mark.django_db

TODAY = NOON.date()
YEAR = timedelta(days=365)


def perishable(**details):
    return SkuFactory(lot_tracked=True, expires=True, **details)


def receive(position, units, lot, *, days=None, at=NOON, **details):
    (outcome,) = services.record_changes(
        [
            StockChange(
                position.node_id,
                position.sku_id,
                position.account_id,
                units,
                "receipt",
                lot=lot,
                expires_on=None if days is None else TODAY + timedelta(days=days),
                **details,
            )
        ],
        at=at,
        actor=ANNA,
    )
    assert outcome.ok, outcome.problem
    return reread(position.pk)


def lying(position):
    """Units by (condition, lot), and what is bound of them."""
    rows = StockLevel.objects.for_scope(ALL_ACCOUNTS).filter(position_id=position.pk, on_hand__gt=0)
    return {(row.condition, row.lot): row.on_hand for row in rows}


def bound(position):
    rows = StockLevel.objects.for_scope(ALL_ACCOUNTS).filter(
        position_id=position.pk, allocated__gt=0
    )
    return {row.lot: row.allocated for row in rows}


def lost_lots():
    """(reservation, units) that had a lot bound and want another one."""
    rows = Allocation.objects.for_scope(ALL_ACCOUNTS).filter(level=None)
    return list(rows.values_list("reservation_id", "units"))


def lot_of(position, code):
    return Lot.objects.for_scope(ALL_ACCOUNTS).get(sku_id=position.sku_id, code=code)


def take(position, quantity=1, *, at=NOON, **details):
    result = services.take([want(position, quantity, **details)], at=at, actor=ANNA)
    return result.taken[0].reservation_id if result.taken else None


def issue(reservation_id, quantity, **details):
    services.issue(
        [Portion(reservation_id, quantity, **details)],
        "parcel",
        reservation_id,
        at=NOON,
        actor=ANNA,
    )


def reported(kind=""):
    """The reports of today, in the order they were made; of one kind if it is named."""
    rows = CaseReport.objects.order_by("pk")
    return [row for row in rows if not kind or row.kind == kind]


def sound():
    return check_all(about="stock.")


class TestReceipts:
    def test_make_the_lot_and_date_the_position(self):
        position = stock(5, sku=perishable(), lot="A", expires_on=date(2026, 5, 1))

        lot = lot_of(position, "A")
        assert (lot.state, lot.expires_on) == ("active", date(2026, 5, 1))
        assert position.fresh_until == datetime(2026, 5, 1, 4, 0, tzinfo=UTC)  # midnight there
        assert sound() == []

    def test_without_lot_or_date_are_booked_and_held_with_a_case(self):
        position = stock(5, sku=perishable())
        receive(position, 3, "B")

        assert lying(position) == {("quality_hold", ""): 5, ("quality_hold", "B"): 3}
        assert reread(position.pk).sellable == 0
        assert [report.kind for report in reported()] == ["LOT_MISSING", "LOT_MISSING"]
        assert sound() == []

    def test_of_a_held_lot_are_held_too(self):
        position = stock(5, sku=perishable(), lot="A", expires_on=date(2026, 5, 1))
        services.hold_lots([lot_of(position, "A").pk], "smells", at=NOON, actor=ANNA)
        receive(position, 2, "A", days=40)

        assert lying(position) == {("quality_hold", "A"): 7}
        assert [report.kind for report in reported()] == ["LOT_NOT_FOR_SALE"]

    def test_of_serials_know_each_thing_and_doubt_one_that_was_here_before(self):
        sku = SkuFactory(serial_tracked=True)
        position = stock(2, sku=sku, serials=("S-1", "S-2"), cause_kind="inbound_line")
        receive(position, 1, "", serials=("S-2",))

        things = Serial.objects.for_scope(ALL_ACCOUNTS).order_by("number")
        assert [(one.number, one.state) for one in things] == [
            ("S-1", "in_stock"),
            ("S-2", "in_stock"),
        ]
        assert [report.kind for report in reported()] == ["SERIAL_SEEN_TWICE"]


class TestExpiry:
    def test_nothing_is_taken_from_the_minute_a_lot_is_over_until_it_is_off_sale(self):
        position = stock(
            5, sku=perishable(min_remaining_life_days=10), lot="A", expires_on=date(2026, 5, 11)
        )
        receive(position, 4, "B", days=300)
        over = datetime(2026, 5, 1, 4, 0, tzinfo=UTC)

        assert take(position, at=over - timedelta(seconds=1)) is not None
        assert take(position, at=over) is None
        assert services.expire_positions(10, at=over, actor=ANNA) == 1
        assert lying(position) == {("quality_hold", "A"): 5, ("available", "B"): 4}
        assert take(position, at=over) is not None
        assert sound() == []

    def test_what_was_reserved_of_it_is_a_shortfall(self):
        position = stock(5, sku=perishable(), lot="A", expires_on=TODAY + timedelta(days=2))
        take(position, 3)

        services.expire_positions(10, at=NOON + timedelta(days=2), actor=ANNA)

        assert reread(position.pk).shortfall == 3
        assert sound() == []

    def test_a_lot_past_its_day_is_expired_and_a_corrected_date_only_holds_it(self):
        position = stock(5, sku=perishable(), lot="A", expires_on=TODAY + timedelta(days=2))
        later = NOON + timedelta(days=4)

        assert services.expire_lots(10, at=later, actor=ANNA) == 1
        lot = lot_of(position, "A")
        assert (lot.state, lot.unsettled) == ("expired", False)
        services.define_lots(
            [LotDraft(lot.account_id, lot.sku_id, "A", TODAY + timedelta(days=90))],
            at=later,
            actor=ANNA,
        )
        assert lot_of(position, "A").state == "held"
        services.release_lots([lot.pk], "date was misread", at=later, actor=ANNA)
        assert lying(position) == {("available", "A"): 5}
        assert sound() == []


class TestHolding:
    def test_stops_a_lot_at_every_node_and_releasing_undoes_it(self):
        sku = perishable()
        nodes = [NodeFactory(account=sku.account) for _ in range(3)]
        places = [
            stock(5, sku=sku, node=node, lot="A", expires_on=date(2026, 9, 1)) for node in nodes
        ]
        receive(places[0], 4, "B", days=300)
        lot = lot_of(places[0], "A")

        services.hold_lots([lot.pk], "smells", at=NOON, actor=ANNA)

        assert [lying(place).get(("quality_hold", "A")) for place in places] == [5, 5, 5]
        assert [reread(place.pk).sellable for place in places] == [4, 0, 0]
        services.release_lots([lot.pk], "fine", at=NOON, actor=ANNA)
        assert [reread(place.pk).sellable for place in places] == [9, 5, 5]
        moved = Movement.objects.for_scope(ALL_ACCOUNTS).filter(kind="condition", cause_kind="lot")
        assert moved.count() == 12
        assert sound() == []


class TestBinding:
    def test_binds_the_first_lot_that_lasts_and_loses_what_none_can_serve(self):
        position = stock(5, sku=perishable(), lot="A", expires_on=TODAY + timedelta(days=20))
        receive(position, 4, "B", days=100)
        receive(position, 4, "C", days=200)
        least = TODAY + timedelta(days=60)

        first = take(position, 5, min_expiry=least)
        assert first is not None
        assert bound(position) == {"B": 4, "C": 1}
        assert take(position, 4, min_expiry=least) is None
        assert take(position, 3, min_expiry=least) is not None
        assert take(position, 5) is not None  # nobody asked for a lot: A is left
        assert sound() == []

    def test_unbound_units_leave_what_is_bound_to_others(self):
        position = stock(2, sku=perishable(), lot="A", expires_on=TODAY + timedelta(days=20))
        receive(position, 4, "B", days=100)
        take(position, 2, min_expiry=TODAY)
        other = take(position, 3)

        issue(other, 3)

        assert lying(position) == {("available", "A"): 2, ("available", "B"): 1}
        assert bound(position) == {"A": 2}
        assert sound() == []

    def test_goes_with_the_units_that_leave_and_with_those_given_back(self):
        position = stock(6, sku=perishable(), lot="A", expires_on=TODAY + timedelta(days=20))
        claim = take(position, 5, min_expiry=TODAY)

        issue(claim, 2)
        assert bound(position) == {"A": 3}
        services.release([Portion(claim, 1)], "changed mind", at=NOON, actor=ANNA)
        assert bound(position) == {"A": 2}
        services.release([Portion(claim, 2)], "changed mind", at=NOON, actor=ANNA)
        assert bound(position) == {}
        assert sound() == []

    def test_a_lot_that_the_node_names_wins_with_a_case(self):
        position = stock(3, sku=perishable(), lot="A", expires_on=TODAY + timedelta(days=20))
        receive(position, 3, "B", days=100)
        claim = take(position, 2, min_expiry=TODAY)

        issue(claim, 2, lots=(("B", 2),))

        assert lying(position) == {("available", "A"): 3, ("available", "B"): 1}
        assert bound(position) == {}
        assert [report.kind for report in reported()] == ["LOT_MISMATCH"]
        assert sound() == []

    def test_a_recalled_lot_is_lost_and_another_one_bound(self):
        position = stock(3, sku=perishable(), lot="A", expires_on=TODAY + timedelta(days=20))
        receive(position, 2, "B", days=100)
        claim = take(position, 3, min_expiry=TODAY)
        recall = services.recall_lots([lot_of(position, "A").pk], "glass", at=NOON, actor=ANNA)
        services.stop_recall(recall, at=NOON, actor=ANNA)
        assert lost_lots() == [(claim, 3)]
        assert sound() == []

        services.release([Portion(claim, 1)], "shortfall", at=NOON, actor=ANNA)
        assert services.rebind_lost(10) == 2
        assert bound(position) == {"B": 2}
        assert lost_lots() == []
        assert sound() == []


class TestRecall:
    def test_stops_what_lies_asks_nodes_to_pull_it_and_is_undone_by_release(self):
        sku = perishable()
        places = [
            stock(5, sku=sku, node=NodeFactory(account=sku.account), lot="A",
                  expires_on=date(2026, 9, 1))
            for _ in range(2)
        ]  # fmt: skip
        lot = lot_of(places[0], "A")
        recall = services.recall_lots([lot.pk], "glass", at=NOON, actor=ANNA)

        assert services.stop_recall(recall, at=NOON, actor=ANNA) == 2
        assert [reread(place.pk).sellable for place in places] == [0, 0]
        assert [take(place) for place in places] == [None, None]
        services.ask_to_pull(recall, [place.node_id for place in places], at=NOON)
        assert sorted(one.evidence["units"] for one in reported("RECALL_PULL")) == [5, 5]

        assert services.lift_recall(recall, "lab was wrong", at=NOON, actor=ANNA) == [lot.pk]
        services.release_lots([lot.pk], "lab was wrong", at=NOON, actor=ANNA)
        assert [reread(place.pk).sellable for place in places] == [5, 5]
        assert sound() == []


class TestFeeds:
    def test_a_node_that_knows_no_lots_neither_sells_nor_doubles_what_the_book_holds(self):
        position = stock(5, sku=perishable(), lot="A", expires_on=TODAY + timedelta(days=90))
        for hour, units in enumerate((8, 8, 3), start=1):
            services.apply_snapshot(
                position.node_id,
                "wms",
                NOON + timedelta(hours=hour),
                [SnapshotRow(position.sku_id, units)],
                at=NOON + timedelta(hours=hour),
                actor=ANNA,
            )
            total = sum(lying(position).values())
            assert total == units
        assert reread(position.pk).sellable == 0
        assert sound() == []


class TestChannelLife:
    def test_offers_a_channel_only_lots_that_last_and_shares_them_out(self):
        sku = perishable()
        position = stock(3, sku=sku, lot="A", expires_on=TODAY + timedelta(days=20))
        receive(position, 4, "B", days=100)
        channel = ChannelFactory(account=sku.account)
        services.set_lives(
            sku.account_id,
            channel.pk,
            [services.LifeDraft(Selection(sku_codes=(sku.code,)), 60)],
            at=NOON,
            actor=ANNA,
        )
        known = lives.lives_of([sku.account_id], [sku.pk], [position.pk], 7, NOON)
        lasting = lives.Lasting(known)

        assert known.least(channel.pk, sku.pk) == TODAY + timedelta(days=60)
        assert lasting.offered(channel.pk, sku.pk, position.pk, 7) == 4
        lasting.take(channel.pk, sku.pk, position.pk, 3)
        assert lasting.offered(channel.pk, sku.pk, position.pk, 4) == 1
        assert lasting.offered(ids.uuid7(), sku.pk, position.pk, 4) == 4

    def test_medicine_is_bound_whoever_sells_it_and_nothing_else_is(self):
        pills, soap = perishable(regulation="medicine"), perishable()
        accounts = [pills.account_id, soap.account_id]
        known = lives.lives_of(accounts, [pills.pk, soap.pk], [], 8, NOON)

        assert known.least(ids.uuid7(), pills.pk) == TODAY + timedelta(days=1)
        assert known.least(ids.uuid7(), soap.pk) is None
        assert lives.lives_of([soap.account_id], [soap.pk], [], 9, NOON) is None


class TestPutBack:
    def test_binds_units_to_the_lots_that_they_left_in_where_the_law_wants_the_lot(self):
        position = stock(5, sku=perishable(regulation="medicine"), lot="A", expires_on=TODAY + YEAR)
        receive(position, 5, "B", days=400)
        claim = take(position, 3, min_expiry=TODAY)
        cause = ids.uuid7()
        services.issue(
            [Portion(claim, 3, (("B", 2), ("A", 1)))], "parcel", cause, at=NOON, actor=ANNA
        )
        assert bound(position) == {}

        services.put_back([IssuedPortion(claim, 2, "parcel", cause)], at=NOON, actor=ANNA)

        assert sum(bound(position).values()) == 2
        assert sound() == []

    def test_binds_them_where_their_channel_wants_days_left_and_nowhere_else(self):
        position = stock(5, sku=perishable(), lot="A", expires_on=TODAY + YEAR)
        channel = ChannelFactory(account_id=position.account_id)
        draft = LifeDraft(Selection(sku_codes=(position.sku.code,)), 90)
        services.set_lives(position.account_id, channel.pk, [draft], at=NOON, actor=ANNA)
        claims = [take(position, 2, min_expiry=TODAY + timedelta(days=90)) for _ in range(2)]
        for claim in claims:
            services.issue([Portion(claim, 2)], "parcel", claim, at=NOON, actor=ANNA)

        back = [IssuedPortion(claim, 1, "parcel", claim) for claim in claims]
        sold = replace(back[0], channel_id=channel.pk)
        services.put_back([sold, back[1]], at=NOON, actor=ANNA)

        [allocation] = Allocation.objects.for_scope(ALL_ACCOUNTS).all()
        assert (allocation.reservation_id, allocation.units) == (claims[0], 1)
        assert allocation.min_expiry == TODAY + timedelta(days=90)
