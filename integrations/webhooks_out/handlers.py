"""What webhooks follow from."""

from collections.abc import Sequence

from config.kernel import clock
from config.kernel.events import Recorded
from config.kernel.types import Actor
from integrations.webhooks_out import deliveries

FAN_OUT = "webhooks.fan_out"


def on_event(events: Sequence[Recorded]) -> None:
    """Write a delivery for every endpoint that wants to hear of the events."""
    deliveries.fan_out(events, at=clock.now(), actor=Actor.system(FAN_OUT))
