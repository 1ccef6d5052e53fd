"""The forms of the returns desk. Each says what was found; the commands judge it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django import forms

from config.console.forms import ActionForm, reason_field
from config.kernel.errors import Invalid
from returns.services.photos import MOST_BYTES, MOST_PHOTOS, kind_of
from returns.states import Disposition, Grade, PhotoKind
from returns.types import ArrivedUnits

STRAYS: Final = 3
"""Rows for goods that nobody has announced, beside those that somebody has."""
MOST_ROWS: Final = 60
"""Different things in one parcel."""
PHOTOS_SAID: Final = f"JPEG, PNG or WebP; at most {MOST_PHOTOS} of one line."
_USUAL: Final = [("", "As usual for the grade")]
Choices = Sequence[tuple[str, str]]


class DeclineForm(ActionForm):
    why = reason_field("Why, as the buyer will read it")


class StraysForm(ActionForm):
    """Goods without a line: SKU or barcode, and how many."""

    node = forms.ChoiceField(label="Node")

    def __init__(self, *args: Any, nodes: Choices = (), rows: int = STRAYS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows
        field = self.fields["node"]
        if isinstance(field, forms.ChoiceField):
            # Nobody's goods are taken in at the first node of a list by mistake.
            unsure = [("", "Choose the node")] if len(nodes) > 1 else []
            field.choices = [*unsure, *nodes]
        for place in self.places:
            self.fields[f"sku_{place}"] = forms.CharField(
                label="SKU or barcode", max_length=64, required=False
            )
            self.fields[f"units_{place}"] = forms.IntegerField(
                label="Units", min_value=1, required=False, initial=1
            )

    @property
    def places(self) -> range:
        return range(1, self.rows + 1)

    def strays(self) -> list[tuple[str, int]]:
        """What was found: (code, units)."""
        values = self.cleaned_data
        return [
            (code, values.get(f"units_{place}") or 1)
            for place in self.places
            if (code := values.get(f"sku_{place}", "").strip())
        ]

    def stray_rows(self) -> list[tuple[Any, Any]]:
        return [(self[f"sku_{place}"], self[f"units_{place}"]) for place in self.places]


class ReceiveForm(StraysForm):
    """What came of each line, and what came beside them."""

    def __init__(self, *args: Any, lines: Sequence[Any] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = list(lines)
        for line in self.lines:
            self.fields[f"line_{line.pk}"] = forms.IntegerField(
                label=line.title or (line.sku.name if line.sku else "Goods"),
                min_value=0,
                required=False,
                initial=line.awaited,
                help_text=f"{line.awaited} of {line.requested} are awaited.",
            )

    def line_rows(self) -> list[Any]:
        return [self[f"line_{line.pk}"] for line in self.lines]

    def announced(self) -> list[ArrivedUnits]:
        return [
            ArrivedUnits(units, line.pk)
            for line in self.lines
            if (units := self.cleaned_data.get(f"line_{line.pk}"))
        ]


class ArrivalForm(StraysForm):
    """A parcel that nobody has announced: as many rows as it has things, each added by a scan."""

    tracking_number = forms.CharField(
        label="Tracking number on the parcel", max_length=64, required=False
    )
    order = forms.CharField(
        label="Order number, if something in it says so", max_length=64, required=False
    )

    @staticmethod
    def rows_sent(sent: Mapping[str, str]) -> int:
        """How many rows the form that was sent had."""
        places = [int(name[4:]) for name in sent if name[:4] == "sku_" and name[4:].isdecimal()]
        return min(max(places, default=1), MOST_ROWS)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not any(values.get(f"sku_{place}", "").strip() for place in self.places):
            raise forms.ValidationError("Scan what is in it: nothing is counted.")
        return values


class PhotosInput(forms.FileInput):
    """Several files at once; a telephone offers its camera."""

    allow_multiple_selected = True

    def __init__(self) -> None:
        super().__init__({"accept": ",".join(PhotoKind.values)})


class PhotosField(forms.FileField):
    """Photos, each checked by what it is. The value is their contents."""

    widget = PhotosInput

    def clean(self, data: Any, initial: Any = None) -> list[bytes]:  # several
        sent = data if isinstance(data, list | tuple) else [data] if data else []
        if self.required and not sent:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        if len(sent) > MOST_PHOTOS:
            raise forms.ValidationError(f"At most {MOST_PHOTOS} photos of one line.")
        contents = []
        for one in sent:
            checked = super().clean(one, initial)
            if checked.size > MOST_BYTES:
                raise forms.ValidationError(f"A photo has at most {MOST_BYTES // 1024**2} MB.")
            content = checked.read()
            try:
                kind_of(content)
            except Invalid as refusal:
                raise forms.ValidationError(refusal.detail) from refusal
            contents.append(content)
        return contents


class PhotosForm(ActionForm):
    """Photos of one line, added to those that it has."""

    line = forms.CharField(widget=forms.HiddenInput())
    photos = PhotosField(label="Photos", help_text=PHOTOS_SAID)


class GradeForm(ActionForm):
    line = forms.CharField(widget=forms.HiddenInput())
    quantity = forms.IntegerField(label="Units", min_value=1)
    grade = forms.ChoiceField(
        label="Grade",
        choices=[(code, f"{code}: {label.lower()}") for code, label in Grade.choices],
    )
    disposition = forms.ChoiceField(
        label="What becomes of it", choices=[*_USUAL, *Disposition.choices], required=False
    )
    accepted = forms.ChoiceField(
        label="Is it paid for",
        choices=[("", "As usual: broken goods only if the fault is not the buyer's"),
                 ("yes", "Yes, accepted"), ("no", "No, not accepted")],
        required=False,
    )  # fmt: skip
    lot = forms.CharField(label="Lot or serial", max_length=64, required=False)
    verified = forms.BooleanField(
        label="Its code was verified: it may be sold again", required=False
    )
    photos = PhotosField(label="Photos", required=False, help_text=PHOTOS_SAID)

    def __init__(self, *args: Any, law: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if law:
            self.fields["verified"].help_text = f"It is regulated by {law}."
        else:
            del self.fields["verified"]


class ExchangeForm(ActionForm):
    """Up to three things that go out instead."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for place in range(1, STRAYS + 1):
            self.fields[f"sku_{place}"] = forms.CharField(
                label="SKU", max_length=64, required=place == 1
            )
            self.fields[f"units_{place}"] = forms.IntegerField(
                label="Units", min_value=1, required=False, initial=1
            )

    def item_rows(self) -> list[tuple[Any, Any]]:
        return [(self[f"sku_{place}"], self[f"units_{place}"]) for place in range(1, STRAYS + 1)]

    def items(self) -> list[tuple[str, int]]:
        values = self.cleaned_data
        return [
            (code, values.get(f"units_{place}") or 1)
            for place in range(1, STRAYS + 1)
            if (code := values.get(f"sku_{place}", "").strip())
        ]


class FileForm(ActionForm):
    reference = forms.CharField(label="The carrier's number of the claim", max_length=128)


class AnswerForm(ActionForm):
    paid = forms.ChoiceField(
        label="What the carrier said",
        choices=[("yes", "It pays"), ("no", "It denies the claim")],
        widget=forms.RadioSelect(),
    )
    amount = forms.DecimalField(
        label="Amount paid", min_value=0, decimal_places=2, max_digits=12, required=False
    )
    reference = forms.CharField(label="Reference", max_length=128, required=False)


class ResolveClaimForm(ActionForm):
    resolution = forms.ChoiceField(
        label="What the buyer gets",
        choices=[("reship", "The same goods again"), ("refund", "Their money back"),
                 ("nothing", "Nothing")],
        widget=forms.RadioSelect(),
        help_text="Decided once.",
    )  # fmt: skip


def line_named(lines: Sequence[Any], wanted: str) -> Any:
    """The line that a form names."""
    try:
        line_id = UUID(wanted)
    except ValueError:
        return None
    return next((line for line in lines if line.pk == line_id), None)
