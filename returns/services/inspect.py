"""Inspection: what somebody found, what becomes of the goods, and what is accepted for money."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

import inventory.selectors
import inventory.services
from config.kernel import ids
from config.kernel.errors import Conflict, DomainError, Invalid
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.states import VERIFIED_BEFORE_RESALE, Condition, MovementKind, Regulation
from inventory.types import StockChange
from returns.models import Inspection, Return, ReturnLine
from returns.services.credit import credit_what_is_due
from returns.services.settle import settle_in_hand
from returns.services.work import Work, final_standings, open_returns, refused
from returns.states import (
    FAULTS,
    USUAL_DISPOSITION,
    Disposition,
    Grade,
    ReturnState,
    Wants,
)
from returns.types import Finding, ReturnStanding

SOURCE = "returns"
_CONDITIONS: Mapping[str, str] = {
    Disposition.RESTOCK: Condition.AVAILABLE.value,
    Disposition.REFURBISH: Condition.QUALITY_HOLD.value,
    Disposition.QUARANTINE: Condition.QUALITY_HOLD.value,
    Disposition.VENDOR: Condition.QUALITY_HOLD.value,
    Disposition.DESTROY: Condition.DAMAGED.value,
}
"""How goods lie at the node from then on. What is to be destroyed lies there damaged until it is."""


@transaction.atomic
def inspect_returns(
    findings: Sequence[Finding], *, at: datetime, actor: Actor
) -> list[Outcome[ReturnStanding]]:
    """Grade units that came in. One outcome per finding, in order, with the return it is of.

    The units lie at the node in the condition that their disposition gives them, by a movement of
    kind return. When nothing is ungraded the return is inspected; where the policy pays then, it
    is credited and settled. The same key counts once.
    """
    owners = _owners(findings)
    work = open_returns(list(owners.values()), scope=actor.scope)
    regulated = _regulated(work)
    known = _known(findings)
    verdicts: list[Outcome[UUID]] = []
    rows: list[Inspection] = []
    serials: dict[UUID, tuple[str, ...]] = {}
    for one in findings:
        return_id = owners.get(one.return_line_id)
        if return_id is None or not _is_visible(work, return_id):
            verdicts.append(Outcome.refused("not-found", "There is no such line of a return."))
            continue
        if (one.return_line_id, one.key) in known:
            verdicts.append(Outcome.repeated(return_id))
            continue
        try:
            row = _judge(work, work.lines[one.return_line_id], one, regulated, at=at, actor=actor)
        except DomainError as refusal:
            verdicts.append(refused(refusal, work.returns[return_id]))
            continue
        if one.key:
            known.add((one.return_line_id, one.key))
        rows.append(row)
        serials[row.pk] = tuple(one.serials)
        verdicts.append(Outcome.done(return_id))
    _go_on(work, rows, serials, at=at, actor=actor)
    return final_standings(work, verdicts)


def _owners(findings: Sequence[Finding]) -> dict[UUID, UUID]:
    rows = ReturnLine.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=[one.return_line_id for one in findings]
    )
    return dict(rows.values_list("pk", "returned_id"))


def _is_visible(work: Work, return_id: UUID) -> bool:
    found = work.returns.get(return_id)
    return found is not None and work.scope.allows(found.account_id)


def _regulated(work: Work) -> dict[int, str]:
    """SKUs that may be sold again only once they were verified, and under which law."""
    rows = (
        ReturnLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=list(work.lines), sku__regulation__in=VERIFIED_BEFORE_RESALE)
        .values_list("sku_id", "sku__regulation")
    )
    return {sku_id: str(Regulation(code).label) for sku_id, code in rows}


def _known(findings: Sequence[Finding]) -> set[tuple[UUID, str]]:
    named = [one.key for one in findings if one.key]
    if not named:
        return set()
    rows = Inspection.objects.for_scope(ALL_ACCOUNTS).filter(
        line_id__in=[one.return_line_id for one in findings], key__in=named
    )
    return set(rows.values_list("line_id", "key"))


def _judge(  # the finding, and what it is judged by
    work: Work,
    line: ReturnLine,
    one: Finding,
    regulated: Mapping[int, str],
    *,
    at: datetime,
    actor: Actor,
) -> Inspection:
    """The inspection's row; its units are counted on the line. Raises the refusal."""
    if one.grade not in Grade.values:
        raise Invalid(f"A grade is one of {', '.join(Grade.values)}.")
    disposition = one.disposition or USUAL_DISPOSITION[Grade(one.grade)].value
    if disposition not in Disposition.values:
        raise Invalid(f"A disposition is one of {', '.join(Disposition.values)}.")
    if not 0 < one.quantity <= line.ungraded:
        raise Conflict(f"{one.quantity} units are to be graded, {line.ungraded} wait for it.")
    law = regulated.get(line.sku_id) if line.sku_id else None
    if law and disposition == Disposition.RESTOCK and not one.verified:
        raise Conflict(
            f"It is regulated by {law}: it goes back on the shelf only once its code was verified.",
            reason="not-verified",
        )
    accepted = one.accepted
    if accepted is None:
        accepted = one.grade != Grade.D or line.reason_class in FAULTS
    if line.order_line_id is None:
        accepted = False
    work.count(line, **{"accepted" if accepted else "rejected": one.quantity})
    return Inspection(
        id=ids.uuid7(),
        account_id=line.account_id,
        line_id=line.pk,
        quantity=one.quantity,
        grade=one.grade,
        disposition=disposition,
        accepted=accepted,
        verified=one.verified,
        lot=one.lot,
        key=one.key,
        inspected_by=actor.name,
        at=at,
    )


