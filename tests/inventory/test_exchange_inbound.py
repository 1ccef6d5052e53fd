"""Goods on their way as files: written once, the same when they come back, times and caps changed."""

from datetime import timedelta

import pytest

from config.kernel.types import ALL_ACCOUNTS
from inventory.exchange.inbound import AHEAD_CAPS, INBOUND, INBOUND_ETAS, SUPPLY_LANES
from inventory.exchange.kinds import Row
from inventory.models import AheadCap, InboundLine, InboundSlip
from tests.factories.inventory import ANNA, NodeFactory, SkuFactory
from tests.factories.kernel import NOON, ChannelFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def written(kind, account_id, *given):
    """Write rows as the framework hands them on: every column has a value."""
    empty = {column.name: column.empty for column in kind.columns}
    rows = [Row(number, empty | values, known=False) for number, values in enumerate(given, 2)]
    told = kind.write(account_id, rows, NOON, ANNA)
    return [one and (one.column, one.code) for one in told]


def test_documents_times_caps_and_suppliers_are_written_and_come_back_as_they_stand():
    sku = SkuFactory(code="MUG")
    node = NodeFactory(account=sku.account)
    channel = ChannelFactory(account=sku.account)
    account_id = sku.account_id
    order = {"number": "PO-1", "node": node.code, "eta_at": NOON + 3 * DAY, "lines": "MUG 12"}
    notice = order | {"number": "N-1", "kind": "asn", "of_order": "PO-1", "lines": "MUG 5"}

    assert written(INBOUND, account_id, order, order | {"lines": "?"}) == [
        None,
        ("lines", "invalid"),
    ]
    assert written(INBOUND, account_id, notice, order | {"number": "X", "node": "?"}) == [
        None,
        ("node", "unknown-node"),
    ]
    assert [(line.expected, line.advised) for line in InboundLine.objects.order_by("pk")] == [
        (7, 5),
        (5, 0),
    ]
    exported = list(INBOUND.current(account_id, None))
    assert [(one["number"], one["lines"], one["of_order"]) for one in exported] == [
        ("N-1", "MUG 5", "PO-1"),
        ("PO-1", "MUG 12", ""),
    ]
    (known,) = INBOUND.current(account_id, [("import", "PO-1")])
    assert known["eta_at"] == NOON + 3 * DAY
    late = {"number": "PO-1", "sku": "MUG", "eta_at": NOON + 9 * DAY, "ahead_percent": 50}
    late |= {"source": "import", "reason": "strike"}
    assert written(INBOUND_ETAS, account_id, late, late | {"number": "?"}) == [
        None,
        ("number", "not-found"),
    ]
    assert InboundSlip.objects.for_scope(ALL_ACCOUNTS).get().reason == "strike"
    (known,) = INBOUND_ETAS.current(account_id, [("import", "PO-1", "MUG")])
    assert (known["eta_at"], known["ahead_percent"]) == (NOON + 9 * DAY, 50)
    cap = {"channel": channel.code, "sku": "MUG", "units": 7}
    assert written(AHEAD_CAPS, account_id, cap, cap | {"channel": "?"}) == [
        None,
        ("channel", "unknown-channel"),
    ]
    (known,) = AHEAD_CAPS.current(account_id, None)
    assert (known["units"], known["starts_at"]) == (7, NOON)
    assert AHEAD_CAPS.remove is not None
    AHEAD_CAPS.remove(account_id, [Row(2, known, known=True)], NOON, ANNA)
    assert AheadCap.objects.for_scope(ALL_ACCOUNTS).get().ends_at == NOON
    lane = {"supplier": "ACME", "declared_hours": 24}
    assert written(SUPPLY_LANES, account_id, lane, lane | {"node": "?"}) == [
        None,
        ("node", "unknown-node"),
    ]
    assert list(SUPPLY_LANES.current(account_id, [("ACME", "")])) == [lane | {"node": ""}]
