"""What goes out: questions to others, events owed to our own consumers, webhooks; each with replay."""

from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

import integrations.webhooks_out.deliveries
import integrations.webhooks_out.endpoints
import integrations.webhooks_out.selectors
from config.console import tones
from config.console.forms import SinceForm
from config.console.once import once
from config.console.pages import back_to, frame_of, go, page, say, show
from config.console.views.orders import uuid_of
from config.console.views.returns import tell
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Invalid, NotFound
from config.kernel.services import intents as kernel_intents
from config.reports import outbox as reports

REPLAY_LIMIT: Final = 200


@page(Permission.INTEGRATIONS_VIEW)
def intents(request: HttpRequest) -> HttpResponse:
    """What is asked of carriers, providers, channels and nodes; what has no answer yet first."""
    scope = frame_of(request).scope(Permission.INTEGRATIONS_VIEW)
    state, text = request.GET.get("state", "open"), _text(request)
    found = reports.intents(
        kernel_intents.registered(),
        scope=scope,
        state="" if state == "all" or (text and "state" not in request.GET) else state,
        text=text,
        before=uuid_of(request.GET.get("before", "")),
    )
    return show(
        request,
        "console/outbox/intents.html",
        {
            "here": "inbox",
            "part": "intents",
            **_paged(found),
            "state": "all" if text and "state" not in request.GET else state,
            "text": text,
            "states": [("open", "No answer yet"), ("dead", "Dead"), ("refused", "Refused"),
                       ("done", "Answered"), ("all", "All")],
            "counted": reports.intent_states(scope=scope),
        },
    )  # fmt: skip


@page(Permission.INTEGRATIONS_VIEW)
def intent(request: HttpRequest, intent_id: UUID) -> HttpResponse:
    """One question: what was asked, how often, and what came of it."""
    scope = frame_of(request).scope(Permission.INTEGRATIONS_VIEW)
    found = reports.intent(intent_id, scope=scope)
    if found is None:
        raise NotFound("There is no such question.")
    context = {"here": "inbox", "part": "intents", "intent": found}
    return show(request, "console/outbox/intent.html", context)


@page(Permission.INTEGRATIONS_REPLAY, methods=("POST",))
@once
def revive(request: HttpRequest) -> HttpResponse:
    """Ask again what is dead or was refused; what became of the earlier calls is asked first."""
    wanted = _chosen(request)
    outcomes = kernel_intents.revive(wanted, at=frame_of(request).now, actor=actor_of(request))
    tell(request, list(outcomes), f"{len(wanted)} asked again.")
    return go(request, back_to(request, f"{reverse('console:outbox')}?state=dead"))


@page(Permission.INTEGRATIONS_VIEW)
def deliveries(request: HttpRequest) -> HttpResponse:
    """Events that our own consumers have not dealt with."""
    scope = frame_of(request).scope(Permission.INTEGRATIONS_VIEW)
    state = "dead" if request.GET.get("state") == "dead" else "pending"
    found = reports.deliveries(
        scope=scope, state=state, text=_text(request),
        before=uuid_of(request.GET.get("before", "")),
    )  # fmt: skip
    return show(
        request,
        "console/outbox/deliveries.html",
        {
            "here": "inbox",
            "part": "deliveries",
            **_paged(found, key="event_id"),
            "state": state,
            "text": _text(request),
        },
    )


@page(Permission.INTEGRATIONS_VIEW)
def endpoints(request: HttpRequest) -> HttpResponse:
    """Who hears of our events by webhook, and what each has missed."""
    scope = frame_of(request).scope(Permission.INTEGRATIONS_VIEW)
    context = {"here": "inbox", "part": "webhooks", "endpoints": reports.endpoints(scope=scope)}
    return show(request, "console/outbox/endpoints.html", context)


