"""The reconciliation bench: who tells of stock and how old it is; what differs, and what to do."""

from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

import inventory.services
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Invalid, NotFound
from config.reports import feeds as reports
from config.reports.sql import Row
from inventory import selectors
from inventory.states import Degrade, DifferenceCause, DifferenceState
from inventory.types import Decision

SEE: Final = Permission.INVENTORY_VIEW
DECIDE: Final = Permission.INVENTORY_ADJUST
_TABS: Final = (
    ("", "To decide", ["open"]),
    ("healed", "Healed", ["healed"]),
    ("in_flight", "In flight", ["in_flight"]),
    ("decided", "Decided", ["accepted", "kept", "explained", "superseded"]),
)
_VERBS: Final = {
    "theirs": (inventory.services.accept_theirs, "the book follows the node"),
    "ours": (inventory.services.keep_ours, "the node is asked to count"),
    "explained": (inventory.services.explain_differences, "explained"),
}
_TONES: Final = {"fresh": ("good", "check"), "late": ("warn", "clock"), "silent": ("bad", "alert")}


@page(SEE)
def feeds(request: HttpRequest) -> HttpResponse:
    """Every feed with its age, what its silence does, and what is left to decide."""
    frame = frame_of(request)
    found = reports.feeds(scope=frame.scope(SEE), nodes=frame.nodes(SEE))
    return show(
        request,
        "console/feeds/list.html",
        {"here": "stock", "feeds": [_dressed(each) for each in found]},
    )


@page(SEE)
def feed(request: HttpRequest, feed_id: int) -> HttpResponse:
    """One feed: what it declares, where it stands, and its last comparisons."""
    frame = frame_of(request)
    scope, nodes = frame.scope(SEE), frame.nodes(SEE)
    found = reports.feeds(scope=scope, nodes=nodes, feed_id=feed_id)
    if not found:
        raise NotFound("There is no such feed.")
    return show(
        request,
        "console/feeds/one.html",
        {
            "here": "stock",
            "feed": _dressed(found[0]),
            "runs": reports.runs(feed_id, scope=scope, nodes=nodes),
        },
    )


@page(SEE)
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One comparison, line by line: ours, theirs, why probably, and what can be done."""
    found = _run(request, run_id, SEE)
    asked = request.GET.get("tab", "")
    states = next((states for code, _, states in _TABS if code == asked), ["open"])
    after = request.GET.get("after", "")
    lines = reports.lines(run_id, states=states, after=int(after) if after.isdigit() else 0)
    causes, named = dict(DifferenceCause.choices), dict(DifferenceState.choices)
    for line in lines:
        line["cause_label"], line["state_label"] = (
            causes[line["cause"]] if line["cause"] else "",
            (named[line["state"]]),
        )
        line["said"] = _said(line)
    return show(
        request,
        "console/feeds/run.html",
        {
            "here": "stock",
            "run": found,
            "lines": lines,
            "after": lines[-1]["id"] if len(lines) == reports.LINES else "",
            "tab": asked,
            "tabs": [(code, label) for code, label, _ in _TABS],
            "may_decide": frame_of(request).may(DECIDE) and states == ["open"],
        },
    )


@page(DECIDE, methods=("POST",))
@once
def decide(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Accept theirs, keep ours and ask for a count, or explain the chosen lines."""
    _run(request, run_id, DECIDE)
    verb = request.POST.get("verb", "")
    if verb not in _VERBS:
        raise NotFound("There is no such decision.")
    chosen = [int(value) for value in request.POST.getlist("line") if value.isdigit()]
    if not chosen:
        raise Invalid("Choose at least one line.")
    within = {line["id"] for line in reports.lines(run_id, states=["open"], after=min(chosen) - 1)}
    note = request.POST.get("note", "").strip()
    command, done = _VERBS[verb]
    outcomes = command(
        [Decision(line, note=note) for line in chosen if line in within],
        at=frame_of(request).now,
        actor=actor_of(request),
    )
    refused = [outcome.problem.detail for outcome in outcomes if outcome.problem]
    settled = len(outcomes) - len(refused)
    if settled:
        say(request, f"{settled} {'line' if settled == 1 else 'lines'}: {done}.")
    for detail in sorted(set(refused)):
        say(request, f"{refused.count(detail)} left as they are: {detail}", level=30)
    return go(request, reverse("console:feed_run", args=[run_id]))


@page(SEE)
def snapshot(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """A snapshot by its id: its comparison, or why it was refused."""
    frame = frame_of(request)
    seen = selectors.snapshot_of(document_id, frame.scope(SEE))
    nodes = frame.nodes(SEE)
    if seen is None or (nodes is not None and seen.node_id not in nodes):
        raise NotFound("There is no such snapshot.")
    if seen.run_id is not None:
        return redirect("console:feed_run", seen.run_id)
    return show(request, "console/feeds/snapshot.html", {"here": "stock", "snapshot": seen})


@page(SEE)
def difference(request: HttpRequest, difference_id: int) -> HttpResponse:
    """A line by its id: the comparison that it belongs to."""
    run_id = reports.run_of(difference_id, scope=frame_of(request).scope(SEE))
    if run_id is None:
        raise NotFound("There is no such difference.")
    return redirect("console:feed_run", run_id)


def _run(request: HttpRequest, run_id: UUID, permission: Permission) -> Row:
    frame = frame_of(request)
    found = reports.run(run_id, scope=frame.scope(permission), nodes=frame.nodes(permission))
    if found is None:
        raise NotFound("There is no such comparison.")
    return found


def _dressed(feed: Row) -> Row:
    """The feed with its state's look and its effect in words."""
    feed["tone"], feed["icon"] = _TONES[feed["state"]]
    feed["effect"] = ""
    if feed["state"] == "silent":
        feed["effect"] = {
            Degrade.NONE.value: "",
            Degrade.HAIRCUT.value: f"{feed['haircut_percent']} % held back",
            Degrade.NO_SAME_DAY.value: "no same-day promises",
            Degrade.STOP.value: "nothing is sold",
        }[feed["degrade"]]
    feed["policy"] = dict(Degrade.choices)[feed["degrade"]]
    if feed["degrade"] == Degrade.HAIRCUT:
        feed["policy"] = f"Hold back {feed['haircut_percent']} %"
    return feed


def _said(line: Row) -> str:
    """What the evidence says, in a few words."""
    seen: dict[str, Any] = line["evidence"] or {}
    words = [
        (seen.get("partner"), f"{seen.get('partner')} differs as much the other way"),
        (seen.get("committed"), f"{seen.get('committed')} committed to shipments"),
        (seen.get("inbound"), f"{seen.get('inbound')} still expected inbound"),
        (
            line["cause"] == DifferenceCause.MOVING,
            f"{seen.get('just_moved', 0):+d} moved just before",
        ),
        (seen.get("picked"), f"{seen.get('picked')} picked"),
    ]
    return "; ".join(text for holds, text in words if holds)
