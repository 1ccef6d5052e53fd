"""The order list: find, narrow, select, export."""

import csv
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    QueryDict,
    StreamingHttpResponse,
)
from django.shortcuts import redirect
from django.urls import reverse

from config.console import chips, columns, tones, verbs
from config.console.pages import frame_of, page, show
from config.console.views.saved_views import tabs_of
from config.kernel.access import Permission
from config.kernel.errors import Invalid
from config.kernel.types import Scope
from config.reports import orders as reports
from config.reports.order_filters import Filters, Moment

EXPORT_LIMIT: Final = 100_000
_EXPORT_CHUNK: Final = 1_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@page(Permission.ORDERS_VIEW)
def orders(request: HttpRequest) -> HttpResponse:
    """One page of the list. A search that names exactly one order opens it."""
    frame = frame_of(request)
    scope, moment = frame.scope(Permission.ORDERS_VIEW), frame.moment
    filters = chips.filters_of(request.GET)
    shown = reports.page(
        filters,
        scope=scope,
        moment=moment,
        before=uuid_of(request.GET.get("before", "")),
        after=uuid_of(request.GET.get("after", "")),
    )
    if len(shown.rows) == 1 and set(filters.values) == {"q"} and "open" in request.GET:
        return redirect("console:order", shown.rows[0]["number"])
    offered = reports.choices(scope)
    shows = columns.chosen(request)
    kept = {key: request.GET[key] for key in ("view", columns.KEY) if request.GET.get(key)}
    saved = tabs_of(request, "orders")
    names = {
        "channel": {each["code"]: each["name"] for each in offered["channels"]},
        "node": {each["code"]: each["name"] for each in offered["nodes"]},
    }
    counted = _counts(filters, scope=scope, moment=moment, narrowed=bool(filters))
    return show(
        request,
        "console/orders/list.html",
        {
            "here": "orders",
            "page": shown,
            "filters": filters.values,
            "chips": chips.chips_of(filters, names, kept),
            "address": chips.address_of(filters, kept),
            "kept": kept,
            "unfiltered": chips.address_of(Filters(), kept),
            "export": chips.address_of(filters, {columns.KEY: columns.address(shows)}),
            "shows": {each.code: True for each in shows},
            "columns": columns.COLUMNS,
            "usual_columns": shows == columns.USUAL,
            "tabs": _tabs(filters, counted, saved["opened"] is not None),
            "saved": saved,
            "matching": counted["matching"],
            "limit": verbs.JOB_LIMIT,
            "counted_to": reports.COUNT_LIMIT - 1,
            "verbs": [
                verb for verb in verbs.VERBS.values() if verb.bulk and frame.may(verb.permission)
            ],
            "offered": offered,
            "progress_choices": tones.choices("progress"),
            "payment_choices": tones.choices("payment"),
            "state_choices": tones.choices("order"),
            "hold_choices": chips.HOLD_TYPES.items(),
            "emptied_by": [] if shown.rows else _emptied_by(filters, names, kept, scope, moment),
        },
    )


@page(Permission.ORDERS_EXPORT)
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The list as it is shown, as CSV: UTF-8 with BOM, ISO times, formulas made harmless."""
    frame = frame_of(request)
    filters = chips.filters_of(request.GET)
    fields = columns.fields(columns.chosen(request))
    scope = frame.scope(Permission.ORDERS_EXPORT)
    lines = _csv(filters, fields, scope=scope, moment=frame.moment)
    stamp = f"{frame.now:%Y%m%d-%H%M}"
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="orders-{stamp}.csv"'},
    )


@page(Permission.ORDERS_VIEW, methods=("POST",))
def orders_columns(request: HttpRequest) -> HttpResponse:
    """Show other columns: named in the address, and remembered for addresses that name none."""
    to = QueryDict(request.POST.get("query", "").lstrip("?"), mutable=True)
    usual = request.POST.get("usual") == "1"
    shown = columns.USUAL if usual else columns.named(request.POST.getlist("col"))
    to.pop(columns.KEY, None)
    if not usual:
        to[columns.KEY] = columns.address(shown)
    joint = f"?{to.urlencode()}" if to else ""
    response = HttpResponseRedirect(f"{reverse('console:orders')}{joint}")
    columns.remember(response, None if usual else shown, secure=request.is_secure())
    return response


def uuid_of(text: str) -> UUID | None:
    """The UUID a text holds; None for none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _counts(filters: Filters, *, scope: Scope, moment: Moment, narrowed: bool) -> dict[str, int]:
    wanted = {code: Filters(values) for code, _, values in chips.TABS}
    if narrowed:
        wanted["matching"] = filters
    counted = reports.counts(wanted, scope=scope, moment=moment)
    return {"matching": counted["all"]} | counted


def _tabs(filters: Filters, counted: dict[str, int], saved: bool) -> list[dict[str, Any]]:  # noqa: FBT001
    return [
        {
            "label": label,
            "address": chips.address_of(Filters(values)),
            "count": counted[code],
            "more": counted[code] >= reports.COUNT_LIMIT,
            "current": not saved and dict(filters.values) == values,
        }
        for code, label, values in chips.TABS
    ]


def _emptied_by(
    filters: Filters,
    names: dict[str, dict[str, str]],
    kept: dict[str, str],
    scope: Scope,
    moment: Moment,
) -> list[chips.Chip]:
    """The chips without which something would be found."""
    without = {
        key: Filters({other: value for other, value in filters.values.items() if other != key})
        for key in filters.values
    }
    if not without:
        return []
    counted = reports.counts(without, scope=scope, moment=moment)
    return [chip for chip in chips.chips_of(filters, names, kept) if counted[chip.key]]


class _Line:
    """A file that gives back what is written to it."""

    def write(self, value: str) -> str:
        return value


def _csv(
    filters: Filters, fields: columns.Fields, *, scope: Scope, moment: Moment
) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield "\ufeff"
    yield writer.writerow([name for name, _ in fields])
    before, left = None, EXPORT_LIMIT
    while left > 0:
        part = reports.page(
            filters,
            scope=scope,
            moment=moment,
            before=before,
            size=min(_EXPORT_CHUNK, left),
        )
        for order in part.rows:
            yield writer.writerow([safe(value(order)) for _, value in fields])
        if part.older is None:
            return
        before, left = part.older, left - len(part.rows)


def safe(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def chosen(request: HttpRequest, *, scope: Scope, moment: Moment) -> list[UUID]:
    """The orders that a bulk form means: the ticked ones, or all that match. At most 1,000.

    Raises Invalid when none or too many are meant.
    """
    sent = request.POST if request.method == "POST" else request.GET
    if sent.get("all") == "1":
        filters = chips.filters_of(sent)
        ids = reports.matching(filters, scope=scope, moment=moment, limit=verbs.JOB_LIMIT + 1)
    else:
        named = [uuid_of(each) for each in sent.getlist("id")]
        ids = reports.reachable([each for each in named if each], scope=scope)
    if not ids:
        raise Invalid("No order is selected. Tick rows in the list, or take all that match.")
    if len(ids) > verbs.JOB_LIMIT:
        raise Invalid(
            f"More than {verbs.JOB_LIMIT:,} orders match. Narrow the filters, then try again."
        )
    return ids
