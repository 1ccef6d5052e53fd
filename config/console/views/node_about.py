"""A node in full: calendar, capacity, signals and plans; and the pages on which people change them."""

from datetime import date, datetime, timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import inventory.selectors
import inventory.services
from config.console.forms import ActionForm
from config.console.node_forms import WEEKDAYS, NodeForm, PlanForm, ThresholdForm
from config.console.node_month import month_of
from config.console.node_parts import PARTS, Part
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.views.nodes import node_of
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, DomainError, NotFound
from config.reports.sql import Row
from inventory.states import Capability, SignalCode
from inventory.types import ClosureDraft, NodeEdit, NodeView, PlanDraft, SignalView

SEE: Final = (Permission.FULFILLMENT_VIEW, Permission.INVENTORY_VIEW)
AHEAD: Final = timedelta(days=7)
UNITS: Final = {
    SignalCode.OPEN_WORK.value: "units",
    SignalCode.ACK_LATENCY.value: "min",
    SignalCode.PICK_FAIL_RATE.value: "%",
    SignalCode.FEED_AGE.value: "min",
    SignalCode.BACKLOG.value: "% of a window",
    SignalCode.DOCKS.value: "% of its limit",
}


@page(*SEE)
def about(request: HttpRequest, code: str) -> HttpResponse:
    """What the node is, when it works, how much it can do, and how it is doing."""
    frame = frame_of(request)
    found, view, closures = _node(request, code)
    windows = inventory.selectors.windows_between([view.id], frame.now, frame.now + AHEAD)
    context = {
        "here": "nodes",
        "node": found,
        "view": view,
        "windows": windows,
        "signals": [_shown(one) for one in inventory.selectors.signals([view.id])[view.id]],
        "month": month_of(view, closures, _month(request, frame.now), frame.now),
        "weekdays": WEEKDAYS,
        "week": [_weekday(view, day) for day in range(7)],
        "capabilities": [Capability(code).label for code in sorted(view.capabilities)],
        "groups": inventory.selectors.groups_of(view.id, frame.scope(SEE[0])),
        "parts": PARTS,
    }
    return show(request, "console/nodes/about.html", context)


@page(Permission.NETWORK_EDIT, methods=("GET", "POST"))
@once
def edit(request: HttpRequest, code: str, part: str) -> HttpResponse:
    """The rows of one part: added to by a form, taken away one by one."""
    editor = PARTS.get(part)
    if editor is None:
        raise NotFound("There is no such part of a node.")
    found, view, closures = _node(request, code, Permission.NETWORK_EDIT)
    entries = editor.entries(view, closures)
    adding = request.method == "POST" and "remove" not in request.POST
    form = editor.form(request.POST if adding else None)
    problem = ""
    if request.method == "POST" and (not adding or form.is_valid()):
        if adding:
            rows = editor.with_added(entries, editor.made(form.cleaned_data))
        else:
            rows = tuple(one.row for one in entries if one.key != request.POST["remove"])
        problem = _tried(request, editor.edit(view.id, rows))
        if not problem:
            say(request, f"{view.name}: {editor.title.lower()} are changed.")
            return go(request, reverse("console:node_edit", args=[code, part]))
    return _form(request, found, editor, form, problem, entries=entries)


@page(Permission.NETWORK_EDIT, methods=("GET", "POST"))
@once
def describe(request: HttpRequest, code: str) -> HttpResponse:
    """The node itself: its name, its speed, its rank."""
    found, view, _ = _node(request, code, Permission.NETWORK_EDIT)
    names = ("name", "processing_minutes", "priority", "timezone")
    form = NodeForm(request.POST or None, initial={name: getattr(view, name) for name in names})
    problem = ""
    if request.method == "POST" and form.is_valid():
        problem = _tried(request, NodeEdit(view.id, fields=form.cleaned_data))
        if not problem:
            say(request, f"{form.cleaned_data['name']} is changed.")
            return _about(request, code)
    return _form(request, found, None, form, problem, title="The node", verb="Save")


