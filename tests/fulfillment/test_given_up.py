"""What follows when nodes give units up: as the account's rejection rules say, by reason."""

from datetime import timedelta

import pytest

from config.kernel.events import Recorded
from config.kernel.models import CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS
from fulfillment import handlers
from fulfillment.models import FulfillmentOrder
from fulfillment.services import reject
from fulfillment.services.given_up import MOST_NODES
from fulfillment.types import Rejection
from inventory.models import CountRequest, Exclusion
from orders.models import Hold, OrderLine
from routing.matching_models import AcceptanceRate, FullNode, RejectionRule
from routing.willingness import acceptance, full_nodes, permille
from tests.factories.fulfillment import BEN, Placed, released
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db


def turned_down(reason: str, **rule: object) -> tuple[Placed, FulfillmentOrder]:
    """Two units that a node rejected for the reason; the account's own rule, if any."""
    placed, order = released(2)
    if rule:
        RejectionRule.objects.for_scope(ALL_ACCOUNTS).create(
            account_id=order.account_id, reason=reason, **rule
        )
    reject([Rejection(order.pk, reason)], at=NOON, actor=BEN)
    return placed, order


def holds() -> list[tuple[str, bool]]:
    found = Hold.objects.for_scope(ALL_ACCOUNTS)
    return [(hold.type, hold.line_id is not None) for hold in found]


def test_units_that_are_not_there_are_a_fact_and_counted() -> None:
    _, order = turned_down("no_stock")

    count = CountRequest.objects.for_scope(ALL_ACCOUNTS).get()
    assert (count.node_id, holds()) == (order.node_id, [])


def test_the_account_says_how_long_a_sku_and_a_node_are_left_out() -> None:
    _, order = turned_down("other", sku_hours=2, node_hours=5)

    assert Exclusion.objects.for_scope(ALL_ACCOUNTS).get().until == NOON + timedelta(hours=2)
    full = FullNode.objects.get()
    assert (full.node_id, full.function, full.until) == (
        order.node_id,
        "ship",
        NOON + timedelta(hours=5),
    )
    assert full_nodes(1) == {(order.node_id, "ship"): NOON + timedelta(hours=5)}


@pytest.mark.parametrize(
    ("step", "left"), [("hold", ("given_up", 2, 0)), ("buyer", ("given_up", 2, 0))]
)
def test_units_wait_for_a_person_where_the_rule_says_so(
    step: str, left: tuple[str, int, int]
) -> None:
    placed, _ = turned_down("other", next_step=step)

    line = placed.line()
    assert (holds()[0][0], line.pending, line.cancelled) == left
    assert CaseReport.objects.get().kind == "GIVEN_UP"


def test_units_are_cancelled_where_the_rule_says_so() -> None:
    placed, _ = turned_down("cannot_ship", next_step="cancel")

    line = placed.line()
    assert (holds(), line.pending, line.cancelled) == ([], 0, 2)


def test_a_pickup_waits_for_its_buyer_and_looks_for_no_other_way() -> None:
    _, order = released(1, method="pickup")

    reject([Rejection(order.pk, "closed")], at=NOON, actor=BEN)

    assert holds() == [("buyer_choice", True)]
    assert CaseReport.objects.get().kind == "PICKUP_REJECTED"


def test_what_goes_round_too_many_nodes_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_NODES > 1
    monkeypatch.setattr("fulfillment.services.given_up.MOST_NODES", 1)

    placed, _ = turned_down("other")

    assert holds() == [("given_up", True)]
    assert OrderLine.objects.for_scope(ALL_ACCOUNTS).get(pk=placed.line().pk).pending == 2


def test_how_often_a_node_rejects_goods_of_a_class_is_learnt() -> None:
    _, order = turned_down("other")
    told = Event.objects.for_scope(ALL_ACCOUNTS).filter(
        topic__in=handlers.ACCEPTANCE_TOPICS, subject_id=order.pk
    )

    handlers.learn_acceptance(
        [Recorded(**{name: getattr(event, name) for name in Recorded.__slots__}) for event in told]
    )

    rate = AcceptanceRate.objects.get()
    assert (rate.node_id, rate.rejected) == (order.node_id, 1)
    assert acceptance(1).rates[order.node_id, rate.goods] < permille(1, 0) < 1_000
