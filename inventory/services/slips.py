"""The arrival of inbound goods is put off or brought forward; what that breaks becomes a case."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from config.kernel import case_reports, events
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import Actor, Outcome
from inventory.models import Inbound, InboundLine, InboundSlip
from inventory.states import InboundState
from inventory.types import SlipDraft, Slipped, SubjectTag, subject_id

INBOUND_SLIPPED: Final = "INBOUND_SLIPPED"
_OPEN: Final = frozenset({InboundState.EXPECTED.value, InboundState.ARRIVING.value})


@transaction.atomic
def slip_inbound(
    drafts: Sequence[SlipDraft], *, source: str, reason: str = "", at: datetime, actor: Actor
) -> list[Outcome[Slipped]]:
    """Expect lines at another time, each with its own outcome; the same time is a repeat.

    What was expected before is kept for good. Each document that changed is an event; one that now
    misses what waiting demand was promised is also a case. A line named twice
    ends at the later draft. Lines that are out of reach, received or cancelled are refused.
    """
    lines = _locked(drafts, actor)
    waits = _waiting(lines.values())
    said = {"source": source, "reason": reason, "actor_name": actor.name, "at": at}
    slips: list[InboundSlip] = []
    changed: dict[int, InboundLine] = {}
    told: dict[int, list[Slipped]] = defaultdict(list)
    outcomes: list[Outcome[Slipped]] = []
    for draft in drafts:
        line = lines.get(draft.inbound_line_id)
        if line is None:
            outcomes.append(Outcome.refused("not-found", "There is no such line."))
            continue
        if (refused := _refusal(line)) is not None:
            outcomes.append(refused)
            continue
        slipped = _slipped(line, draft, waits.get(line.pk, ()))
        if line.eta_at == draft.eta_at:
            outcomes.append(Outcome.repeated(slipped))
            continue
        slips.append(
            InboundSlip(
                account_id=line.inbound.account_id,
                line=line,
                was_eta_at=line.eta_at,
                eta_at=draft.eta_at,
                **said,
            )
        )
        line.eta_at = draft.eta_at
        changed[line.pk] = line
        told[line.inbound_id].append(slipped)
        outcomes.append(Outcome.done(slipped))
    InboundSlip.objects.bulk_create(slips)
    InboundLine.objects.bulk_update(changed.values(), ["eta_at"])
    _tell({line.inbound_id: line.inbound for line in changed.values()}, told, at=at, actor=actor)
    return outcomes


def _locked(drafts: Sequence[SlipDraft], actor: Actor) -> dict[int, InboundLine]:
    """The lines with their documents, which are locked by ascending id; as they are then."""
    wanted = [draft.inbound_line_id for draft in drafts]
    found = Inbound.objects.for_scope(actor.scope).filter(lines__in=wanted)
    keys = set(found.values_list("pk", flat=True))
    documents = {row.pk: row for row in Inbound.objects.for_scope(actor.scope).locked(keys)}
    lines = {}
    for line in InboundLine.objects.filter(pk__in=wanted, inbound__in=documents):
        line.inbound = documents[line.inbound_id]
        lines[line.pk] = line
    return lines


def _refusal(line: InboundLine) -> Outcome[Slipped] | None:
    if str(line.inbound.state) not in _OPEN:
        return Outcome.refused("closed", f"The inbound is {line.inbound.state}.")
    if line.received >= line.expected:
        return Outcome.refused("received", "All of the line has been received.")
    return None


def _waiting(lines: Iterable[InboundLine]) -> dict[int, list[tuple[int, datetime | None]]]:
    """(units, promised at) of the demand that each line could serve where it arrives. One statement."""
    known = list(lines)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT line.id, r.quantity - r.consumed - r.released, r.promised_at
            FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS line (id, sku_id, node_id)
            JOIN inventory_reservation r ON r.sku_id = line.sku_id AND r.state = 'waiting'
                AND coalesce(r.node_id, line.node_id) = line.node_id
                AND coalesce(r.inbound_line_id, line.id) = line.id
            """,
            [
                [line.pk for line in known],
                [line.sku_id for line in known],
                [line.inbound.node_id for line in known],
            ],
        )
        found: dict[int, list[tuple[int, datetime | None]]] = defaultdict(list)
        for line_id, units, promised_at in cursor.fetchall():
            found[line_id].append((units, promised_at))
        return found


def _slipped(
    line: InboundLine, draft: SlipDraft, waits: Iterable[tuple[int, datetime | None]]
) -> Slipped:
    """Demand counts as broken that was promised for a time which the line met and now misses."""
    coming, known = line.expected - line.received, list(waits)
    missed = sum(
        units
        for units, promised_at in known
        if promised_at is not None and line.eta_at <= promised_at < draft.eta_at
    )
    return Slipped(
        line.pk,
        line.eta_at,
        draft.eta_at,
        min(coming, sum(units for units, _ in known)),
        min(coming, missed),
    )


def _tell(
    documents: dict[int, Inbound],
    told: dict[int, list[Slipped]],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """History, an event and, where promises break, a case of each document that changed."""
    if not documents:
        return
    for row in documents.values():
        row.event_seq += 1
    Inbound.objects.for_scope(actor.scope).bulk_update(documents.values(), ["event_seq"])
    record_history(Inbound, documents, Change.CHANGED, at=at, actor=actor, reason="slipped")
    facts = [(row, _data(row, told[pk])) for pk, row in documents.items()]
    events.record(
        [
            events.Fact(
                "inbound.slipped",
                "inbound",
                subject_id(SubjectTag.INBOUND, row.pk),
                row.event_seq,
                row.account_id,
                data,
            )
            for row, data in facts
        ],
        at=at,
        actor=actor,
    )
    case_reports.report(
        [
            case_reports.Report(
                INBOUND_SLIPPED,
                "inbound",
                subject_id(SubjectTag.INBOUND, row.pk),
                row.account_id,
                data,
                cause=f"inbound:{row.number}",
            )
            for row, data in facts
            if data["broken"]
        ],
        at=at,
    )


def _data(row: Inbound, slips: Sequence[Slipped]) -> dict[str, object]:
    return {
        "inbound_id": row.pk,
        "number": row.number,
        "node_id": row.node_id,
        "line_ids": [one.inbound_line_id for one in slips],
        "eta_at": max(one.eta_at for one in slips).isoformat(),
        "waiting": sum(one.waiting for one in slips),
        "broken": sum(one.broken for one in slips),
    }
