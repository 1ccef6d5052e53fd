"""Nodes as files: what was exported changes nothing when it comes back, and new rows are written."""

from datetime import date, time

import pytest

from config.kernel.types import Scope
from inventory import selectors
from inventory.exchange.kinds import Row
from inventory.exchange.nodes import CAPACITY, CLOSURES, CUTOFFS, NODE_HOURS, NODES, PICKUPS
from inventory.models import NodeHours
from tests.factories.inventory import ANNA, NodeFactory, ServiceLevelFactory, limited
from tests.factories.kernel import NOON, AccountFactory

pytestmark = pytest.mark.django_db


def rows_of(kind, *given):
    empty = {column.name: column.empty for column in kind.columns}
    return [Row(number, empty | values, known=False) for number, values in enumerate(given, 2)]


def write(kind, account, *given):
    told = kind.write(account.pk, rows_of(kind, *given), NOON, ANNA)
    return [one and (one.column, one.code) for one in told]


def test_every_part_is_written_and_comes_back_the_same():
    ServiceLevelFactory()
    account = AccountFactory()
    node = limited(node=NodeFactory(account=account, code="HALL", hours=True), units=50)
    at = {"node": "HALL", "weekday": "saturday", "at": time(11)}
    wall = {"opens": time(9), "closes": time(12)}

    assert write(NODE_HOURS, account, at | wall, at | wall | {"node": "MOON"}) == [
        None,
        ("node", "unknown-node"),
    ]
    write(CUTOFFS, account, at)
    write(PICKUPS, account, at | {"carrier": "paper"})
    write(CAPACITY, account, at | wall | {"function": "ship", "resource": "orders", "most": 9})
    write(CLOSURES, account, {"node": "HALL", "on": date(2026, 12, 25), "name": "Christmas"})

    [view] = selectors.nodes(Scope(frozenset({account.pk})))
    assert (len(view.hours), len(view.cutoffs), len(view.pickups)) == (6, 1, 1)
    assert (len(view.capacities), view.closures) == (8, {date(2026, 12, 25)})
    changes = NodeHours.history.count()
    for kind in (NODES, NODE_HOURS, CUTOFFS, PICKUPS, CAPACITY, CLOSURES):
        exported = list(kind.current(account.pk, None))
        assert write(kind, account, *exported) == [None] * len(exported)
        assert list(kind.current(account.pk, [kind.key_of(one) for one in exported])) == exported
    assert NodeHours.history.count() == changes
    assert NODE_HOURS.remove is not None
    NODE_HOURS.remove(account.pk, rows_of(NODE_HOURS, at), NOON, ANNA)
    [view] = selectors.node_views([node.pk])
    assert len(view.hours) == 5


def test_a_node_that_is_not_there_is_set_up():
    account, other = AccountFactory(), NodeFactory(account=AccountFactory(), code="TAKEN")
    new = {
        "code": "NEW",
        "name": "New hall",
        "kind": "dc",
        "functions": "ship receiving",
        "postal_code": "10001",
        "latitude": 40.7,
        "longitude": -74.0,
        "timezone": "America/New_York",
    }

    told = write(
        NODES,
        account,
        new,
        new | {"code": other.code},
        new | {"code": "NOWHERE", "latitude": None},
        new | {"code": "ODD", "functions": "fly"},
    )

    assert told == [
        None,
        ("code", "taken"),
        ("latitude", "required"),
        ("functions", "invalid"),
    ]
    [view] = selectors.nodes(Scope(frozenset({account.pk})))
    assert (view.code, view.state, len(view.functions)) == ("NEW", "active", 2)