@page(Permission.INTEGRATIONS_VIEW)
def endpoint(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """What one endpoint was sent, by state and text."""
    scope = frame_of(request).scope(Permission.INTEGRATIONS_VIEW)
    found = integrations.webhooks_out.selectors.endpoint(endpoint_id, scope)
    state = request.GET.get("state", "")
    rows = reports.webhooks(
        endpoint_id, scope=scope, state=state, text=_text(request),
        before=uuid_of(request.GET.get("before", "")),
    )  # fmt: skip
    return show(
        request,
        "console/outbox/endpoint.html",
        {
            "here": "inbox",
            "part": "webhooks",
            "endpoint": found,
            **_paged(rows),
            "state": state,
            "text": _text(request),
            "states": tones.choices("webhook"),
            "since": SinceForm(),
            "channels": integrations.webhooks_out.selectors.channels_of_account(found.account_id),
        },
    )


@page(Permission.INTEGRATIONS_VIEW)
def webhook(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """One delivery with every try: what was sent, and what came back."""
    scope = frame_of(request).scope(Permission.INTEGRATIONS_VIEW)
    found = integrations.webhooks_out.selectors.delivery(delivery_id, scope)
    context = {"here": "inbox", "part": "webhooks", "delivery": found}
    return show(request, "console/outbox/webhook.html", context)


@page(Permission.INTEGRATIONS_REPLAY, methods=("POST",))
@once
def replay_webhooks(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Send again the selected deliveries, or all that was missed since a moment."""
    at, actor = frame_of(request).now, actor_of(request)
    back = reverse("console:webhook_endpoint", args=[endpoint_id])
    if "since" in request.POST:
        form = SinceForm(request.POST)
        if not form.is_valid():
            raise Invalid("Say since when.")
        done = integrations.webhooks_out.deliveries.replay_span(
            endpoint_id, since=form.cleaned_data["since"], at=at, actor=actor
        )
        more = " There are more: send it again." if done.more else ""
        say(request, f"{done.count} missed deliveries are sent again.{more}")
        return go(request, back)
    wanted = _chosen(request)
    outcomes = integrations.webhooks_out.deliveries.replay(wanted, at=at, actor=actor)
    tell(request, list(outcomes), f"{len(wanted)} sent again.")
    return go(request, back_to(request, back))


@page(Permission.INTEGRATIONS_MANAGE, methods=("POST",))
@once
def endpoint_act(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Switch an endpoint on or off, say whose orders it hears of, or try it with a message."""
    at, actor = frame_of(request).now, actor_of(request)
    wanted = request.POST.get("act", "")
    if wanted == "ping":
        made = integrations.webhooks_out.deliveries.ping(endpoint_id, at=at, actor=actor)
        return redirect("console:webhook", made)
    back = reverse("console:webhook_endpoint", args=[endpoint_id])
    if wanted == "limit":
        chosen = [each for each in map(uuid_of, request.POST.getlist("channel")) if each]
        integrations.webhooks_out.endpoints.limit_endpoint(endpoint_id, chosen, at=at, actor=actor)
        whose = f"orders of {len(chosen)} of the channels" if chosen else "the whole account"
        say(request, f"From now on it hears of {whose}.")
        return go(request, back)
    if wanted not in {"on", "off"}:
        raise Invalid("There is no such action.")
    integrations.webhooks_out.endpoints.switch_endpoint(
        endpoint_id, enabled=wanted == "on", reason="by hand in the console", at=at, actor=actor
    )
    said = "It hears again; what was kept can be sent again below." if wanted == "on" else "Off."
    say(request, said)
    return go(request, back)


def _chosen(request: HttpRequest) -> list[UUID]:
    wanted = [each for each in map(uuid_of, request.POST.getlist("id")) if each][:REPLAY_LIMIT]
    if not wanted:
        raise Invalid("Nothing is selected.")
    return wanted


def _text(request: HttpRequest) -> str:
    return " ".join(request.GET.get("q", "").replace("\0", " ").split())[:160]


def _paged(found: list[dict[str, Any]], *, key: str = "id") -> dict[str, Any]:
    shown = found[: reports.PAGE]
    return {"found": shown, "older": shown[-1][key] if len(found) > reports.PAGE else None}
