"""Handlers of events: what channels are to hold by them becomes copies."""

from collections.abc import Sequence
from typing import Final

from config.kernel.events import Recorded
from config.kernel.types import Actor
from integrations.channels import copies, telling

CONSUMER: Final = "integrations.tell_channels"
TOPICS: Final = (
    "order.accepted",
    "order.credited",
    "order.units_cancelled",
    "parcel.collected",
    "parcel.shipment_reversed",
    "parcel.shipped",
    "payment.refund_due_elsewhere",
)


def tell_channels(batch: Sequence[Recorded]) -> None:
    """Have the shops that orders came from told what became of them."""
    copies.want(
        telling.wanted_by(batch),
        at=max(event.at for event in batch),
        actor=Actor.system(CONSUMER, causation_id=str(batch[-1].id)),
    )
