"""Feeds: what they declare, how they stand, and what their snapshots and changes are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from inventory.types.stock import StockChange


@dataclass(frozen=True, slots=True)
class FeedTerms:
    """What a source declares of its feed about an account's stock at a node; see `models.Feed`."""

    node_id: int
    source: str
    account_id: UUID
    semantics: str = "both"
    nets_committed: bool = False
    nets_picked: bool = False
    nets_held: bool = True
    ordering: str = "none"
    expected_every: timedelta | None = None
    silent_after: timedelta | None = None
    degrade: str = "none"
    haircut_percent: int = 0
    heal_units: int | None = None
    heal_percent: int | None = None
    heal_value_minor: int | None = None
    heal_sensitive: bool = True
    reconcile_every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class FeedView:
    """How the feeds about a node stand: the worst of them. `age` is since it last spoke.

    `effect` is a `Degrade`: what its silence does to the node's availability at present.
    """

    node_id: int
    feed_id: int
    source: str
    state: str
    age: timedelta | None
    effect: str
    haircut_percent: int


@dataclass(frozen=True, slots=True)
class FeedDelta:
    """A change that a feed tells, with its number where the feed counts its messages."""

    change: StockChange
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class DeltasTaken:
    """How far a feed has told: its highest number, and the numbers below it that are missing."""

    sequence: int | None
    missing: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SnapshotDraft:
    """A snapshot that is about to come in parts.

    `complete`: what it does not list is not there. `sequence`: the number of the feed's last
    change that is in its figures already.
    """

    node_id: int
    account_id: UUID
    source: str
    as_of: datetime
    complete: bool = False
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class SnapshotRowText:
    """A row of a snapshot as it was read: its place, and its figure."""

    row: int
    sku: str
    quantity: int
    condition: str
    lot: str = ""
    owner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing that is wrong with a row (0: with the whole), and what to do about it."""

    row: int
    column: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class SnapshotView:
    """How a snapshot stands. `run_id` is its reconciliation's, once it is accepted."""

    id: UUID
    account_id: UUID
    node_id: int
    source: str
    state: str
    as_of: datetime
    rows: int
    parts: int
    applied_rows: int
    problems: tuple[RowProblem, ...]
    problems_found: int
    run_id: UUID | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decides of an open difference: by which movement, or why."""

    difference_id: int
    movement_id: UUID | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What ledger and open work show about a line that differs; units are never negative.

    `just_moved` are signed units that moved shortly before the figure was taken; `same_moves` are
    the kinds of recent movements of exactly as many units.
    """

    just_moved: int = 0
    picked: int = 0
    committed: int = 0
    inbound: int = 0
    same_moves: tuple[str, ...] = ()
    is_store: bool = False
    listed: bool = True

    def shown(self) -> Mapping[str, object]:
        """What a case and the page show: only what says something."""
        told = {
            "just_moved": self.just_moved,
            "picked": self.picked,
            "committed": self.committed,
            "inbound": self.inbound,
            "same_moves": list(self.same_moves),
        }
        return {name: value for name, value in told.items() if value}
