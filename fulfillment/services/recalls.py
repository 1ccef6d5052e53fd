"""Recalled lots on their way out are stopped; where they are with buyers, somebody is to tell them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

import inventory.selectors
from config.kernel import case_reports
from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment.models import FulfillmentLine, Parcel, ParcelLine, TracedUnits
from fulfillment.services.asking import pull_back
from fulfillment.states import AT_THE_NODE, OPEN_FULFILLMENT, ParcelState
from fulfillment.types import PullBack

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
    lot_id: int


def recalled_parcels(lot_ids: Collection[int]) -> list[RecalledParcel]:
    """Parcels with units of these lots: named by the node, or issued out of the lot by our book."""
    lots = {
        (row.sku_id, row.code): row.pk
        for row in inventory.selectors.lots(ALL_ACCOUNTS).filter(pk__in=list(lot_ids))
    }
    found: dict[UUID, int] = {}
    traced = TracedUnits.objects.for_scope(ALL_ACCOUNTS).filter(
        sku_id__in={sku_id for sku_id, _ in lots},
        lot__in={code for _, code in lots},
        parcel__isnull=False,
    )
    for parcel_id, sku_id, code in traced.values_list("parcel_id", "sku_id", "lot"):
        if parcel_id is not None and (sku_id, code) in lots:
            found[parcel_id] = lots[sku_id, code]
    by_cause: defaultdict[UUID, dict[int, int]] = defaultdict(dict)
    for lot_id, sku_id, _, cause_id, _ in inventory.selectors.issued_of(lot_ids):
        by_cause[cause_id][sku_id] = lot_id
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
            found.setdefault(parcel_id, by_cause[cause_id][sku_id])
    parcels = (
        Parcel.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=list(found))
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
            found[parcel.pk],
        )
        for parcel in parcels
    ]


def work_in_hand(lot_ids: Collection[int]) -> list[tuple[UUID, UUID]]:
    """(fulfillment order, line) of open work that has these lots picked, or bound to it."""
    lots = {
        (row.sku_id, row.code)
        for row in inventory.selectors.lots(ALL_ACCOUNTS).filter(pk__in=list(lot_ids))
    }
    open_lines = FulfillmentLine.objects.for_scope(ALL_ACCOUNTS).filter(
        fulfillment_order__state__in=OPEN_FULFILLMENT
    )
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


def stop_recalled(
    recall_id: UUID, lot_ids: Sequence[int], reason: str, *, at: datetime, actor: Actor
) -> None:
    """Take released work with these lots back from nodes; open cases for parcels and buyers.

    In transactions of its own. Called again it asks nothing twice and folds into the same cases.
    """
    wanted = work_in_hand(lot_ids)
    if wanted:
        pull_back([PullBack(work, line) for work, line in wanted], at=at, actor=actor)
    report_recalled(recall_id, recalled_parcels(lot_ids), reason, at=at)


def report_recalled(
    recall_id: UUID, parcels: Sequence[RecalledParcel], reason: str, *, at: datetime
) -> None:
    """A case per parcel that still stands at a node, and per order whose buyer has some of it."""
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
    orders: defaultdict[UUID, list[RecalledParcel]] = defaultdict(list)
    for parcel in parcels:
        if parcel.left:
            orders[parcel.order_id].append(parcel)
    if len(orders) <= TOLD_ONE_BY_ONE:
        reports += [
            case_reports.Report(
                "RECALL_BUYER",
                "order",
                order_id,
                sent[0].account_id,
                evidence={"parcels": [one.number for one in sent], "reason": reason},
                cause=f"recall:{recall_id}",
                thread_id=order_id,
                dedupe_key=f"RECALL_BUYER:{recall_id}:{order_id}",
            )
            for order_id, sent in orders.items()
        ]
    else:
        accounts = {sent[0].account_id for sent in orders.values()}
        reports += [
            case_reports.Report(
                "RECALL_BUYER",
                "recall",
                recall_id,
                account_id,
                evidence={"orders": len(orders), "reason": reason},
                cause=f"recall:{recall_id}",
                dedupe_key=f"RECALL_BUYER:{recall_id}",
            )
            for account_id in accounts
        ]
    case_reports.report(reports, at=at)
