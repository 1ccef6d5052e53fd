"""The carriers at work: what nobody has scanned, what is late or in trouble, and how well each does."""

from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from config.console.pages import frame_of, page, show
from config.kernel.access import Permission
from config.reports import carriers as reports
from integrations.carriers.selectors import carrier_lines

TABS: Final = (
    ("unscanned", "Without a scan", "without_scan"),
    ("late", "Late", "late"),
    ("trouble", "In trouble", "in_trouble"),
    ("scorecard", "Scorecard", ""),
    ("lanes", "Lanes", ""),
)
WINDOWS: Final = ((7, "7 days"), (14, "14 days"), (30, "30 days"), (90, "90 days"))
_USUAL_DAYS: Final = 30
SHOWN: Final = 100


@page(Permission.FULFILLMENT_VIEW)
def carriers(request: HttpRequest) -> HttpResponse:
    """What each carrier has now, and one list behind it."""
    frame = frame_of(request)
    scope, nodes = (
        frame.scope(Permission.FULFILLMENT_VIEW),
        frame.nodes(Permission.FULFILLMENT_VIEW),
    )
    standing = reports.standing(scope=scope, nodes=nodes, at=frame.now)
    tab = request.GET.get("tab", "")
    if tab not in {code for code, _, _ in TABS}:
        tab = next((code for code, _, key in TABS if key and _count(standing, key)), "unscanned")
    carrier = request.GET.get("carrier", "")[:32]
    days = _days(request.GET.get("days", ""))
    reach: dict[str, Any] = {"scope": scope, "nodes": nodes, "carrier": carrier}
    window: dict[str, Any] = {"since": frame.now - timedelta(days=days), "until": frame.now}
    context: dict[str, Any] = {
        "here": "carriers",
        "standing": standing,
        "lines": carrier_lines(scope, at=frame.now) if nodes is None else [],
        "tab": tab,
        "tabs": [
            {"code": code, "label": label, "count": _count(standing, key) if key else 0}
            for code, label, key in TABS
        ],
        "carrier": carrier,
        "days": days,
        "windows": WINDOWS,
        "few": reports.FEW,
        "limit": SHOWN,
    }
    if tab == "scorecard":
        context["scores"] = reports.scorecard(**reach, **window, at=frame.now)
    elif tab == "lanes":
        context["lanes"] = reports.lanes(**reach, **window, limit=SHOWN)
    elif tab == "trouble":
        context["parcels"] = reports.in_trouble(**reach, limit=SHOWN)
    else:
        read = reports.late if tab == "late" else reports.without_scan
        context["parcels"] = read(**reach, at=frame.now, limit=SHOWN)
    return show(request, "console/carriers/list.html", context)


def _count(standing: list[dict[str, Any]], key: str) -> int:
    return sum(each[key] for each in standing)


def _days(text: str) -> int:
    known = {str(days): days for days, _ in WINDOWS}
    return known.get(text, _USUAL_DAYS)
