"""Acceptance: promise, source and reserve, or say why not."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS
from inventory.models import Movement, Reservation, StockPosition
from orders.models import Hold, Invoice, Promise
from orders.services import (
    accept_captured,
    accept_orders,
    capture_orders,
    map_known,
    map_skus,
    release_holds,
)
from orders.types import GroupDraft, TenderDraft
from tests.factories.inventory import ChannelListingFactory
from tests.factories.kernel import NOON
from tests.factories.orders import (
    ANNA,
    NearestStock,
    Shop,
    line,
    lines_of,
    only_line,
    order_of,
    shop,
)


def buckets(order_line) -> dict[str, int]:
    names = ("pending", "backordered", "reserved", "released", "shipped", "cancelled")
    return {name: getattr(order_line, name) for name in names if getattr(order_line, name)}


class TestAcceptOrders:
    def test_reserves_the_stock_promises_and_tells(self, web: Shop, nearest: NearestStock) -> None:
        sku = web.sku(5)
        order = web.captured(line(sku, 2))

        (outcome,) = accept_orders([order.id], at=NOON, actor=ANNA)

        assert outcome.value is not None
        assert (outcome.value.reserved, outcome.value.backordered) == (2, 0)
        order = order_of(order.id)
        assert (order.state, order.progress, order.accepted_at) == ("accepted", "reserved", NOON)
        assert buckets(only_line(order)) == {"reserved": 2}
        reservation = Reservation.objects.for_scope(ALL_ACCOUNTS).get()
        assert (reservation.demand_id, reservation.thread_id) == (only_line(order).id, order.id)
        promise = Promise.objects.for_scope(ALL_ACCOUNTS).get(order=order)
        assert (order.ship_by, order.deliver_by) == (promise.ship_by, promise.deliver_latest)
        events = Event.objects.for_scope(ALL_ACCOUNTS).filter(thread_id=order.id).order_by("seq")
        assert list(events.values_list("topic", flat=True)) == ["order.captured", "order.accepted"]
        assert len(nearest.decided) == 1

    def test_backorders_what_no_node_has(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(3), 5))

        assert (order.state, order.progress) == ("accepted", "partly_reserved")
        assert buckets(only_line(order)) == {"reserved": 3, "backordered": 2}
        waiting = Reservation.objects.for_scope(ALL_ACCOUNTS).get(state="waiting")
        assert (waiting.quantity, waiting.demand_id) == (2, only_line(order).id)

    def test_holds_the_line_where_the_channel_takes_no_backorders(
        self, nearest: object, db: None
    ) -> None:
        strict = shop(backorders=False)

        order = strict.accepted(line(strict.sku(1), 3))

        hold = Hold.objects.for_scope(ALL_ACCOUNTS).get(order=order)
        assert (hold.type, hold.line_id, order.holds_open) == ("no_stock", only_line(order).id, 1)

    def test_splits_over_nodes_when_none_has_all(self, web: Shop) -> None:
        other = web.another_node()
        left, right = web.sku(2), web.sku(2, node=other)

        order = web.accepted(line(left, 2), line(right, 2))

        nodes = Reservation.objects.for_scope(ALL_ACCOUNTS).values_list("node_id", flat=True)
        assert set(nodes) == {web.node.id, other.id}
        assert order.progress == "reserved"

    def test_reserves_two_orders_of_one_batch_from_the_same_stock_without_overselling(
        self, web: Shop
    ) -> None:
        sku = web.sku(5)
        orders = [web.captured(line(sku, 3)) for _ in range(2)]

        accept_orders([order.id for order in orders], at=NOON, actor=ANNA)

        position = StockPosition.objects.for_scope(ALL_ACCOUNTS).get()
        assert (position.sellable, position.reserved) == (5, 5)

    def test_accepts_what_it_can_and_leaves_an_unmapped_line_waiting(self, web: Shop) -> None:
        order = web.accepted(line("NOBODY-KNOWS"), line(web.sku(2), 2))

        unmapped, known = lines_of(order)
        assert (buckets(unmapped), buckets(known)) == ({"pending": 1}, {"reserved": 2})

    def test_refuses_an_order_of_which_every_line_is_held(self, web: Shop) -> None:
        order = web.captured(line("NOBODY-KNOWS"))

        (outcome,) = accept_orders([order.id], at=NOON, actor=ANNA)

        assert outcome.problem is not None
        assert (outcome.problem.code, order_of(order.id).state) == ("held", "captured")
        assert "NOBODY-KNOWS" in outcome.problem.detail

    def test_accepts_under_a_hold_that_blocks_release_only(self, web: Shop) -> None:
        pending = TenderDraft("card", 1000, provider="fakepay")
        order = web.captured(line(web.sku(2)), tenders=(pending,))
        assert order.blocked == ["capture", "release"]

        accept_orders([order.id], at=NOON, actor=ANNA)

        assert order_of(order.id).progress == "reserved"

    def test_answers_a_repeat_without_reserving_again(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2))

        (again,) = accept_orders([order.id], at=NOON, actor=ANNA)

        assert again.kind.value == "repeated"
        assert Reservation.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_leaves_channel_fulfilled_groups_alone(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 2), group={"fulfilled_by": "channel"})

        assert (order.state, buckets(only_line(order))) == ("accepted", {"pending": 2})
        assert order.progress == "with_channel"
        assert not Reservation.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_hands_over_a_till_sale_and_lowers_the_store_s_stock(self, web: Shop) -> None:
        sku = web.sku(5)
        sold = GroupDraft(lines=(line(sku, 2),), method="none", pickup_node_code=web.node.code)
        paid = TenderDraft("cash", 2000, collected_by="till", captured_minor=2000)
        draft = web.draft(groups=(sold,), tenders=(paid,))
        (captured,) = capture_orders([draft], at=NOON, actor=ANNA)
        assert captured.value is not None

        accept_orders([captured.value.id], at=NOON, actor=ANNA)

        order = order_of(captured.value.id)
        assert (order.progress, order.invoiced_minor) == ("delivered", 2000)
        position = StockPosition.objects.for_scope(ALL_ACCOUNTS).get()
        assert (position.sellable, position.reserved) == (3, 0)
        assert Movement.objects.for_scope(ALL_ACCOUNTS).filter(kind="sale").count() == 1

    def test_ships_an_order_of_services_at_once_and_invoices_it(self, web: Shop) -> None:
        order = web.accepted(line("POST", 1, kind="service", price="5.00"))

        assert (order.progress, order.invoiced_minor) == ("delivered", 500)
        assert Invoice.objects.for_scope(ALL_ACCOUNTS).get().amount_minor == 500

    def test_drops_a_free_gift_that_is_out_of_stock_rather_than_wait_for_it(
        self, web: Shop
    ) -> None:
        bought = line(web.sku(2), external_id="A")
        gift = line(web.sku(), price="0", parent_external_id="A", relation="gift")

        order = web.accepted(bought, gift)

        assert order.progress == "reserved"
        assert [buckets(kept) for kept in lines_of(order)] == [{"reserved": 1}, {"cancelled": 1}]

    def test_needs_the_same_statements_for_one_order_and_for_fifty(self, web: Shop) -> None:
        skus = [web.sku(500) for _ in range(3)]
        sent = []
        for size in (1, 1, 11, 50):  # the first time reads what a process keeps
            drafts = [web.draft(*(line(sku, 1) for sku in skus)) for _ in range(size)]
            with CaptureQueriesContext(connection) as capturing:
                outcomes = capture_orders(drafts, at=NOON, actor=ANNA)
            order_ids = [outcome.value.id for outcome in outcomes if outcome.value]
            with CaptureQueriesContext(connection) as accepting:
                accepted = accept_orders(order_ids, at=NOON, actor=ANNA)
            assert all(outcome.ok for outcome in accepted)
            sent.append((len(capturing), len(accepting)))

        assert sent[2] == sent[3]
        capturing_sent, accepting_sent = sent[3]
        assert sent[1] == (capturing_sent, accepting_sent - 2)  # the units of few, at once
        assert capturing_sent <= 10
        assert accepting_sent <= 13


class TestAcceptCaptured:
    def test_accepts_what_a_crash_left_captured_and_leaves_what_is_held(self, web: Shop) -> None:
        left, held = web.captured(line(web.sku(2))), web.captured(line("NOBODY-KNOWS"))

        assert accept_captured(10, at=NOON, actor=ANNA) == 1

        assert [order_of(order.id).state for order in (left, held)] == ["accepted", "captured"]


class TestMapSkus:
    def test_lets_every_waiting_order_go_on(self, web: Shop) -> None:
        orders = [web.captured(line("CHANNEL-CODE", 2)) for _ in range(2)]
        sku = web.sku(4)
        ChannelListingFactory(channel=web.channel, sku=sku, external_sku="CHANNEL-CODE")

        freed = map_skus(web.account.id, web.channel.id, ["CHANNEL-CODE"], at=NOON, actor=ANNA)

        assert freed == 2
        for order in [order_of(order.id) for order in orders]:
            assert (order.progress, order.holds_open) == ("reserved", 0)
            assert only_line(order).sku_id == sku.id

    def test_expands_a_code_that_turns_out_to_be_a_kit(self, web: Shop) -> None:
        order = web.captured(line("BOX", 2, price="10.01"))
        kit = web.sku(kind="kit", components={web.sku(9): 1, web.sku(9): 2})
        ChannelListingFactory(channel=web.channel, sku=kit, external_sku="BOX")

        map_skus(web.account.id, web.channel.id, ["BOX"], at=NOON, actor=ANNA)

        parent, *parts = lines_of(order)
        assert (parent.kind, parent.pending) == ("kit", 0)
        assert [part.reserved for part in parts] == [2, 4]
        assert sum(part.total_minor for part in parts) == 2002
        assert order_of(order.id).progress == "reserved"


class TestMapKnown:
    def test_frees_the_orders_whose_codes_mean_something_by_now(self, web: Shop) -> None:
        listed, defined, unknown = (web.captured(line(code)) for code in ("LISTED", "OWN", "NO"))
        ChannelListingFactory(channel=web.channel, sku=web.sku(1), external_sku="LISTED")
        web.sku(1, code="OWN")

        assert map_known(at=NOON, actor=ANNA) == 2

        states = [order_of(order.id).state for order in (listed, defined, unknown)]
        assert states == ["accepted", "accepted", "captured"]

    def test_asks_as_much_for_many_codes_as_for_one(self, web: Shop) -> None:
        for number in range(4):
            web.captured(line(f"NO-{number}"))

        with CaptureQueriesContext(connection) as asked:
            assert map_known(at=NOON, actor=ANNA) == 0

        assert len(asked) == 2


class TestReleaseHolds:
    def test_accepts_what_the_hold_kept_from_acceptance(self, web: Shop) -> None:
        order = web.captured(line(web.sku(2)), address=None)
        hold = Hold.objects.for_scope(ALL_ACCOUNTS).get(order=order)
        assert hold.type == "destination"

        (outcome,) = release_holds([hold.id], "picked up by hand", at=NOON, actor=ANNA)

        assert outcome.ok
        assert order_of(order.id).state == "accepted"
