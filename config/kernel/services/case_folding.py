"""Reports become cases; cases whose problem is gone end by themselves.

The folder holds a lease, takes reports in the order of their ids, asks once whether a problem that
has no open case yet still stands, and writes the cases in one statement: the partial unique index on
the dedupe key of open cases decides between a new case and one more occurrence.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from config.kernel import case_reports, events, ids
from config.kernel.case_reports import CaseKind
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Case
from config.kernel.services import leases
from config.kernel.services.cases import clear_cases, fact_of
from config.kernel.types import ALL_ACCOUNTS, Actor

BATCH: Final = 500
_OPEN: Final = "('open', 'acknowledged', 'in_progress', 'waiting')"
_log = logging.getLogger(__name__)
_UNKNOWN: Final = CaseKind(
    code="",
    label="Unknown kind",
    severity=3,
    due=timedelta(hours=24),
    owner_team="operations",
    playbook="No installed app declares this kind any more: look at the evidence.",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One report as it was stored."""

    id: UUID
    kind: str
    dedupe_key: str
    subject_kind: str
    subject_id: UUID
    thread_id: UUID | None
    account_id: UUID
    cause: str
    at: datetime
    evidence: dict[str, Any]

    @property
    def key(self) -> tuple[UUID, str]:
        return self.account_id, self.dedupe_key


@dataclass(slots=True)
class Fold:
    """All reports of one problem in a batch: the newest speaks, the others count."""

    newest: Seen
    first_at: datetime
    occurrences: int


def fold_reports(*, at: datetime) -> int:
    """Turn waiting reports into cases, while the folder's lease holds. Returns how many it read."""
    read = 0
    with leases.held("case-folder") as lease:
        while lease is not None:
            batch = _fold_batch(at=at)
            read += batch
            if batch < BATCH:
                break
            lease.renew()
    return read


def clear_resolved(*, at: datetime, limit: int = 2_000) -> int:
    """End the open cases whose predicate no longer holds. Returns how many.

    One look at the open cases, one question per kind, one command. Cases whose kind has no
    predicate wait for a person. `limit` takes those longest unseen first.
    """
    kinds = {kind.code: kind for kind in case_reports.case_kinds() if kind.still_true}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT kind, subject_id, id FROM kernel_case WHERE state IN {_OPEN} "  # noqa: S608
            "AND kind = ANY(%s) ORDER BY last_seen_at LIMIT %s",
            [sorted(kinds), limit],
        )
        rows = sorted(cursor.fetchall())
    gone: list[UUID] = []
    for code, of_kind in groupby(rows, key=lambda row: row[0]):
        subjects = [(subject_id, case_id) for _, subject_id, case_id in of_kind]
        standing = _still_true(kinds[code], [subject_id for subject_id, _ in subjects])
        gone += [case_id for subject_id, case_id in subjects if subject_id not in standing]
    if not gone:
        return 0
    outcomes = clear_cases(
        gone,
        evidence="The detector no longer sees the problem.",
        at=at,
        actor=Actor.system("clear-resolved-cases"),
    )
    return sum(outcome.ok for outcome in outcomes)


def _fold_batch(*, at: datetime) -> int:
    """Predicates are asked before the transaction: they read other apps' tables and lock nothing."""
    waiting = _waiting_reports()
    if not waiting:
        return 0
    folds = _folded(waiting)
    standing = _standing(folds.values())
    with transaction.atomic():
        _mark_folded([seen.id for seen in waiting])
        _open_cases(standing, at=at)
    return len(waiting)


def _waiting_reports() -> list[Seen]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, kind, dedupe_key, subject_kind, subject_id, thread_id, account_id, cause, "
            "at, evidence FROM kernel_casereport WHERE NOT folded ORDER BY id LIMIT %s",
            [BATCH],
        )
        return [Seen(*[*columns, json.loads(evidence)]) for *columns, evidence in cursor.fetchall()]


def _folded(reports: Iterable[Seen]) -> dict[tuple[UUID, str], Fold]:
    folds: dict[tuple[UUID, str], Fold] = {}
    for seen in reports:
        fold = folds.setdefault(seen.key, Fold(seen, seen.at, 0))
        fold.newest = seen
        fold.first_at = min(fold.first_at, seen.at)
        fold.occurrences += 1
    return folds


def _standing(folds: Iterable[Fold]) -> list[Fold]:
    """Drop what would open a case for a problem that is gone already."""
    wanted = list(folds)
    already = _open_keys([fold.newest for fold in wanted])
    kept = [fold for fold in wanted if fold.newest.key in already]
    fresh = sorted(
        (fold for fold in wanted if fold.newest.key not in already),
        key=lambda fold: fold.newest.kind,
    )
    for code, of_kind in groupby(fresh, key=lambda fold: fold.newest.kind):
        same = list(of_kind)
        kind = _kind_of(code)
        standing = _still_true(kind, [fold.newest.subject_id for fold in same])
        kept += [fold for fold in same if fold.newest.subject_id in standing]
    return sorted(kept, key=lambda fold: fold.newest.key)


