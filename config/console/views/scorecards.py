"""Scorecards of nodes: how well each does its part, over a period."""

from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from config.console.pages import frame_of, page, show
from config.console.views.flows import WINDOWS, csv_of, days_of
from config.kernel.access import Permission
from config.reports import flows as reports
from inventory.states import NodeKind

VIEW: Final = Permission.ROUTING_VIEW
USUAL: Final = 30
COLUMNS: Final = (
    "code", "name", "kind", "work", "requested", "acceptance", "rejected", "short_rate", "short",
    "pick_hours", "pick_hours_p90", "on_time", "late", "parcels", "cost_minor", "currency",
    "splits", "load", "fullest",
)  # fmt: skip


@page(VIEW)
def scorecards(request: HttpRequest) -> HttpResponse:
    """A row for each node that had work; with `rejected`, beside them what that node rejected."""
    days = days_of(request, WINDOWS, USUAL)
    cards = _found(request, days)
    code = request.GET.get("rejected", "")[:32]
    context = {
        "here": "decisions",
        "cards": cards,
        "days": days,
        "windows": WINDOWS,
        "few": reports.FEW,
        "rejected_by": next((card for card in cards if card["code"] == code), None),
        "rejected": _rejected(request, code, days) if code else [],
        "most": reports.MOST_REJECTED,
    }
    return show(request, "console/scorecards.html", context)


@page(VIEW)
def scorecards_csv(request: HttpRequest) -> HttpResponse:
    """The same as a file."""
    return csv_of("scorecards", COLUMNS, _found(request, days_of(request, WINDOWS, USUAL)))


def _rejected(request: HttpRequest, code: str, days: int) -> list[dict[str, Any]]:
    frame = frame_of(request)
    return reports.rejected_work(
        scope=frame.scope(VIEW),
        nodes=frame.nodes(VIEW),
        node=code,
        since=frame.now - timedelta(days=days),
        until=frame.now,
    )


def _found(request: HttpRequest, days: int) -> list[dict[str, Any]]:
    frame = frame_of(request)
    scope = frame.scope(VIEW)
    window: dict[str, Any] = {"since": frame.now - timedelta(days=days), "until": frame.now}
    splits = reports.splits_by_node(scope=scope, **window)
    cards = reports.scorecards(scope=scope, nodes=frame.nodes(VIEW), **window, at=frame.now)
    for card in cards:
        causes = splits.get(card["code"], {})
        card["kind_label"] = NodeKind(card["kind"]).label
        card["pick_seconds"] = _seconds(card["pick_hours"])
        card["pick_seconds_p90"] = _seconds(card["pick_hours_p90"])
        card["splits"] = sum(causes.values())
        card["causes"] = sorted(causes.items(), key=lambda one: -one[1])
    return cards


def _seconds(hours: float | None) -> float | None:
    return None if hours is None else 3_600 * float(hours)
