"""Who waits for which goods: demand in its order, dealt out over what comes in. Pure."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Waiter(Generic[K]):
    """Units that wait for a SKU. `nodes` None is any node; `line_id` None any goods."""

    key: K
    units: int
    nodes: frozenset[int] | None = None
    line_id: int | None = None


@dataclass(frozen=True, slots=True)
class Coming:
    """Units of a SKU that are there from `ready_at` on; without a line they have landed already."""

    line_id: int | None
    node_id: int
    units: int
    ready_at: datetime


@dataclass(frozen=True, slots=True)
class Share:
    """Units of a waiter that are to be served from one line."""

    line_id: int | None
    node_id: int
    units: int
    ready_at: datetime


def deal(queue: Iterable[Waiter[K]], coming: Sequence[Coming]) -> dict[K, list[Share]]:
    """What each waiter is to be served from: the first in the queue from what is there soonest.

    A waiter for whom not enough comes gets what there is; one for whom nothing comes is absent.
    """
    goods = sorted(coming, key=lambda one: (one.ready_at, one.line_id or 0, one.node_id))
    left = [one.units for one in goods]
    dealt: dict[K, list[Share]] = {}
    first = 0
    for waiter in queue:
        while first < len(left) and left[first] <= 0:
            first += 1
        missing = waiter.units
        for place in range(first, len(goods)):
            if not missing:
                break
            one = goods[place]
            if left[place] <= 0 or not _may_serve(one, waiter):
                continue
            part = min(missing, left[place])
            left[place] -= part
            missing -= part
            share = Share(one.line_id, one.node_id, part, one.ready_at)
            dealt.setdefault(waiter.key, []).append(share)
    return dealt


def ready_at(units: int, shares: Sequence[Share]) -> datetime | None:
    """When the last of the units is there; None where not all of them come."""
    if sum(share.units for share in shares) < units:
        return None
    return max((share.ready_at for share in shares), default=None)


def _may_serve(one: Coming, waiter: Waiter[K]) -> bool:
    if waiter.line_id is not None and one.line_id is not None and waiter.line_id != one.line_id:
        return False
    return waiter.nodes is None or one.node_id in waiter.nodes


def behind(queue: Iterable[Waiter[K]], coming: Sequence[Coming]) -> list[Coming]:
    """What is left of the goods when all who wait are served."""
    dealt: Counter[tuple[int | None, int]] = Counter()
    for shares in deal(queue, coming).values():
        for share in shares:
            dealt[share.line_id, share.node_id] += share.units
    return [
        replace(one, units=one.units - dealt[one.line_id, one.node_id])
        for one in coming
        if one.units > dealt[one.line_id, one.node_id]
    ]
