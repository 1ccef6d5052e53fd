"""A node at work: what leaves next, scanned, picked, packed and handed over by hand."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import fulfillment.services
import inventory.selectors
import inventory.services
from config.console import forms, undoing
from config.console.once import once
from config.console.pages import back_to, frame_of, go, page, say, show
from config.console.promise_bars import bars
from config.console.scanning import scanned
from config.console.wishes import wishes
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, NotFound
from config.kernel.types import Outcome
from config.reports import node_preview
from config.reports import nodes as reports
from config.reports.promises import bars_of_work
from config.reports.sql import Row
from fulfillment.types import (
    Acknowledgement,
    Collection,
    Pack,
    Pick,
    Rejection,
    Shipment,
    Short,
)
from inventory.states import FeedState

STEPS: Final = (
    ("", "All open"),
    ("pick", "To pick"),
    ("pack", "To pack"),
    ("ship", "To hand over"),
    ("pickup", "Waiting for buyers"),
)
_STEP_STATES: Final = {
    "": reports.OPEN,
    "pick": ("released", "acknowledged", "picking"),
    "pack": ("picking",),
    "ship": ("packed",),
    "pickup": ("ready_for_pickup",),
}
OPEN_STATES: Final = ("released", "acknowledged", "picking")


@page(Permission.FULFILLMENT_VIEW)
def node(request: HttpRequest, code: str) -> HttpResponse:
    """The node's work by cutoff, with the scan box on top."""
    found = node_of(request, code)
    frame = frame_of(request)
    scope = frame.scope(Permission.FULFILLMENT_VIEW)
    views = inventory.selectors.feed_views(scope, frame.now, node_ids=[found["id"]])
    silent = [view for view in views if view.state == FeedState.SILENT]
    context = {**work_of(request, found), "feed": silent[0] if silent else None}
    return show(request, "console/nodes/node.html", context)


@page(Permission.FULFILLMENT_WORK, methods=("POST",))
@once
def node_scan(request: HttpRequest, code: str) -> HttpResponse:
    """One scan: a SKU or barcode picks one, a work number opens or packs, a parcel leaves."""
    frame = frame_of(request)
    found = node_of(request, code, Permission.FULFILLMENT_WORK)
    answer = scanned(
        request.POST.get("scan", ""),
        node=found,
        within=request.POST.get("within", ""),
        scope=frame.scope(Permission.FULFILLMENT_WORK),
        at=frame.now,
        actor=actor_of(request),
    )
    if request.headers.get("HX-Request"):
        context = work_of(request, found, opened=answer.opened)
        return show(request, "console/nodes/scanned.html", {**context, "answer": answer})
    say(request, answer.text, level=messages.SUCCESS if answer.good else messages.ERROR)
    query = f"?within={answer.opened}" if answer.opened else ""
    return go(request, reverse("console:node", args=[code]) + query)


@page(Permission.FULFILLMENT_VIEW)
def fulfillment_order(request: HttpRequest, code: str, number: str) -> HttpResponse:
    found = node_of(request, code)
    work = work_at(request, found, number)
    return show(
        request,
        "console/nodes/work.html",
        {
            "here": "nodes",
            "node": found,
            "work": work,
            "bar": bars(bars_of_work(work["id"]), frame_of(request).now).get(work["id"]),
            **_possible(work),
            **_wishes(request, work),
        },
    )


def _wishes(request: HttpRequest, work: Row) -> dict[str, Any]:
    """What may be wished of the work, for those who release it."""
    frame = frame_of(request)
    if not frame.may(Permission.FULFILLMENT_RELEASE):
        return {}
    found = wishes(work["id"], frame.scope(Permission.FULFILLMENT_RELEASE))
    return {
        "wishes": [each for each in found if not each["reason"]],
        "wishes_not": [each for each in found if each["reason"]],
    }


@page(Permission.FULFILLMENT_WORK, methods=("POST",))
@once
def work_act(request: HttpRequest, code: str, number: str, act: str) -> HttpResponse:
    """Acknowledge, pick all, pack, hand over or hand to the buyer: one command."""
    frame, actor = frame_of(request), actor_of(request)
    found = node_of(request, code, Permission.FULFILLMENT_WORK)
    work = work_at(request, found, number, Permission.FULFILLMENT_WORK)
    services = fulfillment.services
    at = frame.now
    if act == "acknowledge":
        outcomes: list[Outcome[Any]] = list(
            services.acknowledge([Acknowledgement(work["id"])], at=at, actor=actor)
        )
    elif act == "pick":
        picks = [
            Pick(line["id"], _handled(line) + line["waiting"] + line["accepted"])
            for line in work["lines"]
            if line["waiting"] + line["accepted"]
        ]
        outcomes = list(services.record_picks(picks, at=at, actor=actor))
    elif act == "pack":
        outcomes = list(services.record_packs([Pack(work["id"])], at=at, actor=actor))
    elif act == "ship":
        outcomes = list(services.confirm_shipments(_shipments(request, work), at=at, actor=actor))
    elif act == "collect":
        collected = Collection(work["id"], collected_by="buyer")
        outcomes = list(services.collect([collected], at=at, actor=actor))
    elif act == "labels":
        parcels = reports.parcels_of([work["id"]], node_id=found["id"])
        outcomes = list(services.request_labels(parcels, at=at, actor=actor))
    else:
        raise NotFound("There is no such action.")
    tell(request, outcomes, f"{number}: {_DONE[act]}.")
    return go(request, reverse("console:fulfillment_order", args=[code, number]))


