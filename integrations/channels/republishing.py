"""One SKU's figure pushed to a channel anew: looked at there, and set where it differs."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

import inventory.selectors
import inventory.services
from config.kernel.types import Actor
from integrations.models import ChannelCopy, CopyKind


@transaction.atomic
def republish(channel_id: UUID, sku_id: int, reason: str, *, at: datetime, actor: Actor) -> bool:
    """Have the next turn with the channel's shop look at this SKU, whatever it was told before.

    The turn comes within a minute. False for a channel that has no shop to tell: it asks by itself.
    Raises as `inventory.services.republish`.
    """
    kept = inventory.services.republish(channel_id, sku_id, reason, at=at, actor=actor)
    codes = inventory.selectors.codes_for_sale(kept.account_id, channel_id)
    names = [code for code, known in codes.items() if known == sku_id]
    copies = ChannelCopy.objects.for_scope(actor.scope).filter(
        connection__channel_id=channel_id, kind=CopyKind.STOCK, wanted__sku__in=names
    )
    return copies.update(seen_at=None) > 0
