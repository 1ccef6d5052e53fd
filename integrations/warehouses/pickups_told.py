"""What stores tell of pickups, given to fulfillment's commands: ready, collected, put back."""

from collections.abc import Sequence
from datetime import datetime

from config.kernel.types import Actor, Outcome
from fulfillment import services
from fulfillment.states import FulfillmentState
from fulfillment.types import Collection, Pack, PackedOrder, Worked
from integrations.warehouses.reports import Collected, PutBack, Ready
from integrations.warehouses.telling import Came, Told, of, settle, when, work_of

_SET_ASIDE = {
    FulfillmentState.READY_FOR_PICKUP,
    FulfillmentState.COLLECTED,
    FulfillmentState.EXPIRED,
}


def apply(told: Sequence[Told], *, at: datetime, actor: Actor) -> None:
    """Have pickups set aside, handed out and put back, in this order."""
    _set_aside(told, at=at, actor=actor)
    _hand_out(told, at=at, actor=actor)
    _put_back(told, at=at, actor=actor)


def _set_aside(told: Sequence[Told], *, at: datetime, actor: Actor) -> None:
    """A pickup has no parcels by which a repeat is known: one that lies aside already is one."""
    ready = [one for one, _ in of(told, Ready) if work_of(one).state not in _SET_ASIDE]
    if not ready:
        return
    outcomes = services.record_packs(
        [Pack(work_of(one).id) for one in ready], at=when(ready, at), actor=actor
    )
    for one, outcome in zip(ready, outcomes, strict=True):
        _settle_or_wait(one, outcome, "nothing-to-pack")


def _hand_out(told: Sequence[Told], *, at: datetime, actor: Actor) -> None:
    collected = of(told, Collected)
    if not collected:
        return
    outcomes = services.collect(
        [
            Collection(work_of(one).id, collected_by=report.collected_by)
            for one, report in collected
        ],
        at=when((one for one, _ in collected), at),
        actor=actor,
    )
    for (one, _), outcome in zip(collected, outcomes, strict=True):
        _settle_or_wait(one, outcome, "illegal-transition")


def _put_back(told: Sequence[Told], *, at: datetime, actor: Actor) -> None:
    back = [one for one, _ in of(told, PutBack)]
    if not back:
        return
    outcomes = services.put_back([work_of(one).id for one in back], at=when(back, at), actor=actor)
    for one, outcome in zip(back, outcomes, strict=True):
        _settle_or_wait(one, outcome, "illegal-transition")


def _settle_or_wait(one: Told, outcome: Outcome[Worked] | Outcome[PackedOrder], early: str) -> None:
    """A step that is told before the one that leads to it waits for that; of what is over, nothing."""
    if outcome.problem is not None and outcome.problem.code == early:
        if work_of(one).state == FulfillmentState.CANCELLED:
            one.become(Came.SAME)
        else:
            one.become(Came.WAITS, "too-early", "The step before it was not told yet.")
    else:
        settle(one, outcome)
