"""What may be sold before it is there, and how late suppliers are."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import inventory.selectors
import inventory.services
from config.console.inbound_forms import CapForm
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Forbidden, NotFound
from config.reports import inbound as reports
from config.reports import orders as order_reports
from inventory.types import CapDraft


@page(Permission.INVENTORY_VIEW)
def ahead(request: HttpRequest) -> HttpResponse:
    """Every cap with what is used of it, and every supplier with how late it is."""
    frame = frame_of(request)
    scope = frame.scope(Permission.INVENTORY_VIEW)
    caps = inventory.selectors.caps(scope).order_by("channel__name", "sku__code")[:500]
    lanes = inventory.selectors.lanes(scope)
    return show(
        request,
        "console/inbound/ahead.html",
        {
            "here": "stock",
            "caps": [
                {
                    "row": cap,
                    "left": max(0, cap.units - cap.used),
                    "live": cap.starts_at <= frame.now
                    and (cap.ends_at is None or cap.ends_at > frame.now),
                }
                for cap in caps
            ],
            "lanes": [
                {
                    "row": lane,
                    "counts": inventory.selectors.lane_counts(lane),
                    "learnt": lane.seen >= inventory.selectors.LEAST_SEEN,
                }
                for lane in lanes
            ],
        },
    )


@page(Permission.INVENTORY_PLAN, methods=("GET", "POST"))
@once
def cap(request: HttpRequest) -> HttpResponse:
    """Let a channel sell so many units of a SKU ahead, or fewer from now on."""
    frame = frame_of(request)
    _require_every_node(request)
    scope = frame.scope(Permission.INVENTORY_PLAN)
    channels = order_reports.choices(scope)["channels"]
    form = CapForm(
        request.POST if request.method == "POST" else None,
        channels=[(each["code"], each["name"]) for each in channels],
        initial={
            name: request.GET[name] for name in ("channel", "sku", "units") if name in request.GET
        },
    )
    problem = ""
    if request.method == "POST" and form.is_valid():
        draft = _draft(request, form.cleaned_data)
        if draft is None:
            problem = "The channel's account has no such SKU."
        else:
            (outcome,) = inventory.services.set_caps(
                [draft], at=frame.now, actor=actor_of(request, Permission.INVENTORY_PLAN)
            )
            problem = outcome.problem.detail if outcome.problem else ""
            if not problem:
                say(request, f"{form.cleaned_data['units']:,} may be sold ahead.")
                return go(request, reverse("console:ahead"))
    return show(
        request,
        "console/inbound/cap.html",
        {"here": "stock", "form": form, "problem": problem},
        status=409 if problem else 422 if request.method == "POST" else 200,
    )


@page(Permission.INVENTORY_PLAN, methods=("POST",))
@once
def end_cap(request: HttpRequest, cap_id: int) -> HttpResponse:
    """Let a cap count no more."""
    _require_every_node(request)
    (outcome,) = inventory.services.end_caps(
        [cap_id],
        at=frame_of(request).now,
        actor=actor_of(request, Permission.INVENTORY_PLAN),
    )
    if outcome.problem is not None:
        raise NotFound(outcome.problem.detail)
    say(request, "The cap has ended.")
    return go(request, reverse("console:ahead"))


def _require_every_node(request: HttpRequest) -> None:
    if frame_of(request).nodes(Permission.INVENTORY_PLAN) is not None:
        raise Forbidden("This is decided for all nodes.")


def _draft(request: HttpRequest, values: dict[str, Any]) -> CapDraft | None:
    """The cap that the form names; None where the channel's account has no such SKU."""
    frame = frame_of(request)
    scope = frame.scope(Permission.INVENTORY_PLAN)
    found = reports.channel_of(values["channel"], scope=scope)
    if found is None:
        return None
    channel_id, account_id = found
    code = values["sku"].strip()
    sku = inventory.selectors.skus_by_code(account_id, None, [code]).get(code)
    if sku is None:
        return None
    return CapDraft(
        account_id,
        channel_id,
        sku.id,
        values["units"],
        None,
        values["ends_at"],
        values["note"],
    )
