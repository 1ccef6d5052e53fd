"""The guard that watches every test's locks (tests/lock_order.py) finds what it should."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction

from tests import lock_order

pytestmark = pytest.mark.django_db

ORDERS = "SELECT id FROM orders_order ORDER BY id FOR UPDATE"
POSITIONS = "SELECT id FROM inventory_stockposition ORDER BY id FOR UPDATE"
LEVELS = "UPDATE inventory_stocklevel SET on_hand = 0"


@pytest.fixture(autouse=True)
def _own_findings() -> Iterator[None]:
    """What these tests break on purpose is theirs."""
    yield
    lock_order.violations.clear()


def send(*statements: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.parametrize(
    "statements",
    [(POSITIONS, ORDERS), (LEVELS, POSITIONS), (ORDERS, LEVELS, f"{POSITIONS} NOWAIT")],
)
def test_a_lock_against_the_order_is_found(statements: tuple[str, ...]) -> None:
    send(*statements)

    assert len(lock_order.violations) == 1
    assert "test_lock_order.py" in lock_order.violations[0]


@pytest.mark.parametrize(
    "statements",
    [
        (ORDERS, POSITIONS, LEVELS),
        (ORDERS, POSITIONS, ORDERS),
        (POSITIONS, f"{ORDERS} SKIP LOCKED"),
    ],
)
def test_a_lock_in_order_again_or_without_waiting_is_none(statements: tuple[str, ...]) -> None:
    send(*statements)

    assert lock_order.violations == []


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        (
            "WITH w0 AS (UPDATE orders_order SET a = 1) UPDATE orders_tender t",
            ["orders_order", "orders_tender"],
        ),
        ("INSERT INTO orders_order (id) SELECT 1 ON CONFLICT (id) DO UPDATE SET a = 2", []),
        (
            'SELECT 1 FROM "orders_order" JOIN x ON true FOR NO KEY UPDATE OF orders_order',
            ["orders_order"],
        ),
        ("SELECT 1 FROM orders_order", []),
        (
            (
                "WITH q AS MATERIALIZED (SELECT id FROM inventory_quota FOR UPDATE) SELECT id FROM "
                "inventory_stockposition WHERE (SELECT count(*) >= 0 FROM q) FOR UPDATE"
            ),
            ["inventory_quota", "inventory_stockposition"],
        ),
    ],
)
def test_what_a_statement_locks_is_read_from_it(sql: str, tables: list[str]) -> None:
    assert [table for table, _ in lock_order.locked(sql)] == tables


def test_each_transaction_begins_anew() -> None:
    send(POSITIONS)
    send(ORDERS)

    assert lock_order.violations == []


@pytest.mark.django_db(transaction=True)
def test_each_real_transaction_begins_anew() -> None:
    send(POSITIONS)
    send(ORDERS)
    assert lock_order.violations == []

    send(POSITIONS, ORDERS)
    assert len(lock_order.violations) == 1


def test_a_decorated_command_begins_anew_each_time() -> None:
    @transaction.atomic
    def command(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    calls: list[Callable[[], None]] = [lambda: command(POSITIONS), lambda: command(ORDERS)]
    for call in calls:
        call()

    assert lock_order.violations == []
