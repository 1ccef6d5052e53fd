"""The form of a sourcing policy: its own values, and its rules as rows that are added and moved.

Rules travel as the JSON that `routing.rule_reading` reads; a field is named by its place, so that
what was refused by JSON pointer is shown beside the field that it is about.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils import timezone

from config.console.forms import ActionForm
from inventory.states import NodeKind
from routing.engine import Constraint
from routing.rules import ATTRIBUTES, CUSTOM, MAX_WEIGHT, TERMS, WEIGHTS, Kind, Test, range_of
from routing.wording import SOFT_WORDS

_BETWEEN: Final = re.compile(r"[,;\n]+")
_MOMENT: Final = "%Y-%m-%dT%H:%M"
_FLAGS: Final = ("on_time", "allow_partial", "split_lines")
_CODES: Final = ("groups", "nodes", "except_groups", "except_nodes")
TEST_WORDS: Final = {
    Test.IS: "is",
    Test.IS_NOT: "is not",
    Test.ALL_ARE: "is, on every line",
    Test.STARTS_WITH: "begins with",
    Test.AT_LEAST: "is at least",
    Test.AT_MOST: "is at most",
}
WEIGHT_LABELS: Final = {
    "cost_percent": ("True cost", "percent"),
    "parcel_minor": ("Each further parcel", "cents"),
    "km_milli": ("Each kilometer", "thousandths of a cent"),
    "late_day_minor": ("Each expected day late", "cents"),
}
TERM_LABELS: Final = {
    "prices_percent": ("Prices of later orders count", "percent"),
    "worthwhile_minor": ("A move of a planned order saves at least", "cents"),
    "worthwhile_percent": ("And of its cost at least", "percent"),
    "reroute_minor": ("A rejection by a node costs", "cents"),
    "day_minor": ("Each day that the buyer waits", "cents"),
    "goodwill_minor": (
        "A unit left for later orders counts beside its price",
        "cents, more than a parcel costs; with 0 what is there is always sent",
    ),
    "days_ahead": ("Prices look ahead", "days: until goods that are ordered today are there"),
}
FLAG_LABELS: Final = {
    "on_time": "Nothing that would arrive late",
    "allow_partial": "Parts of an order may go",
    "split_lines": "A line may be split",
}
SOFT: Final = [(str(code), SOFT_WORDS[code]) for code in Constraint]


def _weight(name: str) -> forms.IntegerField:
    label, unit = WEIGHT_LABELS[name]
    return forms.IntegerField(
        label=label, help_text=f"In {unit}.", min_value=0, max_value=MAX_WEIGHT, initial=0
    )


def _term(name: str) -> forms.IntegerField:
    label, unit = TERM_LABELS[name]
    least, most = range_of(name)
    return forms.IntegerField(
        label=label,
        help_text=f"In {unit}.",
        required=False,
        min_value=least,
        max_value=most,
        initial=TERMS[name],
    )


class PolicyForm(ActionForm):
    """What holds for every order, and for those that no rule is about."""

    name = forms.CharField(label="Name", max_length=80)
    code = forms.SlugField(label="Code", max_length=32, help_text="Versions share it.")
    channel = forms.ChoiceField(
        label="Channel", required=False, help_text="Without one it is the whole account's."
    )
    cost_percent = _weight("cost_percent")
    parcel_minor = _weight("parcel_minor")
    km_milli = _weight("km_milli")
    late_day_minor = _weight("late_day_minor")
    prices_percent = _term("prices_percent")
    worthwhile_minor = _term("worthwhile_minor")
    worthwhile_percent = _term("worthwhile_percent")
    reroute_minor = _term("reroute_minor")
    day_minor = _term("day_minor")
    goodwill_minor = _term("goodwill_minor")
    days_ahead = _term("days_ahead")
    max_nodes = forms.IntegerField(label="Most nodes per order", min_value=1, max_value=100)
    max_km = forms.IntegerField(
        label="Most kilometers", required=False, min_value=1, help_text="Empty: any distance."
    )
    on_time = forms.BooleanField(label=FLAG_LABELS["on_time"], required=False)
    allow_partial = forms.BooleanField(label=FLAG_LABELS["allow_partial"], required=False)
    split_lines = forms.BooleanField(label=FLAG_LABELS["split_lines"], required=False)
    soft = forms.MultipleChoiceField(
        label="Given up for what they leave unfilled",
        required=False,
        choices=SOFT,
        widget=forms.CheckboxSelectMultiple,
    )
    comment = forms.CharField(
        label="What changes, and why", required=False, max_length=500, widget=forms.TextInput()
    )

    def __init__(self, *args: Any, channels: Mapping[str, Any], known: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["channel"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [
                ("", "The whole account"),
                *((code, code) for code in sorted(channels)),
            ]
        for name in ("code", "channel") if known else ():
            self.fields[name].disabled = True

    def values(self) -> dict[str, Any]:
        """What was said, by the names of a draft's fields."""
        said = dict(self.cleaned_data)
        terms = {name: said.pop(name) for name in TERMS}
        said["weights"] = {name: said.pop(name) for name in WEIGHTS} | {
            name: value for name, value in terms.items() if value is not None
        }
        said["soft"] = tuple(said["soft"])
        return said


