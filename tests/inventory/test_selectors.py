"""What inventory can be asked."""

from datetime import timedelta

import pytest

from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS, Scope
from inventory import cases, selectors, services
from inventory.models import StockPosition
from inventory.types import BufferChange, StockChange, SubjectTag, subject_id
from tests.factories.inventory import (
    ANNA,
    BarcodeFactory,
    ChannelListingFactory,
    ChannelNodeFactory,
    CountRequestFactory,
    InboundLineFactory,
    NodeFactory,
    SkuFactory,
    future_want,
    reread,
    stock,
    want,
)
from tests.factories.kernel import NOON, AccountFactory, ChannelFactory

pytestmark = pytest.mark.django_db


def sell(position, units):
    change = StockChange(position.node_id, position.sku_id, position.account_id, -units, "sale")
    services.record_changes([change], at=NOON, actor=ANNA)


class TestSupply:
    def test_answers_for_many_places_in_one_statement(self, django_assert_num_queries):
        sku = SkuFactory()
        first, second = stock(5, sku=sku), stock(3, sku=sku)
        services.take([want(first, 2)], at=NOON, actor=ANNA)

        with django_assert_num_queries(1):
            found = selectors.supply([sku.pk], [first.node_id, second.node_id])

        assert {place: view.free for place, view in found.items()} == {
            (first.node_id, sku.pk): 3,
            (second.node_id, sku.pk): 3,
        }

    def test_is_zero_in_shortfall_and_never_negative(self):
        short, kept = stock(2), stock(2)
        services.take([want(short, 1)], at=NOON, actor=ANNA)
        sell(short, 2)
        services.set_buffers([BufferChange(kept.node_id, kept.sku_id, 9)], at=NOON, actor=ANNA)

        found = selectors.supply([short.sku_id, kept.sku_id], [short.node_id, kept.node_id])

        assert [view.free for view in found.values()] == [0, 0]

    def test_prefers_the_accounts_own_stock_to_consigned(self):
        own = stock(1)
        stock(9, sku=own.sku, node=own.node, owner_id=ids.uuid7())

        found = selectors.supply([own.sku_id], [own.node_id])

        assert found[own.node_id, own.sku_id].id == own.pk


class TestSkusByCode:
    def test_asks_the_listing_then_our_code_then_a_barcode(self, django_assert_max_num_queries):
        account = AccountFactory()
        channel = ChannelFactory(account=account)
        listed, coded, scanned = SkuFactory.create_batch(3, account=account)
        ChannelListingFactory(channel=channel, external_sku=coded.code, sku=listed)
        barcode = BarcodeFactory(sku=scanned)

        with django_assert_max_num_queries(4):
            found = selectors.skus_by_code(
                account.pk, channel.pk, [coded.code, scanned.code, barcode.value, "nothing"]
            )

        assert {code: view.id for code, view in found.items()} == {
            coded.code: listed.pk,
            scanned.code: scanned.pk,
            barcode.value: scanned.pk,
        }

    def test_finds_nothing_of_another_account(self):
        assert selectors.skus_by_code(AccountFactory().pk, None, [SkuFactory().code]) == {}

    def test_opens_kits(self):
        cup, saucer = SkuFactory.create_batch(2)
        kit = SkuFactory(kind="kit", components={cup: 2, saucer: 1})

        assert selectors.skus([kit.pk])[kit.pk].components == ((cup.pk, 2), (saucer.pk, 1))


class TestWaterfall:
    def test_adds_up_whatever_happened(self):
        position = stock(10)
        services.record_changes(
            [
                StockChange(
                    position.node_id,
                    position.sku_id,
                    position.account_id,
                    3,
                    "receipt",
                    condition="damaged",
                )
            ],
            at=NOON,
            actor=ANNA,
        )
        services.take([want(position, 4)], at=NOON, actor=ANNA)
        change = BufferChange(position.node_id, position.sku_id, 2)
        services.set_buffers([change], at=NOON, actor=ANNA)

        (fall,) = selectors.waterfall([position.sku_id], scope=ALL_ACCOUNTS)

        assert [(term.code, term.units) for term in fall.terms] == [
            ("on_hand", 13),
            ("damaged", -3),
            ("reserved", -4),
            ("buffer", -2),
        ]
        assert fall.free == 4 == sum(term.units for term in fall.terms)

    def test_says_what_lies_beyond_the_stock(self):
        position = stock(3)
        services.take([want(position, 3)], at=NOON, actor=ANNA)
        sell(position, 2)

        (fall,) = selectors.waterfall([position.sku_id], scope=ALL_ACCOUNTS)

        assert fall.free == 0 == sum(term.units for term in fall.terms)
        assert fall.terms[-1].code == "beyond"

    def test_costs_three_statements(self, django_assert_num_queries):
        skus = [stock(1).sku_id for _ in range(5)]

        with django_assert_num_queries(3):
            assert len(selectors.waterfall(skus, scope=ALL_ACCOUNTS)) == 5

    def test_stops_at_the_wall_between_accounts(self):
        position = stock(3)
        stranger = Scope(frozenset({AccountFactory().pk}))

        assert selectors.waterfall([position.sku_id], scope=stranger) == []
        assert selectors.ledger(stranger, position_id=position.pk) == []


class TestHolders:
    def test_come_with_the_least_claim_first(self):
        position = stock(9)
        day = timedelta(days=1)
        wants = [
            want(position, promised_at=NOON + day),
            want(position, promised_at=NOON + 2 * day, priority=5),
            want(position, promised_at=NOON + 2 * day),
            want(position),
        ]
        taken = services.take(wants, at=NOON, actor=ANNA).taken
        services.commit([taken[3].reservation_id], at=NOON, actor=ANNA)

        held = [holder.id for holder in selectors.holders(position.pk)]

        assert held == [taken[place].reservation_id for place in (2, 1, 0, 3)]


