"""What delivery groups were asked with, for whoever plans a recorded demand again."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from config.kernel.types import Scope
from orders.models import DeliveryGroup


class Asked(NamedTuple):
    """A group's own facts, without its lines. `service_level` is empty for the channel's standard."""

    channel_id: UUID
    currency: str
    priority: int
    method: str
    service_level: str
    postal_code: str
    region: str
    country: str
    ship_complete: bool
    requested_by: datetime | None
    tags: list[str]
    customer_tags: list[str]


def asked_of(group_ids: Collection[UUID], scope: Scope) -> dict[UUID, Asked]:
    """The facts of these groups within the scope. One statement."""
    rows = (
        DeliveryGroup.objects.for_scope(scope)
        .filter(pk__in=list(group_ids))
        .values_list(
            "pk",
            "order__channel_id",
            "order__currency",
            "order__priority",
            "method",
            "service_code",
            "postal_code",
            "region",
            "country",
            "ship_complete",
            "requested_by",
            "order__tags",
            "order__customer_tags",
        )
    )
    return {pk: Asked(*said) for pk, *said in rows}
