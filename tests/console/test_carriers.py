"""The carriers' page: what stands behind each number, and how well each does."""

from datetime import timedelta

import pytest

from config.kernel import clock
from tests.console.test_returns import somebody
from tests.factories.carriers import a_carrier
from tests.factories.inventory import NodeFactory
from tests.factories.kernel import NOON
from tests.factories.returns import on_the_way, parcel_of, tell

pytestmark = pytest.mark.django_db


def test_lists_what_is_unscanned_late_and_in_trouble_and_scores_the_rest() -> None:
    clock.set_to(NOON + timedelta(days=3))
    placed = on_the_way(1)
    person = somebody(placed)
    parcel = parcel_of(placed)
    a_carrier(placed.order.account, code="paper")
    page = person.reads("carriers")
    assert parcel.number in page
    assert "should have been heard of" in page
    tell(parcel.pk, "in_transit", NOON + timedelta(days=1))
    assert "Every parcel was scanned within a day" in person.reads("carriers", tab="unscanned")
    tell(parcel.pk, "lost", NOON + timedelta(days=2))
    assert parcel.number in person.reads("carriers", tab="trouble")
    score = person.reads("carriers", tab="scorecard")
    assert "few" in score
    assert "1,000.0" in score or "1000.0" in score
    assert "Nothing was delivered in these days" in person.reads("carriers", tab="lanes")
    clock.forget()


def test_keeps_to_the_nodes_of_the_reader() -> None:
    clock.set_to(NOON + timedelta(days=3))
    placed = on_the_way(1)
    elsewhere = somebody(placed, "node_operator", node_id=NodeFactory().pk)
    assert "No carrier has anything of ours" in elsewhere.reads("carriers")
    clock.forget()
