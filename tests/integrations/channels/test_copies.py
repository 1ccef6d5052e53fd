"""What shops hold of our orders: told once, in order, found again when it is lost, never while paused."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel import clock
from config.kernel.events import Recorded
from config.kernel.ids import uuid7
from config.kernel.models import CaseReport, Event, Intent, JobItem
from config.kernel.services import intents, jobs
from config.kernel.types import ALL_ACCOUNTS, Scope
from fulfillment.models import FulfillmentOrder, NodeRequest, Parcel
from fulfillment.services import (
    answer_requests,
    confirm_shipments,
    record_packs,
    record_picks,
    release_groups,
    reverse_shipments,
    void_parcels,
)
from fulfillment.types import Content, Pack, Pick, RequestAnswer, Shipment
from integrations import connections
from integrations import services as connections_services
from integrations.channels import copies, selectors, services, telling
from integrations.models import Connection, CopyKind
from inventory.models import KitComponent, Sku
from orders.models import DeliveryGroup, OrderLine, Tender
from orders.services import cancel_units, credit_units, lock_orders
from orders.types import CancelRequest, CreditedUnits, CreditRequest
from tests.factories.kernel import NOON
from tests.factories.routing import SYSTEM
from tests.integrations.channels.shops import Trade, a_trade

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("integrations.api.urls")]


@pytest.fixture(params=["shopify", "woocommerce"])
def trade(request) -> Iterator[Trade]:
    with a_trade(request.param) as made:
        yield made


def parcels_there(trade: Trade, order_id: int) -> list[str]:
    """Tracking numbers that stand on the order in the shop."""
    order = trade.document(order_id)
    if trade.adapter == "shopify":
        standing = [one for one in order["fulfillments"] if one["status"] != "cancelled"]
        return [number for one in standing for number in one["tracking_numbers"]]
    kept = [one["value"] for one in order["meta_data"] if "tracking_items" in one["key"]]
    return [one["tracking_number"] for items in kept for one in items]


def refunded_there(trade: Trade, order_id: int) -> int:
    """What the shop has given back, in minor units."""
    kept = trade.shop.store["orders"][str(order_id)]
    return sum(one["amount"] for one in kept["refunds"])


def states(trade: Trade, *kinds: str) -> dict[str, str]:
    return {one.kind: one.state for one in trade.copies() if one.kind in (kinds or copies.INTENTS)}


def delivered(trade: Trade, order) -> None:
    """Its units are with the buyer."""
    OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(order=order, shipped__gt=0).update(
        underway=0, delivered=2
    )


def credit(order, units: int, *, key: str = "") -> int:
    """Units came back: what they are worth is to be given back."""
    line = OrderLine.objects.for_scope(ALL_ACCOUNTS).get(order=order, kind="stock")
    with transaction.atomic():
        lock_orders([order.pk])
        request = CreditRequest(
            order.pk, "return", uuid7(), (CreditedUnits(line.pk, units),), key=key
        )
        [outcome] = credit_units([request], at=clock.now(), actor=SYSTEM)
    assert outcome.value is not None, outcome.problem
    return outcome.value.amount_minor


def ship_apart(trade: Trade, order) -> list[Parcel]:
    """One unit of each line but of SKU-1, and what is left, in a parcel each; told one by one."""
    trade.pass_time(90)
    at = clock.now()
    groups = DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).filter(order=order)
    release_groups([group.pk for group in groups], at=at, actor=SYSTEM)
    [work] = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).filter(order=order)
    lines = list(work.lines.select_related("sku").order_by("pk"))
    record_picks([Pick(line.pk, line.requested) for line in lines], at=at, actor=SYSTEM)
    some = tuple(Content(line.pk, 1) for line in lines if line.sku.code != "SKU-1")
    for contents in (some, ()):
        [packed] = record_packs([Pack(work.pk, contents)], at=at, actor=SYSTEM)
        number = f"T-{packed.value.parcel_ids[0].hex[-8:]}"
        shipment = Shipment(packed.value.parcel_ids[0], number, "paper")
        confirm_shipments([shipment], at=at, actor=SYSTEM)
        trade.carry_out()
    return list(Parcel.objects.for_scope(ALL_ACCOUNTS).order_by("pk"))


class TestAKit:
    """A line of the shop whose parts travel apart: it is sent once, and every number is there."""

    @pytest.mark.parametrize("more", [{}, {"SKU-2": 1}])
    def test_in_two_parcels_is_one_line_with_two_numbers(self, trade, more):
        skus = Sku.objects.for_scope(ALL_ACCOUNTS)
        skus.filter(code="SKU-3").update(kind="kit")
        for part in skus.filter(code__in=("SKU-0", "SKU-1")):
            KitComponent.objects.create(kit=skus.get(code="SKU-3"), component=part, quantity=2)
        placed, order = trade.captured({"SKU-3": 1, **more})
        first, second = ship_apart(trade, order)
        numbers = [first.tracking_number, second.tracking_number]

        assert parcels_there(trade, placed["id"]) == numbers
        trade.pass_time(30)
        trade.push(placed["id"])
        assert trade.poll().different == 0
        assert (trade.shop.log.of("refused"), CaseReport.objects.count()) == ([], 0)

        reverse_shipments([first.pk], at=clock.now(), actor=SYSTEM)
        trade.carry_out()

        assert parcels_there(trade, placed["id"]) == numbers[1:]
        if trade.adapter == "shopify":
            lines = trade.document(placed["id"])["line_items"]
            left = {one["sku"]: one["fulfillable_quantity"] for one in lines}
            assert left == {"SKU-3": 0, **more}
        assert states(trade, "fulfillment") == {"fulfillment": "same"}


class TestAKitThatNeverBecomesWhole:
    """One part has left, the other never will: the shop's buyer gets the worth of it back."""

    def kit_that_half_left(self, trade):
        """One of two parts is with the carrier; answers the order there and here, and the other."""
        skus = Sku.objects.for_scope(ALL_ACCOUNTS)
        skus.filter(code="SKU-3").update(kind="kit")
        for part in skus.filter(code__in=("SKU-0", "SKU-1")):
            KitComponent.objects.create(kit=skus.get(code="SKU-3"), component=part, quantity=1)
        placed, order = trade.captured({"SKU-3": 1, "SKU-2": 1})
        trade.pass_time(90)
        at = clock.now()
        group = DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).get(order=order)
        release_groups([group.pk], at=at, actor=SYSTEM)
        [work] = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).filter(order=order)
        first = work.lines.get(sku__code="SKU-0")
        record_picks([Pick(first.pk, 1)], at=at, actor=SYSTEM)
        some = (Content(first.pk, 1),)
        [packed] = record_packs([Pack(work.pk, some)], at=at, actor=SYSTEM)
        [parcel] = packed.value.parcel_ids
        confirm_shipments([Shipment(parcel, "T-1", "paper")], at=at, actor=SYSTEM)
        trade.carry_out()
        [missing] = [line for line in trade.lines(order) if line.sku.code == "SKU-1"]
        return placed, order, missing

    def ask_to_take_off(self, order, line):
        request = CancelRequest(order.pk, line.pk, 1, "no stock", "merchant")
        [outcome] = cancel_units([request], at=clock.now(), actor=SYSTEM)
        assert outcome.ok, outcome.problem

    def take_off(self, trade, order, line):
        self.ask_to_take_off(order, line)
        trade.carry_out()
        line.refresh_from_db()
        return line.cancellations.get().amount_minor

    def test_is_given_back_as_an_amount_once_and_both_books_agree(self, trade):
        placed, order, missing = self.kit_that_half_left(trade)

        worth = self.take_off(trade, order, missing)
        trade.carry_out()

        there = trade.shop.store["orders"][str(placed["id"])]
        kit = next(one for one in there["lines"] if one["sku"] == "SKU-3")
        [made] = there["refunds"]
        assert (made["amount"], made["lines"]) == (worth, [])
        assert worth == missing.total_minor > 0
        assert (kit["cancelled"], kit["refunded"]) == (0, 0)
        [copy] = trade.copies(kind="refund")
        assert copy.wanted["kits"] == {str(kit["id"]): worth}
        trade.pass_time(30)
        trade.push(placed["id"])
        assert (trade.poll().different, trade.shop.log.of("refused")) == (0, [])
        assert CaseReport.objects.count() == 0

    def test_is_not_given_back_again_with_the_kit_when_the_parcel_comes_back(self, trade):
        placed, order, missing = self.kit_that_half_left(trade)
        self.take_off(trade, order, missing)
        [parcel] = Parcel.objects.for_scope(ALL_ACCOUNTS)
        reverse_shipments([parcel.pk], at=clock.now(), actor=SYSTEM)
        void_parcels([parcel.pk], at=clock.now(), actor=SYSTEM)
        trade.carry_out()
        [first] = [line for line in trade.lines(order) if line.sku.code == "SKU-0"]

        self.ask_to_take_off(order, first)
        [asked] = NodeRequest.objects.for_scope(ALL_ACCOUNTS)
        answer_requests([RequestAnswer(asked.pk, 1)], at=clock.now(), actor=SYSTEM)
        trade.carry_out()

        there = trade.shop.store["orders"][str(placed["id"])]
        kit = next(one for one in there["lines"] if one["sku"] == "SKU-3")
        parts = [line for line in trade.lines(order) if line.sku.code in ("SKU-0", "SKU-1")]
        assert max(kit["cancelled"], kit["refunded"]) == 1
        assert sum(made["amount"] for made in there["refunds"]) == sum(
            part.total_minor for part in parts
        )
        assert {copy.wanted["kits"][str(kit["id"])] for copy in trade.copies(kind="cancel")} == {
            -missing.total_minor
        }

    def test_is_one_case_with_the_amount_where_the_channel_allows_no_amount_alone(self, trade):
        Connection.objects.for_scope(ALL_ACCOUNTS).update(settings={"amount_refunds": False})
        connections.forget()
        placed, order, missing = self.kit_that_half_left(trade)

        worth = self.take_off(trade, order, missing)

        [report] = CaseReport.objects.all()
        assert report.kind == "CHANNEL_REFUSED"
        assert (report.evidence["amount_minor"], report.evidence["currency"]) == (worth, "USD")
        assert "by hand, then have it sent again" in report.evidence["why"]
        there = trade.shop.store["orders"][str(placed["id"])]
        trade.shop.refund(there, trade.shop.clock.now(), by="shop", amount=worth)
        copies.heal_copies(trade.ref.id, at=clock.now(), actor=SYSTEM)
        trade.carry_out()
        assert (states(trade, "refund"), len(there["refunds"])) == ({"refund": "same"}, 1)


