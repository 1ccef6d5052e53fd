"""The forms behind a node's calendar and limits; each says a few rows, for several days at once."""

from typing import Any

from django import forms

from config.console.forms import ActionForm, MomentInput, reason_field
from inventory.selectors import carrier_codes, service_level_ids
from inventory.states import (
    CAPACITY_FUNCTIONS,
    Capability,
    CapacityResource,
    Function,
    PlanKind,
    SignalCode,
)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FUNCTIONS = [(one.value, one.label) for one in Function]


class WallTime(forms.TimeInput):
    """The browser's own time of day, in the node's time."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class DayInput(forms.DateInput):
    """The browser's own calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def time_field(label: str, help_text: str = "") -> forms.TimeField:
    return forms.TimeField(label=label, widget=WallTime(), help_text=help_text)


class _Days(ActionForm):
    """What holds on some weekdays."""

    days = forms.TypedMultipleChoiceField(
        label="Days",
        coerce=int,
        choices=list(enumerate(WEEKDAYS)),
        widget=forms.CheckboxSelectMultiple(),
        initial=[0, 1, 2, 3, 4],
    )


class HoursForm(_Days):
    opens = time_field("Opens")
    closes = time_field("Closes", "At or before it opens: on the next day.")


class _Served(_Days):
    service = forms.ChoiceField(label="Service", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = [
            (code, code.replace("_", " ").capitalize()) for code in sorted(service_level_ids())
        ]
        self.fields["service"].choices = [("", "Any"), *codes]  # type: ignore[attr-defined]


class CutoffForm(_Served):
    at_local = time_field("Work must be in by", "Then it leaves the same day.")


class PickupForm(_Served):
    carrier = forms.ChoiceField(label="Carrier")
    at_local = time_field("Comes at")
    most_parcels = forms.IntegerField(
        label="Most parcels", required=False, min_value=1, help_text="Empty: all there is."
    )
    dock = forms.CharField(label="Dock", required=False, max_length=32)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["carrier"].choices = carrier_codes()  # type: ignore[attr-defined]


class CapacityForm(_Days):
    function = forms.ChoiceField(
        label="For", choices=[each for each in _FUNCTIONS if each[0] in CAPACITY_FUNCTIONS]
    )
    resource = forms.ChoiceField(label="What is counted", choices=CapacityResource.choices)
    opens = time_field("From")
    closes = time_field("Until", "Midnight is the end of the day.")
    most = forms.IntegerField(label="Most", min_value=0)
    hard = forms.BooleanField(
        label="Never pass it",
        required=False,
        help_text="An order that would is sent from elsewhere, or waits. Else it is a signal.",
    )


class ClosureForm(ActionForm):
    on = forms.DateField(label="Day", widget=DayInput())
    name = forms.CharField(label="Why it is closed", max_length=120)


class SpecialDayForm(ActionForm):
    on = forms.DateField(label="Day", widget=DayInput())
    opens = time_field("Opens")
    closes = time_field("Closes")
    name = forms.CharField(label="Why", max_length=120)


class CapabilityForm(ActionForm):
    code = forms.ChoiceField(label="What it can do", choices=Capability.choices)


class ThresholdForm(ActionForm):
    code = forms.ChoiceField(label="Signal", choices=SignalCode.choices)
    most = forms.FloatField(
        label="Case above", required=False, min_value=0, help_text="Empty: the usual threshold."
    )


class NodeForm(ActionForm):
    """The node itself."""

    name = forms.CharField(label="Name", max_length=120)
    processing_minutes = forms.IntegerField(
        label="Minutes from order to parcel", min_value=0, max_value=100_000
    )
    priority = forms.IntegerField(
        label="Priority", help_text="The lower goes first when all is equal."
    )
    timezone = forms.CharField(label="Time zone", max_length=64)


class PlanForm(ActionForm):
    kind = forms.ChoiceField(label="What happens", choices=PlanKind.choices)
    function = forms.ChoiceField(
        label="To", required=False, choices=[("", "All that it does"), *_FUNCTIONS]
    )
    starts_at = forms.DateTimeField(label="From", widget=MomentInput())
    ends_at = forms.DateTimeField(label="Until", widget=MomentInput())
    percent = forms.IntegerField(
        label="Percent less or more", required=False, min_value=0, max_value=1_000
    )
    units = forms.IntegerField(
        label="Or so many less or more",
        required=False,
        min_value=0,
        help_text="Of whatever each limit counts. Neither where it is closed.",
    )
    reason = reason_field("Why")
