"""The order list: filters that are indexed, search that finds an order by what people have of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from config.kernel import vault
from config.kernel.types import Scope
from inventory import selectors as inventory
from orders.models import Contact, DeliveryGroup, Hold, Order, OrderLine
from orders.states import OrderState, Progress
from orders.validators.party import to_e164

_SHORTEST_PHONE = 7
_GONE = [Progress.SHIPPED, Progress.PARTLY_DELIVERED, Progress.DELIVERED, Progress.LOST]


@dataclass(frozen=True, slots=True)
class OrderFilters:
    """What the list is narrowed to; None and empty narrow nothing. Values are codes and ids.

    `node_id`: units of the order were or are that node's to send. `updated_since`: changed by a
    command of that time or later.
    """

    state: str = ""
    progress: str = ""
    payment_state: str = ""
    hold_type: str = ""
    channel_id: UUID | None = None
    sku_id: int | None = None
    text: str = ""
    ship_by_before: datetime | None = None
    late_at: datetime | None = None
    placed_from: datetime | None = None
    placed_before: datetime | None = None
    value_from_minor: int | None = None
    value_to_minor: int | None = None
    tag: str = ""
    external_id: str = ""
    node_id: int | None = None
    updated_since: datetime | None = None


def orders_matching(scope: Scope, filters: OrderFilters) -> Any:
    """The orders of the scope that match, unordered: pages go by key, newest first."""
    found = Order.objects.for_scope(scope)
    exact: dict[str, Any] = {
        "state": filters.state,
        "progress": filters.progress,
        "payment_state": filters.payment_state,
        "channel_id": filters.channel_id,
        "external_id": filters.external_id,
        "placed_at__gte": filters.placed_from,
        "placed_at__lt": filters.placed_before,
        "ship_by__lt": filters.ship_by_before,
        "updated_at__gte": filters.updated_since,
        "total_minor__gte": filters.value_from_minor,
        "total_minor__lte": filters.value_to_minor,
        "tags__contains": [filters.tag] if filters.tag else None,
    }
    given = {name: value for name, value in exact.items() if value is not None and value != ""}
    found = found.filter(**given)
    if filters.hold_type:
        held = Hold.objects.for_scope(scope).active().filter(order_id=OuterRef("pk"))
        found = found.filter(Exists(held.filter(type=filters.hold_type)), holds_open__gt=0)
    if filters.sku_id is not None:
        lines = OrderLine.objects.for_scope(scope).filter(sku_id=filters.sku_id)
        found = found.filter(Exists(lines.filter(order_id=OuterRef("pk"))))
    if filters.node_id is not None:
        found = found.filter(pk__in=inventory.threads_at(filters.node_id))
    if filters.late_at is not None:
        found = found.filter(state=OrderState.ACCEPTED, ship_by__lt=filters.late_at).exclude(
            progress__in=_GONE
        )
    return found.filter(pk__in=search(scope, filters.text)) if filters.text.strip() else found


def search(scope: Scope, text: str, *, limit: int = 250) -> list[UUID]:
    """Orders by our number, the channel's id or number, e-mail, phone or SKU code, newest first.

    E-mail and phone are compared by their keyed hash, whole; three statements at most.
    """
    words = text.strip()
    orders = Order.objects.for_scope(scope)
    named = orders.filter(Q(number=words.upper()) | Q(external_id=words) | Q(external_number=words))
    found = list(named.order_by("-pk").values_list("pk", flat=True)[:limit])
    if found:
        return found
    if hashed := _contacts(words):
        people = Contact.objects.for_scope(scope).filter(hashed).values("pk")
        groups = DeliveryGroup.objects.for_scope(scope).filter(contact_id__in=people)
        met = orders.filter(Q(billing_contact_id__in=people) | Q(pk__in=groups.values("order_id")))
        return list(met.order_by("-pk").values_list("pk", flat=True)[:limit])
    lines = OrderLine.objects.for_scope(scope).filter(Q(external_sku=words) | Q(sku__code=words))
    return list(lines.order_by("-order_id").values_list("order_id", flat=True).distinct()[:limit])


def _contacts(words: str) -> Q | None:
    """The hash condition for what looks like an e-mail address or a phone number."""
    if "@" in words:
        return Q(email_hash=vault.digest("email", words))
    digits = sum(letter.isdigit() for letter in words)
    if digits >= _SHORTEST_PHONE and not any(letter.isalpha() for letter in words):
        number = to_e164(words, "US")
        return Q(phone_hash=vault.digest("phone", number)) if number else None
    return None
