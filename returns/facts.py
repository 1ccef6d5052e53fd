"""What is known of orders that may come back: lines, arrivals, open returns, and the policy of each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orders.selectors
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.selectors import fulfillment_orders_of
from orders.billing import value_of
from orders.states import LineKind
from orders.types import CreditableLine
from returns.models import ReturnLine, ReturnPolicy
from returns.policy import USUAL_TERMS
from returns.states import OPEN_RETURN
from returns.types import AskedLine, RequestedUnits, Terms


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """One order as a return policy sees it."""

    order_id: UUID
    account_id: UUID
    channel_id: UUID
    currency: str
    state: str
    policy: ReturnPolicy | None
    terms: Terms
    lines: Mapping[UUID, CreditableLine]
    delivered_at: Mapping[UUID, datetime]
    awaited: Mapping[UUID, int]
    shipped_from: Mapping[UUID, int]
    """Line → the node that it was last sent from."""
    carriers: Mapping[UUID, str]
    """Line → who brought it."""

    def returnable(self, line_id: UUID) -> int:
        """Units of the line that may be asked for: delivered, not back, not credited, not awaited."""
        line = self.lines.get(line_id)
        if line is None or line.kind != LineKind.STOCK:
            return 0
        waiting = self.awaited.get(line_id, 0)
        return max(0, min(line.creditable, line.delivered - line.returned - waiting))

    def asked(self, units: RequestedUnits) -> AskedLine:
        line = self.lines.get(units.order_line_id)
        return AskedLine(
            units.order_line_id,
            line.title if line else "A line that is not the order's",
            units.quantity,
            units.reason,
            self.returnable(units.order_line_id),
            self.delivered_at.get(units.order_line_id),
            value_of(line.charged_minor, line.shipped, units.quantity) if line else 0,
            line.properties if line else {},
        )


def facts_of(order_ids: Collection[UUID]) -> dict[UUID, OrderFacts]:
    """The facts of these orders, in a number of statements that does not depend on how many."""
    wanted = list(dict.fromkeys(order_ids))
    heads = orders.selectors.order_heads(wanted, ALL_ACCOUNTS)
    lines: dict[UUID, dict[UUID, CreditableLine]] = {order_id: {} for order_id in heads}
    for line in orders.selectors.creditable_lines(wanted, ALL_ACCOUNTS):
        lines[line.order_id][line.line_id] = line
    policies = live_policies({head.account_id for head in heads.values()})
    delivered, shipped_from, carriers = _journeys(wanted)
    awaited = _awaited(wanted)
    found = {}
    for order_id, head in heads.items():
        policy = policy_for(policies, head.account_id, head.brand_id, head.channel_id)
        found[order_id] = OrderFacts(
            order_id,
            head.account_id,
            head.channel_id,
            head.currency,
            head.state,
            policy,
            policy.terms() if policy else USUAL_TERMS,
            lines[order_id],
            delivered,
            awaited,
            shipped_from,
            carriers,
        )
    return found


def live_policies(account_ids: Collection[UUID]) -> list[ReturnPolicy]:
    """The live policies of these accounts. One statement."""
    live = ReturnPolicy.objects.for_scope(ALL_ACCOUNTS).filter(
        account_id__in=list(account_ids), retired_at__isnull=True
    )
    return list(live.order_by("pk"))


def policy_for(
    policies: Collection[ReturnPolicy], account_id: UUID, brand_id: UUID, channel_id: UUID
) -> ReturnPolicy | None:
    """The most particular one: of the channel, else of the brand, else of the account."""
    fitting = [
        policy
        for policy in policies
        if policy.account_id == account_id
        and policy.brand_id in {None, brand_id}
        and policy.channel_id in {None, channel_id}
    ]
    return max(
        fitting,
        key=lambda policy: (policy.channel_id is not None, policy.brand_id is not None),
        default=None,
    )


def _journeys(
    order_ids: Collection[UUID],
) -> tuple[dict[UUID, datetime], dict[UUID, int], dict[UUID, str]]:
    """When units of each line last arrived, from where they were last sent, and by whom."""
    carriers: dict[UUID, str] = {}
    delivered: dict[UUID, datetime] = {}
    sent_from: dict[UUID, int] = {}
    for works in fulfillment_orders_of(order_ids).values():
        for work in works:
            order_lines = {line.pk: line.order_line_id for line in work.lines.all()}
            for line_id in order_lines.values():
                sent_from[line_id] = work.node_id
            for parcel in work.parcels.all():
                if parcel.delivered_at is None:
                    continue
                for content in parcel.lines.all():
                    line_id = order_lines[content.line_id]
                    carriers[line_id] = parcel.carrier_code
                    before = delivered.get(line_id, parcel.delivered_at)
                    delivered[line_id] = max(before, parcel.delivered_at)
    return delivered, sent_from, carriers


def _awaited(order_ids: Collection[UUID]) -> dict[UUID, int]:
    """Units of order lines that open returns announce and that have not come."""
    rows = ReturnLine.objects.for_scope(ALL_ACCOUNTS).filter(
        returned__order_id__in=list(order_ids),
        returned__state__in=OPEN_RETURN,
        order_line__isnull=False,
    )
    awaited: dict[UUID, int] = {}
    for line in rows:
        awaited[line.order_line_id] = awaited.get(line.order_line_id, 0) + line.awaited
    return awaited
