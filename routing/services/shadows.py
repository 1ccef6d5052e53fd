"""Shadows: a version that decides beside live, on the same inputs, and takes nothing.

A shadow is a simulation without an end. Its step follows the recorded decisions some time behind
them, so that one that commits late is not passed over, and never within an accepting transaction.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from config.kernel import ids
from config.kernel.errors import Conflict, NotFound
from config.kernel.types import ALL_ACCOUNTS, Actor, Scope
from routing.models import RoutingDecision, SourcingPolicy
from routing.services.simulations import AS_RECORDED, play_on
from routing.simulating_samples import Sample
from routing.simulation_models import Simulation, SimulationKind
from routing.states import PolicyState

BEHIND: Final = timedelta(seconds=30)
BATCH: Final = 200
BATCHES: Final = 5
EVER: Final = timedelta(days=36_500)


@transaction.atomic
def start_shadow(policy_id: UUID, *, at: datetime, actor: Actor) -> Simulation:
    """Have the version decide beside live from the next decision on.

    Raises NotFound outside the actor's accounts, Conflict for a version that is live or over, or
    that has a shadow already.
    """
    policy: SourcingPolicy | None = (
        SourcingPolicy.objects.for_scope(actor.scope).locked([policy_id]).first()
    )
    if policy is None:
        raise NotFound("There is no such policy.")
    if policy.state in {PolicyState.LIVE, PolicyState.RETIRED}:
        raise Conflict("A shadow is for a version that may yet go live.")
    known = Simulation.objects.for_scope(actor.scope)
    if known.filter(policy=policy, kind=SimulationKind.SHADOW, stopped_at=None).exists():
        raise Conflict("It runs beside live already.")
    latest = RoutingDecision.objects.for_scope(actor.scope).filter(account_id=policy.account_id)
    sample = Sample("period", at, at + EVER)
    shadow: Simulation = Simulation.objects.create(
        id=ids.uuid7(),
        account_id=policy.account_id,
        kind=SimulationKind.SHADOW,
        title=f"Shadow of {policy}"[:200],
        policy=policy,
        variants=[
            {"label": AS_RECORDED, "policy": "", "weights": {}},
            {"label": str(policy), "policy": str(policy.pk), "weights": {}},
        ],
        sample=sample.as_json() | {"label": "beside live"},
        reached=latest.order_by("-pk").values_list("pk", flat=True).first(),
        asked_by=actor.name,
        at=at,
    )
    return shadow


@transaction.atomic
def stop_shadow(simulation_id: UUID, *, at: datetime, actor: Actor) -> Simulation:
    """Raises NotFound outside the scope, Conflict for one that was stopped."""
    shadow: Simulation | None = (
        Simulation.objects.for_scope(actor.scope)
        .filter(kind=SimulationKind.SHADOW)
        .locked([simulation_id])
        .first()
    )
    if shadow is None:
        raise NotFound("There is no such shadow.")
    if shadow.stopped_at is not None:
        raise Conflict("It was stopped already.")
    shadow.stopped_at = at
    shadow.save(update_fields=["stopped_at"])
    return shadow


def follow_shadows(*, at: datetime, actor: Actor, behind: timedelta = BEHIND) -> int:
    """The leased step: play what was decided since, in batches; return how many decisions."""
    del at, actor
    wanted = Simulation.objects.for_scope(ALL_ACCOUNTS).filter(
        kind=SimulationKind.SHADOW, stopped_at=None
    )
    played = 0
    for shadow_id in list(wanted.order_by("pk").values_list("pk", flat=True)):
        for _ in range(BATCHES):
            done = _follow(shadow_id, behind)
            played += done
            if done < BATCH:
                break
    return played


@transaction.atomic
def _follow(shadow_id: UUID, behind: timedelta) -> int:
    shadow: Simulation | None = (
        Simulation.objects.for_scope(ALL_ACCOUNTS)
        .filter(stopped_at=None)
        .locked([shadow_id])
        .first()
    )
    if shadow is None:
        return 0
    within = Scope(frozenset({shadow.account_id}))
    decided = RoutingDecision.objects.for_scope(within).filter(recorded_at__lt=Now() - behind)
    if shadow.reached is not None:
        decided = decided.filter(pk__gt=shadow.reached)
    batch = list(decided.order_by("pk").values_list("pk", flat=True)[:BATCH])
    if not batch:
        return 0
    play_on(shadow, batch, within)
    shadow.reached = batch[-1]
    shadow.save(update_fields=["reached"])
    return len(batch)
