"""How many deliveries each rule would have decided lately: the count beside a rule being written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from config.kernel.errors import DomainError
from config.kernel.types import Scope
from config.reports import simulations as reports
from orders.sourcing import Demand, DemandLine
from routing import reference
from routing.facts import facts_of
from routing.rule_reading import parse_rules
from routing.rules import Rule, asks_about_skus

LOOKED_AT: Final = 2_000
SINCE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RuleCount:
    """Of the deliveries looked at: those that a rule is about, and those that it decides."""

    name: str
    about: int
    decides: int
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    rules: tuple[RuleCount, ...]
    looked_at: int


def count_rules(
    rules: Sequence[dict[str, Any]], *, scope: Scope, account_id: UUID, at: datetime
) -> Counted:
    """Try the rules, one after another, on the last deliveries of a week. Two or three statements.

    A rule that cannot be read yet decides nothing, and says so.
    """
    within = Scope(frozenset({account_id})) if scope.allows(account_id) else scope
    read = [_read(rule) for rule in rules]
    demands = [
        _demand(row)
        for row in reports.recent_groups(scope=within, since=at - SINCE, limit=LOOKED_AT)
        if row["lines"]
    ]
    known = reference.current()
    skus = {line.sku_id for demand in demands for line in demand.lines}
    traits = known.traits(skus) if asks_about_skus([one for one in read if one]) else {}
    about, decides = [0] * len(read), [0] * len(read)
    for demand in demands:
        channel = known.channel(demand.account_id, demand.channel_id)
        facts, taken = facts_of(demand, channel, traits), False
        for place, rule in enumerate(read):
            if rule is not None and all(one.holds(facts) for one in rule.when):
                about[place] += 1
                decides[place] += not taken
                taken = True
    return Counted(
        tuple(
            RuleCount(str(rule.get("name") or f"Rule {place + 1}"), a, d, one is None)
            for place, (rule, one, a, d) in enumerate(zip(rules, read, about, decides, strict=True))
        ),
        len(demands),
    )


def _read(rule: dict[str, Any]) -> Rule | None:
    try:
        return parse_rules([rule])[0]
    except DomainError:
        return None


def _demand(row: dict[str, Any]) -> Demand:
    return Demand(
        group_id=row["group_id"],
        order_id=row["group_id"],
        account_id=row["account_id"],
        channel_id=row["channel_id"],
        currency=row["currency"],
        method=row["method"],
        service_level=row["service_code"],
        postal_code=row["postal_code"],
        region=row["region"],
        country=row["country"],
        lines=tuple(DemandLine(row["group_id"], *line) for line in row["lines"]),
        ship_complete=row["ship_complete"],
        requested_by=row["requested_by"],
        priority=row["priority"],
        tags=tuple(row["tags"]),
        customer_tags=tuple(row["customer_tags"]),
    )
