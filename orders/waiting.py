"""What orders do when goods that they wait for come at another time: in the background, by jobs."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from config.kernel import case_reports, clock, events
from config.kernel.events import Recorded
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory import selectors as inventory
from orders.models import OrderLine
from orders.services.slips import PROMISE_BROKEN, repromise_waiting
from orders.states import OrderState

REPROMISE: Final = "orders.repromise"
TOPICS: Final = ("inbound.announced", "inbound.slipped", "inbound.closed", "inbound.cancelled")


def register_all() -> None:
    """The consumer, its job and its case; once, from `orders.registration`."""
    case_reports.declare(
        case_reports.CaseKind(
            code=PROMISE_BROKEN,
            label="Goods come too late for what the buyer was promised",
            severity=2,
            due=timedelta(hours=24),
            owner_team="support",
            playbook="The buyer is told of the new date. Choose: wait, send something else, cancel.",
            still_true=still_waiting,
        )
    )
    events.subscribe("orders.repromise", list(TOPICS), on_inbound)
    jobs.register(REPROMISE, _run)


def still_waiting(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Orders of which units still wait for goods."""
    found = OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(
        order__in=subject_ids, backordered__gt=0, order__state=OrderState.ACCEPTED
    )
    return set(found.values_list("order_id", flat=True))


def on_inbound(batch: Sequence[Recorded]) -> None:
    """Documents changed: a job each promises anew what waits for their goods."""
    at = clock.now()
    actor = Actor.system(REPROMISE, causation_id=str(batch[0].id))
    for event in batch:
        skus = set(event.data.get("sku_ids", ()))
        if lines := event.data.get("line_ids"):
            skus |= inventory.skus_of_lines(lines)
        waiting = inventory.threads_waiting(skus).get(event.account_id) if skus else None
        if waiting:
            jobs.enqueue(
                REPROMISE,
                f"Promise anew what waits for goods of {event.data['number']}",
                {"cause": f"inbound:{event.data['number']}"},
                waiting,
                account_id=event.account_id,
                at=at,
                actor=actor,
            )


def _run(
    order_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    return list(repromise_waiting(order_ids, params.get("cause", ""), at=at, actor=actor))
