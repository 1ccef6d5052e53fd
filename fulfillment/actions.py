"""What may still be wished of work that a node has; and why not, for what may not. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from fulfillment.models import FulfillmentLine, FulfillmentOrder
from fulfillment.states import OPEN_FULFILLMENT

PICKUP = "pickup"


@dataclass(frozen=True, slots=True)
class LegalWish:
    """One verb. `reason` says in a sentence why it is not possible now; empty when it is."""

    code: str
    label: str
    reason: str = ""

    @property
    def possible(self) -> bool:
        return not self.reason


def legal_wishes(
    order: FulfillmentOrder, lines: Iterable[FulfillmentLine], *, change_asked: bool, asked: int
) -> list[LegalWish]:
    """Every wish about the work. `asked`: units of questions that the node has not answered."""
    known = list(lines)
    return [
        LegalWish(
            "change_address",
            "Send to another address",
            _why_over(order, "Its buyer collects it.")
            or why_no_change(order, known, change_asked=change_asked),
        ),
        LegalWish(
            "change_service",
            "Send by another service",
            _why_over(order, "Its buyer collects it: no service brings it.")
            or why_no_change(order, known, change_asked=change_asked),
        ),
        LegalWish(
            "pull_back",
            "Send from another node",
            _why_over(order, "A pickup moves only with its buyer's consent.")
            or _why_no_pull_back(known, asked),
        ),
    ]


def _why_over(order: FulfillmentOrder, pickup: str) -> str:
    if order.state not in OPEN_FULFILLMENT:
        return f"{order.number} is {order.get_state_display().lower()}."
    return pickup if order.method == PICKUP else ""


def why_no_change(
    order: FulfillmentOrder, lines: Iterable[FulfillmentLine], *, change_asked: bool
) -> str:
    """Why open work cannot be sent to another address or by another service; empty when it can."""
    known = list(lines)
    if change_asked:
        return f"The node was asked to change {order.number} already: wait for its answer."
    if any(line.packed for line in known):
        return f"Units of {order.number} are packed: open the parcel first."
    if any(line.shipped for line in known):
        return f"Part of {order.number} has left."
    return ""


def _why_no_pull_back(lines: Iterable[FulfillmentLine], asked: int) -> str:
    unpacked = sum(line.waiting + line.accepted + line.picked for line in lines)
    return "" if unpacked > asked else "What is left is packed, or was asked back already."
