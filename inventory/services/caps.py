"""How much may be sold before it is there: by channel and SKU, and by line that is on its way."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.models import AheadCap, Inbound, InboundLine
from inventory.services.inbound_ahead import count_ahead, count_lines
from inventory.services.notices import OPEN
from inventory.types import CapDraft, LineCap


@transaction.atomic
def set_caps(drafts: Sequence[CapDraft], *, at: datetime, actor: Actor) -> list[Outcome[int]]:
    """Let channels sell so many units of a SKU ahead; the last draft of a channel and SKU counts.

    What was sold already is not taken back: below that nothing more is sold. Without a start it
    counts from now.
    """
    outcomes: list[Outcome[int]] = []
    wanted: dict[tuple[object, int], AheadCap] = {}
    for draft in drafts:
        starts_at = draft.starts_at or at
        if not actor.scope.allows(draft.account_id):
            outcomes.append(Outcome.refused("not-found", "There is no such account."))
        elif draft.units < 0:
            outcomes.append(Outcome.refused("invalid", "Units are counted from none."))
        elif draft.ends_at is not None and draft.ends_at <= starts_at:
            outcomes.append(Outcome.refused("invalid", "It ends after it has begun."))
        else:
            wanted[draft.channel_id, draft.sku_id] = AheadCap(
                account_id=draft.account_id,
                channel_id=draft.channel_id,
                sku_id=draft.sku_id,
                units=draft.units,
                starts_at=starts_at,
                ends_at=draft.ends_at,
                note=draft.note,
            )
            outcomes.append(Outcome.done(draft.sku_id))
    AheadCap.objects.bulk_create(
        sorted(wanted.values(), key=lambda cap: (str(cap.channel_id), cap.sku_id)),
        update_conflicts=True,
        unique_fields=["channel", "sku"],
        update_fields=["units", "starts_at", "ends_at", "note"],
    )
    return outcomes


@transaction.atomic
def end_caps(cap_ids: Sequence[int], *, at: datetime, actor: Actor) -> list[Outcome[int]]:
    """Let the caps count no more from now on; the channel's own rule for backorders is back."""
    found = AheadCap.objects.for_scope(actor.scope).filter(pk__in=cap_ids)
    rows = {row.pk: row for row in found.order_by("pk").select_for_update(of=("self",))}
    for row in rows.values():
        row.starts_at = min(at, row.starts_at)
        row.ends_at = at if row.ends_at is None else min(at, row.ends_at)
    AheadCap.objects.for_scope(actor.scope).bulk_update(rows.values(), ["starts_at", "ends_at"])
    missing = Outcome[int].refused("not-found", "There is no such cap.")
    return [Outcome.done(key) if key in rows else missing for key in cap_ids]


@transaction.atomic
def limit_lines(limits: Sequence[LineCap], *, at: datetime, actor: Actor) -> list[Outcome[int]]:
    """Let at most so much of what each line is still to bring be sold ahead; None is no limit."""
    wanted = {one.inbound_line_id: one for one in limits}
    documents = Inbound.objects.for_scope(actor.scope).filter(state__in=OPEN)
    lines = {
        line.pk: line
        for line in InboundLine.objects.filter(pk__in=wanted, inbound__in=documents)
        .order_by("pk")
        .select_for_update(of=("self",))
    }
    outcomes: list[Outcome[int]] = []
    changed: dict[int, InboundLine] = {}
    for one in limits:
        line, percent = lines.get(one.inbound_line_id), one.ahead_percent
        if line is None:
            outcomes.append(Outcome.refused("not-found", "There is no such line on its way."))
        elif percent is not None and not 0 <= percent <= 100:  # percent
            outcomes.append(Outcome.refused("invalid", "A share is from 0 to 100 percent."))
        else:
            line.ahead_percent = percent
            changed[line.pk] = line
            outcomes.append(Outcome.done(line.pk))
    InboundLine.objects.bulk_update(changed.values(), ["ahead_percent"])
    count_lines(changed)
    return outcomes


@transaction.atomic
def refresh_caps(limit: int, *, at: datetime, actor: Actor) -> int:
    """Bring the counters down to what is still sold ahead, so that pages and channels see it."""
    found = AheadCap.objects.for_scope(ALL_ACCOUNTS).filter(used__gt=0).order_by("pk")
    keys = list(found.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
    count_ahead(keys)
    return len(keys)
