"""The simulators of a demo, and what goes wrong at each: reached over their own control plane."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from config.console.once import once
from config.console.pages import go, page, say, show
from config.kernel.access import Permission
from config.kernel.errors import Conflict, Invalid, NotFound
from integrations.sandbox.panel import KINDS

PATIENCE_SECONDS: Final = 2.0
SAID: Final = {
    "duplicate": "Webhooks sent twice",
    "reorder": "Webhooks out of order",
    "rate_limit": "Requests turned away (429)",
    "server_error": "Requests answered 500",
    "silence": "Nobody answers, nothing is sent",
    "stale": "Old webhooks sent again",
    "slow": "Everything late",
    "wrong_signature": "Webhooks with a wrong signature",
    "drop": "Webhooks never sent",
}
MINUTES: Final = (
    (10, "10 minutes"),
    (60, "an hour"),
    (360, "six hours"),
    (0, "until switched off"),
)
SHARES: Final = ((5, "5 %"), (20, "20 %"), (50, "half"), (100, "all"))


@page(Permission.INTEGRATIONS_MANAGE)
def sandbox(request: HttpRequest) -> HttpResponse:
    """Who runs, by what clock, and what is switched on to go wrong."""
    urls: dict[str, str] = settings.SANDBOX_URLS
    if not urls:
        raise NotFound("No simulators are known here: SANDBOX_URLS names none.")
    with ThreadPoolExecutor(max_workers=len(urls)) as askers:
        found = list(askers.map(lambda name: _state(name, urls[name]), sorted(urls)))
    return show(
        request,
        "console/sandbox.html",
        {
            "here": "sandbox",
            "simulators": found,
            "kinds": [(kind, SAID[kind]) for kind in KINDS],
            "said": SAID,
            "minutes": MINUTES,
            "shares": SHARES,
        },
    )


@page(Permission.INTEGRATIONS_MANAGE, methods=("POST",))
@once
def failure(request: HttpRequest, name: str) -> HttpResponse:
    """Switch a failure on for a share and a time, or off again."""
    url = settings.SANDBOX_URLS.get(name)
    if url is None:
        raise NotFound(f"There is no simulator {name}.")
    kind = request.POST.get("kind", "")
    if kind not in KINDS:
        raise Invalid("There is no such failure.")
    state = _state(name, url)
    if state["why_not"]:
        raise Conflict(f"{name} does not run.")
    standing = [each for each in state["failures"] if each["kind"] != kind]
    if request.POST.get("off") != "1":
        standing.append(_wanted(kind, request, state["now"]))
    _ask(name, url, "PUT", "/_sandbox/failures", {"failures": standing})
    off = request.POST.get("off") == "1"
    say(
        request,
        f"{name}: {SAID[kind].lower()}{' is over' if off else ' from now on'}.",
        level=messages.SUCCESS if off else messages.WARNING,
    )
    return go(request, reverse("console:sandbox"))


def _wanted(kind: str, request: HttpRequest, now: datetime) -> dict[str, Any]:
    """The failure as the panel takes it; its end is a time of the simulator's clock."""
    try:
        share, minutes = int(request.POST.get("share", "")), int(request.POST.get("minutes", ""))
    except ValueError:
        raise Invalid("Say for which share, and how long.") from None
    until = (now + timedelta(minutes=minutes)).isoformat() if minutes else None
    return {"kind": kind, "share": min(max(share, 0), 100) / 100, "until": until}


def _state(name: str, url: str) -> dict[str, Any]:
    """How a simulator is; `why_not` where it does not answer."""
    try:
        said = _ask(name, url, "GET", "/_sandbox")
    except Conflict as refusal:
        return {"name": name, "url": url, "why_not": refusal.detail, "failures": []}
    for each in said["failures"]:
        each["until_at"] = datetime.fromisoformat(each["until"]) if each["until"] else None
        each["percent"] = round(100 * each["share"])
    return {
        **said,
        "name": name,
        "url": url,
        "why_not": "",
        "now": datetime.fromisoformat(said["now"]),
    }


def _ask(
    name: str, url: str, method: str, path: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Ask a simulator's control plane. Raises Conflict when it does not answer."""
    from integrations.http import OutcomeUnknown, RemoteClient, Unreached

    client = RemoteClient(name, url, total_seconds=PATIENCE_SECONDS)
    try:
        answer = client.send(method, path, json=body)
    except (Unreached, OutcomeUnknown) as lost:
        raise Conflict(f"{lost}.") from lost
    finally:
        client.close()
    if not answer.ok:
        raise Conflict(str(answer.body.get("error") or f"it answered {answer.status}"))
    return dict(answer.body)
