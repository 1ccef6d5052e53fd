"""An order is promised what its buyer was quoted, and never later than its channel promises."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from config.kernel import versions
from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS
from inventory.models import Node
from inventory.services import record_changes
from inventory.types import StockChange
from orders import services as orders
from orders.models import DeliveryGroup, Promise
from orders.types import (
    Address,
    GroupDraft,
    LineDraft,
    NewDates,
    OrderDraft,
    PromiseMove,
    TenderDraft,
)
from routing.quote_models import ChannelPledge, PromiseQuote
from routing.services import PledgeDraft, pledge
from tests.books import check_all
from tests.factories.routing import MONDAY_NOON, SYSTEM, Network, a_network
from tests.routing.test_quotes import quoted

pytestmark = pytest.mark.django_db
HOME = Address("Ada Buyer", "", "1 Main St", "", "New York", "NY", "10001", "US")


def ordered(
    network: Network,
    units: int,
    *,
    quote: PromiseQuote | None = None,
    at: datetime = MONDAY_NOON,
    option: str = "1-ship",
    **group: Any,
) -> DeliveryGroup:
    """An order of TEEs, captured and accepted at that moment; answers its group."""
    if quote is not None:
        group |= {"quote_id": quote.pk, "quote_option": option}
    line = LineDraft("L-1", "TEE", units, unit_price=Decimal(10))
    draft = OrderDraft(
        channel_id=network.channel.pk,
        account_id=network.account.pk,
        brand_id=network.channel.brand_id,
        external_id=f"E-{at:%H%M%S}-{units}-{option}-{len(group)}",
        currency="USD",
        placed_at=at,
        groups=(GroupDraft(**({"lines": (line,), "address": HOME} | group)),),
        tenders=(TenderDraft("card", 1_000 * units, collected_by="channel"),),
    )
    [captured] = orders.capture_orders([draft], at=at, actor=SYSTEM)
    assert captured.value is not None, captured.problem
    [accepted] = orders.accept_orders([captured.value.id], at=at, actor=SYSTEM)
    assert accepted.ok, accepted.problem
    return group_of(captured.value.id)


def group_of(order_id: object) -> DeliveryGroup:
    found: DeliveryGroup = DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).get(order_id=order_id)
    return found


def promise_of(group: DeliveryGroup) -> Promise:
    rows = Promise.objects.for_scope(ALL_ACCOUNTS).filter(group=group)
    return rows.order_by("-version")[0]


def told(group: DeliveryGroup, topic: str) -> dict[str, Any]:
    event = Event.objects.for_scope(ALL_ACCOUNTS).get(topic=topic, thread_id=group.order_id)
    return dict(event.data)


def near_and_far() -> Network:
    """A store next door and a warehouse four days away, each with TEEs."""
    network = a_network()
    network.stock("TEE", RENO=9, NEWARK=2)
    return network


def make_dear(network: Network, code: str) -> None:
    """Every parcel of the node costs a fortune from now on."""
    Node._base_manager.filter(pk=network.nodes[code]).update(handling_cost_minor=99_999)
    versions.bump("network")


def sold_out(network: Network, code: str, units: int) -> None:
    change = StockChange(
        network.nodes[code], network.skus["TEE"], network.account.pk, -units, "adjust"
    )
    record_changes([change], at=MONDAY_NOON, actor=SYSTEM)


class TestQuotes:
    def test_an_order_is_promised_the_option_that_its_buyer_took(self):
        network = near_and_far()
        quote = quoted(network, {"TEE": 2})
        network.stock("TEE", COLUMBUS=5)

        group = ordered(network, 2, quote=quote, at=MONDAY_NOON + timedelta(minutes=20))

        promise, [option] = promise_of(group), quote.options
        assert promise.deliver_latest == datetime.fromisoformat(option["latest_at"])
        assert promise.basis["held_to"]["by"] == ["quote"]
        assert told(group, "order.quote_kept")["quote_id"] == str(quote.pk)

    def test_a_worse_plan_keeps_the_day_that_was_quoted_and_shows_what_ours_would_be(self):
        network = near_and_far()
        quote = quoted(network, {"TEE": 2})
        sold_out(network, "NEWARK", 2)

        group = ordered(network, 2, quote=quote)

        promise = promise_of(group)
        assert promise.deliver_latest.isoformat() == quote.options[0]["latest_at"]
        assert promise.basis["held_to"]["ours"]["deliver_latest"] > quote.options[0]["latest_at"]
        assert group.deliver_by == promise.deliver_latest
        assert check_all() == []

    def test_a_node_that_would_be_late_for_the_quote_is_a_last_resort(self):
        network = a_network("RENO", "NEWARK")
        network.stock("TEE", NEWARK=2)
        quote = quoted(network, {"TEE": 1})
        make_dear(network, "NEWARK")
        network.stock("TEE", RENO=9)

        kept = ordered(network, 1, quote=quote)
        free = ordered(network, 1)

        assert [promise_of(group).basis["nodes"][0][:4] for group in (kept, free)] == [
            "NEWA",
            "RENO",
        ]

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"at": MONDAY_NOON + timedelta(minutes=61)}, "expired"),
            ({"units": 3}, "other_goods"),
            ({"address": replace(HOME, postal_code="94103", region="CA")}, "other_place"),
            ({"option": "9-ship"}, "unknown_option"),
        ],
    )
    def test_a_quote_that_does_not_hold_is_told_and_the_order_taken_like_any_other(
        self, change, why
    ):
        network = near_and_far()
        quote = quoted(network, {"TEE": 2})

        group = ordered(network, change.pop("units", 2), quote=quote, **change)

        assert told(group, "order.quote_missed")["why"] == why
        assert group.bounds["quote"]["missed"] == why
        assert "held_to" not in promise_of(group).basis
        assert group.ship_by is not None

    def test_a_fixed_date_is_not_begun_before_its_time(self):
        network = near_and_far()
        quote = quoted(network, {"TEE": 1}, fixed_date=datetime(2026, 3, 20, tzinfo=UTC).date())

        group = ordered(network, 1, quote=quote)

        assert group.not_before == datetime.fromisoformat(quote.options[0]["start_at"])
        assert group.ship_by == datetime.fromisoformat(quote.options[0]["ship_by"])


class TestPledges:
    def test_the_tighter_of_ours_and_theirs_is_promised_and_says_whose_it_is(self):
        network = near_and_far()
        pledged(network, ship_days=1, deliver_days=2)

        tight = ordered(network, 9)
        promise = promise_of(tight)

        assert promise.deliver_latest == datetime(2026, 3, 4, 23, 59, 59, tzinfo=UTC)
        assert promise.basis["held_to"]["by"] == ["channel"]
        assert check_all() == []

    def test_nobody_promises_later_than_the_channel_does(self):
        network = near_and_far()
        pledged(network, ship_days=0, deliver_days=3)
        group = ordered(network, 9)
        late = MONDAY_NOON + timedelta(days=9)

        orders.move_promises([PromiseMove(group.pk, late)], at=MONDAY_NOON, actor=SYSTEM)
        again = orders.move_promises([PromiseMove(group.pk, late)], at=MONDAY_NOON, actor=SYSTEM)
        [refused] = orders.promise_later(
            [NewDates(group.pk, late, late + timedelta(days=2))], at=MONDAY_NOON, actor=SYSTEM
        )

        promise = promise_of(group)
        assert promise.ship_by.isoformat() == group.bounds["channel"]["ship_by"]
        assert promise.deliver_latest.isoformat() == group.bounds["channel"]["deliver_by"]
        assert (again, refused.problem.code) == ([], "channel-promise")
        assert check_all() == []

    def test_days_are_working_days_of_the_channel_counted_from_its_cutoff(self):
        network = near_and_far()
        pledged(network, ship_days=1, cutoff=time(15), timezone="America/New_York")
        friday = datetime(2026, 3, 6, 19, 59, tzinfo=UTC)

        before = ordered(network, 1, at=friday)
        after = ordered(network, 1, at=friday + timedelta(minutes=2))

        assert [group.bounds["channel"]["ship_by"][:10] for group in (before, after)] == [
            "2026-03-10",
            "2026-03-11",
        ]

    def test_a_pledge_that_has_ended_binds_only_what_was_placed_in_its_time(self):
        network = near_and_far()
        pledged(network, deliver_days=1, ends_at=MONDAY_NOON + timedelta(hours=1))

        within = ordered(network, 1)
        later = ordered(network, 1, at=MONDAY_NOON + timedelta(hours=2))

        assert ("channel" in within.bounds, "channel" in later.bounds) == (True, False)


def pledged(network: Network, *, timezone: str = "UTC", **terms: Any) -> ChannelPledge:
    network.channel.timezone = timezone
    network.channel.save()
    draft = PledgeDraft(
        network.account.pk, network.channel.pk, starts_at=MONDAY_NOON - timedelta(days=1), **terms
    )
    return pledge(draft, at=MONDAY_NOON, actor=SYSTEM)
