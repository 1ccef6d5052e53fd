"""The decision port that chooses nodes. Routing implements it; it reads and returns values."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from config.kernel.types import Actor

CHANNEL, QUOTE = "channel", "quote"
"""Who sets bounds to promises: the channel, by what it promises its buyers; the buyer's quote."""


@dataclass(frozen=True, slots=True)
class DemandLine:
    """Units of a line that want a node. `parent_id` names the line they must go with."""

    line_id: UUID
    sku_id: int
    quantity: int
    weight_grams: int
    unit_value_minor: int
    parent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """What one delivery group wants: its units, its place, its service and its limits.

    `service_level` is a code of inventory's service levels, empty for the channel's standard.
    `set_aside` are (node, SKU, units) that landed for those who wait: they count as free here.
    `held` are those that the order's own cart holds: they count as free for this demand alone.
    `moved` is by whom its units are sent from the pinned node, and why: kept with the decision.
    `quote_id` and `quote_option` name what the buyer had accepted; `bounds` are the dates that bind
    its promise already, as `PlannedPromise.bounds` says them.
    """

    group_id: UUID
    order_id: UUID
    account_id: UUID
    channel_id: UUID
    currency: str
    method: str
    service_level: str
    postal_code: str
    region: str
    country: str
    lines: tuple[DemandLine, ...]
    ship_complete: bool = False
    pinned_node_id: int | None = None
    pickup_node_id: int | None = None
    plan_version: int = 0
    not_before: datetime | None = None
    requested_by: datetime | None = None
    priority: int = 0
    tags: tuple[str, ...] = ()
    customer_tags: tuple[str, ...] = ()
    set_aside: tuple[tuple[int, int, int], ...] = ()
    held: tuple[tuple[int, int, int], ...] = ()
    moved: str = ""
    placed_at: datetime | None = None
    quote_id: UUID | None = None
    quote_option: str = ""
    bounds: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedTake:
    """Units to reserve at a node's position for a line, within the hard limits of these windows.

    With `min_expiry` lots are bound that do not expire before that day.
    """

    line_id: UUID
    node_id: int
    position_id: int
    sku_id: int
    quantity: int
    windows: tuple[int, ...] = ()
    min_expiry: date | None = None


@dataclass(frozen=True, slots=True)
class PlannedPromise:
    """When the group leaves and arrives; `basis` says what it was computed from.

    `bounds` are dates beyond which nobody may promise it, by who set them: `channel` for what the
    channel promises its buyers, `quote` for what this buyer had accepted (`orders.services.bounds`).
    """

    ship_by: datetime
    deliver_earliest: datetime
    deliver_latest: datetime
    basis: Mapping[str, Any] = field(default_factory=dict)
    bounds: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """The choice for one group. `unfilled` holds (line, quantity, reason) of what no node can send.

    `decision` is the implementation's own record, handed back to `record` untouched.
    """

    group_id: UUID
    takes: tuple[PlannedTake, ...]
    unfilled: tuple[tuple[UUID, int, str], ...] = ()
    promise: PlannedPromise | None = None
    split_cause: str = ""
    decision: Any = None


class Sourcing(Protocol):
    """Chooses nodes for demands, and keeps why."""

    def plan(
        self,
        demands: Sequence[Demand],
        *,
        excluded: frozenset[tuple[int, int]],
        at: datetime,
    ) -> list[Plan]:
        """One plan per demand, in order, from what is read now; (node, SKU) in `excluded` is out.

        The number of statements does not depend on the number of demands.
        """

    def record(self, plans: Sequence[Plan], *, at: datetime, actor: Actor) -> None:
        """Keep the decisions in the caller's transaction; the last plan of a group counts."""


_registered: list[Sourcing] = []


def register(implementation: Sourcing) -> None:
    """Make the implementation known; called once, from the upper app's `ready()`."""
    if _registered:
        raise ValueError("sourcing is registered twice")
    _registered.append(implementation)


@contextmanager
def using(implementation: Sourcing) -> Iterator[None]:
    """Have this implementation answer within the block: for simulations and tests of orders alone."""
    before = list(_registered)
    _registered[:] = [implementation]
    try:
        yield
    finally:
        _registered[:] = before


def sourcing() -> Sourcing:
    """The registered implementation. Raises LookupError when no app has registered one."""
    if not _registered:
        raise LookupError("no sourcing is registered")
    return _registered[0]
