"""Goods are expected, or do not come any more. Transfers tell of theirs themselves."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel.history import Change
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.models import Inbound, InboundLine
from inventory.services.inbound_news import tell_inbound
from inventory.services.notices import Difference, Orders, expect_of_orders, report_differences
from inventory.states import InboundKind, InboundState
from inventory.types import ExpectedDraft, InboundAnswer

_REASON = 200


@transaction.atomic
def expect_inbound(
    drafts: Sequence[ExpectedDraft], *, at: datetime, actor: Actor
) -> list[Outcome[InboundAnswer]]:
    """Write down what is on its way; a number that its source has used already is a repeat.

    Units that a notice brings of an order are expected under the notice from now on, and no more
    under the order. What it says that its orders do not is one case per notice.
    """
    made: dict[tuple[UUID, str, str], Inbound] = {}
    for draft in drafts:
        if actor.scope.allows(draft.account_id) and not _wrong(draft):
            made.setdefault(_key(draft), _document(draft, at))
    orders = Orders(draft for draft in drafts if _key(draft) in made)
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
    differ: dict[int, Difference] = {}
    lines: list[InboundLine] = []
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
            differ[row.pk] = Difference()
            lines += _lines(row, draft, orders.advise(draft, differ[row.pk]))
            outcomes.append(Outcome.done(_answer(row, differ[row.pk].names)))
    orders.write()
    InboundLine.objects.bulk_create(lines)
    rows = {row.pk: row for row in kept.values() if row.pk in fresh}
    report_differences(differ, rows, at=at)
    data = {pk: {"sku_ids": _skus(draft)} for pk, draft in fresh.items()}
    tell_inbound(rows, "inbound.announced", data, Change.CREATED, "announced", at=at, actor=actor)
    return outcomes


@transaction.atomic
def cancel_inbound(
    inbound_ids: Sequence[int], reason: str, *, at: datetime, actor: Actor
) -> list[Outcome[InboundAnswer]]:
    """The rest does not come. What a transfer brings is cancelled with the transfer.

    What a notice was to bring is expected of its orders again.
    """
    return _end(inbound_ids, _cancelled, "inbound.cancelled", reason, at=at, actor=actor)


@transaction.atomic
def close_inbound(
    inbound_ids: Sequence[int], reason: str, *, at: datetime, actor: Actor
) -> list[Outcome[InboundAnswer]]:
    """What has come is all that comes: closed short. Refused before anything has come."""
    return _end(inbound_ids, _closed, "inbound.closed", reason, at=at, actor=actor)


def _end(
    inbound_ids: Sequence[int],
    end: Callable[[Inbound], Outcome[InboundAnswer] | None],
    topic: str,
    reason: str,
    *,
    at: datetime,
    actor: Actor,
) -> list[Outcome[InboundAnswer]]:
    orders = Inbound.objects.for_scope(actor.scope).filter(lines__notices__inbound__in=inbound_ids)
    wanted = {*inbound_ids, *orders.values_list("pk", flat=True)}
    rows = {row.pk: row for row in Inbound.objects.for_scope(actor.scope).locked(wanted)}
    outcomes: list[Outcome[InboundAnswer]] = []
    changed: dict[int, Inbound] = {}
    for inbound_id in inbound_ids:
        row = rows.get(inbound_id)
        if row is None:
            outcomes.append(Outcome.refused("not-found", "There is no such inbound."))
            continue
        answer = end(row)
        if answer is None:
            row.closed_at, row.close_reason = at, reason[:_REASON]
            changed[row.pk] = row
        outcomes.append(answer or Outcome.done(_answer(row)))
    skus = _skus_coming(changed)
    Inbound.objects.for_scope(actor.scope).bulk_update(
        changed.values(), ["state", "closed_at", "close_reason"]
    )
    if notices := [row for row in changed.values() if row.kind == InboundKind.ADVANCE_NOTICE]:
        expect_of_orders(notices)
    data = {pk: {"sku_ids": skus.get(pk, []), "reason": reason} for pk in changed}
    said = reason or topic.partition(".")[2]
    tell_inbound(changed, topic, data, Change.CHANGED, said, at=at, actor=actor)
    return outcomes


def _cancelled(row: Inbound) -> Outcome[InboundAnswer] | None:
    if row.kind == InboundKind.TRANSFER:
        return Outcome.refused("transfer", "Cancel the transfer.")
    if row.state == InboundState.CANCELLED:
        return Outcome.repeated(_answer(row))
    if row.state == InboundState.RECEIVED:
        return Outcome.refused("received", "All of it has been received.")
    row.cancel()
    return None


def _closed(row: Inbound) -> Outcome[InboundAnswer] | None:
    if row.kind == InboundKind.TRANSFER:
        return Outcome.refused("transfer", "Say so of the transfer.")
    if row.state == InboundState.RECEIVED:
        return Outcome.repeated(_answer(row))
    if row.state != InboundState.ARRIVING:
        return Outcome.refused("conflict", "Nothing of it has come: cancel it.")
    row.finish()
    return None


def _wrong(draft: ExpectedDraft) -> str:
    if draft.kind == InboundKind.TRANSFER:
        return "A transfer tells of its goods itself."
    if not draft.lines or any(line.units <= 0 for line in draft.lines):
        return "An inbound has lines of at least one unit each."
    if draft.kind != InboundKind.ADVANCE_NOTICE and any(line.of_number for line in draft.lines):
        return "Only a shipping notice brings units of an order."
    return ""


def _key(draft: ExpectedDraft) -> tuple[UUID, str, str]:
    return draft.account_id, draft.source, draft.number


def _document(draft: ExpectedDraft, at: datetime) -> Inbound:
    return Inbound(
        account_id=draft.account_id,
        number=draft.number,
        kind=draft.kind,
        source=draft.source,
        supplier=draft.supplier,
        node_id=draft.node_id,
        at=at,
    )


def _lines(
    row: Inbound, draft: ExpectedDraft, of_lines: Sequence[InboundLine | None]
) -> list[InboundLine]:
    return [
        InboundLine(
            inbound_id=row.pk,
            sku_id=line.sku_id,
            expected=line.units,
            eta_at=line.eta_at,
            reliability_percent=line.reliability_percent,
            ahead_percent=line.ahead_percent,
            of_line=of_line,
        )
        for line, of_line in zip(draft.lines, of_lines, strict=True)
    ]


def _skus(draft: ExpectedDraft) -> list[int]:
    return sorted({line.sku_id for line in draft.lines})


def _skus_coming(documents: Mapping[int, Inbound]) -> dict[int, list[int]]:
    """The SKUs of which something was still to come, by document."""
    found: dict[int, list[int]] = {}
    for line in InboundLine.objects.filter(inbound__in=documents).order_by("pk"):
        if line.coming:
            found.setdefault(line.inbound_id, []).append(line.sku_id)
    return found


def _with_lines(inbound_ids: Sequence[int]) -> set[int]:
    """Those that were written down before: a document is never without lines."""
    found = InboundLine.objects.filter(inbound__in=inbound_ids)
    return set(found.values_list("inbound_id", flat=True))


def _answer(row: Inbound, differs: tuple[str, ...] = ()) -> InboundAnswer:
    return InboundAnswer(row.pk, row.number, str(row.state), differs)
