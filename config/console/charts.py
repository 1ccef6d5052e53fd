"""Charts drawn by the server: plain SVG, readable without script, with the numbers on the lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

WIDTH: Final = 960
HEIGHT: Final = 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 56, 26, 24


@dataclass(frozen=True, slots=True)
class Bar:
    """What comes in on a day, from the ground up; `link` is where that is shown."""

    x: float
    y: float
    width: float
    height: float
    units: int
    title: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A number beside its point."""

    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Projection:
    """A figure over days: its line, what comes in, and the labels of both."""

    line: str
    area: str
    bars: tuple[Bar, ...]
    labels: tuple[Label, ...]
    weeks: tuple[Label, ...]
    ground: float
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Day:
    """A day's figure, and what comes in on it: each cause as (units, words, page)."""

    at: datetime
    units: int
    arriving: int
    makes: tuple[tuple[int, str, str], ...] = ()


def projection(days: Sequence[Day]) -> Projection | None:
    """Draw the days; None when there is nothing to see in them."""
    most = max((max(day.units, day.arriving) for day in days), default=0)
    if not most:
        return None
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(days) - 1)
    ground = float(HEIGHT - _BOTTOM)
    tall = ground - _TOP

    def across(index: int) -> float:
        return round(_LEFT + index * step, 1)

    def up(units: int) -> float:
        return round(ground - tall * units / most, 1)

    points = [(across(index), up(day.units)) for index, day in enumerate(days)]
    # A figure holds until it changes: the line goes along and then up or down, never askew.
    path = f"M{points[0][0]},{points[0][1]}" + "".join(f" H{x} V{y}" for x, y in points[1:])
    bars = tuple(
        Bar(
            round(across(index) - step * 0.3, 1),
            up(day.arriving),
            round(step * 0.6, 1),
            round(ground - up(day.arriving), 1),
            day.arriving,
            f"{day.at:%-d %B}: " + ", ".join(f"{units:+,} {said}" for units, said, _ in day.makes),
            next((link for _, _, link in day.makes if link), ""),
        )
        for index, day in enumerate(days)
        if day.arriving
    )
    return Projection(
        path,
        f"{path} V{ground} H{points[0][0]} Z",
        bars,
        (*_figures(days, points), *_arrivals(bars)),
        tuple(
            Label(across(index), HEIGHT - 6, f"{day.at:%-d %b}", "start" if not index else "middle")
            for index, day in enumerate(days)
            if index % 7 == 0
        ),
        ground,
    )


def _figures(days: Sequence[Day], points: Sequence[tuple[float, float]]) -> list[Label]:
    """The first figure, every one that is another than the day before, and the last."""
    labels = [Label(points[0][0], points[0][1] - 6, f"{days[0].units:,}", "start")]
    last_x = points[0][0]
    for before, day, (x, y) in zip(days, days[1:], points[1:], strict=False):
        if day.units != before.units and x - last_x > 48:
            labels.append(Label(x, y - 6, f"{day.units:,}"))
            last_x = x
    if points[-1][0] - last_x > 24:
        x, y = points[-1]
        labels.append(Label(x + 6, y + 4, f"{days[-1].units:,}", "start"))
    return labels


def _arrivals(bars: Sequence[Bar]) -> list[Label]:
    return [Label(round(bar.x + bar.width / 2, 1), bar.y - 4, f"+{bar.units:,}") for bar in bars]
