"""Erasure: what names a person goes, what the person bought stays.

The keys with which the person's data was sealed are destroyed, the hashes by which they were found
and what stood in the clear are blanked. Orders, stock, money and their history are left as they are:
they name nobody any more. One order's people share a key, so they are erased together.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from config.kernel import vault
from config.kernel.errors import Conflict
from config.kernel.models import SubjectKey
from config.kernel.types import ALL_ACCOUNTS, Actor, Scope
from orders import erasing
from orders.models import Contact, Customer, DeliveryGroup, Order, OrderLine, OrderNote
from orders.services.sheet import open_sheet
from orders.validators.party import clean_email

_FEW = 5


@dataclass(frozen=True, slots=True)
class Footprint:
    """What is kept of some people: rows by id. `unfinished` are numbers of orders still at work."""

    order_ids: tuple[UUID, ...]
    contact_ids: tuple[UUID, ...]
    customer_ids: tuple[UUID, ...]
    key_ids: tuple[UUID, ...]
    unfinished: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was erased; `keys` counts those that had not been destroyed before."""

    orders: int
    contacts: int
    keys: int


def footprint_of(
    account_id: UUID, *, emails: Collection[str] = (), contact_ids: Collection[UUID] = ()
) -> Footprint:
    """What the account keeps of the people with these addresses or contacts. Changes nothing.

    An order belongs to whoever bought it; with it go all contacts that share its key: recipients,
    and addresses that were corrected since.
    """
    scope = Scope(frozenset({account_id}))
    hashes = [vault.digest("email", clean_email(email)) for email in emails if clean_email(email)]
    contacts = Contact.objects.for_scope(scope)
    named = set(
        contacts.filter(
            Q(pk__in=list(contact_ids)) | (Q(email_hash__in=hashes) & ~Q(email_hash=""))
        ).values_list("pk", flat=True)
    )
    customers = set(
        Customer.objects.for_scope(scope)
        .filter(Q(identity__in=hashes) | Q(contact_id__in=named))
        .values_list("pk", flat=True)
    )
    groups = DeliveryGroup.objects.for_scope(scope)
    orders = dict(
        Order.objects.for_scope(scope)
        .filter(
            Q(billing_contact_id__in=named)
            | Q(customer_id__in=customers)
            | Q(pk__in=groups.filter(contact_id__in=named).values("order_id"))
        )
        .values_list("pk", "billing_contact_id")
    )
    met = named | {contact_id for contact_id in orders.values() if contact_id is not None}
    met |= set(
        groups.filter(order_id__in=orders, contact_id__isnull=False).values_list(
            "contact_id", flat=True
        )
    )
    keys = set(contacts.filter(pk__in=met, key_id__isnull=False).values_list("key_id", flat=True))
    met |= set(contacts.filter(key_id__in=keys).values_list("pk", flat=True))
    at_work = OrderLine.objects.for_scope(scope).filter(
        Q(pending__gt=0) | Q(backordered__gt=0) | Q(reserved__gt=0) | Q(released__gt=0),
        order_id__in=orders,
    )
    unfinished = Order.objects.for_scope(scope).filter(pk__in=at_work.values("order_id"))
    return Footprint(
        order_ids=tuple(sorted(orders)),
        contact_ids=tuple(sorted(met)),
        customer_ids=tuple(sorted(customers)),
        key_ids=tuple(sorted(keys)),
        unfinished=tuple(unfinished.order_by("pk").values_list("number", flat=True)),
    )


@transaction.atomic
def erase_people(
    account_id: UUID,
    *,
    emails: Collection[str] = (),
    contact_ids: Collection[UUID] = (),
    unfinished_too: bool = False,
    at: datetime,
    actor: Actor,
) -> Erased:
    """Erase the people with these e-mail addresses or contacts from the account, for good.

    Raises Conflict while an order of theirs is at work, unless `unfinished_too`: without an address
    it cannot be shipped. Erasing twice erases nothing more. One event per order says that it
    happened, and of nobody.
    """
    found = footprint_of(account_id, emails=emails, contact_ids=contact_ids)
    if found.unfinished and not unfinished_too:
        named = ", ".join(found.unfinished[:_FEW])
        more = len(found.unfinished) - _FEW
        raise Conflict(
            f"Orders are still at work: {named}{f' and {more} more' if more > 0 else ''}. Finish or "
            "cancel them first."
        )
    sheet = open_sheet(found.order_ids)
    order_ids = sorted(sheet.orders)
    keys = set(found.key_ids) | _note_keys(order_ids) | erasing.keys_of(order_ids)
    standing = set(
        SubjectKey.objects.filter(pk__in=keys, wrapped__isnull=False).values_list("pk", flat=True)
    )
    _blank(found, order_ids, at)
    destroyed = vault.destroy_keys(sorted(standing), at=at)
    if destroyed:
        for order_id in order_ids:
            sheet.tell(order_id, "order.person_erased")
    sheet.write(at=at, actor=actor, reason="a person was erased")
    return Erased(len(order_ids), len(found.contact_ids), destroyed)


def _note_keys(order_ids: Sequence[UUID]) -> set[UUID]:
    notes = OrderNote.objects.for_scope(ALL_ACCOUNTS).filter(
        order_id__in=order_ids, key_id__isnull=False
    )
    return set(notes.values_list("key_id", flat=True))


def _blank(found: Footprint, order_ids: Sequence[UUID], at: datetime) -> None:
    """Blank what stands in the clear or could be searched. The orders are locked.

    The customer goes altogether: its id is made from the address, and the same person may come again.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_contact SET sealed = NULL, email_hash = '', phone_hash = '', "
            "name_hash = '', region = '', postal_code = '', country = '', "
            "erased_at = coalesce(erased_at, %s) WHERE id = ANY(%s)",
            [at, list(found.contact_ids)],
        )
        cursor.execute(
            "UPDATE orders_deliverygroup SET gift_message = NULL, handling_notes = '' "
            "WHERE order_id = ANY(%s)",
            [list(order_ids)],
        )
        cursor.execute(
            "UPDATE orders_order SET customer_id = NULL, lookalike_hash = '' WHERE id = ANY(%s)",
            [list(order_ids)],
        )
        cursor.execute(
            "DELETE FROM orders_customer AS person WHERE id = ANY(%s) AND NOT EXISTS "
            "(SELECT FROM orders_order o WHERE o.customer_id = person.id)",
            [list(found.customer_ids)],
        )
