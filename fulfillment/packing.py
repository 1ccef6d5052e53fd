"""Which units go into which parcel. Pure.

One parcel holds a fulfillment order unless it grows too heavy: then units are laid, heaviest
first, into the first parcel that still carries them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from fulfillment.types import Content

PARCEL_LIMIT_GRAMS = 20_000
"""What one person lifts and every parcel service takes."""

PACKAGING_GRAMS = 120
"""Weight of the empty box and its filling."""


@dataclass(frozen=True, slots=True)
class Units:
    """Units of one line, and what one of them weighs."""

    line_id: UUID
    quantity: int
    weight_grams: int


@dataclass(frozen=True, slots=True)
class Box:
    """One parcel to pack. `weight_grams` includes the packaging."""

    contents: tuple[Content, ...]
    weight_grams: int


def pack(units: Sequence[Units], *, limit_grams: int = PARCEL_LIMIT_GRAMS) -> list[Box]:
    """Lay all units into as few parcels as first-fit finds, lines in the order given within each.

    A single unit above the limit travels alone.
    """
    order = {wanted.line_id: place for place, wanted in enumerate(units)}
    boxes: list[dict[UUID, int]] = []
    loads: list[int] = []
    for wanted in sorted(units, key=lambda u: (-u.weight_grams, order[u.line_id])):
        left = wanted.quantity
        for place in range(len(boxes)):
            fits = _fitting(loads[place], wanted.weight_grams, left, limit_grams)
            if fits:
                boxes[place][wanted.line_id] = boxes[place].get(wanted.line_id, 0) + fits
                loads[place] += fits * wanted.weight_grams
                left -= fits
        while left:
            fits = max(1, _fitting(PACKAGING_GRAMS, wanted.weight_grams, left, limit_grams))
            boxes.append({wanted.line_id: fits})
            loads.append(PACKAGING_GRAMS + fits * wanted.weight_grams)
            left -= fits
    return [
        Box(
            tuple(Content(line_id, box[line_id]) for line_id in sorted(box, key=order.__getitem__)),
            load,
        )
        for box, load in zip(boxes, loads, strict=True)
    ]


def _fitting(load: int, unit_grams: int, left: int, limit_grams: int) -> int:
    if load >= limit_grams:
        return 0
    return left if not unit_grams else min(left, (limit_grams - load) // unit_grams)


def weight_of(contents: Sequence[Content], unit_grams: dict[UUID, int]) -> int:
    """What a parcel of these contents weighs, in grams, with its packaging."""
    return PACKAGING_GRAMS + sum(c.quantity * unit_grams[c.line_id] for c in contents)
