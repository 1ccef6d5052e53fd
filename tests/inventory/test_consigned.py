"""Goods of other owners: who sells them, whose go first, and what is then owed."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from config.kernel import ids
from config.kernel.errors import Invalid
from config.kernel.types import ALL_ACCOUNTS
from inventory import selectors, services
from inventory.models import ConsignedUse
from inventory.selectors.previews import preview_quotas, preview_rules
from inventory.types import (
    CartDraft,
    IssuedPortion,
    OwnerDraft,
    Portion,
    PriceDraft,
    QuotaDraft,
    RuleDraft,
    Selection,
    StockChange,
)
from tests.books import check_all
from tests.factories.inventory import ANNA, ChannelNodeFactory, SkuFactory, reread, stock, want
from tests.factories.kernel import NOON, ApiKeyFactory, ChannelFactory
from tests.inventory.shops import a_shop

pytestmark = pytest.mark.django_db

PARCEL = ids.uuid7()


class World:
    """A node with 4 units of our own and 6 of Potters', which the shop sells and an outlet does not."""

    def __init__(self, *, own: int = 4, theirs: int = 6, is_first: bool = False) -> None:
        self.shop = a_shop(nodes=1)
        self.account, self.channel, [self.node] = (
            self.shop.account,
            self.shop.channel,
            self.shop.nodes,
        )
        self.outlet = ChannelFactory(account=self.account)
        ChannelNodeFactory(channel=self.outlet, node=self.node)
        self.sku = SkuFactory(account=self.account)
        self.owner_id = self.define(is_first=is_first, channels={self.channel.pk})
        self.own = stock(own, sku=self.sku, node=self.node)
        self.theirs = stock(theirs, sku=self.sku, node=self.node, owner_id=self.owner_id)
        services.set_owner_prices(
            [PriceDraft(self.owner_id, self.sku.pk, Decimal("250.5"), "USD")], at=NOON, actor=ANNA
        )

    def define(self, *, channels, is_first=False):
        draft = OwnerDraft("potters", "Potters & Co", is_first, frozenset(channels))
        found = services.define_owners([draft], account_id=self.account.pk, at=NOON, actor=ANNA)
        selectors.forget()
        return found["potters"]

    def ats(self, channel=None, **by):
        return selectors.ats((channel or self.channel).pk, [self.sku.pk], at=NOON, **by)[
            self.sku.pk
        ]

    def lines(self, **period):
        wanted = {"since": NOON - timedelta(days=1), "until": NOON + timedelta(days=1)} | period
        return selectors.consigned_lines(ALL_ACCOUNTS, **wanted)

    def sell(self, units):
        """Reserve and send units of theirs."""
        with transaction.atomic():
            [taken] = services.take([want(self.theirs, units)], at=NOON, actor=ANNA).taken
            services.commit([taken.reservation_id], at=NOON, actor=ANNA)
        with transaction.atomic():
            services.issue(
                [Portion(taken.reservation_id, units)], "parcel", PARCEL, at=NOON, actor=ANNA
            )
        return taken


class TestFigures:
    def test_they_count_only_where_the_channel_sells_them_and_have_a_term_of_their_own(self):
        world = World()
        services.take([want(world.theirs, 1)], at=NOON, actor=ANNA)

        shown = selectors.explain(world.account.pk, world.channel.pk, world.sku.pk, at=NOON)

        assert (world.ats(), world.ats(world.outlet)) == (9, 4)
        assert world.ats(by=NOON + timedelta(days=2)) == 9
        assert shown.units == 9
        assert {term.code: term.units for term in shown.terms} == {"on_hand": 4, "consigned": 5}
        assert shown.terms[1].rows[0]["owner"] == "potters"
        other = selectors.explain(world.account.pk, world.outlet.pk, world.sku.pk, at=NOON)
        assert [term.code for term in other.terms] == ["on_hand"]
        place = (world.node.pk, world.sku.pk)
        assert selectors.atp(
            [world.node.pk], [world.sku.pk], account_id=world.account.pk, at=NOON
        ) == {place: 9}

    def test_switching_a_channel_off_takes_them_out_and_counts_its_figures_anew(self):
        world = World()

        world.define(channels={world.outlet.pk})

        assert (world.ats(), world.ats(world.outlet)) == (4, 10)
        assert services.publish_changes(10, at=NOON, actor=ANNA).counted == 2

    def test_what_is_kept_for_a_channel_can_be_met_from_them_where_it_may_have_them(self):
        world = World()
        kept = QuotaDraft(world.account.pk, world.channel.pk, "launch", "fixed", NOON, units=8)
        services.plan_quotas([kept], at=NOON, actor=ANNA)

        assert (world.ats(), world.ats(world.outlet)) == (10, 2)
        outlets = want(world.own, 3, channel_id=world.outlet.pk)
        assert services.take([outlets], at=NOON, actor=ANNA).lost
        assert services.take([replace(outlets, quantity=2)], at=NOON, actor=ANNA).taken

    def test_a_preview_of_rules_and_quotas_counts_them_where_they_are_sold(self):
        world = World()
        kit = SkuFactory(account=world.account, kind="kit", components={world.sku: 2})
        mugs = Selection(sku_codes=(world.sku.code,))
        account, channel = world.account.pk, world.channel.pk
        rule = RuleDraft(account, "shop", 1, NOON, selection=mugs, channel_id=channel, threshold=3)
        kept = QuotaDraft(account, channel, "launch", "fixed", NOON, selection=mugs, units=8)

        by_rule = preview_rules(account, [rule], at=NOON)
        by_quota = preview_quotas(account, [kept], at=NOON)

        def figures(preview):
            found = {one.channel_id: one for one in preview.channels}
            pair = [found[each.pk] for each in (world.channel, world.outlet)]
            return [(one.units_before, one.units_after) for one in pair]

        assert by_rule.kits == 1
        assert selectors.ats(channel, [kit.pk], at=NOON) == {kit.pk: 5}
        assert figures(by_rule) == [(10 + 5, 7 + 5), (4 + 2, 4 + 2)]
        assert figures(by_quota)[0] == (10 + 5, 10 + 5)
        assert figures(by_quota)[1][1] < 4 + 2

    def test_a_kit_is_made_from_both(self):
        world = World(own=3, theirs=3)
        kit = SkuFactory(account=world.account, kind="kit", components={world.sku: 2})

        assert selectors.ats(world.channel.pk, [kit.pk], at=NOON) == {kit.pk: 3}
        shown = selectors.explain(world.account.pk, world.channel.pk, kit.pk, at=NOON)
        assert shown.units == 3


