"""The palette: one box for orders, SKUs, nodes, cases, pages and actions."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from config.console import tones
from config.console.frame import Frame
from config.console.pages import frame_of, page, show
from config.kernel.access import Permission
from config.reports import cases as case_reports
from config.reports import frame as reports
from config.reports import returns as return_reports

_MIN_TEXT = 2
_LONGEST_NUMBER = 15
_ACTIONS = (
    ("Pause a node", "console:nodes", "", Permission.NETWORK_PAUSE),
    ("Export orders as CSV", "console:orders_export", "", Permission.ORDERS_EXPORT),
    ("Orders that will miss ship-by today", "console:orders", "?need=miss", Permission.ORDERS_VIEW),
    ("Orders on hold", "console:orders", "?need=held", Permission.ORDERS_VIEW),
    ("Orders ready to release", "console:orders", "?need=ready", Permission.ORDERS_VIEW),
    ("Backordered orders", "console:orders", "?need=backorder", Permission.ORDERS_VIEW),
    ("SKUs at short risk", "console:stock", "?risk=1", Permission.INVENTORY_VIEW),
    ("My cases", "console:cases", "?mine=1", Permission.CASES_VIEW),
    ("Dead messages", "console:inbox", "?state=dead", Permission.INTEGRATIONS_VIEW),
    ("Returns to grade", "console:returns", "?tab=to_grade", Permission.RETURNS_VIEW),
    ("Requests to decide", "console:returns", "?tab=to_decide", Permission.RETURNS_VIEW),
    ("Parcels without a scan", "console:carriers", "?tab=unscanned", Permission.FULFILLMENT_VIEW),
    ("Late parcels", "console:carriers", "?tab=late", Permission.FULFILLMENT_VIEW),
    ("Dead outside requests", "console:outbox", "?state=dead", Permission.INTEGRATIONS_VIEW),
    ("Split decisions", "console:decisions", "?split=any", Permission.ROUTING_VIEW),
)


@page()
def palette(request: HttpRequest) -> HttpResponse:
    """The answers, as a fragment for the dialog, or as a page of its own without scripts."""
    frame = frame_of(request)
    text = " ".join(request.GET.get("q", "").replace("\0", " ").split())[:200]
    sigil, rest = (text[:1], text[1:].strip()) if text[:1] in {">", "#", "@"} else ("", text)
    found: list[dict[str, Any]] = []
    if sigil != ">" and len(rest) >= _MIN_TEXT:
        found += _records(frame, rest, orders_only=sigil in {"#", "@"})
    if sigil not in {"#", "@"}:
        found += _places(frame, rest)
    fragment = bool(request.headers.get("HX-Request"))
    template = "console/parts/palette.html" if fragment else "console/palette.html"
    return show(request, template, {"here": "", "found": found, "text": text})


def _records(frame: Frame, text: str, *, orders_only: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if frame.may(Permission.ORDERS_VIEW):
        scope = frame.scope(Permission.ORDERS_VIEW)
        found += [
            _entry(
                "Orders", "orders", each["number"], _state(each), "console:order", each["number"]
            )
            for each in reports.orders(text, scope=scope, moment=frame.moment)
        ]
    if orders_only:
        return found
    if frame.may(Permission.RETURNS_VIEW):
        found += [
            _entry(
                "Returns", "back", each["number"], tones.look("return", each["state"]).label,
                "console:return", each["number"],
            )
            for each in return_reports.named(
                text,
                scope=frame.scope(Permission.RETURNS_VIEW),
                nodes=frame.nodes(Permission.RETURNS_VIEW),
            )
        ]  # fmt: skip
    if frame.may(Permission.CASES_VIEW) and text.isdigit() and len(text) <= _LONGEST_NUMBER:
        case = case_reports.one(
            int(text),
            scope=frame.scope(Permission.CASES_VIEW),
            nodes=frame.nodes(Permission.CASES_VIEW),
        )
        if case is not None:
            label = f"Case {case['number']}"
            found.append(
                _entry("Cases", "cases", label, case["kind"], "console:case", case["number"])
            )
    if frame.may(Permission.INVENTORY_VIEW):
        found += [
            _entry("SKUs", "stock", each["code"], each["name"], "console:sku", each["id"])
            for each in reports.skus(text, scope=frame.scope(Permission.INVENTORY_VIEW))
        ]
    if frame.may(Permission.FULFILLMENT_VIEW):
        found += [
            _entry(
                "Nodes",
                "nodes",
                each["name"],
                f"{each['code']} {each['city']}",
                "console:node",
                each["code"],
            )
            for each in reports.nodes(
                text,
                scope=frame.scope(Permission.FULFILLMENT_VIEW),
                node_ids=frame.nodes(Permission.FULFILLMENT_VIEW),
            )
        ]
    return found


def _places(frame: Frame, text: str) -> list[dict[str, Any]]:
    wanted = text.casefold()
    found = [
        {
            "group": "Pages",
            "icon": place.icon,
            "label": place.label,
            "hint": f"g {place.key}",
            "url": reverse(place.url),
        }
        for place in frame.places
        if wanted in f"{place.label} {place.hint}".casefold()
    ]
    found += [
        {
            "group": "Actions",
            "icon": "decisions",
            "label": label,
            "hint": "",
            "url": reverse(url) + query,
        }
        for label, url, query, permission in _ACTIONS
        if frame.may(permission) and wanted in label.casefold()
    ]
    if frame.admin and wanted in "configuration settings policies users":
        found.append(
            {
                "group": "Pages",
                "icon": "gear",
                "label": "Configuration",
                "hint": "",
                "url": reverse("admin:index"),
            }
        )
    return found


def _entry(group: str, icon: str, label: str, hint: str, url: str, key: object) -> dict[str, Any]:
    return {
        "group": group,
        "icon": icon,
        "label": label,
        "hint": hint,
        "url": reverse(url, args=[key]),
    }


def _state(order: dict[str, Any]) -> str:
    state = order["progress"] if order["state"] == "accepted" else order["state"]
    held = ", on hold" if order["holds_open"] else ""
    return f"{order['external_number']} {str(state).replace('_', ' ')}{held}".strip()
