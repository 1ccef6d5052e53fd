"""What follows when a node gives units up: by account and reason, with what holds where nobody said."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from config.kernel.types import ALL_ACCOUNTS
from routing.matching_models import RejectionRule
from routing.states import NextStep, Variance


@dataclass(frozen=True, slots=True)
class Consequence:
    """`variance`: what it says of the units themselves. For so many hours the SKU is not sourced
    at the node, and the node gets no new work of the kind. Then the next step for the units.
    """

    variance: Variance = Variance.NONE
    sku_hours: int = 0
    node_hours: int = 0
    next_step: NextStep = NextStep.SOURCE


BUILT_IN: Mapping[str, Consequence] = {
    "missing": Consequence(Variance.SHORT),
    "wrong_item": Consequence(Variance.SHORT),
    "no_stock": Consequence(Variance.SHORT),
    "damaged": Consequence(Variance.DAMAGED),
    "expired": Consequence(Variance.DAMAGED),
    "no_capacity": Consequence(sku_hours=24, node_hours=1),
    "closed": Consequence(sku_hours=24, node_hours=24),
    "cannot_ship": Consequence(sku_hours=24),
    "other": Consequence(sku_hours=24),
}
"""By reason. Where units are missing or damaged, the SKU is left out there until it is counted."""

REASONS = tuple(BUILT_IN)


@dataclass(frozen=True, slots=True)
class Consequences:
    """The accounts' own rules over the built-in ones."""

    rules: Mapping[tuple[UUID, str], Consequence]

    def of(self, account_id: UUID, reason: str) -> Consequence:
        own = self.rules.get((account_id, reason))
        return own or BUILT_IN.get(reason, BUILT_IN["other"])


def consequences(account_ids: Collection[UUID]) -> Consequences:
    """What these accounts want to follow. One statement."""
    rows = RejectionRule.objects.for_scope(ALL_ACCOUNTS).filter(account_id__in=set(account_ids))
    return Consequences(
        {
            (row.account_id, row.reason): Consequence(
                Variance(row.variance), row.sku_hours, row.node_hours, NextStep(row.next_step)
            )
            for row in rows
        }
    )
