"""What may be wished of work that a node has, besides its end: in words, and why not now."""

from typing import Final
from uuid import UUID

from config.kernel.types import Scope
from fulfillment import selectors

SAID: Final = {
    "pull_back": (
        "Send {number} from another node",
        "What is not packed is sourced without this node. A node that has begun is asked first.",
        "Take it back",
        "{number}: what is not packed is taken back, or asked for.",
    ),
    "change_service": (
        "Send {number} by another service",
        "A node that has begun is asked first; the label is bought for the new service.",
        "Change the service",
        "{number}: it leaves by the other service, or the node is asked to.",
    ),
}
"""Wish → title, what it means, the button, and what is said afterwards."""


def wishes(work_id: UUID, scope: Scope) -> list[dict[str, str]]:
    """What may be wished of the work, and why not; the address has a form of its own."""
    found = selectors.fulfillment_orders(scope).filter(pk=work_id).first()
    if found is None:
        return []
    return [
        {"code": each.code, "label": each.label, "reason": each.reason}
        for each in selectors.wishes_about(found)
        if each.code in SAID
    ]
