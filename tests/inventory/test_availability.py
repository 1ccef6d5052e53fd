"""What can be sold: of many SKUs at once, now and later, within the channel's limits."""

from datetime import timedelta

import pytest

from config.kernel.errors import Invalid
from inventory import selectors, services
from inventory.exchange.kinds import Row
from inventory.exchange.pickable import PICKABLE_TIMES
from inventory.models import ChannelNode, ChannelTerm, NodeFunction, PickableTime
from inventory.types import BufferChange, ExclusionWanted, QuotaDraft
from tests.factories.inventory import (
    ANNA,
    ChannelNodeFactory,
    InboundFactory,
    InboundLineFactory,
    SkuFactory,
    stock,
    want,
)
from tests.factories.kernel import NOON, ChannelFactory
from tests.inventory.shops import a_shop, unplaced

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(days=5)


class TestNow:
    def test_sums_what_the_channels_nodes_can_promise(self):
        shop = a_shop(nodes=3)
        sku = SkuFactory(account=shop.account)
        first, second, third = (stock(10, sku=sku, node=node) for node in shop.nodes)
        stock(99, sku=sku)  # at a node that the channel does not use
        services.take([want(first, 4)], at=NOON, actor=ANNA)
        services.set_buffers([BufferChange(second.node_id, sku.pk, 3)], at=NOON, actor=ANNA)
        exclusion = ExclusionWanted(third.node_id, sku.pk, LATER, "short")
        services.exclude([exclusion], at=NOON, actor=ANNA)

        assert shop.ats(sku) == 6 + 7
        assert selectors.atp(
            [node.pk for node in shop.nodes], [sku.pk], account_id=shop.account.pk, at=NOON
        ) == {(first.node_id, sku.pk): 6, (second.node_id, sku.pk): 7}
        assert shop.ats(sku, by=LATER) == 6 + 7 + 10

    def test_counts_nothing_where_the_node_cannot_ship(self):
        shop = a_shop(nodes=3)
        sku = SkuFactory(account=shop.account)
        for node in shop.nodes:
            stock(10, sku=sku, node=node)
        paused, pickup, _ = shop.nodes
        NodeFunction.objects.filter(node=paused, function="ship").update(
            paused=True, paused_until=LATER
        )
        ChannelNode.objects.filter(node=pickup).update(ships=False)

        assert shop.ats(sku) == 10
        assert shop.ats(sku, by=LATER) == 20

    def test_counts_kits_by_their_scarcest_component_per_node(self):
        shop = a_shop(nodes=2)
        pan, lid = SkuFactory.create_batch(2, account=shop.account)
        kit = SkuFactory(account=shop.account, kind="kit", components={pan: 1, lid: 2})
        here, there = shop.nodes
        stock(5, sku=pan, node=here)
        stock(4, sku=lid, node=here)
        stock(50, sku=lid, node=there)

        with unplaced({}):
            assert shop.ats(kit) == 2
        with unplaced({lid.pk: 3}):
            assert shop.ats(kit) == 0
        found = selectors.atp([here.pk, there.pk], [kit.pk], account_id=shop.account.pk, at=NOON)
        assert found == {(here.pk, kit.pk): 2}

    def test_leaves_out_what_is_sold_and_has_no_place_and_what_the_channel_never_sees(self):
        shop = a_shop()
        sku, other, gone = SkuFactory.create_batch(3, account=shop.account)
        gone.active = False
        gone.save()
        for each in (sku, other, gone):
            stock(10, sku=each, node=shop.nodes[0])
        ChannelTerm.objects.create(
            account=shop.account, channel=shop.channel, sku=sku, threshold=2, rule=shop.rule()
        )

        with unplaced({sku.pk: 3, other.pk: 30}):
            found = selectors.ats(shop.channel.pk, [sku.pk, other.pk, gone.pk, -1], at=NOON)

        assert found == {sku.pk: 5, other.pk: 0, gone.pk: 0, -1: 0}

    def test_costs_as_many_statements_for_a_thousand_skus_as_for_one(
        self, django_assert_num_queries
    ):
        shop = a_shop(nodes=2)
        parts = [stock(5, node=shop.nodes[0], sku=SkuFactory(account=shop.account)) for _ in "ab"]
        kit = SkuFactory(account=shop.account, kind="kit", components={parts[0].sku: 1})

        shop.ats(parts[0].sku)  # keeps the network

        with django_assert_num_queries(10):
            selectors.ats(shop.channel.pk, [kit.pk, *range(1_000)], at=NOON, by=LATER)
        with django_assert_num_queries(8):
            selectors.ats(shop.channel.pk, [parts[1].sku_id], at=NOON)


