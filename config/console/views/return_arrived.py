"""Parcels that nobody has announced: what is in them, scan by scan, becomes a return."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

import returns.services
from config.console import return_forms as forms
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.views.return_acts import node_choices, strays_of
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.types import Outcome
from inventory.selectors import scanned, skus
from orders.selectors import search
from returns.types import ArrivedUnits, UnannouncedReceipt


@page(Permission.RETURNS_WORK, methods=("GET", "POST"))
@once
def arrived(request: HttpRequest) -> HttpResponse:
    """A parcel that nobody has announced becomes a return; whose it is can be found later.

    Each scan adds a row, or a unit to the row of the same code; any number of things may be in it.
    """
    sent = request.POST.copy() if request.method == "POST" else None
    adding = sent is not None and bool(sent.get("scan", "").strip() or "add" in sent)
    problem = _add(request, sent) if sent is not None and adding else ""
    form = _form(request, sent, adding=adding)
    if sent is not None and not adding and form.is_valid():
        outcome = _take_in(request, form)
        if outcome.value is not None:
            standing = outcome.value
            say(request, f"{standing.number} stands for the parcel.")
            return go(request, reverse("console:return", args=[standing.number]))
        problem = outcome.problem.detail if outcome.problem else "It was refused."
    return show(
        request,
        "console/returns/arrived.html",
        {
            "here": "returns",
            "form": form,
            "adding": adding,
            "problem": problem,
            "unknown": request.GET.get("tracking_number") if request.GET.get("unknown") else "",
        },
        status=409 if problem else 422 if sent is not None and not adding else 200,
    )


def _form(request: HttpRequest, sent: QueryDict | None, *, adding: bool) -> forms.ArrivalForm:
    """The form with a row per thing. While things are added nothing is complained about yet."""
    nodes = node_choices(request)
    given = request.GET if sent is None else sent
    rows = forms.ArrivalForm.rows_sent(given)
    if sent is not None and not adding:
        return forms.ArrivalForm(sent, nodes=nodes, rows=rows)
    return forms.ArrivalForm(nodes=nodes, rows=rows, initial=given.dict())


def _add(request: HttpRequest, sent: QueryDict) -> str:
    """Add what was scanned to the rows, or an empty row; says what is wrong, or nothing."""
    code = sent.get("scan", "").strip()[:64]
    sent["scan"] = ""
    rows = forms.ArrivalForm.rows_sent(sent)
    held = {sent.get(f"sku_{place}", "").strip().upper(): place for place in range(1, rows + 1)}
    meant = scanned(code, frame_of(request).scope(Permission.RETURNS_WORK)) if code else []
    more = meant[0].units if meant else 1
    if code and not meant:
        return f"There is no SKU {code}: scan its barcode, or look it up in the stock."
    if code and code.upper() in held:
        place = held[code.upper()]
        units = sent.get(f"units_{place}", "")
        sent[f"units_{place}"] = str(int(units) + more if units.isdecimal() else more)
        return ""
    place = held.get("", rows + 1)
    if place > forms.MOST_ROWS:
        return f"A parcel has at most {forms.MOST_ROWS} different things: take it in twice."
    sent[f"sku_{place}"], sent[f"units_{place}"] = code, str(more)
    return ""


def _take_in(request: HttpRequest, form: forms.ArrivalForm) -> Outcome[Any]:
    values = form.cleaned_data
    units = strays_of(request, form)
    order_id = None
    if values["order"]:
        scope = frame_of(request).scope(Permission.RETURNS_WORK)
        order_id = next(iter(search(scope, values["order"], limit=1)), None)
        if order_id is None:
            return Outcome.refused("not-found", f"There is no order {values['order']}.")
    one = UnannouncedReceipt(
        _owner(units),
        int(values["node"]),
        units,
        order_id=order_id,
        tracking_number=values["tracking_number"],
    )
    at, actor = frame_of(request).now, actor_of(request)
    return returns.services.receive_unannounced([one], at=at, actor=actor)[0]


def _owner(units: Sequence[ArrivedUnits]) -> UUID:
    """Whose goods these are: the account that sells the first of them."""
    first = units[0].sku_id or 0
    return skus([first])[first].account_id
