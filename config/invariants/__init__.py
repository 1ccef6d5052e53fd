"""What must hold at every moment between two transactions, asked of the database in SQL.

Each module declares its invariants at import; they may read across apps, and only `watching` writes: what it
was answered.
Tests of concurrency end with `assert check_all() == []`.
"""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from config.kernel.types import ALL_ACCOUNTS, Scope


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not be: the invariant's code, a sentence, and the ids concerned."""

    code: str
    detail: str
    subject_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Invariant:
    """One statement about the database. `run(scope)` returns what contradicts it, at most 100.

    `sql` asks it of all accounts, where a single query does.
    """

    code: str
    title: str
    run: Callable[[Scope], list[Violation]]
    sql: str = ""


AT_MOST = 100
"""Violations that one invariant reports: more would say no more."""

_invariants: dict[str, Invariant] = {}


def register(*invariants: Invariant) -> None:
    for invariant in invariants:
        if invariant.code in _invariants:
            raise ValueError(f"the invariant {invariant.code} is registered twice")
        _invariants[invariant.code] = invariant


def invariants() -> list[Invariant]:
    """Every invariant of every module here, by code."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return [_invariants[code] for code in sorted(_invariants)]


def check_all(scope: Scope = ALL_ACCOUNTS, *, about: str = "") -> list[Violation]:
    """Ask all of them of one snapshot of the database; an empty list is good news.

    `about` keeps those whose code begins so: "stock." is supply alone.
    """
    return check([known for known in invariants() if known.code.startswith(about)], scope)


def check(wanted: Sequence[Invariant], scope: Scope = ALL_ACCOUNTS) -> list[Violation]:
    """Ask these of one snapshot. Inside a transaction that has begun, each sees what it sees."""
    nested = connection.in_atomic_block
    with transaction.atomic():
        if not nested:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return [violation for invariant in wanted for violation in invariant.run(scope)]


def by_sql(code: str, title: str, detail: str, sql: str) -> Invariant:
    """An invariant whose query returns its contradictions, one row each.

    The first column is the subject's id. `detail` is a sentence with a `{}` per column. The query
    holds `{account}` where a condition on the column `account_id` belongs.
    """

    def run(scope: Scope) -> list[Violation]:
        condition = "true" if scope.everything else "account_id = ANY(%(accounts)s)"
        params: dict[str, Any] = {"accounts": sorted(scope.account_ids)}
        with connection.cursor() as cursor:
            cursor.execute(f"{sql.format(account=condition)} LIMIT {AT_MOST}", params)
            return [
                Violation(code, detail.format(*row), (str(row[0]),)) for row in cursor.fetchall()
            ]

    # Without parameters a percent sign stands for itself.
    return Invariant(code, title, run, sql.format(account="true").replace("%%", "%"))
