"""All nodes: what each has to do, how full it is, and how old the news of its stock."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse

import inventory.selectors
from config.console.pages import frame_of, page, show
from config.kernel.access import Permission
from config.reports import tower as tower_reports
from config.reports.sql import Row
from inventory.states import CAPACITY_FUNCTIONS


@page(Permission.FULFILLMENT_VIEW)
def nodes(request: HttpRequest) -> HttpResponse:
    frame = frame_of(request)
    found = tower_reports.nodes(
        scope=frame.scope(Permission.FULFILLMENT_VIEW),
        moment=frame.moment,
        node_ids=frame.nodes(Permission.FULFILLMENT_VIEW),
    )
    _with_signals(found, frame.now)
    return show(request, "console/nodes/list.html", {"here": "nodes", "nodes": found, "more": True})


def _with_signals(nodes: list[Row], now: datetime) -> None:
    """How full each node's windows are now, and how old the news of its stock."""
    ids = [node["id"] for node in nodes]
    windows = inventory.selectors.current_windows(ids, now)
    feeds = inventory.selectors.feed_state(ids, now)
    for node in nodes:
        node["windows"] = [
            window
            for function in CAPACITY_FUNCTIONS
            for window in windows.get((node["id"], function), ())
        ]
        node["feed"] = feeds.get(node["id"])
