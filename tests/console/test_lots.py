"""Lots in the console: quarantined, recalled with what it touches, followed both ways."""

from datetime import timedelta

from django.urls import reverse

import fulfillment.services
import inventory.services
from config.console import element_strings
from config.kernel import ids
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS
from inventory.models import Lot, Sku
from inventory.types import StockChange
from tests.console.conftest import ACTOR, AT, House, text_of


def a_lot(house: House, code: str = "L-1") -> Lot:
    """Forty units of a lot of lamps at the first node."""
    sku = Sku.objects.for_scope(ALL_ACCOUNTS).get(code="LAMP")
    order = house.released(sku="LAMP", quantity=1)
    node_id = house.work_of(order)["node_id"]
    change = StockChange(
        node_id,
        sku.pk,
        sku.account_id,
        40,
        "receipt",
        lot=code,
        expires_on=(AT + timedelta(days=200)).date(),
        serials=("S-9",),
    )
    inventory.services.record_changes([change], at=AT, actor=ACTOR)
    found: Lot = Lot.objects.for_scope(ALL_ACCOUNTS).get(code=code)
    return found


def act(house: House, lot: Lot, code: str, **data: str) -> str:
    address = reverse("console:lot_act", args=[lot.pk, code])
    client = house.client("ops_manager")
    assert lot.code in text_of(client.get(address))
    response = client.post(address, {"reason": "why not", "once": str(ids.uuid7()), **data})
    assert response.status_code == 302, text_of(response)
    lot.refresh_from_db()
    return str(lot.state)


def test_a_lot_is_found_by_its_code_quarantined_released_recalled_and_lifted(house: House) -> None:
    lot = a_lot(house)
    client = house.client("ops_manager")
    page = client.get(reverse("console:lots"), {"q": "L-1"})
    assert page.headers["Location"] == reverse("console:lot", args=[lot.pk])
    assert "40" in text_of(client.get(page.headers["Location"]))

    assert act(house, lot, "hold") == "held"
    assert act(house, lot, "release") == "active"
    assert act(house, lot, "recall", sure="on") == "recalled"
    recall = reverse("console:recall", args=[lot.recall_id])
    assert "Who has some is being listed" in text_of(client.get(recall))
    (job,) = fulfillment.services.open_recalls([lot.recall_id], at=AT, actor=ACTOR)
    jobs.run_job(job.pk, at=AT)
    assert "of 2 nodes, works and parcels seen to" in text_of(client.get(recall))
    named = text_of(client.get(reverse("console:job", args=[job.pk])))
    assert "What went on meanwhile" in named
    assert act(house, lot, "lift") == "held"
    csv = client.get(reverse("console:lot_consignees", args=[lot.pk]))
    assert csv.content.decode("utf-8-sig").startswith("order_number,")
    assert "L-1" in text_of(client.get(reverse("console:lots"), {"state": "held"}))
    thing = client.get(reverse("console:lots"), {"q": "S-9"}).headers["Location"]
    assert "S-9" in text_of(client.get(thing))


def test_a_scan_reads_lot_expiry_and_serial_off_a_barcode() -> None:
    said = "01095060001343521726073110ABC123\x1d21S-77"
    found = element_strings.read(said)
    assert found == element_strings.read("(01)09506000134352(17)260731(10)ABC123(21)S-77")
    assert found is not None
    assert (found.gtin, found.lot, found.serial) == ("09506000134352", "ABC123", "S-77")
    assert found.expires_on is not None
    assert found.expires_on.isoformat() == "2026-07-31"
    assert element_strings.read("09506000134352") is None
    assert element_strings.read("FO-100001") is None
