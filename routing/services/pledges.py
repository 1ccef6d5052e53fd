"""What channels promise their buyers: written down, and ended; never changed."""

from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from django.db import transaction

from config.kernel import versions
from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Channel
from config.kernel.types import Actor
from routing.quote_models import ChannelPledge

TOPIC = "policy"
"""What plans know of pledges is kept under the version of policies."""


@dataclass(frozen=True, slots=True)
class PledgeDraft:
    """What a channel promises of a service level; without one, of every one. Days are working days."""

    account_id: UUID
    channel_id: UUID
    starts_at: datetime
    service_level_id: int | None = None
    ship_days: int | None = None
    deliver_days: int | None = None
    cutoff: time | None = None
    holiday_country: str = "US"
    ends_at: datetime | None = None


@transaction.atomic
def pledge(draft: PledgeDraft, *, at: datetime, actor: Actor) -> ChannelPledge:
    """Have nobody promise later than this from its start on. Orders placed before stay as they are.

    Raises NotFound beyond the scope, and Invalid for one that promises nothing.
    """
    if draft.ship_days is None and draft.deliver_days is None:
        raise Invalid("Say in how many days it leaves, or arrives.")
    if draft.ends_at is not None and draft.ends_at <= draft.starts_at:
        raise Invalid("It ends before it starts.")
    found = Channel.objects.for_scope(actor.scope).filter(
        pk=draft.channel_id, account_id=draft.account_id
    )
    if not found.exists():
        raise NotFound("There is no such channel.")
    made = ChannelPledge.objects.create(
        account_id=draft.account_id,
        channel_id=draft.channel_id,
        service_level_id=draft.service_level_id,
        ship_days=draft.ship_days,
        deliver_days=draft.deliver_days,
        cutoff=draft.cutoff,
        holiday_country=draft.holiday_country,
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
    )
    record_history(ChannelPledge, [made.pk], Change.CREATED, at=at, actor=actor, reason="pledged")
    versions.bump(TOPIC)
    return made


@transaction.atomic
def end_pledge(pledge_id: UUID, *, at: datetime, actor: Actor) -> ChannelPledge:
    """Have it bind nothing that is placed from now on; what it binds already stays bound.

    Raises NotFound outside the scope, Conflict for one that has ended.
    """
    rows = ChannelPledge.objects.for_scope(actor.scope).select_for_update()
    row: ChannelPledge | None = rows.filter(pk=pledge_id).first()
    if row is None:
        raise NotFound("There is no such pledge.")
    if row.ends_at is not None and row.ends_at <= at:
        raise Conflict("It has ended already.")
    if row.starts_at >= at:
        raise Conflict("It has not begun: it binds nothing before its start.")
    row.ends_at = at
    row.save(update_fields=["ends_at"])
    record_history(ChannelPledge, [row.pk], Change.CHANGED, at=at, actor=actor, reason="ended")
    versions.bump(TOPIC)
    return row
