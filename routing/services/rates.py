"""Rate cards: what services are expected to cost and take, by distance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from config.kernel import versions
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import Actor
from routing.models import RateCard, RateZone


@dataclass(frozen=True, slots=True)
class ZoneDraft:
    """A ring of a rate card. Money in minor units of the card's currency, days of the carrier's."""

    max_km: int
    base_minor: int
    per_kg_minor: int
    days_p50: int
    days_p90: int


@dataclass(frozen=True, slots=True)
class RateCardDraft:
    """What a service level is expected to cost and take. `carrier_id` None: whoever the node uses."""

    code: str
    service_level_id: int
    zones: tuple[ZoneDraft, ...]
    currency: str = "USD"
    carrier_id: int | None = None
    name: str = ""
    holiday_country: str = "US"


@transaction.atomic
def define_rate_cards(drafts: Sequence[RateCardDraft], *, at: datetime, actor: Actor) -> list[int]:
    """Create or replace the rate cards of service levels; return their ids in order."""
    cards = RateCard.objects.bulk_create(
        [
            RateCard(
                code=draft.code,
                name=draft.name,
                service_level_id=draft.service_level_id,
                carrier_id=draft.carrier_id,
                currency=draft.currency,
                holiday_country=draft.holiday_country,
            )
            for draft in drafts
        ],
        update_conflicts=True,
        unique_fields=["service_level"],
        update_fields=["code", "name", "carrier", "currency", "holiday_country"],
    )
    levels = [draft.service_level_id for draft in drafts]
    pks = dict(
        RateCard.objects.filter(service_level_id__in=levels).values_list("service_level_id", "pk")
    )
    replaced = RateZone.objects.filter(card__in=pks.values())
    record_history(
        RateZone,
        list(replaced.values_list("pk", flat=True)),
        Change.DELETED,
        at=at,
        actor=actor,
        reason="replaced",
    )
    replaced.delete()
    zones = RateZone.objects.bulk_create(
        RateZone(
            card_id=pks[draft.service_level_id],
            max_km=zone.max_km,
            base_minor=zone.base_minor,
            per_kg_minor=zone.per_kg_minor,
            days_p50=zone.days_p50,
            days_p90=zone.days_p90,
        )
        for draft in drafts
        for zone in draft.zones
    )
    if cards:
        record_history(RateCard, pks.values(), Change.CHANGED, at=at, actor=actor, reason="defined")
    record_history(
        RateZone, [zone.pk for zone in zones], Change.CREATED, at=at, actor=actor, reason="defined"
    )
    versions.bump("rates")
    return [pks[level] for level in levels]
