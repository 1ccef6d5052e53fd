"""How a POST to an endpoint ended, as it is judged and logged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Posted:
    """How a POST ended. `status` is None when no answer came; `ran_out` when that took long."""

    status: int | None
    error: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    seconds: float = 0.0
    ran_out: bool = False
    unsafe: bool = False

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    def retry_after(self, *, now: datetime) -> float | None:
        """The pause the other end has asked for, in seconds; None when it named none."""
        said = self.headers.get("retry-after", "").strip()
        if said.isdecimal():
            return float(said)
        try:
            until = parsedate_to_datetime(said)
        except ValueError:
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, (until - now).total_seconds())
