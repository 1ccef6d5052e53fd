"""The exceptions that fulfillment detects, and how long its records may stay in a state."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef

from config.kernel import clock
from config.kernel.case_reports import CaseKind
from config.kernel.services.dwell import Stayer
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import (
    FulfillmentLine,
    FulfillmentOrder,
    Manifest,
    NodeRequest,
    Parcel,
)
from fulfillment.services.alarms import (
    ACK_OVERDUE,
    ACK_PARTIAL,
    SHIP_BY_MISSED,
    SILENT_AFTER,
    TRACKING_SILENT,
)
from fulfillment.services.jeopardy import AT_RISK, still_at_risk
from fulfillment.services.requests import CHANGE_NOT_MADE
from fulfillment.states import (
    AT_THE_NODE,
    ON_THE_WAY,
    OPEN_FULFILLMENT,
    FulfillmentState,
    ParcelState,
    RequestState,
)
from orders.selectors.choices import lines_to_choose


def _unacknowledged(ids: Sequence[UUID]) -> set[UUID]:
    found = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).to_acknowledge()
    return set(
        found.filter(pk__in=ids, acknowledge_by__lt=clock.now()).values_list("pk", flat=True)
    )


def _taken_in_part(ids: Sequence[UUID]) -> set[UUID]:
    found = FulfillmentLine.objects.for_scope(ALL_ACCOUNTS).filter(
        fulfillment_order_id__in=ids, waiting__gt=0
    )
    return set(found.values_list("fulfillment_order_id", flat=True))


def _late(ids: Sequence[UUID]) -> set[UUID]:
    found = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).late(clock.now())
    return set(found.filter(pk__in=ids).values_list("pk", flat=True))


def _silent(ids: Sequence[UUID]) -> set[UUID]:
    found = Parcel.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=ids, state__in=ON_THE_WAY, last_heard_at__lt=clock.now() - SILENT_AFTER
    )
    return set(found.values_list("pk", flat=True))


def _parcels_in(*states: ParcelState) -> Callable[[Sequence[UUID]], set[UUID]]:
    def still(ids: Sequence[UUID]) -> set[UUID]:
        found = Parcel.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=ids, state__in=states)
        return set(found.values_list("pk", flat=True))

    return still


def _left_with_excess(ids: Sequence[UUID]) -> set[UUID]:
    found = Parcel.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=ids, handed_over_at__isnull=False)
    return set(found.values_list("pk", flat=True))


def _without_label(ids: Sequence[UUID]) -> set[UUID]:
    found = Parcel.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=ids, state=ParcelState.PACKED, label_pending=False
    )
    return set(found.values_list("pk", flat=True))


def _unannounced(ids: Sequence[UUID]) -> set[UUID]:
    found = Manifest.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=ids, announced_at__isnull=True)
    return set(found.values_list("pk", flat=True))


def _unanswered(ids: Sequence[UUID]) -> set[UUID]:
    found = NodeRequest.objects.for_scope(ALL_ACCOUNTS).filter(
        fulfillment_order_id__in=ids,
        fulfillment_order__state__in=OPEN_FULFILLMENT,
        state=RequestState.TIMED_OUT,
    )
    return set(found.values_list("fulfillment_order_id", flat=True))


def _lying_aside(ids: Sequence[UUID]) -> set[UUID]:
    found = FulfillmentLine.objects.for_scope(ALL_ACCOUNTS).filter(
        fulfillment_order_id__in=ids,
        fulfillment_order__state=FulfillmentState.EXPIRED,
        packed__gt=0,
    )
    return set(found.values_list("fulfillment_order_id", flat=True))


def _still_at_node(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Parcels that have neither left nor been opened."""
    found = Parcel.objects.for_scope(ALL_ACCOUNTS).filter(
        pk__in=list(subject_ids), state__in=AT_THE_NODE
    )
    return set(found.values_list("pk", flat=True))


def _to_be_chosen(ids: Sequence[UUID]) -> set[UUID]:
    """Work that was given up and of which units wait for their buyer's choice."""
    lines = dict(
        FulfillmentLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(fulfillment_order_id__in=ids)
        .values_list("order_line_id", "fulfillment_order_id")
    )
    return {lines[line_id] for line_id in lines_to_choose(lines)}


