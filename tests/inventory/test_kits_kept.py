"""Kits and quotas: a kit is kept as its components, and previews count kits as figures do."""

from datetime import timedelta

import pytest

from config.kernel.errors import Invalid
from config.kernel.types import ALL_ACCOUNTS
from inventory import selectors, services
from inventory.models import Quota
from inventory.types import QuotaDraft, RuleDraft, Selection
from tests.factories.inventory import (
    ANNA,
    ChannelNodeFactory,
    NodeFactory,
    SkuFactory,
    stock,
    want,
)
from tests.factories.kernel import NOON, ChannelFactory

pytestmark = pytest.mark.django_db

BEGUN = NOON - timedelta(days=1)


class World:
    """A set of two lamps and a cable, its parts at two nodes, sold by a web shop and a marketplace."""

    def __init__(self) -> None:
        self.web = ChannelFactory()
        self.account = self.web.account
        self.market = ChannelFactory(account=self.account)
        self.lamp = SkuFactory(account=self.account, code="LAMP")
        self.cable = SkuFactory(account=self.account, code="CABLE")
        self.kit = SkuFactory(
            account=self.account,
            code="SET",
            kind="kit",
            components={self.lamp: 2, self.cable: 1},
        )
        self.nodes = [NodeFactory(account=self.account) for _ in range(2)]
        for channel in (self.web, self.market):
            for node in self.nodes:
                ChannelNodeFactory(channel=channel, node=node)
        self.lamps = [
            stock(units, sku=self.lamp, node=node)
            for units, node in zip((9, 4), self.nodes, strict=True)
        ]
        self.cables = [
            stock(units, sku=self.cable, node=node)
            for units, node in zip((3, 8), self.nodes, strict=True)
        ]

    def quota(self, code: str = "SET", **details: object) -> QuotaDraft:
        return QuotaDraft(
            account_id=self.account.pk,
            channel_id=self.market.pk,
            name="kept",
            kind=str(details.pop("kind", "fixed")),
            starts_at=BEGUN,
            selection=Selection(sku_codes=(code,)),
            **details,  # type: ignore[arg-type]
        )

    def figures(self, channel: object) -> dict[str, int]:
        skus = (self.lamp, self.cable, self.kit)
        found = selectors.ats(channel.pk, [sku.pk for sku in skus], at=NOON)  # type: ignore[attr-defined]
        return {sku.code: found[sku.pk] for sku in skus}

    def take(self, channel: object, lamps: int, cables: int, place: int = 0) -> bool:
        """Reserve the units at one node, all or nothing."""
        wants = [
            want(position[place], units, channel_id=channel.pk)  # type: ignore[attr-defined]
            for position, units in ((self.lamps, lamps), (self.cables, cables))
            if units
        ]
        return len(services.take(wants, at=NOON, actor=ANNA).taken) == len(wants)


def test_a_kit_is_kept_as_its_components_which_no_channel_can_have_in_any_form() -> None:
    world = World()
    services.plan_quotas([world.quota(units=3)], at=NOON, actor=ANNA)
    kept = Quota.objects.for_scope(ALL_ACCOUNTS).values_list("sku__code", "protected")
    assert dict(kept) == {"LAMP": 6, "CABLE": 3}

    assert not world.take(world.web, 8, 0)
    assert world.take(world.web, 5, 0)
    assert world.take(world.web, 2, 1, place=1)
    assert not world.take(world.web, 2, 1, place=1)
    assert world.take(world.market, 4, 2)
    assert world.take(world.market, 2, 1, place=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"units": 3},
        {"units": 2, "code": "LAMP"},
        {"kind": "percent", "percent": 50},
        {"kind": "priority", "units": 4, "code": "CABLE"},
    ],
)
def test_a_preview_of_quotas_says_what_figures_of_kits_become(changes: dict[str, object]) -> None:
    world = World()
    draft = world.quota(**changes)  # type: ignore[arg-type]
    before = {channel.pk: world.figures(channel) for channel in (world.web, world.market)}
    told = selectors.preview_quotas(world.account.pk, [draft], at=NOON)
    services.plan_quotas([draft], at=NOON, actor=ANNA)

    for channel in (world.web, world.market):
        (seen,) = [one for one in told.channels if one.channel_id == channel.pk]
        meant = {"LAMP", "CABLE"} if draft.selection.sku_codes == ("SET",) else {changes["code"]}
        after = world.figures(channel)
        assert (told.skus, told.kits) == (len(meant), 1)
        counted = [*meant, "SET"]
        assert seen.units_before == sum(before[channel.pk][code] for code in counted)
        assert seen.units_after == sum(after[code] for code in counted)
        drops = {drop.code: (drop.before, drop.after) for drop in seen.biggest_drops}
        assert drops == {
            code: (before[channel.pk][code], after[code])
            for code in counted
            if after[code] < before[channel.pk][code]
        }


def test_a_preview_of_safety_stock_counts_kits_by_the_scarcest_component_per_node() -> None:
    world = World()
    rule = RuleDraft(
        account_id=world.account.pk,
        name="safety",
        sequence=1,
        starts_at=BEGUN,
        selection=Selection(sku_codes=("LAMP",)),
        safety_units=4,
    )
    assert world.figures(world.web) == {"LAMP": 13, "CABLE": 11, "SET": 5}
    told = selectors.preview_rules(world.account.pk, [rule], at=NOON)
    web = next(one for one in told.channels if one.channel_id == world.web.pk)
    services.publish_rules(services.define_rules([rule], at=NOON, actor=ANNA), at=NOON, actor=ANNA)

    assert world.figures(world.web) == {"LAMP": 5, "CABLE": 11, "SET": 2}
    assert (web.units_before, web.units_after) == (13 + 5, 5 + 2)


def test_a_kit_is_not_capped() -> None:
    world = World()
    with pytest.raises(Invalid, match="SET is a kit: cap its components"):
        services.plan_quotas([world.quota(units=3, cap=4)], at=NOON, actor=ANNA)
