"""The control tower: are today's promises kept, and where not?"""

from django.http import HttpRequest, HttpResponse

from config.console.pages import frame_of, page, show
from config.kernel.access import Permission
from config.reports import tower as reports


@page(Permission.ORDERS_VIEW)
def tower(request: HttpRequest) -> HttpResponse:
    frame = frame_of(request)
    scope = frame.scope(Permission.ORDERS_VIEW)
    tiles = reports.tiles(scope=scope, moment=frame.moment)
    flow = reports.flow(scope=scope, moment=frame.moment)
    days = reports.placed_by_day(scope=scope, moment=frame.moment)
    today = frame.now.astimezone(frame.zone)
    return show(
        request,
        "console/tower.html",
        {
            "here": "tower",
            "tiles": tiles,
            "flow": flow,
            "days": days,
            "nodes": reports.nodes(scope=scope, moment=frame.moment),
            "any_orders": any(days) or any(step["n"] for step in flow),
            "today": today.date().isoformat(),
            "weekday": f"{today:%A}",
            "week_change": _change(tiles["orders_today"], tiles["orders_week_ago"]),
        },
    )


def _change(now: int, before: int) -> str | None:
    """`+12 %` or `−3 %`; None when there is nothing to compare with."""
    return f"{(now - before) * 100 / before:+.0f} %".replace("-", "\u2212") if before else None
