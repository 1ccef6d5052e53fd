"""The failure panel: what goes wrong at a simulator, for which share of requests, and until when.

On requests in:   rate_limit    429 with Retry-After of `seconds` (1)
                  server_error  500, half of them after the effect
                  slow          answered after `seconds` (3)
                  silence       the connection is hung up, half of them after the effect
On hooks out:     duplicate     sent twice
                  reorder       held back up to `seconds` (3) while later ones are sent
                  drop          never sent
                  slow          sent `seconds` (3) late
                  silence       held back until the failure is over
                  stale         an old message is sent again
                  wrong_signature  signed over other bytes
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from integrations.sandbox.clock import instant

KINDS = (
    "duplicate",
    "reorder",
    "rate_limit",
    "server_error",
    "silence",
    "stale",
    "slow",
    "wrong_signature",
    "drop",
)


@dataclass(frozen=True, slots=True)
class Failure:
    """`share` of what it concerns fails, until a time of the simulator's clock or for good."""

    kind: str
    share: float = 1.0
    until: datetime | None = None
    seconds: float | None = None

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> "Failure":
        """Raises ValueError for what is no failure."""
        kind, share = str(said.get("kind", "")), float(said.get("share", 1.0))
        if kind not in KINDS:
            raise ValueError(f"{kind} is no kind of failure: {', '.join(KINDS)}")
        if not 0 <= share <= 1:
            raise ValueError("share is between 0 and 1")
        seconds = said.get("seconds")
        return cls(
            kind, share, instant(said.get("until")), None if seconds is None else float(seconds)
        )

    def said(self) -> dict[str, Any]:
        return asdict(self) | {"until": self.until.isoformat() if self.until else None}


class Panel:
    """Failures that are switched on. The dice are the panel's own, so that failures do not shift
    what the simulator draws.
    """

    def __init__(self, seed: int, now: Callable[[], datetime]) -> None:
        self._dice = random.Random(seed)  # noqa: S311  # replayable, guards nothing
        self._now = now
        self._lock = Lock()
        self._failures: list[Failure] = []
        self.struck: dict[str, int] = {}

    def set(self, failures: Sequence[Failure]) -> None:
        with self._lock:
            self._failures = list(failures)

    def listed(self) -> list[Failure]:
        """Those that are on now."""
        now = self._now()
        with self._lock:
            return [one for one in self._failures if one.until is None or now < one.until]

    def strikes(self, kind: str) -> Failure | None:
        """Whether a failure of this kind hits now, by its share."""
        for one in self.listed():
            if one.kind == kind and self.chance() < one.share:
                with self._lock:
                    self.struck[kind] = self.struck.get(kind, 0) + 1
                return one
        return None

    def is_on(self, kind: str) -> bool:
        return any(one.kind == kind for one in self.listed())

    def chance(self) -> float:
        with self._lock:
            return self._dice.random()