@page(Permission.NETWORK_EDIT, methods=("GET", "POST"))
@once
def threshold(request: HttpRequest, code: str) -> HttpResponse:
    """Above which value a signal opens a case."""
    found, view, _ = _node(request, code, Permission.NETWORK_EDIT)
    form = ThresholdForm(request.POST or None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        problem = _tried(request, NodeEdit(view.id, thresholds={said["code"]: said["most"]}))
        if not problem:
            say(request, f"{view.name}: the threshold is set.")
            return _about(request, code)
    return _form(request, found, None, form, problem, title="Threshold of a signal", verb="Set it")


@page(Permission.NETWORK_EDIT, methods=("GET", "POST"))
@once
def plan(request: HttpRequest, code: str) -> HttpResponse:
    """Close the node for a while, or have it do less or more: it begins and ends by itself."""
    found, view, _ = _node(request, code, Permission.NETWORK_EDIT)
    form = PlanForm(request.POST or None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        draft = PlanDraft(node_id=view.id, **form.cleaned_data)
        try:
            inventory.services.plan_nodes([draft], at=frame_of(request).now, actor=_actor(request))
        except DomainError as error:
            problem = error.detail
        else:
            say(request, f"{view.name}: planned.")
            return _about(request, code)
    return _form(request, found, None, form, problem, title="A plan", verb="Plan it")


@page(Permission.NETWORK_EDIT, methods=("POST",))
@once
def plan_cancel(request: HttpRequest, code: str, plan_id: int) -> HttpResponse:
    """Take a plan back; one that holds ends now."""
    _, view, _ = _node(request, code, Permission.NETWORK_EDIT)
    if plan_id not in {known.id for known in view.plans}:
        raise Conflict("The plan is over, or there is none such.")
    inventory.services.cancel_plans([plan_id], at=frame_of(request).now, actor=_actor(request))
    say(request, f"{view.name}: the plan is cancelled.")
    return _about(request, code)


def _node(
    request: HttpRequest, code: str, permission: Permission = SEE[0]
) -> tuple[Row, NodeView, list[ClosureDraft]]:
    frame = frame_of(request)
    if not frame.may(permission):
        permission = SEE[1]
    found = node_of(request, code, permission)
    [view] = inventory.selectors.node_views([found["id"]])
    return found, view, inventory.selectors.closures_of([view.id]).get(view.id, [])


def _tried(request: HttpRequest, wanted: NodeEdit) -> str:
    """Carry the edit out; answers why not."""
    try:
        inventory.services.edit_nodes([wanted], at=frame_of(request).now, actor=_actor(request))
    except DomainError as error:
        return error.detail
    return ""


def _form(
    request: HttpRequest,
    node: Row,
    editor: Part | None,
    form: ActionForm,
    problem: str,
    **more: Any,
) -> HttpResponse:
    words = {"title": editor.title, "about": editor.about, "verb": "Add"} if editor else {}
    return show(
        request,
        "console/nodes/edit.html",
        {"here": "nodes", "node": node, "form": form, "problem": problem, **words, **more},
        status=422 if request.method == "POST" else 200,
    )


def _actor(request: HttpRequest) -> Any:
    return actor_of(request, Permission.NETWORK_EDIT)


def _about(request: HttpRequest, code: str) -> HttpResponse:
    return go(request, reverse("console:node_about", args=[code]))


def _month(request: HttpRequest, now: datetime) -> date:
    """The month that is asked for, or this one."""
    try:
        return datetime.strptime(request.GET.get("month", ""), "%Y-%m").date()  # noqa: DTZ007  # a month
    except ValueError:
        return now.date().replace(day=1)


def _weekday(view: NodeView, day: int) -> dict[str, Any]:
    return {
        "name": WEEKDAYS[day],
        "hours": next((row for row in view.hours if row.weekday == day), None),
        "cutoffs": [row for row in view.cutoffs if row.weekday == day],
        "pickups": [row for row in view.pickups if row.weekday == day],
    }


def _shown(signal: SignalView) -> dict[str, Any]:
    return {
        "label": SignalCode(signal.code).label,
        "value": signal.value,
        "most": signal.most,
        "unit": UNITS[signal.code],
        "as_of": signal.as_of,
        "is_high": signal.is_high,
    }
