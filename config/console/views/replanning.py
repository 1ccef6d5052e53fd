"""Re-planning: looks at planned orders, what each moved from where to where, and what it saved."""

from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from config.console.pages import frame_of, page, show
from config.console.views.orders import uuid_of
from config.kernel.access import Permission
from config.kernel.errors import NotFound
from config.reports import replanning as reports
from config.reports.sql import Row

VIEW = Permission.ROUTING_VIEW

WHY_NOT: Final = {
    "stays": "stands where it is best",
    "too_little": "would save too little",
    "later": "would leave or arrive later than promised",
    "unfilled": "would leave units unfilled",
    "by_hand": "was put there by a person",
    "moved_enough": "has moved often enough today",
    "enough_for_now": "waits for the next look: this one moved enough",
    "outside": "stands at a node outside the network",
    "busy": "was in somebody's hands",
    "changed": "was changed meanwhile",
    "lost": "lost its units to another order",
}
CAUSES: Final = {
    "cycle": "its turn",
    "prices": "new prices",
    "stock.short": "stock fell short",
    "stock.received": "stock came in",
    "node.paused": "a node paused",
    "node.resumed": "a node resumed",
    "node.activated": "a node opened",
    "node.drained": "a node was drained",
}


@page(VIEW)
def replanning(request: HttpRequest) -> HttpResponse:
    """The looks, the latest first, and what the week's came to."""
    scope = frame_of(request).scope(VIEW)
    moved_only = request.GET.get("moved") == "1"
    before = uuid_of(request.GET.get("before", ""))
    found = reports.runs(scope=scope, moved_only=moved_only, before=before)
    context = {
        "here": "decisions",
        "runs": [_in_words(each) for each in found[: reports.PAGE]],
        "older": found[reports.PAGE - 1]["id"] if len(found) > reports.PAGE else None,
        "moved_only": moved_only,
        "week": reports.last_week(scope=scope),
        "books": reports.books(scope=scope),
    }
    return show(request, "console/replanning/list.html", context)


@page(VIEW)
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One look: every move with both costs, and why the others stay."""
    scope = frame_of(request).scope(VIEW)
    found = reports.one(run_id, scope=scope)
    if found is None:
        raise NotFound("There is no such look.")
    moves = reports.moves(run_id, scope=scope)
    context = {"here": "decisions", "run": _in_words(found), "moves": moves}
    return show(request, "console/replanning/run.html", context)


def _in_words(found: Row) -> dict[str, Any]:
    refused = sorted(found["refused"].items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        **found,
        "why": [CAUSES.get(cause, cause) for cause in found["causes"]],
        "stayed": [(WHY_NOT.get(code, code), count) for code, count in refused],
        "left_alone": sum(found["refused"].get(code, 0) for code in ("busy", "changed", "lost")),
        "decided_by": sorted(found["levels"].items()),
    }
