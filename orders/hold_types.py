"""The types of holds: what each blocks, how long stock stays reserved under it, whose work it is."""

from dataclasses import dataclass
from datetime import timedelta

from orders.states import Blocks, HoldScope

_SHIPPING = (Blocks.RELEASE, Blocks.CAPTURE)


@dataclass(frozen=True, slots=True)
class HoldType:
    """`deadline` is how long reserved stock waits for the hold to end before it is given back."""

    code: str
    label: str
    blocks: tuple[Blocks, ...]
    owner_team: str
    deadline: timedelta | None = timedelta(days=3)
    scope: HoldScope = HoldScope.ORDER
    case_kind: str = ""


_TYPES = (
    HoldType("payment", "Payment", _SHIPPING, "payments", case_kind="PAYMENT_PENDING"),
    HoldType("dispute", "Disputed payment", (Blocks.RELEASE,), "payments"),
    HoldType("fraud", "Fraud review", _SHIPPING, "risk", timedelta(days=2)),
    HoldType(
        "address",
        "Address",
        _SHIPPING,
        "customer_service",
        scope=HoldScope.GROUP,
        case_kind="ADDRESS_INVALID",
    ),
    HoldType(
        "duplicate",
        "Suspected duplicate",
        _SHIPPING,
        "customer_service",
        timedelta(days=2),
        case_kind="DUPLICATE_SUSPECT",
    ),
    HoldType("review", "Review", _SHIPPING, "operations"),
    HoldType("totals", "Totals do not add up", _SHIPPING, "operations", case_kind="TOTALS_WRONG"),
    HoldType("buyer", "Asked by the buyer", _SHIPPING, "customer_service"),
    HoldType("manual", "Placed by hand", _SHIPPING, "operations"),
    HoldType(
        "unmapped",
        "SKU not mapped",
        (Blocks.ACCEPT,),
        "catalog",
        None,
        HoldScope.LINE,
        case_kind="SKU_UNMAPPED",
    ),
    HoldType(
        "destination",
        "No destination",
        (Blocks.ACCEPT,),
        "customer_service",
        None,
        HoldScope.GROUP,
        case_kind="ADDRESS_INVALID",
    ),
    HoldType(
        "prohibited", "Prohibited goods", (Blocks.ACCEPT,), "operations", None, HoldScope.LINE
    ),
    HoldType(
        "given_up",
        "Given up by its nodes",
        (Blocks.ACCEPT,),
        "customer_service",
        None,
        HoldScope.LINE,
        case_kind="GIVEN_UP",
    ),
    HoldType(
        "buyer_choice",
        "The buyer decides",
        (Blocks.ACCEPT,),
        "customer_service",
        None,
        HoldScope.LINE,
    ),
    HoldType(
        "no_stock",
        "Nothing can fill it",
        (Blocks.RELEASE,),
        "operations",
        None,
        HoldScope.LINE,
        case_kind="UNFILLABLE",
    ),
)

HOLD_TYPES = {kind.code: kind for kind in _TYPES}
