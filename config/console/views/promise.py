"""What can be promised: asked as a buyer's shop would ask, and what the answers rest on."""

import calendar
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import inventory.selectors
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.promise_forms import METHOD_NAMES, PledgeForm, QuoteForm
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import DomainError, NotFound
from config.reports import inbound as inbound_reports
from config.reports import orders as order_reports
from config.reports import quotes as reports
from config.reports.sql import Row
from routing import reference, selectors, services
from routing.quotes.shapes import seconds_left
from routing.quotes.types import QuoteRequest

VIEW, EDIT = Permission.ROUTING_VIEW, Permission.ROUTING_EDIT
RECENT: Final = 20
LINK: Final = ("channel", "lines", "postal_code", "region", "method", "needed_by", "fixed_date")
"""What a link to the form may fill in."""


@page(VIEW, methods=("GET", "POST"))
@once
def promise(request: HttpRequest) -> HttpResponse:
    """Ask as a shop would; the answer is a page of its own, which can be passed on."""
    frame, problem = frame_of(request), ""
    form = QuoteForm(
        request.POST if request.method == "POST" else None,
        channels=_channels(request),
        services=_services(),
        initial={name: request.GET[name] for name in LINK if name in request.GET},
    )
    if request.method == "POST" and form.is_valid():
        try:
            [quote] = services.quote_promises(
                [_asked(request, form)],
                at=frame.now,
                actor=actor_of(request, VIEW),
                explains=True,
            )
        except DomainError as error:
            problem = error.detail
        else:
            return go(request, reverse("console:promise_quote", args=[quote.pk]))
    return show(
        request,
        "console/promise/ask.html",
        {
            "here": "decisions",
            "form": form,
            "problem": problem,
            "recent": reports.recent_quotes(scope=frame.scope(VIEW), limit=RECENT),
        },
        status=409 if problem else 422 if request.method == "POST" else 200,
    )


@page(VIEW)
def promise_quote(request: HttpRequest, quote_id: UUID) -> HttpResponse:
    """What was offered: the options as a buyer sees them, and why they are as they are."""
    frame = frame_of(request)
    quote = selectors.quote_of(quote_id, frame.scope(VIEW))
    names = inventory.selectors.service_names()
    return show(
        request,
        "console/promise/quote.html",
        {
            "here": "decisions",
            "quote": quote,
            "over": quote.expires_at <= frame.now,
            "options": [_drawn(option, names, frame.now) for option in quote.options],
            "unavailable": [
                one | {"way": _way(one["method"], one["service"], names)}
                for one in quote.unavailable
            ],
        },
    )


@page(VIEW)
def ground(request: HttpRequest) -> HttpResponse:
    """What promises rest on: what channels promise, and how long carriers take."""
    frame = frame_of(request)
    scope = frame.scope(VIEW)
    return show(
        request,
        "console/promise/ground.html",
        {
            "here": "decisions",
            "pledges": reports.pledges(scope=scope, now=frame.now),
            "lanes": [lane | {"days": _weekdays(lane)} for lane in reports.lanes(scope=scope)],
        },
    )


@page(EDIT, methods=("GET", "POST"))
@once
def pledge(request: HttpRequest) -> HttpResponse:
    """Have nobody promise later than the channel does."""
    frame, problem = frame_of(request), ""
    form = PledgeForm(
        request.POST if request.method == "POST" else None,
        channels=_channels(request, EDIT),
        services=_services(),
        initial={"starts_at": frame.now},
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        channel_id, account_id = _channel(request, values["channel"], EDIT)
        draft = services.PledgeDraft(
            account_id,
            channel_id,
            values["starts_at"],
            inventory.selectors.service_level_ids().get(values["service"]),
            values["ship_days"],
            values["deliver_days"],
            values["cutoff"],
            ends_at=values["ends_at"],
        )
        try:
            services.pledge(draft, at=frame.now, actor=actor_of(request, EDIT))
        except DomainError as error:
            problem = error.detail
        else:
            say(request, "Nobody promises later from then on.")
            return go(request, reverse("console:promise_ground"))
    return show(
        request,
        "console/promise/pledge.html",
        {"here": "decisions", "form": form, "problem": problem},
        status=409 if problem else 422 if request.method == "POST" else 200,
    )


@page(EDIT, methods=("POST",))
@once
def pledge_end(request: HttpRequest, pledge_id: UUID) -> HttpResponse:
    """Have it bind nothing that is placed from now on."""
    try:
        services.end_pledge(pledge_id, at=frame_of(request).now, actor=actor_of(request, EDIT))
    except DomainError as error:
        say(request, error.detail)
    else:
        say(request, "It binds nothing that is placed from now on.")
    return go(request, reverse("console:promise_ground"))


def _weekdays(lane: Row) -> list[tuple[str, int, int, int]]:
    """(day, P50, P90, parcels) of the weekdays that have enough parcels to count by themselves."""
    return [
        (calendar.day_abbr[day], p50, p90, parcels)
        for day, p50, p90, parcels in lane["weekdays"] or ()
    ]


def _asked(request: HttpRequest, form: QuoteForm) -> QuoteRequest:
    values = form.cleaned_data
    channel_id, account_id = _channel(request, values["channel"], VIEW)
    return QuoteRequest(
        account_id=account_id,
        channel_id=channel_id,
        currency="",
        kind=values["kind"],
        lines=values["lines"],
        postal_code=values["postal_code"].strip(),
        region=values["region"].strip().upper(),
        country=values["country"].upper(),
        methods=form.methods,
        services=(values["service"],) if values["service"] else (),
        needed_by=values["needed_by"],
        fixed_date=values["fixed_date"],
        cart=values["cart"].strip(),
        pickup_km=values["pickup_km"],
    )


def _drawn(option: dict[str, Any], names: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """The option with its times read, and what is left of it now."""
    times = ("ship_by", "ready_by", "order_before", "holds_until", "start_at")
    days = ("deliver_earliest", "deliver_latest", "first_by", "complete_by")
    read: dict[str, Any] = {
        name: option[name] and datetime.fromisoformat(option[name]) for name in times
    }
    read |= {name: datetime.fromisoformat(option[name]).date() for name in days}
    parcels = [
        parcel
        | {
            "ship_by": datetime.fromisoformat(parcel["ship_by"]),
            "deliver_earliest": datetime.fromisoformat(parcel["deliver_earliest"]).date(),
            "deliver_latest": datetime.fromisoformat(parcel["deliver_latest"]).date(),
            "waits_until": parcel["waits_until"] and datetime.fromisoformat(parcel["waits_until"]),
        }
        for parcel in option["parcels"]
    ]
    way = _way(option["method"], option["service"], names)
    return option | read | {"parcels": parcels, "left": seconds_left(option, now), "way": way}


def _way(method: str, service: str, names: Mapping[str, str]) -> str:
    """Ship, Express."""
    named = METHOD_NAMES.get(method, "")
    return f"{named}, {names.get(service, service)}" if service else named


def _channels(request: HttpRequest, permission: Permission = VIEW) -> list[tuple[str, str]]:
    found = order_reports.choices(frame_of(request).scope(permission))["channels"]
    return [(each["code"], each["name"]) for each in found]


def _channel(request: HttpRequest, code: str, permission: Permission) -> tuple[UUID, UUID]:
    found = inbound_reports.channel_of(code, scope=frame_of(request).scope(permission))
    if found is None:
        raise NotFound("There is no such channel.")
    return found


def _services() -> list[tuple[str, str]]:
    names = inventory.selectors.service_names()
    return [(code, names.get(code, code)) for code in sorted(reference.current().services())]
