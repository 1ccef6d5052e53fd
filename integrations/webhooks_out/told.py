"""Which versions of promises a channel has heard of when a delivery has arrived. Pure."""

from typing import Final
from uuid import UUID

from integrations.models import WebhookDelivery
from orders.types import Telling

WITH_DATES: Final = frozenset({"order.promise_moved"})
"""The topics whose payload shows the dates of a promise."""


def promises_in(delivery: WebhookDelivery) -> list[Telling]:
    """What the delivery has told its receiver of promises."""
    if delivery.topic not in WITH_DATES:
        return []
    promise_id = delivery.payload.get("data", {}).get("promise_id")
    return [Telling(UUID(promise_id), "channel", "webhook", delivery.pk)] if promise_id else []
