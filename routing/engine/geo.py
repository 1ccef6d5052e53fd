"""Great-circle distances."""

from collections.abc import Sequence
from math import asin, cos, radians, sin, sqrt

import numpy as np

from routing.engine.types import Place

EARTH_KM = 6371.0088
VECTORISED_FROM = 40
"""Below this many places plain floats are quicker than arrays (measured)."""


def haversine_km(latitude: float, longitude: float, to: Place) -> float:
    """Kilometres along the sphere. Good to half a percent, which is finer than a rate zone."""
    here, there = radians(latitude), radians(to.latitude)
    north = sin((there - here) / 2)
    east = sin(radians(to.longitude - longitude) / 2)
    chord = north * north + cos(here) * cos(there) * east * east
    return 2 * EARTH_KM * asin(min(1.0, sqrt(chord)))


def distances_km(origins: Sequence[Place], to: Place) -> list[int]:
    """Whole kilometres from each origin, in the order given."""
    if len(origins) < VECTORISED_FROM:
        return [round(haversine_km(o.latitude, o.longitude, to)) for o in origins]
    here = np.radians(np.array([o.latitude for o in origins]))
    along = np.radians(np.array([to.longitude - o.longitude for o in origins]))
    there = radians(to.latitude)
    chord = np.sin((there - here) / 2) ** 2 + np.cos(here) * cos(there) * np.sin(along / 2) ** 2
    km = 2 * EARTH_KM * np.arcsin(np.minimum(1.0, np.sqrt(chord)))
    return [int(value) for value in np.rint(km)]
