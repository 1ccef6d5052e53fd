"""Stock: what is free in words, by node, the ledger behind it, and who holds it."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

import inventory.selectors
import inventory.services
from config.console import charts
from config.console.move_forms import AdjustForm
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.kernel import ids
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import NotFound
from config.reports import explorer, items
from config.reports import orders as order_reports
from config.reports import stock as reports
from config.reports.sql import Row
from inventory.types import AdjustmentDraft, Explanation, Figure

TABS: Final[tuple[tuple[str, str], ...]] = (
    ("", "By node"),
    ("ledger", "Ledger"),
    ("holders", "Who holds it"),
    ("inbound", "On its way"),
    ("channels", "Channels told"),
    ("about", "About it"),
)
DAYS: Final = 28
"""Days that the chart looks ahead."""


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
    """One SKU: the figure in words, every term a link; four weeks ahead; then one of the tabs."""
    frame = frame_of(request)
    scope, nodes = frame.scope(Permission.INVENTORY_VIEW), frame.nodes(Permission.INVENTORY_VIEW)
    found = _found(request, sku_id)
    tab, node = request.GET.get("tab", ""), request.GET.get("node", "")
    told = explorer.channels(sku_id, scope=scope) if nodes is None else []
    figure = _figure(request, found, told)
    context: dict[str, Any] = {
        "here": "stock",
        "sku": found,
        "said": said(found, figure["days"][0].units),
        "tab": tab,
        "tabs": [each for each in TABS if each[0] != "channels" or nodes is None],
        "node": node,
        "channels": told,
        **figure,
    }
    if tab == "ledger":
        context["ledger"] = reports.ledger(sku_id, nodes=nodes, scope=scope, node=node)
        moment = _moment(request, "asof")
        context |= {"asof": moment, "then": []}
        if moment is not None:
            context["then"] = explorer.on_hand_at(sku_id, moment, scope=scope, nodes=nodes)
    elif tab == "holders":
        context["holders"] = reports.holders(sku_id, nodes=nodes, scope=scope)
    elif tab == "inbound":
        context["inbound"] = reports.inbound(sku_id, scope=scope)
    elif tab == "about":
        context |= {
            "about": items.about(sku_id, scope=scope),
            "packs": items.packs(sku_id),
            "parts": items.parts(sku_id),
            "instead": items.substitutes(sku_id),
        }
    elif tab != "channels":
        context["positions"] = _grid(context, sku_id, request)
    return show(request, "console/stock/sku.html", context)


def _figure(request: HttpRequest, found: Row, told: list[Row]) -> dict[str, Any]:
    """The figure asked for: of all nodes or of a channel, now or by a time; and the weeks ahead."""
    frame = frame_of(request)
    nodes = frame.nodes(Permission.INVENTORY_VIEW)
    by = _moment(request, "by")
    wanted = next((each for each in told if each["code"] == request.GET.get("channel")), None)
    explained = inventory.selectors.explain(
        found["account_id"],
        wanted["channel_id"] if wanted else None,
        found["id"],
        at=frame.now,
        by=by if by is not None and by > frame.now else None,
        days=DAYS,
        node_ids=nodes,
    )
    now = explained.units if explained.by is None else _now(explained, frame.now, nodes)
    days = [
        charts.Day(frame.now, now, 0),
        *(
            charts.Day(
                day.at,
                day.units,
                day.arriving,
                tuple(_cause(found["id"], row) for row in day.makes),
            )
            for day in explained.days
        ),
    ]
    return {
        "explained": explained,
        "terms": [_term(term) for term in explained.terms],
        "parts": _of_components(explained),
        "channel": wanted,
        "chart": charts.projection(days),
        "days": days,
        "horizon": days[-1],
    }


def _of_components(explained: Explanation) -> list[Mapping[str, Any]]:
    """What makes up a kit at each node, term by term."""
    found = [
        {**row, "label": term.label}
        for term in explained.terms
        for row in term.rows
        if "component" in row
    ]
    return sorted(found, key=lambda row: str(row["node"]))


def _cause(sku_id: int, row: Mapping[str, Any]) -> tuple[int, str, str]:
    """What makes a day: its units, what they are, and the page that shows them."""
    if row.get("inbound_id"):
        page = reverse("console:inbound", args=[row["inbound_id"]])
        return row["quantity"], f"{row['number']} at {row['node']}", page
    if row["kind"] == "expires":
        return row["quantity"], f"expire at {row['node']}", reverse("console:lots")
    words = f"from {row['kind'].replace('_', ' ')} at {row['node']}"
    return row["quantity"], words, f"{reverse('console:sku', args=[sku_id])}?tab=ledger#nodes"


def _term(term: Figure) -> dict[str, Any]:
    """A term of the figure as it is read: its sign, its units, its words and where its rows are."""
    return {
        "sign": "−" if term.units < 0 else "+",
        "units": abs(term.units),
        "label": term.label[:1].lower() + term.label[1:],
        "link": term.link or "#nodes",
        "as_of": term.as_of,
    }


def _now(explained: Explanation, now: datetime, nodes: set[int] | None) -> int:
    """The figure of now, where the one of a later time is shown."""
    return inventory.selectors.explain(
        explained.account_id, explained.channel_id, explained.sku_id, at=now, node_ids=nodes
    ).units


def _of_owners(explained: Explanation) -> dict[tuple[int, str], int]:
    """What nodes can promise of other owners' goods, by (node, owner)."""
    rows: list[Mapping[str, Any]] = [
        row
        for term in explained.terms
        if term.code == "consigned"
        for row in term.rows
        if "component" not in row
    ]
    return {(row["node_id"], row["owner"]): row["quantity"] for row in rows}


