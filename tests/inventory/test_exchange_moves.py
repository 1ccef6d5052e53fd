"""Adjustments and transfers as files: once per reference, and the same when they come back."""

import pytest

from config.kernel.types import ALL_ACCOUNTS
from inventory.exchange.kinds import Row
from inventory.exchange.moves import ADJUSTMENTS, TRANSFERS
from inventory.models import StockAdjustment, Transfer
from tests.factories.inventory import ANNA, NodeFactory, reread, stock
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db


def rows_of(kind, *given):
    """Rows as the framework hands them on: every column has a value."""
    empty = {column.name: column.empty for column in kind.columns}
    return [Row(number, empty | values, known=False) for number, values in enumerate(given, 2)]


def test_adjustments_are_written_once_and_exported_as_they_stand():
    position = stock(5)
    account_id = position.account_id
    good = {
        "reference": "INV-1",
        "node": position.node.code,
        "sku": position.sku.code,
        "units": -2,
        "reason": "loss",
    }
    rows = rows_of(
        ADJUSTMENTS,
        good,
        good | {"reference": "INV-2", "units": 900},
        good | {"reference": "INV-3", "sku": "NOTHING"},
        good | {"reference": "INV-4", "expected": 99},
    )

    told = ADJUSTMENTS.write(account_id, rows, NOON, ANNA)

    assert [one and (one.column, one.code) for one in told] == [
        None,
        None,
        ("sku", "unknown-sku"),
        ("expected", "stale"),
    ]
    assert reread(position.pk).sellable == 3
    assert set(StockAdjustment.objects.for_scope(ALL_ACCOUNTS).values_list("state", flat=True)) == {
        "applied",
        "proposed",
    }
    (known,) = ADJUSTMENTS.current(account_id, [("INV-1",)])
    assert {**known, "note": ""} == {**rows[0].values, "note": ""}
    exported = list(ADJUSTMENTS.current(account_id, None))
    assert [one["reference"][:2] for one in exported] == ["A-", "A-"]
    assert list(ADJUSTMENTS.current(account_id, [(one["reference"],) for one in exported])) == (
        exported
    )
    (again,) = ADJUSTMENTS.write(account_id, [Row(2, known, known=True)], NOON, ANNA)
    assert again.code == "known"


def test_transfers_are_drafted_a_row_each():
    position = stock(9)
    account_id = position.account_id
    node = NodeFactory(account=position.account)
    good = {
        "reference": "TO-1",
        "from_node": position.node.code,
        "to_node": node.code,
        "lines": f"{position.sku.code} 4",
    }
    rows = rows_of(
        TRANSFERS,
        good,
        good | {"reference": "TO-2", "lines": "four mugs"},
        good | {"reference": "TO-3", "to_node": position.node.code},
    )

    told = TRANSFERS.write(account_id, rows, NOON, ANNA)

    assert [one and one.column for one in told] == [None, "lines", "to_node"]
    assert Transfer.objects.for_scope(ALL_ACCOUNTS).get().state == "draft"
    assert list(TRANSFERS.current(account_id, [("TO-1",)])) == [rows[0].values]
