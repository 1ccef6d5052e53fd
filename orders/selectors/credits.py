"""What of an order may be credited, and what a credit would be worth: the same reckoning as the command."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Sum

from config.kernel.errors import NotFound
from config.kernel.types import ALL_ACCOUNTS, Scope
from orders.credits import open_books, price
from orders.models import (
    Capture,
    CreditLine,
    CreditNote,
    Dispute,
    LineCancellation,
    Order,
    OrderLine,
    OrderLink,
    Refund,
    Tender,
)
from orders.states import CaptureState, CollectedBy, Initiator, LineKind, RefundState
from orders.types import CreditableLine, CreditedPart, CreditRequest, OrderHead


def order_heads(order_ids: Collection[UUID], scope: Scope) -> dict[UUID, OrderHead]:
    """The orders of these ids within the scope. One statement."""
    rows = Order.objects.for_scope(scope).filter(pk__in=list(order_ids))
    return {
        row[0]: OrderHead(*row)
        for row in rows.values_list(
            "pk",
            "number",
            "account_id",
            "brand_id",
            "channel_id",
            "currency",
            "state",
            "mode",
            "document_kind",
            "external_id",
            "placed_at",
        )
    }


def creditable_lines(order_ids: Collection[UUID], scope: Scope) -> list[CreditableLine]:
    """The lines of these orders that ship, with what may be credited of each. Four statements."""
    orders = Order.objects.for_scope(scope).in_bulk(list(order_ids))
    books = open_books(orders)
    lines = (
        OrderLine.objects.for_scope(scope)
        .filter(order_id__in=list(orders))
        .exclude(kind=LineKind.KIT)
        .select_related("sku")
        .order_by("order_id", "position")
    )
    return [
        CreditableLine(
            line_id=line.pk,
            order_id=line.order_id,
            group_id=line.group_id,
            sku_id=line.sku_id,
            sku_code=line.sku.code if line.sku else line.external_sku,
            title=line.title or (line.sku.name if line.sku else line.external_sku),
            kind=line.kind,
            ordered=line.ordered,
            shipped=line.shipped,
            delivered=line.delivered,
            returned=line.returned,
            creditable=books.lines[line.pk].creditable,
            charged_minor=books.lines[line.pk].charged_minor,
            credited_minor=books.lines[line.pk].credited_minor,
            properties={
                **(line.sku.attributes if line.sku else {}),
                **({"hazmat": "yes"} if line.sku and line.sku.hazmat else {}),
                **({"final_sale": "yes"} if line.sku and not line.sku.returnable else {}),
            },
        )
        for line in lines
    ]


def quote_credit(request: CreditRequest, scope: Scope) -> tuple[CreditedPart, ...]:
    """What the request would be worth now, part by part. Raises what the command would refuse with."""
    orders = Order.objects.for_scope(scope).in_bulk([request.order_id])
    if not orders:
        raise NotFound("There is no such order.")
    return price(open_books(orders), request)


def parts_of_notes(note_ids: Collection[UUID]) -> dict[UUID, list[CreditedPart]]:
    """What each of these credit notes gives back, part by part. One statement."""
    rows = CreditLine.objects.for_scope(ALL_ACCOUNTS).filter(note_id__in=list(note_ids))
    found: dict[UUID, list[CreditedPart]] = {}
    for row in rows.order_by("pk"):
        part = CreditedPart(row.part, row.amount_minor, row.line_id, row.quantity)
        found.setdefault(row.note_id, []).append(part)
    return found


def collected_by_channels(order_ids: Collection[UUID]) -> set[UUID]:
    """Those of the orders of which a channel has collected something. One statement."""
    tenders = Tender.objects.for_scope(ALL_ACCOUNTS).filter(
        order_id__in=list(order_ids), collected_by=CollectedBy.CHANNEL
    )
    return set(tenders.values_list("order_id", flat=True))


def taken_off_by_us(order_ids: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    """Per line of these orders (units, what they are worth) taken off by anybody but the channel.

    One statement. Lines of which nothing was are absent.
    """
    rows = (
        LineCancellation.objects.for_scope(ALL_ACCOUNTS)
        .filter(order_id__in=list(order_ids))
        .exclude(initiator=Initiator.CHANNEL)
        .values("line_id")
        .annotate(units=Sum("quantity"), minor=Sum("amount_minor"))
    )
    return {row["line_id"]: (row["units"], row["minor"]) for row in rows}


def credit_notes_of(order_id: UUID, scope: Scope) -> list[CreditNote]:
    """The credit notes of an order with their parts, oldest first. Two statements."""
    found = CreditNote.objects.for_scope(scope).filter(order_id=order_id)
    return list(found.prefetch_related("parts__line").order_by("pk"))


def followers_of(order_id: UUID, scope: Scope) -> list[OrderLink]:
    """Exchanges and reships that follow from the order, oldest first."""
    found = OrderLink.objects.for_scope(scope).filter(origin_id=order_id)
    return list(found.select_related("order").order_by("pk"))


def origin_of(order_id: UUID, scope: Scope) -> OrderLink | None:
    """The order that this one follows from."""
    found: OrderLink | None = (
        OrderLink.objects.for_scope(scope)
        .filter(order_id=order_id)
        .select_related("origin")
        .first()
    )
    return found


def orders_giving_back(order_ids: Collection[UUID], scope: Scope) -> set[UUID]:
    """Those of the orders whose credits are not wholly given back yet, or not answered."""
    wanted = list(order_ids)
    refunds = Refund.objects.for_scope(scope).filter(
        order_id__in=wanted, state__in=[RefundState.PENDING, RefundState.SENT, RefundState.FAILED]
    )
    taking = Capture.objects.for_scope(scope).filter(
        order__credit_open_minor__gt=0, order_id__in=wanted, state=CaptureState.REQUESTED
    )
    disputed = Dispute.objects.for_scope(scope).of_orders(wanted).open()
    return {
        *refunds.values_list("order_id", flat=True),
        *taking.values_list("order_id", flat=True),
        *disputed.values_list("order_id", flat=True),
    }
