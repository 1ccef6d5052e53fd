"""What messages to buyers follow from."""

from collections.abc import Sequence

from config.kernel import clock
from config.kernel.events import Recorded
from config.kernel.types import Actor
from integrations.buyer import services

WRITE_MESSAGES = "buyer.write_messages"


def on_news(events: Sequence[Recorded]) -> None:
    """Write what the events have buyers told."""
    services.write_messages(events, at=clock.now(), actor=Actor.system(WRITE_MESSAGES))
