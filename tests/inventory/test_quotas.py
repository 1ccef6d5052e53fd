"""Quotas: what is kept for whom, what a take uses up, and what comes back."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel.errors import Invalid
from config.kernel.types import ALL_ACCOUNTS
from inventory import quotas, services
from inventory.models import Node, Quota, QuotaPlan, Sku
from inventory.types import IssuedPortion, Portion, QuotaDraft, QuotaView, Selection
from tests.books import check_all
from tests.factories.inventory import (
    ANNA,
    ChannelNodeFactory,
    NodeFactory,
    SkuFactory,
    change_of,
    future_want,
    reread,
    stock,
    want,
)
from tests.factories.kernel import NOON, ChannelFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


class World:
    """One SKU at one node that a web shop and a marketplace both sell from."""

    def __init__(self, units=10):
        self.web = ChannelFactory()
        self.account = self.web.account
        self.market = ChannelFactory(account=self.account)
        self.sku: Sku = SkuFactory(account=self.account)
        self.node: Node = NodeFactory(account=self.account)
        for channel in (self.web, self.market):
            ChannelNodeFactory(channel=channel, node=self.node)
        self.position = stock(units, sku=self.sku, node=self.node)

    def keep(self, units=None, *, channel=None, kind="fixed", at=NOON, **details) -> UUID:
        """A quota of the marketplace (or another channel) that is in force."""
        draft = QuotaDraft(
            account_id=self.account.pk,
            channel_id=(channel or self.market).pk,
            name="kept",
            kind=kind,
            units=units,
            starts_at=details.pop("starts_at", NOON - DAY),
            **details,
        )
        return services.plan_quotas([draft], at=at, actor=ANNA)[0]

    def take(self, units, channel=None, **details):
        """The reservation of so many units, or None when they were not to be had."""
        wanted = want(self.position, units, channel_id=channel and channel.pk)
        taken = services.take([wanted], at=details.pop("at", NOON), actor=ANNA).taken
        return taken[0].reservation_id if taken else None

    def left(self, channel, at=NOON) -> QuotaView:
        return quotas.left(channel and channel.pk, [self.sku.pk], at)[self.sku.pk]


def used(plan_id):
    return Quota.objects.for_scope(ALL_ACCOUNTS).get(plan_id=plan_id).used


class TestFixed:
    def test_others_and_nobody_may_not_have_what_is_kept(self):
        world = World(10)
        world.keep(4)

        assert world.take(7, world.web) is None
        assert world.take(7) is None
        assert world.take(6, world.web) is not None
        assert world.take(1, world.web) is None
        assert world.take(4, world.market) is not None
        assert check_all(about="stock.") == []

    def test_is_used_up_by_its_channel_and_then_keeps_nothing_more(self):
        world = World(10)
        plan = world.keep(4)

        assert world.take(3, world.market)
        assert world.left(world.web) == QuotaView(0, 1, None)
        assert world.left(world.market) == QuotaView(1, 0, None)
        assert world.take(3, world.market)
        assert used(plan) == 6
        assert world.left(world.web) == QuotaView(0, 0, None)

    def test_a_cap_is_the_most_that_its_channel_may_have(self):
        world = World(10)
        world.keep(2, cap=3)

        assert world.left(world.market).cap_left == 3
        assert world.take(4, world.market) is None
        assert world.take(3, world.market)
        assert world.take(1, world.market) is None
        assert world.left(world.market).cap_left == 0

    def test_what_is_given_back_is_kept_again_and_what_was_shipped_stays_used(self):
        world = World(10)
        plan = world.keep(4)
        reservation = world.take(4, world.market)

        services.release([Portion(reservation, 1)], "cancelled", at=NOON, actor=ANNA)
        assert used(plan) == 3
        services.issue([Portion(reservation, 2)], "parcel", reservation, at=NOON, actor=ANNA)
        assert used(plan) == 3
        back = IssuedPortion(reservation, 1, "parcel", reservation)
        services.put_back([back], at=NOON, actor=ANNA)
        services.release([Portion(reservation, 2)], "cancelled", at=NOON, actor=ANNA)
        assert used(plan) == 1
        assert check_all(about="stock.") == []

    def test_carts_use_it_until_they_expire(self):
        world = World(10)
        plan = world.keep(4)
        wanted = want(world.position, 3, channel_id=world.market.pk)
        services.hold([wanted], until=NOON + timedelta(minutes=10), at=NOON, actor=ANNA)
        assert used(plan) == 3

        services.expire_held(10, at=NOON + timedelta(minutes=11), actor=ANNA)

        assert used(plan) == 0


class TestShare:
    def test_follows_what_may_be_sold(self):
        world = World(10)
        plan = world.keep(kind="percent", percent=50)
        assert world.left(world.web).others_protected == 5

        services.record_changes([_more(world, 10)], at=NOON, actor=ANNA)
        assert world.left(world.web).others_protected == 10
        reservation = world.take(4, world.market)
        services.issue([Portion(reservation, 4)], "parcel", reservation, at=NOON, actor=ANNA)
        assert used(plan) == 0
        assert world.left(world.web).others_protected == 8

        services.refresh_quotas(at=NOON, actor=ANNA)
        assert Quota.objects.for_scope(ALL_ACCOUNTS).get(plan_id=plan).protected == 8


class TestPriority:
    def test_keeps_the_last_units_however_many_went_before(self):
        world = World(10)
        world.keep(3, kind="priority")

        assert world.take(5, world.market)
        assert world.take(3, world.web) is None
        assert world.take(2, world.web)
        assert world.take(3, world.market)

    def test_comes_after_what_is_kept_in_units_when_there_is_not_enough(self):
        world = World(5)
        world.keep(4, channel=world.web)
        world.keep(4, kind="priority")

        assert world.left(world.web) == QuotaView(4, 1, None)
        assert world.left(world.market) == QuotaView(1, 4, None)

    def test_of_two_the_one_of_the_higher_sequence_goes_first(self):
        world = World(5)
        world.keep(3, kind="priority", channel=world.web)
        world.keep(3, kind="priority", sequence=1)

        assert world.left(world.market) == QuotaView(3, 0, None)
        assert world.left(world.web) == QuotaView(2, 3, None)
        assert world.left(None) == QuotaView(0, 5, None)


class TestTime:
    def test_an_overlay_stands_above_the_rest_and_ends_by_itself(self):
        world = World(10)
        world.keep(2)
        overlay = world.keep(8, overlay=True, starts_at=NOON + DAY, ends_at=NOON + 2 * DAY, at=NOON)
        assert world.left(world.web).others_protected == 2

        services.turn_quotas(10, at=NOON + DAY, actor=ANNA)
        assert world.left(world.web, NOON + DAY).others_protected == 8
        late = NOON + 2 * DAY
        assert world.left(world.web, late).others_protected == 2, "before the step has come round"
        services.turn_quotas(10, at=late, actor=ANNA)

        plan = QuotaPlan.objects.for_scope(ALL_ACCOUNTS).get(pk=overlay)
        assert plan.state == "ended"
        assert [row.state for row in plan.quotas.all()] == ["ended"]

    def test_what_is_not_used_is_opened_to_others_from_a_time(self):
        world = World(10)
        world.keep(8, spill=True, spill_at=NOON + DAY)

        assert world.take(5, world.web) is None
        assert world.take(5, world.web, at=NOON + DAY) is not None

    def test_a_unit_that_was_ended_does_not_come_back_to_it(self):
        world = World(10)
        plan = world.keep(4)
        reservation = world.take(4, world.market)
        services.end_quotas([plan], at=NOON, actor=ANNA)

        services.release([Portion(reservation, 4)], "cancelled", at=NOON, actor=ANNA)

        assert used(plan) == 4
        assert world.take(10, world.web)

    def test_a_new_sku_gets_its_quota_and_one_that_is_meant_no_more_loses_it(self):
        world = World(10)
        plan = world.keep(4, selection=Selection(attribute="season", attribute_value="summer"))
        assert not QuotaPlan.objects.for_scope(ALL_ACCOUNTS).get(pk=plan).quotas.exists()

        Sku.objects.for_scope(ALL_ACCOUNTS).filter(pk=world.sku.pk).update(
            attributes={"season": "summer"}
        )
        services.refresh_quotas(at=NOON, actor=ANNA)
        assert world.left(world.web).others_protected == 4


class TestPlaces:
    def test_is_met_from_the_nodes_of_its_channel(self):
        """Units that the marketplace cannot reach are free to all; those that it can are kept."""
        world = World(5)
        far = NodeFactory(account=world.account)
        ChannelNodeFactory(channel=world.web, node=far)
        elsewhere = stock(5, sku=world.sku, node=far)
        world.keep(5)

        assert world.left(world.web) == QuotaView(0, 5, None)
        assert world.take(1, world.web) is None
        wanted = want(elsewhere, 5, channel_id=world.web.pk)
        assert services.take([wanted], at=NOON, actor=ANNA).taken
        assert world.take(5, world.market)


class TestOtherWays:
    def test_landed_units_go_to_who_waits_and_count_as_used(self):
        world = World(0)
        plan = world.keep(4, channel=world.web)
        services.reserve_future([(waiting := future_want(world.sku, 5))], at=NOON, actor=ANNA)
        services.record_changes([_more(world, 5)], at=NOON, actor=ANNA)
        position = reread(world.position.pk)
        assert position.landed == 5

        wanted = want(position, 5, demand_id=waiting.demand_id, channel_id=world.web.pk)
        assert services.take_landed([wanted], at=NOON, actor=ANNA).taken
        assert used(plan) == 5
        assert check_all(about="stock.") == []

    def test_a_take_costs_no_statement_more_while_nobody_has_a_quota(self):
        world = World(10)
        world.take(1, world.web)
        with CaptureQueriesContext(
            connection,
        ) as without:
            world.take(1, world.web)
        with transaction.atomic(), CaptureQueriesContext(connection) as again:
            services.take_again([want(world.position)], at=NOON, actor=ANNA)
        assert (len(without), len(again)) == (1, 3)

        world.keep(2)
        with CaptureQueriesContext(connection) as with_quota:
            world.take(1, world.market)
        assert len(with_quota) == 7


class TestPlanning:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"units": None},
            {"units": 1, "percent": 2},
            {"units": -1},
            {"kind": "percent", "percent": 101},
            {"kind": "never", "units": 1},
            {"units": 1, "ends_at": NOON - 2 * DAY},
            {"units": 1, "ends_at": NOON - DAY / 2},
            {"units": 1, "spill_at": NOON},
            {"units": 1, "cap": -1},
        ],
    )
    def test_refuses_what_contradicts_itself(self, wrong):
        world = World(1)

        with pytest.raises(Invalid):
            world.keep(**wrong)

        assert not QuotaPlan.objects.for_scope(ALL_ACCOUNTS).exists()


def _more(world, units):
    return change_of(world.position, units, "receipt")
