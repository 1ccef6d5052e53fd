"""Claims: what a carrier owes for a parcel, and what the buyer gets for it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

import returns.services
from config.console import return_forms as forms
from config.console import timeline
from config.console.forms import ActionForm
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.kernel import money
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, NotFound
from config.kernel.types import Actor, Outcome
from config.reports import order_page
from config.reports import returns as reports
from orders.selectors import order_heads
from returns import selectors
from returns.states import ClaimState, Resolution
from returns.types import ClaimAnswer, ClaimDecision

_VERBS: Final = {
    "resolve": (
        "Decide for the buyer",
        "What is done for the buyer does not wait for the carrier.",
    ),
    "file": ("Filed with the carrier", "Enter the number that the carrier gave to the claim."),
    "answer": ("The carrier's answer", "What it pays belongs to us, whatever the buyer got."),
}


@page(Permission.RETURNS_VIEW)
def claim(request: HttpRequest, number: str) -> HttpResponse:
    """One claim with its parcel, its answer and what was done."""
    frame = frame_of(request)
    found = claim_of(request, number)
    reship = found.reship_order_id
    actions = [
        {"code": code, "label": label, "why_not": _JUDGES[code](found)}
        for code, (label, _) in _VERBS.items()
    ]
    heads = order_heads([reship], frame.scope(Permission.RETURNS_VIEW)) if reship else {}
    return show(
        request,
        "console/returns/claim.html",
        {
            "here": "returns",
            "claim": found,
            "lines": list(found.lines.all()),
            "possible": [each for each in actions if not each["why_not"]],
            "impossible": [each for each in actions if each["why_not"]],
            "reship": heads.get(reship) if reship else None,
            "timeline": timeline.entries(order_page.timeline(found.pk), []),
        },
    )


@page(Permission.RETURNS_VIEW)
def by_id(request: HttpRequest, record_id: UUID) -> HttpResponse:
    number = reports.claim_number(record_id, scope=frame_of(request).scope(Permission.RETURNS_VIEW))
    if number is None:
        raise NotFound("There is no such claim.")
    return redirect("console:claim", number)


@page(Permission.RETURNS_DECIDE, methods=("GET", "POST"))
@once
def act(request: HttpRequest, number: str, code: str) -> HttpResponse:
    """File a claim, write down its answer, or decide what the buyer gets."""
    if code not in _VERBS:
        raise NotFound("There is no such action.")
    found = claim_of(request, number, Permission.RETURNS_DECIDE)
    why_not = _JUDGES[code](found)
    form = _FORMS[code](request.POST if request.method == "POST" else None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        if why_not:
            raise Conflict(why_not)
        [outcome] = _ACTS[code](found, form.cleaned_data, request, actor_of(request))
        if outcome.ok:
            said = f"{number}: {found.get_kind_display().lower()} parcel, {_SAID[code]}."
            say(request, said)
            return go(request, reverse("console:claim", args=[found.number]))
        problem = outcome.problem.detail if outcome.problem else "It was refused."
    return show(
        request,
        "console/returns/claim_act.html",
        {
            "here": "returns",
            "claim": found,
            "label": _VERBS[code][0],
            "lead": _VERBS[code][1],
            "form": form,
            "why_not": why_not,
            "problem": problem,
        },
        status=409 if problem else 422 if request.method == "POST" else 200,
    )


_SAID: Final = {
    "resolve": "decided for the buyer",
    "file": "filed with the carrier",
    "answer": "the carrier's answer is written down",
}


def claim_of(
    request: HttpRequest, number: str, permission: Permission = Permission.RETURNS_VIEW
) -> Any:
    scope = frame_of(request).scope(permission)
    claim_id = reports.claim_id(number.upper(), scope=scope)
    if claim_id is None:
        raise NotFound(f"There is no claim {number} that you may see.")
    return selectors.claim(claim_id, scope)


def _judge_resolve(found: Any) -> str:
    if found.resolution:
        return f"It was decided: {Resolution(found.resolution).label.lower()}."
    return "The parcel turned up." if found.state == ClaimState.WITHDRAWN else ""


def _judge_file(found: Any) -> str:
    return "" if found.state == ClaimState.OPEN else f"It is {_state(found)}."


def _judge_answer(found: Any) -> str:
    waits = found.state in {ClaimState.OPEN, ClaimState.FILED}
    return "" if waits else f"It is {_state(found)}."


def _state(found: Any) -> str:
    return str(ClaimState(found.state).label).lower()


_JUDGES: Final[dict[str, Callable[[Any], str]]] = {
    "resolve": _judge_resolve,
    "file": _judge_file,
    "answer": _judge_answer,
}
_FORMS: Final[dict[str, type[ActionForm]]] = {
    "resolve": forms.ResolveClaimForm,
    "file": forms.FileForm,
    "answer": forms.AnswerForm,
}


def _resolve(found: Any, values: Any, request: HttpRequest, actor: Actor) -> list[Outcome[Any]]:
    wanted = [ClaimDecision(found.pk, values["resolution"])]
    return list(returns.services.resolve_claims(wanted, at=frame_of(request).now, actor=actor))


def _file(found: Any, values: Any, request: HttpRequest, actor: Actor) -> list[Outcome[Any]]:
    filed = [(found.pk, values["reference"])]
    return list(returns.services.file_claims(filed, at=frame_of(request).now, actor=actor))


def _answer(found: Any, values: Any, request: HttpRequest, actor: Actor) -> list[Outcome[Any]]:
    paid = values["paid"] == "yes"
    amount = values["amount"] or Decimal(0)
    minor = money.to_minor(amount, found.currency) if paid else 0
    said = [ClaimAnswer(found.pk, paid, minor, values["reference"])]
    return list(returns.services.record_claim_answers(said, at=frame_of(request).now, actor=actor))


_ACTS: Final[dict[str, Callable[..., list[Outcome[Any]]]]] = {
    "resolve": _resolve,
    "file": _file,
    "answer": _answer,
}
