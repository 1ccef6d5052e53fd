"""Sums of the books that do not hold, and what a repair of them would do."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class DriftFound:
    """A sum that does not hold now: the row says `found`, its parts say `expected`."""

    kind: str
    account_id: UUID
    node_id: int
    sku_id: int
    position_id: int
    level_id: int | None
    found: int
    expected: int

    @property
    def place(self) -> tuple[int, str, int | None]:
        return self.position_id, self.kind, self.level_id


@dataclass(frozen=True, slots=True)
class RepairLine:
    """One sum as it stands at this moment, and what its repair does to it."""

    drift_id: UUID | None
    drift: DriftFound
    said: str


@dataclass(frozen=True, slots=True)
class RepairPreview:
    """What a repair would do. `token` is handed back to apply exactly this and nothing else."""

    lines: tuple[RepairLine, ...]
    token: str


@dataclass(frozen=True, slots=True)
class DriftRound:
    """What one turn of the check has looked at and found."""

    positions: int
    found: int
    is_complete: bool
