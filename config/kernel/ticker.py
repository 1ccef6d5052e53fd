"""Steps that run by themselves: apps register them, the tick and the sweep run them.

Each step holds a lease of its own while it runs and rests until its next turn, so any number of
workers and schedulers may tick at once. One that fails does not stop the others.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from config.kernel import clock
from config.kernel.services import leases

QUICK_SECONDS: Final = 10
"""Steps that come round sooner belong to the tick, the others to the sweep."""
LEASE_SECONDS: Final = 90.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """`run(at)` does a bounded piece of work; what is left waits for the next turn."""

    name: str
    every_seconds: float
    run: Callable[[datetime], object]

    @property
    def lease(self) -> str:
        return f"step:{self.name}"


_steps: dict[str, Step] = {}


def register(name: str, every_seconds: float, run: Callable[[datetime], object]) -> None:
    """Have `run(at)` called about every so many seconds; called from `AppConfig.ready()`."""
    if name in _steps:
        raise ValueError(f"the step {name} is registered twice")
    _steps[name] = Step(name, every_seconds, run)


def steps(*, quick: bool) -> list[Step]:
    return [s for s in _steps.values() if (s.every_seconds < QUICK_SECONDS) is quick]


def step(name: str) -> Step:
    return _steps[name]


def run_steps(wanted: Iterable[Step]) -> list[str]:
    """Run those that are due, one after another. Returns the names of those that ran.

    Asking which are due costs one statement for all.
    """
    by_lease = {s.lease: s for s in wanted}
    return [by_lease[name].name for name in leases.due(list(by_lease)) if _run(by_lease[name])]


def _run(wanted: Step) -> bool:
    lease = leases.take(wanted.lease, seconds=LEASE_SECONDS)
    if lease is None:
        return False
    try:
        wanted.run(clock.now())
    except Exception:  # noqa: BLE001  # whatever an app's step raises
        _log.exception("a step failed", extra={"step": wanted.name})
    lease.release(rest_seconds=wanted.every_seconds)
    return True
