"""Charts of a simulation, drawn by the server: the frontier, and each node's load over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from routing.simulating_totals import Point

WIDTH: Final = 640
HEIGHT: Final = 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 24, 44
LOAD_WIDTH: Final = 300
LOAD_HEIGHT: Final = 64
NODES_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Dot:
    """A variant: its point, and its number in the list beside the chart."""

    x: float
    y: float
    number: int
    label: str
    best: bool


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Frontier:
    """Cost per delivery upwards, what is bought with it to the right."""

    dots: tuple[Dot, ...]
    line: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT


def frontier(points: Sequence[Point], measure: str) -> Frontier | None:
    """The points by cost and `measure` (`days` or `parcels`); None for fewer than two."""
    if len(points) < 2:
        return None
    costs = [point.cost for point in points]
    values = [float(getattr(point, measure)) for point in points]
    low, high = _padded(costs)
    least, most = _padded(values)

    def across(value: float) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * (value - least) / (most - least), 1)

    def up(cost: float) -> float:
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * (cost - low) / (high - low), 1)

    dots = tuple(
        Dot(across(value), up(point.cost), number, point.label, _efficient(at, costs, values))
        for at, (number, point, value) in enumerate(
            zip(range(len(points)), points, values, strict=True)
        )
    )
    best = sorted((dot.x, dot.y) for dot in dots if dot.best)
    line = "M" + " L".join(f"{x},{y}" for x, y in best) if len(best) > 1 else ""
    ticks = 4
    return Frontier(
        dots,
        line,
        tuple(
            Tick(across(value), HEIGHT - _BOTTOM + 16, f"{value:.2f}")
            for value in _steps(least, most, ticks)
        ),
        tuple(
            Tick(_LEFT - 8, up(cost) + 4, f"{cost / 100:.2f}") for cost in _steps(low, high, ticks)
        ),
    )


def _efficient(at: int, costs: Sequence[float], values: Sequence[float]) -> bool:
    return not any(
        cost <= costs[at] and value <= values[at] and (cost, value) != (costs[at], values[at])
        for cost, value in zip(costs, values, strict=True)
    )


def _padded(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.12 or max(0.01, abs(high) * 0.02)
    return low - room, high + room


def _steps(low: float, high: float, count: int) -> list[float]:
    return [low + (high - low) * step / count for step in range(count + 1)]


@dataclass(frozen=True, slots=True)
class Column:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Load:
    """A node's parcels by window: as recorded as columns, the variant as a line over them."""

    node: str
    before: int
    after: int
    busiest_before: int
    busiest_after: int
    busiest_at: str
    columns: tuple[Column, ...]
    line: str
    width: int = LOAD_WIDTH
    height: int = LOAD_HEIGHT


def loads(
    found: Sequence[tuple[str, Sequence[tuple[str, Sequence[int]]]]], variant: int
) -> list[Load]:
    """The nodes with most parcels, all on one scale."""
    shown = found[:NODES_SHOWN]
    most = max(
        (max(counts[0], counts[variant]) for _, rows in shown for _, counts in rows), default=0
    )
    return [_load(node, rows, variant, most) for node, rows in shown if most]


def _load(node: str, rows: Sequence[tuple[str, Sequence[int]]], variant: int, most: int) -> Load:
    step = LOAD_WIDTH / max(1, len(rows))
    tall = LOAD_HEIGHT - 4

    def height(parcels: int) -> float:
        return round(tall * parcels / most, 1)

    columns, points = [], []
    for place, (_, counts) in enumerate(rows):
        x, before, after = round(place * step, 1), height(counts[0]), height(counts[variant])
        if counts[0]:
            columns.append(Column(x, LOAD_HEIGHT - before, round(step * 0.8, 1), before))
        y = round(LOAD_HEIGHT - after, 1)
        points.append(f"{x},{y} {round(x + step, 1)},{y}")
    busiest = max(rows, key=lambda row: row[1][variant], default=("", [0] * (variant + 1)))
    return Load(
        node,
        sum(counts[0] for _, counts in rows),
        sum(counts[variant] for _, counts in rows),
        max((counts[0] for _, counts in rows), default=0),
        busiest[1][variant],
        busiest[0].replace("T", " ") + (":00 UTC" if "T" in busiest[0] else ""),
        tuple(columns),
        " ".join(points),
    )
