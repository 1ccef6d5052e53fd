"""What is told of SKUs: that they are there, that something of them is another, that they are over."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db import connection

from config.kernel import events
from config.kernel.types import Actor
from inventory.types import SubjectTag, subject_id

CREATED: Final = "sku.created"
CHANGED: Final = "sku.changed"
RETIRED: Final = "sku.retired"

_RAISE: Final = """
    WITH known AS (
        SELECT id FROM inventory_sku WHERE id = ANY(%s) ORDER BY id FOR UPDATE
    )
    UPDATE inventory_sku sku SET event_seq = sku.event_seq + 1 FROM known
    WHERE sku.id = known.id
    RETURNING sku.id, sku.account_id, sku.code, sku.lifecycle, sku.event_seq
"""


def tell_items(
    news: Mapping[int, tuple[str, Sequence[str]]], *, at: datetime, actor: Actor
) -> None:
    """Record an event per SKU: its topic, and what of it is another. Two statements, none for none.

    In the transaction that made it true.
    """
    if not news:
        return
    with connection.cursor() as cursor:
        cursor.execute(_RAISE, [sorted(news)])
        rows = sorted(cursor.fetchall())
    events.record(
        [
            events.Fact(
                news[pk][0],
                "sku",
                subject_id(SubjectTag.SKU, pk),
                seq,
                account_id,
                {"sku_id": pk, "sku": code, "lifecycle": lifecycle, "parts": list(news[pk][1])},
            )
            for pk, account_id, code, lifecycle, seq in rows
        ],
        at=at,
        actor=actor,
    )
