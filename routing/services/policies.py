"""Commands of routing: policies in versions, rate cards, and the templates a new account starts with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from config.kernel import versions
from config.kernel.errors import Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import Actor
from routing.engine import Constraint
from routing.models import RateCard, RateZone, SourcingPolicy
from routing.states import PolicyState

WEIGHTS = ("cost_percent", "parcel_minor", "km_milli", "late_day_minor")
MAX_WEIGHT = 10**9


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """A policy as its author wants it. `channel_id` None makes it the whole account's."""

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


@dataclass(frozen=True, slots=True)
class ZoneDraft:
    """A ring of a rate card. Money in minor units of the card's currency, days of the carrier's."""

    max_km: int
    base_minor: int
    per_kg_minor: int
    days_p50: int
    days_p90: int


@dataclass(frozen=True, slots=True)
class RateCardDraft:
    """What a service level is expected to cost and take. `carrier_id` None: whoever the node uses."""

    code: str
    service_level_id: int
    zones: tuple[ZoneDraft, ...]
    currency: str = "USD"
    carrier_id: int | None = None
    name: str = ""
    holiday_country: str = "US"


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
)
"""Code, name and weights of the three policies that every account starts with."""

DEFAULT_TEMPLATE = "cheapest"


@transaction.atomic
def seed_policies(
    account_id: UUID, *, at: datetime, actor: Actor, live: str = DEFAULT_TEMPLATE
) -> dict[str, UUID]:
    """Give the account the three templates, one of them live; return their ids by code.

    Running it again changes nothing.
    """
    known = {
        policy.code: policy.id
        for policy in SourcingPolicy.objects.for_scope(actor.scope).filter(
            account_id=account_id, channel=None, version=1
        )
    }
    fresh = [
        SourcingPolicy(account_id=account_id, code=code, name=name, weights=dict(weights))
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
        publish_policy(known[live], at=at, actor=actor)
    return known


@transaction.atomic
def edit_policy(draft: PolicyDraft, *, at: datetime, actor: Actor) -> SourcingPolicy:
    """Make the next version of a policy, as a draft; what is live stays as it is.

    Raises Invalid for weights or limits that mean nothing, NotFound outside the actor's accounts.
    """
    if not actor.scope.allows(draft.account_id):
        raise NotFound("There is no such account.")
    _validate(draft)
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
        weights={name: int(draft.weights.get(name, 0)) for name in WEIGHTS},
        max_nodes=draft.max_nodes,
        max_km=draft.max_km,
        on_time=draft.on_time,
        allow_partial=draft.allow_partial,
        split_lines=draft.split_lines,
        soft=sorted(draft.soft),
    )
    record_history(
        SourcingPolicy, [policy.id], Change.CREATED, at=at, actor=actor, reason="new version"
    )
    return policy


@transaction.atomic
def publish_policy(policy_id: UUID, *, at: datetime, actor: Actor) -> SourcingPolicy:
    """Make the policy the live one of its account and channel; the one before it is retired.

    Raises IllegalTransition for a policy that is live or retired already.
    """
    policy = _locked(policy_id, actor)
    before = _live_policy(policy.account_id, policy.channel_id, actor)
    if before is not None and before.id != policy.id:
        before.retire(at=at)
        before.save(update_fields=["state", "retired_at"])
        record_history(
            SourcingPolicy,
            [before.id],
            Change.CHANGED,
            at=at,
            actor=actor,
            reason=f"replaced by {policy.code} v{policy.version}",
        )
    policy.publish(by=actor.name, at=at)
    policy.save(update_fields=["state", "published_by", "published_at"])
    record_history(
        SourcingPolicy, [policy.id], Change.CHANGED, at=at, actor=actor, reason="published"
    )
    versions.bump("policy")
    return policy


@transaction.atomic
def submit_policy(policy_id: UUID, *, at: datetime, actor: Actor) -> SourcingPolicy:
    """Ask for a second person's look."""
    policy = _locked(policy_id, actor)
    policy.submit()
    return _saved(policy, ["state"], "submitted for review", at=at, actor=actor)


@transaction.atomic
def schedule_policy(
    policy_id: UUID, *, starts_at: datetime, at: datetime, actor: Actor
) -> SourcingPolicy:
    """Have the policy go live by itself at a time. Raises Invalid for one that has passed."""
    if starts_at <= at:
        raise Invalid("A policy is scheduled for a time to come.")
    policy = _locked(policy_id, actor)
    policy.schedule(starts_at=starts_at)
    return _saved(policy, ["state", "starts_at"], "scheduled", at=at, actor=actor)


@transaction.atomic
def send_back_policy(policy_id: UUID, *, reason: str, at: datetime, actor: Actor) -> SourcingPolicy:
    """Make a policy in review, or a scheduled one, a draft again."""
    policy = _locked(policy_id, actor)
    policy.send_back()
    return _saved(policy, ["state", "starts_at"], reason, at=at, actor=actor)


@transaction.atomic
def retire_policy(policy_id: UUID, *, at: datetime, actor: Actor) -> SourcingPolicy:
    """Take a policy out of use; the account's own or the built-in one decides from then on."""
    policy = _locked(policy_id, actor)
    policy.retire(at=at)
    versions.bump("policy")
    return _saved(policy, ["state", "retired_at"], "retired", at=at, actor=actor)


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


@transaction.atomic
def define_rate_cards(drafts: Sequence[RateCardDraft], *, at: datetime, actor: Actor) -> list[int]:
    """Create or replace the rate cards of service levels; return their ids in order."""
    cards = RateCard.objects.bulk_create(
        [
            RateCard(
                code=draft.code,
                name=draft.name,
                service_level_id=draft.service_level_id,
                carrier_id=draft.carrier_id,
                currency=draft.currency,
                holiday_country=draft.holiday_country,
            )
            for draft in drafts
        ],
        update_conflicts=True,
        unique_fields=["service_level"],
        update_fields=["code", "name", "carrier", "currency", "holiday_country"],
    )
    levels = [draft.service_level_id for draft in drafts]
    pks = dict(
        RateCard.objects.filter(service_level_id__in=levels).values_list("service_level_id", "pk")
    )
    replaced = RateZone.objects.filter(card__in=pks.values())
    record_history(
        RateZone,
        list(replaced.values_list("pk", flat=True)),
        Change.DELETED,
        at=at,
        actor=actor,
        reason="replaced",
    )
    replaced.delete()
    zones = RateZone.objects.bulk_create(
        RateZone(
            card_id=pks[draft.service_level_id],
            max_km=zone.max_km,
            base_minor=zone.base_minor,
            per_kg_minor=zone.per_kg_minor,
            days_p50=zone.days_p50,
            days_p90=zone.days_p90,
        )
        for draft in drafts
        for zone in draft.zones
    )
    if cards:
        record_history(RateCard, pks.values(), Change.CHANGED, at=at, actor=actor, reason="defined")
    record_history(
        RateZone, [zone.pk for zone in zones], Change.CREATED, at=at, actor=actor, reason="defined"
    )
    versions.bump("rates")
    return [pks[level] for level in levels]


def _validate(draft: PolicyDraft) -> None:
    errors = [
        {"pointer": f"/weights/{name}", "code": "unknown", "detail": f"{name} is no weight."}
        for name in draft.weights
        if name not in WEIGHTS
    ]
    errors += [
        {
            "pointer": f"/weights/{name}",
            "code": "out-of-range",
            "detail": f"{name} is a whole number from 0 to {MAX_WEIGHT}.",
        }
        for name, value in draft.weights.items()
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_WEIGHT
    ]
    if not errors and not any(draft.weights.values()):
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
