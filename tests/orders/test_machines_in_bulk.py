"""Every (state × transition) of an order in bulk: one that moved meanwhile stops the whole write."""

from uuid import UUID

import pytest
from django.db import connection, transaction

from orders.rows import RowsMoved
from orders.services.sheet import open_sheet
from orders.states import OrderState
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, NearestStock, line, order_of, shop
from tests.orders.test_machines import ARGUMENTS, GRAPHS

pytestmark = pytest.mark.django_db

ORDER = next(graph for model, graph in GRAPHS.items() if model.__name__ == "Order")


def put(order_id: UUID, state: str) -> None:
    """Set an order's state behind the machine's back."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_order SET state = %s WHERE id = %s", [state, order_id])


@transaction.atomic
def moved_in_bulk(order_ids: list[UUID], name: str, *, meanwhile: str | None = None) -> None:
    sheet = open_sheet(order_ids)
    for order in sheet.orders.values():
        getattr(order, name)(**ARGUMENTS.get(name, {}))
    if meanwhile is not None:
        put(order_ids[-1], meanwhile)
    sheet.write(at=NOON, actor=ANNA, reason="test")


@pytest.mark.parametrize(("name", "source", "target"), sorted(ORDER))
def test_orders_move_together_or_not_at_all(
    nearest: NearestStock, name: str, source: str, target: str
) -> None:
    web = shop()  # whose books do not add up: states are set without what goes with them
    sku = web.sku(9)
    order_ids = [web.captured(line(sku)).id for _ in range(2)]
    for order_id in order_ids:
        put(order_id, source)
    for meanwhile in sorted(set(OrderState.values) - {source}):
        with pytest.raises(RowsMoved):
            moved_in_bulk(order_ids, name, meanwhile=meanwhile)
        assert [order_of(pk).state for pk in order_ids] == [source, source], meanwhile

    moved_in_bulk(order_ids, name)

    assert [order_of(pk).state for pk in order_ids] == [target, target]
