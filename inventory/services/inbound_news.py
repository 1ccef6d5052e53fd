"""What becomes of goods on their way, told as events of their documents."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from config.kernel import events
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.models import Inbound
from inventory.types import SubjectTag, subject_id


def tell_inbound(
    documents: Mapping[int, Inbound],
    topic: str,
    data: Mapping[int, Mapping[str, Any]],
    change: Change,
    reason: str,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """One event and one line of history per document, in the caller's transaction.

    `data` is what each event says beyond the document; it names the SKUs that it is about.
    """
    if not documents:
        return
    for row in documents.values():
        row.event_seq += 1
    Inbound.objects.for_scope(ALL_ACCOUNTS).bulk_update(documents.values(), ["event_seq"])
    record_history(Inbound, documents, change, at=at, actor=actor, reason=reason[:100])
    events.record(
        [
            events.Fact(
                topic,
                "inbound",
                subject_id(SubjectTag.INBOUND, row.pk),
                row.event_seq,
                row.account_id,
                {"inbound_id": row.pk, "number": row.number, "node_id": row.node_id, **data[pk]},
            )
            for pk, row in documents.items()
        ],
        at=at,
        actor=actor,
    )
