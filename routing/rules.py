"""The rules of a sourcing policy: which orders they are about, and what is different for them.

A policy is an ordered list of rules and what holds otherwise. The first rule that is in force and of
which every condition holds decides for a delivery group; what it leaves open is as the policy says.
Rules are stored as JSON in the policy's version (`SourcingPolicy.rules`), read only through
`routing.rule_reading`, and never changed once written: an edit is a new version.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.text import slugify

MAX_WEIGHT = 10**9
WEIGHTS = ("cost_percent", "parcel_minor", "km_milli", "late_day_minor")
TERMS = {
    "prices_percent": 100,
    "worthwhile_minor": 50,
    "worthwhile_percent": 2,
    "reroute_minor": 300,
    "day_minor": 0,
    "goodwill_minor": 0,
    "days_ahead": 7,
}
"""What a policy says beside its weights, for all of its rules, and what holds where it is silent:
how much of the prices of later orders counts, what moving a planned order must save, what a
rejection by a node costs, what each day counts that the buyer waits, what it counts beside its price
that a unit is left for later orders (0: none ever is), and for how many days ahead prices look: until
goods that are ordered today are there."""

MOST_DAYS_AHEAD = 28


def range_of(name: str) -> tuple[int, int]:
    """The least and the most that a weight or a term may be."""
    return (1, MOST_DAYS_AHEAD) if name == "days_ahead" else (0, MAX_WEIGHT)


LIMITS = ("max_nodes", "max_km", "on_time", "allow_partial", "split_lines", "soft")
CUSTOM = "sku."
"""What the name of a condition on a SKU's own attribute begins with: `sku.season`."""


class Kind(StrEnum):
    """What can be said of an attribute."""

    TEXT = "text"
    """One value of the delivery group."""
    LINES = "lines"
    """A value of each line's SKU."""
    TAGS = "tags"
    """Any number of values of the order or its customer."""
    NUMBER = "number"
    FLAG = "flag"


