"""The frame of every command on returns: open them under their locks, change them, write them.

Locks are taken in the one global order: orders and tenders, then returns, then whatever inventory
locks. A return names its order, which never changes once it is known.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orders.services
from config.kernel import case_reports, events
from config.kernel.errors import Conflict, Forbidden, NotFound
from config.kernel.fsm import allowed_transitions
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome, Scope
from returns.models import Return, ReturnLine
from returns.types import ReturnStanding

_STORED = [
    "order",
    "state",
    "words",
    "currency",
    "keep",
    "node",
    "carrier_code",
    "tracking_number",
    "label_asked",
    "label_pending",
    "why_declined",
    "credits",
    "credited_minor",
    "exchange_order_id",
    "authorized_at",
    "expires_at",
    "first_scan_at",
    "received_at",
    "inspected_at",
    "settled_at",
    "closed_at",
    "updated_at",
    "event_seq",
]
_COUNTED = ["order_line", "requested", "received", "accepted", "rejected", "refunded"]


@dataclass(slots=True)
class Work:
    """Locked returns with their lines, changed in memory, and what is to be told of them."""

    returns: dict[UUID, Return]
    lines: dict[UUID, ReturnLine]
    scope: Scope
    fresh_lines: list[ReturnLine] = field(default_factory=list)
    reports: list[case_reports.Report] = field(default_factory=list)
    _told: dict[UUID, list[tuple[str, dict[str, Any]]]] = field(default_factory=dict)
    _counted: set[UUID] = field(default_factory=set)

    def visible(self, return_id: UUID) -> Return:
        """The return. Raises NotFound when it does not exist or is beyond the scope."""
        found = self.returns.get(return_id)
        if found is None or not self.scope.allows(found.account_id):
            raise NotFound("There is no such return.")
        return found

    def lines_of(self, return_id: UUID) -> list[ReturnLine]:
        own = [line for line in self.lines.values() if line.returned_id == return_id]
        return sorted(own, key=lambda line: line.position)

    def line(self, return_id: UUID, line_id: UUID) -> ReturnLine:
        """A line of the return. Raises NotFound when it is another's."""
        found = self.lines.get(line_id)
        if found is None or found.returned_id != return_id:
            raise NotFound("The return has no such line.")
        return found

    def add_line(self, line: ReturnLine) -> ReturnLine:
        """A line that nobody had announced; inserted with the rest."""
        self.lines[line.pk] = line
        self.fresh_lines.append(line)
        return line

    def count(self, line: ReturnLine, **more: int) -> None:
        """Add to the numbers of a line."""
        for name, units in more.items():
            setattr(line, name, getattr(line, name) + units)
        self._counted.add(line.pk)

    def tell(self, returned: Return, topic: str, **data: object) -> None:
        """Record an event of the return when it is written; raises its `event_seq`."""
        self._told.setdefault(returned.pk, []).append((topic, dict(data)))

    def report(self, kind: str, returned: Return, **evidence: object) -> None:
        """Open a case about the return."""
        self.reports.append(
            case_reports.Report(
                kind,
                "return",
                returned.pk,
                returned.account_id,
                evidence={"return": returned.number, **evidence},
                thread_id=returned.order_id,
            )
        )

    def write(self, *, at: datetime, actor: Actor, reason: str) -> None:
        """Put down what has changed: a constant number of statements."""
        changed = [self.returns[return_id] for return_id in self._told]
        facts = [fact for returned in changed for fact in self._facts(returned, at)]
        if changed:
            Return.objects.for_scope(ALL_ACCOUNTS).bulk_update(changed, _STORED)
            record_history(
                Return,
                [one.pk for one in changed],
                Change.CHANGED,
                at=at,
                actor=actor,
                reason=reason,
            )
        if self.fresh_lines:
            ReturnLine.objects.bulk_create(self.fresh_lines)
        fresh = {line.pk for line in self.fresh_lines}
        counted = [self.lines[line_id] for line_id in sorted(self._counted - fresh)]
        if counted:
            ReturnLine.objects.for_scope(ALL_ACCOUNTS).bulk_update(counted, _COUNTED)
        events.record(facts, at=at, actor=actor)
        case_reports.report(self.reports, at=at)
        self.fresh_lines, self.reports = [], []
        self._told, self._counted = {}, set()

    def _facts(self, returned: Return, at: datetime) -> Iterable[events.Fact]:
        returned.updated_at = max(returned.updated_at, at)
        for topic, data in self._told[returned.pk]:
            returned.event_seq += 1
            yield fact_of(returned, topic, data)

    def standing(self, return_id: UUID) -> ReturnStanding:
        return standing_of(self.returns[return_id])


def fact_of(returned: Return, topic: str, data: Mapping[str, Any]) -> events.Fact:
    """An event of the return as it stands: ids and codes."""
    return events.Fact(
        topic,
        "return",
        returned.pk,
        returned.event_seq,
        returned.account_id,
        {
            "number": returned.number,
            "kind": returned.kind,
            "state": str(returned.state),
            "order_id": str(returned.order_id) if returned.order_id else None,
            **data,
        },
        returned.order_id,
    )


def standing_of(returned: Return) -> ReturnStanding:
    """Where a return stands, for answers."""
    return ReturnStanding(
        returned.pk,
        returned.number,
        str(returned.state),
        returned.order_id,
        returned.words,
        returned.credited_minor,
        returned.exchange_order_id,
    )


def open_returns(
    return_ids: Collection[UUID], *, scope: Scope, order_ids: Collection[UUID] = ()
) -> Work:
    """Lock these returns behind their orders (and `order_ids`) and tenders, and read their lines."""
    wanted = list(dict.fromkeys(return_ids))
    threads = set(
        Return.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=wanted, order__isnull=False)
        .values_list("order_id", flat=True)
    )
    if threads or order_ids:
        orders.services.lock_orders(threads | set(order_ids))
    locked = {one.pk: one for one in Return.objects.for_scope(ALL_ACCOUNTS).locked(wanted)}
    lines = ReturnLine.objects.for_scope(ALL_ACCOUNTS).filter(returned_id__in=list(locked))
    return Work(
        locked, {line.pk: line for line in lines.order_by("returned_id", "position")}, scope
    )


def owner_of(returned: Return) -> UUID:
    """The order that the goods are of. Raises Conflict while nobody knows."""
    if returned.order_id is None:
        raise Conflict("It is not known yet whose order the goods are of.")
    return returned.order_id


def refused(problem: Exception, returned: Return | None = None) -> Outcome[Any]:
    """The outcome of an item that the domain refuses; with what is possible now."""
    code = str(getattr(problem, "code", "refused"))
    extra: dict[str, object] = {}
    if returned is not None and code == "illegal-transition":
        extra = {"state": str(returned.state), "allowed": allowed_transitions(returned)}
    return Outcome.refused(code, str(problem), **extra)


def require(allowed: bool, why: str) -> None:  # noqa: FBT001  # a guard reads as a sentence
    """Raise Conflict unless it is so."""
    if not allowed:
        raise Conflict(why)


def require_account(scope: Scope, account_id: UUID) -> None:
    """Raise Forbidden for an account that the caller does not reach."""
    if not scope.allows(account_id):
        raise Forbidden("You do not work for this account.")


def final_standings(work: Work, verdicts: Sequence[Outcome[UUID]]) -> list[Outcome[ReturnStanding]]:
    """Say of each item where its return stands now."""
    return [
        Outcome(
            verdict.kind,
            work.standing(verdict.value) if verdict.value is not None else None,
            verdict.problem,
        )
        for verdict in verdicts
    ]
