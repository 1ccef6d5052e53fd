"""What events, cases and jobs are about: kind codes, filled in by the apps at start-up."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

Path = Callable[[UUID], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of subject: its label for people, and the console path of one of them."""

    code: str
    label: str
    path: Path


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    if kind.code in _kinds:
        raise ValueError(f"the subject kind {kind.code} is registered twice")
    _kinds[kind.code] = kind


def kind_of(code: str) -> Kind:
    """The registered kind, or one that links nowhere for a code no installed app knows."""
    return _kinds.get(code) or Kind(code, code.replace("_", " "), lambda _: "")
