"""One order with everything that belongs to it, in a constant number of statements."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from config.kernel import vault
from config.kernel.errors import NotFound
from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS, Scope
from orders.models import (
    Authorization,
    Capture,
    Contact,
    DeliveryGroup,
    Hold,
    Invoice,
    LineCancellation,
    Order,
    OrderLine,
    OrderNote,
    Promise,
    Refund,
    Tender,
)
from orders.selectors.disputes import DisputeView, disputes_of
from orders.selectors.release import opened_address
from orders.types import Address, Party


@dataclass(frozen=True, slots=True)
class OrderPage:
    """An order as a page shows it. Personal data is opened only when it was asked for."""

    order: Order
    groups: tuple[DeliveryGroup, ...]
    lines: tuple[OrderLine, ...]
    holds: tuple[Hold, ...]
    promises: tuple[Promise, ...]
    cancellations: tuple[LineCancellation, ...]
    tenders: tuple[Tender, ...]
    authorizations: tuple[Authorization, ...]
    captures: tuple[Capture, ...]
    refunds: tuple[Refund, ...]
    invoices: tuple[Invoice, ...]
    disputes: tuple[DisputeView, ...]
    buyer: Party | None
    addresses: dict[UUID, Address]


def order_page(order_id: UUID, scope: Scope, *, with_contacts: bool = False) -> OrderPage:
    """Everything of one order. Raises NotFound when it does not exist or is beyond the scope."""
    order = (
        Order.objects.for_scope(scope)
        .select_related("channel", "brand", "billing_contact")
        .filter(pk=order_id)
        .first()
    )
    if order is None:
        raise NotFound("There is no such order.")

    def of(model: Any, order_by: str = "pk") -> tuple[Any, ...]:
        return tuple(model.objects.for_scope(scope).filter(order_id=order_id).order_by(order_by))

    groups = tuple(
        DeliveryGroup.objects.for_scope(scope)
        .filter(order_id=order_id)
        .select_related("contact", "pickup_node", "pinned_node", "service_level")
        .order_by("position")
    )
    lines = tuple(
        OrderLine.objects.for_scope(scope)
        .filter(order_id=order_id)
        .select_related("sku")
        .order_by("position")
    )
    return OrderPage(
        order=order,
        groups=groups,
        lines=lines,
        holds=of(Hold),
        promises=of(Promise),
        cancellations=of(LineCancellation),
        tenders=of(Tender, "position"),
        authorizations=of(Authorization),
        captures=of(Capture),
        refunds=of(Refund),
        invoices=of(Invoice),
        disputes=tuple(disputes_of([order_id], scope).get(order_id, ())),
        buyer=_party(order.billing_contact) if with_contacts else None,
        addresses=_addresses(groups) if with_contacts else {},
    )


def _party(contact: Contact | None) -> Party | None:
    if contact is None or contact.key_id is None or contact.sealed is None:
        return None
    try:
        sealed = vault.open_(contact.key_id, contact.sealed)
    except vault.Erased:
        return None
    return Party(
        name=sealed.get("name", ""),
        company=sealed.get("company", ""),
        email=sealed.get("email", ""),
        phone=sealed.get("phone", ""),
    )


def _addresses(groups: tuple[DeliveryGroup, ...]) -> dict[UUID, Address]:
    vault.preload([g.contact.key_id for g in groups if g.contact and g.contact.key_id])
    opened = {group.pk: opened_address(group.contact) for group in groups}
    return {group_id: address for group_id, address in opened.items() if address is not None}


@dataclass(frozen=True, slots=True)
class ReadNote:
    """A note, opened; `text` is empty when the person it speaks of was erased."""

    id: UUID
    text: str
    author: str
    at: Any


def notes_of(order_id: UUID, scope: Scope) -> list[ReadNote]:
    """The order's notes, oldest first. Two statements."""
    rows = list(OrderNote.objects.for_scope(scope).filter(order_id=order_id).order_by("pk"))
    vault.preload([row.key_id for row in rows if row.key_id])
    return [ReadNote(row.pk, _opened(row), row.author, row.at) for row in rows]


def _opened(row: OrderNote) -> str:
    if row.key_id is None:
        return ""
    try:
        return str(vault.open_(row.key_id, row.sealed).get("text", ""))
    except vault.Erased:
        return ""


def timeline(order_id: UUID, scope: Scope, *, limit: int = 500) -> list[Event]:
    """What happened to the order, in every app, oldest first."""
    return list(Event.objects.for_scope(scope).filter(thread_id=order_id).order_by("id")[:limit])


def require_payment_of(order_id: UUID, payment_id: UUID) -> None:
    """Raise NotFound unless the refund or capture is the order's."""
    refunds = Refund.objects.for_scope(ALL_ACCOUNTS).filter(pk=payment_id, order_id=order_id)
    captures = Capture.objects.for_scope(ALL_ACCOUNTS).filter(pk=payment_id, order_id=order_id)
    if not refunds.exists() and not captures.exists():
        raise NotFound("The order has no such payment.")
