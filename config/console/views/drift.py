"""Drift: sums of the books that do not hold, why, and what a repair would do before it does it."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import inventory.selectors
import inventory.services
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.views.orders import uuid_of
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Invalid, NotFound
from config.reports import proof as reports

_AT_ONCE: Final = 200


@page(Permission.INVENTORY_VIEW)
def drift(request: HttpRequest) -> HttpResponse:
    """How far the check has come, and what does not hold."""
    scope = frame_of(request).scope(Permission.INVENTORY_VIEW)
    return show(
        request,
        "console/health/drift.html",
        {
            "here": "health",
            "watch": inventory.selectors.drift_watch(),
            "drifts": inventory.selectors.open_drifts(scope),
            "checks": reports.invariant_checks(scope=scope),
            "failing": reports.failing_checks(scope=scope),
            "closed": inventory.selectors.repaired_drifts(scope),
        },
    )


@page(Permission.INVENTORY_APPROVE, methods=("GET", "POST"))
@once
def repair(request: HttpRequest) -> HttpResponse:
    """What a repair of the named findings would do; sent back with its token, it is done."""
    frame = frame_of(request)
    scope = frame.scope(Permission.INVENTORY_APPROVE)
    asked = request.POST if request.method == "POST" else request.GET
    named = [each for each in map(uuid_of, asked.getlist("id")) if each][:_AT_ONCE]
    if not named:
        raise Invalid("No finding is selected.")
    if request.method == "POST":
        count = inventory.services.repair_drift(
            named,
            request.POST.get("token", ""),
            at=frame.now,
            actor=actor_of(request, Permission.INVENTORY_APPROVE),
        )
        say(request, f"{count} sums hold again. What the ledger lacked has lines of its own.")
        return go(request, reverse("console:drift"))
    preview = inventory.selectors.preview_repairs(named, scope)
    if not preview.lines:
        raise NotFound("These sums hold by now, or they are not yours.")
    places = inventory.selectors.places_of(line.drift.position_id for line in preview.lines)
    lines = [{"place": places[line.drift.position_id], "line": line} for line in preview.lines]
    return show(
        request,
        "console/health/drift_repair.html",
        {"here": "health", "token": preview.token, "lines": lines, "named": named},
    )
