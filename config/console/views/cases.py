"""Cases: what needs a person, by kind and cause; one panel to act from, on one or all alike."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from config.console import case_verbs, causes, timeline, verbs
from config.console.bells import ring_job
from config.console.once import once
from config.console.pages import back_to, frame_of, go, page, say, show
from config.kernel import case_reports
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Forbidden, Invalid, NotFound
from config.kernel.services import jobs
from config.kernel.types import Outcome
from config.reports import cases as reports
from config.reports.order_facts import facts
from config.reports.sql import Row

_FIXES: Final = ("release_hold", "release", "reroute", "cancel", "hold", "note")
_FIXES_FIRST: Final = {"PAYMENT_FAILED": ("retry_capture",)}
"""What puts cases of one kind right and is offered for no other, before the rest."""


@page(Permission.CASES_VIEW)
def cases(request: HttpRequest) -> HttpResponse:
    """Queues on the left, clusters in the middle."""
    return show(request, "console/cases/list.html", _lists(request))


@page(Permission.CASES_VIEW)
def case(request: HttpRequest, number: int) -> HttpResponse:
    """One case: what happened, what to do first, and the verbs that do it."""
    frame = frame_of(request)
    found = _found(request, number)
    scope, nodes = frame.scope(Permission.CASES_VIEW), frame.nodes(Permission.CASES_VIEW)
    fact = facts([found["thread_id"]])[0] if found["order_number"] else None
    found["said"] = causes.in_words([found["cause"]])[found["cause"]]
    return show(
        request,
        "console/cases/one.html",
        {
            "here": "cases",
            "case": found,
            "kind": kind_of(found["kind"]),
            "evidence": evidence_of(found),
            "similar": reports.similar(found, scope=scope, nodes=nodes),
            "events": [timeline.entries([each], [])[0] for each in reports.events(found["id"])],
            "verbs": [
                {"verb": verb, "why_not": verb.judge(found)} for verb in case_verbs.VERBS.values()
            ]
            if frame.may(Permission.CASES_WORK)
            else [],
            "address_group": _address_group(request, fact),
            "fixes": [
                {"verb": verbs.VERBS[code], "why_not": verbs.VERBS[code].judge(fact)}
                for code in (*_FIXES_FIRST.get(found["kind"], ()), *_FIXES)
                if fact and frame.may(verbs.VERBS[code].permission)
            ],
        },
    )


@page(Permission.CASES_WORK, methods=("GET", "POST"))
@once
def case_action(request: HttpRequest, number: int, code: str) -> HttpResponse:
    """One verb on one case, or on every case of its cause."""
    frame = frame_of(request)
    found = _found(request, number)
    verb = case_verbs.VERBS.get(code)
    if verb is None:
        raise NotFound("There is no such action.")
    every = (request.POST if request.method == "POST" else request.GET).get("every") == "1"
    ids = _meant(request, found, every=every)
    found["said"] = causes.in_words([found["cause"]])[found["cause"]]
    form = verb.form(request.POST if request.method == "POST" else None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        outcomes = verb.run(ids, form.params(), frame.now, actor_of(request))
        problem = _refusal(outcomes)
        if not problem:
            say(request, _ended(verb.done, outcomes))
            return go(request, back_to(request, reverse("console:case", args=[number])))
    return show(
        request,
        "console/cases/action.html",
        {
            "here": "cases",
            "case": found,
            "verb": verb,
            "form": form,
            "every": every,
            "count": len(ids),
            "problem": problem,
        },
        status=422 if request.method == "POST" else 200,
    )


@page(Permission.CASES_WORK, methods=("GET", "POST"))
@once
def cluster_fix(request: HttpRequest, number: int, code: str) -> HttpResponse:
    """An order verb on the orders of all cases with this cause: preview, then a job."""
    frame, actor = frame_of(request), actor_of(request)
    found = _found(request, number)
    verb = verbs.VERBS.get(code)
    if verb is None or code == "reroute":
        raise NotFound("There is no such action for a cluster.")
    if not frame.may(verb.permission):
        raise Forbidden(f"This needs the permission “{verb.permission.label}”.")
    orders = facts(reports.orders_of(_meant(request, found, every=True)))
    judged = [(each, verb.judge(each)) for each in orders]
    can = [each for each, why in judged if not why]
    form = verb.form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and can and form.is_valid():
        job = jobs.enqueue(
            verb.job_kind,
            f"{verb.label}: {len(can)} orders of {kind_of(found['kind'])['label'].lower()}",
            form.params(),
            [each["id"] for each in can],
            account_id=found["account_id"],
            at=frame.now,
            actor=actor,
        )
        if len(can) <= verbs.INLINE_LIMIT:
            jobs.run_job(job.id, at=frame.now)
        else:
            ring_job(job.id)
            say(request, "The orders are being worked on; this page follows.", level=messages.INFO)
        return go(request, reverse("console:job", args=[job.id]))
    return show(
        request,
        "console/cases/fix.html",
        {
            "here": "cases",
            "case": found,
            "verb": verb,
            "form": form,
            "can": can,
            "cannot": [pair for pair in judged if pair[1]],
        },
        status=422 if request.method == "POST" else 200,
    )


def _address_group(request: HttpRequest, fact: Row | None) -> UUID | None:
    """The delivery whose address can be corrected from here, if there is one."""
    if (
        fact is None
        or not frame_of(request).may(Permission.ORDERS_CHANGE_ADDRESS)
        or verbs.why_no_address(fact)
    ):
        return None
    held = {hold["group"] for hold in fact["holds"] if hold["type"] in {"address", "destination"}}
    return next((group["id"] for group in fact["groups"] if str(group["id"]) in held), None)


def kind_of(code: str) -> dict[str, Any]:
    """A kind of case in words; one that no installed app declares keeps its code."""
    try:
        kind = case_reports.case_kind(code)
    except KeyError:
        return {"label": code.replace("_", " ").capitalize(), "playbook": ""}
    return {"label": kind.label, "playbook": kind.playbook}


def evidence_of(case: Row) -> list[tuple[str, str]]:
    """What was seen, as name and value; ids of rows stay in the technical views."""
    return [
        (str(key).replace("_", " ").capitalize(), _said(value))
        for key, value in (case["evidence"] or {}).items()
        if not str(key).endswith("_id")
    ]


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {each}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value)


def _lists(request: HttpRequest) -> dict[str, Any]:
    frame = frame_of(request)
    scope, nodes = frame.scope(Permission.CASES_VIEW), frame.nodes(Permission.CASES_VIEW)
    kind, mine = request.GET.get("kind", ""), request.GET.get("mine") == "1"
    queues = reports.queues(scope=scope, nodes=nodes)
    clusters = reports.clusters(
        scope=scope, nodes=nodes, kind=kind, mine=frame.user.pk if mine else None
    )
    told = causes.in_words(each["cause"] for each in clusters)
    for each in clusters:
        each["said"] = told[each["cause"]]
        each["cases"] = list(zip(each["numbers"], each["order_numbers"], strict=True))
    for each in (*queues, *clusters):
        each["label"] = kind_of(each["kind"])["label"]
        each["playbook"] = kind_of(each["kind"])["playbook"]
    return {
        "here": "cases",
        "queues": queues,
        "total": sum(each["n"] for each in queues),
        "clusters": clusters,
        "kind": kind,
        "mine": mine,
        "cleared": reports.cleared(scope=scope, nodes=nodes) if not clusters else None,
    }


def _found(request: HttpRequest, number: int) -> Row:
    frame = frame_of(request)
    found = reports.one(
        number,
        scope=frame.scope(Permission.CASES_VIEW),
        nodes=frame.nodes(Permission.CASES_VIEW),
    )
    if found is None:
        raise NotFound(f"There is no case {number} that you may see.")
    return found


def _meant(request: HttpRequest, case: Row, *, every: bool) -> list[UUID]:
    if not every:
        return [case["id"]]
    frame = frame_of(request)
    ids = reports.in_cluster(
        scope=frame.scope(Permission.CASES_WORK),
        nodes=frame.nodes(Permission.CASES_WORK),
        kind=case["kind"],
        cause=case["cause"],
    )
    if not ids:
        raise Invalid("No other case has this cause.")
    return ids


def _refusal(outcomes: list[Outcome[Any]]) -> str:
    """Why nothing at all was done; empty when something was."""
    if any(each.ok for each in outcomes):
        return ""
    first = outcomes[0].problem if outcomes else None
    return first.detail if first else "There was nothing to do."


def _ended(done: str, outcomes: list[Outcome[Any]]) -> str:
    acted = sum(each.ok for each in outcomes)
    left = len(outcomes) - acted
    said = done if len(outcomes) == 1 else f"{done}: {acted} cases"
    return f"{said}; {left} refused." if left else f"{said}."
