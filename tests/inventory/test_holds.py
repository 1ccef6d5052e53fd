"""What carts hold: placed whole or refused, replaced, extended, given back, moved to another node."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import inventory.selectors
from config.kernel import ids
from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import CartHold, ChannelNode, NodeFunction, Reservation
from inventory.types import CartDraft, QuotaDraft
from tests.books import check_all
from tests.factories.inventory import (
    ANNA,
    ChannelNodeFactory,
    NodeFactory,
    SkuFactory,
    reread,
    stock,
    want,
)
from tests.factories.kernel import NOON, ChannelFactory
from tests.inventory.shops import a_shop

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


class World:
    """A shop of two nodes with so many units of a SKU at each, and its carts."""

    def __init__(self, *units: int) -> None:
        self.shop = a_shop(nodes=len(units))
        self.channel = self.shop.channel
        self.sku = SkuFactory(account=self.shop.account)
        self.positions = [
            stock(each, sku=self.sku, node=node)
            for each, node in zip(units, self.shop.nodes, strict=True)
        ]

    def hold(self, *lines, cart="c1", at=NOON, **details):
        inventory.selectors.forget()
        wanted = tuple((sku.pk, units) for sku, units in lines)
        draft = CartDraft(self.channel.pk, cart, wanted, **details)
        return services.hold_cart(draft, at=at, actor=ANNA)

    def extend(self, cart="c1", at=NOON):
        return services.extend_cart(self.channel.pk, cart, at=at, actor=ANNA)

    def release(self, cart="c1", at=NOON):
        services.release_cart(self.channel.pk, cart, at=at, actor=ANNA)

    def reserved(self):
        return [reread(position.pk).reserved for position in self.positions]


def sweep(at):
    return (
        services.expire_held(10, at=at, actor=ANNA),
        services.end_holds(10, at=at, actor=ANNA),
    )


class TestHolding:
    def test_takes_from_where_most_is_free_and_splits_only_when_it_must(self):
        world = World(3, 5)

        first = world.hold((world.sku, 4))
        assert (first.lines[0].held, first.lines[0].free, first.expires_at) == (
            True,
            8,
            NOON + 10 * MINUTE,
        )
        assert world.reserved() == [0, 4]
        second = world.hold((world.sku, 4), (world.sku, 1), cart="c2")
        assert [(line.held, line.free) for line in second.lines] == [(True, 4), (False, 0)]
        assert world.reserved() == [3, 5]
        assert check_all(about="stock.") == []

    def test_what_is_refused_whole_leaves_nothing(self):
        world = World(3)

        refused = world.hold((world.sku, 4))
        assert (refused.expires_at, refused.lines[0].held, refused.lines[0].free) == (
            None,
            False,
            3,
        )
        assert not CartHold.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_of_a_torn_line_nothing_stays_held(self):
        world = World(3, 5)
        late = [want(world.positions[0], 1)]

        def quicker(execute, sql, *rest):
            """Another buyer comes right before the cart's positions are locked."""
            if late and "FOR UPDATE" in sql and "inventory_stockposition" in sql:
                services.take([late.pop()], at=NOON, actor=ANNA)
            return execute(sql, *rest)

        with connection.execute_wrapper(quicker):
            held = world.hold((world.sku, 8))
        assert (held.lines[0].held, held.expires_at) == (False, None)
        assert world.reserved() == [1, 0]

    def test_counts_quotas_thresholds_and_kits(self):
        world = World(10)
        market = ChannelFactory(account=world.shop.account)
        kept = QuotaDraft(
            account_id=market.account_id,
            channel_id=market.pk,
            name="kept",
            kind="fixed",
            units=4,
            starts_at=NOON - MINUTE,
        )
        ChannelNodeFactory(channel=market, node=world.shop.nodes[0])
        services.plan_quotas([kept], at=NOON, actor=ANNA)
        pair = SkuFactory(account=world.shop.account, components={world.sku: 2})

        held = world.hold((pair, 2), (world.sku, 3), (world.sku, 2))
        assert [(line.held, line.free) for line in held.lines] == [
            (True, 3),
            (False, 2),
            (True, 2),
        ]
        assert world.reserved() == [6]

    def test_at_a_node_named_needs_a_node_that_lets_collect(self):
        world = World(2, 5)
        store, warehouse = world.shop.nodes
        ChannelNode.objects.filter(node=store).update(ships=False, picks_up=True)
        NodeFunction.objects.get_or_create(node=store, function="pickup")

        at_store = world.hold((world.sku, 3), (world.sku, 2), node_id=store.pk)
        assert [(line.held, line.free) for line in at_store.lines] == [(False, 2), (True, 2)]
        other = world.hold((world.sku, 1), cart="c2", node_id=warehouse.pk)
        assert (other.lines[0].held, other.lines[0].free) == (False, 0)

    def test_asks_as_often_for_many_lines_as_for_one(self):
        world = World(50, 50)
        others = [SkuFactory(account=world.shop.account) for _ in range(5)]
        for sku in others:
            stock(5, sku=sku, node=world.shop.nodes[0])
        world.hold((world.sku, 1), cart="warm")

        def statements(cart, *lines):
            with CaptureQueriesContext(connection) as seen:
                world.hold(*lines, cart=cart)
            return len(seen)

        one = statements("one", (world.sku, 1))
        assert statements("six", (world.sku, 1), *((sku, 1) for sku in others)) == one

    def test_refuses_minutes_beyond_the_limit_and_channels_out_of_reach(self):
        world = World(3)
        world.channel.settings = {"hold_minutes": 5}
        world.channel.save()

        with pytest.raises(Invalid):
            world.hold((world.sku, 1), minutes=6)
        assert world.hold((world.sku, 1)).expires_at == NOON + 5 * MINUTE
        with pytest.raises(NotFound):
            services.release_cart(world.channel.pk, "other", at=NOON, actor=ANNA)


