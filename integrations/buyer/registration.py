"""What the buyers' part tells the registries at start-up."""

from typing import TYPE_CHECKING

from config.kernel import case_reports, events, registry
from config.kernel.registry import Kind
from config.kernel.services import intents
from integrations.buyer import facts, handlers, problems, selectors, services
from orders import erasing

if TYPE_CHECKING:
    from config.kernel.services.intents import Answer, LeasedIntent


def register_all() -> None:
    """Called once, from `ready()`."""
    registry.register(
        Kind(
            "buyer_message",
            "Message to the buyer",
            lambda _: "",  # it is read on its order's page
        )
    )
    case_reports.declare(*problems.KINDS)
    events.subscribe(handlers.WRITE_MESSAGES, facts.TOPICS, handlers.on_news)
    intents.register(
        services.SEND,
        _perform,
        on_answer=services.record_answer,
        find=_find,
        revivable=False,
        instead="send the message again from the order's page",
    )
    erasing.declare("integrations.buyer_messages", selectors.message_keys)


def _perform(intent: "LeasedIntent") -> "Answer":
    """What speaks to mail servers is loaded with the first message."""
    from integrations.buyer import mail

    return mail.perform(intent)


def _find(intent: "LeasedIntent") -> "Answer | None":
    from integrations.buyer import mail

    return mail.find(intent)
