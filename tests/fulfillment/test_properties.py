"""Whatever a node reports, in whatever order, its quantities, the order's and the book agree."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import FulfillmentOrder, NodeRequest, Parcel, ParcelLine
from fulfillment.models.work import QUANTITIES
from fulfillment.services import (
    acknowledge,
    answer_requests,
    confirm_shipments,
    pull_back,
    record_packs,
    record_picks,
    record_tracking,
    reject,
    report_shorts,
    reverse_shipments,
    void_parcels,
)
from fulfillment.states import ParcelState
from fulfillment.types import (
    Acknowledgement,
    Content,
    Pack,
    Pick,
    PullBack,
    Rejection,
    RequestAnswer,
    Shipment,
    Short,
    TrackingNews,
)
from inventory.models import Reservation
from orders.services import cancel_units
from orders.types import CancelRequest
from tests.books import check_all
from tests.factories.fulfillment import BEN, line_of, released
from tests.factories.inventory import reread
from tests.factories.kernel import NOON

REPORTS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("ack", "pick", "pack", "short", "reject", "ship", "reverse", "void"),
                *("deliver", "cancel", "pull back", "answer"),
            ]
        ),
        st.integers(1, 4),
    ),
    max_size=9,
)


def boxes(order: FulfillmentOrder) -> list[Parcel]:
    return list(Parcel.objects.for_scope(ALL_ACCOUNTS).filter(fulfillment_order=order))


def claim_of(order: FulfillmentOrder) -> Reservation:
    return Reservation.objects.for_scope(ALL_ACCOUNTS).get(pk=line_of(order).reservation_id)


def tell(placed, order: FulfillmentOrder, what: str, number: int) -> None:
    line, when = line_of(order), {"at": NOON, "actor": BEN}
    match what:
        case "ack":
            acknowledge([Acknowledgement(order.pk)], **when)
        case "pick":
            record_picks([Pick(line.pk, number)], **when)
        case "pack":
            record_packs([Pack(order.pk, (Content(line.pk, number),))], **when)
        case "short":
            report_shorts([Short(line.pk, number, "missing")], **when)
        case "reject":
            reject([Rejection(order.pk, "other")], **when)
        case "ship":
            confirm_shipments([Shipment(box.pk) for box in boxes(order)], **when)
        case "reverse":
            reverse_shipments([box.pk for box in boxes(order)], **when)
        case "void":
            void_parcels([box.pk for box in boxes(order)[:1]], **when)
        case "deliver":
            after = NOON + timedelta(hours=number)
            told = [TrackingNews(ParcelState.DELIVERED, after, box.pk) for box in boxes(order)]
            record_tracking(told, **when)
        case _:
            ask(placed, order, what, number)


def ask(placed, order: FulfillmentOrder, what: str, number: int) -> None:
    """What is wished of the work, and what the node answers."""
    when = {"at": NOON, "actor": BEN}
    match what:
        case "pull back":
            pull_back([PullBack(order.pk)], **when)
        case "answer":
            asked = NodeRequest.objects.for_scope(ALL_ACCOUNTS).filter(state="sent")
            answer_requests(
                [RequestAnswer(one.pk, min(number, one.asked)) for one in asked], **when
            )
        case "cancel":
            line_id = placed.lines[0].pk
            cancel_units([CancelRequest(placed.order.pk, line_id, number)], **when)


@pytest.mark.django_db
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(reports=REPORTS)
def test_units_are_in_one_place_each_after_any_reports(reports):
    placed, order = released(4)
    start = reread(claim_of(order).position_id)

    for what, number in reports:
        tell(placed, order, what, number)

        line, bought = line_of(order), placed.line()
        live = line.waiting + line.accepted + line.picked + line.packed
        assert line.requested == sum(getattr(line, name) for name in QUANTITIES)
        assert bought.released == live
        assert bought.shipped == line.shipped
        assert bought.pending + bought.cancelled == line.short + line.rejected + line.cancelled
        claim = claim_of(order)
        assert (claim.open, claim.consumed) == (live, line.shipped)
        position = reread(start.pk)
        assert position.reserved == live
        assert position.sellable == start.sellable - line.shipped - line.short
        gone = ParcelLine.objects.for_scope(ALL_ACCOUNTS).filter(
            line=line, parcel__handed_over_at__isnull=False
        )
        assert line.shipped == sum(content.quantity for content in gone)
        assert check_all() == []
