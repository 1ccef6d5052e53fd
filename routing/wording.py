"""Rules and policies in sentences, and what one version changed against another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.kernel.money import Money
from inventory.states import NodeKind
from routing.models import SourcingPolicy
from routing.rule_reading import parse_rules
from routing.rules import (
    TERMS,
    WEIGHTS,
    YES,
    Condition,
    Kind,
    NodeFilter,
    Rule,
    Test,
    attribute_of,
)

_COMPARED = {
    Test.IS: "is",
    Test.IS_NOT: "is not",
    Test.ALL_ARE: "is",
    Test.STARTS_WITH: "begins with",
    Test.AT_LEAST: "is at least",
    Test.AT_MOST: "is at most",
}
_OF_LINES = {
    Test.IS: "some line's {label} is {values}",
    Test.IS_NOT: "no line's {label} is {values}",
    Test.ALL_ARE: "every line's {label} is {values}",
}
_OF_TAGS = {
    Test.IS: "{label} is tagged {values}",
    Test.IS_NOT: "{label} is not tagged {values}",
}
_FLAGS = {
    "hazmat": ("there are dangerous goods", "there are no dangerous goods"),
    "fixed_date": ("the buyer asked for a date", "the buyer asked for no date"),
    "ship_complete": ("the order ships complete", "the order may ship in parts"),
}
SOFT_WORDS = {
    "max_km": "the distance limit",
    "on_time": "on-time delivery",
    "max_nodes": "the limit of parcels",
    "nodes": "the choice of nodes",
}
_SHOWN_VALUES = 6


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs between two versions. Empty `before` is new, empty `after` is gone."""

    what: str
    before: str
    after: str


def sentence(rule: Rule, currency: str = "USD") -> str:
    """The rule as a person would say it: when, from where, and what counts otherwise."""
    when = " and ".join(condition_in_words(one, currency) for one in rule.when)
    parts = [f"When {when}" if when else "For every order"]
    if dates := _dates(rule):
        parts.append(dates)
    told = [_nodes_in_words(rule.nodes)] if rule.nodes is not None else []
    told += [_weight_in_words(name, rule.weights[name], currency) for name in _named(rule.weights)]
    told += [_limit_in_words(name, value) for name, value in rule.limits.items()]
    return f"{', '.join(parts)}: {'; '.join(told) or 'as the policy says'}."


def condition_in_words(condition: Condition, currency: str = "USD") -> str:
    attribute = attribute_of(condition.attribute)
    if attribute is None:
        return f"{condition.attribute} {condition.test} {_listed(condition.values)}"
    if attribute.kind is Kind.FLAG:
        yes, no = _FLAGS[attribute.code]
        return yes if YES in condition.values else no
    if attribute.kind is Kind.LINES:
        return _OF_LINES[condition.test].format(
            label=attribute.label, values=_listed(condition.values)
        )
    if attribute.kind is Kind.TAGS:
        return _OF_TAGS[condition.test].format(
            label=attribute.label, values=_listed(condition.values)
        )
    values = _listed(condition.values)
    if attribute.code == "value_minor":
        values = str(Money(condition.number, currency))
    elif attribute.unit == "g":
        values = f"{condition.number / 1_000:g} kg"
    elif attribute.unit:
        values = f"{condition.number:,} {attribute.unit}"
    return f"{attribute.label} {_COMPARED[condition.test]} {values}"


def differences(before: SourcingPolicy | None, after: SourcingPolicy) -> list[Change]:
    """What the later version changed, rule by rule and limit by limit; all of it without a former."""
    currency = "USD"
    then = {} if before is None else _lines(before, currency)
    now = _lines(after, currency)
    names = [*now, *(name for name in then if name not in now)]
    changes = [
        Change(name, then.get(name, ""), now.get(name, ""))
        for name in names
        if then.get(name, "") != now.get(name, "")
    ]
    if before is not None and not changes and _order_of(before) != _order_of(after):
        changes.append(
            Change("Order of the rules", ", ".join(_order_of(before)), ", ".join(_order_of(after)))
        )
    return changes


def in_brief(policy: SourcingPolicy) -> list[str]:
    """What the version says of orders that no rule is about, but for what counts nothing."""
    named = _WEIGHT_NAMES | _TERM_NAMES
    silent = {named[name] for name in named if not policy.weights.get(name, TERMS.get(name, 0))}
    return [
        said
        for heading, said in _lines(policy, "USD").items()
        if heading not in silent | {"Name"} and not heading.startswith("Rule ")
    ]


