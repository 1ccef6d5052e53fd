"""Goods are expected, or do not come any more. Transfers tell of theirs themselves."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.models import Inbound, InboundLine
from inventory.states import InboundKind, InboundState
from inventory.types import ExpectedDraft, InboundAnswer


@transaction.atomic
def expect_inbound(
    drafts: Sequence[ExpectedDraft], *, at: datetime, actor: Actor
) -> list[Outcome[InboundAnswer]]:
    """Write down what is on its way; a number that its source has used already is a repeat."""
    made: dict[tuple[UUID, str, str], Inbound] = {}
    for draft in drafts:
        if actor.scope.allows(draft.account_id) and not _wrong(draft):
            made.setdefault(_key(draft), _document(draft, at))
    Inbound.objects.bulk_create(made.values(), ignore_conflicts=True)
    kept = {
        (row.account_id, row.source, row.number): row
        for row in Inbound.objects.for_scope(ALL_ACCOUNTS).filter(
            account__in={row.account_id for row in made.values()},
            number__in={row.number for row in made.values()},
        )
    }
    outcomes: list[Outcome[InboundAnswer]] = []
    fresh: dict[int, ExpectedDraft] = {}
    before = _with_lines([row.pk for row in kept.values()])
    for draft in drafts:
        if why := _wrong(draft):
            outcomes.append(Outcome.refused("invalid", why))
        elif (row := kept.get(_key(draft))) is None:
            outcomes.append(Outcome.refused("not-found", "There is no such account."))
        elif row.pk in before or row.pk in fresh:
            outcomes.append(Outcome.repeated(_answer(row)))
        else:
            fresh[row.pk] = draft
            outcomes.append(Outcome.done(_answer(row)))
    InboundLine.objects.bulk_create(
        InboundLine(
            inbound_id=pk,
            sku_id=line.sku_id,
            expected=line.units,
            eta_at=line.eta_at,
            reliability_percent=line.reliability_percent,
        )
        for pk, draft in fresh.items()
        for line in draft.lines
    )
    record_history(Inbound, fresh, Change.CREATED, at=at, actor=actor, reason="announced")
    return outcomes


@transaction.atomic
def cancel_inbound(
    inbound_ids: Sequence[int], reason: str, *, at: datetime, actor: Actor
) -> list[Outcome[InboundAnswer]]:
    """The rest does not come. What a transfer brings is cancelled with the transfer."""
    rows = {row.pk: row for row in Inbound.objects.for_scope(actor.scope).locked(inbound_ids)}
    outcomes: list[Outcome[InboundAnswer]] = []
    changed: dict[int, Inbound] = {}
    for inbound_id in inbound_ids:
        row = rows.get(inbound_id)
        if row is None:
            outcomes.append(Outcome.refused("not-found", "There is no such inbound."))
        elif row.kind == InboundKind.TRANSFER:
            outcomes.append(Outcome.refused("transfer", "Cancel the transfer."))
        elif row.state == InboundState.CANCELLED:
            outcomes.append(Outcome.repeated(_answer(row)))
        elif row.state == InboundState.RECEIVED:
            outcomes.append(Outcome.refused("received", "All of it has been received."))
        else:
            row.cancel()
            changed[row.pk] = row
            outcomes.append(Outcome.done(_answer(row)))
    Inbound.objects.for_scope(actor.scope).bulk_update(changed.values(), ["state"])
    record_history(
        Inbound, changed, Change.CHANGED, at=at, actor=actor, reason=reason or "cancelled"
    )
    return outcomes


def _wrong(draft: ExpectedDraft) -> str:
    if draft.kind == InboundKind.TRANSFER:
        return "A transfer tells of its goods itself."
    if not draft.lines or any(line.units <= 0 for line in draft.lines):
        return "An inbound has lines of at least one unit each."
    return ""


def _key(draft: ExpectedDraft) -> tuple[UUID, str, str]:
    return draft.account_id, draft.source, draft.number


def _document(draft: ExpectedDraft, at: datetime) -> Inbound:
    return Inbound(
        account_id=draft.account_id,
        number=draft.number,
        kind=draft.kind,
        source=draft.source,
        node_id=draft.node_id,
        at=at,
    )


def _with_lines(inbound_ids: Sequence[int]) -> set[int]:
    """Those that were written down before: a document is never without lines."""
    found = InboundLine.objects.filter(inbound__in=inbound_ids)
    return set(found.values_list("inbound_id", flat=True))


def _answer(row: Inbound) -> InboundAnswer:
    return InboundAnswer(row.pk, row.number, str(row.state))
