"""The people of a captured order: contacts, sealed, and the hashes they are found by."""

from datetime import datetime
from uuid import UUID, uuid5

from config.kernel import ids, vault
from orders.services.shaped import Row, Shaped
from orders.types import Address, OrderDraft, Party
from orders.validators.address import normalized
from orders.validators.party import clean_email, country_of, to_e164


def email_hash_of(draft: OrderDraft) -> str:
    email = clean_email(draft.customer.email)
    return vault.digest("email", email) if email else ""


def lookalike_hash_of(draft: OrderDraft) -> str:
    """What two orders of an account share when one may be the other again.

    Empty when nobody is named. The account is part of it: no order is held for a stranger's.
    """
    email = clean_email(draft.customer.email)
    places = [normalized(group.address) for group in draft.groups if group.address]
    if not email and not places:
        return ""
    basket = sorted(
        (line.sku_code, line.quantity) for group in draft.groups for line in group.lines
    )
    where = sorted(
        f"{place.line1.casefold()}|{place.postal_code}|{place.country}" for place in places
    )
    return vault.digest("lookalike", f"{draft.account_id}\n{email}\n{where}\n{basket}")


def shape_people(shaped: Shaped, key_id: UUID | None, at: datetime) -> None:
    """The buyer's contact, and the customer it belongs to by e-mail or the channel's own id."""
    draft = shaped.draft
    party = draft.customer
    email_hash = email_hash_of(draft)
    if key_id is not None and party != Party():
        sealed = {
            "name": party.name,
            "company": party.company,
            "email": party.email,
            "phone": party.phone,
        }
        contact = _contact_row(shaped, key_id, vault.seal(key_id, sealed), email_hash)
        contact["phone_hash"] = _phone_hash(party.phone, country_of(draft))
        contact["name_hash"] = vault.digest("name", party.name) if party.name else ""
        shaped.order["billing_contact_id"] = contact["id"]
    identity = email_hash or (
        f"{draft.channel_id}:{party.external_id}" if party.external_id else ""
    )
    if identity:
        shaped.customer = {
            "id": uuid5(draft.account_id, identity),
            "account_id": draft.account_id,
            "contact_id": shaped.order["billing_contact_id"],
            "identity": identity[:200],
            "channel_id": draft.channel_id,
            "external_id": party.external_id[:128],
            "created_at": at,
        }
        shaped.order["customer_id"] = shaped.customer["id"]
    if draft.note and key_id is not None:
        shaped.notes.append(
            {
                "id": ids.uuid7(),
                "order_id": shaped.id,
                "account_id": draft.account_id,
                "key_id": key_id,
                "sealed": vault.seal(key_id, {"text": draft.note}),
                "author": "channel",
                "at": at,
            }
        )


def _contact_row(shaped: Shaped, key_id: UUID, sealed: bytes, email_hash: str) -> Row:
    row = {
        "id": ids.uuid7(),
        "account_id": shaped.draft.account_id,
        "key_id": key_id,
        "sealed": sealed,
        "email_hash": email_hash,
        "phone_hash": "",
        "name_hash": "",
        "region": "",
        "postal_code": "",
        "country": "",
    }
    shaped.contacts.append(row)
    return row


def address_row(account_id: UUID, key_id: UUID, address: Address) -> Row:
    """The contact of a destination: sealed but for what routing needs of the place."""
    place = normalized(address)
    sealed = {
        name: getattr(place, name)
        for name in ("name", "company", "line1", "line2", "city", "phone")
    }
    return {
        "id": ids.uuid7(),
        "account_id": account_id,
        "key_id": key_id,
        "sealed": vault.seal(key_id, sealed),
        "email_hash": "",
        "phone_hash": _phone_hash(place.phone, place.country),
        "name_hash": vault.digest("name", place.name) if place.name else "",
        "region": place.region,
        "postal_code": place.postal_code,
        "country": place.country,
    }


def _phone_hash(phone: str, country: str) -> str:
    number = to_e164(phone, country) if phone else ""
    return vault.digest("phone", number) if number else ""
