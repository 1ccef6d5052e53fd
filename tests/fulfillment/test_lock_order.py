"""Locks are taken in the one global order, read from the SQL of the commands themselves."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import NodeRequest
from fulfillment.services import (
    acknowledge,
    answer_requests,
    change_services,
    collect,
    confirm_shipments,
    expire_pickups,
    pull_back,
    put_back,
    record_packs,
    record_picks,
    record_tracking,
    reject,
    release_groups,
    report_shorts,
    reverse_shipments,
    take_remedy,
    void_parcels,
)
from fulfillment.types import (
    Acknowledgement,
    Collection,
    Pack,
    Pick,
    PullBack,
    Rejection,
    RequestAnswer,
    ServiceChange,
    Shipment,
    Short,
    TrackingNews,
)
from orders.models import ConsentQuestion, OrderLine
from orders.services import answer_consent, cancel_units, correct_addresses
from orders.types import AddressCorrection, CancelRequest, ConsentGiven
from tests.factories.fulfillment import (
    BEN,
    HOME,
    line_of,
    node_for,
    packed,
    picked,
    place,
    ready,
    released,
    shipped,
)
from tests.factories.inventory import ServiceLevelFactory, SkuFactory
from tests.factories.kernel import NOON, AccountFactory
from tests.fulfillment.test_remedies import AT, endangered
from tests.fulfillment.test_remedies import network as promises_network
from tests.lock_order import selected

pytestmark = pytest.mark.django_db

RANKS = {
    "orders_order": 1,
    "orders_tender": 2,
    "fulfillment_fulfillmentorder": 3,
    "fulfillment_parcel": 4,
    "inventory_quota": 5,
    "inventory_stockposition": 6,
    "inventory_stocklevel": 7,
}


def locks_of(call) -> list[str]:
    """The ranked tables that the call locks, in the order of its statements."""
    with CaptureQueriesContext(connection) as seen:
        call()
    return [
        table
        for query in seen.captured_queries
        for table, _ in selected(query["sql"])
        if table in RANKS
    ]


def first_locks(call) -> list[str]:
    """Each table at its first lock: locking again what is held waits for nobody."""
    return list(dict.fromkeys(locks_of(call)))


def a_group():
    sku = SkuFactory()
    return place({sku: 2}, node_for(sku.account)).group.pk


def express() -> int:
    return ServiceLevelFactory(code="express").pk


WHEN = {"at": NOON, "actor": BEN}
COMMANDS = {
    "release": lambda: (release_groups, [a_group()]),
    "acknowledge": lambda: (acknowledge, [Acknowledgement(released()[1].pk)]),
    "pick": lambda: (record_picks, [Pick(line_of(released()[1]).pk, 1)]),
    "pack": lambda: (record_packs, [Pack(picked()[1].pk)]),
    "void": lambda: (void_parcels, [packed()[2].pk]),
    "short": lambda: (report_shorts, [Short(line_of(released()[1]).pk, 1, "missing")]),
    "reject": lambda: (reject, [Rejection(released()[1].pk, "other")]),
    "ship": lambda: (confirm_shipments, [Shipment(packed()[2].pk)]),
    "reverse": lambda: (reverse_shipments, [shipped()[2].pk]),
    "track": lambda: (record_tracking, [TrackingNews("delivered", NOON, shipped()[2].pk)]),
    "collect": lambda: (collect, [Collection(ready()[1].pk)]),
    "pull back": lambda: (pull_back, [PullBack(released()[1].pk)]),
    "service": lambda: (change_services, [ServiceChange(released()[1].pk, express())]),
    "address": lambda: (correct_addresses, [AddressCorrection(released()[0].group.pk, HOME)]),
    "date": lambda: (acknowledge, [Acknowledgement(released()[1].pk, expected_at=NOON)]),
    "cancel": lambda: (cancel_units, [CancelRequest(released()[0].order.pk)]),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_locks_its_order_first_and_positions_last(name):
    command, given = COMMANDS[name]()

    tables = first_locks(lambda: command(given, **WHEN))

    assert tables[:2] == ["orders_order", "orders_tender"]
    assert tables == sorted(tables, key=RANKS.__getitem__)


@pytest.mark.parametrize("kind", ["reroute", "upgrade", "cancel"])
@pytest.mark.parametrize("begun", [False, True])
def test_a_remedy_locks_like_the_command_that_it_is(kind, begun):
    group = endangered(promises_network())
    if begun:
        release_groups([group.pk], at=AT, actor=BEN)

    tables = first_locks(lambda: take_remedy(group.pk, kind, at=AT, actor=BEN))

    assert tables[:1] == ["orders_order"]
    assert tables == sorted(tables, key=RANKS.__getitem__)


def test_an_answer_that_cancels_locks_like_a_cancel():
    group = endangered(promises_network())
    take_remedy(group.pk, "ask", at=AT, actor=BEN)
    question = ConsentQuestion.objects.for_scope(ALL_ACCOUNTS).get(group=group)
    given = ConsentGiven(question.pk, "cancel_all", "link", "I do not want to wait.", "en")

    tables = first_locks(lambda: answer_consent(given, at=AT, actor=BEN))

    assert tables[0] == "orders_order"
    assert "inventory_stockposition" in tables
    assert tables == sorted(tables, key=RANKS.__getitem__)


def with_a_dependent(method: str = "ship"):
    """A released line, and a second one that goes only with it, at another node."""
    parent, child = SkuFactory.create_batch(2, account=AccountFactory())
    placed, order = released({parent: 2, child: 1}, method=method)
    OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(pk=placed.lines[1].pk).update(
        parent=placed.lines[0].pk, relation="wrap"
    )
    return placed, order


def test_a_granted_cancel_locks_positions_once_with_what_goes_with_it():
    placed, order = with_a_dependent()
    record_picks([Pick(line_of(order).pk, 2)], **WHEN)
    cancel_units([CancelRequest(placed.order.pk, placed.lines[0].pk, 2)], **WHEN)
    request = NodeRequest.objects.for_scope(ALL_ACCOUNTS).filter(line=line_of(order)).get()

    locked = locks_of(lambda: answer_requests([RequestAnswer(request.pk, 2)], **WHEN))

    assert locked.count("inventory_stockposition") == 1
    assert list(dict.fromkeys(locked)) == sorted(set(locked), key=RANKS.__getitem__)
    assert placed.line().cancelled == 2


def test_answers_that_cancel_and_pull_back_lock_positions_before_they_free_any():
    placed, order = released(dict.fromkeys(SkuFactory.create_batch(2, account=AccountFactory()), 2))
    record_picks([Pick(line.pk, 2) for line in order.lines.all()], **WHEN)
    cancel_units([CancelRequest(placed.order.pk, placed.lines[0].pk, 2)], **WHEN)
    pull_back([PullBack(order.pk, line_of(order, 1).pk)], **WHEN)
    asked = NodeRequest.objects.for_scope(ALL_ACCOUNTS).filter(state="sent")

    tables = first_locks(
        lambda: answer_requests([RequestAnswer(one.pk, 2) for one in asked], **WHEN)
    )

    assert tables == sorted(tables, key=RANKS.__getitem__)
    assert (placed.line().cancelled, placed.line(1).pending) == (2, 2)


def test_what_goes_with_a_put_back_pickup_is_cancelled_under_one_lock():
    placed, order = with_a_dependent("pickup")
    record_picks([Pick(line_of(order).pk, 2)], **WHEN)
    record_packs([Pack(order.pk)], **WHEN)
    late = NOON + timedelta(days=8)
    reject([Rejection(order.pk, "other")], **WHEN)
    expire_pickups(limit=5, at=late, actor=BEN)

    locked = locks_of(lambda: put_back([order.pk], at=late, actor=BEN))

    assert locked.count("inventory_stockposition") <= 1
    assert list(dict.fromkeys(locked)) == sorted(set(locked), key=RANKS.__getitem__)
    assert [placed.line(at).cancelled for at in (0, 1)] == [2, 1]


def test_a_cancel_of_released_and_unreleased_units_locks_positions_at_once():
    sku = SkuFactory()
    waiting, begun = place({sku: 2}, node_for(sku.account)), released()[0]
    wanted = [CancelRequest(waiting.order.pk), CancelRequest(begun.order.pk)]

    locked = locks_of(lambda: cancel_units(wanted, **WHEN))

    assert locked.count("inventory_stockposition") == 1
    assert (waiting.line().cancelled, begun.line().cancelled) == (2, 2)
