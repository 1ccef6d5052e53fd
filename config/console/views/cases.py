"""Cases: what needs a person, by kind and cause; one panel to act from, on one or all alike."""

from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from config.console import case_verbs, causes, status, timeline, undoing, verbs
from config.console.bells import ring_job
from config.console.once import once
from config.console.pages import back_to, frame_of, go, page, say, show
from config.console.views import listings
from config.console.views.saved_views import tabs_of
from config.console.views.undo import offer_jobs
from config.kernel import registry
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Forbidden, Invalid, NotFound
from config.kernel.services import jobs
from config.kernel.types import Outcome
from config.reports import cases as reports
from config.reports import order_page as order_reports
from config.reports.order_facts import facts
from config.reports.sql import Row

_FIXES: Final = ("release_hold", "release", "reroute", "cancel", "hold", "note")
PEEKED: Final = 4
_FIXES_FIRST: Final = {
    "PAYMENT_PENDING": ("ask_to_pay", "authorize", "accept_risk"),
    "PAYMENT_FAILED": ("retry_capture", "ask_to_pay", "retry_refund"),
    "PAYMENT_UNKNOWN": ("look_up",),
}
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
            "about": about(found),
            "similar": reports.similar(found, scope=scope, nodes=nodes),
            "events": [timeline.entries([each], [])[0] for each in reports.events(found["id"])],
            "verbs": _possible(found) if frame.may(Permission.CASES_WORK) else [],
            "all_verbs": [verb for verb in case_verbs.VERBS.values() if verb.undoable]
            if frame.may(Permission.CASES_WORK)
            else [],
            "address_group": _address_group(request, fact),
            "unmapped_line": _unmapped_line(request, found, fact),
            "fixes": [
                {"verb": verbs.VERBS[code], "why_not": verbs.VERBS[code].judge(fact)}
                for code in (*_FIXES_FIRST.get(found["kind"], ()), *_FIXES)
                if fact and frame.may(verbs.VERBS[code].permission)
            ],
        },
    )


def about(found: Row) -> dict[str, str] | None:
    """The page of what the case is about, where the console has one; the order has its own line."""
    kind = registry.kind_of(found["subject_kind"])
    address = kind.path(found["subject_id"]) if found["subject_kind"] != "order" else ""
    return {"label": kind.label, "url": address} if address.startswith("/console/") else None


@page(Permission.CASES_VIEW)
def case_peek(request: HttpRequest, number: int) -> HttpResponse:
    """The case in short, beside the list: what was seen, what to do first, who has it."""
    if not request.headers.get("HX-Request"):
        return redirect("console:case", number)
    frame = frame_of(request)
    found = _found(request, number)
    found["said"] = causes.in_words([found["cause"]])[found["cause"]]
    return show(
        request,
        "console/cases/peek.html",
        {
            "case": found,
            "kind": kind_of(found["kind"]),
            "evidence": evidence_of(found),
            "order_said": _order_said(request, found),
            "verbs": _possible(found) if frame.may(Permission.CASES_WORK) else [],
            "events": [
                timeline.entries([each], [])[0] for each in reports.events(found["id"])[:PEEKED]
            ],
            "back": back_to(request, reverse("console:cases")),
        },
    )


@page(Permission.CASES_WORK, methods=("GET", "POST"))
@once
def case_action(request: HttpRequest, number: int, code: str) -> HttpResponse:
    """One verb on one case, or on every case of its cause."""
    frame = frame_of(request)
    found = _found(request, number, Permission.CASES_WORK)
    verb = case_verbs.VERBS.get(code)
    if verb is None:
        raise NotFound("There is no such action.")
    every = (request.POST if request.method == "POST" else request.GET).get("every") == "1"
    ids = _meant(request, found, every=every)
    found["said"] = causes.in_words([found["cause"]])[found["cause"]]
    form = verb.form(request.POST if request.method == "POST" else None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        stood = case_verbs.before(reports.stand(ids))
        outcomes = verb.run(ids, form.params(), frame.now, actor_of(request))
        problem = _refusal(outcomes)
        if not problem:
            _tell(request, verb, ids, stood, outcomes)
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
            "next": back_to(request, ""),
            "count": len(ids),
            "problem": problem,
        },
        status=422 if request.method == "POST" else 200,
    )


