"""Stock: what is free in words, by node, the ledger behind it, and who holds it."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import inventory.services
from config.console.forms import AdjustForm
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.kernel import ids
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import NotFound
from config.reports import orders as order_reports
from config.reports import stock as reports
from config.reports.sql import Row
from inventory.types import StockChange

TABS: Final = (
    ("", "By node"),
    ("ledger", "Ledger"),
    ("holders", "Who holds it"),
    ("inbound", "On its way"),
)


@page(Permission.INVENTORY_VIEW)
def stock(request: HttpRequest) -> HttpResponse:
    """SKUs with their sums; one that is named exactly opens."""
    frame = frame_of(request)
    scope, nodes = frame.scope(Permission.INVENTORY_VIEW), frame.nodes(Permission.INVENTORY_VIEW)
    text = " ".join(request.GET.get("q", "").replace("\0", " ").split())
    node, risk = request.GET.get("node", ""), request.GET.get("risk") == "1"
    found = reports.search(
        scope=scope,
        nodes=nodes,
        text=text,
        node=node,
        risk=risk,
        after=request.GET.get("after", ""),
    )
    return show(
        request,
        "console/stock/list.html",
        {
            "here": "stock",
            "skus": found[: reports.PAGE],
            "after": found[reports.PAGE - 1]["code"] if len(found) > reports.PAGE else "",
            "text": text,
            "node": node,
            "risk": risk,
            "nodes": order_reports.choices(scope)["nodes"],
        },
    )


@page(Permission.INVENTORY_VIEW)
def sku(request: HttpRequest, sku_id: int) -> HttpResponse:
    """One SKU: the sum in words, then one of the tabs."""
    frame = frame_of(request)
    scope, nodes = frame.scope(Permission.INVENTORY_VIEW), frame.nodes(Permission.INVENTORY_VIEW)
    found = _found(request, sku_id)
    tab, node = request.GET.get("tab", ""), request.GET.get("node", "")
    context: dict[str, Any] = {
        "here": "stock",
        "sku": found,
        "said": said(found),
        "tab": tab,
        "tabs": TABS,
        "node": node,
    }
    if tab == "ledger":
        context["ledger"] = reports.ledger(sku_id, nodes=nodes, scope=scope, node=node)
    elif tab == "holders":
        context["holders"] = reports.holders(sku_id, nodes=nodes, scope=scope)
    elif tab == "inbound":
        context["inbound"] = reports.inbound(sku_id, scope=scope)
    else:
        context["positions"] = reports.by_node(sku_id, nodes=nodes, scope=scope)
    return show(request, "console/stock/sku.html", context)


@page(Permission.INVENTORY_ADJUST, methods=("GET", "POST"))
@once
def adjust(request: HttpRequest, sku_id: int) -> HttpResponse:
    """Write down what came or went; a fact is never refused, whatever is reserved."""
    frame = frame_of(request)
    scope, nodes = (
        frame.scope(Permission.INVENTORY_ADJUST),
        frame.nodes(Permission.INVENTORY_ADJUST),
    )
    found = _found(request, sku_id)
    known = order_reports.node_ids(scope)
    offered = [
        (each["code"], f"{each['name']} ({each['code']})")
        for each in order_reports.choices(scope)["nodes"]
        if nodes is None or known[each["code"]] in nodes
    ]
    form = AdjustForm(
        request.POST if request.method == "POST" else None,
        nodes=offered,
        initial={"node": request.GET.get("node", "")},
    )
    problem = ""
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        outcome = inventory.services.record_changes(
            [
                StockChange(
                    node_id=known[values["node"]],
                    sku_id=sku_id,
                    account_id=found["account_id"],
                    quantity=values["quantity"],
                    kind="adjust",
                    condition=values["condition"],
                    source="console",
                    external_id=request.POST.get("once") or str(ids.uuid7()),
                    note=values["note"],
                )
            ],
            at=frame.now,
            actor=actor_of(request),
        )[0]
        if outcome.ok:
            units = values["quantity"]
            say(request, f"{found['code']} at {values['node']}: {units:+d} written to the ledger.")
            return go(request, reverse("console:sku", args=[sku_id]))
        problem = outcome.problem.detail if outcome.problem else "It was refused."
    return show(
        request,
        "console/stock/adjust.html",
        {"here": "stock", "sku": found, "form": form, "problem": problem},
        status=422 if request.method == "POST" else 200,
    )


def said(sku: Row) -> str:
    """What can be promised, in a sentence."""
    if sku["kind"] != "stock":
        return f"{sku['code']} is not kept in stock: it is a {sku['kind'].replace('_', ' ')}."
    if sku["shortfall"]:
        return (
            f"{sku['shortfall']:,} more are reserved than are there. Orders are sourced anew; "
            "what nothing can serve is a case."
        )
    if sku["free"]:
        return f"{sku['free']:,} can be promised now."
    if sku["sellable"]:
        return f"Nothing can be promised, though {sku['sellable']:,} are on the shelves."
    return "Nothing is on the shelves."


def _found(request: HttpRequest, sku_id: int) -> Row:
    frame = frame_of(request)
    found = reports.sku(
        sku_id,
        scope=frame.scope(Permission.INVENTORY_VIEW),
        nodes=frame.nodes(Permission.INVENTORY_VIEW),
    )
    if found is None:
        raise NotFound("There is no such SKU that you may see.")
    return found
