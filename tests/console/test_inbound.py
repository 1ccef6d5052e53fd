"""Goods on their way as people meet them: late first, who waits, another time, closed short."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import AheadCap, Inbound, InboundLine
from inventory.services import expect_inbound
from inventory.types import ExpectedDraft, ExpectedLine
from tests.console.conftest import ACTOR, AT, House, text_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def announced(house: House, number: str, days: int, units: int = 10) -> InboundLine:
    draft = ExpectedDraft(
        house.network.account.pk,
        house.network.nodes["RENO"],
        number,
        "po",
        "erp",
        (ExpectedLine(house.network.skus["VASE"], units, AT + days * DAY),),
        "ACME",
    )
    expect_inbound([draft], at=AT, actor=ACTOR)
    return InboundLine.objects.get(inbound__number=number)


def post(client: Any, name: str, *args: Any, **form: Any) -> Any:
    return client.post(reverse(f"console:{name}", args=args), form)


def test_goods_are_found_put_off_received_and_closed_short(house: House) -> None:
    house.network.stock("VASE", RENO=1)
    late, line = announced(house, "PO-LATE", -400), announced(house, "PO-SOON", 400, units=6)
    order = house.order("VASE", 15)
    client = house.client("ops_manager")

    listed = text_of(client.get(reverse("console:inbounds")))
    assert listed.index("PO-LATE") < listed.index("PO-SOON")
    only = text_of(client.get(reverse("console:inbounds"), {"tab": "late", "supplier": "ACME"}))
    assert "PO-LATE" in only
    assert "PO-SOON" not in only
    assert "Nothing here" in text_of(client.get(reverse("console:inbounds"), {"sku": "MUG"}))
    page = text_of(client.get(reverse("console:inbound", args=[late.inbound_id])))
    assert "They are late" in page
    assert order["number"] in page
    tab = client.get(reverse("console:sku", args=[line.sku_id]), {"tab": "inbound"})
    assert reverse("console:inbound", args=[line.inbound_id]) in tab.content.decode()

    key, eta = line.inbound_id, (AT + 500 * DAY).strftime("%Y-%m-%dT%H:%M")
    form = {"every": eta, f"eta_{line.pk}": eta, "reason": "storm"}
    preview = text_of(post(client, "inbound_slip", key, **form))
    assert order["number"] in preview
    line.refresh_from_db()
    assert line.first_eta_at is None, "a preview changes nothing"
    assert post(client, "inbound_slip", key, **form, step="apply", once="s-1").status_code == 302
    line.refresh_from_db()
    assert line.first_eta_at == AT + 400 * DAY
    page = text_of(client.get(reverse("console:inbound", args=[key])))
    assert "storm" in page

    assert post(client, "inbound_act", key, "close", reason="x").status_code == 409
    desk = house.client("node_operator")
    came = {f"whole_{line.pk}": 4, f"damaged_{line.pk}": 1}
    assert post(desk, "inbound_act", key, "receive", **came, once="r-1").status_code == 302
    assert post(desk, "inbound_act", key, "close", reason="x").status_code == 403
    assert post(client, "inbound_act", key, "close", reason="1 broken").status_code == 302
    row = Inbound.objects.for_scope(ALL_ACCOUNTS).get(pk=key)
    assert (str(row.state), row.close_reason) == ("received", "1 broken")


def test_caps_are_set_changed_and_ended(house: House) -> None:
    client = house.client("ops_manager")
    form = {"channel": house.network.channel.code, "sku": "MUG", "units": 5, "note": "preorder"}

    assert post(client, "ahead_cap", **form, once="c-1").status_code == 302
    assert "no such SKU" in text_of(post(client, "ahead_cap", **form | {"sku": "?"}))
    page = text_of(client.get(reverse("console:ahead")))
    assert "preorder" in page
    cap = AheadCap.objects.for_scope(ALL_ACCOUNTS).get()
    assert post(client, "ahead_cap_end", cap.pk).status_code == 302
    assert "not in force" in text_of(client.get(reverse("console:ahead")))
