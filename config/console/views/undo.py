"""Undo: the opposite command for what was just done, with a result for each order or case."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import inventory.services
from config.console import case_verbs, saved_views, undoing, verbs, words
from config.console.bells import ring_job
from config.console.models import ViewPage
from config.console.once import once
from config.console.pages import back_to, frame_of, go, page, say
from config.console.saved_views import ViewDraft
from config.console.undoing import Undone
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, Forbidden
from config.kernel.services import jobs
from config.reports import cases as case_reports
from config.reports import operations
from config.reports import orders as order_reports
from config.reports.order_facts import facts

_ANY: Final = (
    Permission.ORDERS_HOLD,
    Permission.ORDERS_NOTE,
    Permission.CASES_WORK,
    Permission.NETWORK_PAUSE,
    Permission.ORDERS_VIEW,
    Permission.CASES_VIEW,
)
_KEPT: Final = ("mark", "reason")
"""What of a form undoing needs. Its free text stays out of the session."""


@page(*_ANY, methods=("POST",))
@once
def undo(request: HttpRequest) -> HttpResponse:
    """Undo the last thing done, once."""
    undone = undoing.take_up(request, request.POST.get("offer", ""))
    say(request, undone.said, level=messages.SUCCESS if undone.well else messages.WARNING)
    return go(request, undone.address or back_to(request, reverse("console:home")))


def offer_verb(
    request: HttpRequest,
    verb: verbs.Verb,
    said: str,
    ids: Sequence[UUID],
    params: Mapping[str, Any],
) -> None:
    """Tell what was done to some orders; offer to undo it where it can be."""
    if verb.undo is None:
        say(request, said)
        return
    what = {
        "code": verb.code,
        "ids": [str(each) for each in ids],
        "params": {key: params[key] for key in _KEPT if key in params},
        "since": frame_of(request).now.isoformat(),
    }
    undoing.offer(request, said, "orders", what)


def offer_jobs(request: HttpRequest, verb: verbs.Verb, job_ids: Sequence[UUID], count: int) -> None:
    """Tell that orders are worked on by jobs; offer to undo them where that can be."""
    found = operations.jobs_done(job_ids)
    done = len(found["done"] or ())
    if not found["ended"]:
        said = f"{verb.label}: {words.counted(count, 'order')} under way; this page follows."
    else:
        said = f"{verb.effect}: {words.counted(done, 'order')}."
        if count > done:
            said += f" {count - done} refused; each says why."
    if verb.undo is None or (found["ended"] and not done):
        say(request, said, level=messages.SUCCESS if done else messages.INFO)
        return
    what = {
        "code": verb.code,
        "jobs": [str(each) for each in job_ids],
        "since": frame_of(request).now.isoformat(),
    }
    undoing.offer(request, said, "jobs", what)


def _may(request: HttpRequest, permission: Permission) -> None:
    if not frame_of(request).may(permission):
        raise Forbidden(f"This needs the permission “{permission.label}”.")


def _orders(request: HttpRequest, what: Mapping[str, Any]) -> Undone:
    """One order at once; many as a job with a result for each."""
    frame = frame_of(request)
    verb = verbs.VERBS[what["code"]]
    actor = actor_of(request, verb.permission)
    _may(request, verb.permission)
    scope = frame.scope(verb.permission)
    ids = order_reports.reachable([UUID(each) for each in what["ids"]], scope=scope)
    params = {**what["params"], "since": what["since"]}
    if len(ids) == 1:
        outcome = verb.undo_items(ids, params, frame.now, actor)[0]
        if outcome.ok:
            return Undone(f"Undone: {verb.undone}.")
        why = outcome.problem.detail if outcome.problem else "it was refused"
        return Undone(f"Not undone: {why}", well=False)
    if not ids:
        return Undone("Not undone: the orders are out of your reach.", well=False)
    accounts = {each["id"]: each["account_id"] for each in facts(ids)}
    started = [
        jobs.enqueue(
            verb.undo_kind,
            f"Undo: {verb.label.lower()}, {words.counted(len(mine), 'order')}",
            params,
            mine,
            account_id=account_id,
            at=frame.now,
            actor=actor,
        )
        for account_id in sorted(set(accounts.values()))
        if (mine := [each for each in ids if accounts.get(each) == account_id])
    ]
    for job in started:
        if len(ids) <= verbs.INLINE_LIMIT:
            jobs.run_job(job.id, at=frame.now)
        else:
            ring_job(job.id)
    where = (
        reverse("console:job", args=[started[0].id])
        if len(started) == 1
        else reverse("console:jobs")
    )
    return Undone("Undone; each order says how it went.", address=where)


def _jobs(request: HttpRequest, what: Mapping[str, Any]) -> Undone:
    """What jobs of ours have done: the items that they did, none that they were refused."""
    found = operations.jobs_done([UUID(each) for each in what["jobs"]])
    if not found["ended"]:
        raise Conflict("It is still being done. Stop it first, or wait until it has ended.")
    if not found["done"]:
        return Undone("Nothing was done, so nothing was undone.", well=False)
    ids = [str(each) for each in found["done"]]
    return _orders(request, {**what, "ids": ids, "params": found["params"]})


def _cases(request: HttpRequest, what: Mapping[str, Any]) -> Undone:
    frame = frame_of(request)
    _may(request, Permission.CASES_WORK)
    reached = set(
        case_reports.reachable(
            [UUID(each["id"]) for each in what["cases"]],
            scope=frame.scope(Permission.CASES_WORK),
            nodes=frame.nodes(Permission.CASES_WORK),
        )
    )
    before = [each for each in what["cases"] if UUID(each["id"]) in reached]
    actor = actor_of(request, Permission.CASES_WORK)
    outcomes = case_verbs.put_back(what["code"], before, at=frame.now, actor=actor)
    refused = [each.problem.detail for each in outcomes if each.problem]
    stand = words.counted(len(outcomes) - len(refused), "case stands", "cases stand")
    said = f"Undone: {stand} as before."
    if refused:
        said += f" {len(refused)} did not go back: {refused[0]}"
    return Undone(said, well=not refused)


def _node(request: HttpRequest, what: Mapping[str, Any]) -> Undone:
    frame, actor = frame_of(request), actor_of(request, Permission.NETWORK_PAUSE)
    _may(request, Permission.NETWORK_PAUSE)
    services = inventory.services
    if what["paused"]:
        services.resume_node(what["node"], what["function"], at=frame.now, actor=actor)
        return Undone(f"Undone: {what['name']} takes {what['function']} work again.")
    until = datetime.fromisoformat(what["until"]) if what["until"] else None
    services.pause_node(
        what["node"], what["function"], until, what["reason"], at=frame.now, actor=actor
    )
    return Undone(f"Undone: {what['name']} is paused again.")


def _view(request: HttpRequest, what: Mapping[str, Any]) -> Undone:
    draft = ViewDraft(
        UUID(what["account_id"]), what["page"], what["name"], what["query"], team=what["team"]
    )
    _may(
        request,
        Permission.ORDERS_VIEW if draft.page == ViewPage.ORDERS else Permission.CASES_VIEW,
    )
    if draft.team:
        _may(request, Permission.CONFIG_EDIT)
    view = saved_views.save_view(draft, at=frame_of(request).now, actor=actor_of(request))
    return Undone(f"The view “{view.name}” is back.")


for _kind, _undo in (
    ("orders", _orders),
    ("jobs", _jobs),
    ("cases", _cases),
    ("node", _node),
    ("view", _view),
):
    undoing.register(_kind, _undo)
