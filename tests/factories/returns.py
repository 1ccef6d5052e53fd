"""Factories of what comes back: orders that were delivered and paid, and the returns of them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Intent
from config.kernel.services.intents import Answer, LeasedIntent
from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment.models import Parcel
from fulfillment.services import confirm_shipments, record_tracking
from fulfillment.types import Shipment, TrackingNews
from inventory.models import Sku
from orders.models import Authorization, Order, OrderLine, Tender
from orders.services.settle import record_capture
from returns.models import Return, ReturnLine
from returns.policy import USUAL_TERMS
from returns.services import (
    authorize_returns,
    inspect_returns,
    publish_policy,
    receive_returns,
    request_returns,
)
from returns.types import Authorization as LetIn
from returns.types import Finding, Receipt, RequestedUnits, ReturnRequest
from tests.factories.fulfillment import Placed, many_packed, packed
from tests.factories.kernel import NOON

DELIVERED = NOON + timedelta(days=2)
ASKED = NOON + timedelta(days=5)
BACK = NOON + timedelta(days=9)
CLARA = Actor.system("clara")


def captured(order_id: UUID, how: Answer | None = None) -> None:
    """The provider has answered what was asked of it for the order: taken, unless told otherwise."""
    answer = how or Answer.done(reference="ch-1")
    for intent in Intent.objects.for_scope(ALL_ACCOUNTS).filter(
        kind="payment.capture", state="pending", payload__order_id=str(order_id)
    ):
        Intent.objects.for_scope(ALL_ACCOUNTS).filter(pk=intent.pk).update(state=answer.kind.value)
        leased = LeasedIntent(
            intent.id,
            intent.account_id,
            intent.kind,
            intent.key,
            intent.subject_kind,
            intent.subject_id,
            intent.payload,
            1,
            False,
        )
        with transaction.atomic():
            record_capture(leased, answer, at=NOON, actor=CLARA)


def sold(units: int | dict[Sku, int] = 2, *, card: bool = True, **details: Any) -> Placed:
    """An order that was delivered and paid: one parcel, ten dollars a unit."""
    placed = on_the_way(units, card=card, **details)
    tell(parcel_of(placed).pk, "delivered", DELIVERED)
    return placed


def on_the_way(units: int | dict[Sku, int] = 2, *, card: bool = True, **details: Any) -> Placed:
    """The same, while its parcel is with the carrier."""
    total = details.pop("total", None)
    placed, _, box = packed(units, **details)
    if total is not None:
        _reprice(placed, total)
    if card:
        pay_by_card(placed.order)
    confirm_shipments([Shipment(box.pk, f"T-{box.number}", "paper")], at=NOON, actor=CLARA)
    captured(placed.order.pk)
    return placed


def many_on_the_way(count: int, units: int = 2, **where: Any) -> list[Placed]:
    """So many that a card pays for, each in a parcel that left with the others."""
    made = many_packed(count, units, **where)
    for placed, _, _ in made:
        pay_by_card(placed.order)
    gone = [Shipment(box.pk, f"T-{box.number}", "paper") for _, _, box in made]
    confirm_shipments(gone, at=NOON, actor=CLARA)
    for placed, _, _ in made:
        captured(placed.order.pk)
    return [placed for placed, _, _ in made]


def many_sold(count: int, units: int = 2, **where: Any) -> list[Placed]:
    """The same, delivered."""
    made = many_on_the_way(count, units, **where)
    told = [TrackingNews("delivered", DELIVERED, parcel_of(placed).pk) for placed in made]
    record_tracking(told, at=DELIVERED, actor=CLARA)
    return made


def _reprice(placed: Placed, total_minor: int) -> None:
    """Have the one line, and the order, cost so much in all."""
    placed.order.total_minor = placed.order.items_minor = total_minor
    placed.order.save(update_fields=["total_minor", "items_minor"])
    OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(order=placed.order).update(
        gross_minor=total_minor, total_minor=total_minor
    )


def pay_by_card(order: Order) -> Tender:
    """An authorised card that covers the order."""
    tender: Tender = Tender.objects.create(
        order=order,
        account_id=order.account_id,
        position=0,
        kind="card",
        provider="fakepay",
        amount_minor=order.total_minor,
    )
    made = Authorization.objects.create(
        tender=tender,
        order=order,
        account_id=order.account_id,
        reference="auth-1",
        amount_minor=order.total_minor,
        at=NOON,
    )
    record_history(Authorization, [made.pk], Change.CREATED, at=NOON, actor=CLARA)
    return tender


def tell(parcel_id: UUID, status: str, happened_at: datetime) -> None:
    """The carrier says so of the parcel."""
    (outcome,) = record_tracking(
        [TrackingNews(status, happened_at, parcel_id)], at=happened_at, actor=CLARA
    )
    assert outcome.ok, outcome.problem


def parcel_of(placed: Placed) -> Parcel:
    found: Parcel = Parcel.objects.for_scope(ALL_ACCOUNTS).get(
        fulfillment_order__order_id=placed.order.pk
    )
    return found


def request(placed: Placed, *units: int, reason: str = "changed_mind", **details: Any):
    """Ask for so many units of each line to come back."""
    return request_returns([wish(placed, *units, reason=reason, **details)], at=ASKED, actor=CLARA)[
        0
    ]


def wish(placed: Placed, *units: int, reason: str = "changed_mind", **details: Any):
    return ReturnRequest(
        placed.order.pk,
        tuple(
            RequestedUnits(line.pk, quantity, reason)
            for line, quantity in zip(placed.lines, units, strict=False)
            if quantity
        ),
        **details,
    )


def requested(placed: Placed, *units: int, **details: Any) -> Return:
    outcome = request(placed, *units, **details)
    assert outcome.value is not None, outcome.problem
    return return_of(outcome.value.return_id)


def authorized(placed: Placed, *units: int, **details: Any) -> Return:
    made = requested(placed, *units, **details)
    (outcome,) = authorize_returns([LetIn(made.pk)], at=ASKED, actor=CLARA)
    assert outcome.ok, outcome.problem
    return return_of(made.pk)


def received(placed: Placed, *units: int, **details: Any) -> Return:
    made = authorized(placed, *units, **details)
    (outcome,) = receive_returns([Receipt(made.pk, made.node_id, ())], at=BACK, actor=CLARA)
    assert outcome.ok, outcome.problem
    return return_of(made.pk)


def grade(returned: Return, letter: str = "A", **details: Any):
    """Grade everything that has come and nobody has looked at."""
    return inspect_returns(
        [
            Finding(line.pk, line.ungraded, letter, **details)
            for line in lines_of_return(returned)
            if line.ungraded
        ],
        at=BACK,
        actor=CLARA,
    )


def return_of(return_id: UUID) -> Return:
    """The return as it stands now."""
    found: Return = Return.objects.for_scope(ALL_ACCOUNTS).get(pk=return_id)
    return found


def lines_of_return(returned: Return) -> list[ReturnLine]:
    rows = ReturnLine.objects.for_scope(ALL_ACCOUNTS).filter(returned_id=returned.pk)
    return list(rows.order_by("position"))


def published(placed_or_account: Any, **details: Any) -> UUID:
    """The account's policy: the usual terms, but for the details."""
    account_id = getattr(placed_or_account, "pk", None) or placed_or_account.order.account_id
    return publish_policy(account_id, replace(USUAL_TERMS, **details), at=NOON, actor=CLARA)
