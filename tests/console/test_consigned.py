"""Goods of other owners: an owner is named, its goods go out with ours, and the page says what is owed."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

import fulfillment.services
import inventory.services
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import FulfillmentLine, Parcel
from fulfillment.types import Acknowledgement, Pack, Pick, Shipment
from inventory.models import Reservation, StockOwner, StockPosition
from inventory.types import PriceDraft
from tests.console.conftest import ACTOR, AT, House, text_of
from tests.factories.inventory import stock

pytestmark = pytest.mark.django_db


def test_an_order_is_served_from_both_and_the_owners_part_is_owed(house: House) -> None:
    client, channel = house.client("ops_manager"), house.network.channel
    form = {"code": "potters", "name": "Potters & Co", "channels": [channel.code], "is_first": ""}
    client.post(reverse("console:owner_new"), form)
    owner = StockOwner.objects.for_scope(ALL_ACCOUNTS).get()
    lamp, reno = house.network.skus["LAMP"], house.node("RENO")
    mine = StockPosition.objects.for_scope(ALL_ACCOUNTS).get(sku_id=lamp, node=reno)
    theirs = stock(5, sku=mine.sku, node=reno, owner_id=owner.pk)
    price = PriceDraft(owner.pk, lamp, Decimal(400), "USD")
    inventory.services.set_owner_prices([price], at=AT, actor=ACTOR)

    order = house.released(sku="LAMP", quantity=4)
    work = house.work_of(order)
    parts = FulfillmentLine.objects.for_scope(ALL_ACCOUNTS).filter(fulfillment_order_id=work["id"])
    claims = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(thread_id=order["id"])
    assert dict(claims.values_list("position_id", "quantity")) == {mine.pk: 2, theirs.pk: 2}
    assert sorted(part.requested for part in parts) == [2, 2]

    fulfillment.services.acknowledge([Acknowledgement(work["id"])], at=AT, actor=ACTOR)
    fulfillment.services.record_picks([Pick(part.pk, 2) for part in parts], at=AT, actor=ACTOR)
    fulfillment.services.record_packs([Pack(work["id"])], at=AT, actor=ACTOR)
    box = Parcel.objects.for_scope(ALL_ACCOUNTS).get()
    fulfillment.services.confirm_shipments([Shipment(box.pk, "T-1", "swift")], at=AT, actor=ACTOR)

    page = text_of(client.get(reverse("console:consigned")))
    assert "Potters &amp; Co" in page
    assert "$8.00 owed for 2 units" in page
    until = (AT - timedelta(days=1)).date().isoformat()
    assert "owed for" not in text_of(client.get(reverse("console:consigned"), {"until": until}))
    file = client.get(reverse("console:consigned"), {"as": "csv"}).content.decode("utf-8-sig")
    assert file.splitlines()[1].startswith("potters,LAMP,")
    assert file.splitlines()[1].endswith(",3,0,5,2,0,800,USD,0")


def test_only_who_plans_stock_may_change_an_owner(house: House) -> None:
    client = house.client("node_operator")

    assert client.post(reverse("console:owner_new"), {"code": "x", "name": "X"}).status_code == 403
