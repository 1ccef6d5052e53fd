"""The forms of buffer rules and quotas; `values()` is what `selectors.Names` reads."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django import forms

from config.console.forms import ActionForm, MomentInput
from inventory.selectors import Names
from inventory.states import Lifecycle, QuotaKind

_MOST_UNITS: Final = 1_000_000_000
_BETWEEN: Final = re.compile(r"[\s,;]+")
_LISTS: Final = ("skus", "nodes")


def _units(label: str, help_text: str = "", **options: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=0,
        max_value=options.pop("most", _MOST_UNITS),
        help_text=help_text,
    )


class SelectionForm(ActionForm):
    """Which SKUs are meant, and from when until when."""

    skus_help = "Nothing said means all SKUs kept in stock. SKUs must meet everything that is said."
    skus = forms.CharField(
        label="SKU codes", required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    brand = forms.ChoiceField(label="Brand", required=False)
    lifecycle = forms.ChoiceField(
        label="Lifecycle", required=False, choices=[("", "Any"), *Lifecycle.choices]
    )
    attribute = forms.CharField(label="Attribute", required=False, max_length=64)
    value = forms.CharField(label="with the value", required=False, max_length=200)
    starts_at = forms.DateTimeField(label="From", widget=MomentInput())
    ends_at = forms.DateTimeField(label="Until", required=False, widget=MomentInput())

    order_last = ("skus", "brand", "lifecycle", "attribute", "value", "starts_at", "ends_at")

    def __init__(self, *args: Any, names: Names, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["skus"].help_text = self.skus_help
        for field, codes in (
            ("brand", names.brands),
            ("channel", names.channels),
            ("group", names.groups),
        ):
            self._offer(field, codes)
        own = [name for name in self.fields if name not in self.order_last]
        self.order_fields([*own, *self.order_last])

    def values(self) -> dict[str, Any]:
        """What was said, by codes."""
        said = dict(self.cleaned_data)
        for name in _LISTS:
            if name in said:
                said[name] = [code for code in _BETWEEN.split(said[name]) if code]
        return said

    def _offer(self, name: str, codes: Mapping[str, object]) -> None:
        field = self.fields.get(name)
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", "Any" if name == "brand" else "–")] + [
                (code, code) for code in sorted(codes)
            ]


class RuleForm(SelectionForm):
    name = forms.CharField(label="Name", max_length=120)
    sequence = forms.IntegerField(
        label="Sequence", help_text="Of the rules that match, the one with the highest counts."
    )
    channel = forms.ChoiceField(
        label="Channel",
        required=False,
        help_text="With a channel the rule is a threshold; without one it is safety stock of nodes.",
    )
    threshold = _units("Threshold", "Units by which the channel's figure is lowered.")
    group = forms.ChoiceField(label="Group of nodes", required=False)
    nodes = forms.CharField(
        label="Nodes", required=False, help_text="Codes. With neither, all nodes are meant."
    )
    safety_units = _units("Safety units")
    safety_percent = _units("Share of what may be sold, in percent", most=100)
    cover_days = _units("Days of cover", "The greatest of units, share and cover counts.", most=365)
    cover_over_days = forms.IntegerField(
        label="Demand averaged over days", initial=28, min_value=1, max_value=365
    )


class QuotaForm(SelectionForm):
    skus_help = (
        "Nothing said means all SKUs kept in stock. A kit that is named is kept as its components, so "
        "many of each as it holds; what its channel sells of them by themselves uses that up, too."
    )

    name = forms.CharField(label="Name", max_length=120)
    channel = forms.ChoiceField(label="Channel")
    kind = forms.ChoiceField(label="What is kept", choices=QuotaKind.choices)
    units = _units("Units of each SKU", "Of fixed units and of the last units.")
    percent = _units("Percent", "Of a share.", most=100)
    cap = _units("Most units of each SKU", "Empty: as many as are free to it.")
    spill = forms.BooleanField(label="Others may have what is not used", required=False)
    spill_at = forms.DateTimeField(
        label="Open to others from",
        required=False,
        widget=MomentInput(),
        help_text="Empty: at any time.",
    )
    overlay = forms.BooleanField(
        label="An event: stands above the channel's other quotas", required=False
    )
    sequence = forms.IntegerField(
        label="Sequence", initial=0, help_text="Of several that are live, the highest counts."
    )


def initial_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a form begins with, from the values of a rule or quota."""
    return {name: "\n".join(value) if name in _LISTS else value for name, value in values.items()}


def meaning(values: Mapping[str, Any], *, many: int = 3) -> str:
    """Which SKUs a rule or quota means, in words."""
    said = []
    codes: Sequence[str] = values["skus"]
    if codes:
        more = f" and {len(codes) - many} more" if len(codes) > many else ""
        said.append(", ".join(codes[:many]) + more)
    if values["brand"]:
        said.append(f"brand {values['brand']}")
    if values["lifecycle"]:
        said.append(values["lifecycle"].replace("_", " "))
    if values["attribute"]:
        said.append(f"{values['attribute']} {values['value']}")
    return ", ".join(said) or "all SKUs"


def kept_back(values: Mapping[str, Any]) -> str:
    """What a rule keeps back, in words."""
    if values["channel"]:
        return f"threshold of {values['threshold']:,}"
    said = []
    if values["safety_units"] is not None:
        units = values["safety_units"]
        said.append(f"{units:,} unit{'' if units == 1 else 's'}")
    if values["safety_percent"] is not None:
        said.append(f"{values['safety_percent']} %")
    if values["cover_days"] is not None:
        said.append(f"{values['cover_days']} days of cover")
    return said[0] if len(said) == 1 else f"the most of {', '.join(said)}"


def kept_for(values: Mapping[str, Any]) -> str:
    """What a quota keeps, in words."""
    kept = {
        QuotaKind.FIXED: f"{values['units'] or 0:,} of each",
        QuotaKind.PRIORITY: f"the last {values['units'] or 0:,} of each",
        QuotaKind.PERCENT: f"{values['percent'] or 0} % of each",
    }[QuotaKind(values["kind"])]
    if values["cap"] is not None:
        kept += f", at most {values['cap']:,}"
    return kept


def calendar(
    rows: Sequence[Mapping[str, Any]], first: datetime, last: datetime, now: datetime
) -> dict[str, Any]:
    """Where each period lies between two moments, in thousandths of the width."""
    whole = (last - first).total_seconds()

    def place(moment: datetime) -> int:
        return round(1000 * min(1.0, max(0.0, (moment - first).total_seconds() / whole)))

    bars: list[dict[str, Any]] = []
    for row in rows:
        left, right = place(row["starts_at"]), place(row["ends_at"] or last)
        if row["starts_at"] < last and (row["ends_at"] is None or row["ends_at"] > first):
            top = 24 + 22 * len(bars)
            bars.append(
                {
                    "name": row["name"],
                    "state": row["state"],
                    "overlay": row["overlay"],
                    "left": left,
                    "width": max(4, right - left),
                    "top": top,
                    "text": top + 12,
                    "label": min(left + 6, 780),
                }
            )
    return {
        "bars": bars,
        "now": place(now),
        "height": 30 + 22 * len(bars),
        "first": first,
        "last": last,
    }
