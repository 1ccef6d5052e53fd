"""Rules from JSON: what a person, a file or another program wrote, checked field by field."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from config.kernel.errors import Invalid
from inventory.states import NodeKind
from routing.engine import Constraint
from routing.rules import (
    LIMITS,
    MAX_WEIGHT,
    NO,
    WEIGHTS,
    YES,
    Attribute,
    Condition,
    Kind,
    NodeFilter,
    Rule,
    Test,
    attribute_of,
)

MOST_RULES = 100
MOST_VALUES = 500


def parse_rules(raw: object) -> tuple[Rule, ...]:
    """Rules from JSON. Raises Invalid that names each field that means nothing, by JSON pointer."""
    reader = _Reader()
    rules = reader.rules(raw)
    if reader.errors:
        raise Invalid("The rules do not make sense.", errors=reader.errors)
    return rules


class _Reader:
    """Reads what somebody wrote, and notes everything that is wrong with it."""

    def __init__(self) -> None:
        self.errors: list[dict[str, str]] = []

    def wrong(self, pointer: str, code: str, detail: str) -> None:
        self.errors.append({"pointer": pointer, "code": code, "detail": detail})

    def rules(self, raw: object) -> tuple[Rule, ...]:
        if not isinstance(raw, list):
            self.wrong("/rules", "type", "Rules are a list, the first one first.")
            return ()
        if len(raw) > MOST_RULES:
            self.wrong("/rules", "too-many", f"A policy has {MOST_RULES} rules at most.")
            return ()
        found = tuple(self.rule(one, f"/rules/{place}") for place, one in enumerate(raw))
        seen: set[str] = set()
        for place, rule in enumerate(found):
            if rule.code in seen:
                self.wrong(f"/rules/{place}/name", "twice", f"Another rule is called {rule.name}.")
            seen.add(rule.code)
        return found

    def rule(self, raw: object, pointer: str) -> Rule:
        given = self.object(
            raw,
            pointer,
            {"name", "when", "nodes", "weights", "limits", "starts_at", "ends_at"},
        )
        name = given.get("name")
        if not isinstance(name, str) or not name.strip() or len(name) > 80:
            self.wrong(f"{pointer}/name", "required", "A rule has a name of up to 80 characters.")
            name = "rule"
        when = given.get("when") or []
        if not isinstance(when, list):
            self.wrong(
                f"{pointer}/when", "type", "Conditions are a list; an empty one always holds."
            )
            when = []
        starts_at = self.instant(given, "starts_at", pointer)
        ends_at = self.instant(given, "ends_at", pointer)
        if starts_at and ends_at and ends_at <= starts_at:
            self.wrong(f"{pointer}/ends_at", "order", "A rule ends after it has begun.")
        return Rule(
            name=name.strip(),
            when=tuple(
                condition
                for place, one in enumerate(when)
                if (condition := self.condition(one, f"{pointer}/when/{place}"))
            ),
            nodes=self.nodes(given.get("nodes"), f"{pointer}/nodes"),
            weights=self.weights(given.get("weights") or {}, f"{pointer}/weights"),
            limits=self.limits(given.get("limits") or {}, f"{pointer}/limits"),
            starts_at=starts_at,
            ends_at=ends_at,
        )

    def condition(self, raw: object, pointer: str) -> Condition | None:
        given = self.object(raw, pointer, {"attribute", "test", "values"})
        attribute = attribute_of(str(given.get("attribute", "")))
        if attribute is None:
            self.wrong(
                f"{pointer}/attribute",
                "unknown",
                f"There is no attribute {given.get('attribute')!r}; a SKU's own begin with sku.",
            )
            return None
        try:
            test = Test(str(given.get("test", "")))
        except ValueError:
            test = None
        if test not in attribute.tests:
            allowed = ", ".join(attribute.tests)
            self.wrong(
                f"{pointer}/test", "unknown", f"{attribute.label} can be tried by: {allowed}."
            )
            return None
        return self.valued(attribute, test, given.get("values"), f"{pointer}/values")

    def valued(
        self, attribute: Attribute, test: Test, raw: object, pointer: str
    ) -> Condition | None:
        values = raw if isinstance(raw, list) else [] if raw is None else [raw]
        if attribute.kind is Kind.FLAG:
            values = values or [YES]
        texts = tuple(dict.fromkeys(_text(value) for value in values))
        if not texts or len(texts) > MOST_VALUES or not all(texts):
            self.wrong(pointer, "required", f"From 1 to {MOST_VALUES} values, none of them empty.")
            return None
        if attribute.kind is Kind.FLAG and not {YES, NO}.issuperset(texts):
            self.wrong(pointer, "unknown", "This is yes or no.")
            return None
        if attribute.kind is Kind.NUMBER and (len(texts) > 1 or not texts[0].isdecimal()):
            self.wrong(pointer, "not-a-number", "One whole number, 0 or more.")
            return None
        return Condition(attribute.code, test, texts)

    def nodes(self, raw: object, pointer: str) -> NodeFilter | None:
        if raw is None or raw == {}:
            return None
        given = self.object(raw, pointer, set(NodeFilter.__slots__))
        lists: dict[str, frozenset[str]] = {}
        for name, values in given.items():
            if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
                self.wrong(f"{pointer}/{name}", "type", "A list of codes.")
                continue
            lists[name] = frozenset(values)
        unknown = lists.get("kinds", frozenset()) - set(NodeKind.values)
        if unknown:
            self.wrong(
                f"{pointer}/kinds", "unknown", f"No kind of node: {', '.join(sorted(unknown))}."
            )
        return NodeFilter(**lists)

    def weights(self, raw: object, pointer: str) -> dict[str, int]:
        given = self.object(raw, pointer, set(WEIGHTS))
        for name, value in given.items():
            if type(value) is not int or not 0 <= value <= MAX_WEIGHT:
                self.wrong(
                    f"{pointer}/{name}",
                    "out-of-range",
                    f"{name} is a whole number from 0 to {MAX_WEIGHT}.",
                )
        if given and not any(given.values()) and len(given) == len(WEIGHTS):
            self.wrong(pointer, "all-zero", "Some weight must count.")
        return given

    def limits(self, raw: object, pointer: str) -> dict[str, Any]:
        given = self.object(raw, pointer, set(LIMITS))
        for name, value in given.items():
            detail = _LIMIT_ERRORS[name] if not _LIMIT_CHECKS[name](value) else ""
            if detail:
                self.wrong(f"{pointer}/{name}", "out-of-range", detail)
        return given

    def object(self, raw: object, pointer: str, known: set[str]) -> dict[str, Any]:
        if not isinstance(raw, dict):
            self.wrong(pointer, "type", "An object is wanted here.")
            return {}
        for name in sorted(set(raw) - known):
            self.wrong(f"{pointer}/{name}", "unknown", f"{name} means nothing here.")
        return {name: value for name, value in raw.items() if name in known}

    def instant(self, given: Mapping[str, Any], name: str, pointer: str) -> datetime | None:
        raw = given.get(name)
        if raw in (None, ""):
            return None
        try:
            found = datetime.fromisoformat(str(raw))
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            self.wrong(f"{pointer}/{name}", "not-an-instant", "A date and time with its offset.")
            return None
        return found


def _text(value: object) -> str:
    if isinstance(value, bool):
        return YES if value else NO
    return str(value).strip() if isinstance(value, str | int) else ""


def _is_count(least: int, most: int, value: object) -> bool:
    return type(value) is int and least <= value <= most


_SOFT = [str(code) for code in Constraint]
_LIMIT_CHECKS: Mapping[str, Any] = {
    "max_nodes": lambda value: _is_count(1, 100, value),
    "max_km": lambda value: value is None or _is_count(1, 40_000, value),
    "on_time": lambda value: isinstance(value, bool),
    "allow_partial": lambda value: isinstance(value, bool),
    "split_lines": lambda value: isinstance(value, bool),
    "soft": lambda value: isinstance(value, list) and all(code in _SOFT for code in value),
}
_LIMIT_ERRORS: Mapping[str, str] = {
    "max_nodes": "From 1 to 100 nodes ship.",
    "max_km": "From 1 to 40,000 km, or null for no limit.",
    "on_time": "This is true or false.",
    "allow_partial": "This is true or false.",
    "split_lines": "This is true or false.",
    "soft": f"Any of {', '.join(_SOFT)}.",
}
