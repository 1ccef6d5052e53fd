"""Versions of reference values: what processes cache, they cache under the version they read here.

A command reads the topics it needs once, in one statement; whoever changes reference values raises
their topic in the same transaction. No time-to-live, no message that can be lost.
"""

from collections.abc import Sequence

from django.db import connection, transaction

FIRST = 0
"""The version of a topic that nobody has changed yet."""


def read(topics: Sequence[str]) -> dict[str, int]:
    """The version of each topic, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT topic, version FROM kernel_referenceversion WHERE topic = ANY(%s)",
            [list(topics)],
        )
        return dict.fromkeys(topics, FIRST) | dict(cursor.fetchall())


def bump(*topics: str) -> None:
    """Raise the topics, in the transaction that changes what they stand for.

    Topics are raised in alphabetical order, so that two writers never wait for each other in a ring.
    Raises RuntimeError outside a transaction: readers would cache the old values as the new ones.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a version is raised inside the transaction that changes the values")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kernel_referenceversion AS known (topic, version)
            SELECT topic, 1 FROM unnest(%s::text[]) AS topic ORDER BY topic
            ON CONFLICT (topic) DO UPDATE SET version = known.version + 1
            """,
            [sorted(set(topics))],
        )
