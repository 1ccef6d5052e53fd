"""Factories of people who are written to: orders with a buyer, and events as a handler gets them."""

from typing import Any
from uuid import UUID

from config.kernel import ids, vault
from config.kernel.events import Recorded
from config.kernel.types import ALL_ACCOUNTS
from orders.models import Contact, Order
from tests.factories.kernel import NOON

ADA = {"name": "Ada Lovelace", "company": "", "email": "ada@example.com", "phone": ""}


def with_buyer(order: Order, **person: str) -> Order:
    """Name the buyer of an order that a factory made without one."""
    key = vault.new_keys(1)[0]
    contact = Contact.objects.create(
        account_id=order.account_id,
        key_id=key.id,
        sealed=vault.seal(key.id, {**ADA, **person}),
        email_hash=vault.digest("email", person.get("email", ADA["email"])),
    )
    Order.objects.for_scope(ALL_ACCOUNTS).filter(pk=order.pk).update(billing_contact=contact)
    order.refresh_from_db()
    return order


def told(
    topic: str,
    order: Order,
    data: dict[str, Any] | None = None,
    *,
    subject: UUID | None = None,
    **details: Any,
) -> Recorded:
    """An event about an order, or about a part of it, as a handler receives it."""
    return Recorded(
        id=details.pop("id", None) or ids.uuid7(),
        topic=topic,
        subject_kind=details.pop("subject_kind", "order"),
        subject_id=subject or order.pk,
        seq=details.pop("seq", 1),
        account_id=order.account_id,
        thread_id=order.pk,
        at=details.pop("at", NOON),
        data=data or {},
        actor_kind="system",
        actor_id="tests",
        correlation_id="",
    )
