"""Policies in versions: drafted, reviewed by a second person, published, brought back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from config.kernel import versions
from config.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import Actor, ActorKind
from routing.engine import Constraint
from routing.models import SourcingPolicy
from routing.rule_reading import parse_rules
from routing.rules import TERMS, WEIGHTS, Rule, as_json, range_of
from routing.states import PolicyState

TOPIC = "policy"


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """A policy as its author wants it. `channel_id` None makes it the whole account's.

    `rules` come as read by `routing.rule_reading`. `based_on` is the version it was made from.
    """

    account_id: UUID
    code: str
    name: str
    weights: Mapping[str, Any]
    channel_id: UUID | None = None
    max_nodes: int = 4
    max_km: int | None = None
    on_time: bool = False
    allow_partial: bool = True
    split_lines: bool = True
    soft: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    comment: str = ""
    based_on: UUID | None = None


TEMPLATES: tuple[tuple[str, str, Mapping[str, int]], ...] = (
    (
        "nearest",
        "Nearest",
        {"cost_percent": 1, "parcel_minor": 0, "km_milli": 100_000, "late_day_minor": 500},
    ),
    (
        "fewest-parcels",
        "Fewest parcels",
        {"cost_percent": 100, "parcel_minor": 10_000_000, "km_milli": 0, "late_day_minor": 500},
    ),
    (
        "cheapest",
        "Cheapest",
        {"cost_percent": 100, "parcel_minor": 0, "km_milli": 0, "late_day_minor": 500},
    ),
    (
        "soonest",
        "Soonest",
        {
            "cost_percent": 100,
            "parcel_minor": 0,
            "km_milli": 0,
            "late_day_minor": 500,
            "day_minor": 1_000_000,
        },
    ),
)
"""Code, name and weights of the policies that every account starts with."""

DEFAULT_TEMPLATE = "cheapest"


@transaction.atomic
def seed_policies(
    account_id: UUID, *, at: datetime, actor: Actor, live: str = DEFAULT_TEMPLATE
) -> dict[str, UUID]:
    """Give the account the templates, one of them live; return their ids by code.

    Running it again changes nothing. Templates were reviewed by who wrote them: here.
    """
    known = {
        policy.code: policy.id
        for policy in SourcingPolicy.objects.for_scope(actor.scope).filter(
            account_id=account_id, channel=None, version=1
        )
    }
    fresh = [
        SourcingPolicy(
            account_id=account_id,
            code=code,
            name=name,
            weights=dict(weights),
            drafted_by="template",
        )
        for code, name, weights in TEMPLATES
        if code not in known
    ]
    SourcingPolicy.objects.bulk_create(fresh)
    record_history(
        SourcingPolicy,
        [policy.id for policy in fresh],
        Change.CREATED,
        at=at,
        actor=actor,
        reason="template",
    )
    known |= {policy.code: policy.id for policy in fresh}
    if fresh and not _live_policy(account_id, None, actor):
        first = _locked(known[live], actor)
        first.submit()
        _go_live(first, "template", at=at, actor=actor)
    return known


@transaction.atomic
def edit_policy(draft: PolicyDraft, *, at: datetime, actor: Actor) -> SourcingPolicy:
    """Make the next version of a policy, as a draft; what is live stays as it is.

    Raises Invalid for weights, limits or rules that mean nothing, NotFound outside the actor's
    accounts.
    """
    if not actor.scope.allows(draft.account_id):
        raise NotFound("There is no such account.")
    _validate(draft)
    policy = _new_version(draft, actor)
    record_history(
        SourcingPolicy, [policy.id], Change.CREATED, at=at, actor=actor, reason="new version"
    )
    return policy


@transaction.atomic
def submit_policy(policy_id: UUID, *, at: datetime, actor: Actor) -> SourcingPolicy:
    """Ask for a second person's look."""
    policy = _locked(policy_id, actor)
    policy.submit()
    return _saved(policy, ["state"], "submitted for review", at=at, actor=actor)


@transaction.atomic
def send_back_policy(policy_id: UUID, *, reason: str, at: datetime, actor: Actor) -> SourcingPolicy:
    """Make a policy in review, or a scheduled one, a draft again, with what is to be changed."""
    policy = _locked(policy_id, actor)
    policy.send_back(by=actor.name, note=reason)
    fields = ["state", "starts_at", "reviewed_by", "review_note"]
    return _saved(policy, fields, reason, at=at, actor=actor)