KINDS: Final = (
    CaseKind(
        code=ACK_OVERDUE,
        label="The node has not taken the work on",
        severity=2,
        due=timedelta(hours=2),
        owner_team="operations",
        playbook="Call the node. If it cannot, reject the work there: it is sourced elsewhere.",
        still_true=_unacknowledged,
    ),
    CaseKind(
        code=ACK_PARTIAL,
        label="The node has taken on only part of the work",
        severity=2,
        due=timedelta(hours=2),
        owner_team="operations",
        playbook="Ask what keeps the rest; reject it there, and it is sourced elsewhere.",
        still_true=_taken_in_part,
    ),
    CaseKind(
        code=SHIP_BY_MISSED,
        label="Not shipped in time",
        severity=2,
        due=timedelta(hours=2),
        owner_team="operations",
        playbook="Have the node ship it first; tell the buyer when the delivery date moves.",
        still_true=_late,
    ),
    CaseKind(
        code=AT_RISK,
        label="A promise will probably be missed",
        severity=2,
        due=timedelta(hours=2),
        owner_team="operations",
        playbook="See what each way out costs: another node, a faster service, what is ready first; "
        "else tell the buyer and ask.",
        still_true=still_at_risk,
    ),
    CaseKind(
        code=TRACKING_SILENT,
        label="The carrier is silent",
        severity=3,
        due=timedelta(hours=24),
        owner_team="operations",
        playbook="Ask the carrier for the parcel. Open a search; record it lost when they say so.",
        still_true=_silent,
    ),
    CaseKind(
        code="PARCEL_LOST",
        label="A parcel is lost",
        severity=2,
        due=timedelta(hours=8),
        owner_team="customer_service",
        playbook="Send it again or refund it, and claim it from the carrier.",
        still_true=_parcels_in(ParcelState.LOST),
    ),
    CaseKind(
        code="PARCEL_DAMAGED",
        label="A parcel is damaged",
        severity=2,
        due=timedelta(hours=8),
        owner_team="customer_service",
        playbook="Ask the carrier where it is. Send it again or refund it, and claim the damage.",
        still_true=_parcels_in(ParcelState.DAMAGED),
    ),
    CaseKind(
        code="PARCEL_CAME_BACK",
        label="A parcel came back",
        severity=3,
        due=timedelta(hours=24),
        owner_team="customer_service",
        playbook="Ask the buyer for a good address and send it again, or refund it.",
    ),
    CaseKind(
        code="LABEL_REFUSED",
        label="The carrier refused a label",
        severity=2,
        due=timedelta(hours=2),
        owner_team="operations",
        playbook="Read the carrier's reason, correct the address or weight, ask for the label again.",
        still_true=_without_label,
    ),
    CaseKind(
        code="LABEL_NOT_VOIDED",
        label="An unused label was not taken back",
        severity=4,
        due=timedelta(days=5),
        owner_team="operations",
        playbook="Void it on the carrier's own page, or claim its price with the next invoice.",
    ),
    CaseKind(
        code="MANIFEST_REFUSED",
        label="The carrier refused a manifest",
        severity=3,
        due=timedelta(hours=8),
        owner_team="operations",
        playbook="Have the driver scan the parcels one by one; mend the carrier's reason for the "
        "next pickup.",
        still_true=_unannounced,
    ),
    CaseKind(
        code="EXCESS_SHIPPED",
        label="More was shipped than asked for",
        severity=3,
        due=timedelta(hours=8),
        owner_team="operations",
        playbook="Take the parcel back while it is not scanned, or have it stopped; else take the "
        "units back, or charge them.",
        still_true=_left_with_excess,
    ),
    CaseKind(
        code="TRACE_MISSING",
        label="Goods left without what the law wants on record",
        severity=1,
        due=timedelta(hours=4),
        owner_team="quality",
        playbook="Ask the node for lot, serial and expiry and record them; else call the parcel back.",
    ),
    CaseKind(
        code="RECALL_STOP",
        label="A parcel with recalled goods stands at a node",
        severity=1,
        due=timedelta(hours=1),
        owner_team="quality",
        playbook="Have the node open the parcel and keep the goods apart; the order gets others.",
        still_true=_still_at_node,
    ),
    CaseKind(
        code="RECALL_BUYER",
        label="A buyer has recalled goods",
        severity=1,
        due=timedelta(hours=8),
        owner_team="customer service",
        playbook="Tell the buyer not to use them, and have them sent back or destroyed.",
    ),
    CaseKind(
        code="SHIPPED_WHILE_CANCEL_ASKED",
        label="Shipped although it was asked back",
        severity=2,
        due=timedelta(hours=2),
        owner_team="customer_service",
        playbook="Take the parcel back while it is not scanned and cancel again, or have the carrier "
        "stop it; else agree on a return with the buyer.",
    ),
    CaseKind(
        code=CHANGE_NOT_MADE,
        label="The node did not make a change",
        severity=2,
        due=timedelta(hours=2),
        owner_team="customer_service",
        playbook="It goes, or has gone, as it was released. Have the carrier redirect the parcel, or "
        "agree with the buyer on what to do; cancel what can still be cancelled.",
    ),
    CaseKind(
        code="REQUEST_UNANSWERED",
        label="The node did not answer a request",
        severity=3,
        due=timedelta(hours=4),
        owner_team="operations",
        playbook="Call the node. Until it answers it goes on with the work.",
        still_true=_unanswered,
    ),
    CaseKind(
        code="PICKUP_REJECTED",
        label="A pickup was rejected by its node",
        severity=2,
        due=timedelta(hours=2),
        owner_team="customer_service",
        playbook="The buyer is asked on their order's page. Where they call, choose for them on the "
        "order: another store, a delivery, or a cancel. Nothing is sent without consent.",
        still_true=_to_be_chosen,
    ),
    CaseKind(
        code="PICKUP_EXPIRED",
        label="A pickup was not collected",
        severity=4,
        due=timedelta(days=2),
        owner_team="operations",
        playbook="Scan the units back onto the shelf; the order is cancelled and refunded then.",
        still_true=_lying_aside,
    ),
)

