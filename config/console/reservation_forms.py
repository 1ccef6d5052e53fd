"""The forms behind reservations: moving them, and giving them to an order that goes first."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from config.console.forms import ActionForm, reason_field
from config.reports.sql import Row

Choices = Sequence[tuple[str, str]]


class MoveForm(ActionForm):
    """Where to, how many where it is one, and why."""

    node = forms.ChoiceField(label="To node")
    units = forms.IntegerField(
        label="Units", required=False, min_value=1, help_text="All of them, where this is empty."
    )
    reason = reason_field("Why, for whoever looks next")

    def __init__(self, *args: Any, nodes: Choices = (), single: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["node"]
        if isinstance(field, forms.ChoiceField):
            field.choices = list(nodes)
        if not single:
            del self.fields["units"]


class FreeForm(ActionForm):
    """Who gives way, how many of each, and why."""

    reason = reason_field("Why this order goes first")

    def __init__(self, *args: Any, claims: Sequence[Row] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.claims = claims

    def given(self) -> list[tuple[UUID, int]]:
        """(reservation, units) of those that were named with units."""
        found = []
        for claim in self.claims:
            text = str(self.data.get(f"units-{claim['id']}", "")).strip()
            if text.isdigit() and int(text):
                found.append((claim["id"], int(text)))
        return found


class OrderForm(ActionForm):
    """Which order is to have the units."""

    order = forms.CharField(label="Order that goes first", max_length=16)