def _still_true(kind: CaseKind, subject_ids: Sequence[UUID]) -> set[UUID]:
    """Ask the kind's predicate; when it fails the problem counts as standing, and others go on."""
    if kind.still_true is None:
        return set(subject_ids)
    try:
        with transaction.atomic():
            return set(kind.still_true(subject_ids))
    except Exception:  # noqa: BLE001  # whatever an app's predicate raises
        _log.exception("a case predicate failed", extra={"kind": kind.code})
        return set(subject_ids)


def _kind_of(code: str) -> CaseKind:
    try:
        return case_reports.case_kind(code)
    except KeyError:
        return _UNKNOWN


def _open_keys(reports: Sequence[Seen]) -> set[tuple[UUID, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT c.account_id, c.dedupe_key FROM kernel_case c
            JOIN unnest(%s::uuid[], %s::text[]) AS asked (account_id, dedupe_key)
                ON c.account_id = asked.account_id AND c.dedupe_key = asked.dedupe_key
            WHERE c.state IN {_OPEN}
            """,  # noqa: S608  # a constant
            [[seen.account_id for seen in reports], [seen.dedupe_key for seen in reports]],
        )
        return set(cursor.fetchall())


def _mark_folded(report_ids: Sequence[UUID]) -> None:
    """Mark first: a folder that was overtaken finds fewer to mark, and rolls back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_casereport SET folded = true WHERE id = ANY(%s) AND NOT folded",
            [list(report_ids)],
        )
        if cursor.rowcount != len(report_ids):
            raise leases.LeaseLost("another folder has taken these reports")


def _open_cases(folds: Sequence[Fold], *, at: datetime) -> None:
    """Write the cases in one statement; tell of the new ones. A repeat only counts."""
    if not folds:
        return
    kinds = [_kind_of(fold.newest.kind) for fold in folds]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO kernel_case AS c (id, account_id, kind, dedupe_key, subject_kind,
                subject_id, thread_id, severity, owner_team, state, cause, evidence, occurrences,
                opened_at, last_seen_at, due_at, resolution, event_seq)
            SELECT n.id, n.account_id, n.kind, n.dedupe_key, n.subject_kind, n.subject_id,
                n.thread_id, n.severity, n.owner_team, 'open', n.cause, n.evidence, n.occurrences,
                n.first_at, n.last_at, n.first_at + make_interval(secs => n.due_seconds), '', 1
            FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::uuid[],
                    %s::uuid[], %s::smallint[], %s::text[], %s::text[], %s::jsonb[], %s::int[],
                    %s::timestamptz[], %s::timestamptz[], %s::float8[])
                AS n (id, account_id, kind, dedupe_key, subject_kind, subject_id, thread_id,
                    severity, owner_team, cause, evidence, occurrences, first_at, last_at,
                    due_seconds)
            JOIN kernel_account a ON a.id = n.account_id
            ON CONFLICT (account_id, dedupe_key) WHERE state IN {_OPEN}
            DO UPDATE SET occurrences = c.occurrences + EXCLUDED.occurrences,
                last_seen_at = greatest(c.last_seen_at, EXCLUDED.last_seen_at),
                evidence = EXCLUDED.evidence
            RETURNING c.id, old.id IS NULL
            """,  # noqa: S608  # a constant
            [
                [ids.uuid7() for _ in folds],
                [fold.newest.account_id for fold in folds],
                [fold.newest.kind for fold in folds],
                [fold.newest.dedupe_key for fold in folds],
                [fold.newest.subject_kind for fold in folds],
                [fold.newest.subject_id for fold in folds],
                [fold.newest.thread_id for fold in folds],
                [kind.severity for kind in kinds],
                [kind.owner_team for kind in kinds],
                [fold.newest.cause for fold in folds],
                [Jsonb(fold.newest.evidence) for fold in folds],
                [fold.occurrences for fold in folds],
                [fold.first_at for fold in folds],
                [fold.newest.at for fold in folds],
                [kind.due.total_seconds() for kind in kinds],
            ],
        )
        opened = [case_id for case_id, is_new in cursor.fetchall() if is_new]
    actor = Actor.system("case-folder")
    record_history(Case, opened, Change.CREATED, at=at, actor=actor, reason="reported")
    cases = Case.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=opened).order_by("pk")
    events.record([fact_of(case, "case.opened") for case in cases], at=at, actor=actor)