def _grid(context: Mapping[str, Any], sku_id: int, request: HttpRequest) -> list[Row]:
    """Each node's row with what it can promise, how long that lasts, and why it counts for nothing."""
    frame = frame_of(request)
    explained: Explanation = context["explained"]
    shares = {share.node_id: share for share in explained.nodes}
    theirs = _of_owners(explained)
    found = explorer.by_node(
        sku_id,
        scope=frame.scope(Permission.INVENTORY_VIEW),
        nodes=frame.nodes(Permission.INVENTORY_VIEW),
        now=frame.now,
    )
    for each in found:
        share = shares.get(each["node_id"])
        if each["owner"]:
            each["atp"] = theirs.get((each["node_id"], each["owner"]), 0)
        else:
            others = sum(n for (node_id, _), n in theirs.items() if node_id == each["node_id"])
            each["atp"] = share.units - others if share else 0
        each["hindrance"] = share.reason if share else ""
        each["cover"] = round(each["atp"] / each["per_day"]) if each["per_day"] else None
        each["safety"] = each["buffer"] - each["haircut"]
    return found


def _moment(request: HttpRequest, name: str) -> datetime | None:
    """A date or time of the query, in the reader's zone; a date means its end. None where none is."""
    text = request.GET.get(name, "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) <= len("2026-01-01"):
        moment = datetime.combine(moment, time.max)
    return moment if moment.tzinfo else moment.replace(tzinfo=frame_of(request).zone)


@page(Permission.INVENTORY_VIEW)
def told_figure(request: HttpRequest, figure_id: int) -> HttpResponse:
    """From a channel's figure, as events name it, to its SKU."""
    scope = frame_of(request).scope(Permission.INVENTORY_VIEW)
    sku_id = explorer.sku_of_figure(figure_id, scope=scope)
    if sku_id is None:
        raise NotFound("There is no such figure.")
    return redirect(f"{reverse('console:sku', args=[sku_id])}?tab=channels")


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
        draft = AdjustmentDraft(
            node_id=known[values["node"]],
            sku_id=sku_id,
            account_id=found["account_id"],
            quantity=values["quantity"],
            reason=values["reason"],
            note=values["note"],
            condition=values["condition"],
            expected_on_hand=values["expected"],
            source="console",
            external_id=request.POST.get("once") or str(ids.uuid7()),
        )
        outcome = inventory.services.adjust_stock([draft], at=frame.now, actor=actor_of(request))[0]
        if outcome.value is not None:
            units = f"{found['code']} at {values['node']}: {values['quantity']:+d}"
            if outcome.value.state == "proposed":
                say(request, f"{units} is {outcome.value.number}; somebody else has to approve it.")
            else:
                say(request, f"{units} written to the ledger.")
            return go(request, reverse("console:sku", args=[sku_id]))
        problem = outcome.problem.detail if outcome.problem else "It was refused."
    return show(
        request,
        "console/stock/adjust.html",
        {"here": "stock", "sku": found, "form": form, "problem": problem},
        status=422 if request.method == "POST" else 200,
    )


def said(sku: Row, units: int) -> str:
    """What can be promised, in a sentence; `units` is the figure over all the reader's nodes."""
    if sku["kind"] not in {"stock", "kit"}:
        return f"{sku['code']} is not kept in stock: it is a {sku['kind'].replace('_', ' ')}."
    if sku["shortfall"]:
        return (
            f"{sku['shortfall']:,} more are reserved than are there. Orders are sourced anew; "
            "what nothing can serve is a case."
        )
    if units:
        return f"{units:,} can be promised now."
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