def _go_on(
    work: Work,
    rows: Sequence[Inspection],
    serials: Mapping[UUID, tuple[str, ...]],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Move the returns, credit what is due by the policy, then put the goods on the book."""
    graded: dict[UUID, dict[str, int]] = {}
    for row in rows:
        units = graded.setdefault(work.lines[row.line_id].returned_id, {})
        units[row.disposition] = units.get(row.disposition, 0) + row.quantity
    done = []
    for return_id, units in graded.items():
        returned = work.returns[return_id]
        if all(not line.ungraded for line in work.lines_of(return_id)):
            if returned.state == ReturnState.RECEIVED:
                returned.inspect(at=at)
            done.append(return_id)
        work.tell(returned, "return.inspected", units=units)
    paying = [one for one in done if work.returns[one].wants == Wants.REFUND]
    credit_what_is_due(work, paying, at=at, actor=actor)
    settle_in_hand(work, [one for one in paying if _is_whole(work, one)], at=at)
    work.write(at=at, actor=actor, reason="inspected")
    Inspection.objects.bulk_create(rows)
    owners = inventory.selectors.owners_of(
        {key for row in rows if (key := work.lines[row.line_id].order_line_id) is not None}
    )
    changes = [
        replace(
            _change(row, work.returns[line.returned_id], sku_id, serials[row.pk]),
            owner_id=owners.get(line.order_line_id) if line.order_line_id else None,
        )
        for row in rows
        if (sku_id := (line := work.lines[row.line_id]).sku_id) is not None
    ]
    for outcome in inventory.services.record_changes(changes, at=at, actor=actor):
        if outcome.problem is not None:
            raise Conflict(outcome.problem.detail, reason=outcome.problem.code)


def _is_whole(work: Work, return_id: UUID) -> bool:
    """Whether nothing of it is awaited any more, and everything accepted was paid for."""
    lines = work.lines_of(return_id)
    return all(
        not line.awaited and line.refunded == line.accepted
        for line in lines
        if line.order_line_id is not None
    )


def _change(
    row: Inspection, returned: Return, sku_id: int, serials: tuple[str, ...]
) -> StockChange:
    if returned.node_id is None:
        raise Conflict("Nobody knows where the goods lie.")
    return StockChange(
        node_id=returned.node_id,
        sku_id=sku_id,
        account_id=row.account_id,
        quantity=row.quantity,
        kind=MovementKind.RETURN.value,
        condition=_CONDITIONS[row.disposition],
        lot=row.lot,
        cause_kind="return",
        cause_id=returned.pk,
        source=SOURCE,
        external_id=str(row.pk),
        note=f"{row.disposition} {row.grade}",
        serials=serials,
    )
