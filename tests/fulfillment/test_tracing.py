"""Lots and serials from the pick to the parcel; what the law wants on record; recalls on their way."""

from datetime import timedelta

import pytest
from django.db import connection

import inventory.services
from config.kernel.models import CaseReport
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS
from fulfillment import services
from fulfillment.models import NodeRequest, TracedUnits
from fulfillment.states import ParcelState
from fulfillment.types import Content, LotUnits, Pack, Pick, Shipment
from inventory.models import Lot, Movement, Serial
from tests.books import check_all
from tests.factories.fulfillment import BEN, line_of, node_for, parcel, released, work
from tests.factories.inventory import SkuFactory, stock
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db

EXPIRY = NOON.date() + timedelta(days=200)


def medicine(units=2, **details):
    """Work of so many units of a SKU under the law, with lots A and B at its node."""
    sku = SkuFactory(regulation="medicine", **details)
    node = node_for(sku.account)
    for lot in ("A", "B"):
        stock(5, sku=sku, node=node, lot=lot, expires_on=EXPIRY)
    _, order = released({sku: units}, node=node)
    return order


def pack(order, *lots):
    """One parcel with what these lots name."""
    line = line_of(order)
    content = Content(line.pk, line.requested, lots)
    outcome = services.record_packs([Pack(order.pk, (content,))], at=NOON, actor=BEN)[0]
    return outcome.value.parcel_ids[0]


def ship(parcel_id, **details):
    return services.confirm_shipments([Shipment(parcel_id, **details)], at=NOON, actor=BEN)[0]


def issued():
    rows = Movement.objects.for_scope(ALL_ACCOUNTS).filter(kind="issue").order_by("lot")
    return [(row.lot, row.quantity) for row in rows]


def reported(kind):
    return list(CaseReport.objects.filter(kind=kind))


class TestCapture:
    def test_keeps_lots_from_the_pick_into_the_parcel_and_out_of_the_book(self):
        order = medicine(3)
        line = line_of(order)
        lots = (LotUnits("B", 2), LotUnits("A", 1))
        for _ in range(2):  # totals so far: told twice they are the same
            services.record_picks([Pick(line.pk, 3, lots)], at=NOON, actor=BEN)
        box = services.record_packs([Pack(order.pk)], at=NOON, actor=BEN)[0].value.parcel_ids[0]

        assert ship(box).ok
        rows = TracedUnits.objects.for_scope(ALL_ACCOUNTS).order_by("lot")
        assert [(row.parcel_id, row.lot, row.quantity, row.verified) for row in rows] == [
            (box, "A", 1, True),
            (box, "B", 2, True),
        ]
        assert issued() == [("A", -1), ("B", -2)]
        assert check_all(about="trace.") == []

    def test_follows_each_serial_number(self):
        order = medicine(2, serial_tracked=True)
        box = pack(order, LotUnits("A", 1, "S-1"), LotUnits("A", 1, "S-2"))
        assert ship(box).ok

        things = Serial.objects.for_scope(ALL_ACCOUNTS).order_by("number")
        assert [(one.number, one.state, one.lot.code, one.cause_id) for one in things] == [
            ("S-1", "shipped", "A", box),
            ("S-2", "shipped", "A", box),
        ]

    def test_an_opened_parcel_gives_its_lots_back_to_the_pick(self):
        order = medicine(2)
        services.void_parcels([pack(order, LotUnits("A", 2))], at=NOON, actor=BEN)
        again = services.record_packs([Pack(order.pk)], at=NOON, actor=BEN)[0].value.parcel_ids[0]
        assert ship(again).ok
        assert issued() == [("A", -2)]


class TestTheLaw:
    def test_keeps_a_parcel_back_and_says_what_is_missing(self):
        box = pack(medicine(2, serial_tracked=True), LotUnits("A", 1, "S-1"))

        refused = ship(box).problem
        assert refused.code == "not-traced"
        assert refused.extra["missing"] == ["the lot of 1 of 2", "the serial number of 1 of 2"]
        assert parcel(box).state == ParcelState.PACKED

    def test_records_what_a_system_says_has_left_and_opens_a_case(self):
        box = pack(medicine(2))

        assert ship(box, told=True).ok
        (report,) = reported("TRACE_MISSING")
        assert report.evidence["missing"] == ["the lot of 2 of 2"]
        assert check_all(about="trace.") == []

    def test_stops_a_lot_that_may_go_to_nobody(self):
        box = pack(medicine(2), LotUnits("A", 2))
        lot = Lot.objects.for_scope(ALL_ACCOUNTS).get(code="A")
        inventory.services.hold_lots([lot.pk], "smells", at=NOON, actor=BEN)

        assert ship(box).problem.extra["missing"] == ["leave to send lot A, which is held"]


class TestRecall:
    def test_takes_work_back_and_opens_a_case_for_each_parcel_and_buyer(self):
        order = medicine(1)
        gone = pack(order, LotUnits("A", 1))
        ship(gone)
        lot = Lot.objects.for_scope(ALL_ACCOUNTS).get(code="A")
        standing = medicine(1)
        sku, node = line_of(order).sku, order.node
        _, packed_order = released({sku: 1}, node=node)
        box = pack(packed_order, LotUnits("A", 1))
        _, in_hand = released({sku: 1}, node=node)
        services.record_picks(
            [Pick(line_of(in_hand).pk, 1, (LotUnits("A", 1),))], at=NOON, actor=BEN
        )
        recall = inventory.services.recall_lots([lot.pk], "glass", at=NOON, actor=BEN)

        first, again = (services.open_recalls([recall], at=NOON, actor=BEN)[0] for _ in range(2))
        for job in (first, again):
            jobs.run_job(job.pk, at=NOON)

        ended = dict(first.items.values_list("subject_id", "outcome"))
        assert {in_hand.pk, box, gone, recall} < ended.keys()
        assert (set(ended.values()), len(ended)) == ({"done"}, 5)

        asked = NodeRequest.objects.for_scope(ALL_ACCOUNTS)
        assert [one.fulfillment_order_id for one in asked] == [in_hand.pk]
        assert {one.subject_id for one in reported("RECALL_STOP")} == {box}
        assert {one.subject_id for one in reported("RECALL_BUYER")} == {order.order_id}
        (pull,) = {one.evidence["node"] for one in reported("RECALL_PULL")}
        assert pull == node.code
        assert work(standing.pk).state == "released"

    def test_goes_on_where_its_worker_was_killed_and_stops_when_it_is_lifted(self, monkeypatch):
        order = medicine(1)
        box = pack(order, LotUnits("A", 1))
        lot = Lot.objects.for_scope(ALL_ACCOUNTS).get(code="A")
        recall = inventory.services.recall_lots([lot.pk], "glass", at=NOON, actor=BEN)
        (job,) = services.open_recalls([recall], at=NOON, actor=BEN)
        monkeypatch.setattr(jobs, "CHUNK", 1)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE kernel_job SET state = 'running', lease_until = clock_timestamp() "
                "WHERE id = %s",
                [job.pk],
            )
        ship(box, told=True)
        jobs.run_job(job.pk, at=NOON)

        assert [item.outcome for item in job.items.all()] == ["done"] * 3
        (case,) = {one.dedupe_key for one in reported("RECALL_BUYER")}
        assert case.endswith(str(order.order_id))
        assert reported("RECALL_STOP") == []

        inventory.services.lift_recall(recall, "lab was wrong", at=NOON, actor=BEN)
        (again,) = services.open_recalls([recall], at=NOON, actor=BEN)
        jobs.run_job(again.pk, at=NOON)
        assert {item.code for item in again.items.all()} == {"lifted"}
