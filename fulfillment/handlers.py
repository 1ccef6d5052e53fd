"""Handlers of events: each calls one batch command."""

from collections.abc import Sequence

import fulfillment.services
import inventory.services
import orders.services
import routing.services
from config.kernel.events import Recorded
from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment.models import FulfillmentLine
from inventory.states import MovementKind
from inventory.types import StockChange

EXCESS_CONSUMER = "fulfillment.book_excess"
TAKEN_BACK = "parcel.shipment_reversed"
EXCESS_TOPICS = ("parcel.shipped", TAKEN_BACK)
SOURCE_CONSUMER = "fulfillment.source_again"
SOURCE_TOPICS = ("fulfillment.short", "fulfillment.rejected")
ELSEWHERE_CONSUMER = "fulfillment.source_elsewhere"
ELSEWHERE_TOPICS = ("fulfillment.pulled_back",)
RECALL_CONSUMER = "fulfillment.open_recalls"
RECALL_TOPICS = ("recall.opened",)
ACCEPTANCE_CONSUMER = "fulfillment.learn_acceptance"
ACCEPTANCE_TOPICS = ("fulfillment.released", "fulfillment.rejected")
CAPACITY_CONSUMER = "fulfillment.count_work"
CAPACITY_TOPICS = (
    "order.accepted",
    "order.hold_overdue",
    "order.replanned",
    "order.resourced",
    "order.units_cancelled",
    "order.units_given_back",
    "fulfillment.packed",
    "fulfillment.picked",
    "fulfillment.pulled_back",
)


def count_work(batch: Sequence[Recorded]) -> None:
    """Orders got nodes, lost them, or are on their way through one: their capacity is counted."""
    fulfillment.services.count_work(
        sorted({event.thread_id for event in batch if event.thread_id}),
        at=max(event.at for event in batch),
        actor=Actor.system(CAPACITY_CONSUMER, causation_id=str(batch[-1].id)),
    )


def learn_acceptance(batch: Sequence[Recorded]) -> None:
    """Nodes were asked for goods, or rejected some: how often they do is counted by node and goods."""
    rejected = {event.subject_id for event in batch if event.topic == "fulfillment.rejected"}
    asked = {event.subject_id for event in batch} - rejected
    lines = FulfillmentLine.objects.for_scope(ALL_ACCOUNTS).filter(
        fulfillment_order_id__in={event.subject_id for event in batch}
    )
    rows = lines.values_list(
        "fulfillment_order_id", "fulfillment_order__node_id", "sku_id", "rejected"
    )
    answers = [
        routing.services.Answered(node_id, sku_id, rejected=order_id in rejected)
        for order_id, node_id, sku_id, units in rows.order_by("pk")
        if order_id in asked or units
    ]
    routing.services.count_answers(answers, at=max(event.at for event in batch))


def book_excess(batch: Sequence[Recorded]) -> None:
    """Units that left beyond what was asked for leave the book too; they had no reservation.

    What is taken back is on it again.

    Their own transaction, after the shipment's: it locks positions, and the shipment has locked
    others already.
    """
    changes = [
        StockChange(
            node_id=event.data["node_id"],
            sku_id=excess["sku_id"],
            account_id=event.account_id,
            quantity=excess["quantity"] * (1 if event.topic == TAKEN_BACK else -1),
            kind=MovementKind.ADJUST,
            cause_kind="parcel",
            cause_id=event.subject_id,
            source="fulfillment",
            external_id=f"excess:{excess['parcel_line_id']}:{event.seq}",
            note="shipped beyond what was asked for",
        )
        for event in batch
        for excess in event.data["excess"]
    ]
    if changes:
        inventory.services.record_changes(
            changes,
            at=max(event.at for event in batch),
            actor=Actor.system(EXCESS_CONSUMER, causation_id=str(batch[-1].id)),
        )


def open_recalls(batch: Sequence[Recorded]) -> None:
    """Lots were called back: a job sees to whoever has some of them."""
    fulfillment.services.open_recalls(
        [event.subject_id for event in batch],
        at=max(event.at for event in batch),
        actor=Actor.system(RECALL_CONSUMER, causation_id=str(batch[-1].id)),
    )


def source_again(batch: Sequence[Recorded]) -> None:
    """Units that a node gave up look for another; the node is excluded in inventory by now.

    An order that somebody else has locked is left to the sweeper of orders.
    """
    orders.services.source_pending(
        sorted({event.thread_id for event in batch if event.thread_id}),
        at=max(event.at for event in batch),
        actor=Actor.system(SOURCE_CONSUMER, causation_id=str(batch[-1].id)),
    )


def source_elsewhere(batch: Sequence[Recorded]) -> None:
    """Units that were pulled back look for another node; the one that had them is left out once."""
    orders.services.source_pending(
        sorted({event.thread_id for event in batch if event.thread_id}),
        frozenset(
            (event.data["node_id"], sku_id) for event in batch for sku_id in event.data["sku_ids"]
        ),
        at=max(event.at for event in batch),
        actor=Actor.system(ELSEWHERE_CONSUMER, causation_id=str(batch[-1].id)),
    )
