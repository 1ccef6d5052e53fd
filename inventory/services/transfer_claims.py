"""What did not arrive whole: the case, the claims, and how they end."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports, ids
from config.kernel.case_reports import Report
from config.kernel.errors import IllegalTransition
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.models import TransferClaim
from inventory.services import limits
from inventory.services.numbers import next_numbers
from inventory.services.transfer_sheet import KIND, TransferSheet
from inventory.states import TransferClaimKind, TransferClaimState, TransferState


@transaction.atomic
def settle_transfer_claims(
    settled: Sequence[tuple[UUID, int]], reference: str, *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Somebody has paid or credited (claim, minor units). One outcome per claim, in order."""
    amounts = dict(settled)

    def settle(claim: TransferClaim) -> None:
        claim.settle(settled_minor=amounts[claim.pk], reference=reference, at=at)

    return _end(list(amounts), settle, at=at, actor=actor)


@transaction.atomic
def withdraw_transfer_claims(
    claim_ids: Sequence[UUID], reason: str, *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Nobody asks for anything. One outcome per claim, in order."""

    def withdraw(claim: TransferClaim) -> None:
        claim.withdraw(reason=reason, at=at)

    return _end(claim_ids, withdraw, at=at, actor=actor)


def _end(
    claim_ids: Sequence[UUID],
    move: Callable[[TransferClaim], None],
    *,
    at: datetime,
    actor: Actor,
) -> list[Outcome[UUID]]:
    found = {
        claim.pk: claim
        for claim in TransferClaim.objects.for_scope(actor.scope).locked(set(claim_ids))
    }
    refused: dict[UUID, Outcome[UUID]] = {}
    for key in claim_ids:
        if key not in found:
            refused[key] = Outcome.refused("not-found", "There is no such claim.")
            continue
        try:
            move(found[key])
        except IllegalTransition as error:
            refused[key] = Outcome.refused("conflict", error.detail)
    ended = [claim for key, claim in found.items() if key not in refused]
    TransferClaim.objects.for_scope(ALL_ACCOUNTS).bulk_update(
        ended, ["state", "settled_minor", "reference", "ended_at"]
    )
    record_history(TransferClaim, [one.pk for one in ended], Change.CHANGED, at=at, actor=actor)
    return [refused.get(key) or Outcome.done(key) for key in claim_ids]


def settle_received(sheet: TransferSheet, *, at: datetime, actor: Actor) -> None:
    """Received as it left, a transfer is closed; a difference has its claims and its case."""
    reports = []
    for row in sheet.alive():
        lines = sheet.lines_of[row.pk]
        told = {
            name: sum(getattr(line, name) for line in lines)
            for name in ("received", "damaged", "missing", "excess")
        }
        if row.state != TransferState.RECEIVED:
            sheet.tell(row, "transfer.arrived", **told)
            continue
        sheet.tell(row, "transfer.received", **told)
        if not (told["damaged"] or told["missing"] or told["excess"]):
            row.close(at=at)
            continue
        reports.append(
            Report(
                "TRANSFER_DIFFERENCE",
                KIND,
                row.pk,
                row.account_id,
                {"number": row.number} | told,
                cause=f"lane:{row.source_id}:{row.destination_id}",
            )
        )
    _claim(sheet, at=at, actor=actor)
    case_reports.report(reports, at=at)


def _claim(sheet: TransferSheet, *, at: datetime, actor: Actor) -> None:
    """Keep claims equal to what is missing and damaged of received transfers."""
    lines = [
        line
        for line in sheet.open_lines()
        if sheet.rows[line.transfer_id].state == TransferState.RECEIVED
    ]
    if not lines:
        return
    found = TransferClaim.objects.for_scope(ALL_ACCOUNTS).filter(line__in=lines)
    known = {(claim.line_id, claim.kind): claim for claim in found}
    prices = limits.prices_of({line.sku_id for line in lines})
    wanted = [
        (line, kind, units)
        for line in lines
        for kind, units in (
            (TransferClaimKind.MISSING.value, line.missing),
            (TransferClaimKind.DAMAGED.value, line.damaged),
        )
    ]
    fresh = [one for one in wanted if one[2] and (one[0].pk, one[1]) not in known]
    numbers = next_numbers("TC", "inventory_transfer_claim_number", len(fresh)) if fresh else []
    made = TransferClaim.objects.bulk_create(
        [
            TransferClaim(
                id=ids.uuid7(),
                number=number,
                account_id=line.account_id,
                line=line,
                kind=kind,
                quantity=units,
                value_minor=units * prices[line.sku_id].minor,
                currency=prices[line.sku_id].currency,
                opened_at=at,
            )
            for (line, kind, units), number in zip(fresh, numbers, strict=True)
        ]
    )
    record_history(TransferClaim, [one.pk for one in made], Change.CREATED, at=at, actor=actor)
    changed = []
    for line, kind, units in wanted:
        claim = known.get((line.pk, kind))
        if claim is None or claim.state != TransferClaimState.OPEN or claim.quantity == units:
            continue
        if units:
            claim.quantity, claim.value_minor = units, units * prices[line.sku_id].minor
        else:
            claim.withdraw(reason="found", at=at)
        changed.append(claim)
    TransferClaim.objects.for_scope(ALL_ACCOUNTS).bulk_update(
        changed, ["state", "quantity", "value_minor", "reference", "ended_at"]
    )
    record_history(TransferClaim, [one.pk for one in changed], Change.CHANGED, at=at, actor=actor)