class TestWaiting:
    def test_comes_in_the_order_to_be_served(self):
        sku = SkuFactory()
        day = timedelta(days=1)
        wants = [
            future_want(sku),
            future_want(sku, promised_at=NOON + 2 * day),
            future_want(sku, promised_at=NOON + day, priority=1),
            future_want(sku, promised_at=NOON + day, priority=9),
        ]
        made = services.reserve_future(wants, at=NOON, actor=ANNA)

        queue = [row.id for row in selectors.waiting([sku.pk])[sku.pk]]

        assert queue == [made[place] for place in (3, 2, 1, 0)]

    def test_says_which_skus_can_be_served_now(self):
        position, empty = stock(1), stock(0)
        for sku in (position.sku, empty.sku):
            services.reserve_future([future_want(sku)], at=NOON, actor=ANNA)

        assert selectors.skus_to_serve(10) == [position.sku_id]
        assert [view.id for view in selectors.landed([position.sku_id])[position.sku_id]] == [
            position.pk
        ]


class TestReservations:
    def test_are_found_by_thread_demand_and_id(self):
        position = stock(5)
        (taken,) = services.take([want(position, 2)], at=NOON, actor=ANNA).taken

        (by_thread,) = selectors.reservations_of(taken.want.thread_id)
        (by_demand,) = selectors.claims_of([taken.want.demand_id])[taken.want.demand_id]
        by_id = selectors.reservations([taken.reservation_id])[taken.reservation_id]

        assert by_thread == by_demand == by_id
        assert (by_id.open, by_id.position_id) == (2, position.pk)


class TestShortRisk:
    def test_names_what_is_waited_for_in_shortfall_or_selling_faster_than_it_is_there(self):
        waited, short, calm = stock(0), stock(2), stock(50)
        services.reserve_future([future_want(waited.sku, 3)], at=NOON, actor=ANNA)
        services.take([want(short, 2), want(calm)], at=NOON, actor=ANNA)
        sell(short, 1)

        risks = {risk.sku_id: risk for risk in selectors.short_risk(ALL_ACCOUNTS)}

        assert set(risks) == {waited.sku_id, short.sku_id}
        assert (risks[waited.sku_id].waiting, risks[short.sku_id].shortfall) == (3, 1)
        assert selectors.short_positions(5) == [short.pk]


class TestChannelNodes:
    def test_are_the_network_of_a_channel(self):
        entry = ChannelNodeFactory(picks_up=True)
        selectors.forget()

        assert selectors.channel_nodes(entry.channel_id) == {entry.node_id: (True, True)}


class TestCases:
    def test_a_shortfall_stands_until_it_is_covered(self):
        position = stock(2)
        services.take([want(position, 2)], at=NOON, actor=ANNA)
        sell(position, 1)
        subject = subject_id(SubjectTag.POSITION, position.pk)

        assert cases.still_short([subject]) == {subject}
        change = StockChange(position.node_id, position.sku_id, position.account_id, 1, "receipt")
        services.record_changes([change], at=NOON, actor=ANNA)
        assert cases.still_short([subject]) == set()

    def test_a_count_is_overdue_after_a_day(self):
        request = CountRequestFactory(opened_at=NOON)
        subject = subject_id(SubjectTag.COUNT_REQUEST, request.pk)

        assert cases.detect_overdue_counts(at=NOON + timedelta(hours=23)) == 0
        assert cases.detect_overdue_counts(at=NOON + timedelta(hours=24)) == 1
        assert cases.still_uncounted([subject]) == {subject}
        services.answer_count(request.pk, 0, at=NOON, actor=ANNA)
        assert cases.still_uncounted([subject]) == set()

    def test_a_sku_that_runs_out_is_reported(self):
        position = stock(0)
        services.reserve_future([future_want(position.sku)], at=NOON, actor=ANNA)
        subject = subject_id(SubjectTag.SKU, position.sku_id)

        assert cases.detect_short_risk(at=NOON) == 1
        assert cases.still_at_risk([subject]) == {subject}

    def test_what_stays_too_long_is_found_among_subjects_of_any_kind(self):
        request, line = CountRequestFactory(opened_at=NOON), InboundLineFactory(eta_at=NOON)
        later = NOON + timedelta(days=9)
        request_id = subject_id(SubjectTag.COUNT_REQUEST, request.pk)
        inbound_id = subject_id(SubjectTag.INBOUND, line.inbound_id)
        among = [request_id, inbound_id, ids.uuid7()]

        assert [one.subject_id for one in cases.open_counts(later, among, 9)] == [request_id]
        assert [one.subject_id for one in cases.late_inbound(later, None, 9)] == [inbound_id]
        assert cases.late_inbound(NOON, None, 9) == []


class TestSearch:
    def test_finds_by_beginning_of_code_or_part_of_name(self):
        mug = SkuFactory(code="MUG-1", name="Blue mug")
        SkuFactory(code="CUP-1", name="Cup", account=mug.account)

        assert [view.id for view in selectors.search_skus(ALL_ACCOUNTS, "mug")] == [mug.pk]
        assert [view.id for view in selectors.search_skus(ALL_ACCOUNTS, "blue")] == [mug.pk]


def test_positions_belong_to_their_account():
    position = stock(1, node=NodeFactory())

    assert StockPosition.objects.for_scope(Scope(frozenset({position.account_id}))).count() == 1
    assert reread(position.pk).account_id == position.sku.account_id
