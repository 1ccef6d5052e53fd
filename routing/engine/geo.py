"""Great-circle distances."""

from collections.abc import Sequence
from math import asin, cos, radians, sin, sqrt

import numpy as np

from routing.engine.types import Place

EARTH_KM = 6371.0088
AT_ONCE = 1 << 18
"""So many distances are worked out in one go; more would only take memory."""


def haversine_km(latitude: float, longitude: float, to: Place) -> float:
    """Kilometres along the sphere. Good to half a percent, which is finer than a rate zone."""
    here, there = radians(latitude), radians(to.latitude)
    north = sin((there - here) / 2)
    east = sin(radians(to.longitude - longitude) / 2)
    chord = north * north + cos(here) * cos(there) * east * east
    return 2 * EARTH_KM * asin(min(1.0, sqrt(chord)))


class Origins:
    """Places from which distances are asked for, once or many times."""

    __slots__ = ("_along", "_cosine", "_here")

    def __init__(self, places: Sequence[Place]) -> None:
        self._here = np.radians(np.array([place.latitude for place in places]))
        self._along = np.radians(np.array([place.longitude for place in places]))
        self._cosine = np.cos(self._here)

    def distances_km(self, targets: Sequence[Place]) -> list[list[int]]:
        """Whole kilometres to each target: a row per target, with one distance per origin."""
        there = np.radians(np.array([place.latitude for place in targets]))[:, None]
        across = np.radians(np.array([place.longitude for place in targets]))[:, None]
        rows: list[list[int]] = []
        step = max(1, AT_ONCE // max(1, len(self._here)))
        for first in range(0, len(targets), step):
            part = slice(first, first + step)
            north = np.sin((there[part] - self._here) / 2) ** 2
            east = np.sin((across[part] - self._along) / 2) ** 2
            chord = north + self._cosine * np.cos(there[part]) * east
            km = 2 * EARTH_KM * np.arcsin(np.minimum(1.0, np.sqrt(chord)))
            rows += np.rint(km).astype(np.int64).tolist()
        return rows


def distances_km(origins: Sequence[Place], targets: Sequence[Place]) -> list[list[int]]:
    """Whole kilometres to each target: a row per target, with one distance per origin."""
    return Origins(origins).distances_km(targets)
