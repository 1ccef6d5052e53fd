"""That somebody has read a message as it came: it may name people."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import events
from config.kernel.errors import NotFound
from config.kernel.types import Actor
from integrations.models import InboxMessage


@transaction.atomic
def record_reading(message_id: UUID, *, at: datetime, actor: Actor) -> None:
    """Record that the actor has opened the message's body, whether or not an order is known for it.

    Raises NotFound outside the actor's accounts.
    """
    found = InboxMessage.objects.for_scope(actor.scope).filter(pk=message_id).first()
    if found is None:
        raise NotFound("There is no such message.")
    events.record(
        [
            events.Fact(
                "message.opened",
                "inbox_message",
                found.pk,
                # A message keeps no counter; what was read later sorts later.
                int(at.timestamp() * 1000),
                found.account_id,
                {"source": found.source, "kind": found.kind},
            )
        ],
        at=at,
        actor=actor,
    )
