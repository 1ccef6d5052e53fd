"""The forms behind what moves stock: adjustments, conditions, counts and transfers."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from django import forms

from config.console.forms import ActionForm, MomentInput, reason_field
from inventory.states import AdjustmentReason, Condition, TransferPurpose

_UNITS = 1_000_000
Choices = Sequence[tuple[str, str]]


def _offer(form: forms.Form, name: str, choices: Choices) -> None:
    field = form.fields[name]
    if isinstance(field, forms.ChoiceField):
        field.choices = list(choices)


class AdjustForm(ActionForm):
    node = forms.ChoiceField(label="Node")
    quantity = forms.IntegerField(
        label="Units",
        min_value=-_UNITS,
        max_value=_UNITS,
        help_text="What came or went: 5 adds five, -5 takes five away.",
    )
    condition = forms.ChoiceField(
        label="Condition",
        choices=[(each.value, each.label) for each in Condition],
        initial=Condition.AVAILABLE.value,
    )
    reason = forms.ChoiceField(label="Why", choices=AdjustmentReason.choices)
    expected = forms.IntegerField(
        label="Units that lay there before",
        required=False,
        min_value=0,
        help_text="When you saw them: nothing is changed if the book says otherwise by now.",
    )
    note = reason_field("What happened, for whoever looks next")

    def __init__(self, *args: Any, nodes: Choices = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "node", nodes)

    def clean_quantity(self) -> int:
        quantity: int = self.cleaned_data["quantity"]
        if quantity == 0:
            raise forms.ValidationError("Nothing would change: say how many came (+) or went (-).")
        return quantity


class ConditionForm(ActionForm):
    node = forms.ChoiceField(label="Node")
    condition = forms.ChoiceField(
        label="They lie as", choices=[(each.value, each.label) for each in Condition]
    )
    into = forms.ChoiceField(
        label="From now on as",
        choices=[(each.value, each.label) for each in Condition],
        initial=Condition.QUALITY_HOLD.value,
    )
    quantity = forms.IntegerField(
        label="Units",
        required=False,
        min_value=1,
        max_value=_UNITS,
        help_text="Leave empty for all of them.",
    )
    lot = forms.CharField(
        label="Lot", required=False, max_length=64, help_text="Leave empty for any lot."
    )
    note = reason_field("Why")

    def __init__(self, *args: Any, nodes: Choices = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "node", nodes)


class ConvertForm(ActionForm):
    node = forms.ChoiceField(label="Node")
    pack = forms.ChoiceField(label="Pack")
    packs = forms.IntegerField(label="How many", min_value=1, max_value=_UNITS, initial=1)
    lot = forms.CharField(
        label="Lot", required=False, max_length=64, help_text="Leave empty where it has none."
    )
    note = forms.CharField(label="A word about it", max_length=200, required=False)

    def __init__(self, *args: Any, nodes: Choices = (), packs: Choices = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "node", nodes)
        _offer(self, "pack", packs)


class CountForm(ActionForm):
    nodes = forms.MultipleChoiceField(label="Nodes", widget=forms.CheckboxSelectMultiple())
    reason = reason_field("Why it is to be counted")

    def __init__(self, *args: Any, nodes: Choices = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["nodes"]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = list(nodes)


class NoteForm(ActionForm):
    """A decision, with a word about it."""

    reason = forms.CharField(label="A word about it", max_length=200, required=False)


class ReasonForm(ActionForm):
    reason = reason_field()


class TransferForm(ActionForm):
    from_node = forms.ChoiceField(label="From")
    to_node = forms.ChoiceField(label="To")
    lines = forms.CharField(
        label="What",
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="One SKU and its units per line, such as: MUG-BLUE 12",
    )
    purpose = forms.ChoiceField(
        label="Purpose", choices=TransferPurpose.choices, initial=TransferPurpose.REBALANCE.value
    )
    priority = forms.IntegerField(
        label="Priority",
        min_value=-100,
        max_value=100,
        initial=0,
        help_text="The higher is reserved first, and gives up last.",
    )
    eta_at = forms.DateTimeField(label="Expected there", required=False, widget=MomentInput())
    note = forms.CharField(label="Note", max_length=500, required=False)

    def __init__(self, *args: Any, nodes: Choices = (), places: Choices = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        _offer(self, "from_node", nodes)
        _offer(self, "to_node", places)

    def clean_lines(self) -> list[tuple[str, int]]:
        """(SKU code, units) of each line."""
        wanted: dict[str, int] = {}
        for text in str(self.cleaned_data["lines"]).splitlines():
            if not text.strip():
                continue
            code, _, units = text.replace(",", " ").replace("\t", " ").strip().rpartition(" ")
            if not code.strip() or not units.isdigit() or not 0 < int(units) <= _UNITS:
                raise forms.ValidationError(f"“{text.strip()}” is no SKU and units.")
            name = code.strip().upper()
            wanted[name] = wanted.get(name, 0) + int(units)
        return list(wanted.items())

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("from_node") and values.get("from_node") == values.get("to_node"):
            self.add_error("to_node", "A transfer is between two nodes.")
        return values


class _LinesForm(ActionForm):
    """One number per line of a transfer."""

    def __init__(self, *args: Any, lines: Sequence[Any] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = lines
        own = list(self.fields.items())
        self.fields.clear()
        for line in lines:
            self.add_line(line)
        self.fields.update(own)

    @abstractmethod
    def add_line(self, line: Any) -> None:
        """Add the fields of one line."""

    def number(self, name: str, label: str, initial: int, most: str = "") -> None:
        self.fields[name] = forms.IntegerField(
            label=label,
            min_value=0,
            max_value=_UNITS,
            required=False,
            initial=initial,
            help_text=most,
        )

    def units(self, line: Any, name: str) -> int:
        return int(self.cleaned_data.get(f"{name}_{line.pk}") or 0)


class ShipForm(_LinesForm):
    eta_at = forms.DateTimeField(label="Expected there", required=False, widget=MomentInput())
    reference = forms.CharField(label="Travels under", max_length=64, required=False)
    last = forms.BooleanField(label="What is left does not ship any more", required=False)

    def add_line(self, line: Any) -> None:
        left = max(0, line.requested - line.shipped)
        self.number(
            f"left_{line.pk}",
            f"{line.sku.code}: units that left",
            getattr(line, "reserved", left),
            f"{line.requested} asked for, {line.shipped} shipped.",
        )


class ReceiveForm(_LinesForm):
    last = forms.BooleanField(label="What is missing does not come any more", required=False)

    def add_line(self, line: Any) -> None:
        self.number(f"whole_{line.pk}", f"{line.sku.code}: whole", line.under_way)
        self.number(f"damaged_{line.pk}", f"{line.sku.code}: damaged", 0)


class SettleForm(ActionForm):
    amount = forms.DecimalField(
        label="Paid or credited",
        min_value=0,
        decimal_places=2,
        max_digits=12,
        required=False,
        help_text="Leave empty to withdraw the claim.",
    )
    reference = reason_field("Reference or reason")
