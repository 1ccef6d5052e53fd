"""What drop-ship suppliers ask for goods that they send for us."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class OfferDraft:
    """An offer as it is wanted: amounts per unit in minor units, lead days in working days.

    `own_cost_minor` is what a unit of our own costs; None, the price is compared with the least
    that any supplier asks. On `valid_until` and after it the offer holds no more.
    """

    node_id: int
    sku_id: int
    unit_cost_minor: int
    currency: str
    valid_from: date
    valid_until: date | None = None
    lead_days: int = 0
    least_units: int = 1
    own_cost_minor: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class OfferTerms:
    """An offer as planners read it, whatever day it holds on."""

    node_id: int
    sku_id: int
    unit_cost_minor: int
    own_cost_minor: int | None
    currency: str
    lead_days: int
    least_units: int
    valid_from: date
    valid_until: date | None

    def holds(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_until is None or on < self.valid_until)
