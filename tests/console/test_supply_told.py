"""Figures explained and told again, packs opened, groups of nodes edited."""

from datetime import timedelta
from typing import Any

from django.urls import reverse

import inventory.services
from config.kernel import ids
from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS
from integrations.models import ChannelCopy
from inventory.models import ChannelAvailability, NodeGroup, SkuPack, StockPosition
from inventory.types import FeedTerms, NodeEdit, StockChange
from tests.console.conftest import ACTOR, AT, House, text_of
from tests.factories.integrations import ConnectionFactory

LATER = AT + timedelta(minutes=1)


def post(client: Any, address: str, **form: Any) -> Any:
    return client.post(address, {"once": str(ids.uuid7()), **form})


def test_a_figure_is_explained_and_told_again_with_a_trace(house: House) -> None:
    sku_id = house.network.skus["MUG"]
    client = house.client("ops_manager")
    kept = ChannelAvailability.objects.create(
        account=house.network.account,
        channel=house.network.channel,
        sku_id=sku_id,
        ats=3,
        as_of=AT,
        changed_at=AT,
    )
    connection = ConnectionFactory(channel=kept.channel)
    copy = ChannelCopy.objects.create(
        account=kept.account,
        connection=connection,
        kind="stock",
        our_id=ids.uuid7(),
        wanted={"sku": "MUG", "quantity": kept.ats + 3},
        wanted_hash="x",
        state="same",
        wanted_at=AT,
        sent_at=AT,
        seen_at=AT,
    )
    node_id = house.network.nodes["RENO"]
    inventory.services.record_changes(
        [StockChange(node_id, sku_id, kept.account_id, 2, "receipt")], at=LATER, actor=ACTOR
    )

    why = reverse("console:told_why", args=[sku_id, kept.channel.code])
    said = text_of(client.get(why))
    assert "Received" in said
    assert "+2" in said
    again = reverse("console:told_again", args=[sku_id, kept.channel.code])
    assert post(client, again, reason="").status_code == 422
    assert post(client, again, reason="They show another").status_code == 302

    copy.refresh_from_db()
    assert copy.seen_at is None
    (event,) = Event.objects.for_scope(ALL_ACCOUNTS).filter(topic="availability.republish_asked")
    assert (event.data["reason"], event.data["version"]) == ("They show another", kept.version + 1)
    assert house.client("auditor").get(again).status_code == 403


def test_packs_are_opened(house: House) -> None:
    sku_id, node_id = house.network.skus["MUG"], house.network.nodes["RENO"]
    account_id = house.network.account.pk
    SkuPack.objects.create(
        account_id=account_id, sku_id=sku_id, level="case", units=12, breakable=True
    )
    edit = NodeEdit(node_id, capabilities=frozenset({"break_case"}))
    inventory.services.edit_nodes([edit], at=AT, actor=ACTOR)
    bulk = StockChange(node_id, sku_id, account_id, 24, "receipt", condition="reserve_storage")
    inventory.services.record_changes([bulk], at=AT, actor=ACTOR)
    position = StockPosition.objects.for_scope(ALL_ACCOUNTS).get(node_id=node_id, sku_id=sku_id)
    address = reverse("console:sku_convert", args=[sku_id])
    client = house.client("ops_manager")
    form = {"node": house.node("RENO").code, "pack": "case", "packs": "1"}

    assert "case of 12" in text_of(client.get(address))
    assert post(client, address, **form).status_code == 302
    assert post(client, address, **form | {"packs": "0"}).status_code == 422
    before = position.sellable
    position.refresh_from_db()
    assert position.sellable == before + 12


def test_a_group_of_nodes_is_made_and_changed_and_a_feed_never_heard_is_said_to_be(
    house: House,
) -> None:
    client, codes = (
        house.client("ops_manager"),
        sorted(house.node(n).code for n in ("RENO", "NEWARK")),
    )
    made = post(client, reverse("console:node_group_new"), code="west", name="West", nodes=codes)
    assert made.status_code == 302, text_of(made)
    group = NodeGroup.objects.for_scope(ALL_ACCOUNTS).get(code="west")
    one = reverse("console:node_group", args=[group.pk])
    post(client, one, name="The West", nodes=codes[:1])

    group.refresh_from_db()
    assert (group.name, [node.code for node in group.nodes.all()]) == ("The West", codes[:1])
    assert "The West" in text_of(client.get(reverse("console:node_groups")))
    terms = FeedTerms(house.network.nodes["RENO"], "wms", group.account_id)
    inventory.services.declare_feeds([terms], at=AT, actor=ACTOR)
    assert "not heard yet" in text_of(client.get(reverse("console:nodes")))
    assert house.client("auditor").get(one).status_code == 403
