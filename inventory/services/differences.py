"""What a person decides of a line at which feed and book differ."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from config.kernel import events
from config.kernel.errors import IllegalTransition
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.ledger import Book
from inventory.models import Difference, Movement
from inventory.services.counts import ask_for_counts
from inventory.services.feeds import set_level
from inventory.services.landing import land
from inventory.services.runs import Gap
from inventory.states import DifferenceState, MovementKind
from inventory.stock_rows import Why
from inventory.types import CountWanted, Decision, SubjectTag, subject_id


@transaction.atomic
def accept_theirs(
    decisions: Sequence[Decision], *, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Let the book follow the node's figures. One outcome per line: units moved.

    What moved since the figure was compared stands on top of it. A line whose position was counted
    later is refused as stale.
    """
    sheet = _Sheet(decisions, actor)
    book = Book.of_positions({line.position_id for line in sheet.open})
    arrived: Counter[int] = Counter()
    for line in sheet.open:
        position = book.positions[line.position_id]
        as_of = line.run.as_of
        if position.counted_at is not None and position.counted_at > as_of:
            sheet.refuse(line, "stale", "The position was counted later.")
            continue
        why = Why(MovementKind.SNAPSHOT, "reconciliation", line.run_id, note=sheet.note(line))
        present = sum(
            level.on_hand
            for level in book.levels_of(position, line.condition)
            if not line.lot or level.lot == line.lot
        )
        target = max(0, present + line.units)
        gap = Gap(
            0, position.id, line.sku_id, line.condition, line.lot, present, target, first=False
        )
        movement_id = set_level(book, gap, why, arrived, at=at)[0] if gap.units else None
        position.counted_at, position.touched = as_of, True
        line.accept_theirs(movement_id=movement_id, at=at, by=actor.name)
        sheet.done(line, gap.units)
    land(book, arrived)
    book.write(at=at, actor=actor)
    return sheet.keep(at=at, actor=actor)


@transaction.atomic
def keep_ours(decisions: Sequence[Decision], *, at: datetime, actor: Actor) -> list[Outcome[int]]:
    """Let the book stand and ask the node to count. One outcome per line."""
    sheet = _Sheet(decisions, actor)
    for line in sheet.open:
        line.note = sheet.note(line)
        line.keep_ours(at=at, by=actor.name)
        sheet.done(line, 0)
    ask_for_counts(
        [
            CountWanted(
                line.account_id,
                line.run.node_id,
                line.sku_id,
                "feed and book differ",
                kind="difference",
            )
            for line in sheet.open
        ],
        at=at,
        actor=actor,
    )
    return sheet.keep(at=at, actor=actor)


@transaction.atomic
def explain_differences(
    decisions: Sequence[Decision], *, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Say which movement, or what else, makes the line differ: nothing is changed. One outcome each.

    A movement of another position is refused, and so is an explanation of nothing.
    """
    sheet = _Sheet(decisions, actor)
    named = {one.movement_id for one in decisions if one.movement_id}
    places = dict(
        Movement.objects.for_scope(actor.scope)
        .filter(pk__in=named)
        .values_list("pk", "position_id")
    )
    for line in sheet.open:
        movement_id = sheet.wanted[line.pk].movement_id
        if movement_id is not None and places.get(movement_id) != line.position_id:
            sheet.refuse(line, "unknown-movement", "There is no such movement of this stock.")
        elif movement_id is None and not sheet.note(line):
            sheet.refuse(line, "no-reason", "Name a movement, or say what it was.")
        else:
            line.explain(movement_id=movement_id, note=sheet.note(line), at=at, by=actor.name)
            sheet.done(line, 0)
    return sheet.keep(at=at, actor=actor)


class _Sheet:
    """Decisions on lines, which are locked by id, and what becomes of each."""

    def __init__(self, decisions: Sequence[Decision], actor: Actor) -> None:
        self._decisions = decisions
        self.wanted = {one.difference_id: one for one in decisions}
        found = Difference.objects.for_scope(actor.scope).select_related("run")
        self._lines = {line.pk: line for line in found.locked(self.wanted)}
        self.open = [line for line in self._lines.values() if line.state == DifferenceState.OPEN]
        self._ended: dict[int, Outcome[int]] = {}
        self._changed: list[Difference] = []

    def note(self, line: Difference) -> str:
        return self.wanted[line.pk].note[:500]

    def refuse(self, line: Difference, code: str, detail: str) -> None:
        self._ended[line.pk] = Outcome.refused(code, detail)

    def done(self, line: Difference, units: int) -> None:
        line.event_seq += 1
        self._changed.append(line)
        self._ended[line.pk] = Outcome.done(units)

    def keep(self, *, at: datetime, actor: Actor) -> list[Outcome[int]]:
        Difference.objects.for_scope(ALL_ACCOUNTS).bulk_update(
            self._changed,
            ["state", "movement_id", "decided_at", "decided_by", "note", "event_seq"],
        )
        events.record(
            [
                events.Fact(
                    "difference.decided",
                    "difference",
                    subject_id(SubjectTag.DIFFERENCE, line.pk),
                    line.event_seq,
                    line.account_id,
                    {"position_id": line.position_id, "run_id": str(line.run_id)}
                    | {"state": line.state, "units": line.units},
                )
                for line in self._changed
            ],
            at=at,
            actor=actor,
        )
        return [self._outcome(one.difference_id) for one in self._decisions]

    def _outcome(self, difference_id: int) -> Outcome[int]:
        if difference_id in self._ended:
            return self._ended[difference_id]
        if difference_id not in self._lines:
            return Outcome.refused("not-found", "There is no such difference.")
        return Outcome.refused(IllegalTransition.code, "It has been decided already.")
