"""Handlers of events: what a warehouse has to hear of becomes intents."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from config.kernel.events import Recorded
from config.kernel.services import intents
from config.kernel.types import Actor
from integrations.warehouses import sending

CONSUMER: Final = "integrations.tell_warehouses"
TOPICS: Final = ("fulfillment.released", "request.sent", "count.requested")


def tell_warehouses(batch: Sequence[Recorded]) -> None:
    """Have the nodes' systems told of new work, and asked what is asked of the nodes.

    A question goes behind its order: events of two subjects may come in either order.
    """
    reached = sending.reached({event.data["node_id"] for event in batch})
    wanted = []
    for event in batch:
        node_id = event.data["node_id"]
        if node_id not in reached:
            continue
        if event.topic == "count.requested":
            wanted.append(
                sending.count_of(node_id, event.subject_id, event.data["sku_id"], event.account_id)
            )
            continue
        asks = event.topic == "request.sent"
        work_id = UUID(event.data["fulfillment_order_id"]) if asks else event.subject_id
        wanted.append(sending.release_of(node_id, work_id, event.account_id))
        if asks:
            wanted.append(sending.request_of(node_id, work_id, event.subject_id, event.account_id))
    if wanted:
        intents.add(
            wanted,
            at=max(event.at for event in batch),
            actor=Actor.system(CONSUMER, causation_id=str(batch[-1].id)),
        )
