"""A figure opens into terms that add up to it, whatever has happened to the stock."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from inventory import selectors, services
from inventory.models import ChannelTerm, PickableTime, StockPosition
from inventory.types import BufferChange, ExclusionWanted, StockChange
from tests.factories.inventory import (
    ANNA,
    InboundFactory,
    InboundLineFactory,
    SkuFactory,
    reread,
    stock,
    want,
)
from tests.factories.kernel import NOON
from tests.inventory.shops import Shop, a_shop, unplaced

LATER = NOON + timedelta(days=5)


def codes(found) -> dict[str, int]:
    return {term.code: term.units for term in found.terms}


@pytest.mark.django_db
def test_every_term_of_a_figure_has_its_rows():
    shop = a_shop(nodes=3)
    sku = SkuFactory(account=shop.account)
    here, there, closed = shop.nodes
    position = stock(40, sku=sku, node=here)
    stock(5, sku=sku, node=here, condition="damaged")
    stock(7, sku=sku, node=here, condition="receiving")
    stock(8, sku=sku, node=closed)
    stock(9, sku=sku)
    PickableTime.objects.create(node=here, condition="receiving", minutes=60)
    services.take([want(position, 6)], at=NOON, actor=ANNA)
    services.hold([want(position, 2)], until=LATER, at=NOON, actor=ANNA)
    services.set_buffers([BufferChange(here.pk, sku.pk, 3)], at=NOON, actor=ANNA)
    services.exclude([ExclusionWanted(closed.pk, sku.pk, LATER, "short")], at=NOON, actor=ANNA)
    InboundLineFactory(
        inbound=InboundFactory(account=shop.account, node=there), sku=sku, expected=20
    )
    ChannelTerm.objects.create(
        account=shop.account, channel=shop.channel, sku=sku, threshold=2, rule=shop.rule()
    )
    with unplaced({sku.pk: 4}):
        now = selectors.explain(shop.account.pk, shop.channel.pk, sku.pk, at=NOON)
        later = selectors.explain(
            shop.account.pk, shop.channel.pk, sku.pk, at=NOON, by=LATER, days=5
        )

    assert now.units == 40 - 6 - 2 - 3 - 4 - 2
    assert codes(now) == {
        "on_hand": 69,
        "not_used": -9,
        "excluded": -8,
        "receiving": -7,
        "damaged": -5,
        "held": -2,
        "reserved": -6,
        "safety": -3,
        "unplaced": -4,
        "threshold": -2,
    }
    assert codes(later)["pickable"] == 7
    assert codes(later)["inbound"] == 18
    assert later.units == now.units + 7 + 18 + 8
    assert [day.units for day in later.days][-1] == later.units
    assert [day.arriving for day in later.days] == [7, 0, 18, 0, 0]
    [reserved] = [term for term in now.terms if term.code == "reserved"]
    assert reserved.rows[0]["node"] == here.code
    assert reserved.link.endswith("?tab=holders")
    assert {share.node_code: share.units for share in now.nodes}[here.code] == 29


Event = tuple[str, int, int]


class TestAddsUp(TestCase):
    """Whatever happens, the terms add up to what `ats` says, and nodes to what `atp` says."""

    @classmethod
    def setUpTestData(cls) -> None:
        cls.shop = a_shop(nodes=2)
        cls.skus = SkuFactory.create_batch(2, account=cls.shop.account)
        components = {cls.skus[0]: 1, cls.skus[1]: 2}
        cls.kit = SkuFactory(account=cls.shop.account, kind="kit", components=components)
        cls.positions = [
            stock(9, sku=sku, node=node) for sku in cls.skus for node in cls.shop.nodes
        ]

    @settings(max_examples=10)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(
                    ["receipt", "sale", "take", "hold", "buffer", "damage", "exclude", "inbound"]
                ),
                st.integers(0, 3),
                st.integers(1, 12),
            ),
            max_size=12,
        ),
        st.integers(0, 9),
    )
    def test_whatever_has_happened(self, happened: list[Event], waiting: int) -> None:
        shop, skus, kit = self.shop, self.skus, self.kit
        for what, place, units in happened:
            _happen(shop, self.positions[place], what, units)
        every = [*(sku.pk for sku in skus), kit.pk]
        nodes = [node.pk for node in shop.nodes]
        with unplaced({skus[0].pk: waiting}):
            for by in (None, LATER):
                figures = selectors.ats(shop.channel.pk, every, at=NOON, by=by)
                shares = selectors.atp(nodes, every, account_id=shop.account.pk, at=NOON, by=by)
                for sku_id in every:
                    found = selectors.explain(
                        shop.account.pk, shop.channel.pk, sku_id, at=NOON, by=by
                    )
                    assert found.units == figures[sku_id] == sum(t.units for t in found.terms)
                    for term in found.terms:
                        if term.code not in {"kit", "unplaced", "threshold", "beyond"}:
                            assert sum(int(str(row["quantity"])) for row in term.rows) == term.units
                    assert {share.node_id: share.units for share in found.nodes if share.units} == {
                        node_id: units
                        for (node_id, known), units in shares.items()
                        if known == sku_id
                    }


def _happen(shop: Shop, position: StockPosition, what: str, units: int) -> None:
    at = (position.node_id, position.sku_id)
    changes: dict[str, Callable[[], object]] = {
        "receipt": lambda: _change(position, units, "receipt"),
        "sale": lambda: _change(position, -units, "sale"),
        "damage": lambda: _change(position, units, "receipt", condition="damaged"),
        "take": lambda: services.take([want(reread(position.pk), units)], at=NOON, actor=ANNA),
        "hold": lambda: services.hold(
            [want(reread(position.pk), units)], until=LATER, at=NOON, actor=ANNA
        ),
        "buffer": lambda: services.set_buffers([BufferChange(*at, units)], at=NOON, actor=ANNA),
        "exclude": lambda: services.exclude(
            [ExclusionWanted(*at, NOON + timedelta(days=units), "x")], at=NOON, actor=ANNA
        ),
        "inbound": lambda: InboundLineFactory(
            inbound=InboundFactory(account=shop.account, node=position.node),
            sku=position.sku,
            expected=units,
        ),
    }
    with transaction.atomic():
        changes[what]()


def _change(position: StockPosition, units: int, kind: str, **details: str) -> None:
    change = StockChange(
        position.node_id, position.sku_id, position.account_id, units, kind, **details
    )
    services.record_changes([change], at=NOON, actor=ANNA)
