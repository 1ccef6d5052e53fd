"""Reporting a case: one insert in the caller's transaction, no lock, no lookup.

Kinds are declared by the app that detects them (`cases.py`); a leased folder turns reports into
cases (`config.kernel.services.cases`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg.types.json import Jsonb

from config.kernel import ids


@dataclass(frozen=True, slots=True)
class CaseKind:
    """A kind of exception: how bad, whose, by when, what to do, and whether it still stands.

    `still_true(subject_ids)` returns those for which the problem persists; None means that only
    a person can tell. `playbook` is the sentence that says what to do first.
    """

    code: str
    label: str
    severity: int
    due: timedelta
    owner_team: str
    playbook: str
    still_true: Callable[[Sequence[UUID]], set[UUID]] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One observation. `cause` groups cases with one root (node and SKU, carrier and hub)."""

    kind: str
    subject_kind: str
    subject_id: UUID
    account_id: UUID
    evidence: Mapping[str, Any] = field(default_factory=dict)
    cause: str = ""
    thread_id: UUID | None = None
    dedupe_key: str = ""

    @property
    def key(self) -> str:
        return self.dedupe_key or f"{self.kind}:{self.subject_id}"


_kinds: dict[str, CaseKind] = {}


def declare(*kinds: CaseKind) -> None:
    """Make the kinds known; called from `AppConfig.ready()`."""
    for kind in kinds:
        if kind.code in _kinds:
            raise ValueError(f"the case kind {kind.code} is declared twice")
        _kinds[kind.code] = kind


def case_kind(code: str) -> CaseKind:
    return _kinds[code]


def case_kinds() -> list[CaseKind]:
    return [_kinds[code] for code in sorted(_kinds)]


def report(reports: Iterable[Report], *, at: datetime) -> None:
    """Insert the reports in one statement. Raises KeyError for a kind nobody declared."""
    wanted = list(reports)
    if not wanted:
        return
    for observed in wanted:
        _kinds[observed.kind]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kernel_casereport (id, kind, dedupe_key, subject_kind, subject_id,
                account_id, thread_id, cause, evidence, at, folded)
            SELECT seen.*, %s, false
            FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::uuid[], %s::uuid[],
                %s::uuid[], %s::text[], %s::jsonb[]) AS seen
            """,
            [
                at,
                [ids.uuid7() for _ in wanted],
                [observed.kind for observed in wanted],
                [observed.key for observed in wanted],
                [observed.subject_kind for observed in wanted],
                [observed.subject_id for observed in wanted],
                [observed.account_id for observed in wanted],
                [observed.thread_id for observed in wanted],
                [observed.cause for observed in wanted],
                [Jsonb(dict(observed.evidence)) for observed in wanted],
            ],
        )
