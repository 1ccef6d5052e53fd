"""Old months leave the ledger, and the books still add up."""

from datetime import UTC, date, datetime

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from config.kernel.operations import partition_sql, uuid7_floor
from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import Movement, StockLevel
from tests.books import check_all
from tests.factories.inventory import ANNA, stock
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db

JANUARY, FEBRUARY = date(2020, 1, 1), date(2020, 2, 1)


def moved_in(month, level, quantity, balance):
    """A movement of a month long past, which has its own partition."""
    with connection.cursor() as cursor:
        cursor.execute(partition_sql("inventory_movement", month, by_uuid=True))
    latest = Movement.objects.for_scope(ALL_ACCOUNTS).filter(level_id=level.pk).latest("id")
    latest.pk = type(latest.pk)(int=uuid7_floor(month).int + (1 << 90) + level.pk)
    latest.quantity, latest.balance = quantity, balance
    latest.at = datetime(month.year, month.month, 20, tzinfo=UTC)
    latest.save(force_insert=True)


def levels_with_history():
    """Two levels: one that moved in January and February 2020, one that came to nothing then."""
    kept, gone = (
        StockLevel.objects.for_scope(ALL_ACCOUNTS).get(position=stock(5)) for _ in range(2)
    )
    moved_in(JANUARY, kept, 10, 10)
    moved_in(JANUARY, gone, 4, 4)
    moved_in(FEBRUARY, kept, -3, 7)
    moved_in(FEBRUARY, gone, -4, 0)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_stocklevel SET on_hand = 12 WHERE id = %s", [kept.pk])
        cursor.execute(
            "UPDATE inventory_stockposition SET sellable = 12 WHERE id = %s", [kept.position_id]
        )
    assert check_all(about="stock.") == []
    return kept, gone


def carried(level):
    found = Movement.objects.for_scope(ALL_ACCOUNTS).filter(level_id=level.pk).order_by("id")
    kinds = list(found.values_list("kind", "quantity", "balance"))
    return [row[1:] for row in kinds if row[0] == "carried_forward"], kinds[0][0]


def test_each_month_is_carried_into_the_next_the_oldest_first():
    kept, gone = levels_with_history()
    with pytest.raises(DatabaseError, match="not the oldest"), transaction.atomic():
        services.carry_forward(FEBRUARY, at=NOON, actor=ANNA)

    assert services.carry_forward(JANUARY, at=NOON, actor=ANNA) == 2
    assert carried(kept) == ([(10, 10)], "carried_forward")
    assert carried(gone) == ([(4, 4)], "carried_forward")
    assert check_all(about="stock.") == []

    assert services.carry_forward_due(at=NOON, actor=ANNA)
    assert carried(kept) == ([(7, 7)], "carried_forward")
    assert carried(gone)[0] == []
    assert not services.carry_forward_due(at=NOON, actor=ANNA)
    assert check_all(about="stock.") == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(quantity) FROM inventory_movement_202001")
        assert cursor.fetchone() == (14,)


def test_the_month_before_this_one_stays():
    with pytest.raises(ValueError, match="too young"):
        services.carry_forward(date(NOON.year, NOON.month, 1), at=NOON, actor=ANNA)


def test_the_running_role_may_take_a_month_off():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_function_privilege(%s, 'detach_movements(date)', 'EXECUTE')",
            [settings.DATABASE_APP_ROLE],
        )
        assert cursor.fetchone() == (True,)
