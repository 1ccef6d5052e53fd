"""What outgoing webhooks tell the registries at start-up."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from config.kernel import case_reports, events, registry
from config.kernel.registry import Kind
from config.kernel.services import intents
from integrations.webhooks_out import cases, deliveries, handlers
from integrations.webhooks_out.topics import TOPICS

if TYPE_CHECKING:
    from config.kernel.services.intents import Answer, LeasedIntent


def register_all() -> None:
    """Called once, from `ready()`."""
    registry.register(Kind("webhook_endpoint", "Webhook endpoint", _path("webhooks/to")))
    registry.register(Kind("webhook_delivery", "Webhook delivery", _path("webhooks")))
    case_reports.declare(*cases.KINDS)
    events.subscribe(handlers.FAN_OUT, TOPICS, handlers.on_event)
    intents.register(
        deliveries.DELIVER,
        _perform,
        on_answer=deliveries.record_answer,
        revivable=False,
        instead="replay the delivery of the endpoint",
    )


def _perform(intent: "LeasedIntent") -> "Answer":
    """What speaks HTTP is loaded with the first delivery."""
    from integrations.webhooks_out import sending

    return sending.perform(intent)


def _path(page: str) -> Callable[[UUID], str]:
    def path(key: UUID) -> str:
        return f"/console/{page}/{key}/"

    return path
