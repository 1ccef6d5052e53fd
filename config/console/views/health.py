"""Is the machinery well? And messages from outside, with replay."""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import integrations.selectors
import integrations.services
import inventory.selectors
from config.console import timeline, tones
from config.console.frame import Frame
from config.console.once import once
from config.console.pages import back_to, frame_of, go, page, say, show
from config.console.people import reveal
from config.console.views.order import contacts_of, order_of
from config.console.views.orders import uuid_of
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.services import deliveries
from config.reports import operations as reports
from config.reports import order_page, proof
from config.reports.sql import Row
from integrations.appliers import Letter
from inventory.states import FeedState

LAG_SECONDS: Final = 60
BEAT_SECONDS: Final = 30
_REPLAY_LIMIT: Final = 200
LONGEST_BODY: Final = 60_000
"""Letters of a body that a page shows."""


@page(Permission.HEALTH_VIEW)
def health(request: HttpRequest) -> HttpResponse:
    frame = frame_of(request)
    scope = frame.scope(Permission.HEALTH_VIEW)
    outbox, leases = reports.outbox(scope=scope), reports.leases()
    beats = [each for each in leases if each["name"].startswith(("tick", "step:", "relay"))]
    beat = min((float(each["idle"]) for each in beats if each["idle"] is not None), default=None)
    checks = [
        _check(
            "Relay",
            float(outbox.get("relay_lag") or 0) < LAG_SECONDS,
            "events become deliveries at once",
            "events wait to be handed out: is a worker running?",
        ),
        _check(
            "Deliveries",
            float(outbox.get("delivery_lag") or 0) < LAG_SECONDS,
            f"{outbox.get('pending') or 0} open, none late",
            f"{outbox.get('pending') or 0} open, the oldest is late",
        ),
        _check(
            "Dead deliveries",
            not outbox.get("dead"),
            "none",
            f"{outbox.get('dead')} gave up: see below, then replay",
        ),
        _check(
            "Worker and beat",
            beat is not None and beat < BEAT_SECONDS,
            "periodic work was done just now",
            "no periodic work was done lately: start a worker and beat",
        ),
        _check(
            "Cache and broker", _cache_answers(), "it answers", "no answer from Redis or Valkey"
        ),
        _check(
            "Case reports",
            (outbox.get("reports") or 0) < _REPLAY_LIMIT,
            "folded into cases",
            f"{outbox.get('reports')} wait to become cases",
        ),
        _check(
            "The books",
            not proof.broken_sums(scope=scope),
            "every sum that was looked at holds",
            "sums do not hold: see Drift below",
        ),
        _feeds_speak(frame),
    ]
    return show(
        request,
        "console/health/health.html",
        {
            "here": "health",
            "checks": checks,
            "well": all(each["well"] for each in checks),
            "outbox": outbox,
            "dead": reports.dead_deliveries(scope=scope) if outbox.get("dead") else [],
            "intents": reports.intents(scope=scope),
            "leases": leases,
            "partitions": reports.partitions(),
            "inbox": reports.inbox_states(scope=scope),
        },
    )


@page(Permission.INTEGRATIONS_REPLAY, methods=("POST",))
@once
def replay_deliveries(request: HttpRequest) -> HttpResponse:
    """Make dead deliveries due again: the named ones, or all that are shown."""
    scope = frame_of(request).scope(Permission.INTEGRATIONS_REPLAY)
    found = reports.dead_deliveries(scope=scope)
    dead = {(str(each["event_id"]), each["consumer"]) for each in found}
    named = [tuple(each.split("|", 1)) for each in request.POST.getlist("delivery")]
    chosen = [(UUID(event), consumer) for event, consumer in named if (event, consumer) in dead]
    if not chosen:
        raise Invalid("No dead delivery is chosen; they may have been replayed already.")
    count = deliveries.replay(chosen)
    say(request, f"{count} deliveries are due again and run within a second or two.")
    return go(request, back_to(request, reverse("console:health")))


