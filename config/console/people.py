"""Contacts for the console: opened, masked, and the record that someone looked."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orders.services
from config.kernel import vault
from config.kernel.masking import masked, masked_email, masked_phone
from config.kernel.types import Actor
from config.reports import order_page as reports
from config.reports.sql import Row

_STREET = ("line1", "line2")
_NAMES = ("name", "company")


@dataclass
class Contact:
    """One person or place of an order. `fields` is what was sealed."""

    id: UUID
    erased: bool = False
    role: str = ""
    masked: bool = False
    fields: dict[str, Any] = field(default_factory=dict)

    def mask(self) -> None:
        """Leave enough to compare and to route, too little to use."""
        self.masked = True
        fields = self.fields
        for name in (*_NAMES, *_STREET):
            if fields.get(name):
                fields[name] = masked(str(fields[name]))
        if fields.get("email"):
            fields["email"] = masked_email(str(fields["email"]))
        if fields.get("phone"):
            fields["phone"] = masked_phone(str(fields["phone"]))

    @property
    def place(self) -> str:
        """City, region, postal code and country on one line."""
        known = [str(self.fields.get(name) or "") for name in ("city", "region", "postal_code")]
        return ", ".join(
            [" ".join(each for each in known if each), self.fields.get("country", "")]
        ).strip(", ")


def opened(ids: Sequence[UUID]) -> list[Contact]:
    """Contacts with their fields, in the order given; an erased one has none."""
    rows = {each["id"]: each for each in reports.contacts(list(ids))} if ids else {}
    vault.preload([row["key_id"] for row in rows.values() if row["key_id"]])
    return [_open(rows[each]) for each in ids if each in rows]


def _open(row: Row) -> Contact:
    contact = Contact(row["id"], erased=row["erased_at"] is not None)
    if row["key_id"] and row["sealed"]:
        with suppress(vault.Erased):
            contact.fields = dict(vault.open_(row["key_id"], row["sealed"]))
            for name in ("region", "postal_code", "country"):
                contact.fields.setdefault(name, row[name])
            return contact
    contact.erased = True
    return contact


def reveal(
    order: Row, contacts: Sequence[Contact], where: str, *, at: datetime, actor: Actor
) -> None:
    """Record that the actor has seen these contacts; the order's timeline shows it."""
    orders.services.record_looks(
        order["id"],
        order["number"],
        order["account_id"],
        [contact.id for contact in contacts if not contact.erased],
        where,
        at=at,
        actor=actor,
    )
