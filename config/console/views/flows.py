"""Flows: what went from which node to where, as a map and as a table."""

import csv
import io
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from config.console.flow_map import flow_map
from config.console.pages import frame_of, page, show
from config.console.views.orders import safe
from config.kernel.access import Permission
from config.reports import flows as reports
from config.reports import orders as order_reports

VIEW: Final = Permission.ROUTING_VIEW
WINDOWS: Final = ((1, "24 hours"), (7, "7 days"), (30, "30 days"), (90, "90 days"))
USUAL: Final = 30
SHOWN: Final = 30


@page(VIEW)
def flows(request: HttpRequest) -> HttpResponse:
    """The map, and beside it the same as a table."""
    found, chosen = _found(request)
    total = sum(row["deliveries"] for row in found)
    nodes: dict[str, dict[str, Any]] = {}
    for row in found:
        node = nodes.setdefault(
            row["code"], {"code": row["code"], "name": row["name"], "deliveries": 0, "units": 0}
        )
        node["deliveries"] += row["deliveries"]
        node["units"] += row["units"] or 0
    choices = order_reports.choices(frame_of(request).scope(VIEW))
    context = {
        "here": "decisions",
        "map": flow_map(found),
        "flows": [{**row, "share": row["deliveries"] / total} for row in found[:SHOWN]],
        "more": max(0, len(found) - SHOWN),
        "nodes": sorted(nodes.values(), key=lambda node: -node["deliveries"]),
        "total": total,
        "chosen": chosen,
        "windows": WINDOWS,
        "choices": choices,
    }
    return show(request, "console/flows.html", context)


@page(VIEW)
def flows_csv(request: HttpRequest) -> HttpResponse:
    """All of them, with the filters of the page."""
    found, _ = _found(request)
    columns = ("code", "name", "region", "country", "deliveries", "units")
    return csv_of("flows", columns, found)


def csv_of(name: str, columns: tuple[str, ...], found: list[dict[str, Any]]) -> HttpResponse:
    """A table as a file: UTF-8 with BOM, formulas made harmless."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in found:
        writer.writerow([safe(row[column]) for column in columns])
    return HttpResponse(
        "\ufeff" + text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def days_of(request: HttpRequest, windows: tuple[tuple[int, str], ...], usual: int) -> int:
    known = {str(days): days for days, _ in windows}
    return known.get(request.GET.get("days", ""), usual)


def _found(request: HttpRequest) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
    frame = frame_of(request)
    chosen: dict[str, Any] = {
        "days": days_of(request, WINDOWS, USUAL),
        "node": request.GET.get("node", "")[:32],
        "channel": request.GET.get("channel", "")[:64],
    }
    found = reports.flows(
        scope=frame.scope(VIEW),
        nodes=frame.nodes(VIEW),
        since=frame.now - timedelta(days=chosen["days"]),
        until=frame.now,
        node=chosen["node"],
        channel=chosen["channel"],
    )
    return found, chosen