class Test(StrEnum):
    """How a condition compares."""

    IS = "is"
    """Of lines and tags: some line or tag is."""
    IS_NOT = "is_not"
    """Of lines and tags: none is."""
    ALL_ARE = "all_are"
    STARTS_WITH = "starts_with"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"

    __test__ = False


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that a rule may ask about. `unit` follows a number in sentences."""

    code: str
    label: str
    kind: Kind
    unit: str = ""

    @property
    def tests(self) -> tuple[Test, ...]:
        return _TESTS[self.kind]


_TESTS: Mapping[Kind, tuple[Test, ...]] = {
    Kind.TEXT: (Test.IS, Test.IS_NOT, Test.STARTS_WITH),
    Kind.LINES: (Test.IS, Test.IS_NOT, Test.ALL_ARE),
    Kind.TAGS: (Test.IS, Test.IS_NOT),
    Kind.NUMBER: (Test.AT_LEAST, Test.AT_MOST),
    Kind.FLAG: (Test.IS,),
}
_ATTRIBUTES = (
    Attribute("channel", "the channel", Kind.TEXT),
    Attribute("channel_kind", "the kind of channel", Kind.TEXT),
    Attribute("brand", "the brand", Kind.TEXT),
    Attribute("currency", "the currency", Kind.TEXT),
    Attribute("method", "the delivery method", Kind.TEXT),
    Attribute("service", "the service level", Kind.TEXT),
    Attribute("country", "the country", Kind.TEXT),
    Attribute("region", "the state or region", Kind.TEXT),
    Attribute("postal_code", "the postal code", Kind.TEXT),
    Attribute("fixed_date", "a date the buyer asked for", Kind.FLAG),
    Attribute("ship_complete", "shipping complete", Kind.FLAG),
    Attribute("tag", "the order", Kind.TAGS),
    Attribute("customer_tag", "the customer", Kind.TAGS),
    Attribute("priority", "the priority", Kind.NUMBER),
    Attribute("value_minor", "the goods' value", Kind.NUMBER, "minor units"),
    Attribute("units", "the number of units", Kind.NUMBER, "units"),
    Attribute("lines", "the number of lines", Kind.NUMBER, "lines"),
    Attribute("weight_grams", "the weight", Kind.NUMBER, "g"),
    Attribute("heaviest_grams", "the heaviest unit", Kind.NUMBER, "g"),
    Attribute("sku", "SKU", Kind.LINES),
    Attribute("sku_kind", "kind of SKU", Kind.LINES),
    Attribute("sku_brand", "brand of SKU", Kind.LINES),
    Attribute("storage", "storage", Kind.LINES),
    Attribute("regulation", "regulation", Kind.LINES),
    Attribute("hazard_class", "hazard class", Kind.LINES),
    Attribute("hazmat", "dangerous goods", Kind.FLAG),
)
ATTRIBUTES: Mapping[str, Attribute] = {known.code: known for known in _ATTRIBUTES}
OF_SKUS = frozenset(
    {"sku", "sku_kind", "sku_brand", "storage", "regulation", "hazard_class", "hazmat"}
)
"""The attributes for which the SKUs have to be known."""

YES, NO = "yes", "no"

Fact = str | int | tuple[str, ...]
Facts = Mapping[str, Fact]
"""What is known of a delivery group, by attribute: a text, a number, or a value per line."""


def attribute_of(code: str) -> Attribute | None:
    """The attribute with this code; any `sku.…` is one of the account's own making."""
    if code.startswith(CUSTOM) and code != CUSTOM:
        return Attribute(code, code.removeprefix(CUSTOM), Kind.LINES)
    return ATTRIBUTES.get(code)


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold. A number stands as the only value, as its digits."""

    attribute: str
    test: Test
    values: tuple[str, ...]

    @property
    def number(self) -> int:
        return int(self.values[0])

    def holds(self, facts: Facts) -> bool:
        """Whether it holds; what is not known of the group holds nothing but "is not"."""
        found = facts.get(self.attribute)
        if self.test is Test.AT_LEAST:
            return isinstance(found, int) and found >= self.number
        if self.test is Test.AT_MOST:
            return isinstance(found, int) and found <= self.number
        texts = found if isinstance(found, tuple) else (() if found is None else (str(found),))
        if self.test is Test.STARTS_WITH:
            return any(text.startswith(self.values) for text in texts)
        if self.test is Test.ALL_ARE:
            return bool(texts) and all(text in self.values for text in texts)
        some = any(text in self.values for text in texts)
        return not some if self.test is Test.IS_NOT else some


@dataclass(frozen=True, slots=True)
class NodeFilter:
    """Which nodes a rule leaves: those of any of these kinds, groups or codes, less the excepted."""

    kinds: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()
    except_nodes: frozenset[str] = frozenset()
    except_groups: frozenset[str] = frozenset()

    @property
    def names_all(self) -> bool:
        """Whether it begins with every node of the network."""
        return not (self.kinds or self.groups or self.nodes)

    def leaves(self, *, code: str, kind: str, groups: Collection[str]) -> bool:
        if code in self.except_nodes or not self.except_groups.isdisjoint(groups):
            return False
        return (
            self.names_all
            or code in self.nodes
            or kind in self.kinds
            or not self.groups.isdisjoint(groups)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """What is different for orders that meet all conditions, from `starts_at` until `ends_at`.

    `weights` and `limits` replace the policy's own where they are given. A rule with dates is an
    overlay: it begins and ends by itself.
    """

    name: str
    when: tuple[Condition, ...] = ()
    nodes: NodeFilter | None = None
    weights: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def code(self) -> str:
        return slugify(self.name) or "rule"

    def in_force(self, at: datetime) -> bool:
        begun = self.starts_at is None or self.starts_at <= at
        return begun and (self.ends_at is None or at < self.ends_at)

    def applies(self, facts: Facts, at: datetime) -> bool:
        return self.in_force(at) and all(condition.holds(facts) for condition in self.when)


def asks_about_skus(rules: Sequence[Rule]) -> bool:
    """Whether some rule can only be tried once the SKUs are known."""
    return any(
        condition.attribute in OF_SKUS or condition.attribute.startswith(CUSTOM)
        for rule in rules
        for condition in rule.when
    )


def as_json(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """The rules as a policy stores them; `parse_rules` reads them back."""
    return [_rule_as_json(rule) for rule in rules]


def _rule_as_json(rule: Rule) -> dict[str, Any]:
    stored: dict[str, Any] = {
        "name": rule.name,
        "when": [
            {"attribute": one.attribute, "test": one.test.value, "values": list(one.values)}
            for one in rule.when
        ],
        "weights": {name: rule.weights[name] for name in WEIGHTS if name in rule.weights},
        "limits": {name: rule.limits[name] for name in LIMITS if name in rule.limits},
    }
    if rule.nodes is not None:
        stored["nodes"] = {
            name: sorted(getattr(rule.nodes, name))
            for name in NodeFilter.__slots__
            if getattr(rule.nodes, name)
        }
    for name in ("starts_at", "ends_at"):
        instant = getattr(rule, name)
        if instant is not None:
            stored[name] = instant.isoformat()
    return stored
