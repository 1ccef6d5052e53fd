"""How long what a channel's buyers get must last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import versions
from config.kernel.errors import Invalid
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.lives import TOPIC
from inventory.models import ChannelLife
from inventory.selections import columns_of
from inventory.types import Selection


@dataclass(frozen=True, slots=True)
class LifeDraft:
    """SKUs of which a channel's buyers must be left so many days."""

    selection: Selection
    days: int


@transaction.atomic
def set_lives(
    account_id: UUID,
    channel_id: UUID,
    drafts: Sequence[LifeDraft],
    *,
    at: datetime,
    actor: Actor,
) -> list[int]:
    """Put these in the place of what the channel asked for until now; what is bound stays bound.

    Raises Invalid for an account that is not the actor's, or no days.
    """
    if not actor.scope.allows(account_id):
        raise Invalid("The account is not yours.")
    if any(draft.days <= 0 for draft in drafts):
        raise Invalid("A remaining life is of at least one day.")
    known = ChannelLife.objects.for_scope(ALL_ACCOUNTS).filter(
        account_id=account_id, channel_id=channel_id
    )
    gone = list(known.values_list("pk", flat=True))
    record_history(ChannelLife, gone, Change.DELETED, at=at, actor=actor)
    known.delete()
    made = ChannelLife.objects.for_scope(ALL_ACCOUNTS).bulk_create(
        [
            ChannelLife(
                account_id=account_id,
                channel_id=channel_id,
                days=draft.days,
                **columns_of(draft.selection),
            )
            for draft in drafts
        ]
    )
    keys = [row.pk for row in made]
    record_history(ChannelLife, keys, Change.CREATED, at=at, actor=actor)
    versions.bump(TOPIC)
    return keys
