"""People change the book: at once below the account's limit, with a second person beyond it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from config.kernel import events, external_keys, ids
from config.kernel.errors import IllegalTransition
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Outcome, Problem
from inventory.models import StockAdjustment
from inventory.services import limits
from inventory.services.changes import apply_changes, unknowns
from inventory.services.numbers import next_numbers
from inventory.states import AdjustmentReason, AdjustmentState, MovementKind
from inventory.types import AdjustmentAnswer, AdjustmentDraft, ChangeAnswer, StockChange

KIND: Final = "adjustment"
_SCOPE: Final = "adjustment"
_DECIDED: Final = (
    "state", "decided_at", "decided_by", "decided_by_name", "decision_note", "applied_at",
    "movement_id", "event_seq",
)  # fmt: skip
_MOVES_AS: Final = {
    AdjustmentReason.FOUND.value: MovementKind.FOUND.value,
    AdjustmentReason.DAMAGE.value: MovementKind.DAMAGE.value,
}

Answer = Outcome[AdjustmentAnswer]


@transaction.atomic
def adjust_stock(drafts: Sequence[AdjustmentDraft], *, at: datetime, actor: Actor) -> list[Answer]:
    """Change the book, or propose it where the units or their value pass the account's limit.

    One outcome per draft, in the order given; its state tells which of the two happened. Refused
    is what names no known place or reason, and what expects another number than lies there. A
    draft with (source, external_id) is taken once; a repeat has the first's answer as it stands.
    """
    refusals = _refusals(drafts, actor)
    known = [index for index, refusal in enumerate(refusals) if refusal is None]
    rows = _rows([drafts[index] for index in known], at=at, actor=actor)
    claims = _claims([drafts[index] for index in known], rows)
    named = dict(zip(claims, external_keys.claim(_SCOPE, list(claims.values())), strict=True))
    owners = [named.get(row.id, row.id) for row in rows]
    fresh = [row for row, owner in zip(rows, owners, strict=True) if row.id == owner]
    refused = _write_new(fresh, at=at, actor=actor)
    external_keys.give_up(_SCOPE, [claims[one] for one in refused if one in claims])
    told = {row.id: row for row in fresh} | _kept(set(owners) - {row.id for row in fresh})
    ended = iter(
        refused.get(owner)
        or (Outcome.done if owner == row.id else Outcome.repeated)(_answer(told[owner]))
        for row, owner in zip(rows, owners, strict=True)
    )
    return [refusal or next(ended) for refusal in refusals]


@transaction.atomic
def approve_adjustments(
    adjustment_ids: Sequence[UUID], note: str = "", *, at: datetime, actor: Actor
) -> list[Answer]:
    """Let proposed adjustments into the ledger. One outcome per adjustment, in the order given.

    Refused is what is not proposed any more, what the actor has proposed, and what expected
    another number than lies there now: that one is declined and proposed anew.
    """

    def approve(row: StockAdjustment) -> Answer | None:
        if row.proposed_by == actor.id and actor.kind is not ActorKind.SYSTEM:
            return Outcome.refused("same-person", "Another person has to approve it.")
        row.approve(by=actor.id, name=actor.name, note=note, at=at)
        return None

    return _decide(adjustment_ids, approve, at=at, actor=actor, applies=True)


@transaction.atomic
def decline_adjustments(
    adjustment_ids: Sequence[UUID], note: str, *, at: datetime, actor: Actor
) -> list[Answer]:
    """Leave the book as it is; whoever proposed may take it back so. One outcome per adjustment."""

    def decline(row: StockAdjustment) -> None:
        row.decline(by=actor.id, name=actor.name, note=note, at=at)

    return _decide(adjustment_ids, decline, at=at, actor=actor, applies=False)


def _decide(
    adjustment_ids: Sequence[UUID],
    move: Callable[[StockAdjustment], Answer | None],
    *,
    at: datetime,
    actor: Actor,
    applies: bool,
) -> list[Answer]:
    found = StockAdjustment.objects.for_scope(actor.scope).locked(set(adjustment_ids))
    rows = {row.pk: row for row in found}
    refused: dict[UUID, Answer] = {
        key: Outcome.refused("not-found", "There is no such adjustment.")
        for key in adjustment_ids
        if key not in rows
    }
    for row in rows.values():
        try:
            if (refusal := move(row)) is not None:
                refused[row.pk] = refusal
        except IllegalTransition as error:
            refused[row.pk] = Outcome.refused("conflict", error.detail, state=str(row.state))
    decided = [row for row in rows.values() if row.pk not in refused]
    if applies:
        refused |= _apply(decided, at=at, actor=actor)
        decided = [row for row in decided if row.pk not in refused]
    for row in decided:
        row.event_seq += 1
    StockAdjustment.objects.for_scope(ALL_ACCOUNTS).bulk_update(decided, _DECIDED)
    _record(decided, Change.CHANGED, at=at, actor=actor)
    return [refused.get(key) or Outcome.done(_answer(rows[key])) for key in adjustment_ids]


def _refusals(drafts: Sequence[AdjustmentDraft], actor: Actor) -> list[Answer | None]:
    refused: list[Answer | None] = []
    for draft, unknown in zip(
        drafts, unknowns([_change(draft) for draft in drafts], actor), strict=True
    ):
        problem: Problem | None = unknown.problem if unknown else None
        if problem is not None:
            refused.append(Outcome.refused(problem.code, problem.detail))
        elif draft.reason not in AdjustmentReason.values:
            refused.append(Outcome.refused("unknown-reason", f"No reason {draft.reason!r}."))
        else:
            refused.append(None)
    return refused


def _rows(
    drafts: Sequence[AdjustmentDraft], *, at: datetime, actor: Actor
) -> list[StockAdjustment]:
    """The documents, not yet written; each knows what its units sell for."""
    if not drafts:
        return []
    prices = limits.prices_of({draft.sku_id for draft in drafts})
    numbers = next_numbers("A", "inventory_adjustment_number", len(drafts))
    return [
        StockAdjustment(
            id=ids.uuid7(),
            number=number,
            account_id=draft.account_id,
            node_id=draft.node_id,
            sku_id=draft.sku_id,
            owner_id=draft.owner_id or draft.account_id,
            condition=draft.condition,
            lot=draft.lot,
            expires_on=draft.expires_on,
            quantity=draft.quantity,
            expected_on_hand=draft.expected_on_hand,
            reason=draft.reason,
            note=draft.note,
            value_minor=abs(draft.quantity) * prices[draft.sku_id].minor,
            currency=prices[draft.sku_id].currency,
            proposed_at=at,
            proposed_by=actor.id,
            proposed_by_name=actor.name,
            event_seq=1,
        )
        for draft, number in zip(drafts, numbers, strict=True)
    ]


def _claims(
    drafts: Sequence[AdjustmentDraft], rows: Sequence[StockAdjustment]
) -> dict[UUID, external_keys.Claim]:
    """What the drafts that have a name of their source's claim, by document."""
    return {
        row.id: external_keys.Claim(
            draft.source, f"{draft.account_id.hex}:{draft.external_id}", row.id
        )
        for draft, row in zip(drafts, rows, strict=True)
        if draft.external_id
    }


