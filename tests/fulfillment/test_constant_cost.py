"""What the tests of single commands leave out: eight items cost the statements of one."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from fulfillment.services import acknowledge, reject, void_parcels
from fulfillment.types import Acknowledgement, Rejection
from tests.factories.fulfillment import BEN, node_for, packed, released
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db
WHEN = {"at": NOON, "actor": BEN}


def some_released(count: int) -> list[Any]:
    sku = SkuFactory()
    node = node_for(sku.account)
    return [released({sku: 2}, node=node)[1] for _ in range(count)]


PREPARED: dict[str, Callable[[int], Sequence[Any]]] = {
    "acknowledge": lambda count: [Acknowledgement(work.pk) for work in some_released(count)],
    "reject": lambda count: [Rejection(work.pk, "other") for work in some_released(count)],
    "void_parcels": lambda count: [packed()[2].pk for _ in range(count)],
}
COMMANDS: dict[str, Callable[..., object]] = {
    "acknowledge": acknowledge,
    "reject": reject,
    "void_parcels": void_parcels,
}


@pytest.mark.parametrize("name", COMMANDS)
def test_costs_the_same_statements_for_one_as_for_eight(
    name: str, statements: Callable[[Callable[[], object]], int]
) -> None:
    items = PREPARED[name](9)

    one = statements(lambda: COMMANDS[name](items[:1], **WHEN))
    eight = statements(lambda: COMMANDS[name](items[1:], **WHEN))

    assert eight == one
