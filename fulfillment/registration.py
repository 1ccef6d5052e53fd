"""What fulfillment tells the platform and the apps below it at start-up."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from config.kernel import case_reports, events, registry, ticker
from config.kernel.registry import Kind
from config.kernel.services import dwell, intents, jobs
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from fulfillment import cases, handlers, nodework, selectors, services
from fulfillment.services import labels, learning, manifests, recalls
from fulfillment.services.asking import NodeCommitments
from fulfillment.types import AskedOfNode, PullBack, Released
from inventory import picks
from orders import commitments, erasing
from orders.api import parts

RELEASED_AT_ONCE = 200
LABELS_JOB = "fulfillment.labels"
RELEASE_JOB = "fulfillment.release"
PULL_BACK_JOB = "fulfillment.pull_back"


def register_all() -> None:
    """Ports, subject and case kinds, handlers, intents, jobs and steps; called from `ready()`."""
    registry.register(
        Kind("fulfillment_order", "Fulfillment order", _path("fulfillment")),
    )
    registry.register(Kind("delivery_group", "Delivery group", _path("promises")))
    registry.register(Kind("parcel", "Parcel", _path("parcels")))
    registry.register(Kind("manifest", "Manifest", _path("manifests")))
    commitments.register(NodeCommitments())
    picks.register(nodework.units_aside)
    erasing.declare("fulfillment.labels", selectors.label_keys)
    parts.declare("fulfillment_orders", _shown_with_its_order)
    case_reports.declare(*cases.KINDS)
    for kind, state, limit, finder in cases.DWELL:
        dwell.declare(kind, state, limit, finder)
    events.subscribe(handlers.EXCESS_CONSUMER, handlers.EXCESS_TOPICS, handlers.book_excess)
    events.subscribe(handlers.SOURCE_CONSUMER, handlers.SOURCE_TOPICS, handlers.source_again)
    events.subscribe(
        handlers.ELSEWHERE_CONSUMER, handlers.ELSEWHERE_TOPICS, handlers.source_elsewhere
    )
    events.subscribe(handlers.RECALL_CONSUMER, handlers.RECALL_TOPICS, handlers.open_recalls)
    events.subscribe(
        handlers.ACCEPTANCE_CONSUMER, handlers.ACCEPTANCE_TOPICS, handlers.learn_acceptance
    )
    events.subscribe(handlers.CAPACITY_CONSUMER, handlers.CAPACITY_TOPICS, handlers.count_work)
    intents.register(labels.BUY, labels.buy, on_answer=labels.record_label, find=labels.find)
    intents.register(labels.VOID, labels.void, on_answer=labels.record_void)
    intents.register(
        manifests.ANNOUNCE, manifests.announce, on_answer=manifests.record_announcement
    )
    jobs.register(LABELS_JOB, labels.run_label_items)
    jobs.register(RELEASE_JOB, _release_items)
    jobs.register(PULL_BACK_JOB, _pull_back_items)
    jobs.register(recalls.RECALL_JOB, recalls.run_recall_items)
    ticker.register("fulfillment.release_due", 5, _release_due)
    ticker.register("fulfillment.time_out_requests", 30, _time_out_requests)
    ticker.register("fulfillment.expire_pickups", 60, _expire_pickups)
    ticker.register("fulfillment.report_overdue", 60, _report_overdue)
    ticker.register("fulfillment.report_silent", 600, _report_silent)
    ticker.register("fulfillment.measure_nodes", 300, _measure_nodes)
    ticker.register("fulfillment.teach_lanes", 86_400, _teach_lanes)
    ticker.register("fulfillment.learn_stages", 3_600, _learn_stages)
    ticker.register("fulfillment.assess_promises", 60, _assess_promises)


def _shown_with_its_order(order_id: UUID) -> Any:
    """The work on an order as the API shows it; only the web loads what renders it."""
    from fulfillment.api.serializers import FulfillmentOrderSerializer

    found = selectors.fulfillment_orders_of([order_id])[order_id]
    return FulfillmentOrderSerializer(found, many=True).data


def _path(page: str) -> Callable[[UUID], str]:
    def path(key: UUID) -> str:
        return f"/console/{page}/{key}/"

    return path


def _release_items(
    group_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[Released]]:
    """One chunk of the job that releases many delivery groups."""
    del params
    return services.release_groups(group_ids, at=at, actor=actor)


def _pull_back_items(
    work_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[AskedOfNode]]:
    """One chunk of the job that takes much work back: all of a node that is to be closed."""
    del params
    return services.pull_back([PullBack(one) for one in work_ids], at=at, actor=actor)


def _release_due(at: datetime) -> None:
    services.release_due(
        limit=RELEASED_AT_ONCE, at=at, actor=Actor.system("fulfillment.release_due")
    )


def _time_out_requests(at: datetime) -> None:
    services.time_out_requests(
        limit=200, at=at, actor=Actor.system("fulfillment.time_out_requests")
    )


def _expire_pickups(at: datetime) -> None:
    services.expire_pickups(limit=200, at=at, actor=Actor.system("fulfillment.expire_pickups"))


def _report_overdue(at: datetime) -> None:
    services.report_overdue(limit=500, at=at, actor=Actor.system("fulfillment.report_overdue"))


def _measure_nodes(at: datetime) -> None:
    actor = Actor.system("fulfillment.measure_nodes")
    services.measure_nodes(ALL_ACCOUNTS, at=at, actor=actor)


def _teach_lanes(at: datetime) -> None:
    learning.teach_lanes(at=at, actor=Actor.system("fulfillment.teach_lanes"))


def _report_silent(at: datetime) -> None:
    services.report_silent(limit=500, at=at, actor=Actor.system("fulfillment.report_silent"))


def _learn_stages(at: datetime) -> None:
    services.learn_stages(at=at)


def _assess_promises(at: datetime) -> None:
    """Where every promise stands, what is in danger, and what may be done about it by itself."""
    services.assess_due(at=at)
    actor = Actor.system("fulfillment.assess_promises")
    services.report_jeopardy(limit=500, at=at, actor=actor)
    services.rescue_due(at=at, actor=actor)
