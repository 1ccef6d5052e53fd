"""Keys from outside that count once, for ever, across partitions: (scope, source, external id)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection


@dataclass(frozen=True, slots=True)
class Claim:
    """Our record `subject_id` wants to be the one that stands for the outside's `external_id`."""

    source: str
    external_id: str
    subject_id: UUID


def claim(scope: str, claims: Sequence[Claim]) -> list[UUID]:
    """Answer for each claim, in order, whose the key is: its own `subject_id` when it was first.

    Two statements at most. Of equal keys in one batch the first wins. Call it inside the
    transaction that makes the effect; a concurrent claim of the same key waits for that one.
    """
    first: dict[tuple[str, str], UUID] = {}
    for wanted in claims:
        first.setdefault((wanted.source, wanted.external_id), wanted.subject_id)
    if not first:
        return []
    # Sorted, so that two batches with the same keys do not wait for each other in a ring.
    keys = sorted(first)
    sources, external_ids = [key[0] for key in keys], [key[1] for key in keys]
    owners = first
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kernel_externalkey (scope, source, external_id, subject_id)
            SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::uuid[])
            ON CONFLICT (scope, source, external_id) DO NOTHING
            """,
            [scope, sources, external_ids, [first[key] for key in keys]],
        )
        if cursor.rowcount < len(keys):
            cursor.execute(
                """
                SELECT k.source, k.external_id, k.subject_id FROM kernel_externalkey k
                JOIN unnest(%s::text[], %s::text[]) AS asked (source, external_id)
                  ON k.source = asked.source AND k.external_id = asked.external_id
                WHERE k.scope = %s
                """,
                [sources, external_ids, scope],
            )
            owners = {(source, key): owner for source, key, owner in cursor.fetchall()}
    return [owners[wanted.source, wanted.external_id] for wanted in claims]


def give_up(scope: str, claims: Sequence[Claim]) -> None:
    """Free keys that this transaction has claimed: what they stood for was refused after all."""
    if not claims:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM kernel_externalkey k
            USING unnest(%s::text[], %s::text[], %s::uuid[]) AS ours (source, external_id, owner)
            WHERE k.scope = %s AND k.source = ours.source AND k.external_id = ours.external_id
              AND k.subject_id = ours.owner
            """,
            [
                [claim.source for claim in claims],
                [claim.external_id for claim in claims],
                [claim.subject_id for claim in claims],
                scope,
            ],
        )


def owners_of(scope: str, source: str, external_ids: Sequence[str]) -> dict[str, UUID]:
    """What these outside ids stand for with us; those nobody claimed are absent."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT external_id, subject_id FROM kernel_externalkey "
            "WHERE scope = %s AND source = %s AND external_id = ANY(%s)",
            [scope, source, list(external_ids)],
        )
        return dict(cursor.fetchall())
