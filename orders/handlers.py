"""What orders do when supply moves: each handler calls one batch command."""

from collections.abc import Sequence
from uuid import UUID

from config.kernel import clock
from config.kernel.events import Recorded
from config.kernel.services import jobs
from config.kernel.types import Actor
from inventory import selectors as inventory
from inventory.types import pk_of
from orders import services

LEAVE_NODE = "orders.leave_node"
MOST_ORDERS = 100_000


def on_stock_short(batch: Sequence[Recorded]) -> None:
    """Positions have less than is reserved of them."""
    services.cover_shortfalls(
        sorted({event.data["position_id"] for event in batch}),
        at=clock.now(),
        actor=_actor("orders.cover_shortfalls", batch),
    )


def on_stock_received(batch: Sequence[Recorded]) -> None:
    """Units have landed that somebody waits for."""
    services.serve_backorders(
        sorted({event.data["sku_id"] for event in batch}),
        at=clock.now(),
        actor=_actor("orders.serve_backorders", batch),
    )


def on_node_paused(batch: Sequence[Recorded]) -> None:
    """Nodes ship nothing new, paused or drained: a job per account sends the unreleased from elsewhere."""
    at, actor = clock.now(), _actor("orders.leave_node", batch)
    for event in batch:
        if event.data.get("function", "") not in {"", "ship"}:
            continue
        node_id = pk_of(event.subject_id)
        by_account: dict[UUID, dict[UUID, None]] = {}
        for claim in inventory.claims_at(node_id, limit=MOST_ORDERS):
            by_account.setdefault(claim.account_id, {})[claim.thread_id] = None
        for account_id, orders in by_account.items():
            jobs.enqueue(
                LEAVE_NODE,
                "Send from elsewhere what is not released at a node that takes nothing new",
                {"node_id": node_id},
                list(orders),
                account_id=account_id,
                at=at,
                actor=actor,
            )


def on_promise_moved(batch: Sequence[Recorded]) -> None:
    """Promises may have become later than what their buyers agreed to."""
    services.ask_consent(
        sorted({event.subject_id for event in batch}),
        at=clock.now(),
        actor=_actor("orders.ask_consent", batch),
    )


def _actor(name: str, batch: Sequence[Recorded]) -> Actor:
    return Actor.system(name, causation_id=str(batch[0].id))