class TestAfterwards:
    def test_a_cart_that_changes_has_its_hold_replaced_and_not_prolonged(self):
        world = World(5)
        world.hold((world.sku, 4))

        again = world.hold((world.sku, 5), at=NOON + 3 * MINUTE)
        assert (again.lines[0].held, again.expires_at) == (True, NOON + 10 * MINUTE)
        assert world.reserved() == [5]
        assert world.hold((world.sku, 9), at=NOON + 4 * MINUTE).expires_at is None
        assert world.reserved() == [0]
        assert world.hold((world.sku, 1), at=NOON + 5 * MINUTE).expires_at == NOON + 15 * MINUTE

    def test_is_extended_only_so_often_and_not_once_it_is_over(self):
        world = World(5)
        world.hold((world.sku, 4), minutes=2)

        for turn in (1, 2, 3):
            extended = world.extend(at=NOON + turn * MINUTE)
            assert extended.expires_at == NOON + (turn + 2) * MINUTE
        with pytest.raises(Conflict):
            world.extend(at=NOON + 4 * MINUTE)
        assert sweep(NOON + 4 * MINUTE) == (0, 0)
        assert sweep(NOON + 5 * MINUTE) == (1, 1)
        assert world.reserved() == [0]
        world.hold((world.sku, 1), cart="c2")
        with pytest.raises(Conflict):
            world.extend("c2", at=NOON + 10 * MINUTE)

    def test_is_given_back_when_the_buyer_leaves(self):
        world = World(5)
        world.hold((world.sku, 4))

        world.release()
        assert world.reserved() == [0]
        with pytest.raises(NotFound):
            world.release()

    @pytest.mark.parametrize(
        "moment",
        ["2026-03-08T06:55:00+00:00", "2026-11-01T05:55:00+00:00", "2026-03-06T22:58:00+00:00"],
    )
    def test_lasts_as_long_in_business_time_when_clocks_are_moved_and_at_a_weekend(self, moment):
        """The time that commands are given counts, whatever the wall of the node or machine says."""
        begun, world = datetime.fromisoformat(moment), World(5)

        held = world.hold((world.sku, 4), at=begun)
        assert held.expires_at == begun + 10 * MINUTE
        assert sweep(held.expires_at - timedelta(seconds=1)) == (0, 0)
        assert sweep(held.expires_at) == (1, 1)

    def test_one_whose_time_is_over_begins_anew_before_the_sweeper_has_been(self):
        world = World(5)
        world.hold((world.sku, 4))

        held = world.hold((world.sku, 5), at=NOON + 11 * MINUTE)
        assert (held.lines[0].held, held.expires_at) == (True, NOON + 21 * MINUTE)
        assert check_all(about="stock.") == []


def claim(reservation_id: UUID) -> Reservation:
    found: Reservation = Reservation.objects.for_scope(ALL_ACCOUNTS).get(pk=reservation_id)
    return found


class TestMoving:
    def move(self, reservation_id, to, units):
        return services.move_reservation(reservation_id, to.pk, units, at=NOON, actor=ANNA)

    def test_units_go_to_the_other_node_with_all_that_they_are(self):
        world = World(3, 5)
        wanted = want(world.positions[0], 3, priority=2, promised_at=NOON)
        (taken,) = services.take([wanted], at=NOON, actor=ANNA).taken

        moved = claim(self.move(taken.reservation_id, world.shop.nodes[1], 2))
        assert world.reserved() == [1, 2]
        left = claim(taken.reservation_id)
        assert (left.open, left.released, left.release_reason) == (1, 2, "moved")
        assert (
            moved.open,
            moved.demand_id,
            moved.thread_id,
            moved.priority,
            moved.promised_at,
        ) == (
            2,
            left.demand_id,
            left.thread_id,
            2,
            NOON,
        )
        assert check_all(about="stock.") == []

    def test_what_is_held_stays_held_as_long(self):
        world = World(5, 3)
        world.hold((world.sku, 3))
        held = Reservation.objects.for_scope(ALL_ACCOUNTS).get(state="held")

        moved = claim(self.move(held.pk, world.shop.nodes[1], 3))
        assert (str(moved.state), moved.expires_at) == ("held", NOON + 10 * MINUTE)
        world.release()
        assert world.reserved() == [0, 0]

    def test_changes_nothing_when_it_is_refused(self):
        world = World(5, 1)
        (taken,) = services.take([want(world.positions[0], 3)], at=NOON, actor=ANNA).taken

        for node, units in [
            (world.shop.nodes[1], 2),
            (world.shop.nodes[1], 4),
            (world.shop.nodes[0], 1),
            (NodeFactory(account=world.shop.account), 1),
        ]:
            with pytest.raises(Conflict):
                self.move(taken.reservation_id, node, units)
        with pytest.raises(NotFound):
            self.move(ids.uuid7(), world.shop.nodes[1], 1)
        services.commit([taken.reservation_id], at=NOON, actor=ANNA)
        with pytest.raises(Conflict, match="committed"):
            self.move(taken.reservation_id, world.shop.nodes[1], 1)
        assert world.reserved() == [3, 0]