@page(Permission.INTEGRATIONS_VIEW)
def inbox(request: HttpRequest) -> HttpResponse:
    frame = frame_of(request)
    scope = frame.scope(Permission.INTEGRATIONS_VIEW)
    state, text = request.GET.get("state", ""), request.GET.get("q", "").strip()
    found = reports.inbox(
        scope=scope, state=state, text=text, before=uuid_of(request.GET.get("before", ""))
    )
    return show(
        request,
        "console/health/inbox.html",
        {
            "here": "inbox",
            "part": "inbox",
            "found": found[: reports.PAGE],
            "older": found[reports.PAGE - 1]["id"] if len(found) > reports.PAGE else None,
            "state": state,
            "text": text,
            "states": tones.choices("inbox"),
            "open": reports.inbox_states(scope=scope),
        },
    )


@page(Permission.INTEGRATIONS_REPLAY, methods=("POST",))
@once
def inbox_replay(request: HttpRequest) -> HttpResponse:
    """Try dead and ignored messages again; each says how it ended."""
    frame = frame_of(request)
    ids = [each for each in map(uuid_of, request.POST.getlist("id")) if each][:_REPLAY_LIMIT]
    if not ids:
        raise Invalid("No message is selected.")
    outcomes = integrations.services.replay_messages(ids, at=frame.now, actor=actor_of(request))
    refused = [each.problem.detail for each in outcomes if each.problem]
    done = len(outcomes) - len(refused)
    if done:
        say(request, f"{done} of {len(outcomes)} messages had their effect now.")
    if refused:
        say(
            request,
            f"{len(refused)} did not: {'; '.join(sorted(set(refused))[:3])}",
            level=messages.WARNING,
        )
    return go(request, back_to(request, reverse("console:inbox")))


@page(Permission.INTEGRATIONS_VIEW)
def inbox_message(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """One message from outside: what it was, and what it came to. Its body stays closed."""
    return _message_page(request, message_id)


@page(Permission.ORDERS_VIEW_CONTACT, methods=("POST",))
def inbox_body(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """The body as it came, for who may see contacts; that they looked is recorded always."""
    frame = frame_of(request)
    found = reports.message(message_id, scope=frame.scope(Permission.ORDERS_VIEW_CONTACT))
    if found is None or not frame.scope(Permission.INTEGRATIONS_VIEW).allows(found["account_id"]):
        raise NotFound("There is no such message.")
    if found["order_number"]:
        order = order_of(request, found["order_number"], Permission.ORDERS_VIEW_CONTACT)
        people = contacts_of(order, order_page.parts(order["id"]), shown=True)
        reveal(order, people, "message from outside", at=frame.now, actor=actor_of(request))
    letter = integrations.selectors.letters_of([message_id]).get(message_id)
    if letter is None:
        raise Conflict("Its body was erased.")
    integrations.services.record_reading(message_id, at=frame.now, actor=actor_of(request))
    return _message_page(request, message_id, letter)


def _message_page(
    request: HttpRequest, message_id: UUID, letter: Letter | None = None
) -> HttpResponse:
    scope = frame_of(request).scope(Permission.INTEGRATIONS_VIEW)
    found = reports.message(message_id, scope=scope)
    if found is None:
        raise NotFound("There is no such message.")
    return show(
        request,
        "console/health/message.html",
        {
            "here": "inbox",
            "part": "inbox",
            "message": found,
            "readings": timeline.entries(order_page.timeline(message_id), []),
            "headers": sorted(letter.headers.items()) if letter else [],
            "body": letter.raw.decode(errors="replace")[:LONGEST_BODY] if letter else "",
        },
    )


def _check(name: str, well: bool, good: str, bad: str) -> dict[str, object]:  # noqa: FBT001
    return {"name": name, "well": well, "said": good if well else bad}


def _feeds_speak(frame: Frame) -> Row:
    """Whether every feed about stock has spoken in time."""
    found = inventory.selectors.feed_views(frame.scope(Permission.HEALTH_VIEW), frame.now)
    silent = sum(view.state == FeedState.SILENT for view in found)
    return _check(
        "Feeds of stock",
        not silent,
        f"{len(found)} known, none silent",
        f"{silent} of {len(found)} silent: see Feeds under Stock for what that does",
    )


def _cache_answers() -> bool:
    try:
        cache.set("console:health", "yes", 10)
        return bool(cache.get("console:health") == "yes")
    except Exception:  # noqa: BLE001  # whatever the client raises, the answer is no
        return False