def _write_new(
    rows: Sequence[StockAdjustment], *, at: datetime, actor: Actor
) -> dict[UUID, Answer]:
    """Write the documents, those below the limit with their movements; answers what was refused."""
    known = limits.limits_of({row.account_id for row in rows})
    small = [
        row
        for row in rows
        if not limits.exceeds(known[row.account_id], abs(row.quantity), row.value_minor)
    ]
    refused = _apply(small, at=at, actor=actor)
    written = [row for row in rows if row.id not in refused]
    StockAdjustment.objects.bulk_create(written)
    _record(written, Change.CREATED, at=at, actor=actor)
    return refused


def _apply(rows: Sequence[StockAdjustment], *, at: datetime, actor: Actor) -> dict[UUID, Answer]:
    """Write the movements; an adjustment that expected another number is refused and stays as it was."""
    refused: dict[UUID, Answer] = {}
    outcomes = apply_changes([_change_of(row) for row in rows], at=at, actor=actor)
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome.value is not None:
            row.apply(movement_id=outcome.value.movement_id, at=at)
        else:
            refused[row.id] = _as_refusal(outcome)
    return refused


def _as_refusal(outcome: Outcome[ChangeAnswer]) -> Answer:
    problem = outcome.problem or Problem("refused", "It was refused.")
    return Outcome.refused(problem.code, problem.detail, **problem.extra)


def _record(rows: Sequence[StockAdjustment], change: Change, *, at: datetime, actor: Actor) -> None:
    record_history(StockAdjustment, [row.pk for row in rows], change, at=at, actor=actor)
    topics = {
        AdjustmentState.PROPOSED.value: "adjustment.proposed",
        AdjustmentState.APPLIED.value: "adjustment.applied",
        AdjustmentState.DECLINED.value: "adjustment.declined",
    }
    events.record(
        [
            events.Fact(
                topics[row.state],
                KIND,
                row.pk,
                row.event_seq,
                row.account_id,
                {"number": row.number, "node_id": row.node_id, "sku_id": row.sku_id}
                | {"quantity": row.quantity, "reason": row.reason},
            )
            for row in rows
        ],
        at=at,
        actor=actor,
    )


def _kept(adjustment_ids: set[UUID]) -> dict[UUID, StockAdjustment]:
    found = StockAdjustment.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=adjustment_ids)
    return {row.pk: row for row in found} if adjustment_ids else {}


def _answer(row: StockAdjustment) -> AdjustmentAnswer:
    return AdjustmentAnswer(row.pk, row.number, str(row.state), row.movement_id)


def _change(draft: AdjustmentDraft) -> StockChange:
    return StockChange(
        node_id=draft.node_id,
        sku_id=draft.sku_id,
        account_id=draft.account_id,
        quantity=draft.quantity,
        kind=_MOVES_AS.get(draft.reason, MovementKind.ADJUST.value),
        condition=draft.condition,
        lot=draft.lot,
        owner_id=draft.owner_id,
        source=draft.source,
        external_id=draft.external_id,
        expires_on=draft.expires_on,
        expected_on_hand=draft.expected_on_hand,
    )


def _change_of(row: StockAdjustment) -> StockChange:
    return StockChange(
        node_id=row.node_id,
        sku_id=row.sku_id,
        account_id=row.account_id,
        quantity=row.quantity,
        kind=_MOVES_AS.get(row.reason, MovementKind.ADJUST.value),
        condition=row.condition,
        lot=row.lot,
        owner_id=row.owner_id,
        cause_kind=KIND,
        cause_id=row.pk,
        note=f"{AdjustmentReason(row.reason).label}: {row.note}" if row.note else row.reason,
        expires_on=row.expires_on,
        expected_on_hand=row.expected_on_hand,
    )
