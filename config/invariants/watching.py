"""Every invariant of every account is asked again and again, the one longest unasked first."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from django.db import OperationalError, connection, transaction

from config.invariants import Invariant, Violation, check, invariants
from config.kernel import case_reports, registry, ticker
from config.kernel.case_reports import CaseKind, Report
from config.kernel.models import Account, CheckState, InvariantCheck
from config.kernel.types import ALL_ACCOUNTS, Scope

INVARIANT_BROKEN: Final = "INVARIANT_BROKEN"
EVERY_SECONDS: Final = 30
SPENT_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 5
"""How long PostgreSQL may take over one; one that takes longer is asked by `check_invariants` alone."""
_NAMES: Final = UUID("0d1f0a5e-6f0e-5d4b-9a57-1c2b6c1d9e11")
_SHOWN: Final = 3


def register_all() -> None:
    """The case kind and the step; called once, from `ready()`."""
    registry.register(registry.Kind("invariant", "Invariant", lambda _: "/console/drift/"))
    case_reports.declare(
        CaseKind(
            code=INVARIANT_BROKEN,
            label="Something that must hold does not",
            severity=1,
            due=timedelta(hours=4),
            owner_team="engineering",
            playbook="Read what contradicts it and what changed it last; mend the cause first.",
            still_true=still_broken,
        )
    )
    ticker.register("console.watch_invariants", EVERY_SECONDS, _step)


def still_broken(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Checks whose invariant was broken when it was asked last."""
    rows = InvariantCheck.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=subject_ids, state=CheckState.BROKEN
    )
    return set(rows.values_list("pk", flat=True))


def _step(at: datetime) -> None:
    watch_invariants(seconds=SPENT_SECONDS, at=at)


def watch_invariants(*, seconds: float, at: datetime, about: str = "") -> int:
    """Ask until so much time is spent, or each was asked once; returns how many were asked.

    Called with no transaction open: each is asked in one of its own, for one account. `about` keeps
    those whose code begins so.
    """
    give_up = time.monotonic() + seconds
    asked = 0
    for account_id, invariant in _in_turn(about):
        _ask(account_id, invariant, at=at)
        asked += 1
        if time.monotonic() >= give_up:
            break
    return asked


def _in_turn(about: str) -> list[tuple[UUID, Invariant]]:
    """All of them, those never asked first, then by when they were."""
    rows = InvariantCheck.objects.for_scope(ALL_ACCOUNTS)
    last = {(row[0], row[1]): row[2] for row in rows.values_list("account", "code", "checked_at")}
    pairs = [
        (account_id, invariant)
        for account_id in Account.objects.order_by("pk").values_list("pk", flat=True)
        for invariant in invariants()
        if invariant.code.startswith(about)
    ]
    never = [pair for pair in pairs if (pair[0], pair[1].code) not in last]
    known = [pair for pair in pairs if (pair[0], pair[1].code) in last]
    return never + sorted(known, key=lambda pair: last[pair[0], pair[1].code])


def _ask(account_id: UUID, invariant: Invariant, *, at: datetime) -> None:
    begun = time.monotonic()
    found: list[Violation] = []
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{LONGEST_SECONDS}s'")
            found = check([invariant], Scope(frozenset({account_id})))
        state = CheckState.BROKEN if found else CheckState.HOLDS
    except OperationalError:
        state = CheckState.TOO_SLOW
    spent = round((time.monotonic() - begun) * 1_000)
    _keep(account_id, invariant, state, found, spent, at=at)


@transaction.atomic
def _keep(
    account_id: UUID,
    invariant: Invariant,
    state: CheckState,
    found: Sequence[Violation],
    spent: int,
    *,
    at: datetime,
) -> None:
    key = uuid5(_NAMES, f"{account_id} {invariant.code}")
    said = " ".join(violation.detail for violation in found[:_SHOWN])
    rows = InvariantCheck.objects.for_scope(ALL_ACCOUNTS)
    before = rows.filter(pk=key).values_list("state", "held_at").first() or ("", None)
    held_at = at if state is CheckState.HOLDS else before[1]
    values = {
        "account_id": account_id,
        "code": invariant.code,
        "state": state.value,
        "found": len(found),
        "detail": said,
        "spent_ms": spent,
        "checked_at": at,
        "held_at": held_at,
    }
    rows.update_or_create(pk=key, defaults=values)
    if state is CheckState.BROKEN and before[0] != state.value:
        evidence = {
            "code": invariant.code,
            "title": invariant.title,
            "found": len(found),
            "said": said,
            "subjects": [violation.subject_ids[0] for violation in found if violation.subject_ids],
            "held_at": held_at.isoformat() if held_at else None,
        }
        observed = Report(INVARIANT_BROKEN, "invariant", key, account_id, evidence)
        case_reports.report([observed], at=at)