def _lines(policy: SourcingPolicy, currency: str) -> dict[str, str]:
    """Everything a version says, a sentence under each heading."""
    weights = {name: int(policy.weights.get(name, 0)) for name in WEIGHTS}
    lines = {
        "Name": policy.name,
        **{
            _WEIGHT_NAMES[name]: _weight_in_words(name, value, currency)
            for name, value in weights.items()
        },
        **{
            heading: _term_in_words(name, int(policy.weights.get(name, TERMS[name])), currency)
            for name, heading in _TERM_NAMES.items()
        },
        "Nodes per order": _limit_in_words("max_nodes", policy.max_nodes),
        "Distance": _limit_in_words("max_km", policy.max_km),
        "On time": _limit_in_words("on_time", policy.on_time),
        "Part orders": _limit_in_words("allow_partial", policy.allow_partial),
        "Split lines": _limit_in_words("split_lines", policy.split_lines),
        "Soft constraints": _limit_in_words("soft", policy.soft),
    }
    for rule in parse_rules(policy.rules):
        lines[f"Rule {rule.name}"] = sentence(rule, currency)
    return lines


def _order_of(policy: SourcingPolicy) -> list[str]:
    return [rule.name for rule in parse_rules(policy.rules)]


def _named(weights: Mapping[str, int]) -> list[str]:
    return [name for name in WEIGHTS if name in weights]


_TERM_NAMES = {
    "prices_percent": "Prices of later orders",
    "worthwhile_minor": "A move saves",
    "worthwhile_percent": "And of the cost",
    "reroute_minor": "A rejection",
    "day_minor": "A day of waiting",
    "goodwill_minor": "A unit left for later orders",
    "days_ahead": "Prices look ahead",
}


def _term_in_words(name: str, value: int, currency: str) -> str:
    if name == "prices_percent":
        return f"prices of later orders count {value:,} %"
    if name == "worthwhile_percent":
        return f"a move saves at least {value:,} % of the cost"
    if name == "days_ahead":
        return f"prices look {value:,} day{'' if value == 1 else 's'} ahead"
    if name == "goodwill_minor" and not value:
        return "no unit is left for later orders"
    said = {
        "worthwhile_minor": "a move of a planned order saves at least {}",
        "reroute_minor": "a rejection by a node counts {}",
        "day_minor": "each day that the buyer waits counts {}",
        "goodwill_minor": "a unit left for later orders counts {} beside its price",
    }[name]
    return said.format(Money(value, currency))


_WEIGHT_NAMES = {
    "cost_percent": "Cost",
    "parcel_minor": "Parcels",
    "km_milli": "Distance weight",
    "late_day_minor": "Lateness",
}


def _weight_in_words(name: str, value: int, currency: str) -> str:
    if name == "cost_percent":
        return f"true cost counts {value:,} %"
    if name == "parcel_minor":
        return f"each further parcel counts {Money(value, currency)}"
    if name == "km_milli":
        return f"each kilometer of a parcel counts {value / 1_000:g} minor units"
    return f"each expected day late counts {Money(value, currency)}"


def _limit_in_words(name: str, value: Any) -> str:
    if name == "max_nodes":
        return f"{value} node{'' if value == 1 else 's'} at most"
    if name == "max_km":
        return "at any distance" if value is None else f"{value:,} km at most"
    if name == "soft":
        soft = _listed([SOFT_WORDS[code] for code in value])
        return f"{soft} may be given up for what it leaves unfilled" if value else "nothing is soft"
    yes, no = {
        "on_time": ("nothing that would arrive late", "late nodes are only dearer"),
        "allow_partial": ("parts may go", "all or nothing goes"),
        "split_lines": ("a line may be split", "a line leaves from one node"),
    }[name]
    return yes if value else no


_KINDS = {
    NodeKind.DC.value: "distribution centers",
    NodeKind.STORE.value: "stores",
    NodeKind.THREEPL.value: "3PL warehouses",
    NodeKind.SUPPLIER.value: "drop-ship suppliers",
    NodeKind.CHANNEL.value: "channels' own warehouses",
}


def _nodes_in_words(chosen: NodeFilter) -> str:
    kinds = [_KINDS[kind] for kind in sorted(chosen.kinds)]
    groups = [f"group {code}" for code in sorted(chosen.groups)]
    named = [*kinds, *groups, *sorted(chosen.nodes)]
    excepted = [
        *(f"group {code}" for code in sorted(chosen.except_groups)),
        *sorted(chosen.except_nodes),
    ]
    words = f"only from {_listed(named, 'and')}" if named else "from every node"
    return f"{words} except {_listed(excepted, 'and')}" if excepted else words


def _dates(rule: Rule) -> str:
    shown = [
        f"{word} {instant:%Y-%m-%d %H:%M %Z}"
        for word, instant in (("from", rule.starts_at), ("until", rule.ends_at))
        if instant is not None
    ]
    return " ".join(shown)


def _listed(values: Sequence[str], word: str = "or") -> str:
    shown = list(values[:_SHOWN_VALUES])
    if len(values) > _SHOWN_VALUES:
        shown.append(f"{len(values) - _SHOWN_VALUES} more")
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {word} {shown[-1]}"
