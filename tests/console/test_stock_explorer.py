"""The SKU's page: a figure in words whose terms lead to their rows, by node, by channel and by day."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

import inventory.services
from config.kernel import clock
from inventory.types import ExclusionWanted
from tests.console.conftest import ACTOR, House
from tests.factories.inventory import InboundFactory, InboundLineFactory


@pytest.fixture
def page(house: House):
    """A SKU with stock, a claim, something coming in and a channel that was told; its page's text."""
    house.network.stock("LAMP", RENO=40, COLUMBUS=7)
    house.order("LAMP", 3)
    sku_id = house.network.skus["LAMP"]
    inbound = InboundFactory(account=house.network.account, node=house.node("RENO"))
    InboundLineFactory(
        inbound=inbound,
        sku_id=sku_id,
        sku=None,
        expected=20,
        eta_at=clock.now() + timedelta(days=3),
        reliability_percent=50,
    )
    inventory.services.publish_changes(1_000, at=clock.now(), actor=ACTOR)

    def read(**query: str) -> str:
        answer = house.client("ops_manager").get(reverse("console:sku", args=[sku_id]), query)
        assert answer.status_code == 200
        return answer.content.decode()

    read.sku_id = sku_id
    return read


def terms(page: str) -> list[tuple[str, str]]:
    """Address and units of each term of the figure."""
    return re.findall(r'<a class="term" href="([^"]+)"[^>]*><b>([\d,]+)</b>', page)


def test_says_what_can_be_sold_in_terms_that_lead_to_their_rows(house: House, page) -> None:
    shown = page()
    base = f"/console/stock/{page.sku_id}/"
    assert terms(shown)[:2] == [(f"{base}?tab=ledger", "49"), (f"{base}?tab=holders", "3")]
    assert "<b>46</b><span>today" in shown
    assert 'class="projection"' in shown
    assert ">+10</text>" in shown
    assert house.node("COLUMBUS").code in shown
    later = page(by=f"{clock.now() + timedelta(days=5):%Y-%m-%d}")
    assert (f"{base}?tab=inbound", "10") in terms(later)
    assert "<b>56</b>" in later


def test_says_why_a_channel_has_nothing_though_it_lies_on_the_shelf(house: House, page) -> None:
    places = [("RENO", "short"), ("COLUMBUS", "count")]
    inventory.services.exclude(
        [
            ExclusionWanted(
                house.network.nodes[node], page.sku_id, clock.now() + timedelta(days=1), why
            )
            for node, why in places
        ],
        at=clock.now(),
        actor=ACTOR,
    )
    code = house.network.channel.code

    told = page(tab="channels")
    shown = page(channel=code)

    assert f"channel={code}" in told
    assert 'data-label="May sell" class="num strong">46<' in told
    assert "not sourced at the node for now" in shown
    assert "<b>0</b><span>today" in shown
    assert "Counts nothing" in shown


def test_folds_the_ledger_to_any_time(page) -> None:
    now = page(tab="ledger", asof=f"{clock.now() + timedelta(days=2):%Y-%m-%dT%H:%M}")
    before = page(tab="ledger", asof="2020-01-01T00:00")
    assert "What lay there at" in now
    assert "Nothing lay anywhere" in before
    assert page(tab="ledger", asof="nonsense", by="nonsense")


def test_is_found_from_a_figure_as_events_name_it(house: House, page) -> None:
    from inventory.models import ChannelAvailability

    figure = ChannelAvailability.objects.for_scope(ACTOR.scope).get(sku_id=page.sku_id)
    answer = house.client("ops_manager").get(reverse("console:stock_figure", args=[figure.pk]))
    assert answer.headers["Location"].endswith(f"/stock/{page.sku_id}/?tab=channels")