@transaction.atomic
def publish_policy(
    policy_id: UUID, *, at: datetime, actor: Actor, note: str = ""
) -> SourcingPolicy:
    """Make the policy the live one of its account and channel; the one before it is retired.

    Whoever publishes a policy in review has reviewed it. Raises IllegalTransition for one that was
    not submitted or is over, Forbidden for its author.
    """
    policy = _locked(policy_id, actor)
    _by_a_second_person(policy, actor)
    if policy.state == PolicyState.IN_REVIEW:
        policy.reviewed_by, policy.review_note = actor.name, note
    return _go_live(policy, "published", at=at, actor=actor)


@transaction.atomic
def schedule_policy(
    policy_id: UUID, *, starts_at: datetime, at: datetime, actor: Actor, note: str = ""
) -> SourcingPolicy:
    """Have a reviewed policy go live by itself at a time.

    Raises Invalid for a time that has passed, Forbidden for the policy's author.
    """
    if starts_at <= at:
        raise Invalid(
            "A policy is scheduled for a time to come.",
            errors=[
                {"pointer": "/starts_at", "code": "past", "detail": "Give a time that is to come."}
            ],
        )
    policy = _locked(policy_id, actor)
    _by_a_second_person(policy, actor)
    policy.schedule(by=actor.name, note=note, starts_at=starts_at)
    fields = ["state", "starts_at", "reviewed_by", "review_note"]
    return _saved(policy, fields, "scheduled", at=at, actor=actor)


@transaction.atomic
def retire_policy(policy_id: UUID, *, at: datetime, actor: Actor) -> SourcingPolicy:
    """Take a policy out of use; the account's own or the built-in one decides from then on."""
    policy = _locked(policy_id, actor)
    policy.retire(at=at)
    versions.bump(TOPIC)
    return _saved(policy, ["state", "retired_at"], "retired", at=at, actor=actor)


@transaction.atomic
def roll_back_policy(policy_id: UUID, *, reason: str, at: datetime, actor: Actor) -> SourcingPolicy:
    """Put back in one step what was live before the live policy: as a new version, live at once.

    That one had its review when it was published. Raises Conflict when the policy is not live, or
    when nothing was live before it.
    """
    policy = _locked(policy_id, actor)
    if policy.state != PolicyState.LIVE:
        raise Conflict("Only the live policy is rolled back.")
    before = (
        SourcingPolicy.objects.for_scope(actor.scope)
        .filter(
            account_id=policy.account_id,
            channel_id=policy.channel_id,
            state=PolicyState.RETIRED,
            published_at__isnull=False,
        )
        .order_by("-retired_at", "-pk")
        .first()
    )
    if before is None:
        raise Conflict("Nothing was live before this policy.")
    again = _new_version(draft_of(before, comment=reason), actor)
    record_history(
        SourcingPolicy, [again.id], Change.CREATED, at=at, actor=actor, reason="rolled back"
    )
    again.submit()
    again.reviewed_by, again.review_note = actor.name, f"As it was in version {before.version}."
    return _go_live(again, f"rolled back: {reason}", at=at, actor=actor)


def publish_scheduled(*, at: datetime, actor: Actor) -> int:
    """Publish what is due, each in its own transaction; return how many went live."""
    due = (
        SourcingPolicy.objects.for_scope(actor.scope)
        .filter(state=PolicyState.SCHEDULED, starts_at__lte=at)
        .order_by("starts_at", "pk")
        .values_list("pk", flat=True)
    )
    published = 0
    for policy_id in due:
        publish_policy(policy_id, at=at, actor=actor)
        published += 1
    return published


def draft_of(policy: SourcingPolicy, *, comment: str = "") -> PolicyDraft:
    """What an author starts from who goes on from this version."""
    return PolicyDraft(
        account_id=policy.account_id,
        code=policy.code,
        name=policy.name,
        weights=policy.weights,
        channel_id=policy.channel_id,
        max_nodes=policy.max_nodes,
        max_km=policy.max_km,
        on_time=policy.on_time,
        allow_partial=policy.allow_partial,
        split_lines=policy.split_lines,
        soft=tuple(policy.soft),
        rules=parse_rules(policy.rules),
        comment=comment,
        based_on=policy.pk,
    )


