"""The reconciliation bench: feeds, one comparison line by line, and what people decide there."""

from datetime import timedelta

import pytest
from django.urls import reverse

from config.kernel import clock
from config.kernel.types import ALL_ACCOUNTS
from inventory import selectors, services
from inventory.models import CountRequest, Difference, Reconciliation
from inventory.snapshot_files import read_rows
from inventory.types import FeedTerms, SnapshotDraft
from tests.console.conftest import ACTOR, House, text_of
from tests.factories.kernel import GrantFactory, RoleFactory, UserFactory


@pytest.fixture
def run(house: House) -> Reconciliation:
    """The feed of RENO sees 3 MUG where the book has 40, and 12 LAMP where it has 2."""
    now, node_id, account = clock.now(), house.network.nodes["RENO"], house.network.account
    terms = FeedTerms(
        node_id, "wms", account.pk, heal_units=1, silent_after=timedelta(hours=1), degrade="stop"
    )
    services.declare_feeds([terms], at=now, actor=ACTOR)
    told = [{"sku": "MUG", "quantity": 3}, {"sku": "LAMP", "quantity": 12}]
    document = services.send_snapshot(
        SnapshotDraft(node_id, account.pk, "wms", now),
        read_rows(told, first=1),
        services.Totals(),
        at=now,
        actor=ACTOR,
    )
    services.apply_range(document.pk, at=now, actor=ACTOR)
    return Reconciliation.objects.for_scope(ALL_ACCOUNTS).get()


def line_of(house: House, sku: str) -> int:
    lines = Difference.objects.for_scope(ALL_ACCOUNTS)
    return int(lines.get(sku_id=house.network.skus[sku]).pk)


def free_of(house: House, sku: str) -> int:
    place = house.network.nodes["RENO"], house.network.skus[sku]
    return int(selectors.positions_of([place])[place].sellable)


def test_shows_what_differs_and_does_what_is_decided(house: House, run: Reconciliation) -> None:
    manager = house.client("ops_manager")
    address = reverse("console:feed_run", args=[run.pk])

    assert "fresh" in text_of(manager.get(reverse("console:feeds"))).lower()
    assert "up to 1 units" in text_of(manager.get(reverse("console:feed", args=[run.feed_id])))
    assert "2 for a person" in text_of(manager.get(address))

    def decide(verb: str, sku: str) -> None:
        body = {"verb": verb, "line": [line_of(house, sku)]}
        answer = manager.post(reverse("console:feed_decide", args=[run.pk]), body)
        assert (answer.status_code, answer["Location"]) == (302, address)

    decide("theirs", "MUG")
    decide("ours", "LAMP")
    decide("theirs", "LAMP")

    assert (free_of(house, "MUG"), free_of(house, "LAMP")) == (3, 2)
    assert CountRequest.objects.for_scope(ALL_ACCOUNTS).count() == 1
    decided = manager.get(address, {"tab": "decided"})
    assert "Theirs accepted" in text_of(decided)
    line = reverse("console:difference", args=[line_of(house, "MUG")])
    assert manager.get(line)["Location"] == address
    document = reverse("console:snapshot", args=[run.document_id])
    assert manager.get(document)["Location"] == address


def test_is_for_those_of_the_account_and_node(house: House, run: Reconciliation) -> None:
    elsewhere = UserFactory()
    GrantFactory(
        user=elsewhere,
        account=house.network.account,
        role=RoleFactory(code="ops_manager"),
        node_id=house.network.nodes["NEWARK"],
    )
    house.users["elsewhere"] = elsewhere

    client = house.client("elsewhere")

    assert client.get(reverse("console:feed_run", args=[run.pk])).status_code == 404
    assert client.get(reverse("console:snapshot", args=[run.document_id])).status_code == 404
    assert "No feed yet" in text_of(client.get(reverse("console:feeds")))