Finder = Callable[[datetime, Sequence[UUID] | None, int], Sequence[Stayer]]


def orders_in(state: FulfillmentState, since: str) -> Finder:
    """Fulfillment orders in a state since before a time; `since` is the column that says it.

    An expired one only while its units lie aside.
    """

    def find(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[Stayer]:
        found = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).filter(
            state=state, **{f"{since}__lt": before}
        )
        if state is FulfillmentState.EXPIRED:
            aside = FulfillmentLine.objects.for_scope(ALL_ACCOUNTS).filter(
                fulfillment_order_id=OuterRef("pk"), packed__gt=0
            )
            found = found.filter(Exists(aside))
        if among is not None:
            found = found.filter(pk__in=list(among))
        rows = found.order_by(since).values_list("pk", "account_id", since, "order_id")[:limit]
        return [Stayer(*row) for row in rows]

    return find


def parcels_in(state: ParcelState, since: str = "packed_at") -> Finder:
    """Parcels in a state that were packed, or left, before a time."""

    def find(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[Stayer]:
        found = Parcel.objects.for_scope(ALL_ACCOUNTS).filter(
            state=state, **{f"{since}__lt": before}
        )
        if among is not None:
            found = found.filter(pk__in=list(among))
        rows = found.order_by(since).values_list(
            "pk", "account_id", since, "fulfillment_order__order_id"
        )[:limit]
        return [Stayer(*row) for row in rows]

    return find


DWELL: Final[tuple[tuple[str, str, timedelta, Finder], ...]] = (
    *(
        ("fulfillment_order", str(state), limit, orders_in(state, since))
        for state, limit, since in (
            (FulfillmentState.RELEASED, timedelta(days=2), "released_at"),
            (FulfillmentState.ACKNOWLEDGED, timedelta(days=2), "acknowledged_at"),
            (FulfillmentState.PICKING, timedelta(days=2), "acknowledged_at"),
            (FulfillmentState.PACKED, timedelta(days=2), "packed_at"),
            (FulfillmentState.READY_FOR_PICKUP, timedelta(days=8), "ready_at"),
            (FulfillmentState.SHIPPED, timedelta(days=30), "shipped_at"),
            (FulfillmentState.EXPIRED, timedelta(days=14), "ended_at"),
        )
    ),
    *(
        ("parcel", str(state), timedelta(days=3), parcels_in(state))
        for state in (ParcelState.PACKED, ParcelState.LABELLED, ParcelState.MANIFESTED)
    ),
    *(
        ("parcel", str(state), timedelta(days=21), parcels_in(state, "handed_over_at"))
        for state in ON_THE_WAY
    ),
)
