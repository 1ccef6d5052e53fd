"""What stock and reservations must come to, in plain Python: the model that the commands are held to.

Two nodes keep one SKU. Nothing here knows of rows, locks or SQL.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

CLAIMING = frozenset({"held", "reserved", "committed"})
ON_SALE = "available"


@dataclass
class Claim:
    """A reservation: `place` None waits for supply."""

    place: int | None
    quantity: int
    state: str
    demand: UUID
    consumed: int = 0
    released: int = 0
    due: bool = False

    @property
    def open(self) -> int:
        return self.quantity - self.consumed - self.released

    def give_back(self, units: int) -> None:
        self.released += units
        if not self.open:
            self.state = "consumed" if self.consumed else "released"


@dataclass
class Place:
    lying: dict[str, int] = field(default_factory=dict)
    landed: int = 0
    is_counted: bool = False

    @property
    def sellable(self) -> int:
        return self.lying.get(ON_SALE, 0)


class Model:
    """The truth about two places and who claims what of them."""

    def __init__(self) -> None:
        self.places = [Place(), Place()]
        self.claims: dict[UUID, Claim] = {}

    def reserved(self, place: int) -> int:
        return sum(
            claim.open
            for claim in self.claims.values()
            if claim.place == place and claim.state in CLAIMING
        )

    def shortfall(self, place: int) -> int:
        return max(0, self.reserved(place) - self.places[place].sellable)

    def free(self, place: int) -> int:
        there = self.places[place]
        return max(0, there.sellable - self.reserved(place) - there.landed)

    def waited_for(self) -> int:
        return sum(claim.open for claim in self.claims.values() if claim.state == "waiting")

    # --- what happens to units ----------------------------------------------------------------

    def came(self, place: int, units: int, condition: str = ON_SALE) -> None:
        there = self.places[place]
        there.lying[condition] = there.lying.get(condition, 0) + units
        if condition == ON_SALE:
            self._land(place, units)

    def went(self, place: int, units: int, condition: str = ON_SALE) -> None:
        """A fact: what the book does not have goes as well."""
        there = self.places[place]
        there.lying[condition] = max(0, there.lying.get(condition, 0) - units)
        self._trim(place)

    def counted(self, place: int, units: int) -> None:
        there = self.places[place]
        there.is_counted = True
        if units > there.sellable:
            self.came(place, units - there.sellable)
        else:
            self.went(place, there.sellable - units)

    def set_apart(self, place: int, units: int, condition: str) -> None:
        self.went(place, units)
        self.came(place, units, condition)

    def released_from(self, place: int, units: int, condition: str) -> None:
        self.went(place, units, condition)
        self.came(place, units)

    # --- what happens to claims ---------------------------------------------------------------

    def take(self, place: int, units: int) -> bool:
        return self.free(place) >= units

    def take_landed(self, place: int, units: int) -> bool:
        """Free units and landed ones, which go first."""
        there = self.places[place]
        short = self.shortfall(place)
        if short or self.free(place) + there.landed < units:
            return False
        there.landed -= min(there.landed, units)
        return True

    def gave_back(self, claim: Claim, units: int) -> None:
        claim.give_back(units)
        self._trim(claim.place)

    def expired(self) -> None:
        for claim in self.claims.values():
            if claim.state == "held" and claim.due:
                claim.released += claim.open
                claim.state = "expired"

    def issued(self, claim: Claim, units: int) -> None:
        claim.consumed += units
        if not claim.open:
            claim.state = "consumed"
        self.went(self._place(claim), units)

    def put_back(self, claim: Claim, units: int) -> None:
        claim.consumed -= units
        if claim.state == "consumed":
            claim.state = "committed"
        there = self.places[self._place(claim)]
        there.lying[ON_SALE] = there.sellable + units
        self._trim(claim.place)

    def short(self, claim: Claim, units: int) -> None:
        there = self.places[self._place(claim)]
        part = min(units, there.sellable)
        there.lying[ON_SALE] = there.sellable - part
        there.lying["count_pending"] = there.lying.get("count_pending", 0) + part
        failed = units == claim.open and not claim.consumed
        claim.give_back(units)
        if failed:
            claim.state = "failed"
        self._trim(claim.place)

    def freed_unowed(self) -> None:
        for place, there in enumerate(self.places):
            there.landed -= min(there.landed, max(0, there.landed - self._share(place)))

    # --- units set aside for whoever waits ----------------------------------------------------

    def _share(self, place: int) -> int:
        elsewhere = sum(other.landed for at, other in enumerate(self.places) if at != place)
        return max(0, self.waited_for() - elsewhere)

    def _land(self, place: int, units: int) -> None:
        there = self.places[place]
        spare = there.sellable - self.reserved(place) - there.landed
        there.landed += max(0, min(units, spare, self._share(place) - there.landed))
        self._trim(place)

    def _trim(self, place: int | None) -> None:
        if place is not None:
            there = self.places[place]
            there.landed = min(there.landed, max(0, there.sellable - self.reserved(place)))

    @staticmethod
    def _place(claim: Claim) -> int:
        assert claim.place is not None
        return claim.place


def of_states(claims: Iterable[tuple[UUID, Claim]], *states: str) -> list[UUID]:
    """The claims in one of the states, in the order in which they were made."""
    return [key for key, claim in claims if claim.state in states]
