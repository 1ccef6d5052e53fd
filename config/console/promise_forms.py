"""The forms behind quotes: what a buyer wants to know, and what a channel promises."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms

from config.console.forms import ActionForm, MomentInput
from routing.quotes.types import METHODS, PICKUP_KM, WantedLine

MOST_LINES: Final = 50
MOST_UNITS: Final = 100_000
ANY: Final = ("", "Any")
METHOD_NAMES: Final = {"ship": "Ship", "pickup": "Pick up", "ship_to_store": "Ship to store"}
KINDS: Final = (
    ("checkout", "Check-out: all together"),
    ("cart", "Cart: all together"),
    ("product", "Product page: each by itself"),
)
Choices = Sequence[tuple[str, str]]


class DayInput(forms.DateInput):
    input_type = "date"


class QuoteForm(ActionForm):
    """What is asked for, as a shop would ask. Lines are a SKU and its units each."""

    channel = forms.ChoiceField(label="Channel")
    lines = forms.CharField(
        label="SKUs",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One per line: the code, then the units (one, if left out).",
    )
    postal_code = forms.CharField(label="Postal code", max_length=16, required=False)
    region = forms.CharField(label="State", max_length=64, required=False)
    country = forms.RegexField(r"^[A-Za-z]{2}$", label="Country", initial="US")
    method = forms.ChoiceField(label="Method", required=False, choices=[ANY, *METHOD_NAMES.items()])
    service = forms.ChoiceField(label="Service level", required=False)
    kind = forms.ChoiceField(label="Asked on the", choices=KINDS)
    needed_by = forms.DateField(label="Needed by", required=False, widget=DayInput())
    fixed_date = forms.DateField(
        label="On that day", required=False, widget=DayInput(), help_text="Planned backwards."
    )
    cart = forms.CharField(
        label="Cart", max_length=64, required=False, help_text="What it holds counts as free."
    )
    pickup_km = forms.IntegerField(
        label="Stores within",
        min_value=1,
        max_value=500,
        initial=PICKUP_KM,
        help_text="Kilometres.",
    )

    def __init__(
        self, *args: Any, channels: Choices = (), services: Choices = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channel"].choices = list(channels)  # type: ignore[attr-defined]
        self.fields["service"].choices = [ANY, *services]  # type: ignore[attr-defined]

    def clean_lines(self) -> tuple[WantedLine, ...]:
        found: list[WantedLine] = []
        for row in self.cleaned_data["lines"].splitlines():
            parts = row.split()
            if not parts:
                continue
            last = parts[-1].removeprefix("x").removeprefix("×")
            counted = len(parts) > 1 and last.isdecimal()
            units = int(last) if counted else 1
            if not 1 <= units <= MOST_UNITS:
                raise forms.ValidationError(f"{row.strip()}: from 1 to {MOST_UNITS:,} units.")
            found.append(WantedLine(" ".join(parts[:-1] if counted else parts), units))
        if not 1 <= len(found) <= MOST_LINES:
            raise forms.ValidationError(f"From 1 to {MOST_LINES} SKUs.")
        return tuple({line.code: line for line in found}.values())

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("needed_by") and values.get("fixed_date"):
            self.add_error("fixed_date", "Either a last day or a fixed one.")
        return values

    @property
    def methods(self) -> tuple[str, ...]:
        chosen = self.cleaned_data["method"]
        return (chosen,) if chosen else METHODS


class PledgeForm(ActionForm):
    """What a channel promises its buyers. Days are working days."""

    channel = forms.ChoiceField(label="Channel")
    service = forms.ChoiceField(label="Service level", required=False)
    ship_days = forms.IntegerField(
        label="Leaves within", required=False, min_value=0, max_value=60, help_text="Working days."
    )
    deliver_days = forms.IntegerField(
        label="Arrives within", required=False, min_value=0, max_value=90, help_text="Working days."
    )
    cutoff = forms.TimeField(
        label="Counted from the next working day after",
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}),
        help_text="By the channel's clock; empty counts every order from its own day.",
    )
    starts_at = forms.DateTimeField(label="From", widget=MomentInput())
    ends_at = forms.DateTimeField(
        label="Until", required=False, widget=MomentInput(), help_text="Empty: until it is ended."
    )

    def __init__(
        self, *args: Any, channels: Choices = (), services: Choices = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channel"].choices = list(channels)  # type: ignore[attr-defined]
        self.fields["service"].choices = [ANY, *services]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("ship_days") is None and values.get("deliver_days") is None:
            self.add_error("ship_days", "Say in how many days it leaves, or arrives.")
        return values
