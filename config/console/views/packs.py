"""Packs broken into units that can be picked: what a node opens, written to the ledger."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import inventory.services
from config.console.move_forms import ConvertForm
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.views.counts import sku_and_nodes
from config.kernel import ids
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.reports import items
from inventory.types import PackConversion


@page(Permission.INVENTORY_ADJUST, methods=("GET", "POST"))
@once
def convert(request: HttpRequest, sku_id: int) -> HttpResponse:
    """Whole packs leave reserve storage; their units can be picked."""
    frame = frame_of(request)
    sku, nodes, known = sku_and_nodes(request, sku_id)
    packs = [each for each in items.packs(sku_id) if each["units"] > 1 and each["breakable"]]
    form = ConvertForm(
        request.POST if request.method == "POST" else None,
        nodes=nodes,
        packs=[(each["level"], f"{each['level']} of {each['units']}") for each in packs],
        initial={"node": request.GET.get("node", "")},
    )
    problem = ""
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        conversion = PackConversion(
            known[said["node"]],
            sku_id,
            sku["account_id"],
            said["packs"],
            said["pack"],
            lot=said["lot"],
            note=said["note"],
            source="console",
            external_id=request.POST.get("once") or str(ids.uuid7()),
        )
        (outcome,) = inventory.services.convert_packs(
            [conversion], at=frame.now, actor=actor_of(request)
        )
        if outcome.ok:
            units = next(each["units"] for each in packs if each["level"] == said["pack"])
            say(
                request,
                f"{sku['code']} at {said['node']}: {said['packs'] * units} units can be picked.",
            )
            return go(request, reverse("console:sku", args=[sku_id]))
        problem = outcome.problem.detail if outcome.problem else "It was refused."
    return show(
        request,
        "console/stock/convert.html",
        {"here": "stock", "sku": sku, "form": form, "problem": problem, "packs": packs},
        status=409 if problem else 422 if request.method == "POST" else 200,
    )
