"""A recall beyond the shelf: one job sees to each node, each work in hand, each parcel and buyer.

The lots themselves were stopped when the recall was opened. The job is written where that is heard
of, in the delivery's transaction, with an item for everything that has some; its chunks are told
from one another by what the items are. Its last item, the recall itself, looks once more for what
has been packed or sent meanwhile.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef

import inventory.selectors
import inventory.services
from config.kernel import case_reports
from config.kernel.models import Job
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from fulfillment.models import (
    FulfillmentLine,
    FulfillmentOrder,
    Parcel,
    ParcelLine,
    TracedUnits,
)
from fulfillment.services.asking import pull_back
from fulfillment.states import AT_THE_NODE, OPEN_FULFILLMENT, ParcelState
from fulfillment.types import PullBack
from inventory.types import SubjectTag, pk_of, subject_id

RECALL_JOB: Final = "fulfillment.recall"
TOLD_ONE_BY_ONE = 500
"""Orders up to which each gets a case of its own; beyond that they are one case, with a list."""


@dataclass(frozen=True, slots=True)
class RecalledParcel:
    """A parcel in which recalled units lie, or left."""

    parcel_id: UUID
    number: str
    order_id: UUID
    account_id: UUID
    node_id: int
    left: bool


def recalled_parcels(lot_ids: Collection[int]) -> list[RecalledParcel]:
    """Parcels with units of these lots: named by the node, or issued out of the lot by our book."""
    lots = _codes(lot_ids)
    found: set[UUID] = set()
    traced = TracedUnits.objects.for_scope(ALL_ACCOUNTS).filter(
        sku_id__in={sku_id for sku_id, _ in lots},
        lot__in={code for _, code in lots},
        parcel__isnull=False,
    )
    for parcel_id, sku_id, code in traced.values_list("parcel_id", "sku_id", "lot"):
        if parcel_id is not None and (sku_id, code) in lots:
            found.add(parcel_id)
    by_cause: defaultdict[UUID, set[int]] = defaultdict(set)
    for _, sku_id, _, cause_id, _ in inventory.selectors.issued_of(lot_ids):
        by_cause[cause_id].add(sku_id)
    # Several parcels may have left as one: what a node has named of them needs no guess.
    told = TracedUnits.objects.for_scope(ALL_ACCOUNTS).filter(
        parcel=OuterRef("parcel_id"), line=OuterRef("line_id"), lot__gt=""
    )
    inside = (
        ParcelLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(~Exists(told), parcel__issued_under__in=list(by_cause))
        .values_list("parcel_id", "parcel__issued_under", "line__sku_id")
    )
    for parcel_id, cause_id, sku_id in inside:
        if cause_id is not None and sku_id in by_cause[cause_id]:
            found.add(parcel_id)
    return _as_they_are(found)


def work_in_hand(
    lot_ids: Collection[int], among: Collection[UUID] | None = None
) -> list[tuple[UUID, UUID]]:
    """(fulfillment order, line) of open work that has these lots picked, or bound to it."""
    lots = _codes(lot_ids)
    open_lines = FulfillmentLine.objects.for_scope(ALL_ACCOUNTS).filter(
        fulfillment_order__state__in=OPEN_FULFILLMENT
    )
    if among is not None:
        open_lines = open_lines.filter(fulfillment_order_id__in=list(among))
    picked = TracedUnits.objects.for_scope(ALL_ACCOUNTS).filter(
        sku_id__in={sku_id for sku_id, _ in lots}, lot__in={code for _, code in lots}, parcel=None
    )
    line_ids = {
        line_id
        for line_id, sku_id, code in picked.values_list("line_id", "sku_id", "lot")
        if (sku_id, code) in lots
    }
    bound = inventory.selectors.bound_to(list(lot_ids))
    rows = {
        *open_lines.filter(pk__in=line_ids).values_list("fulfillment_order_id", "pk"),
        *open_lines.filter(reservation_id__in=bound).values_list("fulfillment_order_id", "pk"),
    }
    return sorted(rows)


def _codes(lot_ids: Collection[int]) -> set[tuple[int, str]]:
    rows = inventory.selectors.lots(ALL_ACCOUNTS).filter(pk__in=list(lot_ids))
    return set(rows.values_list("sku_id", "code"))


def open_recalls(recall_ids: Collection[UUID], *, at: datetime, actor: Actor) -> list[Job]:
    """Write the job of each recall: what has to be seen to, an item each. In the caller's transaction.

    The caller does this once per recall. Of work, parcels and buyers those of one order come
    together.
    """
    made = []
    for recall in inventory.selectors.recalls(ALL_ACCOUNTS).filter(pk__in=list(recall_ids)):
        lot_ids = inventory.selectors.lots_of_recall(recall.pk)
        parcels = recalled_parcels(lot_ids)
        nodes = inventory.selectors.nodes_with(lot_ids)
        subjects = [
            *(subject_id(SubjectTag.NODE, node_id) for node_id in nodes),
            *dict.fromkeys(work_id for work_id, _ in work_in_hand(lot_ids)),
            *(one.parcel_id for one in sorted(parcels, key=lambda one: (one.left, one.order_id))),
            recall.pk,
        ]
        made.append(
            jobs.enqueue(
                RECALL_JOB,
                f"Recall: {recall.reason}",
                {"recall": str(recall.pk), "orders": len(_sent_to(parcels))},
                subjects,
                account_id=recall.account_id,
                at=at,
                actor=actor,
            )
        )
    return made


def run_recall_items(
    subject_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[None]]:
    """One chunk of a recall's job: pulls, work taken back, parcels stopped, buyers to be told.

    Repeated it asks nothing twice and folds into the same cases. Refused once the recall is lifted.
    """
    recall_id = UUID(params["recall"])
    recall = inventory.selectors.recalls(actor.scope).get(pk=recall_id)
    if recall.lifted_at is not None:
        return [Outcome.refused("lifted", "The recall was lifted.")] * len(subject_ids)
    lot_ids = inventory.selectors.lots_of_recall(recall_id)
    outcomes = _take_back(subject_ids, lot_ids, at=at, actor=actor)
    nodes = [one for one in subject_ids if _is_node(one)]
    inventory.services.ask_to_pull(recall_id, list(map(pk_of, nodes)), at=at)
    parcels = recalled_parcels(lot_ids) if recall_id in subject_ids else _as_they_are(subject_ids)
    report_recalled(recall_id, parcels, recall.reason, orders=params["orders"], at=at)
    return [outcomes.get(one) or Outcome.done(None) for one in subject_ids]


def _is_node(subject: UUID) -> bool:
    return subject == subject_id(SubjectTag.NODE, pk_of(subject))


def _take_back(
    subject_ids: Collection[UUID], lot_ids: Collection[int], *, at: datetime, actor: Actor
) -> dict[UUID, Outcome[None]]:
    """Work among the subjects goes back, line by line, unless it has gone on since; what was refused."""
    rows = FulfillmentOrder.objects.for_scope(actor.scope).filter(pk__in=subject_ids)
    works = set(rows.values_list("pk", flat=True))
    if not works:
        return {}
    wanted = [PullBack(*pair) for pair in work_in_hand(lot_ids, works)]
    asked = pull_back(wanted, at=at, actor=actor)
    return {
        one.fulfillment_order_id: Outcome.refused(
            answer.problem.code, answer.problem.detail, **answer.problem.extra
        )
        for one, answer in zip(wanted, asked, strict=True)
        if answer.problem is not None
    }


def report_recalled(
    recall_id: UUID, parcels: Sequence[RecalledParcel], reason: str, *, orders: int, at: datetime
) -> None:
    """A case per parcel that still stands at a node, and per order whose buyer has some of it.

    Where the recall reaches more than 500 `orders` in all, their buyers are one case.
    """
    reports = [
        case_reports.Report(
            "RECALL_STOP",
            "parcel",
            parcel.parcel_id,
            parcel.account_id,
            evidence={"parcel": parcel.number, "reason": reason},
            cause=f"recall:{recall_id}",
            thread_id=parcel.order_id,
        )
        for parcel in parcels
        if not parcel.left
    ]
    sent = _sent_to(parcels)
    if max(orders, len(sent)) <= TOLD_ONE_BY_ONE:
        reports += [
            case_reports.Report(
                "RECALL_BUYER",
                "order",
                order_id,
                some[0].account_id,
                evidence={"parcels": [one.number for one in some], "reason": reason},
                cause=f"recall:{recall_id}",
                thread_id=order_id,
                dedupe_key=f"RECALL_BUYER:{recall_id}:{order_id}",
            )
            for order_id, some in sent.items()
        ]
    elif sent:
        (some, *_) = sent.values()
        reports.append(
            case_reports.Report(
                "RECALL_BUYER",
                "recall",
                recall_id,
                some[0].account_id,
                evidence={"orders": max(orders, len(sent)), "reason": reason},
                cause=f"recall:{recall_id}",
                dedupe_key=f"RECALL_BUYER:{recall_id}",
            )
        )
    case_reports.report(reports, at=at)


def _sent_to(parcels: Sequence[RecalledParcel]) -> dict[UUID, list[RecalledParcel]]:
    """Those that have left, by order."""
    orders: defaultdict[UUID, list[RecalledParcel]] = defaultdict(list)
    for parcel in parcels:
        if parcel.left:
            orders[parcel.order_id].append(parcel)
    return orders


def _as_they_are(parcel_ids: Collection[UUID]) -> list[RecalledParcel]:
    """These parcels as they stand now; those that are void need nothing."""
    parcels = (
        Parcel.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=list(parcel_ids))
        .exclude(state=ParcelState.VOIDED)
        .select_related("fulfillment_order")
        .order_by("pk")
    )
    return [
        RecalledParcel(
            parcel.pk,
            parcel.number,
            parcel.fulfillment_order.order_id,
            parcel.account_id,
            parcel.fulfillment_order.node_id,
            parcel.state not in AT_THE_NODE,
        )
        for parcel in parcels
    ]
