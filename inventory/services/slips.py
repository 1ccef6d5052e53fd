"""The arrival of inbound goods is put off or brought forward; what that breaks becomes a case."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports
from config.kernel.history import Change
from config.kernel.types import Actor, Outcome
from inventory.models import Inbound, InboundLine, InboundSlip
from inventory.selectors.inbound_ahead import awaited, late_hours
from inventory.services.inbound_news import tell_inbound
from inventory.services.notices import OPEN
from inventory.types import Awaited, SlipDraft, Slipped, SubjectTag, subject_id

INBOUND_SLIPPED: Final = "INBOUND_SLIPPED"
_ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Goods are weighed by their own times, also where those have passed already."""


@transaction.atomic
def slip_inbound(
    drafts: Sequence[SlipDraft], *, source: str, reason: str = "", at: datetime, actor: Actor
) -> list[Outcome[Slipped]]:
    """Expect lines at another time, each with its own outcome; the same time is a repeat.

    What was expected before is kept for good. Each document that changed is an event; one that now
    misses what waiting demand was promised is also a case. A line named twice
    ends at the later draft. Lines that are out of reach, received or cancelled are refused.
    """
    lines = _of_open(drafts, actor, locked=True)
    outcomes = _weighed(drafts, lines)
    told: dict[int, list[Slipped]] = defaultdict(list)
    slips: list[InboundSlip] = []
    for draft, outcome in zip(drafts, outcomes, strict=True):
        line = lines.get(draft.inbound_line_id)
        if line is None or outcome.value is None or line.eta_at == draft.eta_at:
            continue
        slips.append(
            InboundSlip(
                account_id=line.inbound.account_id,
                line=line,
                was_eta_at=line.eta_at,
                eta_at=draft.eta_at,
                source=source,
                reason=reason,
                actor_name=actor.name,
                at=at,
            )
        )
        line.first_eta_at = line.first_eta_at or line.eta_at
        line.eta_at = draft.eta_at
        told[line.inbound_id].append(outcome.value)
    InboundSlip.objects.bulk_create(slips)
    changed = {slip.line_id: lines[slip.line_id] for slip in slips}
    InboundLine.objects.bulk_update(changed.values(), ["eta_at", "first_eta_at"])
    _tell({line.inbound_id: line.inbound for line in changed.values()}, told, at=at, actor=actor)
    return outcomes


def preview_slip(drafts: Sequence[SlipDraft], *, actor: Actor) -> list[Outcome[Slipped]]:
    """What `slip_inbound` would answer. Nothing is written and nothing locked."""
    return _weighed(drafts, _of_open(drafts, actor, locked=False))


def _of_open(drafts: Sequence[SlipDraft], actor: Actor, *, locked: bool) -> dict[int, InboundLine]:
    """The lines with their documents, which are locked by ascending id; as they are then."""
    wanted = [draft.inbound_line_id for draft in drafts]
    found = Inbound.objects.for_scope(actor.scope)
    keys = set(found.filter(lines__in=wanted).values_list("pk", flat=True))
    rows = found.locked(keys) if locked else found.filter(pk__in=keys)
    documents = {row.pk: row for row in rows}
    lines = {}
    for line in InboundLine.objects.filter(pk__in=wanted, inbound__in=documents):
        line.inbound = documents[line.inbound_id]
        lines[line.pk] = line
    return lines


def _refusal(line: InboundLine | None) -> Outcome[Slipped] | None:
    if line is None:
        return Outcome.refused("not-found", "There is no such line.")
    if str(line.inbound.state) not in OPEN:
        return Outcome.refused("closed", f"The inbound is {line.inbound.state}.")
    if line.received >= line.expected:
        return Outcome.refused("received", "All of the line has been received.")
    return None


