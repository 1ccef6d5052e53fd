"""A figure told anew because somebody asks for it: counted again, and owed to its channel again."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import events
from config.kernel.errors import Invalid, NotFound
from config.kernel.types import Actor
from inventory.models import ChannelAvailability
from inventory.services.publishing import touch
from inventory.types import SubjectTag, subject_id


@transaction.atomic
def republish(
    channel_id: UUID, sku_id: int, reason: str, *, at: datetime, actor: Actor
) -> ChannelAvailability:
    """Give the kept figure a new version, which its channel was not told, and count it again.

    Raises Invalid without a reason, NotFound for a figure out of the actor's scope or never counted.
    """
    if not reason.strip():
        raise Invalid("Say why the channel is to be told again.")
    kept: ChannelAvailability | None = (
        ChannelAvailability.objects.for_scope(actor.scope)
        .select_for_update(of=("self",))
        .select_related("channel", "sku")
        .filter(channel_id=channel_id, sku_id=sku_id)
        .first()
    )
    if kept is None:
        raise NotFound("No figure of this SKU was counted for the channel yet.")
    kept.version += 1
    kept.changed_at = at
    kept.save(update_fields=["version", "changed_at"])
    events.record(
        [
            events.Fact(
                "availability.republish_asked",
                "channel_sku",
                subject_id(SubjectTag.CHANNEL_SKU, kept.pk),
                kept.version,
                kept.account_id,
                {
                    "channel_id": str(channel_id),
                    "channel": kept.channel.code,
                    "sku_id": sku_id,
                    "sku": kept.sku.code,
                    "units": kept.ats,
                    "version": kept.version,
                    "reason": reason,
                },
            )
        ],
        at=at,
        actor=actor,
    )
    touch([sku_id], channel_id=channel_id, at=at)
    return kept
