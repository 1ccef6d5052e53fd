"""Locks are taken in the one global order, read from the SQL of the commands themselves."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fulfillment.services import (
    acknowledge,
    collect,
    confirm_shipments,
    record_packs,
    record_picks,
    record_tracking,
    reject,
    release_groups,
    report_shorts,
    void_parcels,
)
from fulfillment.types import (
    Acknowledgement,
    Collection,
    Pack,
    Pick,
    Rejection,
    Shipment,
    Short,
    TrackingNews,
)
from orders.services import cancel_units
from orders.types import CancelRequest
from tests.factories.fulfillment import (
    BEN,
    line_of,
    node_for,
    packed,
    picked,
    place,
    ready,
    released,
    shipped,
)
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db

RANKS = {
    "orders_order": 1,
    "orders_tender": 2,
    "fulfillment_fulfillmentorder": 3,
    "fulfillment_parcel": 4,
    "inventory_stockposition": 5,
    "inventory_stocklevel": 6,
}
LOCKED = re.compile(r'FROM "?(\w+)"?.*FOR (?:NO KEY )?UPDATE', re.DOTALL)


def locks_of(call) -> list[str]:
    """The ranked tables that the call locks, in the order of its statements."""
    with CaptureQueriesContext(connection) as seen:
        call()
    found = [LOCKED.search(query["sql"]) for query in seen.captured_queries]
    return [table[1] for table in found if table and table[1] in RANKS]


def first_locks(call) -> list[str]:
    """Each table at its first lock: locking again what is held waits for nobody."""
    return list(dict.fromkeys(locks_of(call)))


def a_group():
    sku = SkuFactory()
    return place({sku: 2}, node_for(sku.account)).group.pk


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
    "track": lambda: (record_tracking, [TrackingNews("delivered", NOON, shipped()[2].pk)]),
    "collect": lambda: (collect, [Collection(ready()[1].pk)]),
    "cancel": lambda: (cancel_units, [CancelRequest(released()[0].order.pk)]),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_locks_its_order_first_and_positions_last(name):
    command, given = COMMANDS[name]()

    tables = first_locks(lambda: command(given, **WHEN))

    assert tables[:2] == ["orders_order", "orders_tender"]
    assert tables == sorted(tables, key=RANKS.__getitem__)


def test_a_cancel_of_released_and_unreleased_units_locks_positions_at_once():
    sku = SkuFactory()
    waiting, begun = place({sku: 2}, node_for(sku.account)), released()[0]
    wanted = [CancelRequest(waiting.order.pk), CancelRequest(begun.order.pk)]

    locked = locks_of(lambda: cancel_units(wanted, **WHEN))

    assert locked.count("inventory_stockposition") == 1
    assert (waiting.line().cancelled, begun.line().cancelled) == (2, 2)