class TestTheWayOfAnOrder:
    def test_is_told_once_and_by_its_numbers(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        numbers = trade.ship(order)
        trade.carry_out()
        trade.carry_out()

        assert parcels_there(trade, placed["id"]) == numbers
        assert order.number in str(trade.document(placed["id"]))
        assert states(trade) == {"acknowledgement": "same", "fulfillment": "same"}
        assert trade.shop.log.of("refused") == []
        lines = selectors.copies_of_order(order.pk)
        assert [line.kind for line in lines] == ["order", "acknowledgement", "fulfillment"]

    def test_taken_back_is_taken_back_there_and_told_again_when_it_leaves(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        trade.ship(order)
        trade.carry_out()
        [parcel] = Parcel.objects.for_scope(ALL_ACCOUNTS)

        [outcome] = reverse_shipments([parcel.pk], at=clock.now(), actor=SYSTEM)
        trade.carry_out()

        assert outcome.ok, outcome.problem
        assert parcels_there(trade, placed["id"]) == []
        assert states(trade, "fulfillment") == {"fulfillment": "same"}

        confirm_shipments([Shipment(parcel.pk, "T-2", "paper")], at=clock.now(), actor=SYSTEM)
        trade.carry_out()
        assert parcels_there(trade, placed["id"]) == ["T-2"]

    def test_ends_there_with_a_reason_and_the_money_when_we_cancel_it(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        request = CancelRequest(order.pk, reason="no stock", initiator="merchant")
        cancel_units([request], at=clock.now(), actor=SYSTEM)

        trade.carry_out()
        trade.push(placed["id"])
        trade.carry_out()

        there = trade.shop.store["orders"][str(placed["id"])]
        assert there["cancelled_at"] or there["status"] == "refunded"
        assert refunded_there(trade, placed["id"]) == order.total_minor
        assert states(trade, "cancel") == {"cancel": "same"}
        assert all(one.wanted["of_cancel"] for one in trade.copies(kind=CopyKind.REFUND))
        assert not CaseReport.objects.exists()

    def test_loses_a_part_there_once_when_we_cancel_that(self, trade):
        placed, order = trade.captured({"SKU-0": 3})
        [line] = trade.lines(order)
        request = CancelRequest(order.pk, line.pk, 1, "no stock", "merchant")
        cancel_units([request], at=clock.now(), actor=SYSTEM)

        trade.carry_out()
        trade.push(placed["id"])
        trade.carry_out()

        line.refresh_from_db()
        assert (line.cancelled, line.ordered) == (1, 3)
        assert len(trade.shop.store["orders"][str(placed["id"])]["refunds"]) == 1
        assert states(trade, "cancel", "refund") == {"cancel": "same"}
        assert not CaseReport.objects.exists()

    def test_gives_back_there_what_we_credit_and_nothing_twice(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        trade.ship(order)
        delivered(trade, order)
        amount = credit(order, 1)

        trade.carry_out()
        trade.push(placed["id"])
        trade.carry_out()

        assert refunded_there(trade, placed["id"]) == amount
        assert [one.state for one in trade.copies(kind=CopyKind.REFUND)] == ["same"]
        assert not CaseReport.objects.filter(kind="CHANNEL_REFUNDED").exists()

    def test_writes_down_there_what_we_give_back_of_money_that_we_took(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        kept = trade.shop.store["orders"][str(placed["id"])]
        kept |= {"payment": "authorized", "transactions": []}
        Tender.objects.for_scope(ALL_ACCOUNTS).filter(order=order).update(collected_by="us")
        trade.ship(order)
        delivered(trade, order)
        amount = credit(order, 1)

        trade.carry_out()
        trade.push(placed["id"])
        trade.carry_out()

        [made] = kept["refunds"]
        [line] = made["lines"]
        assert (line["quantity"], line["restock"], made["transactions"][1:]) == (
            1,
            "no_restock",
            [],
        )
        assert made["amount"] == (amount if trade.adapter == "woocommerce" else 0)
        assert made.get("by_gateway", False) is False
        assert [one.state for one in trade.copies(kind=CopyKind.REFUND)] == ["same"]
        trade.pass_time(30)
        assert trade.poll().different == 0
        assert trade.shop.log.of("refused") == []

    def test_gives_back_less_where_the_shop_gave_some_by_itself(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        trade.ship(order)
        delivered(trade, order)
        trade.deed(placed["id"], "refund")
        amount = credit(order, 1)

        trade.carry_out()

        assert refunded_there(trade, placed["id"]) == amount > 500


class TestConnection:
    def test_that_is_paused_is_sent_nothing_until_it_is_live(self, trade):
        connections_services.pause(trade.ref.id, at=clock.now(), actor=SYSTEM)
        placed, order = trade.captured({"SKU-0": 2})
        trade.ship(order)
        trade.carry_out()
        assert states(trade) == {"acknowledgement": "waiting", "fulfillment": "waiting"}
        assert parcels_there(trade, placed["id"]) == []

        connections_services.go_live(trade.ref.id, at=clock.now(), actor=SYSTEM)
        Intent.objects.for_scope(ALL_ACCOUNTS).update(due_at="2026-01-01T00:00:00Z")
        trade.carry_out()

        assert set(states(trade).values()) == {"same"}

    def test_that_only_listens_keeps_what_is_wanted_without_asking(self):
        with a_trade("shopify", live=False) as trade:
            trade.captured({"SKU-0": 2})
            assert not Intent.objects.for_scope(ALL_ACCOUNTS).exists()
            assert states(trade) == {"acknowledgement": "waiting"}

            connections_services.go_live(trade.ref.id, at=clock.now(), actor=SYSTEM)
            services.ask_waiting(at=clock.now(), actor=SYSTEM)
            trade.carry_out()

            assert states(trade) == {"acknowledgement": "same"}

    def test_is_tested_with_its_credentials(self, trade):
        assert services.test_connection(trade.ref.id, actor=SYSTEM).said == "done"

        secrets = {"access_token": "another one", "consumer_secret": "another one"}
        connections_services.set_secrets(trade.ref.id, secrets, at=clock.now(), actor=SYSTEM)

        assert services.test_connection(trade.ref.id, actor=SYSTEM).said == "retry"


class TestWhatIsRefused:
    def test_is_a_case_and_goes_out_once_its_cause_is_mended(self, trade):
        placed = trade.place({"SKU-0": 2})
        trade.push(placed["id"], first=True)
        kept = trade.shop.store["orders"].pop(str(placed["id"]))

        trade.carry_out()

        [copy] = trade.copies(kind=CopyKind.ACKNOWLEDGEMENT)
        [case] = CaseReport.objects.filter(kind="CHANNEL_REFUSED")
        assert (copy.state, case.subject_id) == ("refused", copy.pk)
        assert selectors.still_differing([copy.pk]) == {copy.pk}

        trade.shop.store["orders"][str(placed["id"])] = kept
        [outcome] = services.heal_copies(trade.ref.id, [copy.pk], at=clock.now(), actor=SYSTEM)
        trade.carry_out()
        assert outcome.ok
        assert states(trade) == {"acknowledgement": "same"}

    def test_goes_out_too_when_its_intent_is_revived(self, trade):
        placed = trade.place({"SKU-0": 2})
        trade.push(placed["id"], first=True)
        kept = trade.shop.store["orders"].pop(str(placed["id"]))
        trade.carry_out()
        trade.shop.store["orders"][str(placed["id"])] = kept

        refused = Intent.objects.for_scope(ALL_ACCOUNTS).get()
        intents.revive([refused.pk], at=clock.now(), actor=SYSTEM)
        trade.carry_out()

        assert states(trade) == {"acknowledgement": "same"}


class TestWhatDiffers:
    def test_is_found_and_sent_again_once_then_a_case(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        numbers = trade.ship(order)
        trade.carry_out()

        for _ in range(2):
            trade.pass_time(30)
            lose_parcels(trade, placed["id"])
            turn = trade.poll()
            assert (turn.missing_there, turn.different) == (1, 0)
            trade.carry_out()

        assert turn.healed == 0
        assert parcels_there(trade, placed["id"]) == []
        [health] = selectors.health(Scope(frozenset({order.account_id})), at=clock.now())
        assert (health.missing, health.drift, health.backlog_out) == (1, 1, 0)
        assert [one.our_id for one in selectors.differing_copies(trade.ref.id)] == [
            Parcel.objects.for_scope(ALL_ACCOUNTS).get().pk
        ]
        assert CaseReport.objects.filter(kind="CHANNEL_DIFFERS").count() == 1

        services.heal_copies(trade.ref.id, at=clock.now(), actor=SYSTEM)
        trade.carry_out()
        assert parcels_there(trade, placed["id"]) == numbers

    def test_is_compared_at_somebodys_word_for_orders_that_did_not_change(self, trade):
        placed, order = trade.captured({"SKU-0": 2})
        trade.ship(order)
        trade.carry_out()
        trade.pass_time(60)
        lose_parcels(trade, placed["id"], quietly=True)

        job = services.start_comparison(trade.ref.id, at=clock.now(), actor=SYSTEM)
        jobs.run_job(job.id, at=clock.now())
        trade.carry_out()

        job.refresh_from_db()
        assert (job.state, job.done, job.refused) == ("done", 2, 0)
        assert len(parcels_there(trade, placed["id"])) == 1

        lose_parcels(trade, placed["id"], quietly=True)
        trade.pass_time(60)
        again = services.start_comparison(trade.ref.id, at=clock.now(), actor=SYSTEM)
        jobs.run_job(again.id, at=clock.now())
        of_order = JobItem.objects.get(job=again, position=2)
        assert (of_order.outcome, of_order.code) == ("refused", "differs")
        assert "missing there" in of_order.detail


def lose_parcels(trade: Trade, order_id: int, *, quietly: bool = False) -> None:
    """Somebody in the shop takes the parcels off the order."""
    kept = trade.shop.store["orders"][str(order_id)]
    for one in kept["fulfillments"]:
        one["status"] = "cancelled"
        for sent in one["lines"]:
            line = next(line for line in kept["lines"] if line["id"] == sent["line"])
            line["fulfilled"] -= sent["quantity"]
    kept["meta"] = [one for one in kept["meta"] if "tracking_items" not in one["key"]]
    kept["status"] = "processing"
    kept["completed_at"] = None
    if not quietly:
        kept["updated_at"] = (clock.now() - timedelta(seconds=1)).isoformat()


def test_what_is_wanted_is_read_in_as_few_statements_for_eight_events_as_for_two():
    with a_trade("shopify") as trade:
        for _ in range(10):
            trade.push(trade.place({"SKU-0": 1})["id"], first=True)
    fields = list(Recorded.__dataclass_fields__)
    events = [
        Recorded(**{name: getattr(row, name) for name in fields})
        for row in Event.objects.for_scope(ALL_ACCOUNTS).filter(topic="order.accepted")
    ]

    def statements(wanted_of: list[Recorded]) -> int:
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            wanted = telling.wanted_by(wanted_of)
            written = copies.want(wanted, at=NOON, actor=SYSTEM)
        assert len(written) == len(wanted_of)
        return len(queries)

    assert statements(events[:2]) == statements(events[2:])
