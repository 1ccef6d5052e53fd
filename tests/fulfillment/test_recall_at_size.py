"""Regulated parcels in numbers: none leaves unrecorded; a lot is traced and recalled in time."""

import time
from datetime import timedelta

import pytest

import inventory.services
from config.kernel.models import CaseReport
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS
from config.reports import trace
from fulfillment import services
from fulfillment.types import Content, LotUnits, Pack, Shipment
from inventory.models import Lot
from tests.books import check_all
from tests.factories.fulfillment import BEN, line_of, many_released, node_for
from tests.factories.inventory import SkuFactory, stock
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db

TRACED_WITHIN, RECALLED_WITHIN = 2.0, 10.0
"""Seconds (A29), of this process' and PostgreSQL's time together where the machine is idle."""


@pytest.mark.parametrize(
    "packs", [12, pytest.param(10_000, marks=[pytest.mark.soak, pytest.mark.timeout(3_600)])]
)
def test_every_parcel_of_a_lot_is_found_and_every_buyer_becomes_known(packs: int) -> None:
    sku = SkuFactory(regulation="medicine")
    node = node_for(sku.account)
    expiry = NOON.date() + timedelta(days=400)
    for lot in ("A", "B"):
        stock(packs, sku=sku, node=node, lot=lot, expires_on=expiry)
    made = many_released(packs, sku=sku, node=node)
    boxes = [
        Pack(order.pk, (Content(line_of(order).pk, 1, (LotUnits("AB"[place % 2], 1),)),))
        for place, (_, order) in enumerate(made)
    ]
    for low in range(0, packs, 500):
        packed = services.record_packs(boxes[low : low + 500], at=NOON, actor=BEN)
        parcels = [one.value.parcel_ids[0] for one in packed if one.value is not None]
        gone = services.confirm_shipments([Shipment(key) for key in parcels], at=NOON, actor=BEN)
        assert all(one.ok for one in gone)
    assert check_all(about="trace.") == []

    lot_id = Lot.objects.for_scope(ALL_ACCOUNTS).get(code="A").pk
    begun = time.monotonic()
    found = trace.went([lot_id])
    traced = time.monotonic() - begun
    recall = inventory.services.recall_lots([lot_id], "glass", at=NOON, actor=BEN)
    inventory.services.stop_recall(recall, at=NOON, actor=BEN)
    (job,) = services.open_recalls([recall], at=NOON, actor=BEN)
    jobs.run_job(job.pk, at=NOON)
    recalled = time.monotonic() - begun - traced

    expected = (packs + 1) // 2
    assert (len(found), sum(row["units"] for row in found)) == (expected, expected)
    told = CaseReport.objects.filter(kind="RECALL_BUYER").values_list("dedupe_key", flat=True)
    assert len(set(told)) == (expected if expected <= 500 else 1)
    assert (traced <= TRACED_WITHIN, recalled <= RECALLED_WITHIN) == (True, True)