_DONE: Final = {
    "acknowledge": "taken on",
    "pick": "picked",
    "pack": "packed",
    "ship": "handed over",
    "collect": "handed to the buyer",
    "labels": "labels asked for",
}


@page(Permission.FULFILLMENT_WORK, methods=("GET", "POST"))
@once
def work_short(request: HttpRequest, code: str, number: str) -> HttpResponse:
    """Units that are not there, with the reason; they are sourced elsewhere at once."""
    found = node_of(request, code, Permission.FULFILLMENT_WORK)
    work = work_at(request, found, number, Permission.FULFILLMENT_WORK)
    line = next(
        (
            each
            for each in work["lines"]
            if str(each["id"]) == (request.POST.get("line") or request.GET.get("line"))
        ),
        None,
    )
    if line is None:
        raise NotFound("There is no such line in this work.")
    form = forms.ShortForm(
        request.POST if request.method == "POST" else None,
        initial={"line": line["id"], "quantity": 1},
    )

    def act() -> list[Outcome[Any]]:
        total = line["short"] + form.cleaned_data["quantity"]
        short = Short(line["id"], total, form.cleaned_data["reason"])
        return list(
            fulfillment.services.report_shorts(
                [short], at=frame_of(request).now, actor=actor_of(request)
            )
        )

    return form_page(
        request,
        found,
        work,
        form,
        act,
        title=f"Not there: {line['sku_code']}",
        lead=f"{line['sku_name']}: {line['waiting'] + line['accepted'] + line['picked']} of "
        f"{line['requested']} are still to leave. What is missing is written to the ledger, a "
        "count is asked for, and the order is sourced elsewhere.",
        verb="Report them short",
        done=f"{number}: reported short; the units are sourced elsewhere.",
    )


@page(Permission.FULFILLMENT_WORK, methods=("GET", "POST"))
@once
def work_reject(request: HttpRequest, code: str, number: str) -> HttpResponse:
    """The node will not do what it has not picked yet."""
    found = node_of(request, code, Permission.FULFILLMENT_WORK)
    work = work_at(request, found, number, Permission.FULFILLMENT_WORK)
    form = forms.RejectForm(request.POST if request.method == "POST" else None)

    def act() -> list[Outcome[Any]]:
        rejection = Rejection(work["id"], form.cleaned_data["reason"])
        return list(
            fulfillment.services.reject(
                [rejection], at=frame_of(request).now, actor=actor_of(request)
            )
        )

    return form_page(
        request,
        found,
        work,
        form,
        act,
        title=f"Reject {number}",
        lead="What is not picked yet goes back and is sourced elsewhere; what is picked stays.",
        verb="Reject the rest",
        done=f"{number}: rejected; the units are sourced elsewhere.",
    )


@page(Permission.NETWORK_PAUSE, methods=("GET", "POST"))
@once
def node_pause(request: HttpRequest, code: str) -> HttpResponse:
    """Pause shipping or pickup with an end and a reason; or resume it."""
    frame, actor = frame_of(request), actor_of(request)
    found = node_of(request, code, Permission.NETWORK_PAUSE)
    resume = request.POST.get("resume", "")
    if request.method == "POST" and resume:
        inventory.services.resume_node(found["id"], resume, at=frame.now, actor=actor)
        stood: Row = next((each for each in found["functions"] if each["function"] == resume), {})
        said = f"{found['name']} takes {resume} work again."
        _offer(request, found, said, {"until": "", "reason": "", **stood}, resume, paused=False)
        return go(request, back_to(request, reverse("console:node", args=[code])))
    form = forms.PauseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        inventory.services.pause_node(
            found["id"],
            values["function"],
            values["until"],
            values["reason"],
            at=frame.now,
            actor=actor,
        )
        said = (
            f"{found['name']}: {values['function']} is paused. What is not released is sourced "
            "elsewhere."
        )
        _offer(request, found, said, {}, values["function"], paused=True)
        return go(request, back_to(request, reverse("console:node", args=[code])))
    return show(
        request,
        "console/nodes/pause.html",
        {
            "here": "nodes",
            "node": found,
            "form": form,
            "next": back_to(request, ""),
            "touched": node_preview.touched(
                found["id"], scope=frame.scope(Permission.NETWORK_PAUSE)
            ),
        },
        status=422 if request.method == "POST" else 200,
    )


