"""Goods that were on their way have arrived."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from config.kernel.errors import Conflict, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import Actor, Outcome, OutcomeKind
from inventory.models import Inbound, InboundLine
from inventory.services.changes import record_changes
from inventory.services.notices import finish_orders
from inventory.services.transfer_moves import receive_as_transfer
from inventory.states import InboundKind, InboundState, MovementKind
from inventory.types import (
    ChangeAnswer,
    ReceivedLine,
    StockChange,
    SubjectTag,
    subject_id,
)


@transaction.atomic
def receive_inbound(
    inbound_id: int, received: Sequence[ReceivedLine], *, at: datetime, actor: Actor
) -> list[Outcome[ChangeAnswer]]:
    """Book what arrived at the inbound's node, line by line; more than expected is booked as well.

    A repeat of an external id changes nothing. What a transfer brings is received as the
    transfer's, without a movement to name. Raises Conflict for a cancelled inbound.
    """
    if (outcomes := receive_as_transfer(inbound_id, received, at=at, actor=actor)) is not None:
        return outcomes
    inbound = _locked(inbound_id, actor)
    if inbound.state == InboundState.CANCELLED:
        raise Conflict("This inbound is cancelled: receive the goods by an adjustment.")
    lines = {line.pk: line for line in InboundLine.objects.filter(inbound=inbound)}
    if unknown := {one.inbound_line_id for one in received} - lines.keys():
        raise NotFound(f"The inbound has no line {min(unknown)}.")
    outcomes = record_changes(
        [_change(inbound, lines[one.inbound_line_id], one) for one in received],
        at=at,
        actor=actor,
    )
    arrived: Counter[int] = Counter()
    for one, outcome in zip(received, outcomes, strict=True):
        if outcome.kind is OutcomeKind.DONE:
            arrived[one.inbound_line_id] += one.quantity
    _raise_received(arrived, at=at)
    _fold(inbound, lines, arrived, at=at, actor=actor)
    return outcomes


def _locked(inbound_id: int, actor: Actor) -> Inbound:
    """The inbound, locked together with the orders whose units it brings: before any position."""
    orders = Inbound.objects.for_scope(actor.scope).filter(lines__notices__inbound=inbound_id)
    wanted = {inbound_id, *orders.values_list("pk", flat=True)}
    rows = {row.pk: row for row in Inbound.objects.for_scope(actor.scope).locked(wanted)}
    inbound: Inbound | None = rows.get(inbound_id)
    if inbound is None:
        raise NotFound("There is no such inbound.")
    return inbound


def _change(inbound: Inbound, line: InboundLine, one: ReceivedLine) -> StockChange:
    return StockChange(
        node_id=inbound.node_id,
        sku_id=line.sku_id,
        account_id=inbound.account_id,
        quantity=one.quantity,
        kind=MovementKind.RECEIPT.value,
        condition=one.condition,
        lot=one.lot,
        expires_on=one.expires_on,
        cause_kind="inbound",
        cause_id=subject_id(SubjectTag.INBOUND, inbound.pk),
        source=f"inbound:{inbound.pk}",
        external_id=one.external_id,
    )


def _raise_received(arrived: Counter[int], *, at: datetime) -> None:
    """Count what came; a line of which all has come is complete as of then."""
    if not arrived:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inventory_inboundline line SET received = greatest(0, received + came.quantity),
                completed_at = CASE WHEN received + came.quantity >= expected
                    THEN coalesce(completed_at, %s) END
            FROM unnest(%s::bigint[], %s::bigint[]) AS came (id, quantity)
            WHERE line.id = came.id
            """,
            [at, list(arrived), list(arrived.values())],
        )


def _fold(
    inbound: Inbound,
    lines: dict[int, InboundLine],
    arrived: Counter[int],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """The inbound is received when every line is; until then it is arriving."""
    if not arrived or inbound.state == InboundState.RECEIVED:
        return
    if all(line.received + arrived[pk] >= line.expected for pk, line in lines.items()):
        inbound.finish()
    else:
        inbound.arrive()
    inbound.save(update_fields=["state"])
    record_history(Inbound, [inbound.pk], Change.CHANGED, at=at, actor=actor, reason="received")
    if inbound.state == InboundState.RECEIVED and inbound.kind == InboundKind.ADVANCE_NOTICE:
        finish_orders(inbound, at=at, actor=actor)
