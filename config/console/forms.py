"""The forms behind the verbs. `params()` is what a job keeps: plain JSON."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator
from django.forms.renderers import DjangoTemplates
from django.template import loader

from config.kernel import ids, vault
from integrations.services.connections import MIN_LENGTH
from orders.hold_types import HOLD_TYPES
from orders.types import Address

_PLACED_BY_HAND = ("manual", "fraud", "payment", "address", "duplicate", "review", "buyer")
_REASON = 200


class MomentInput(forms.DateTimeInput):
    """The browser's own date and time; read in the reader's zone (active while forms are read)."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class PageRenderer(DjangoTemplates):
    """Draws forms with the console's templates, and widgets with Django's."""

    def get_template(self, template_name: str) -> Any:
        if template_name.startswith("console/"):
            return loader.get_template(template_name)
        return super().get_template(template_name)


class ActionForm(forms.Form):
    """A form drawn by the console's own templates, without inline styles."""

    template_name = "console/parts/form.html"
    default_renderer = PageRenderer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def params(self) -> dict[str, Any]:
        """The values as JSON, for the job that carries them out; `mark` names this one sending."""
        values = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in self.cleaned_data.items()
        }
        return {**values, "mark": str(ids.uuid7())}


class PlainForm(ActionForm):
    """Nothing to say but yes."""


def reason_field(label: str = "Reason", initial: str = "") -> forms.CharField:
    return forms.CharField(
        label=label, max_length=_REASON, initial=initial, widget=forms.TextInput()
    )


class HoldForm(ActionForm):
    type = forms.ChoiceField(
        label="Kind of hold",
        choices=[(code, HOLD_TYPES[code].label) for code in _PLACED_BY_HAND if code in HOLD_TYPES],
    )
    reason = reason_field("Why, for whoever looks next")
    until = forms.DateTimeField(
        label="Until",
        required=False,
        widget=MomentInput(),
        help_text="Then it ends by itself. Leave empty to keep it until somebody releases it.",
    )


class ReleaseHoldForm(ActionForm):
    type = forms.ChoiceField(
        label="Which holds",
        required=False,
        choices=[
            ("", "All active holds"),
            *((code, kind.label) for code, kind in HOLD_TYPES.items()),
        ],
    )
    hold = forms.CharField(required=False, widget=forms.HiddenInput())
    reason = reason_field("What was found")


class CancelForm(ActionForm):
    line = forms.CharField(required=False, widget=forms.HiddenInput())
    quantity = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput())
    initiator = forms.ChoiceField(
        label="Who asked for it",
        choices=[("buyer", "The buyer"), ("merchant", "We did"), ("channel", "The channel")],
    )
    reason = reason_field()


