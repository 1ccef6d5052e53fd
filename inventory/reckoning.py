"""From what nodes can promise to what a channel may sell: pure, so that figure and terms agree."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What stands between the nodes' units of a SKU and a channel.

    `unplaced`: sold, and without a place yet. `protected`: kept for other channels. `cap`: the
    most that the channel's quota leaves it. `threshold`: what the channel never sees. `withdrawn`:
    the SKU is not sold any more.
    """

    unplaced: int = 0
    protected: int = 0
    cap: int | None = None
    threshold: int = 0
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    code: str
    label: str
    units: int


def steps(total: int, limits: Limits) -> list[Step]:
    """What the limits take off the total, one after another; with them it is never below zero."""
    taken = [
        Step("unplaced", "Sold, without a place yet", -limits.unplaced),
        Step("protected", "Kept for other channels", -limits.protected),
    ]
    left = total - limits.unplaced - limits.protected
    if limits.cap is not None and left > limits.cap:
        taken.append(Step("cap", "Beyond the channel's quota", limits.cap - left))
        left = limits.cap
    taken.append(Step("threshold", "Threshold of the channel", -limits.threshold))
    left -= limits.threshold
    if left < 0:
        taken.append(Step("beyond", "More kept back than there is", -left))
    elif limits.withdrawn:
        taken.append(Step("withdrawn", "Not sold any more", -left))
    return [step for step in taken if step.units]


def offered(total: int, limits: Limits) -> int:
    """Units that are left of the total within the limits: what `steps` leave of it."""
    left = total - limits.unplaced - limits.protected
    if limits.cap is not None:
        left = min(left, limits.cap)
    return 0 if limits.withdrawn else max(0, left - limits.threshold)


def of_kit(own: int, parts: Iterable[tuple[int, int]]) -> int:
    """Units taken off a kit: its own, or as many as its hardest hit component makes up.

    `parts` are (units taken off the component, how many of it make one kit).
    """
    return own + max((-(-units // quantity) for units, quantity in parts), default=0)


def makes(free: Mapping[int, int], parts: Iterable[tuple[int, int]]) -> int:
    """Kits that the free units of one place make up; `parts` are (component, how many of it)."""
    return min((free.get(part_id, 0) // quantity for part_id, quantity in parts), default=0)
