"""What routing does when supply moves: planned orders are to be looked at again."""

from collections.abc import Sequence
from uuid import UUID

from config.kernel.events import Recorded
from routing.services.reoptimise import want_replanning

CONSUMER = "routing.want_replanning"
TOPICS = (
    "stock.short",
    "stock.received",
    "node.paused",
    "node.resumed",
    "node.activated",
    "node.drained",
    "node.edited",
    "node.plan_started",
    "node.plan_ended",
    "node.plan_cancelled",
)
OF_WORK = frozenset(
    {
        "capabilities",
        "capacities",
        "closures",
        "cutoffs",
        "functions",
        "hours",
        "pickups",
        "special_days",
        "timezone",
    }
)
"""Parts of a node by which it can do more or less, sooner or later. What is merely full moves nobody:
who stands there is counted already."""


def on_supply_moved(batch: Sequence[Recorded]) -> None:
    """Stock fell short or came in, a node shut, opened or can do more or less: one wish per account."""
    causes: dict[UUID, list[str]] = {}
    for event in filter(_matters, batch):
        if event.account_id is not None:
            causes.setdefault(event.account_id, []).append(event.topic)
    if causes:
        want_replanning(causes, at=max(event.at for event in batch))


def _matters(event: Recorded) -> bool:
    """Whether plans may be worse for it: a node that was merely renamed ships as before."""
    return event.topic != "node.edited" or not OF_WORK.isdisjoint(event.data["parts"])
