"""Changes of the book that wait for a second person, and how each was decided."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import inventory.selectors
import inventory.services
from config.console.move_forms import NoteForm, ReasonForm
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import NotFound
from config.kernel.types import Outcome

PAGE: Final = 50
TABS: Final = (("", "Awaiting approval"), ("applied", "Applied"), ("declined", "Declined"))


@page(Permission.INVENTORY_VIEW)
def adjustments(request: HttpRequest) -> HttpResponse:
    """Adjustments by state, newest first; those that wait stand first."""
    tab = request.GET.get("tab", "")
    found = _reached(request).filter(state=tab if tab in ("applied", "declined") else "proposed")
    if after := request.GET.get("after", ""):
        found = found.filter(pk__lt=_uuid(after))
    rows = list(found.order_by("-pk")[: PAGE + 1])
    return show(
        request,
        "console/adjustments/list.html",
        {
            "here": "stock",
            "tab": tab,
            "tabs": TABS,
            "found": rows[:PAGE],
            "after": rows[PAGE - 1].pk if len(rows) > PAGE else "",
            "me": str(request.user.pk),
        },
    )


@page(Permission.INVENTORY_VIEW)
def adjustment(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """One adjustment, with the verbs of whoever reads it."""
    return _shown(request, _found(request, record_id))


@page(Permission.INVENTORY_APPROVE, Permission.INVENTORY_ADJUST, methods=("GET", "POST"))
@once
def decide(request: HttpRequest, record_id: UUID, code: str) -> HttpResponse:
    """Approve or decline; whoever proposed may only take it back."""
    if code not in _DECISIONS:
        raise NotFound("There is no such decision.")
    row = _found(request, record_id)
    label, command, form_class = _DECISIONS[code]
    own = row.proposed_by == str(request.user.pk)
    needed = (
        Permission.INVENTORY_ADJUST if own and code == "decline" else Permission.INVENTORY_APPROVE
    )
    _found(request, record_id, needed)
    form = form_class(request.POST if request.method == "POST" else None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        actor = actor_of(request, needed)
        (outcome,) = command(
            [row.pk], form.cleaned_data["reason"], at=frame_of(request).now, actor=actor
        )
        if outcome.value is not None:
            say(request, f"{row.number} is {outcome.value.state}.")
            return go(request, reverse("console:adjustments"))
        problem = outcome.problem.detail if outcome.problem else "It was refused."
    return show(
        request,
        "console/adjustments/decide.html",
        {
            "here": "stock",
            "row": row,
            "code": code,
            "label": label,
            "form": form,
            "problem": problem,
        },
        status=409 if problem else 422 if request.method == "POST" else 200,
    )


def _shown(request: HttpRequest, row: Any) -> HttpResponse:
    position = inventory.selectors.supply([row.sku_id], [row.node_id]).get(
        (row.node_id, row.sku_id)
    )
    return show(
        request,
        "console/adjustments/one.html",
        {
            "here": "stock",
            "row": row,
            "position": position,
            "own": row.proposed_by == str(request.user.pk),
        },
    )


def _reached(request: HttpRequest, permission: Permission = Permission.INVENTORY_VIEW) -> Any:
    frame = frame_of(request)
    return inventory.selectors.adjustments(frame.scope(permission), frame.nodes(permission))


def _found(
    request: HttpRequest, record_id: UUID, permission: Permission = Permission.INVENTORY_VIEW
) -> Any:
    row: Any = _reached(request, permission).filter(pk=record_id).first()
    if row is None:
        raise NotFound("There is no such adjustment that you may decide on or see.")
    return row


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such page.") from None


_DECISIONS: Final[dict[str, tuple[str, Callable[..., list[Outcome[Any]]], Any]]] = {
    "approve": ("Approve", inventory.services.approve_adjustments, NoteForm),
    "decline": ("Decline", inventory.services.decline_adjustments, ReasonForm),
}
