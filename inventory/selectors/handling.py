"""What SKUs ask of the nodes that send them or hand them over."""

from collections.abc import Collection
from typing import NamedTuple

from django.db import connection

from inventory.states import Capability, Regulation, Storage

NOTHING: frozenset[str] = frozenset()

LONGEST_MM = 2_438
GIRTH_MM = 3_302
HEAVIEST_GRAMS = 68_000
"""Parcel carriers take nothing longer (96 inches), nothing of which the length and the girth come to
more (130 inches), and nothing heavier (150 pounds): what is beyond is oversize.
"""

FOR_ADULTS = frozenset(
    {Regulation.ALCOHOL.value, Regulation.TOBACCO.value, Regulation.AGE_RESTRICTED.value}
)

_BY_ID = """
SELECT id, code, hazmat, storage, regulation, length_mm, width_mm, height_mm, weight_grams
FROM inventory_sku WHERE id = ANY(%s)
"""


class Handling(NamedTuple):
    """A SKU's code, and the capabilities that a node needs to ship it and to hand it over."""

    code: str
    ships: frozenset[str] = NOTHING
    hands_over: frozenset[str] = NOTHING


def handling(sku_ids: Collection[int]) -> dict[int, Handling]:
    """By SKU. One statement."""
    if not sku_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_BY_ID, [list(sku_ids)])
        return {row[0]: Handling(row[1], *_needs(*row[2:])) for row in cursor.fetchall()}


def _needs(
    hazmat: bool,  # noqa: FBT001  # a column
    storage: str,
    regulation: str,
    length: int,
    width: int,
    height: int,
    grams: int,
) -> tuple[frozenset[str], frozenset[str]]:
    if (
        not hazmat
        and storage == Storage.AMBIENT
        and not regulation
        and not _is_oversize(length, width, height, grams)
    ):
        return NOTHING, NOTHING
    cold = {Capability.COLD_CHAIN.value} if storage != Storage.AMBIENT else set()
    ships = {Capability.HAZMAT.value} if hazmat else set()
    if _is_oversize(length, width, height, grams):
        ships.add(Capability.OVERSIZE.value)
    adults = {Capability.AGE_CHECK.value} if regulation in FOR_ADULTS else set()
    return frozenset(ships | cold), frozenset(adults | cold)


def _is_oversize(length: int, width: int, height: int, grams: int) -> bool:
    if grams > HEAVIEST_GRAMS:
        return True
    longest = max(length, width, height)
    return longest > LONGEST_MM or 2 * (length + width + height) - longest > GIRTH_MM