class TestCarts:
    def test_a_cart_holds_theirs_when_nothing_of_ours_is_free(self):
        world = World(own=0)
        draft = CartDraft(world.channel.pk, "c1", ((world.sku.pk, 2),))

        held = services.hold_cart(draft, at=NOON, actor=ANNA)

        assert held.lines[0].held
        assert reread(world.theirs.pk).reserved == 2


class TestOwed:
    def test_what_was_sold_and_came_back_is_a_line_each_with_what_is_owed(self):
        world = World()
        taken = world.sell(3)
        with transaction.atomic():
            services.put_back(
                [IssuedPortion(taken.reservation_id, 1, "parcel", PARCEL)], at=NOON, actor=ANNA
            )
        back = StockChange(
            world.node.pk, world.sku.pk, world.account.pk, 1, "return", owner_id=world.owner_id
        )
        services.record_changes([back], at=NOON, actor=ANNA)

        uses = ConsignedUse.objects.for_scope(ALL_ACCOUNTS).order_by("id")
        assert list(uses.values_list("kind", "quantity", "amount_minor")) == [
            ("sold", 3, 752),
            ("put_back", -1, -250),
            ("returned", -1, -250),
        ]
        [line] = world.lines()
        assert (line.owner, line.sold, line.returned, line.owed_minor) == ("potters", 3, 2, 252)
        assert (line.on_hand, line.reserved, line.received) == (5, 1, 0)
        [later] = world.lines(since=NOON + timedelta(hours=1))
        assert (later.sold, later.on_hand) == (0, 5)
        assert not check_all()

    def test_our_own_goods_and_what_moves_otherwise_owe_nothing(self):
        world = World()
        changes = [
            StockChange(world.node.pk, world.sku.pk, world.account.pk, -1, "sale"),
            StockChange(
                world.node.pk, world.sku.pk, world.account.pk, -2, "adjust", owner_id=world.owner_id
            ),
        ]

        services.record_changes(changes, at=NOON, actor=ANNA)

        assert not ConsignedUse.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_without_a_price_units_are_listed_as_unpriced(self):
        world = World()
        services.set_owner_prices(
            [PriceDraft(world.owner_id, world.sku.pk, None)], at=NOON, actor=ANNA
        )
        world.sell(2)

        [line] = world.lines()

        assert (line.sold, line.owed_minor, line.unpriced) == (2, 0, 2)

    def test_a_return_knows_whose_goods_went_out(self):
        world = World()
        taken = world.sell(2)

        assert selectors.owners_of([taken.want.demand_id]) == {taken.want.demand_id: world.owner_id}


def test_an_owner_is_of_the_account_and_its_id_its_own():
    world = World()
    draft = OwnerDraft("others", "Others", owner_id=world.owner_id)

    with pytest.raises(Invalid):
        services.define_owners([draft], account_id=world.account.pk, at=NOON, actor=ANNA)
    [refused] = services.set_owner_prices(
        [PriceDraft(world.owner_id, SkuFactory().pk, Decimal(1), "USD")], at=NOON, actor=ANNA
    )
    assert refused.problem.code == "unknown-sku"


def test_the_api_writes_owners_prices_and_stock_and_reports_what_is_owed(settings):
    settings.ROOT_URLCONF = "tests.inventory.routes"
    world = World()
    key = ApiKeyFactory(
        account=world.account, scopes=["api.catalog.write", "api.stock.write"], channel=None
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    owners = [{"code": "weavers", "name": "Weavers", "channels": [world.channel.code]}]
    price = {"sku": world.sku.code, "unit_price": "100", "currency": "USD"}
    moved = {"sku": world.sku.code, "node": world.node.code, "owner": "weavers"}

    [made] = client.post("/api/v1/owners/", {"owners": owners}, format="json").json()["results"]
    priced = client.post(
        "/api/v1/owners/prices/",
        {"prices": [price | {"owner": "weavers"}, price | {"owner": "moon"}]},
        format="json",
    ).json()["results"]
    changed = client.post(
        "/api/v1/stock/changes/",
        {
            "source": "wms",
            "changes": [
                moved | {"quantity": 8, "kind": "receipt"},
                moved | {"quantity": -3, "kind": "sale"},
                moved | {"quantity": 1, "kind": "receipt", "owner": "moon"},
            ],
        },
        format="json",
    ).json()["results"]
    told = client.get("/api/v1/owners/consignment/", {"owner": "weavers"}).json()

    assert made["channels"] == [world.channel.code]
    assert [one["outcome"] for one in priced] == ["done", "refused"]
    assert [one["outcome"] for one in changed] == ["done", "done", "refused"]
    assert changed[2]["problem"]["code"] == "unknown-owner"
    [line] = told["results"]
    assert (line["on_hand"], line["received"], line["sold"], line["owed_minor"]) == (5, 8, 3, 300)
