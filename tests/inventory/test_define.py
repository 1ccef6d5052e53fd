"""Setting a retailer up: by code, in batches, and twice as good as once."""

from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import inventory.selectors
from config.kernel import versions
from config.kernel.types import ALL_ACCOUNTS
from inventory.models import (
    Carrier,
    ChannelListing,
    ChannelNode,
    Inbound,
    InboundLine,
    KitComponent,
    Node,
    NodeClosure,
    NodeCutoff,
    NodeFunction,
    NodeGrant,
    NodeHours,
    ServiceLevel,
    Sku,
)
from inventory.services import define, pause_node
from inventory.services.define import InboundDraft, NodeDraft, ServiceDraft, SkuDraft
from inventory.states import NodeState
from tests.factories.inventory import ANNA, NodeFactory, SkuFactory
from tests.factories.kernel import NOON, AccountFactory, BrandFactory, ChannelFactory

pytestmark = pytest.mark.django_db

BY = {"at": NOON, "actor": ANNA}
STANDARD = ServiceDraft("standard", "Standard", "standard", "paper", "Paper carrier")
EXPRESS = ServiceDraft("two_day", "Two-day", "express", "paper", "Paper carrier")
NEWARK = NodeDraft(
    code="EWR",
    name="Newark DC",
    kind="dc",
    line1="1 Port Street",
    city="Newark",
    region="NJ",
    postal_code="07114",
    country="US",
    latitude=40.7,
    longitude=-74.17,
    timezone="America/New_York",
    hours={0: (time(8), time(18)), 1: (time(9), time(17))},
    cutoffs={0: time(16), 1: time(15)},
    functions=("ship", "receiving"),
    holiday_years=(2026,),
    open_on_holidays=("Columbus Day",),
)
MUG = SkuDraft("MUG", "Mug", "stock", None, 1800, "USD", weight_grams=420, box_mm=(120, 90, 100))
PAIR = SkuDraft("PAIR", "Two mugs", "kit", None, 3200, "USD", components=(("MUG", 2),))


@pytest.fixture(autouse=True)
def fresh_process() -> None:
    inventory.selectors.forget()


def every(model: Any) -> Any:
    """All rows of a model, whether it is scoped or not."""
    return model._base_manager.all()


def version_of(topic: str) -> int:
    return versions.read([topic])[topic]


def statements(call: Any) -> int:
    with CaptureQueriesContext(connection) as seen:
        call()
    return sum("SAVEPOINT" not in query["sql"] for query in seen.captured_queries)


class TestDefineServices:
    def test_creates_carriers_and_services(self):
        found = define.define_services([STANDARD, EXPRESS], **BY)

        assert found == dict(ServiceLevel.objects.values_list("code", "pk"))
        assert set(ServiceLevel.objects.values_list("code", "kind", "carrier__code")) == {
            ("standard", "standard", "paper"),
            ("two_day", "express", "paper"),
        }

    def test_updates_by_code_when_called_again(self):
        first = define.define_services([STANDARD], **BY)

        again = define.define_services([replace(STANDARD, name="Ground", carrier_name="P")], **BY)

        assert again == first
        assert ServiceLevel.objects.get().name == "Ground"
        assert Carrier.objects.get().name == "P"


class TestDefineNodes:
    def node(self, *drafts: NodeDraft, account: Any = None) -> Node:
        account = account or AccountFactory()
        ids = define.define_nodes(drafts or [NEWARK], account_id=account.pk, **BY)
        return Node.objects.for_scope(ALL_ACCOUNTS).get(pk=ids[(drafts or [NEWARK])[0].code])

    def test_makes_a_new_node_active_and_grants_it(self):
        account = AccountFactory()

        node = self.node(account=account)

        assert (node.state, node.city, float(node.latitude)) == ("active", "Newark", 40.7)
        assert every(NodeGrant).get().account_id == account.pk
        assert [row.state for row in node.history.order_by("history_id")][-1] == "active"

    def test_writes_its_week(self):
        self.node()

        assert set(every(NodeHours).values_list("weekday", "opens", "closes")) == {
            (0, time(8), time(18)),
            (1, time(9), time(17)),
        }
        assert set(every(NodeCutoff).values_list("weekday", "at_local")) == {
            (0, time(16)),
            (1, time(15)),
        }
        assert set(every(NodeFunction).values_list("function", flat=True)) == {"ship", "receiving"}

    def test_closes_it_on_holidays_but_for_those_it_works_on(self):
        self.node()

        closed = dict(every(NodeClosure).values_list("on", "name"))
        assert closed[date(2026, 11, 26)] == "Thanksgiving Day"
        assert date(2026, 10, 12) not in closed

    def test_changes_no_rows_when_called_again(self):
        account = AccountFactory()
        self.node(account=account)
        models = (Node, NodeGrant, NodeHours, NodeCutoff, NodeFunction, NodeClosure)
        before = [list(every(model).order_by("pk").values()) for model in models]

        self.node(account=account)

        assert [list(every(model).order_by("pk").values()) for model in models] == before

    def test_updates_what_is_there_and_leaves_its_state_alone(self):
        account = AccountFactory()
        node = self.node(account=account)
        pause_node(node.pk, None, None, "flood", **BY)

        changed = self.node(replace(NEWARK, name="Newark", priority=5), account=account)

        assert (changed.pk, changed.name, changed.priority) == (node.pk, "Newark", 5)
        assert changed.state == NodeState.PAUSED

    def test_shares_a_node_between_accounts(self):
        first, second = AccountFactory(), AccountFactory()

        self.node(account=first)
        self.node(account=second)

        assert Node.objects.for_scope(ALL_ACCOUNTS).count() == 1
        assert set(every(NodeGrant).values_list("account_id", flat=True)) == {first.pk, second.pk}

    def test_makes_caches_read_the_network_again(self):
        before = version_of("network")

        self.node()

        assert version_of("network") > before

    def test_takes_as_many_statements_for_one_node_as_for_ten(self):
        account = AccountFactory()

        one = statements(lambda: self.node(NEWARK, account=account))
        ten = [replace(NEWARK, code=f"N{number}") for number in range(10)]

        assert statements(lambda: self.node(*ten, account=account)) == one