class RerouteForm(ActionForm):
    group = forms.CharField(required=False, widget=forms.HiddenInput())
    node = forms.ChoiceField(label="Node", widget=forms.RadioSelect())

    def __init__(self, *args: Any, nodes: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["node"]
        if isinstance(field, forms.ChoiceField):
            field.choices = list(nodes)


class ChoiceForm(ActionForm):
    """What the buyer said they want instead of a pickup that its store gave up."""

    choice = forms.ChoiceField(label="What the buyer wants", widget=forms.RadioSelect())

    def __init__(self, *args: Any, offers: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["choice"]
        if isinstance(field, forms.ChoiceField):
            field.choices = list(offers)


class ParcelForm(ActionForm):
    """Yes to what is said of one parcel."""

    parcel = forms.CharField(widget=forms.HiddenInput())


class SettleForm(ActionForm):
    """What a person found out about a payment at the provider or at the bank."""

    payment = forms.ChoiceField(label="Which payment")
    happened = forms.ChoiceField(
        label="What is true of it",
        choices=[("yes", "The money was moved"), ("no", "It was not moved, and will not be")],
        widget=forms.RadioSelect(),
    )
    reference = forms.CharField(
        label="Reference",
        max_length=128,
        required=False,
        help_text="Where the money is found: the provider's number, the bank transfer.",
    )

    def __init__(self, *args: Any, payments: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["payment"]
        if isinstance(field, forms.ChoiceField):
            field.choices = list(payments)

    def clean(self) -> dict[str, Any]:
        """Money that was moved is found somewhere."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("happened") == "yes" and not values.get("reference"):
            self.add_error("reference", "Say where the money is found.")
        return values


class AuthorizationForm(ActionForm):
    """What the buyer has authorised anew, as the provider knows it."""

    reference = forms.CharField(
        label="The provider's reference",
        max_length=128,
        help_text="Of the new authorisation, never of the card.",
    )
    amount = forms.DecimalField(label="Amount", min_value=0, decimal_places=3, max_digits=14)
    until = forms.DateTimeField(label="Its term ends", required=False, widget=MomentInput())

    def params(self) -> dict[str, Any]:
        return super().params() | {"amount": str(self.cleaned_data["amount"])}


class RiskForm(ActionForm):
    reason = reason_field("Why it is sent unpaid")


class NoteForm(ActionForm):
    text = forms.CharField(
        label="Note",
        widget=forms.Textarea(attrs={"rows": 4}),
        validators=[MaxLengthValidator(4_000)],
        help_text="Kept sealed: it may name people. It cannot be edited later.",
    )

    def params(self) -> dict[str, Any]:
        """Sealed here already: a job keeps its params in the clear."""
        (key,) = vault.new_keys(1)
        sealed = vault.seal(key.id, {"text": self.cleaned_data["text"]})
        return {"key": str(key.id), "sealed": b64encode(sealed).decode(), "mark": str(ids.uuid7())}


class AddressForm(ActionForm):
    """A destination as its country writes it; the command judges it."""

    group = forms.CharField(widget=forms.HiddenInput())
    name = forms.CharField(label="Name", max_length=120)
    company = forms.CharField(label="Company", max_length=120, required=False)
    line1 = forms.CharField(label="Street and number", max_length=120)
    line2 = forms.CharField(label="Flat, floor, building", max_length=120, required=False)
    city = forms.CharField(label="City", max_length=80)
    region = forms.CharField(label="State or region code", max_length=16, required=False)
    postal_code = forms.CharField(label="Postal code", max_length=16, required=False)
    country = forms.CharField(label="Country code", min_length=2, max_length=2)
    phone = forms.CharField(label="Phone", max_length=32, required=False)

    def address(self) -> Address:
        values = self.cleaned_data
        return Address(
            **{
                name: values[name]
                for name in (
                    "name", "company", "line1", "line2", "city", "region", "postal_code", "phone",
                )
            },
            country=values["country"].upper(),
        )  # fmt: skip


class PauseForm(ActionForm):
    function = forms.ChoiceField(
        label="What to pause",
        choices=[
            ("ship", "Shipping"),
            ("pickup", "Pickup"),
            ("receiving", "Receiving"),
            ("returns", "Returns"),
        ],
    )
    until = forms.DateTimeField(
        label="Until",
        required=False,
        widget=MomentInput(),
        help_text="Then it resumes by itself. Leave empty to pause until somebody resumes it.",
    )
    reason = reason_field()


class DrainForm(ActionForm):
    reason = reason_field("Why it is taken out")
    pull_back = forms.BooleanField(
        label="Ask back at once what nobody there has begun",
        required=False,
        help_text="The rest is finished there.",
    )


class ResumeForm(ActionForm):
    function = forms.CharField(widget=forms.HiddenInput())


class WaitForm(ActionForm):
    until = forms.DateTimeField(label="Wait until", widget=MomentInput())
    reason = reason_field("What it waits for")


class ResolveForm(ActionForm):
    resolution = reason_field("How it was solved")


class ShortForm(ActionForm):
    line = forms.CharField(widget=forms.HiddenInput())
    quantity = forms.IntegerField(label="Units not there", min_value=1)
    reason = forms.ChoiceField(
        label="Why",
        choices=[
            ("missing", "Not on the shelf"),
            ("damaged", "Damaged"),
            ("wrong_item", "Another item in its place"),
            ("expired", "Past its date"),
        ],
    )


class RejectForm(ActionForm):
    reason = forms.ChoiceField(
        label="Why",
        choices=[
            ("no_capacity", "No capacity"),
            ("no_stock", "It is not there"),
            ("closed", "The node is closed"),
            ("cannot_ship", "Cannot ship this item"),
            ("other", "Other"),
        ],
    )


class ServiceForm(ActionForm):
    service = forms.ChoiceField(label="Service")

    def __init__(self, *args: Any, services: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["service"]
        if isinstance(field, forms.ChoiceField):
            field.choices = list(services)


class ShipForm(ActionForm):
    tracking_number = forms.CharField(
        label="Tracking number",
        max_length=64,
        required=False,
        help_text="Only when the label was not bought here.",
    )


class SinceForm(ActionForm):
    since = forms.DateTimeField(label="Since", widget=MomentInput())


class SecretForm(ActionForm):
    """A webhook secret: written, never shown again."""

    secret = forms.CharField(
        label="New webhook secret",
        min_length=MIN_LENGTH,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="As it stands, or will stand, at the counterpart.",
    )
