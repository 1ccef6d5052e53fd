"""Counts: what is asked of nodes, and the blind page on which a node counts by scan."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import inventory.selectors
import inventory.services
from config.console.move_forms import ConditionForm, CountForm, ReasonForm
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import NotFound
from config.reports import nodes as node_reports
from config.reports import orders as order_reports
from config.reports import stock as stock_reports
from config.reports.sql import Row
from inventory.states import OPEN_COUNT_STATES, CountState
from inventory.types import ConditionChange, CountWanted

PAGE: Final = 100
TABS: Final = (("", "To be counted"), ("recount", "Again"), ("ended", "Ended"))


@page(Permission.INVENTORY_VIEW)
def counts(request: HttpRequest) -> HttpResponse:
    """What nodes are asked to count, the longest due first."""
    frame, tab = frame_of(request), request.GET.get("tab", "")
    found = inventory.selectors.counts(
        frame.scope(Permission.INVENTORY_VIEW), frame.nodes(Permission.INVENTORY_VIEW)
    )
    if tab == "ended":
        rows = found.exclude(state__in=OPEN_COUNT_STATES).order_by("-pk")[:PAGE]
    else:
        states = [CountState.RECOUNT.value] if tab == "recount" else OPEN_COUNT_STATES
        rows = found.filter(state__in=states).order_by("due_at", "pk")[:PAGE]
    return show(
        request,
        "console/counts/list.html",
        {"here": "stock", "tab": tab, "tabs": TABS, "found": list(rows)},
    )


@page(Permission.INVENTORY_ADJUST, methods=("GET", "POST"))
@once
def cancel(request: HttpRequest, count_id: int) -> HttpResponse:
    """Drop a count that nobody needs."""
    frame = frame_of(request)
    found = inventory.selectors.counts(
        frame.scope(Permission.INVENTORY_ADJUST), frame.nodes(Permission.INVENTORY_ADJUST)
    )
    row = found.filter(pk=count_id).first()
    if row is None:
        raise NotFound("There is no such count that you may drop.")
    form = ReasonForm(request.POST if request.method == "POST" else None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        (outcome,) = inventory.services.cancel_counts(
            [count_id], form.cleaned_data["reason"], at=frame.now, actor=actor_of(request)
        )
        if outcome.ok:
            say(request, f"{row.sku.code} need not be counted at {row.node.name}.")
            return go(request, reverse("console:counts"))
        problem = outcome.problem.detail if outcome.problem else "It was refused."
    return show(
        request,
        "console/counts/cancel.html",
        {"here": "stock", "row": row, "form": form, "problem": problem},
        status=409 if problem else 422 if request.method == "POST" else 200,
    )


@page(Permission.INVENTORY_ADJUST, methods=("GET", "POST"))
@once
def ask(request: HttpRequest, sku_id: int) -> HttpResponse:
    """Ask nodes to count a SKU."""
    frame = frame_of(request)
    sku, nodes, known = sku_and_nodes(request, sku_id)
    form = CountForm(
        request.POST if request.method == "POST" else None,
        nodes=nodes,
        initial={"nodes": request.GET.getlist("node")},
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        wanted = [
            CountWanted(sku["account_id"], known[code], sku_id, values["reason"])
            for code in values["nodes"]
        ]
        inventory.services.request_counts(wanted, at=frame.now, actor=actor_of(request))
        say(request, f"{sku['code']} is to be counted at {', '.join(values['nodes'])}.")
        return go(request, reverse("console:sku", args=[sku_id]))
    return show(
        request,
        "console/counts/ask.html",
        {"here": "stock", "sku": sku, "form": form},
        status=422 if request.method == "POST" else 200,
    )


@page(Permission.INVENTORY_ADJUST, methods=("GET", "POST"))
@once
def condition(request: HttpRequest, sku_id: int) -> HttpResponse:
    """Quarantine units, or any other change of how they lie."""
    frame = frame_of(request)
    sku, nodes, known = sku_and_nodes(request, sku_id)
    form = ConditionForm(
        request.POST if request.method == "POST" else None,
        nodes=nodes,
        initial={"node": request.GET.get("node", ""), "lot": request.GET.get("lot", "")},
    )
    problem = ""
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        change = ConditionChange(
            known[values["node"]],
            sku_id,
            sku["account_id"],
            values["condition"],
            values["into"],
            values["quantity"],
            lot=values["lot"],
            note=values["note"],
        )
        (outcome,) = inventory.services.change_conditions(
            [change], at=frame.now, actor=actor_of(request)
        )
        if outcome.ok:
            into = values["into"].replace("_", " ")
            say(request, f"{sku['code']} at {values['node']}: now lying as {into}.")
            return go(request, reverse("console:sku", args=[sku_id]))
        problem = outcome.problem.detail if outcome.problem else "It was refused."
    return show(
        request,
        "console/counts/condition.html",
        {"here": "stock", "sku": sku, "form": form, "problem": problem},
        status=422 if request.method == "POST" else 200,
    )


@page(Permission.FULFILLMENT_WORK, methods=("GET", "POST"))
@once
def blind(request: HttpRequest, code: str) -> HttpResponse:
    """A node counts by scan; what the book says is not shown.

    Each scan of the SKU raises the tally by one; the tally may be typed as well. The page holds it
    until the count is sent.
    """
    frame = frame_of(request)
    scope = frame.scope(Permission.FULFILLMENT_WORK)
    reach = frame.nodes(Permission.FULFILLMENT_WORK)
    node = node_reports.node(code, scope=scope, nodes=reach)
    if node is None:
        raise NotFound("There is no such node that you may count at.")
    asked = inventory.selectors.count_requests(scope, [node["id"]])
    context: dict[str, Any] = {"here": "nodes", "node": node, "asked": asked}
    if request.method != "POST":
        return show(request, "console/counts/blind.html", context)
    if request.POST.get("step") == "send":
        return _send(request, node, asked)
    context |= _tally(request, asked)
    return show(request, "console/counts/blind.html", context)


def _tally(request: HttpRequest, asked: list[Any]) -> dict[str, Any]:
    """The count that a scan opens or raises, and what is said of it."""
    text = " ".join(request.POST.get("scan", "").split())
    scope = frame_of(request).scope(Permission.FULFILLMENT_WORK)
    scanned = set(inventory.selectors.skus_by_scan(text.upper(), scope))
    request_id, tally = request.POST.get("count", ""), _number(request.POST.get("tally", ""))
    opened = next((one for one in asked if str(one.pk) == request_id), None)
    match = next((one for one in asked if one.sku_id in scanned), None)
    if match is None:
        said = f"{text or 'Nothing'} is not asked for here. Scan a SKU of the list."
        return {"opened": opened, "tally": tally, "said": said, "good": False}
    again = opened is not None and opened.pk == match.pk
    tally = tally + 1 if again else 1
    return {
        "opened": match,
        "tally": tally,
        "said": f"{match.sku.code}: {tally} so far.",
        "good": True,
    }


def _send(request: HttpRequest, node: Row, asked: list[Any]) -> HttpResponse:
    """Tell what was found for the opened count."""
    opened = next((one for one in asked if str(one.pk) == request.POST.get("count")), None)
    if opened is None:
        raise NotFound("This count is not asked for any more.")
    actor = actor_of(request, Permission.FULFILLMENT_WORK)
    (outcome,) = inventory.services.answer_counts(
        [(opened.pk, _number(request.POST.get("tally", "")))],
        at=frame_of(request).now,
        actor=actor,
    )
    said = {
        None: outcome.problem.detail if outcome.problem else "",
        "answered": f"{opened.sku.code} is counted.",
        "recount": f"{opened.sku.code}: somebody else counts it once more.",
    }
    if outcome.ok:
        say(request, said[outcome.value])
        return go(request, reverse("console:node_counts", args=[node["code"]]))
    return show(
        request,
        "console/counts/blind.html",
        {"here": "nodes", "node": node, "asked": asked, "opened": opened}
        | {"tally": _number(request.POST.get("tally", "")), "said": said[None], "good": False},
        status=409,
    )


def _number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 8 else 0


def sku_and_nodes(
    request: HttpRequest, sku_id: int
) -> tuple[Row, list[tuple[str, str]], dict[str, int]]:
    """The SKU, the nodes at which the reader may change its stock, and their ids."""
    frame = frame_of(request)
    scope = frame.scope(Permission.INVENTORY_ADJUST)
    nodes = frame.nodes(Permission.INVENTORY_ADJUST)
    sku = stock_reports.sku(sku_id, scope=scope, nodes=nodes)
    if sku is None:
        raise NotFound("There is no such SKU that you may change.")
    known = order_reports.node_ids(scope)
    offered = [
        (each["code"], f"{each['name']} ({each['code']})")
        for each in order_reports.choices(scope)["nodes"]
        if nodes is None or known[each["code"]] in nodes
    ]
    return sku, offered, known
