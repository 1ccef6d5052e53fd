"""Transfers and adjustments as the commands leave them, in any state they know."""

from datetime import timedelta
from typing import Any

from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Outcome
from inventory import services
from inventory.models import (
    Node,
    StockAdjustment,
    StockPosition,
    Transfer,
    TransferClaim,
    TransferLine,
)
from inventory.types import (
    AdjustmentDraft,
    MovedUnits,
    TransferDraft,
    TransferLineDraft,
    TransferReceipt,
    TransferShipment,
)
from tests.factories.inventory import ANNA, NodeFactory, stock
from tests.factories.kernel import NOON

LILY = Actor(ActorKind.USER, "lily", "Lily", ALL_ACCOUNTS)
MARK = Actor(ActorKind.USER, "mark", "Mark", ALL_ACCOUNTS)
"""Two people: what one proposes the other may approve."""


def done(outcomes: list[Outcome[Any]]) -> Any:
    """The answer of the only outcome, which must not be a refusal."""
    (outcome,) = outcomes
    assert outcome.ok, outcome.problem
    return outcome.value


def draft_of(position: StockPosition, to: Node, units: int, **details: Any) -> TransferDraft:
    line = TransferLineDraft(position.sku_id, units)
    return TransferDraft(position.account_id, position.node_id, to.pk, (line,), **details)


def transfer(
    state: str = "draft",
    units: int = 5,
    *,
    position: StockPosition | None = None,
    to: Node | None = None,
    actor: Actor = ANNA,
    **details: Any,
) -> Transfer:
    """A transfer of so many units that has come as far as `state`; received has 1 missing."""
    position = position or stock(units)
    to = to or NodeFactory(account=position.account)
    made = done(
        services.draft_transfers([draft_of(position, to, units, **details)], at=NOON, actor=actor)
    )
    row = again(made.id)
    (line,) = lines_of(row)
    steps: dict[str, Any] = {
        "approved": lambda: services.approve_transfers([row.pk], at=NOON, actor=actor),
        "released": lambda: services.release_transfers([row.pk], at=NOON, actor=actor),
        "shipped": lambda: services.ship_transfers(
            [TransferShipment(row.pk, (MovedUnits(line.pk, units),))], at=NOON, actor=actor
        ),
        "received": lambda: services.receive_transfers(
            [TransferReceipt(row.pk, (MovedUnits(line.pk, units - 1),), last=True)],
            at=NOON + timedelta(days=2),
            actor=actor,
        ),
    }
    if state == "cancelled":
        done(services.cancel_transfers([row.pk], "sold out", at=NOON, actor=actor))
        return again(row.pk)
    for reached, step in steps.items():
        if again(row.pk).state == state:
            break
        assert reached in steps
        done(step())
    if state == "closed":
        claims = [claim.pk for claim in line.claims.all()]
        services.withdraw_transfer_claims(claims, "old", at=NOON, actor=actor)
        done(services.close_transfers([row.pk], at=NOON, actor=actor))
    return again(row.pk)


def again(transfer_id: Any) -> Transfer:
    row: Transfer = Transfer.objects.for_scope(ALL_ACCOUNTS).get(pk=transfer_id)
    return row


def lines_of(row: Transfer) -> list[TransferLine]:
    found = TransferLine.objects.for_scope(ALL_ACCOUNTS).filter(transfer=row)
    return list(found.order_by("pk"))


def adjustment_of(position: StockPosition, units: int, **details: Any) -> AdjustmentDraft:
    return AdjustmentDraft(
        position.node_id,
        position.sku_id,
        position.account_id,
        units,
        details.pop("reason", "correction"),
        **details,
    )


def proposed(position: StockPosition | None = None, units: int = 500) -> StockAdjustment:
    """An adjustment of Lily's that waits for somebody else."""
    position = position or stock(5)
    answer = done(services.adjust_stock([adjustment_of(position, units)], at=NOON, actor=LILY))
    row: StockAdjustment = StockAdjustment.objects.for_scope(ALL_ACCOUNTS).get(pk=answer.id)
    return row


def claim_of(row: Transfer) -> TransferClaim:
    """The only claim of a transfer."""
    found: TransferClaim = TransferClaim.objects.for_scope(ALL_ACCOUNTS).get(line__transfer=row)
    return found
