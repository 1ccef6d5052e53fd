"""Stored versions of a record as changes that a person reads. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from config.console import words

_HIDDEN: Final = frozenset(
    {"event_seq", "plan_version", "basket_hash", "place_hash", "id", "account_id", "order_id"}
)
_MOMENT: Final = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d")
_KINDS: Final = {"+": "created", "~": "changed", "-": "deleted"}


@dataclass(frozen=True, slots=True)
class Change:
    """One version: what it changed, by whom and why."""

    at: datetime
    what: str
    kind: str
    who: str
    reason: str
    fields: list[tuple[str, str, str]]


def changes(versions: Iterable[Mapping[str, Any]], now: datetime, zone: tzinfo) -> list[Change]:
    """The versions, given oldest first, as changes, newest first; what did not change is left out."""
    before: dict[str, Mapping[str, Any]] = {}
    told = []
    for version in versions:
        fields = version["fields"]
        key = f"{version['what']}:{fields.get('id')}"
        known = before.get(key, {})
        changed = [
            (
                name.replace("_", " "),
                _words(known.get(name), now, zone),
                _words(value, now, zone),
            )
            for name, value in fields.items()
            if not name.startswith("history_")
            and name not in _HIDDEN
            and not name.startswith(("actor_", "correlation_"))
            and (name not in known or known[name] != value)
            and not (not known and value in (None, "", [], 0, False))
        ]
        before[key] = fields
        if changed:
            told.append(
                Change(
                    version["at"],
                    version["what"],
                    _KINDS.get(version["kind"], version["kind"]),
                    fields.get("actor_name") or fields.get("actor_id") or "",
                    version["reason"] or "",
                    changed,
                )
            )
    return told[::-1]


def _words(value: Any, now: datetime, zone: tzinfo) -> str:
    if value in (None, "", []):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    if isinstance(value, str) and _MOMENT.match(value):
        return words.at_time(datetime.fromisoformat(value), now, zone)
    return str(value)
