"""The customer: an e-mail address and a phone number that can be used."""

import re
from functools import lru_cache

import phonenumbers

from orders.types import OrderDraft
from orders.validators.finding import Finding, Known, Severity

_NORTH_AMERICAN = re.compile(r"\+1[2-9][0-9]{9}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


@lru_cache(maxsize=4096)
def to_e164(phone: str, country: str) -> str:
    """The number in E.164, or nothing when it cannot be one."""
    if _NORTH_AMERICAN.fullmatch(phone):
        return phone  # in E.164 already, and as long as any there: reading it says no more
    try:
        parsed = phonenumbers.parse(phone, country or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(parsed):
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def clean_email(email: str) -> str:
    """The address in lower case, or nothing when it cannot be one."""
    email = email.strip().lower()
    return email if _EMAIL.fullmatch(email) else ""


def country_of(draft: OrderDraft) -> str:
    """The country that phone numbers without a prefix are read in."""
    return next((group.address.country for group in draft.groups if group.address), "")


def check_customer(draft: OrderDraft, known: Known) -> list[Finding]:
    """What cannot be used is said; it stops nothing."""
    found = []
    if draft.customer.email and not clean_email(draft.customer.email):
        found.append(
            Finding(
                Severity.WARN,
                "email",
                "The e-mail address cannot be one; the buyer gets no messages.",
                "/customer/email",
            )
        )
    if draft.customer.phone and not to_e164(draft.customer.phone, country_of(draft)):
        found.append(
            Finding(
                Severity.WARN,
                "phone",
                "The phone number cannot be one; the carrier gets none.",
                "/customer/phone",
            )
        )
    return found
