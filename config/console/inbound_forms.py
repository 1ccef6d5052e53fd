"""The forms behind goods on their way: another time, receive, what may be sold ahead."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from django import forms

from config.console.forms import ActionForm, MomentInput, reason_field

_UNITS = 1_000_000
Choices = Sequence[tuple[str, str]]


class _PerLine(ActionForm):
    """Fields of each line before those of the document."""

    def __init__(self, *args: Any, lines: Sequence[Any] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = lines
        own = list(self.fields.items())
        self.fields.clear()
        for line in lines:
            for name, field in self.fields_of(line).items():
                self.fields[f"{name}_{line.pk}"] = field
        self.fields.update(own)

    @abstractmethod
    def fields_of(self, line: Any) -> dict[str, forms.Field]:
        """The fields of one line, by name."""

    def value(self, line: Any, name: str) -> Any:
        return self.cleaned_data.get(f"{name}_{line.pk}")


class EtaForm(_PerLine):
    """When each line is expected; what stays as it is changes nothing."""

    every = forms.DateTimeField(
        label="All of it",
        required=False,
        widget=MomentInput(),
        help_text="Leave empty to give each line its own time.",
    )
    reason = reason_field("Why, and who says so")

    def fields_of(self, line: Any) -> dict[str, forms.Field]:
        return {
            "eta": forms.DateTimeField(
                label=f"{line.sku.code}: {line.coming} to come",
                initial=line.eta_at,
                widget=MomentInput(),
            )
        }


class ArrivedForm(_PerLine):
    """What has come of each line, whole and damaged."""

    def fields_of(self, line: Any) -> dict[str, forms.Field]:
        def units(label: str, initial: int) -> forms.IntegerField:
            return forms.IntegerField(
                label=label, min_value=0, max_value=_UNITS, required=False, initial=initial
            )

        return {
            "whole": units(f"{line.sku.code}: whole, of {line.coming} to come", line.coming),
            "damaged": units(f"{line.sku.code}: damaged", 0),
        }


class LimitForm(_PerLine):
    """How much of each line may be sold ahead."""

    def fields_of(self, line: Any) -> dict[str, forms.Field]:
        return {
            "percent": forms.IntegerField(
                label=f"{line.sku.code}: percent of {line.coming} to come",
                min_value=0,
                max_value=100,
                required=False,
                initial=line.ahead_percent,
                help_text=f"{line.sold_ahead} sold ahead. Empty: no limit.",
            )
        }


class CapForm(ActionForm):
    channel = forms.ChoiceField(label="Channel")
    sku = forms.CharField(label="SKU", max_length=120)
    units = forms.IntegerField(
        label="Units",
        min_value=0,
        max_value=_UNITS,
        help_text="The most that may wait for goods to come at any time.",
    )
    ends_at = forms.DateTimeField(
        label="Until",
        required=False,
        widget=MomentInput(),
        help_text="Then the channel's own rule for backorders is back. Empty: until ended.",
    )
    note = forms.CharField(label="What for", max_length=200, required=False)

    def __init__(self, *args: Any, channels: Choices = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["channel"]
        if isinstance(field, forms.ChoiceField):
            field.choices = list(channels)
