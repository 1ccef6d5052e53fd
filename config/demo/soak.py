"""A day of the demo's life with every failure switched on in turn, and the proof that all of it heals.

The retailer's fortnight is played, so that parcels and returns are on their way; then it lives by the
simulated systems. For two hours each, every kind of failure strikes a share of everything, everywhere.
Then the world is whole again, buyers stay away, and what is still under way has some hours; the clocks
stop, and both sides are compared.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from config.demo import fortnight, records, setup, taken_back
from config.demo.counterparts import Counterparts
from config.demo.handing_over import meet_again
from config.demo.play import drain
from config.demo.records import Difference
from config.demo.retailer import NODES
from config.demo.shoppers import NOW
from config.demo.stage import Stage
from config.demo.storefronts import SHOPS
from config.invariants import check_all
from config.kernel import clock, ticker
from config.kernel.types import Scope
from config.reports import leftovers, summary
from integrations.sandbox.panel import KINDS

HOURS_EACH: Final = 2
SHARE: Final = 0.15
HEALING_HOURS: Final = 6
_DRAIN_SECONDS: Final = 240
_PAUSE_SECONDS: Final = 0.5
_BUYERS: Final = (*SHOPS.values(), "marketplace")
_LOOKS: Final = 3
"""Rounds of looking at the other side after the clocks have stopped."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that must be nought at the end, and what it is."""

    what: str
    number: int
    examples: tuple[str, ...] = ()


def begin(
    stage: Stage,
    *,
    speed: float,
    orders_an_hour: float,
    progress: Callable[[datetime, int], None],
) -> None:
    """An installation after its fortnight, connected to everything, begins to live."""
    stage.start_worker()
    fortnight.live_through(stage, progress=progress)
    there = stage.counterparts
    _let_buyers_in(there, orders_an_hour / len(_BUYERS))
    stage.await_web()
    meet_again(setup.known_retailer(), there, stage.url, at=NOW)
    clock.set_to(NOW, speed=speed)
    there.set_clocks(NOW, speed)
    stage.start_life()


def suffer(
    stage: Stage, *, stopped: Callable[[], bool], said: Callable[[str, datetime], None]
) -> None:
    """Every kind of failure in turn, at every simulator; then none, and time to heal."""
    for number, kind in enumerate(KINDS):
        until = NOW + timedelta(hours=HOURS_EACH * (number + 1))
        failure = {"kind": kind, "share": SHARE, "until": until.isoformat(), "seconds": 2}
        for name in stage.counterparts.urls:
            stage.counterparts.tell(name, "PUT", "failures", {"failures": [failure]})
        said(kind, until)
        if not _live_until(stage, until, stopped):
            return
    for name in stage.counterparts.urls:
        stage.counterparts.tell(name, "PUT", "failures", {"failures": []})
    _let_buyers_in(stage.counterparts, 0)
    until = NOW + timedelta(hours=HOURS_EACH * len(KINDS) + HEALING_HOURS)
    said("healing", until)
    _live_until(stage, until, stopped)


def settle(stage: Stage) -> bool:
    """Stop the clocks, and let everything that is known be told; False when it does not end."""
    stage.end_life()
    now = clock.now()
    clock.set_to(now, speed=0)
    stage.counterparts.set_clocks(now, 0)
    whole = True
    for _ in range(_LOOKS):
        now += timedelta(minutes=20)
        clock.set_to(now, speed=0)
        stage.counterparts.move_to(now, wait=30)
        for step in ticker.steps(quick=True) + ticker.steps(quick=False):
            step.run(now)
        whole = drain(seconds=_DRAIN_SECONDS)
    return whole


def verdicts(counterparts: Counterparts, scope: Scope) -> Iterator[Verdict]:
    """Everything that must be nought: ours, theirs, and what lies between."""
    broken = check_all()
    yield Verdict(
        "invariants violated",
        len(broken),
        tuple(f"{violation.code}: {violation.detail}" for violation in broken),
    )
    yield Verdict("oversold by our book", summary.oversold(scope=scope))
    yield Verdict("oversold by their shelves", records.oversold(counterparts, scope=scope))
    copies = records.copies_compared(counterparts, scope=scope)
    yield _of("copies that differ", list(copies.differ))
    yield _of("money out of balance", records.money_differing(counterparts, scope=scope))
    cancels = taken_back.cancels(counterparts, scope=scope)
    yield _of("cancels unlike the sellers' records", list(cancels.differ))
    yield _of("refunds unlike the records", taken_back.refunds(counterparts, scope=scope))
    returns = taken_back.returns(counterparts, scope=scope)
    yield _of("returns unlike the carrier's records", list(returns.differ))
    yield _of("orders lost", records.orders_lost(counterparts, scope=scope))
    yield _of("told twice", records.told_twice(counterparts))
    for what, number in leftovers.counted(scope=scope).items():
        yield Verdict(what, number)


def _of(what: str, found: list[Difference]) -> Verdict:
    return Verdict(what, len(found), tuple(str(one) for one in found))


def _let_buyers_in(counterparts: Counterparts, per_hour: float) -> None:
    for name in _BUYERS:
        counterparts.tell(name, "POST", "shopper", {"per_hour": per_hour})
    tills = dict(counterparts.records("stores", "tills"))
    for node in (plan for plan in NODES if plan.code in tills):
        till = tills[node.code]
        counterparts.tell("stores", "PUT", "till", {**till, "per_hour": per_hour / 4})


def _live_until(stage: Stage, until: datetime, stopped: Callable[[], bool]) -> bool:
    """Let business time run; children that die are started again. False when asked to stop."""
    while clock.now() < until:
        if stopped():
            return False
        stage.stack.supervise()
        time.sleep(_PAUSE_SECONDS)
    return True