class TestPublicHolidays:
    def test_are_none_without_country_or_years(self):
        assert define.public_holidays("", [2026]) == []
        assert define.public_holidays("US", []) == []


class TestDefineSkus:
    def test_creates_skus_with_the_components_of_kits(self):
        account, brand = AccountFactory(), BrandFactory()
        brand.account = account
        brand.save()

        found = define.define_skus(
            [replace(MUG, brand_id=brand.pk), PAIR], account_id=account.pk, **BY
        )

        mug = Sku.objects.for_scope(ALL_ACCOUNTS).get(code="MUG")
        assert (mug.brand_id, mug.weight_grams, mug.length_mm, mug.height_mm) == (
            brand.pk,
            420,
            120,
            100,
        )
        assert list(every(KitComponent).values_list("kit_id", "component_id", "quantity")) == [
            (found["PAIR"], found["MUG"], 2)
        ]

    def test_finds_components_of_an_earlier_batch(self):
        account = AccountFactory()
        mug = define.define_skus([MUG], account_id=account.pk, **BY)["MUG"]

        define.define_skus([PAIR], account_id=account.pk, **BY)

        assert every(KitComponent).get().component_id == mug

    def test_refuses_a_component_that_nobody_knows_and_creates_nothing(self):
        with pytest.raises(KeyError):
            define.define_skus([PAIR], account_id=AccountFactory().pk, **BY)

        assert not every(Sku).exists()

    def test_updates_by_code_within_the_account(self):
        account, theirs = AccountFactory(), SkuFactory(code="MUG", name="Their mug")
        first = define.define_skus([MUG], account_id=account.pk, **BY)

        again = define.define_skus([replace(MUG, price_minor=1900)], account_id=account.pk, **BY)

        assert again == first
        assert Sku.objects.for_scope(ALL_ACCOUNTS).get(pk=first["MUG"]).price_minor == 1900
        assert Sku.objects.for_scope(ALL_ACCOUNTS).get(pk=theirs.pk).name == "Their mug"

    def test_makes_caches_read_skus_again(self):
        account = AccountFactory()
        before = version_of("skus")

        define.define_skus([MUG], account_id=account.pk, **BY)

        assert version_of("skus") > before


class TestDefineNetworks:
    def test_puts_nodes_into_a_channel_and_changes_what_they_do(self):
        channel = ChannelFactory()
        node = NodeFactory(account=channel.account)

        define.define_networks([(channel.pk, node.pk, True, False)], **BY)
        define.define_networks([(channel.pk, node.pk, True, True)], **BY)

        assert list(every(ChannelNode).values_list("ships", "picks_up")) == [(True, True)]
        assert inventory.selectors.channel_nodes(channel.pk) == {node.pk: (True, True)}


class TestDefineListings:
    def test_says_what_a_channels_code_means_and_may_change_its_mind(self):
        channel = ChannelFactory()
        mug, bowl = SkuFactory(account=channel.account), SkuFactory(account=channel.account)

        define.define_listings([(channel.pk, "M-1", mug.pk)], **BY)
        define.define_listings([(channel.pk, "M-1", bowl.pk)], **BY)

        assert every(ChannelListing).get().sku_id == bowl.pk
        found = inventory.selectors.skus_by_code(channel.account_id, channel.pk, ["M-1"])
        assert found["M-1"].id == bowl.pk


class TestAnnounceInbound:
    def announce(self, account: Any, sku: Sku, node: Node, **details: Any) -> None:
        draft = InboundDraft(
            **{
                "number": "PO-1",
                "kind": "po",
                "source": "merchandising",
                "node_code": node.code,
                "eta_at": NOON,
                "lines": ((sku.code, 12),),
                **details,
            }
        )
        define.announce_inbound(
            [draft],
            account_id=account.pk,
            sku_ids={sku.code: sku.pk},
            node_ids={node.code: node.pk},
            **BY,
        )

    def test_records_what_is_on_its_way(self):
        sku = SkuFactory()
        node = NodeFactory(account=sku.account)

        self.announce(sku.account, sku, node, reliability_percent=80)

        line = every(InboundLine).get()
        assert (line.expected, line.received, line.reliability_percent) == (12, 0, 80)
        assert every(Inbound).get().history.count() == 1

    def test_leaves_a_number_that_its_source_has_used(self):
        sku = SkuFactory()
        node = NodeFactory(account=sku.account)
        self.announce(sku.account, sku, node)

        self.announce(sku.account, sku, node, lines=((sku.code, 99),))
        self.announce(sku.account, sku, node, source="supplier")

        assert sorted(every(InboundLine).values_list("expected", flat=True)) == [12, 12]


def test_an_empty_batch_is_no_work():
    assert define.define_services([], **BY) == {}
    assert define.define_skus([], account_id=AccountFactory().pk, **BY) == {}