def _new_version(draft: PolicyDraft, actor: Actor) -> SourcingPolicy:
    same = SourcingPolicy.objects.for_scope(actor.scope).filter(
        account_id=draft.account_id, channel_id=draft.channel_id, code=draft.code
    )
    # The rows of the earlier versions are the gate: two edits at once get two numbers.
    list(same.locked(same.values_list("pk", flat=True)))
    version = (same.aggregate(latest=Max("version"))["latest"] or 0) + 1
    policy: SourcingPolicy = SourcingPolicy.objects.create(
        account_id=draft.account_id,
        channel_id=draft.channel_id,
        code=draft.code,
        version=version,
        name=draft.name,
        weights={name: int(draft.weights.get(name, 0)) for name in WEIGHTS}
        | {name: int(draft.weights.get(name, usual)) for name, usual in TERMS.items()},
        max_nodes=draft.max_nodes,
        max_km=draft.max_km,
        on_time=draft.on_time,
        allow_partial=draft.allow_partial,
        split_lines=draft.split_lines,
        soft=sorted(draft.soft),
        rules=as_json(draft.rules),
        comment=draft.comment,
        based_on_id=draft.based_on,
        drafted_by_id=actor.id,
        drafted_by=actor.name,
    )
    return policy


def _go_live(policy: SourcingPolicy, reason: str, *, at: datetime, actor: Actor) -> SourcingPolicy:
    before = _live_policy(policy.account_id, policy.channel_id, actor)
    if before is not None and before.id != policy.id:
        before.retire(at=at)
        replaced = f"replaced by {policy.code} v{policy.version}"
        _saved(before, ["state", "retired_at"], replaced, at=at, actor=actor)
    policy.publish(by=actor.name, at=at)
    versions.bump(TOPIC)
    fields = ["state", "published_by", "published_at", "reviewed_by", "review_note"]
    return _saved(policy, fields, reason, at=at, actor=actor)


def _by_a_second_person(policy: SourcingPolicy, actor: Actor) -> None:
    if actor.kind is not ActorKind.SYSTEM and actor.id == policy.drafted_by_id:
        raise Forbidden("Another person reviews a policy than the one who drafted it.")


def _validate(draft: PolicyDraft) -> None:
    errors = [
        {"pointer": f"/weights/{name}", "code": "unknown", "detail": f"{name} is no weight."}
        for name in draft.weights
        if name not in WEIGHTS and name not in TERMS
    ]
    errors += [
        {
            "pointer": f"/weights/{name}",
            "code": "out-of-range",
            "detail": f"{name} is a whole number from {least} to {most}.",
        }
        for name, value in draft.weights.items()
        for least, most in [range_of(name)]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most
    ]
    if not errors and not any(draft.weights.get(name) for name in WEIGHTS):
        errors.append(
            {"pointer": "/weights", "code": "all-zero", "detail": "Some weight must count."}
        )
    if draft.max_nodes < 1:
        errors.append(
            {"pointer": "/max_nodes", "code": "out-of-range", "detail": "At least one node ships."}
        )
    errors += [
        {"pointer": "/soft", "code": "unknown", "detail": f"{code} is no constraint."}
        for code in draft.soft
        if code not in set(Constraint)
    ]
    if errors:
        raise Invalid("The policy does not make sense.", errors=errors)


def _locked(policy_id: UUID, actor: Actor) -> SourcingPolicy:
    policy: SourcingPolicy | None = (
        SourcingPolicy.objects.for_scope(actor.scope).locked([policy_id]).first()
    )
    if policy is None:
        raise NotFound("There is no such policy.")
    return policy


def _live_policy(account_id: UUID, channel_id: UUID | None, actor: Actor) -> SourcingPolicy | None:
    live: SourcingPolicy | None = (
        SourcingPolicy.objects.for_scope(actor.scope)
        .filter(account_id=account_id, channel_id=channel_id, state=PolicyState.LIVE)
        .select_for_update(of=("self",))
        .first()
    )
    return live


def _saved(
    policy: SourcingPolicy, fields: list[str], reason: str, *, at: datetime, actor: Actor
) -> SourcingPolicy:
    policy.save(update_fields=fields)
    record_history(SourcingPolicy, [policy.id], Change.CHANGED, at=at, actor=actor, reason=reason)
    return policy
