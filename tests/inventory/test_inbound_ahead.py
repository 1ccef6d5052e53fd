"""What may be sold before it is there: dealt out, capped, and told by notices and suppliers."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS
from inventory import selectors, services
from inventory.backing import Coming, Waiter, deal, ready_at
from inventory.models import AheadCap, Inbound, InboundLine, SupplyLane
from inventory.types import (
    AheadWant,
    Backed,
    CapDraft,
    ExpectedDraft,
    ExpectedLine,
    LaneDraft,
    LineCap,
    Portion,
    ReceivedLine,
    SlipDraft,
)
from tests.factories.inventory import (
    ANNA,
    InboundFactory,
    InboundLineFactory,
    NodeFactory,
    SkuFactory,
    future_want,
)
from tests.factories.kernel import NOON, ChannelFactory

DAY = timedelta(days=1)


class TestDeal:
    @settings(max_examples=60)
    @given(
        st.lists(st.tuples(st.integers(1, 9), st.sampled_from([None, 1, 2])), max_size=6),
        st.lists(st.tuples(st.integers(0, 9), st.integers(1, 2), st.integers(0, 5)), max_size=6),
    )
    def test_gives_every_unit_once_to_whoever_stands_first(self, queue, goods):
        waiters = [
            Waiter(place, units, None if node is None else frozenset({node}))
            for place, (units, node) in enumerate(queue)
        ]
        coming = [
            Coming(place, node, units, NOON + day * DAY)
            for place, (units, node, day) in enumerate(goods)
        ]

        dealt = deal(waiters, coming)

        for line in coming:
            given_out = sum(
                s.units for found in dealt.values() for s in found if s.line_id == line.line_id
            )
            assert given_out <= line.units
        left = {one.line_id: one.units for one in coming}
        for waiter in waiters:
            could = sum(
                left[c.line_id] for c in coming if waiter.nodes is None or c.node_id in waiter.nodes
            )
            had = sum(share.units for share in dealt.get(waiter.key, ()))
            assert had == min(waiter.units, could)
            for share in dealt.get(waiter.key, ()):
                left[share.line_id] -= share.units

    def test_is_ready_when_the_last_unit_is_and_not_before_all_of_them_come(self):
        shares = deal([Waiter("a", 5)], [Coming(1, 1, 3, NOON), Coming(2, 1, 2, NOON + DAY)])["a"]
        assert ready_at(5, shares) == NOON + DAY
        assert ready_at(6, shares) is None


def announce(sku, node, number, units, *, of="", kind="po", days=3, **details):
    draft = ExpectedDraft(
        sku.account_id,
        node.pk,
        number,
        kind,
        "erp",
        (ExpectedLine(sku.pk, units, NOON + days * DAY, of_number=of),),
        **details,
    )
    (outcome,) = services.expect_inbound([draft], at=NOON, actor=ANNA)
    return outcome


def coming(sku) -> int:
    return sum(
        line.coming
        for line in InboundLine.objects.filter(sku=sku, inbound__state__in=["expected", "arriving"])
    )


def state_of(number: str) -> str:
    return str(Inbound.objects.for_scope(ALL_ACCOUNTS).get(number=number).state)


@pytest.mark.django_db
class TestANotice:
    def test_takes_units_over_from_its_order_and_gives_back_what_it_does_not_bring(self):
        sku = SkuFactory()
        node = NodeFactory(account=sku.account)
        announce(sku, node, "PO-1", 100)

        first = announce(sku, node, "ASN-1", 60, of="PO-1", kind="asn", days=2).value
        second = announce(sku, node, "ASN-2", 30, of="PO-1", kind="asn").value

        assert coming(sku) == 100, "each unit is expected once"
        order = InboundLine.objects.get(inbound__number="PO-1")
        assert (order.ordered, order.expected, order.advised) == (100, 10, 90)
        services.cancel_inbound([second.id], "lost", at=NOON, actor=ANNA)
        assert coming(sku) == 100
        line = InboundLine.objects.get(inbound=first.id)
        services.receive_inbound(first.id, [ReceivedLine(line.pk, 55)], at=NOON, actor=ANNA)
        services.close_inbound([first.id], "5 short", at=NOON, actor=ANNA)
        order.refresh_from_db()
        assert (order.expected, order.advised, coming(sku)) == (45, 55, 45)
        assert (state_of("ASN-1"), state_of("PO-1")) == ("received", "expected")
        third = announce(sku, node, "ASN-3", 45, of="PO-1", kind="asn").value
        line = InboundLine.objects.get(inbound=third.id)
        services.receive_inbound(third.id, [ReceivedLine(line.pk, 45)], at=NOON, actor=ANNA)
        assert (state_of("ASN-3"), state_of("PO-1"), coming(sku)) == ("received", "received", 0)

    def test_that_says_something_else_than_its_order_is_one_case(self):
        sku = SkuFactory(code="MUG")
        other = SkuFactory(code="LAMP", account=sku.account)
        node = NodeFactory(account=sku.account)
        announce(sku, node, "PO-1", 10)
        draft = ExpectedDraft(
            sku.account_id,
            node.pk,
            "ASN-1",
            "asn",
            "erp",
            tuple(
                ExpectedLine(each.pk, units, NOON, of_number="PO-1")
                for each, units in ((sku, 12), (other, 3))
            ),
        )

        (outcome,) = services.expect_inbound([draft], at=NOON, actor=ANNA)

        assert outcome.value.differs == ("over", "unknown")
        [report] = CaseReport.objects.all()
        assert report.kind == "NOTICE_DIFFERS"
        assert (report.evidence["over"], report.evidence["unknown"]) == ({"MUG": 2}, {"LAMP": 3})
        announce(sku, node, "PO-2", 10)
        under = announce(sku, node, "ASN-2", 8, of="PO-2", kind="asn", complete=True)
        assert under.value.differs == ("short",)
        assert announce(sku, node, "X", 1, of="PO-2").problem.code == "invalid"


def back(want: AheadWant) -> Backed:
    (backed,) = services.back_ahead([want], at=NOON, actor=ANNA)
    return backed


def sell(sku, units: int, channel) -> Backed:
    """What an accepted order does with units that nothing can fill."""
    backed = back(AheadWant(sku.pk, units, sku.account_id, channel.pk))
    services.reserve_backed([(future_want(sku, units), backed)], at=NOON, actor=ANNA)
    return backed


def cancel_first(sku) -> None:
    first = selectors.waiting([sku.pk])[sku.pk][0]
    services.release([Portion(first.id, first.open)], "cancelled", at=NOON, actor=ANNA)


@pytest.mark.django_db
class TestACap:
    def test_is_the_most_that_waits_and_has_room_again_when_somebody_cancels(self):
        line = InboundLineFactory(expected=50)
        sku, channel = line.sku, ChannelFactory(account=line.inbound.account)
        draft = CapDraft(sku.account_id, channel.pk, sku.pk, 5)
        services.set_caps([draft], at=NOON - DAY, actor=ANNA)

        assert sell(sku, 3, channel).ready_at == NOON + 3 * DAY
        assert sell(sku, 3, channel).refused
        cancel_first(sku)
        assert not sell(sku, 5, channel).refused, "counted anew before it is refused"
        assert sell(sku, 1, channel).refused
        assert not sell(sku, 9, ChannelFactory(account=channel.account)).refused
        cap = AheadCap.objects.for_scope(ALL_ACCOUNTS).get()
        assert cap.used == 5
        services.end_caps([cap.pk], at=NOON, actor=ANNA)
        assert not sell(sku, 9, channel).refused

    def test_of_a_line_is_a_share_of_what_it_is_still_to_bring(self):
        line = InboundLineFactory(expected=20)
        channel = ChannelFactory(account=line.inbound.account)
        services.limit_lines([LineCap(line.pk, 50)], at=NOON, actor=ANNA)

        assert not sell(line.sku, 6, channel).refused
        assert sell(line.sku, 5, channel).refused
        assert not sell(line.sku, 4, channel).refused
        line.refresh_from_db()
        assert line.sold_ahead == 10

    def test_costs_nothing_where_there_is_none(self, django_assert_num_queries):
        line = InboundLineFactory(expected=20)
        want = AheadWant(line.sku_id, 2, line.inbound.account_id, None)

        with django_assert_num_queries(3):
            services.back_ahead([want] * 20, at=NOON, actor=ANNA)


@pytest.mark.django_db
class TestASupplier:
    def test_is_as_late_as_declared_until_five_receipts_tell(self):
        document = InboundFactory(supplier="ACME")
        line = InboundLineFactory(inbound=document)
        lane = LaneDraft(document.account_id, "ACME", None, 48)
        services.declare_lanes([lane], at=NOON, actor=ANNA)
        assert selectors.sure_of([line.pk])[line.pk].sure_at == line.eta_at + 2 * DAY
        for late in (0, 1, 1, 2, 5):
            InboundLineFactory(
                inbound=InboundFactory(
                    account=document.account, node=document.node, supplier="ACME", state="received"
                ),
                sku=line.sku,
                received=10,
                eta_at=NOON - 10 * DAY,
                completed_at=NOON - (10 - late) * DAY,
            )

        services.learn_lanes(at=NOON, actor=ANNA)

        found = {row.node_id: row for row in SupplyLane.objects.for_scope(ALL_ACCOUNTS)}
        assert {key: (row.seen, row.median_hours, row.p90_hours) for key, row in found.items()} == {
            None: (5, 24, 92),
            document.node_id: (5, 24, 92),
        }
        known = selectors.sure_of([line.pk])[line.pk]
        assert (known.known, known.sure_at) == ("learnt", line.eta_at + timedelta(hours=92))

    def test_s_slip_within_what_is_usual_breaks_nothing(self):
        document = InboundFactory(supplier="ACME")
        line = InboundLineFactory(inbound=document)
        lane = LaneDraft(document.account_id, "ACME", None, 48)
        services.declare_lanes([lane], at=NOON, actor=ANNA)
        channel = ChannelFactory(account=document.account)
        backed = sell(line.sku, 4, channel)
        assert backed.ready_at == line.eta_at + 2 * DAY

        def broken(days: int) -> int:
            draft = SlipDraft(line.pk, line.eta_at + days * DAY)
            (outcome,) = services.preview_slip([draft], actor=ANNA)
            return outcome.value.broken

        assert [broken(days) for days in (1, 2, 3)] == [0, 0, 4]
        services.slip_inbound(
            [SlipDraft(line.pk, line.eta_at + 3 * DAY)], source="x", at=NOON, actor=ANNA
        )
        assert [v.eta_at for v in selectors.eta_history([line.pk])[line.pk]] == [
            line.eta_at,
            line.eta_at + 3 * DAY,
        ]


@pytest.mark.django_db
def test_the_queue_says_who_is_served_from_which_goods():
    early = InboundLineFactory(expected=5)
    late = InboundLineFactory(
        sku=early.sku, inbound__account=early.inbound.account, eta_at=NOON + 9 * DAY
    )
    for units, days in ((4, 8), (3, 4)):
        want = future_want(early.sku, units, promised_at=NOON + days * DAY)
        services.reserve_future([want], at=NOON, actor=ANNA)

    first, second = selectors.awaited([early.sku_id], at=NOON)

    assert [(s[0], s[2]) for s in first.shares] == [(early.pk, 3)]
    assert [(s[0], s[2]) for s in second.shares] == [(early.pk, 2), (late.pk, 2)]
    assert (first.ready_at, second.ready_at) == (early.eta_at, late.eta_at)
