"""What our own parcels teach routing: how long carriers take on each lane."""

from datetime import datetime, timedelta
from typing import Final

from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment.models import Parcel
from fulfillment.states import ParcelState
from orders.states import Method
from routing.services.learnt_lanes import LaneFact, learn_lanes

LEARN_OVER: Final = timedelta(days=120)
MOST_PARCELS: Final = 100_000
"""The latest so many: what carriers did lately counts most, and the step stays short."""


def teach_lanes(*, at: datetime, actor: Actor) -> int:
    """Have routing learn its lanes anew from the parcels delivered lately. Answers how many count."""
    delivered = (
        Parcel.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            state=ParcelState.DELIVERED,
            handed_over_at__gt=at - LEARN_OVER,
            delivered_at__isnull=False,
            fulfillment_order__method=Method.SHIP,
        )
        .order_by("-id")
        .values_list(
            "fulfillment_order__node_id",
            "fulfillment_order__service_level__code",
            "fulfillment_order__group__postal_code",
            "fulfillment_order__group__region",
            "fulfillment_order__group__country",
            "handed_over_at",
            "delivered_at",
        )[:MOST_PARCELS]
    )
    facts = (
        LaneFact(node_id, service or "", postal_code, region, country, left_at, arrived_at)
        for node_id, service, postal_code, region, country, left_at, arrived_at in (
            delivered.iterator(chunk_size=2_000)
        )
    )
    return learn_lanes(facts, at=at, actor=actor)
