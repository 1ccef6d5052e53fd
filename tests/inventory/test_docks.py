"""Docks: what is due takes a place in a window of receiving; beyond the limit it is a signal."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db.models import Sum

import fulfillment.services
from config.kernel.errors import Invalid
from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS
from inventory import selectors, services
from inventory.models import CapacityEntry, CapacityWindow, InboundLine, Node
from inventory.types import CapacityView, NodeEdit, ReceivedLine
from tests.factories.inventory import ANNA, InboundFactory, InboundLineFactory, NodeFactory
from tests.factories.kernel import AccountFactory

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 3, 2, 14, tzinfo=UTC)
"""Monday, 09:00 in New York."""

DAY = timedelta(days=1)


def docks(**most: int) -> Node:
    """A node that receives by these limits from 8 to 18 every day."""
    node: Node = NodeFactory(account=AccountFactory())
    capacities = tuple(
        CapacityView("receiving", resource, weekday, time(8), time(18), limit, False)
        for resource, limit in most.items()
        for weekday in range(7)
    )
    services.edit_nodes([NodeEdit(node.pk, capacities=capacities)], at=MORNING, actor=ANNA)
    return node


def due(node: Node, at: datetime, units: int = 10) -> InboundLine:
    inbound = InboundFactory(account=node.grants.get().account, node=node)
    line: InboundLine = InboundLineFactory(inbound=inbound, expected=units, eta_at=at)
    return line


def booked(node: Node) -> list[tuple[int, str, int, int]]:
    """(day, what, used, done) of the windows into which something was entered."""
    services.count_docks(at=MORNING, actor=ANNA)
    found = CapacityEntry.objects.filter(node=node).values_list("starts_at", "resource")
    sums = found.annotate(Sum("used"), Sum("done")).order_by("starts_at", "resource")
    return [(at.day, *rest) for at, *rest in sums if any(rest[1:])]


def test_appointments_follow_their_time_and_end_with_the_goods() -> None:
    node = docks(appointments=2, units=30)
    first, second = due(node, MORNING + DAY), due(node, MORNING + DAY, 12)
    assert booked(node) == [(3, "appointments", 2, 0), (3, "units", 22, 0)]
    assert services.count_docks(at=MORNING, actor=ANNA) == 0

    InboundLine.objects.filter(pk=second.pk).update(eta_at=MORNING + 3 * DAY)
    assert [row[:3] for row in booked(node)] == [
        (3, "appointments", 1), (3, "units", 10), (5, "appointments", 1), (5, "units", 12),
    ]  # fmt: skip

    services.receive_inbound(first.inbound_id, [ReceivedLine(first.pk, 10)], at=MORNING, actor=ANNA)
    services.cancel_inbound([second.inbound_id], "no more made", at=MORNING, actor=ANNA)
    assert booked(node) == [
        (2, "appointments", 0, 1), (2, "units", 0, 10),
        (3, "appointments", 1, 0), (3, "units", 10, 0),
    ]  # fmt: skip


def test_more_than_the_docks_take_is_a_signal_and_bars_nothing() -> None:
    node = docks(appointments=2)
    for _ in range(3):
        due(node, MORNING + DAY)
    assert booked(node) == [(3, "appointments", 3, 0)]
    due_then = CapacityWindow.objects.filter(node=node, starts_at__gt=MORNING).order_by("starts_at")
    CapacityWindow.objects.filter(pk=due_then[0].pk).update(used=3)
    fulfillment.services.measure_nodes(ALL_ACCOUNTS, at=MORNING, actor=ANNA)

    assert selectors.fullest_docks([node.pk], MORNING) == {node.pk: 150.0}
    (report,) = CaseReport.objects.filter(kind="NODE_DOCKS_FULL")
    assert report.evidence["value"] == 150.0


@pytest.mark.parametrize(
    ("function", "resource", "hard"),
    [
        ("receiving", "parcels", False),
        ("ship", "appointments", False),
        ("receiving", "units", True),
    ],
)
def test_what_makes_no_sense_is_refused(function: str, resource: str, hard: bool) -> None:  # noqa: FBT001
    row = CapacityView(function, resource, 0, time(8), time(18), 2, hard)
    with pytest.raises(Invalid):
        services.edit_nodes([NodeEdit(NodeFactory().pk, capacities=(row,))], at=MORNING, actor=ANNA)