def rules_from(post: QueryDict) -> list[dict[str, Any]]:
    """The rules as their rows say them, in their order; what is empty is left out."""
    count = _count(post.get("rules", ""))
    return [_rule_from(post, f"rules-{place}") for place in range(count)]


def _rule_from(post: QueryDict, prefix: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"name": post.get(f"{prefix}-name", "").strip()}
    rule["when"] = [
        {
            "attribute": _attribute(post, f"{prefix}-when-{place}"),
            "test": post.get(f"{prefix}-when-{place}-test", ""),
            "values": _listed(post.get(f"{prefix}-when-{place}-values", "")),
        }
        for place in range(_count(post.get(f"{prefix}-when", "")))
    ]
    nodes = {name: _listed(post.get(f"{prefix}-{name}", "")) for name in _CODES}
    nodes["kinds"] = post.getlist(f"{prefix}-kinds")
    if any(nodes.values()):
        rule["nodes"] = {name: codes for name, codes in nodes.items() if codes}
    rule["weights"] = dict(_numbers(post, prefix, WEIGHTS))
    limits: dict[str, Any] = dict(_numbers(post, prefix, ("max_nodes", "max_km")))
    for name in _FLAGS:
        if said := post.get(f"{prefix}-{name}", ""):
            limits[name] = said == "yes"
    if soft := post.getlist(f"{prefix}-soft"):
        limits["soft"] = soft
    rule["limits"] = limits
    for name in ("starts_at", "ends_at"):
        if moment := post.get(f"{prefix}-{name}", ""):
            rule[name] = _instant(moment)
    return rule


def _attribute(post: QueryDict, prefix: str) -> str:
    chosen = post.get(f"{prefix}-attribute", "")
    return f"{CUSTOM}{post.get(f'{prefix}-own', '').strip()}" if chosen == CUSTOM else chosen


