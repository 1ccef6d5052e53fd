"""What should not be left over when nothing is under way: messages, deliveries and questions."""

from config.kernel.types import Scope
from config.reports.sql import reach, row, within


def counted(*, scope: Scope) -> dict[str, int]:
    """Dead messages, deliveries and questions, and such as are neither answered nor given up."""
    found = row(
        f"""
        SELECT
            (SELECT count(*) FROM integrations_inboxmessage m
                WHERE {within(scope, "m")} AND m.state = 'dead') AS "messages that died",
            (SELECT count(*) FROM integrations_inboxmessage m
                WHERE {within(scope, "m")} AND m.state = 'received') AS "messages not applied",
            (SELECT count(*) FROM kernel_delivery d WHERE d.state <> 'done')
                AS "events not delivered",
            (SELECT count(*) FROM kernel_intent i
                WHERE {within(scope, "i")} AND i.state = 'dead') AS "questions that died",
            (SELECT count(*) FROM kernel_intent i
                WHERE {within(scope, "i")} AND i.state IN ('running', 'unknown'))
                AS "questions without an answer"
        """,  # noqa: S608  # own text; values are parameters
        reach(scope),
    )
    return {name: int(number) for name, number in (found or {}).items()}
