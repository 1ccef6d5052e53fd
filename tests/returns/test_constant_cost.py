"""Eight items cost the statements of one, and every command locks in the one global order."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from returns.services import (
    authorize_returns,
    inspect_returns,
    open_claims,
    receive_returns,
    request_returns,
    resolve_claims,
    settle_returns,
)
from returns.types import Authorization, ClaimDecision, Finding, Receipt
from tests.factories.fulfillment import node_for
from tests.factories.inventory import SkuFactory
from tests.factories.returns import (
    ASKED,
    BACK,
    CLARA,
    authorized,
    lines_of_return,
    on_the_way,
    parcel_of,
    received,
    requested,
    sold,
    tell,
    wish,
)

pytestmark = pytest.mark.django_db
WHEN = {"at": BACK, "actor": CLARA}


def made(count: int, how: Callable[[Any], Any]) -> list[Any]:
    """So many, each of an order of its own, of one SKU at one node."""
    sku = SkuFactory()
    node = node_for(sku.account)
    return [how(sold({sku: 2}, node=node)) for _ in range(count)]


def _findings(count: int) -> list[Finding]:
    rows = made(count, lambda placed: received(placed, 1))
    return [Finding(lines_of_return(one)[0].pk, 1, "A") for one in rows]


def _receipts(count: int) -> list[Receipt]:
    rows = made(count, lambda placed: authorized(placed, 1))
    return [Receipt(one.pk, one.node_id, ()) for one in rows]


def _graded(count: int) -> list[Any]:
    rows = made(count, lambda placed: received(placed, 1, wants="exchange"))
    for one in rows:
        inspect_returns([Finding(lines_of_return(one)[0].pk, 1, "A")], **WHEN)
    return [one.pk for one in rows]


def _lost(count: int) -> list[Any]:
    parcels = []
    for _ in range(count):
        parcel = parcel_of(on_the_way(1))
        tell(parcel.pk, "lost", BACK)
        parcels.append(parcel.pk)
    return parcels


def _claims(count: int) -> list[ClaimDecision]:
    return [ClaimDecision(claim_id, "refund") for claim_id in open_claims(_lost(count), **WHEN)]


PREPARED: dict[str, tuple[Callable[..., object], Callable[[int], Sequence[Any]]]] = {
    "request": (request_returns, lambda count: made(count, lambda placed: wish(placed, 1))),
    "authorize": (
        authorize_returns,
        lambda count: made(count, lambda placed: Authorization(requested(placed, 1).pk)),
    ),
    "receive": (receive_returns, _receipts),
    "inspect": (inspect_returns, _findings),
    "settle": (settle_returns, _graded),
    "open_claims": (open_claims, _lost),
    "resolve_claims": (resolve_claims, _claims),
}


@pytest.mark.parametrize("name", PREPARED)
def test_costs_the_same_statements_for_one_as_for_eight(
    name: str, statements: Callable[[Callable[[], object]], int]
) -> None:
    command, prepare = PREPARED[name]
    items = prepare(9)
    when = WHEN if name != "request" else {"at": ASKED, "actor": CLARA}

    one = statements(lambda: command(items[:1], **when))
    eight = statements(lambda: command(items[1:], **when))

    assert eight == one
