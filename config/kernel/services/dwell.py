"""What stays too long in a state is stuck: every state of every machine names its limit.

Apps declare, for each state that must pass, how long it may last and how to find what overstays.
Detection reports a STUCK case once; the case ends by itself when the subject has moved on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection

from config.kernel import case_reports, clock
from config.kernel.case_reports import Report

STUCK: Final = "STUCK"
FOUND_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Stayer:
    """A subject that has been in its state since `since`."""

    subject_id: UUID
    account_id: UUID
    since: datetime
    thread_id: UUID | None = None


Finder = Callable[[datetime, Sequence[UUID] | None, int], Sequence[Stayer]]
"""`finder(before, among, limit)`: who has been in the state since before `before`, among these ids or
all, at most `limit`, the longest first. One statement."""


@dataclass(frozen=True, slots=True)
class Limit:
    kind: str
    state: str
    limit: timedelta
    finder: Finder


_limits: dict[tuple[str, str], Limit] = {}


def declare(kind: str, state: str, limit: timedelta, finder: Finder) -> None:
    """Name the longest stay of a subject kind in a state; called from `AppConfig.ready()`."""
    if (kind, state) in _limits:
        raise ValueError(f"the stay of {kind} in {state} is declared twice")
    _limits[kind, state] = Limit(kind, state, limit, finder)


def declared() -> list[tuple[str, str]]:
    return sorted(_limits)


def detect(*, at: datetime) -> int:
    """Report who overstays and has no open case yet. One question per declared limit."""
    reports = [
        Report(
            STUCK,
            subject_kind=bound.kind,
            subject_id=stayer.subject_id,
            account_id=stayer.account_id,
            thread_id=stayer.thread_id,
            cause=f"{bound.kind} {bound.state}",
            dedupe_key=f"{STUCK}:{bound.kind}:{stayer.subject_id}",
            evidence={"state": bound.state, "since": stayer.since.isoformat()},
        )
        for bound in _limits.values()
        for stayer in bound.finder(at - bound.limit, None, FOUND_AT_ONCE)
    ]
    known = _with_open_case([report.key for report in reports])
    fresh = [report for report in reports if report.key not in known]
    case_reports.report(fresh, at=at)
    return len(fresh)


def still_stuck(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Of these subjects, those that overstay in any declared state now."""
    at = clock.now()
    return {
        stayer.subject_id
        for bound in _limits.values()
        for stayer in bound.finder(at - bound.limit, subject_ids, len(subject_ids))
    }


def _with_open_case(keys: Sequence[str]) -> set[str]:
    if not keys:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT dedupe_key FROM kernel_case WHERE dedupe_key = ANY(%s) "
            "AND state IN ('open', 'acknowledged', 'in_progress', 'waiting') "
            "UNION ALL "
            "SELECT dedupe_key FROM kernel_casereport WHERE dedupe_key = ANY(%s) AND NOT folded",
            [list(keys), list(keys)],
        )
        return {key for (key,) in cursor.fetchall()}