def _weighed(drafts: Sequence[SlipDraft], lines: dict[int, InboundLine]) -> list[Outcome[Slipped]]:
    """What each draft means for those who wait, as if all of them held. Five statements."""
    weight = _Weight.of(drafts, lines)
    outcomes: list[Outcome[Slipped]] = []
    seen = {pk: line.eta_at for pk, line in lines.items()}
    for draft in drafts:
        line = lines.get(draft.inbound_line_id)
        if (refused := _refusal(line)) is not None or line is None:
            outcomes.append(refused or Outcome.refused("not-found", "There is no such line."))
            continue
        slipped = weight.of_line(line, draft, seen[line.pk])
        same = seen[line.pk] == draft.eta_at
        outcomes.append(Outcome.repeated(slipped) if same else Outcome.done(slipped))
        seen[line.pk] = draft.eta_at
    return outcomes


@dataclass(slots=True)
class _Weight:
    """Who waits for which goods, before and after."""

    before: list[Awaited]
    broken: dict[int, int]
    threads: dict[int, dict[UUID, None]]

    @classmethod
    def of(cls, drafts: Sequence[SlipDraft], lines: dict[int, InboundLine]) -> "_Weight":
        late = late_hours(list(lines))
        moved = {
            draft.inbound_line_id: _sure_at(
                lines[draft.inbound_line_id], draft.eta_at, late.get(draft.inbound_line_id, 0)
            )
            for draft in drafts
            if draft.inbound_line_id in lines
        }
        skus = {line.sku_id for line in lines.values()}
        if not skus:
            return cls([], {}, {})
        before = awaited(skus, at=_ALWAYS)
        after = {one.reservation_id: one for one in awaited(skus, at=_ALWAYS, moved=moved)}
        broken: dict[int, int] = defaultdict(int)
        threads: dict[int, dict[UUID, None]] = defaultdict(dict)
        for one in before:
            left = _too_late(after[one.reservation_id]) - _too_late(one)
            for line_id, _, units, _ in one.shares:
                if line_id in moved and left > 0 and (part := min(units, left)):
                    broken[line_id] += part
                    threads[line_id][one.thread_id] = None
                    left -= part
        return cls(before, broken, threads)

    def of_line(self, line: InboundLine, draft: SlipDraft, was: datetime) -> Slipped:
        waiting = sum(
            units
            for one in self.before
            for line_id, _, units, _ in one.shares
            if line_id == line.pk
        )
        threads = tuple(self.threads.get(line.pk, ()))
        return Slipped(line.pk, was, draft.eta_at, waiting, self.broken.get(line.pk, 0), threads)


def _too_late(one: Awaited) -> int:
    """Units that are not there by when the promise needs them; none where nothing was promised."""
    needed = one.ready_by or one.promised_at
    if needed is None:
        return 0
    return one.units - sum(units for _, _, units, there_at in one.shares if there_at <= needed)


def _sure_at(line: InboundLine, eta_at: datetime, hours: int) -> datetime:
    """When the goods are there for certain enough, were they expected at that time."""
    first = line.first_eta_at or line.eta_at
    return max(eta_at, min(first, eta_at) + timedelta(hours=max(0, hours)))


def _tell(
    documents: dict[int, Inbound],
    told: dict[int, list[Slipped]],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """History, an event and, where promises break, a case of each document that changed."""
    data = {pk: _data(row, told[pk]) for pk, row in documents.items()}
    tell_inbound(documents, "inbound.slipped", data, Change.CHANGED, "slipped", at=at, actor=actor)
    case_reports.report(
        [
            case_reports.Report(
                INBOUND_SLIPPED,
                "inbound",
                subject_id(SubjectTag.INBOUND, pk),
                row.account_id,
                data[pk],
                cause=f"inbound:{row.number}",
            )
            for pk, row in documents.items()
            if data[pk]["broken"]
        ],
        at=at,
    )


def _data(row: Inbound, slips: Iterable[Slipped]) -> dict[str, object]:
    known = list(slips)
    return {
        "inbound_id": row.pk,
        "number": row.number,
        "node_id": row.node_id,
        "line_ids": [one.inbound_line_id for one in known],
        "eta_at": max(one.eta_at for one in known).isoformat(),
        "waiting": sum(one.waiting for one in known),
        "broken": sum(one.broken for one in known),
    }
