"""What a SKU says of itself in the console, and what a scan of its pack means."""

from django.urls import reverse

from inventory import services
from inventory.types import BarcodeDraft, ItemDraft, PackDraft, PartDraft, SubstituteDraft
from tests.console.conftest import House
from tests.factories.inventory import ANNA
from tests.factories.kernel import NOON

CASE = "10614141000415"


def described(house: House) -> None:
    by = {"account_id": house.network.account.pk, "at": NOON, "actor": ANNA}
    services.put_items([ItemDraft("PAIR", "Two mugs", kind="kit")], **by)
    services.change_items(
        [{"code": "MUG", "hazard_class": "9", "un_number": "3481", "regulation": "battery"}], **by
    )
    services.put_parts([PartDraft("PAIR", "MUG", 2)], **by)
    services.put_packs([PackDraft("MUG", "inner", 2, sold_as="PAIR")], **by)
    services.put_barcodes([BarcodeDraft(CASE, "MUG", "inner")], **by)
    services.propose_substitutes([SubstituteDraft("MUG", "LAMP")], **by)


def test_a_sku_says_what_it_is_how_it_is_packed_and_what_stands_in(house: House) -> None:
    house.network.stock("MUG", RENO=9)
    house.network.stock("LAMP", RENO=1)
    described(house)
    client = house.client("auditor")
    address = reverse("console:sku", args=[house.network.skus["MUG"]])

    page = client.get(f"{address}?tab=about").content.decode()

    for said in ("class 9", "UN 3481", "Battery", CASE, "PAIR", "2 in it", "LAMP", "Proposed"):
        assert said in page, said


def test_a_scan_of_a_pack_picks_its_units_or_is_refused_when_fewer_are_to_be_picked(
    house: House,
) -> None:
    house.network.stock("MUG", RENO=9)
    house.network.stock("LAMP", RENO=1)
    described(house)
    work = house.work_of(house.released(sku="MUG", quantity=3))
    address = reverse("console:node_scan", args=[work["code"]])
    client = house.client("ops_manager")

    first, second = (
        client.post(address, {"scan": CASE}, headers={"HX-Request": "true"}).content.decode()
        for _ in range(2)
    )

    assert "2 × MUG picked" in first
    assert "It holds 2 × MUG, and 1 are to be picked." in second
