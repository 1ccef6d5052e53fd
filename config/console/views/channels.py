"""Connections: is each alive, what it holds that differs, and what can be done about it."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import integrations.services
from config.console import connection_words, tones, words
from config.console.bells import ring_job
from config.console.forms import SecretForm, SinceForm
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.views.orders import uuid_of
from config.console.views.returns import tell
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, Invalid, NotFound
from config.reports import connections as reports
from config.reports import operations
from config.reports.sql import Row
from integrations.channels import port, selectors, services
from integrations.channels.selectors import ChannelHealth
from integrations.channels.types import Said

REPLAY_LIMIT: Final = 500
TABS: Final = (("", "Messages"), ("copies", "What differs"), ("waiting", "To be sent"))
_GOING: Final = ("queued", "running")
_SWITCHES: Final = {
    "live": ("Go live", "From now on we also send."),
    "paused": ("Pause", "Nothing is asked and nothing sent; what is to be sent waits."),
    "listening": ("Only listen", "It takes in, and sends nothing."),
}


@page(Permission.INTEGRATIONS_VIEW)
def channels(request: HttpRequest) -> HttpResponse:
    """A card for each channel, and a row for every other counterpart."""
    frame = frame_of(request)
    scope = frame.scope(Permission.INTEGRATIONS_VIEW)
    return show(
        request,
        "console/channels/list.html",
        {
            "here": "channels",
            "cards": [
                {"health": each, "said": connection_words.describe(each, frame.now)}
                for each in selectors.health(scope, at=frame.now)
            ],
            "others": [
                {"row": each, "said": connection_words.describe_row(each, frame.now)}
                for each in reports.others(scope=scope)
            ],
        },
    )


@page(Permission.INTEGRATIONS_VIEW)
def connection(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """One counterpart: its health, its messages, and for a channel what it holds that differs."""
    frame = frame_of(request)
    scope = frame.scope(Permission.INTEGRATIONS_VIEW)
    found = connection_of(request, connection_id)
    health = _health_of(request, found)
    tab = request.GET.get("tab", "")
    state, text = request.GET.get("state", ""), request.GET.get("q", "").strip()
    context: dict[str, Any] = {
        "here": "channels",
        "connection": found,
        "health": health,
        "said": connection_words.describe(health, frame.now)
        if health
        else connection_words.describe_row(found, frame.now),
        "tab": tab,
        "tabs": TABS if health else TABS[:1],
        "hourly": reports.hourly(found["id"], at=frame.now),
        "switches": [(code, *said) for code, said in _SWITCHES.items() if code != found["state"]],
        "since": SinceForm(),
        "comparison": _comparison(found),
        "is_shop": health is not None and port.known(found["adapter"]),
    }
    if tab == "copies" and health:
        context["copies"] = selectors.differing_copies(found["id"], scope)
    elif tab == "waiting" and health:
        context["copies"] = selectors.waiting_copies(found["id"], scope)
    else:
        rows = operations.inbox(
            scope=scope, state=state, text=text, connection=found["id"],
            before=uuid_of(request.GET.get("before", "")),
        )  # fmt: skip
        context |= {
            "found": rows[: operations.PAGE],
            "older": rows[operations.PAGE - 1]["id"] if len(rows) > operations.PAGE else None,
            "state": state,
            "text": text,
            "states": tones.choices("inbox"),
        }
    return show(request, "console/channels/one.html", context)


@page(Permission.INTEGRATIONS_MANAGE, methods=("POST",))
@once
def switch(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Live, paused or listening."""
    found = connection_of(request, connection_id, Permission.INTEGRATIONS_MANAGE)
    commands = {
        "live": integrations.services.go_live,
        "paused": integrations.services.pause,
        "listening": integrations.services.listen,
    }
    wanted = request.POST.get("to", "")
    if wanted not in commands:
        raise Invalid("There is no such state.")
    commands[wanted](found["id"], at=frame_of(request).now, actor=actor_of(request))
    say(request, f"{found['name']} is {wanted}. {_SWITCHES[wanted][1]}")
    return _back(request, found)