def _numbers(post: QueryDict, prefix: str, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Whole numbers as such; anything else as it was written, to be refused by name."""
    for name in names:
        if text := post.get(f"{prefix}-{name}", "").strip():
            yield name, int(text) if text.isdecimal() else text


def _listed(text: str) -> list[str]:
    return [code for part in _BETWEEN.split(text) if (code := part.strip())]


def _count(text: str) -> int:
    return min(int(text), 200) if text.isdecimal() else 0


def _instant(text: str) -> str:
    """The reader's local time with its offset; what is none stays as it was written."""
    try:
        moment = datetime.strptime(text, _MOMENT)  # noqa: DTZ007  # the reader's zone is put on it
    except ValueError:
        return text
    return timezone.make_aware(moment).isoformat()


def changed(rules: list[dict[str, Any]], act: str) -> list[dict[str, Any]] | None:
    """The rules after a button that adds, drops or moves a row; None for any other button."""
    verb, *places = act.split(":")
    at = [int(place) for place in places if place.isdecimal()]
    if verb == "add_rule":
        return [*rules, {"name": "", "when": [_EMPTY], "weights": {}, "limits": {}}]
    if not at or at[0] >= len(rules):
        return None
    first, rows = at[0], list(rules)
    if verb == "drop_rule":
        del rows[first]
    elif verb in {"up", "down"}:
        other = first - 1 if verb == "up" else first + 1
        if 0 <= other < len(rows):
            rows[first], rows[other] = rows[other], rows[first]
    elif verb == "add_when":
        rows[first] = {**rows[first], "when": [*rows[first]["when"], _EMPTY]}
    elif verb == "drop_when" and len(at) > 1:
        kept = [one for place, one in enumerate(rows[first]["when"]) if place != at[1]]
        rows[first] = {**rows[first], "when": kept}
    else:
        return None
    return rows


_EMPTY: Final = {"attribute": "region", "test": "is", "values": []}


def rows_of(
    rules: list[dict[str, Any]], problems: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """The rules as the page draws them: every field with its value, its choices and its problem."""
    problems = problems or {}
    return [_row_of(rule, place, problems) for place, rule in enumerate(rules)]


def _row_of(rule: Mapping[str, Any], place: int, problems: Mapping[str, str]) -> dict[str, Any]:
    nodes, weights, limits = rule.get("nodes") or {}, rule["weights"], rule["limits"]
    pointer = f"/rules/{place}"
    return {
        "prefix": f"rules-{place}",
        "name": rule["name"],
        "when": [
            _condition_row(one, place, number, problems)
            for number, one in enumerate(rule.get("when") or [])
        ],
        "kinds": [
            (code, label, code in nodes.get("kinds", ())) for code, label in NodeKind.choices
        ],
        "codes": [(name, _CODE_LABELS[name], ", ".join(nodes.get(name, ()))) for name in _CODES],
        "weights": [(name, *WEIGHT_LABELS[name], weights.get(name, "")) for name in WEIGHTS],
        "max_nodes": limits.get("max_nodes", ""),
        "max_km": limits.get("max_km") or "",
        "flags": [(name, FLAG_LABELS[name], _tri(limits.get(name))) for name in _FLAGS],
        "soft": [(code, label, code in limits.get("soft", ())) for code, label in SOFT],
        "starts_at": _local(rule.get("starts_at")),
        "ends_at": _local(rule.get("ends_at")),
        "opened": bool(weights or limits or rule.get("starts_at") or rule.get("ends_at")),
        "problems": [
            text
            for found, text in problems.items()
            if found.startswith(f"{pointer}/") and not found.startswith(f"{pointer}/when/")
        ],
    }


_CODE_LABELS: Final = {
    "groups": "Of these groups",
    "nodes": "These nodes",
    "except_groups": "Except groups",
    "except_nodes": "Except nodes",
}


def _condition_row(
    one: Mapping[str, Any], place: int, number: int, problems: Mapping[str, str]
) -> dict[str, Any]:
    attribute = str(one.get("attribute", ""))
    own = attribute.removeprefix(CUSTOM) if attribute.startswith(CUSTOM) else ""
    chosen = CUSTOM if attribute.startswith(CUSTOM) else attribute
    values = one.get("values")
    return {
        "prefix": f"rules-{place}-when-{number}",
        "attributes": [
            *((known.code, known.label, known.code == chosen) for known in ATTRIBUTES.values()),
            (CUSTOM, "a SKU's own attribute", chosen == CUSTOM),
        ],
        "own": own,
        "tests": [
            (str(test), words, test == one.get("test")) for test, words in TEST_WORDS.items()
        ],
        "values": ", ".join(map(str, values)) if isinstance(values, list) else values or "",
        "flag": attribute in ATTRIBUTES and ATTRIBUTES[attribute].kind is Kind.FLAG,
        "problem": " ".join(
            text
            for found, text in problems.items()
            if found.startswith(f"/rules/{place}/when/{number}/")
        ),
    }


def _tri(value: object) -> str:
    return "yes" if value is True else "no" if value is False else ""


def _local(moment: object) -> str:
    """The instant as the browser's own field takes it, in the reader's zone."""
    try:
        return timezone.localtime(datetime.fromisoformat(str(moment))).strftime(_MOMENT)
    except ValueError:
        return "" if moment is None else str(moment)
