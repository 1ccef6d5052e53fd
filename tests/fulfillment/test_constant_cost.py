"""What the tests of single commands leave out: eight items cost the statements of one."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import NodeRequest
from fulfillment.services import (
    acknowledge,
    answer_requests,
    change_services,
    pull_back,
    reject,
    void_parcels,
)
from fulfillment.types import (
    Acknowledgement,
    PullBack,
    Rejection,
    RequestAnswer,
    ServiceChange,
)
from orders.services import correct_addresses
from orders.types import AddressCorrection
from tests.factories.fulfillment import BEN, HOME, node_for, packed, released
from tests.factories.inventory import ServiceLevelFactory, SkuFactory
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db
WHEN = {"at": NOON, "actor": BEN}


def some_released(count: int, **node_details: Any) -> list[Any]:
    sku = SkuFactory()
    node = node_for(sku.account, **node_details)
    return [released({sku: 2}, node=node)[1] for _ in range(count)]


def some_asked(count: int) -> list[Any]:
    """Questions about pulling back, to systems that have the work."""
    works = some_released(count, has_wms=True)
    pull_back([PullBack(work.pk) for work in works], **WHEN)
    asked = NodeRequest.objects.for_scope(ALL_ACCOUNTS).order_by("pk")
    return [RequestAnswer(request.pk, 2) for request in asked]


PREPARED: dict[str, Callable[[int], Sequence[Any]]] = {
    "acknowledge": lambda count: [Acknowledgement(work.pk) for work in some_released(count)],
    "reject": lambda count: [Rejection(work.pk, "other") for work in some_released(count)],
    "pull_back": lambda count: [PullBack(work.pk) for work in some_released(count)],
    "answer_requests": some_asked,
    "change_services": lambda count: [
        ServiceChange(work.pk, ServiceLevelFactory(code="express").pk)
        for work in some_released(count, has_wms=True)
    ],
    "correct_addresses": lambda count: [
        AddressCorrection(work.group_id, HOME) for work in some_released(count, has_wms=True)
    ],
    "void_parcels": lambda count: [packed()[2].pk for _ in range(count)],
}
COMMANDS: dict[str, Callable[..., object]] = {
    "acknowledge": acknowledge,
    "reject": reject,
    "pull_back": pull_back,
    "answer_requests": answer_requests,
    "change_services": change_services,
    "correct_addresses": correct_addresses,
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