@page(Permission.INTEGRATIONS_REPLAY, methods=("POST",))
@once
def replay(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Try again the selected messages, or every dead one since a moment."""
    frame = frame_of(request)
    found = connection_of(request, connection_id, Permission.INTEGRATIONS_REPLAY)
    wanted = [each for each in map(uuid_of, request.POST.getlist("id")) if each][:REPLAY_LIMIT]
    if "since" in request.POST:
        wanted = reports.dead_since(
            found["id"],
            _since(request),
            scope=frame.scope(Permission.INTEGRATIONS_REPLAY),
            limit=REPLAY_LIMIT,
        )
        if not wanted:
            say(request, "No message has died since then.", level=messages.INFO)
            return _back(request, found)
    if not wanted:
        raise Invalid("No message is selected.")
    outcomes = integrations.services.replay_messages(wanted, at=frame.now, actor=actor_of(request))
    tell(request, list(outcomes), f"{len(wanted)} messages had their effect now.")
    return _back(request, found)


@page(Permission.INTEGRATIONS_REPLAY, methods=("POST",))
@once
def heal(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Send again what is refused, different or missing there: the selected copies, or all."""
    found = connection_of(request, connection_id, Permission.INTEGRATIONS_REPLAY)
    wanted = [each for each in map(uuid_of, request.POST.getlist("id")) if each]
    everything = request.POST.get("all") == "1"
    if not wanted and not everything:
        raise Invalid("No copy is selected.")
    outcomes = services.heal_copies(
        found["id"],
        None if everything else wanted,
        at=frame_of(request).now,
        actor=actor_of(request),
    )
    if not outcomes:
        say(request, "Everything there is as it should be.", level=messages.INFO)
    else:
        tell(
            request,
            list(outcomes),
            f"Sent again: {words.counted(len(outcomes), 'copy', 'copies')}.",
        )
    return _back(request, found, tab="copies")


@page(Permission.INTEGRATIONS_REPLAY, methods=("POST",))
@once
def reconcile(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Have the shop read and every order of the last weeks compared; how far it is stands here."""
    found = connection_of(request, connection_id, Permission.INTEGRATIONS_REPLAY)
    running = reports.last_comparison(found["id"])
    if running and running["state"] in _GOING:
        say(request, f"{found['name']} is being compared already.", level=messages.INFO)
        return _back(request, found)
    actor = actor_of(request, Permission.INTEGRATIONS_REPLAY)
    ring_job(services.start_comparison(found["id"], at=frame_of(request).now, actor=actor).id)
    say(request, f"{found['name']} is being compared: how far it is stands here.")
    return _back(request, found)


@page(Permission.INTEGRATIONS_MANAGE, methods=("POST",))
@once
def test(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Ask the shop for something harmless with our credentials."""
    found = connection_of(request, connection_id, Permission.INTEGRATIONS_MANAGE)
    reply = services.test_connection(found["id"], actor=actor_of(request))
    if reply.said == Said.DONE:
        say(request, f"{found['name']} answers, and takes our credentials.")
    else:
        why = reply.detail or reply.code or str(reply.said)
        say(request, f"{found['name']} does not answer as it should: {why}", level=messages.ERROR)
    return _back(request, found)


@page(Permission.INTEGRATIONS_MANAGE, methods=("GET", "POST"))
@once
def rotate(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """A new webhook secret; the one before counts beside it until the rotation is ended."""
    found = connection_of(request, connection_id, Permission.INTEGRATIONS_MANAGE)
    form = SecretForm(request.POST if request.method == "POST" else None)
    at = frame_of(request).now
    if request.method == "POST" and request.POST.get("end") == "1":
        integrations.services.end_rotation(found["id"], at=at, actor=actor_of(request))
        say(request, f"{found['name']}: only the newest webhook secret counts.")
        return _back(request, found)
    if request.method == "POST" and form.is_valid():
        integrations.services.rotate_webhook_secret(
            found["id"], form.cleaned_data["secret"], at=at, actor=actor_of(request)
        )
        say(
            request,
            f"{found['name']}: both secrets count. Change it at the counterpart, then end the "
            "rotation.",
        )
        return _back(request, found)
    return show(
        request,
        "console/channels/secret.html",
        {"here": "channels", "connection": found, "form": form},
        status=422 if request.method == "POST" else 200,
    )


def connection_of(
    request: HttpRequest,
    connection_id: UUID,
    permission: Permission = Permission.INTEGRATIONS_VIEW,
) -> Row:
    """The connection within the reader's scope. Raises NotFound outside it."""
    found = reports.one(connection_id, scope=frame_of(request).scope(permission))
    if found is None:
        raise NotFound("There is no such connection that you may see.")
    return found


def _health_of(request: HttpRequest, found: Row) -> ChannelHealth | None:
    if found["kind"] != "channel":
        return None
    frame = frame_of(request)
    every = selectors.health(frame.scope(Permission.INTEGRATIONS_VIEW), at=frame.now)
    return next((each for each in every if each.id == found["id"]), None)


def _comparison(found: Row) -> Row | None:
    """The latest comparison at somebody's word: how far it is, and what it came to."""
    job = reports.last_comparison(found["id"])
    if job:
        job |= {"handled": job["done"] + job["refused"], "going": job["state"] in _GOING}
    return job


def _since(request: HttpRequest) -> datetime:
    form = SinceForm(request.POST)
    if not form.is_valid():
        raise Conflict("Say since when.")
    since: datetime = form.cleaned_data["since"]
    return since


def _back(request: HttpRequest, found: Row, *, tab: str = "") -> HttpResponse:
    address = reverse("console:connection", args=[found["id"]])
    return go(request, f"{address}?tab={tab}" if tab else address)
