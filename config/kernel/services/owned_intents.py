"""What the command that owns a kind of intent may do with them, in its own transaction.

They belong to orders, parcels and the like, whose rows the caller has locked before.
"""

from collections.abc import Sequence

from django.db import connection

from config.kernel.services import intent_leases
from config.kernel.services.intents import AGAIN


def ask_again(kind: str, keys: Sequence[str]) -> set[str]:
    """Have dead intents of a kind looked up, and tried again where they never happened.

    Returns the keys that were dead.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE kernel_intent SET {AGAIN} "  # noqa: S608  # own text
            "WHERE kind = %s AND key = ANY(%s) AND state = 'dead' RETURNING key",
            [kind, list(keys)],
        )
        return {key for (key,) in cursor.fetchall()}


def lock_unasked(kind: str, keys: Sequence[str]) -> set[str]:
    """Keep from every worker, until the transaction ends, what nobody has been asked to do yet.

    Waits for no one: an intent that a worker is just taking is left out. Returns the keys held.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key FROM kernel_intent WHERE kind = %s AND key = ANY(%s) AND state = 'pending' "
            "ORDER BY id FOR UPDATE SKIP LOCKED",
            [kind, list(keys)],
        )
        return {key for (key,) in cursor.fetchall()}


def withdraw(kind: str, keys: Sequence[str], *, why: str) -> set[str]:
    """End what was not asked (`lock_unasked` first), or was given up and is settled otherwise.

    Returns the keys withdrawn.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_intent SET state = 'refused', last_error = %s, lease_until = NULL "
            "WHERE kind = %s AND key = ANY(%s) AND state IN ('pending', 'dead') "
            "RETURNING key, queue",
            [why, kind, list(keys)],
        )
        ended = cursor.fetchall()
    intent_leases.advance_later(queue for _, queue in ended)
    return {key for key, _ in ended}