class TestLater:
    def test_sees_what_comes_in_by_then_as_far_as_it_can_be_relied_on(self):
        shop = a_shop(nodes=2)
        sku = SkuFactory(account=shop.account)
        here, elsewhere = shop.nodes
        stock(10, sku=sku, node=here)
        coming = InboundFactory(account=shop.account, node=elsewhere)
        for units, days, reliability in ((20, 2, 90), (7, 4, 50), (100, 9, 100)):
            InboundLineFactory(
                inbound=coming,
                sku=sku,
                expected=units,
                eta_at=NOON + timedelta(days=days),
                reliability_percent=reliability,
            )

        assert shop.ats(sku) == 10
        assert shop.ats(sku, by=NOON + timedelta(days=2)) == 28
        assert shop.ats(sku, by=LATER) == 31

    def test_first_fills_what_is_reserved_beyond_what_there_is(self):
        shop = a_shop()
        sku = SkuFactory(account=shop.account)
        position = stock(10, sku=sku, node=shop.nodes[0])
        services.set_buffers([BufferChange(position.node_id, sku.pk, 14)], at=NOON, actor=ANNA)
        inbound = InboundFactory(account=shop.account, node=shop.nodes[0])
        InboundLineFactory(inbound=inbound, sku=sku, expected=6, reliability_percent=100)

        assert (shop.ats(sku), shop.ats(sku, by=LATER)) == (0, 2)

    def test_sees_what_lies_in_receiving_once_it_can_be_picked(self):
        shop = a_shop()
        sku = SkuFactory(account=shop.account)
        stock(10, sku=sku, node=shop.nodes[0], condition="receiving")

        assert shop.ats(sku, by=LATER) == 0
        times = {(shop.nodes[0].pk, "receiving"): 120}
        services.set_pickable_times(times, at=NOON, actor=ANNA)
        services.set_pickable_times(times, at=NOON, actor=ANNA)

        assert PickableTime.history.count() == 1
        with pytest.raises(Invalid):
            services.set_pickable_times({(shop.nodes[0].pk, "damaged"): 5}, at=NOON, actor=ANNA)
        assert shop.ats(sku, by=NOON + timedelta(minutes=119)) == 0
        assert shop.ats(sku, by=NOON + timedelta(minutes=120)) == 10


def test_another_channels_quota_is_left_to_it_and_said_so():
    shop = a_shop()
    position = stock(10, node=shop.nodes[0], sku=SkuFactory(account=shop.account))
    other = ChannelFactory(account=shop.account)
    ChannelNodeFactory(channel=other, node=shop.nodes[0])
    kept = QuotaDraft(shop.account.pk, other.pk, "Event", "fixed", NOON, units=4)
    services.plan_quotas([kept], at=NOON, actor=ANNA)

    found = selectors.explain(shop.account.pk, shop.channel.pk, position.sku_id, at=NOON)

    assert shop.ats(position.sku) == found.units == 6
    assert [(term.code, term.units) for term in found.terms] == [("on_hand", 10), ("protected", -4)]
    assert selectors.ats(other.pk, [position.sku_id], at=NOON) == {position.sku_id: 10}


def test_pickable_times_come_back_from_a_file_as_they_were():
    shop = a_shop()
    code = shop.nodes[0].code
    good = {"node": code, "condition": "receiving", "minutes": 90}
    rows = [Row(2, good, known=False), Row(3, good | {"node": "moon"}, known=False)]

    told = PICKABLE_TIMES.write(shop.account.pk, rows, NOON, ANNA)

    assert [one and one.code for one in told] == [None, "unknown-node"]
    assert list(PICKABLE_TIMES.current(shop.account.pk, None)) == [good]
    assert list(PICKABLE_TIMES.current(shop.account.pk, [(code, "reserve_storage")])) == []
