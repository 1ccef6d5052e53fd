"""What can be done for a promise in danger: each way out with its cost and its new date, or why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import routing.selectors
from config.kernel.errors import NotFound
from config.kernel.types import ALL_ACCOUNTS, Scope
from fulfillment.services.slack import Standing, standing_of
from fulfillment.slack import Level
from fulfillment.states import RemedyKind, Stage
from orders.selectors.demands import demands_of
from orders.selectors.promised import GroupAtRisk, group_at_risk
from orders.sourcing import Demand
from orders.states import Method
from routing.selectors import Choice
from routing.service_choices import ServiceChoice, services_from

_HAS_LEFT = "A carrier has it."
_COLLECTED = "Its buyer collects it there: ask them first."


@dataclass(frozen=True, slots=True)
class Option:
    """One way out. `cost_minor` is what it costs beyond what was planned; less than nothing saves.

    `ship_by` and `deliver_by` are what it would promise; `in_time` says whether that keeps what
    stands. `why_not` is empty where it can be done; `does` is what carrying it out needs.
    """

    kind: RemedyKind
    why_not: str = ""
    cost_minor: int | None = None
    ship_by: datetime | None = None
    deliver_by: datetime | None = None
    in_time: bool = False
    said: str = ""
    does: Mapping[str, Any] = field(default_factory=dict)

    @property
    def possible(self) -> bool:
        return not self.why_not


@dataclass(frozen=True, slots=True)
class Endangered:
    """A group with where it stands, and every way out."""

    group: GroupAtRisk
    standing: Standing
    level: Level
    units: int
    options: tuple[Option, ...]

    def option(self, kind: str) -> Option:
        return next(option for option in self.options if option.kind == kind)


@dataclass(frozen=True, slots=True)
class _Case:
    """What all options are made from."""

    group: GroupAtRisk
    standing: Standing
    demand: Demand | None
    at: datetime

    @property
    def node_id(self) -> int | None:
        return self.standing.part.node_id

    @property
    def stage(self) -> Stage:
        return self.standing.part.stage

    def units(self, *buckets: str) -> int:
        return self.group.units(*buckets)

    def in_time(self, deliver_by: datetime | None) -> bool:
        promised = self.group.deliver_by
        return deliver_by is not None and promised is not None and deliver_by <= promised


def options_for(group_id: UUID, scope: Scope, *, at: datetime) -> Endangered:
    """Every way out for the group's part that is furthest behind. Raises NotFound where none is open.

    The number of statements does not depend on the number of nodes or services.
    """
    group = group_at_risk(group_id, scope)
    standing = next(iter(standing_of([group_id]).get(group_id, ())), None) if group else None
    if group is None or standing is None:
        raise NotFound("No promise of such a group is open.")
    at_node = standing.part.fulfillment_order_id is not None
    demand = demands_of([group_id], ALL_ACCOUNTS, with_released=at_node).get(group_id)
    case = _Case(group, standing, demand, at)
    options = (_reroute(case), _upgrade(case), _split(case), _ask(case), _cancel(case))
    return Endangered(
        group,
        standing,
        standing.dangers.level(at),
        group.units("pending", "backordered", "reserved", "released", "underway"),
        options,
    )


def _why_not_moved(case: _Case) -> str:
    """Why it can go neither from elsewhere nor otherwise; empty where it can."""
    if case.group.method == Method.PICKUP:
        return _COLLECTED
    if case.stage is Stage.DELIVER:
        return _HAS_LEFT
    return "It is packed, with its label." if case.stage is Stage.HAND_OVER else ""


def _reroute(case: _Case) -> Option:
    """From the node that keeps the promise at the least cost, else from the quickest."""
    kind = RemedyKind.REROUTE
    if why := _why_not_moved(case):
        return Option(kind, why)
    if case.demand is None:
        return Option(kind, "Nothing of it waits for a node.")
    choices = routing.selectors.choices_for(case.demand, at=case.at)
    now = next((one for one in choices if one.node_id == case.node_id), None)
    others = [one for one in choices if one.units and not one.missing and one is not now]
    if not others:
        return Option(kind, "No other node of the channel has all of it.")
    best = min(others, key=lambda one: (not _keeps(case, one), one.cost_minor or 0, one.code))
    promise = best.promise
    asks = case.standing.part.fulfillment_order_id is not None
    return Option(
        kind,
        cost_minor=_more(best.cost_minor, now.cost_minor if now else None),
        ship_by=promise.ship_by if promise else None,
        deliver_by=promise.deliver_latest if promise else None,
        in_time=_keeps(case, best),
        said=f"From {best.name}" + ("; its node is asked to give it back first." if asks else "."),
        does={"node_id": best.node_id, "node": best.code},
    )


def _keeps(case: _Case, choice: Choice) -> bool:
    return case.in_time(choice.promise.deliver_latest if choice.promise else None)


def _more(cost: int | None, now: int | None) -> int | None:
    return None if cost is None else cost - (now or 0)


def _upgrade(case: _Case) -> Option:
    """By the cheapest service that keeps the promise, else by the quickest that is quicker."""
    kind = RemedyKind.UPGRADE
    if why := _why_not_moved(case):
        return Option(kind, why)
    if case.demand is None or case.node_id is None:
        return Option(kind, "No node has it yet: a service makes up for no stock.")
    services = services_from(case.demand, case.node_id, at=_leaves(case))
    now = _present(services)
    if now is None:
        return Option(kind, "The rates of this node's services are not known.")
    quicker = [one for one in services if one.promise.deliver_latest < now.promise.deliver_latest]
    if not quicker:
        return Option(kind, "No service is quicker than the one that it has.")
    keeping = [one for one in quicker if case.in_time(one.promise.deliver_latest)]
    best = keeping[0] if keeping else min(quicker, key=lambda one: one.promise.deliver_latest)
    return Option(
        kind,
        cost_minor=best.cost_minor - now.cost_minor,
        ship_by=best.promise.ship_by,
        deliver_by=best.promise.deliver_latest,
        in_time=bool(keeping),
        said=f"By {best.code} instead of {now.code}.",
        does={"service": best.code, "was": case.group.service_code},
    )


def _leaves(case: _Case) -> datetime:
    """When the node can be expected to be through with what comes before handing it over."""
    rest = case.standing.part.promised - case.standing.dangers.high_at
    return case.at + max(timedelta(0), rest)


def _present(services: Sequence[ServiceChoice]) -> ServiceChoice | None:
    return next((one for one in services if one.is_present), None)


def _split(case: _Case) -> Option:
    """What is reserved leaves now; what is missing follows in a parcel of its own."""
    kind = RemedyKind.SPLIT
    ready, missing = case.units("reserved"), case.units("pending", "backordered")
    if not ready:
        return Option(kind, "Nothing of it is ready and still with us.")
    if not missing:
        return Option(kind, "Nothing of it is missing: it leaves whole.")
    cost = None
    if case.demand is not None and case.node_id is not None:
        late = {line.line_id: line.pending + line.backordered for line in case.group.lines}
        rest = replace(
            case.demand,
            lines=tuple(
                replace(line, quantity=late[line.line_id])
                for line in case.demand.lines
                if late.get(line.line_id)
            ),
        )
        found = _present(services_from(rest, case.node_id, at=case.at))
        cost = found.cost_minor if found else None
    return Option(
        kind,
        cost_minor=cost,
        ship_by=case.group.ship_by,
        deliver_by=case.group.deliver_by,
        in_time=False,
        said=f"{ready} of {ready + missing} units leave now, the rest in a parcel of their own.",
    )


def _ask(case: _Case) -> Option:
    """Promise what the slow tenth keeps as well, tell the buyer, and ask."""
    kind = RemedyKind.ASK
    told = case.group
    if told.ship_by is None or told.deliver_by is None:
        return Option(kind, "Nothing was promised.")
    danger = case.standing.dangers
    if danger.level(case.at) is Level.NONE:
        return Option(kind, "Even a slow pace keeps the promise.")
    late = max(timedelta(days=1), case.at - danger.low_at)
    days = timedelta(days=-(-late // timedelta(days=1)))
    ship_by = told.ship_by if case.stage is Stage.DELIVER else told.ship_by + days
    return Option(
        kind,
        cost_minor=0,
        ship_by=ship_by,
        deliver_by=told.deliver_by + days,
        said="The buyer may accept the new date, or cancel.",
        does={"ship_by": ship_by.isoformat(), "deliver_by": (told.deliver_by + days).isoformat()},
    )


def _cancel(case: _Case) -> Option:
    kind = RemedyKind.CANCEL
    buckets = ("pending", "backordered", "reserved", "released")
    if not case.units(*buckets):
        return Option(kind, _HAS_LEFT if case.units("underway") else "Nothing of it is open.")
    lost = sum(
        line.total_minor * sum(getattr(line, bucket) for bucket in buckets) // line.ordered
        for line in case.group.lines
    )
    return Option(
        kind,
        cost_minor=lost,
        said="What has not left is cancelled, and its money goes back.",
    )