@page(Permission.CASES_WORK, methods=("GET", "POST"))
@once
def cluster_fix(request: HttpRequest, number: int, code: str) -> HttpResponse:
    """An order verb on the orders of all cases with this cause: preview, then a job."""
    frame = frame_of(request)
    found = _found(request, number, Permission.CASES_WORK)
    verb = verbs.VERBS.get(code)
    if verb is None or code == "reroute":
        raise NotFound("There is no such action for a cluster.")
    actor = actor_of(request, verb.permission)
    if not frame.may(verb.permission):
        raise Forbidden(f"This needs the permission “{verb.permission.label}”.")
    scope = frame.scope(verb.permission)
    orders = [
        each
        for each in facts(reports.orders_of(_meant(request, found, every=True)))
        if scope.allows(each["account_id"])
    ]
    judged = [(each, verb.judge(each)) for each in orders]
    can = [each for each, why in judged if not why]
    form = verb.form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and can and form.is_valid():
        started = [
            jobs.enqueue(
                verb.job_kind,
                f"{verb.label}: {len(mine)} orders of {kind_of(found['kind'])['label'].lower()}",
                form.params(),
                mine,
                account_id=account_id,
                at=frame.now,
                actor=actor,
            )
            for account_id in sorted({each["account_id"] for each in can})
            if (mine := [each["id"] for each in can if each["account_id"] == account_id])
        ]
        for job in started:
            if len(can) <= verbs.INLINE_LIMIT:
                jobs.run_job(job.id, at=frame.now)
            else:
                ring_job(job.id)
        offer_jobs(request, verb, [job.id for job in started], len(can))
        if len(started) > 1:
            return go(request, reverse("console:jobs"))
        return go(request, reverse("console:job", args=[started[0].id]))
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


def _possible(case: Row) -> list[case_verbs.CaseVerb]:
    return [verb for verb in case_verbs.VERBS.values() if not verb.judge(case)]


def _order_said(request: HttpRequest, case: Row) -> list[str]:
    """Where the order of a case is, in words, for those who may see orders."""
    frame = frame_of(request)
    if not case["order_number"] or not frame.may(Permission.ORDERS_VIEW):
        return []
    order = order_reports.head(case["order_number"], scope=frame.scope(Permission.ORDERS_VIEW))
    if order is None:
        return []
    return status.describe(order, order_reports.parts(order["id"]), frame.now, frame.zone)


def _address_group(request: HttpRequest, fact: Row | None) -> UUID | None:
    """The delivery whose address can be corrected from here, if there is one."""
    if fact is None or not frame_of(request).may(Permission.ORDERS_CHANGE_ADDRESS):
        return None
    return verbs.group_to_correct(fact)


def _unmapped_line(request: HttpRequest, case: Row, fact: Row | None) -> UUID | None:
    """The line whose code can be mapped from here, if the case is about one."""
    mapped_here = case["kind"] == "SKU_UNMAPPED" and frame_of(request).may(Permission.CONFIG_EDIT)
    return listings.first_unmapped(fact["id"]) if fact is not None and mapped_here else None


def kind_of(code: str) -> dict[str, Any]:
    """A kind of case in words; one that no installed app declares keeps its code."""
    return {"label": causes.case_label(code), "playbook": causes.playbook(code)}


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
    saved = tabs_of(request, "cases")
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
        "tabs": [
            {
                "label": label,
                "address": address,
                "count": None,
                "current": saved["opened"] is None and mine is only_mine and not kind,
            }
            for label, address, only_mine in (("All open", "?", False), ("Mine", "?mine=1", True))
        ],
        "kind": kind,
        "mine": mine,
        "saved": saved,
        "cleared": reports.cleared(scope=scope, nodes=nodes) if not clusters else None,
    }


def _found(
    request: HttpRequest, number: int, permission: Permission = Permission.CASES_VIEW
) -> Row:
    frame = frame_of(request)
    found = reports.one(number, scope=frame.scope(permission), nodes=frame.nodes(permission))
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


def _tell(
    request: HttpRequest,
    verb: case_verbs.CaseVerb,
    ids: list[UUID],
    stood: list[dict[str, Any]],
    outcomes: list[Outcome[Any]],
) -> None:
    """Say how it ended, and offer to put back those cases that were changed."""
    said = _ended(verb.done, outcomes)
    if not verb.undoable:
        say(request, said)
        return
    done = {str(each) for each, outcome in zip(ids, outcomes, strict=True) if outcome.ok}
    before = [each for each in stood if each["id"] in done]
    undoing.offer(request, said, "cases", {"code": verb.code, "cases": before})


def _ended(done: str, outcomes: list[Outcome[Any]]) -> str:
    acted = sum(each.ok for each in outcomes)
    left = len(outcomes) - acted
    said = done if len(outcomes) == 1 else f"{done}: {acted} cases"
    return f"{said}; {left} refused." if left else f"{said}."