def _offer(
    request: HttpRequest, node: Row, said: str, stood: Row, function: str, *, paused: bool
) -> None:
    """Tell that a function was paused or resumed, and offer the opposite."""
    what = {
        "node": node["id"],
        "name": node["name"],
        "function": function,
        "paused": paused,
        "until": stood.get("until") or "",
        "reason": stood.get("reason") or "as before",
    }
    undoing.offer(request, said, "node", what)


def node_of(
    request: HttpRequest, code: str, permission: Permission = Permission.FULFILLMENT_VIEW
) -> Row:
    """The node, when the reader may see it. Raises NotFound otherwise."""
    frame = frame_of(request)
    found = reports.node(code, scope=frame.scope(permission), nodes=frame.nodes(permission))
    if found is None:
        raise NotFound(f"There is no node {code} that you may see.")
    found["functions"] = found["functions"] or []
    return found


def work_of(request: HttpRequest, node: Row, *, opened: str = "") -> dict[str, Any]:
    """What the node's page shows: the list of a step, and the work that scans go to."""
    frame = frame_of(request)
    scope = frame.scope(Permission.FULFILLMENT_VIEW)
    step = request.GET.get("step") or request.POST.get("step") or ""
    counted = reports.step_counts(node["id"], scope=scope)
    within = opened or request.GET.get("within", "")
    current = reports.fulfillment_order(within, node_id=node["id"], scope=scope) if within else None
    if current and current["state"] not in OPEN_STATES:
        current = None
    return {
        "here": "nodes",
        "node": node,
        "work": reports.work(node["id"], scope=scope, step=step),
        "step": step,
        "steps": [
            {
                "code": each,
                "label": label,
                "count": sum(counted.get(state, 0) for state in _STEP_STATES[each]),
            }
            for each, label in STEPS
        ],
        "current": current,
        "limit": reports.WORK_LIMIT,
    }


def work_at(
    request: HttpRequest,
    node: Row,
    number: str,
    permission: Permission = Permission.FULFILLMENT_VIEW,
) -> Row:
    found = reports.fulfillment_order(
        number.upper(), node_id=node["id"], scope=frame_of(request).scope(permission)
    )
    if found is None:
        raise NotFound(f"There is no work {number} at this node.")
    return found


def _handled(line: Row) -> int:
    handled: int = line["picked"] + line["packed"] + line["shipped"] + line["collected"]
    return handled


def _possible(work: Row) -> dict[str, bool]:
    """Which buttons lead anywhere now."""
    to_pick = any(line["waiting"] + line["accepted"] for line in work["lines"])
    picked = any(line["picked"] for line in work["lines"])
    here = [
        each
        for each in work["parcels"] or ()
        if each["state"] in {"packed", "labelled", "manifested"}
    ]
    opened = work["state"] in OPEN_STATES
    return {
        "may_acknowledge": work["state"] == "released",
        "may_pick": opened and to_pick,
        "may_pack": opened and picked,
        "may_ship": bool(here),
        "may_label": any(each["state"] == "packed" for each in here),
        "may_collect": work["state"] in {"ready_for_pickup", "expired"},
        "may_refuse": opened and to_pick,
    }


def _shipments(request: HttpRequest, work: Row) -> list[Shipment]:
    """The parcels that leave: the named one, or all that are here."""
    wanted = request.POST.get("parcel", "")
    tracking = request.POST.get("tracking_number", "").strip()
    parcels = [
        each
        for each in work["parcels"] or ()
        if each["state"] in {"packed", "labelled", "manifested"}
        and (not wanted or each["id"] == wanted)
    ]
    if not parcels:
        raise Conflict("Nothing of it waits here to be handed over.")
    return [
        Shipment(UUID(each["id"]), tracking_number=tracking if len(parcels) == 1 else "")
        for each in parcels
    ]


def tell(request: HttpRequest, outcomes: list[Outcome[Any]], done: str) -> None:
    refused = [each.problem.detail for each in outcomes if each.problem]
    if refused:
        say(request, f"Not done: {' '.join(sorted(set(refused)))}", level=messages.ERROR)
    elif not outcomes:
        say(request, "There was nothing to do.", level=messages.INFO)
    else:
        say(request, done)


def form_page(
    request: HttpRequest,
    node: Row,
    work: Row,
    form: forms.ActionForm,
    act: Any,
    **words: str,
) -> HttpResponse:
    """A form of one command on a work; refusals are shown above it."""
    problem = ""
    if request.method == "POST" and form.is_valid():
        outcomes = act()
        refused = [each.problem.detail for each in outcomes if each.problem]
        if not refused:
            say(request, words["done"])
            return go(
                request, reverse("console:fulfillment_order", args=[node["code"], work["number"]])
            )
        problem = " ".join(refused)
    return show(
        request,
        "console/nodes/form.html",
        {"here": "nodes", "node": node, "work": work, "form": form, "problem": problem, **words},
        status=422 if request.method == "POST" else 200,
    )
