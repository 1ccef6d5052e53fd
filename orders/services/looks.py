"""Looks at personal data: who has seen an order's contacts in full stands in its timeline."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import events
from config.kernel.types import Actor


@transaction.atomic
def record_looks(
    order_id: UUID,
    number: str,
    account_id: UUID,
    contact_ids: Sequence[UUID],
    place: str,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Record that the actor has seen these contacts at `place`: one event per contact and look."""
    events.record(
        [
            events.Fact(
                "contact.revealed",
                "contact",
                contact_id,
                # A contact row keeps no counter; what was looked at later sorts later.
                int(at.timestamp() * 1000),
                account_id,
                {"number": number, "place": place},
                order_id,
            )
            for contact_id in contact_ids
        ],
        at=at,
        actor=actor,
    )
