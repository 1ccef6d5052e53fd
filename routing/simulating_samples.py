"""Which recorded decisions a simulation plays: a period, named orders, or a peak made of a period. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from config.kernel.errors import Invalid
from routing.simulating import HOURS_UP_TO_DAYS

MOST_DECISIONS: Final = 200_000
MOST_ORDERS: Final = 500
PEAK_TENTHS: Final = 30
MOST_TENTHS: Final = 100
DAYS: Final = {"yesterday": 1, "last_7_days": 7, "last_30_days": 30, "peak": 7}
KINDS: Final = ("yesterday", "last_7_days", "last_30_days", "period", "orders", "peak")
LABELS: Final = {
    "yesterday": "yesterday",
    "last_7_days": "the last 7 days",
    "last_30_days": "the last 30 days",
    "period": "a period",
    "orders": "these orders",
    "peak": "a peak made of the last 7 days",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """Decisions from `starts_at` to before `ends_at`; in a peak each is played `tenths` / 10 times.

    `order_ids` alone are counted where given; the decisions between them are not played.
    """

    kind: str
    starts_at: datetime
    ends_at: datetime
    order_ids: tuple[UUID, ...] = ()
    tenths: int = 10
    seed: int = 1

    @property
    def by_hour(self) -> bool:
        return self.ends_at - self.starts_at <= timedelta(days=HOURS_UP_TO_DAYS)

    @property
    def label(self) -> str:
        if self.kind == "period":
            return f"{self.starts_at:%-d %b %Y} to {self.ends_at:%-d %b %Y}"
        if self.kind == "orders":
            count = len(self.order_ids)
            return f"{count} order" if count == 1 else f"{count} orders"
        if self.kind == "peak":
            return f"a peak of {self.tenths / 10:g} times the last 7 days"
        return LABELS[self.kind]

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "label": self.label,
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat(),
            "orders": [str(order_id) for order_id in self.order_ids],
            "tenths": self.tenths,
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Sample":
        return cls(
            said["kind"],
            datetime.fromisoformat(said["starts_at"]),
            datetime.fromisoformat(said["ends_at"]),
            tuple(UUID(order_id) for order_id in said["orders"]),
            said["tenths"],
            said["seed"],
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sample as somebody asks for it. Days begin and end at midnight of `now`'s time zone."""

    kind: str
    now: datetime
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    order_ids: tuple[UUID, ...] = ()
    tenths: int = PEAK_TENTHS
    seed: int = 1

    def sample(self) -> Sample:
        """Raises Invalid for one that means nothing."""
        if self.kind not in KINDS:
            raise _wrong("kind", "unknown", f"Choose one of {', '.join(KINDS)}.")
        if self.kind == "orders":
            if not 1 <= len(self.order_ids) <= MOST_ORDERS:
                raise _wrong("orders", "count", f"Name 1 to {MOST_ORDERS} orders.")
            first = datetime(2000, 1, 1, tzinfo=self.now.tzinfo)
            return Sample(self.kind, first, self.now, self.order_ids)
        if self.kind == "period":
            if self.starts_at is None or self.ends_at is None or self.ends_at <= self.starts_at:
                raise _wrong("ends_at", "order", "Say from when, and until a later time.")
            return Sample(self.kind, self.starts_at, self.ends_at)
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        starts_at = midnight - timedelta(days=DAYS[self.kind])
        if self.kind == "yesterday":
            return Sample(self.kind, starts_at, midnight)
        if self.kind != "peak":
            return Sample(self.kind, starts_at, self.now)
        if not 10 < self.tenths <= MOST_TENTHS:
            raise _wrong("times", "range", "A peak is more than 1 and at most 10 times as much.")
        return Sample(self.kind, starts_at, self.now, tenths=self.tenths, seed=self.seed)


def _wrong(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(
        "The sample means nothing.",
        errors=[{"pointer": f"/sample/{pointer}", "code": code, "detail": detail}],
    )
