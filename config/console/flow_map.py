"""The map of flows, drawn by the server: postal areas as dots, nodes as circles, flows as arcs.

The conterminous states in Albers' equal-area projection. The dots are the middles of ZIP areas:
where people live is the map.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, radians, sin, sqrt
from typing import Any, Final

from routing.places import areas, locate, states

WIDTH: Final = 960
HEIGHT: Final = 560
ARCS: Final = 120
_FIRST, _SECOND, _MIDDLE, _MERIDIAN = radians(29.5), radians(45.5), radians(37.5), radians(-96)
_SOUTH, _NORTH, _WEST, _EAST = 24.3, 49.6, -125.0, -66.7
_SCALE: Final = 1_230
_CONE: Final = (sin(_FIRST) + sin(_SECOND)) / 2
_CONSTANT: Final = cos(_FIRST) ** 2 + 2 * _CONE * sin(_FIRST)
_WIDEST, _THINNEST, _LARGEST, _SMALLEST = 9.0, 0.8, 20.0, 4.0


@dataclass(frozen=True, slots=True)
class Circle:
    x: float
    y: float
    radius: float
    code: str
    title: str


@dataclass(frozen=True, slots=True)
class Arc:
    path: str
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class FlowMap:
    """`outside` are deliveries to or from where the map does not reach."""

    dots: str
    arcs: tuple[Arc, ...]
    circles: tuple[Circle, ...]
    outside: int
    width: int = WIDTH
    height: int = HEIGHT


def flow_map(found: Sequence[Mapping[str, Any]]) -> FlowMap | None:
    """The flows on the map, the thickest arcs on top; None where nothing flows."""
    if not found:
        return None
    middles = states()
    arcs: list[tuple[int, Arc]] = []
    volumes: dict[str, int] = {}
    places: dict[str, tuple[tuple[float, float], str]] = {}
    outside = 0
    most = max(row["deliveries"] for row in found)
    for row in found:
        start = _node(row)
        state = middles.get(row["region"].upper()) if row["country"] in {"", "US"} else None
        end = _point(state.latitude, state.longitude) if state else None
        if start is not None:
            places[row["code"]] = (start, row["name"])
            volumes[row["code"]] = volumes.get(row["code"], 0) + row["deliveries"]
        if start is None or end is None:
            outside += row["deliveries"]
        elif len(arcs) < ARCS:
            width = _THINNEST + (_WIDEST - _THINNEST) * row["deliveries"] / most
            title = f"{row['name']} to {row['region']}: {row['deliveries']:,}"
            arcs.append((row["deliveries"], Arc(_bent(start, end), round(width, 1), title)))
    largest = max(volumes.values(), default=1)
    circles = tuple(
        Circle(
            *place,
            round(max(_SMALLEST, _LARGEST * sqrt(volumes[code] / largest)), 1),
            code,
            f"{name}: {volumes[code]:,}",
        )
        for code, (place, name) in sorted(places.items(), key=lambda one: -volumes[one[0]])
    )
    ordered = tuple(arc for _, arc in sorted(arcs, key=lambda one: one[0]))
    return FlowMap(_dots(), ordered, circles, outside)


@lru_cache(maxsize=1)
def _dots() -> str:
    """Every postal area as a line of no length with a round end: one path for all."""
    points = (_point(area.latitude, area.longitude) for area in areas().values())
    return "".join(f"M{x},{y}h0" for x, y in sorted(point for point in points if point))


def _node(row: Mapping[str, Any]) -> tuple[float, float] | None:
    if row["latitude"] is not None and row["longitude"] is not None:
        return _point(float(row["latitude"]), float(row["longitude"]))
    found = locate(row["postal_code"], row["node_region"], row["node_country"])
    return _point(found.latitude, found.longitude)


def _point(latitude: float, longitude: float) -> tuple[float, float] | None:
    """Where it lies on the map; None outside it."""
    if not (_SOUTH <= latitude <= _NORTH and _WEST <= longitude <= _EAST):
        return None
    angle = _CONE * (radians(longitude) - _MERIDIAN)
    radius = sqrt(_CONSTANT - 2 * _CONE * sin(radians(latitude))) / _CONE
    middle = sqrt(_CONSTANT - 2 * _CONE * sin(_MIDDLE)) / _CONE
    x = WIDTH / 2 + _SCALE * radius * sin(angle)
    y = HEIGHT / 2 - _SCALE * (middle - radius * cos(angle))
    return round(x, 1), round(y, 1)


def _bent(start: tuple[float, float], end: tuple[float, float]) -> str:
    """A curve to the left of the way, so that both directions can be told apart."""
    (x, y), (to_x, to_y) = start, end
    bend = 0.18 * pi / 3
    mid_x = (x + to_x) / 2 + (to_y - y) * bend
    mid_y = (y + to_y) / 2 - (to_x - x) * bend
    return f"M{x},{y}Q{mid_x:.1f},{mid_y:.1f} {to_x},{to_y}"
