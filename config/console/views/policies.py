"""The routing studio: policies in their versions, what each says and changed, and who lets it live."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from config.console.accounts import account_of_new
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.policy_forms import PolicyForm, changed, rows_of, rules_from
from config.console.rule_counts import SINCE, count_rules
from config.console.views.simulations import CHOICES as SAMPLES
from config.kernel import selectors as kernel
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import DomainError, Forbidden, Invalid
from config.kernel.types import Actor
from config.reports.simulations import hits_of
from routing import lint, selectors, services, simulation_selectors
from routing.rule_reading import parse_rules
from routing.states import PolicyState
from routing.wording import differences, in_brief, sentence

VIEW, EDIT = Permission.ROUTING_VIEW, Permission.ROUTING_EDIT
TRIED_SHOWN: Final = 5
OVER: Final = (PolicyState.RETIRED,)
REFUSED: Final = "Writing policies needs another role."
FRESH: Final = {
    "cost_percent": 100,
    "parcel_minor": 0,
    "km_milli": 0,
    "late_day_minor": 500,
    "max_nodes": 4,
    "allow_partial": True,
    "split_lines": True,
}


@page(VIEW)
def policies(request: HttpRequest) -> HttpResponse:
    """What decides now, what is on its way to, and what did before."""
    scope, old = frame_of(request).scope(VIEW), request.GET.get("old") == "1"
    found = selectors.policies(scope)
    now = [row for row in found if row.state == PolicyState.LIVE]
    coming = [row for row in found if row.state not in (PolicyState.LIVE, *OVER)]
    past = [row for row in found if row.state in OVER]
    context = {"here": "decisions", "now": now, "coming": coming, "past": past if old else []}
    return show(request, "console/policies/list.html", {**context, "hidden": len(past), "old": old})


@page(VIEW)
def policy(request: HttpRequest, policy_id: UUID) -> HttpResponse:
    """One version: its rules in sentences, what it changed, what is doubtful in it, what may be done."""
    return _shown(request, selectors.policy(policy_id, frame_of(request).scope(VIEW)))


@page(EDIT, methods=("POST",))
@once
def policy_act(request: HttpRequest, policy_id: UUID, act: str) -> HttpResponse:
    """Submit, send back, publish, schedule, retire or roll back one version."""
    now, note = frame_of(request).now, request.POST.get("note", "").strip()
    try:
        done = _ACTS[act](policy_id, note, request, now, _planner(request))
    except KeyError:
        raise Invalid("There is no such step.") from None
    except DomainError as error:
        row = selectors.policy(policy_id, frame_of(request).scope(VIEW))
        return _shown(request, row, problem=error.detail, status=error.status)
    say(request, f"{done} is {done.get_state_display().lower()}.")
    return go(request, reverse("console:policy", args=[done.pk]))


@page(EDIT, methods=("POST",))
def policy_count(request: HttpRequest) -> HttpResponse:
    """How many deliveries each rule of the form is about, as it stands in the form."""
    account_id = account_of_new(request, EDIT, REFUSED)
    context = _counted(request, rules_from(request.POST), account_id)
    return show(request, "console/policies/counts.html", context)


@page(EDIT, methods=("GET", "POST"))
@once
def policy_new(request: HttpRequest) -> HttpResponse:
    """A policy of its own."""
    return _edit(request, None)


@page(EDIT, methods=("GET", "POST"))
@once
def policy_edit(request: HttpRequest, policy_id: UUID) -> HttpResponse:
    """The next version of a policy, from this one."""
    return _edit(request, selectors.policy(policy_id, frame_of(request).scope(EDIT)))


def _submit(pk: UUID, _note: str, _request: HttpRequest, at: Any, actor: Actor) -> Any:
    return services.submit_policy(pk, at=at, actor=actor)


def _send_back(pk: UUID, note: str, _request: HttpRequest, at: Any, actor: Actor) -> Any:
    if not note:
        raise Invalid("Say what is to be changed.")
    return services.send_back_policy(pk, reason=note, at=at, actor=actor)


def _publish(pk: UUID, note: str, _request: HttpRequest, at: Any, actor: Actor) -> Any:
    return services.publish_policy(pk, note=note, at=at, actor=actor)


def _schedule(pk: UUID, note: str, request: HttpRequest, at: Any, actor: Actor) -> Any:
    moment = parse_datetime(request.POST.get("starts_at", ""))
    if moment is None:
        raise Invalid("Say from when on it decides.")
    starts_at = timezone.make_aware(moment) if moment.tzinfo is None else moment
    return services.schedule_policy(pk, starts_at=starts_at, note=note, at=at, actor=actor)


def _retire(pk: UUID, _note: str, _request: HttpRequest, at: Any, actor: Actor) -> Any:
    return services.retire_policy(pk, at=at, actor=actor)


def _roll_back(pk: UUID, note: str, _request: HttpRequest, at: Any, actor: Actor) -> Any:
    if not note:
        raise Invalid("Say why it is rolled back.")
    return services.roll_back_policy(pk, reason=note, at=at, actor=actor)


_ACTS: Final[dict[str, Callable[..., Any]]] = {
    "submit": _submit,
    "send-back": _send_back,
    "publish": _publish,
    "schedule": _schedule,
    "retire": _retire,
    "roll-back": _roll_back,
}


def _shown(request: HttpRequest, row: Any, *, problem: str = "", status: int = 200) -> HttpResponse:
    frame = frame_of(request)
    others = selectors.policies(frame.scope(VIEW))
    live = next(
        (
            one
            for one in others
            if one.state == PolicyState.LIVE
            and (one.account_id, one.channel_id) == (row.account_id, row.channel_id)
        ),
        None,
    )
    hits = hits_of(row.code, scope=frame.scope(VIEW), since=frame.now - SINCE)
    against = row.based_on or (live if live and live.pk != row.pk else None)
    context = {
        "here": "decisions",
        "policy": row,
        "sentences": [
            (rule.name, sentence(rule), hits.get(rule.code, 0), f"{row.code}/{rule.code}")
            for rule in parse_rules(row.rules)
        ],
        "hits": hits.get("", 0),
        "otherwise": in_brief(row),
        "against": against,
        "changes": differences(against, row) if against else [],
        "findings": lint.findings(row, at=frame.now) if row.state not in OVER else [],
        "versions": [
            one
            for one in others
            if (one.code, one.channel_id, one.account_id)
            == (row.code, row.channel_id, row.account_id)
        ],
        "own": row.drafted_by_id == str(request.user.pk),
        **_tried(request, row, others),
        "problem": problem,
    }
    return show(request, "console/policies/one.html", context, status=status)


def _tried(request: HttpRequest, row: Any, others: Any) -> dict[str, Any]:
    """What the version was tried on, and what it can be tried on and beside."""
    scope = frame_of(request).scope(VIEW)
    return {
        "samples": SAMPLES,
        "beside": [
            one
            for one in others
            if one.account_id == row.account_id and one.pk != row.pk and one.state not in OVER
        ],
        "shadow": simulation_selectors.shadow_of(row.pk, scope),
        "tried": simulation_selectors.simulations(scope, policy_id=row.pk, limit=TRIED_SHOWN),
    }


def _edit(request: HttpRequest, before: Any) -> HttpResponse:
    account_id = before.account_id if before else account_of_new(request, EDIT, REFUSED)
    channels = kernel.channel_ids(account_id)
    form = PolicyForm(
        request.POST if request.method == "POST" else None,
        channels=channels,
        known=before is not None,
        initial=_initial(before),
    )
    rules: list[dict[str, Any]] = list(before.rules) if before else []
    problems: dict[str, str] = {}
    problem, act = "", request.POST.get("act", "")
    if request.method == "POST":
        rules = rules_from(request.POST)
        moved = changed(rules, act)
        if moved is not None:
            rules = moved
        elif form.is_valid():
            try:
                draft = _draft(form, rules, account_id, channels, before)
                if act == "save":
                    made = services.edit_policy(
                        draft, at=frame_of(request).now, actor=_planner(request)
                    )
                    say(request, f"Saved as version {made.version}, a draft.")
                    return go(request, reverse("console:policy", args=[made.pk]))
            except DomainError as error:
                problem = error.detail
                problems = {one["pointer"]: one["detail"] for one in error.extra.get("errors", ())}
    context = {
        "here": "decisions",
        "policy": before,
        "form": form,
        "rows": rows_of(rules, problems),
        "problem": problem,
        "problems": [text for at, text in problems.items() if not at.startswith("/rules/")],
        "looked": _looked(rules) if act == "look" and not problem else None,
        **_counted(request, rules, account_id),
    }
    refused = request.method == "POST" and (problem or form.errors)
    return show(request, "console/policies/edit.html", context, status=422 if refused else 200)


def _counted(request: HttpRequest, rules: list[dict[str, Any]], account_id: UUID) -> dict[str, Any]:
    frame = frame_of(request)
    found = count_rules(rules, scope=frame.scope(VIEW), account_id=account_id, at=frame.now)
    return {"counted": found, "account": request.GET.get("account", "")}


def _looked(rules: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(rule.name, sentence(rule)) for rule in parse_rules(rules)]


def _draft(
    form: PolicyForm,
    rules: list[dict[str, Any]],
    account_id: UUID,
    channels: dict[str, UUID],
    before: Any,
) -> services.PolicyDraft:
    said = form.values()
    channel = said.pop("channel")
    return services.PolicyDraft(
        account_id=account_id,
        channel_id=channels.get(channel) if before is None else before.channel_id,
        rules=parse_rules(rules),
        based_on=before.pk if before else None,
        **said,
    )


def _initial(before: Any) -> dict[str, Any]:
    if before is None:
        return FRESH
    values = {
        name: getattr(before, name) for name in PolicyForm.base_fields if hasattr(before, name)
    }
    channel = before.channel.code if before.channel else ""
    return {**values, **before.weights, "channel": channel, "comment": ""}


def _planner(request: HttpRequest) -> Actor:
    frame = frame_of(request)
    if not frame.may(EDIT):
        raise Forbidden(REFUSED)
    if frame.nodes(EDIT) is not None:
        raise Forbidden("Policies reach beyond your nodes.")
    return actor_of(request, EDIT)
