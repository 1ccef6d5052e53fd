"""Transfers, adjustments and counts as people meet them."""

from typing import Any

import pytest
from django.urls import reverse

from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import CountRequest, StockAdjustment, StockPosition, Transfer, TransferClaim
from inventory.types import CountWanted
from tests.console.conftest import ACTOR, AT, House, text_of
from tests.factories.kernel import GrantFactory, RoleFactory, UserFactory

pytestmark = pytest.mark.django_db


def position(house: House, sku: str, node: str) -> StockPosition:
    found: StockPosition = StockPosition.objects.for_scope(ALL_ACCOUNTS).get(
        sku_id=house.network.skus[sku], node_id=house.network.nodes[node]
    )
    return found


def post(client: Any, name: str, *args: Any, **form: Any) -> Any:
    return client.post(reverse(f"console:{name}", args=args), form)


def colleague(house: House) -> Any:
    """A second operations manager."""
    user = UserFactory()
    role = RoleFactory._meta.model.objects.get(code="ops_manager")
    GrantFactory(user=user, account=house.network.account, role=role)
    house.users["colleague"] = user
    return house.client("colleague")


def test_a_transfer_is_previewed_drafted_and_brought_home(house: House) -> None:
    client = house.client("ops_manager")
    nodes = list(house.network.nodes)
    home = next(code for code in nodes if code != "RENO")
    free = position(house, "MUG", "RENO").sellable
    form = {
        "from_node": house.node("RENO").code,
        "to_node": house.node(home).code,
        "lines": f"mug {free + 5}",
        "purpose": "rebalance",
        "priority": "0",
    }

    preview = text_of(post(client, "transfer_new", **form))
    assert f"{free}" in preview
    assert not Transfer.objects.for_scope(ALL_ACCOUNTS).exists()
    assert "no SKU and units" in text_of(post(client, "transfer_new", **form | {"lines": "mug"}))
    post(client, "transfer_new", **form, step="draft", once="t-1")
    row = Transfer.objects.for_scope(ALL_ACCOUNTS).get()
    assert post(client, "transfer_act", row.number, "approve").status_code == 409  # so large
    post(colleague(house), "transfer_act", row.number, "approve")
    assert post(client, "transfer_act", row.number, "release").status_code == 302
    assert f"{free} units of {free + 5} are reserved" in text_of(
        client.get(reverse("console:transfer", args=[row.number]))
    )
    line = row.lines.get()
    post(client, "transfer_act", row.number, "ship", **{f"left_{line.pk}": free, "last": "on"})
    came = {f"whole_{line.pk}": free - 2, f"damaged_{line.pk}": 1, "last": "on"}
    post(client, "transfer_act", row.number, "receive", **came)
    page = text_of(client.get(reverse("console:transfer", args=[row.number])))
    assert "1 missing, 1 damaged" in page
    for claim, amount in zip(
        TransferClaim.objects.for_scope(ALL_ACCOUNTS), ["3.50", ""], strict=True
    ):
        post(client, "transfer_claim", row.number, claim.pk, amount=amount, reference="credit")
    post(client, "transfer_act", row.number, "close")

    row.refresh_from_db()
    assert row.state == "closed"
    assert row.number in text_of(client.get(reverse("console:transfers"), {"tab": "ended"}))
    assert client.get(reverse("console:transfer_by_id", args=[row.pk])).status_code == 302


def test_what_is_large_waits_for_a_colleague(house: House) -> None:
    clerk, boss = house.client("ops_manager"), colleague(house)
    sku, place = house.network.skus["MUG"], position(house, "MUG", "RENO")
    form = {
        "node": house.node("RENO").code, "quantity": "500", "condition": "available",
        "reason": "found", "note": "Behind the shelf",
    }  # fmt: skip

    post(clerk, "sku_adjust", sku, **form)
    row = StockAdjustment.objects.for_scope(ALL_ACCOUNTS).get()
    assert row.state == "proposed"
    assert "Take back…" in text_of(clerk.get(reverse("console:adjustments")))
    assert "Another person" in text_of(clerk.get(reverse("console:adjustment", args=[row.pk])))
    refused = post(clerk, "adjustment_decide", row.pk, "approve", reason="")
    assert refused.status_code == 409
    post(boss, "adjustment_decide", row.pk, "approve", reason="seen")

    row.refresh_from_db()
    assert row.state == "applied"
    assert position(house, "MUG", "RENO").sellable == place.sellable + 500
    assert row.number in text_of(boss.get(reverse("console:adjustments"), {"tab": "applied"}))


def test_units_are_quarantined_from_the_page_of_the_sku(house: House) -> None:
    client = house.client("ops_manager")
    sku = house.network.skus["MUG"]
    form = {
        "node": house.node("RENO").code, "condition": "available", "into": "quality_hold",
        "quantity": "2", "note": "chipped",
    }  # fmt: skip
    before = position(house, "MUG", "RENO").sellable

    assert post(client, "sku_condition", sku, **form).status_code == 302

    assert position(house, "MUG", "RENO").sellable == before - 2


def test_a_node_counts_blind_by_scan(house: House) -> None:
    operator, manager = house.client("ops_manager"), colleague(house)
    place = position(house, "MUG", "RENO")
    code = house.node("RENO").code
    sku = house.network.skus["MUG"]
    post(manager, "sku_count", sku, nodes=[code], reason="looks odd")
    request = CountRequest.objects.for_scope(ALL_ACCOUNTS).get()

    page = operator.get(reverse("console:node_counts", args=[code])).content.decode()
    assert "MUG" in page
    assert f">{place.sellable}<" not in page
    assert "not asked for" in text_of(post(operator, "node_counts", code, scan="LAMP"))
    first = text_of(post(operator, "node_counts", code, scan="mug", count="", tally="0"))
    assert "MUG: 1 so far." in first
    again = post(operator, "node_counts", code, scan="MUG", count=request.pk, tally="1")
    assert "MUG: 2 so far." in text_of(again)
    post(operator, "node_counts", code, step="send", count=request.pk, tally="2")
    request.refresh_from_db()
    assert (request.state, position(house, "MUG", "RENO").sellable) == ("recount", place.sellable)
    assert "Again, by somebody else" in text_of(
        operator.get(reverse("console:node_counts", args=[code]))
    )
    post(manager, "node_counts", code, step="send", count=request.pk, tally="3")

    assert position(house, "MUG", "RENO").sellable == 3
    assert "MUG" in text_of(manager.get(reverse("console:counts"), {"tab": "ended"}))


def test_a_count_is_dropped(house: House) -> None:
    place = position(house, "MUG", "RENO")
    wanted = CountWanted(place.account_id, place.node_id, place.sku_id, "looks odd")
    services.request_counts([wanted], at=AT, actor=ACTOR)
    request = CountRequest.objects.for_scope(ALL_ACCOUNTS).get()

    post(house.client("ops_manager"), "count_cancel", request.pk, reason="sold out")

    request.refresh_from_db()
    assert request.state == "cancelled"
