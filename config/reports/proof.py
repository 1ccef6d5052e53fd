"""What must hold, as it was asked last."""

from config.kernel.types import Scope
from config.reports.sql import Row, reach, row, rows, within


def invariant_checks(*, scope: Scope) -> Row | None:
    """How many hold, are broken or take too long, and since when all have been asked."""
    return row(
        f"""
        SELECT count(*) AS n, count(*) FILTER (WHERE state = 'broken') AS broken,
            count(*) FILTER (WHERE state = 'too_slow') AS slow, min(checked_at) AS oldest,
            max(checked_at) AS newest
        FROM kernel_invariantcheck c WHERE {within(scope, "c")}
        """,  # noqa: S608  # own text
        reach(scope),
    )


def failing_checks(*, scope: Scope) -> list[Row]:
    """Those that are broken or could not be asked in time, with the account."""
    return rows(
        f"""
        SELECT c.code, c.state, c.found, c.detail, c.spent_ms, c.checked_at, c.held_at,
            a.name AS account
        FROM kernel_invariantcheck c JOIN kernel_account a ON a.id = c.account_id
        WHERE c.state <> 'holds' AND {within(scope, "c")} ORDER BY c.state, c.code LIMIT 100
        """,  # noqa: S608  # own text
        reach(scope),
    )


def broken_sums(*, scope: Scope) -> int:
    """Sums of the books, and other statements, that do not hold."""
    found = row(
        f"""
        SELECT (SELECT count(*) FROM kernel_invariantcheck c
                WHERE c.state = 'broken' AND {within(scope, "c")})
            + (SELECT count(*) FROM inventory_stockdrift d
                WHERE d.closed_at IS NULL AND {within(scope, "d")}) AS n
        """,  # noqa: S608  # own text
        reach(scope),
    )
    return int(found["n"]) if found else 0
