"""The regret certificate: what live decisions cost above the best that hindsight allows, and why."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from config.console.accounts import account_of_new
from config.console.bells import ring_job
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.views.simulations import planner
from config.kernel.access import Permission
from config.kernel.errors import NotFound
from config.reports import simulations as reports
from routing.services import certificates as services

VIEW, EDIT = Permission.ROUTING_VIEW, Permission.ROUTING_EDIT
CAUSES: Final = {
    "stock": (
        "Stock position",
        (
            "The node that hindsight would have used had not the goods when the order was decided: "
            "they came later."
        ),
    ),
    "capacity": ("Capacity", "That node was closed, paused or full."),
    "policy": (
        "Rules",
        "That node was kept out by a rule, a limit, its services or an exclusion.",
    ),
    "splits": (
        "Splits avoidable",
        "That node could have been chosen, and the order went in more parcels than it had to.",
    ),
    "forecast": (
        "Forecast",
        "Only other orders stood in the way: what they had taken, or would need, was not known.",
    ),
    "left_over": (
        "Goods left behind",
        "Goods that other orders needed elsewhere, and that stayed where they were.",
    ),
}


@page(VIEW)
def certificates(request: HttpRequest) -> HttpResponse:
    """The weeks, the latest one opened."""
    return _shown(request, None)


@page(VIEW)
def certificate(request: HttpRequest, certificate_id: UUID) -> HttpResponse:
    return _shown(request, certificate_id)


@page(EDIT, methods=("POST",))
@once
def certify(request: HttpRequest) -> HttpResponse:
    """Have the last seven days worked out now."""
    frame = frame_of(request)
    account_id = account_of_new(request, EDIT, "Working it out needs another role.")
    until = frame.now.replace(minute=0, second=0, microsecond=0)
    job = services.ask_certificate(
        account_id, until - timedelta(days=7), until, at=frame.now, actor=planner(request)
    )
    ring_job(job.pk)
    say(request, "It is being worked out; it appears here when it is done.")
    return go(request, reverse("console:certificates"))


def _shown(request: HttpRequest, certificate_id: UUID | None) -> HttpResponse:
    frame = frame_of(request)
    found = [_read(row) for row in reports.certificates(scope=frame.scope(VIEW))]
    chosen = next((row for row in found if row["id"] == certificate_id), None)
    if certificate_id is not None and chosen is None:
        raise NotFound("There is no such certificate.")
    chosen = chosen or (found[0] if found else None)
    examples = chosen["examples"]["orders"] if chosen else []
    numbers = reports.numbers_of({UUID(one["order_id"]) for one in examples})
    context = {
        "here": "decisions",
        "certificates": found,
        "chosen": chosen,
        "examples": [
            {
                **one,
                "number": numbers.get(UUID(one["order_id"]), ""),
                "said": CAUSES[one["cause"]][0],
            }
            for one in examples
        ],
        "may_run": frame.may(EDIT),
    }
    return show(request, "console/simulations/certificates.html", context)


def _read(row: dict[str, Any]) -> dict[str, Any]:
    """With its distance, its ratio and its causes, the dearest first."""
    distance = row["live_minor"] - row["bound_minor"]
    causes = [
        {
            "code": code,
            "label": label,
            "means": means,
            **row["causes"].get(code, {"minor": 0, "orders": 0}),
        }
        for code, (label, means) in CAUSES.items()
    ]
    for one in causes:
        one["share"] = one["minor"] / distance if distance > 0 else 0.0
    return {
        **row,
        "distance": distance,
        "ratio": row["live_minor"] / row["bound_minor"] if row["bound_minor"] else 1.0,
        "parts": sorted(causes, key=lambda one: -one["minor"]),
    }
