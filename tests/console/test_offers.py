"""The page of suppliers' offers: one is entered and ended, by who plans stock alone."""

import pytest
from django.urls import reverse

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import Node, SupplierOffer
from tests.console.conftest import AT, House, text_of

pytestmark = pytest.mark.django_db


def test_an_offer_is_entered_shown_beside_our_own_cost_and_ended(house: House) -> None:
    reno = house.node("RENO")
    Node._base_manager.filter(pk=reno.pk).update(kind="supplier")
    client = house.client("ops_manager")
    form = {
        "supplier": reno.code, "sku": "LAMP", "unit_cost_minor": 1_250, "own_cost_minor": 1_000,
        "currency": "USD", "lead_days": 3, "least_units": 1, "valid_from": AT.date().isoformat(),
        "valid_until": "",
    }  # fmt: skip

    refused = client.post(reverse("console:offer_new"), form | {"sku": "?"})
    client.post(reverse("console:offer_new"), form)
    shown = text_of(client.get(reverse("console:offers")))
    offer = SupplierOffer.objects.for_scope(ALL_ACCOUNTS).get()
    client.post(reverse("console:offer_end", args=[offer.pk]))
    over = [text_of(client.get(reverse("console:offers"), {"old": old})) for old in ("", "1")]

    assert refused.status_code == 409
    assert all(said in shown for said in ("LAMP", "$12.50", "$2.50", "3 days", "holds"))
    assert ["LAMP" in page for page in over] == [False, True]
    post = house.client("node_operator").post
    assert post(reverse("console:offer_new"), form).status_code == 403
