"""What binds the promises of demands: what their channels promise, and what their buyers were quoted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from config.kernel.types import ALL_ACCOUNTS
from orders.sourcing import CHANNEL, QUOTE, Demand, Plan, PlannedPromise
from routing.engine import Constraint
from routing.pledges import pledged
from routing.quote_models import PromiseQuote
from routing.quotes.honouring import bound_by
from routing.reference import Policy, Reference


@dataclass(frozen=True, slots=True)
class Bound:
    """Demands as they are to be planned, and by group what binds their promises."""

    demands: Sequence[Demand]
    bounds: Mapping[UUID, Mapping[str, Any]]

    def plan(self, plan: Plan) -> Plan:
        """The plan, its promise with what binds it."""
        promise = self.promise(plan.group_id, plan.promise)
        return plan if promise is plan.promise else replace(plan, promise=promise)

    def promise(self, group_id: UUID, promise: PlannedPromise | None) -> PlannedPromise | None:
        bounds = self.bounds.get(group_id)
        return replace(promise, bounds=bounds) if promise is not None and bounds else promise


def bind(demands: Sequence[Demand], known: Reference, *, at: datetime) -> Bound:
    """A statement where a demand names a quote that nobody has looked at yet; else none.

    What was quoted is what the plan must keep: its last day, and when work may begin.
    """
    named = {d.quote_id for d in demands if d.quote_id is not None and QUOTE not in d.bounds}
    quotes = PromiseQuote.objects.for_scope(ALL_ACCOUNTS).in_bulk(named) if named else {}
    bounds: dict[UUID, dict[str, Any]] = {}
    for demand in demands:
        found = dict(demand.bounds)
        if QUOTE not in found and demand.quote_id is not None:
            found[QUOTE] = bound_by(quotes.get(demand.quote_id), demand, known, at=at)
        if CHANNEL not in found and (said := pledged(demand, known, at=at)):
            found[CHANNEL] = said
        if found:
            bounds[demand.group_id] = found
    if not bounds:
        return Bound(demands, bounds)
    return Bound([_kept_to(demand, bounds.get(demand.group_id, {})) for demand in demands], bounds)


def is_quoted(demand: Demand) -> bool:
    """Whether the demand has a quote that is honoured."""
    return "deliver_by" in demand.bounds.get(QUOTE, {})


def in_time(demand: Demand, policy: Policy) -> Policy:
    """The policy for what was quoted: nodes that would be later are a last resort."""
    if not is_quoted(demand):
        return policy
    soft = policy.rules.soft | {Constraint.ON_TIME}
    return replace(policy, rules=replace(policy.rules, on_time=True, soft=soft))


def _kept_to(demand: Demand, bounds: Mapping[str, Any]) -> Demand:
    """The demand with the day that was quoted as the day it is needed by."""
    quoted = bounds.get(QUOTE, {})
    if "deliver_by" not in quoted:
        return demand
    # The engine counts lateness by the day as it stands on the destination's calendar.
    latest = datetime.fromisoformat(quoted["deliver_by"]).astimezone(ZoneInfo(quoted["timezone"]))
    starts = [] if demand.not_before is None else [demand.not_before]
    if quoted.get("start_at"):
        starts.append(datetime.fromisoformat(quoted["start_at"]))
    return replace(
        demand,
        bounds=bounds,
        requested_by=demand.requested_by or latest,
        not_before=max(starts, default=None),
    )
