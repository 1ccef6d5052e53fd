"""What comes out of the engine: a plan that carries its own explanation.

Its parts are named tuples: a batch makes a dozen of them per demand, and frozen dataclasses take
five times as long to make.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from routing.engine.types import Constraint, Demand


class Verdict(StrEnum):
    """What became of a candidate node."""

    CHOSEN = "chosen"
    COSTS_MORE = "costs_more"
    NO_STOCK = "no_stock"
    PART_STOCK = "part_stock"
    EXCLUDED = "excluded"
    NODE_CLOSED = "node_closed"
    NODE_PAUSED = "node_paused"
    CAPACITY = "capacity"
    NO_SERVICE = "no_service"
    NOT_IN_NETWORK = "not_in_network"
    RULED_OUT = "ruled_out"
    """The policy has a rule for such orders, and it does not name the node."""
    UNABLE = "unable"
    """It has some of it, and the node or the service may not send such goods."""
    PINNED_ELSEWHERE = "pinned_elsewhere"
    TOO_FAR = "too_far"
    LATE = "late"
    DOMINATED = "dominated"


class Kind(StrEnum):
    """How goods get to the buyer from a candidate."""

    SHIP = ""
    SAME_DAY = "same_day"
    """A courier brings them on the day they leave."""
    DROP_SHIP = "drop_ship"
    """A supplier sends goods of its own."""
    TO_STORE = "to_store"
    """They go to the store where the buyer collects them."""
    AT_STORE = "at_store"
    """The store where the buyer collects has them."""


class UnfilledReason(StrEnum):
    """Why units of a line were given to no node."""

    NO_STOCK = "no_stock"
    UNREACHABLE = "unreachable"
    """There is stock, at nodes that may not ship it."""
    MAX_PARCELS = "max_parcels"
    LINE_SPLIT = "line_split"
    WITH_PARENT = "with_parent"
    SHIP_COMPLETE = "ship_complete"
    COSTS_MORE = "costs_more"


class SplitCause(StrEnum):
    """Why more than one parcel, now or once the rest has come in."""

    NO_NODE_HOLDS_ALL = "no_node_holds_all"
    SHORT_OR_REJECT = "short_or_reject"
    SHIP_FROM_RULE = "ship_from_rule"
    """A node holds all and may not ship it: by the policy, its service, its calendar, or closed."""
    CAPACITY = "capacity"
    """A node holds all and has reached its limit."""
    BACKORDER = "backorder"
    """The rest waits for stock, and follows."""
    BUYERS_CHOICE = "buyers_choice"
    """A node holds all and would be late for the day that the buyer asked for."""
    CHEAPER = "cheaper"


class Level(StrEnum):
    """What decided: how sure it is, and by which prices."""

    EXACT = "exact"
    """The cheapest plan by itself, proven; nothing is known of what comes after it."""
    GAP = "gap"
    """The search was cut short: `Plan.gap` is what a better plan could save."""
    PRICED = "priced"
    """The cheapest plan at the prices of a price book."""
    STALE = "stale"
    """As priced, by a book that is older than it should be."""
    JOINT = "joint"
    """Planned together with other orders, at the prices of what comes after them."""
    RULE = "rule"
    """Nothing better could be worked out: the nearest node that has all, else node by node."""


class CostParts(NamedTuple):
    """An invoice of the objective, in minor units.

    The first four and `supplier` are true cost; `split`, `distance` and `lateness` are what the policy's
    weights add. `score` is the weighted sum that was minimised, rounded once. `stock` and
    `capacity` are what a price book asks for the units and for the parcels, `carbon` is what the
    policy asks for carbon dioxide, `rerouting` what rejections are expected to cost, `supplier` what
    a drop-ship supplier's goods cost above our own, `waiting` what the policy asks for days.
    """

    freight: int = 0
    handling: int = 0
    picking: int = 0
    unfilled: int = 0
    split: int = 0
    distance: int = 0
    lateness: int = 0
    score: int = 0
    stock: int = 0
    capacity: int = 0
    carbon: int = 0
    rerouting: int = 0
    supplier: int = 0
    waiting: int = 0

    @property
    def true_cost(self) -> int:
        return self.freight + self.handling + self.picking + self.unfilled + self.supplier


class Assignment(NamedTuple):
    """Units of a line given to a node."""

    line: str
    node: int
    quantity: int


class Unfilled(NamedTuple):
    """Units of a line given to nobody, and why."""

    line: str
    quantity: int
    reason: UnfilledReason


class PlannedParcel(NamedTuple):
    """What one node ships, what it is expected to cost, and when it moves.

    `ship_by` is the carrier's departure in UTC, None when the node's calendar names none.
    """

    node: int
    cost: CostParts
    ship_by: datetime | None
    deliver_p50: date | None
    deliver_p90: date | None
    distance_km: int
    zone: int
    weight_grams: int


class Candidate(NamedTuple):
    """One node's verdict.

    `available` are the units that it could give each line of the demand, at most what the line
    wants. `alone` is what it would cost to ship all it can from this node only; None where the
    node was not allowed. `dominated_by` is the code of the chosen node that has as much for less.
    `lead_days` are a drop-ship supplier's.
    """

    node: int
    code: str
    name: str
    verdict: Verdict
    available: tuple[int, ...]
    distance_km: int | None = None
    zone: int | None = None
    deliver_p90: date | None = None
    reason: str = ""
    dominated_by: str = ""
    alone: CostParts | None = None
    kind: Kind = Kind.SHIP
    lead_days: int = 0


class Alternative(NamedTuple):
    """The best plan that leaves out at least one of the winner's nodes.

    `difference` is its score less the winner's. It can only be negative when it fills fewer units.
    """

    nodes: tuple[str, ...]
    cost: CostParts
    difference: int
    unfilled_units: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to one demand. `gap` is the share of the score that a better plan could save."""

    demand: Demand
    policy: str
    version: int
    currency: str
    assignments: tuple[Assignment, ...]
    unfilled: tuple[Unfilled, ...]
    parcels: tuple[PlannedParcel, ...]
    cost: CostParts
    candidates: Sequence[Candidate]
    runner_up: Alternative | None
    split_cause: SplitCause | None
    relaxed: tuple[Constraint, ...]
    level: Level
    gap: float
    book: str = ""
    """The version of the price book that was used."""


def worth_moving(saved: int, stands: Plan, *, least: int, percent: int) -> bool:
    """Whether to leave a plan that stands: it saves so many minor units, and percent of its score."""
    return saved >= max(1, least) and 100 * saved >= percent * stands.cost.score
