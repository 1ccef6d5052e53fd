"""Undo before confirm: what was just done is offered back, by the command that does the opposite.

One offer per session, the last thing done. A page shows it once as a toast; it can be taken up
for ten minutes, so that reading slowly costs nothing, and only once.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest

from config.kernel import ids
from config.kernel.errors import Conflict

KEPT_SECONDS: Final = 600
_SESSION: Final = "undo"


@dataclass(frozen=True, slots=True)
class Undone:
    """How undoing ended: what to tell, whether all went well, and where to look."""

    said: str
    well: bool = True
    address: str = ""


Undo = Callable[[HttpRequest, Mapping[str, Any]], Undone]
_kinds: dict[str, Undo] = {}


def register(kind: str, undo: Undo) -> None:
    """Say how what was offered under this kind is undone."""
    _kinds[kind] = undo


def offer(request: HttpRequest, said: str, kind: str, what: Mapping[str, Any]) -> None:
    """Tell what was done, and offer to undo it. `what` is plain JSON."""
    request.session[_SESSION] = {
        "id": str(ids.uuid7()),
        "said": said,
        "kind": kind,
        "what": dict(what),
        "until": time.time() + KEPT_SECONDS,
        "fresh": True,
    }


def shown(request: HttpRequest) -> Mapping[str, Any] | None:
    """The offer that the page should show: once, and on a whole page only."""
    if request.headers.get("HX-Request"):
        return None
    kept: dict[str, Any] | None = request.session.get(_SESSION)
    if not kept or not kept["fresh"]:
        return None
    request.session[_SESSION] = {**kept, "fresh": False}
    return kept


def take_up(request: HttpRequest, offered: str) -> Undone:
    """Undo what was offered under this id. Raises Conflict when it is too late for that."""
    kept: dict[str, Any] | None = request.session.get(_SESSION)
    if not kept or kept["id"] != offered:
        raise Conflict("Something else was done since, or it was undone already.")
    if time.time() > kept["until"]:
        raise Conflict("That was more than ten minutes ago. Do the opposite by its own action.")
    del request.session[_SESSION]
    return _kinds[kept["kind"]](request, kept["what"])
