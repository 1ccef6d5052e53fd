"""A node is taken out for good: drained, its unbegun work asked back, and closed once it is empty."""

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import fulfillment.services
import inventory.services
from config.console import words
from config.console.bells import ring_job
from config.console.forms import DrainForm
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.views.nodes import node_of
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, Forbidden, Invalid
from config.kernel.services import jobs
from config.reports import node_preview
from config.reports.sql import Row
from fulfillment.at_node import left_at, unbegun_at
from fulfillment.registration import PULL_BACK_JOB
from inventory.selectors import claims_at

_DRAINABLE: Final = ("active", "paused")
_MOST: Final = 1_000
"""Reservations that are counted; beyond it the page need not be exact."""


@page(Permission.CONFIG_EDIT, methods=("GET", "POST"))
@once
def node_end(request: HttpRequest, code: str) -> HttpResponse:
    """What the node still has, and the next step to its end: drain, ask back, close."""
    found = node_of(request, code, Permission.CONFIG_EDIT)
    form = DrainForm(request.POST if request.POST.get("act") == "drain" else None)
    if not frame_of(request).may(Permission.FULFILLMENT_RELEASE):
        del form.fields["pull_back"]
    if request.method == "POST" and request.POST.get("act") == "drain":
        if form.is_valid():
            return _drain(request, found, form.cleaned_data)
    elif request.method == "POST":
        return _ACTS.get(request.POST.get("act", ""), _unknown)(request, found)
    unbegun = unbegun_at(found["id"], frame_of(request).scope(Permission.FULFILLMENT_RELEASE))
    return show(
        request,
        "console/nodes/end.html",
        {
            "here": "nodes",
            "node": found,
            "form": form,
            "left": left_at(found["id"]),
            "reserved": len(claims_at(found["id"], limit=_MOST)),
            "unbegun": sum(len(each.work_ids) for each in unbegun),
            "unbegun_units": sum(each.units for each in unbegun),
            "drainable": found["state"] in _DRAINABLE,
            "touched": node_preview.touched(
                found["id"], scope=frame_of(request).scope(Permission.CONFIG_EDIT)
            ),
        },
        status=422 if request.method == "POST" else 200,
    )


def _drain(request: HttpRequest, found: Row, values: dict[str, Any]) -> HttpResponse:
    actor = actor_of(request, Permission.CONFIG_EDIT)
    at = frame_of(request).now
    inventory.services.drain_node(found["id"], values["reason"], at=at, actor=actor)
    said = f"{found['name']} takes nothing new. What is not released is sent from elsewhere."
    if values.get("pull_back"):
        said += f" {_ask_back(request, found)}"
    say(request, said)
    return _here(request, found)


def _pull_back(request: HttpRequest, found: Row) -> HttpResponse:
    say(request, _ask_back(request, found), level=messages.INFO)
    return _here(request, found)


def _ask_back(request: HttpRequest, found: Row) -> str:
    """A job per account asks back what nobody there has begun; says how many it is."""
    frame = frame_of(request)
    if not frame.may(Permission.FULFILLMENT_RELEASE):
        raise Forbidden(f"This needs the permission “{Permission.FULFILLMENT_RELEASE.label}”.")
    unbegun = unbegun_at(found["id"], frame.scope(Permission.FULFILLMENT_RELEASE))
    for each in unbegun:
        job = jobs.enqueue(
            PULL_BACK_JOB,
            f"Take back from {found['name']}: {words.counted(len(each.work_ids), 'work')}",
            {"node_id": found["id"]},
            each.work_ids,
            account_id=each.account_id,
            at=frame.now,
            actor=actor_of(request, Permission.FULFILLMENT_RELEASE),
        )
        ring_job(job.id)
    count = sum(len(each.work_ids) for each in unbegun)
    return f"{words.counted(count, 'work')} asked back." if count else "Nothing is left unbegun."


def _close(request: HttpRequest, found: Row) -> HttpResponse:
    actor = actor_of(request, Permission.CONFIG_EDIT)
    try:
        fulfillment.services.close_node(found["id"], at=frame_of(request).now, actor=actor)
    except Conflict as refusal:
        say(request, f"Not closed. {refusal.detail}", level=messages.ERROR)
    else:
        say(request, f"{found['name']} is closed.")
    return _here(request, found)


def _unknown(request: HttpRequest, found: Row) -> HttpResponse:
    del request, found
    raise Invalid("There is no such action.")


def _here(request: HttpRequest, found: Row) -> HttpResponse:
    return go(request, reverse("console:node_end", args=[found["code"]]))


_ACTS: Final = {"pull_back": _pull_back, "close": _close}
