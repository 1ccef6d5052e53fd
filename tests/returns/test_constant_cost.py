"""Eight items cost the statements of one, and every command locks in the one global order."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

from config.kernel.types import ALL_ACCOUNTS
from fulfillment.services import record_tracking
from fulfillment.types import TrackingNews
from returns.models import ReturnLine
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
from tests.factories.fulfillment import Placed, node_for
from tests.factories.inventory import SkuFactory
from tests.factories.returns import (
    ASKED,
    BACK,
    CLARA,
    lines_of_return,
    many_on_the_way,
    many_sold,
    parcel_of,
    return_of,
    wish,
)

pytestmark = pytest.mark.django_db
WHEN = {"at": BACK, "actor": CLARA}


def made(count: int) -> list[Placed]:
    """So many sold, of one SKU at one node."""
    sku = SkuFactory()
    return many_sold(count, sku=sku, node=node_for(sku.account))


def _requested(count: int, **details: Any) -> list[UUID]:
    asked = [wish(placed, 1, **details) for placed in made(count)]
    outcomes = request_returns(asked, at=ASKED, actor=CLARA)
    return [outcome.value.return_id for outcome in outcomes if outcome.value is not None]


def _receipts(count: int, **details: Any) -> list[Receipt]:
    asked = _requested(count, **details)
    authorize_returns([Authorization(one) for one in asked], at=ASKED, actor=CLARA)
    return [Receipt(one, return_of(one).node_id, ()) for one in asked]


def _findings(count: int, **details: Any) -> list[Finding]:
    receipts = _receipts(count, **details)
    receive_returns(receipts, **WHEN)
    lines = [lines_of_return(return_of(one.return_id))[0] for one in receipts]
    return [Finding(line.pk, 1, "A") for line in lines]


def _graded(count: int) -> list[UUID]:
    findings = _findings(count, wants="exchange")
    inspect_returns(findings, **WHEN)
    lines = ReturnLine.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=[one.return_line_id for one in findings]
    )
    return list(lines.values_list("returned_id", flat=True))


def _lost(count: int) -> list[UUID]:
    parcels = [parcel_of(placed).pk for placed in many_on_the_way(count, 1)]
    lost = [TrackingNews("lost", BACK, parcel_id) for parcel_id in parcels]
    record_tracking(lost, at=BACK, actor=CLARA)
    return parcels


def _claims(count: int) -> list[ClaimDecision]:
    return [ClaimDecision(claim_id, "refund") for claim_id in open_claims(_lost(count), **WHEN)]


PREPARED: dict[str, tuple[Callable[..., object], Callable[[int], Sequence[Any]]]] = {
    "request": (request_returns, lambda count: [wish(placed, 1) for placed in made(count)]),
    "authorize": (
        authorize_returns,
        lambda count: [Authorization(return_id) for return_id in _requested(count)],
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
