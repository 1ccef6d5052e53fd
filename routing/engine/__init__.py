"""The routing engine: (demands, supply snapshot, policy) → plans that explain themselves.

Pure: no Django, no clock, no database. Live routing, what-if and backtests run this code.
"""

from routing.engine.explain import all_verdicts, money, why_here, why_not
from routing.engine.plan import plan
from routing.engine.prices import PriceBook
from routing.engine.record import Record, compact, expand
from routing.engine.results import (
    Alternative,
    Assignment,
    Candidate,
    CostParts,
    Level,
    Plan,
    PlannedParcel,
    SplitCause,
    Unfilled,
    UnfilledReason,
    Verdict,
)
from routing.engine.supply import Supply
from routing.engine.types import (
    ANY_SERVICE,
    CHEAPEST,
    FEWEST_PARCELS,
    FULL,
    NEAREST,
    PAUSED,
    PICKUP,
    Calendar,
    Constraint,
    Demand,
    Dependents,
    Line,
    Node,
    Place,
    Policy,
    Precision,
    RateCard,
    Weights,
    Zone,
)

__all__ = [
    "ANY_SERVICE",
    "CHEAPEST",
    "FEWEST_PARCELS",
    "FULL",
    "NEAREST",
    "PAUSED",
    "PICKUP",
    "Alternative",
    "Assignment",
    "Calendar",
    "Candidate",
    "Constraint",
    "CostParts",
    "Demand",
    "Dependents",
    "Level",
    "Line",
    "Node",
    "Place",
    "Plan",
    "PlannedParcel",
    "Policy",
    "Precision",
    "PriceBook",
    "RateCard",
    "Record",
    "SplitCause",
    "Supply",
    "Unfilled",
    "UnfilledReason",
    "Verdict",
    "Weights",
    "Zone",
    "all_verdicts",
    "compact",
    "expand",
    "money",
    "plan",
    "why_here",
    "why_not",
]
