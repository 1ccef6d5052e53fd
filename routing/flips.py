"""What would have changed a decision: the smallest change of stock, cost or rule for each node. Pure.

Each is tried by planning the recorded input again with that one thing changed, so that what is
said of a node is what the engine would have done.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from routing import engine
from routing.engine import Supply, Verdict
from routing.engine.explain import PARTS
from routing.reference import IN_NETWORK
from routing.simulating import Recorded

SHOWN: Final = 6
PARTS_SHOWN: Final = 2
LINES_TRIED: Final = 5

SAID: Final[Mapping[Verdict, str]] = {
    Verdict.NODE_CLOSED: "it were open",
    Verdict.NODE_PAUSED: "it were not paused",
    Verdict.CAPACITY: "it had room left",
    Verdict.NOT_IN_NETWORK: "it were in the network of this channel",
    Verdict.RULED_OUT: "the rule named it",
    Verdict.EXCLUDED: "it were not excluded after a short or a rejection",
    Verdict.TOO_FAR: "the limit of distance were wider",
    Verdict.LATE: "late deliveries were allowed",
    Verdict.UNABLE: "it were allowed to send such goods",
    Verdict.PINNED_ELSEWHERE: "the order were not pinned elsewhere",
}


@dataclass(frozen=True, slots=True)
class Flip:
    """One thing that would send the order, or part of it, from this node. `kind`: stock, cost, rule.

    `difference` is the score of the plan then less the one that was chosen, in minor units: what
    the change would save is below zero. `size` orders flips of one kind, the smallest first.
    """

    node: str
    kind: str
    sentence: str
    difference: int
    size: int


def flips_of(recorded: Recorded, rates: engine.RateCard) -> list[Flip]:
    """The smallest changes, stock and rules before costs; each node once."""
    record = engine.expand(recorded.stored)
    found = [
        *_by_stock(recorded, record, rates),
        *_by_rule(recorded, record, rates),
        *_by_cost(record),
    ]
    order = {"cost": 0, "stock": 1, "rule": 2}
    return sorted(found, key=lambda one: (order[one.kind], one.size, one.node))[:SHOWN]


def _by_stock(recorded: Recorded, record: engine.Record, rates: engine.RateCard) -> Iterator[Flip]:
    """Nodes that would ship if they had had what was asked for: one line's units, else all."""
    ids = {node.code: node.id for node in recorded.nodes}
    wanted: dict[int, int] = {}
    for line in recorded.demand.lines:
        wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity
    labels = {line.sku: line.label or line.key for line in recorded.demand.lines}
    for row in record.candidates:
        node = ids.get(row.code)
        if node is None or row.verdict not in {Verdict.NO_STOCK, Verdict.PART_STOCK}:
            continue
        there = {sku: recorded.supply.get(sku, {}).get(node, 0) for sku in wanted}
        missing = {sku: n - there[sku] for sku, n in wanted.items() if n > there[sku]}
        single = [{sku: n} for sku, n in sorted(missing.items(), key=lambda one: one[1])]
        for more in [*single[:LINES_TRIED], missing]:
            added = {(node, sku): there[sku] + n for sku, n in more.items()}
            plan = _planned(recorded, rates, units=_units(recorded) | added)
            if not more or not ships(plan, row.code):
                continue
            what = " and ".join(f"{n} more of {labels[sku]}" for sku, n in more.items())
            difference = plan.cost.score - record.cost.score
            said = _said(difference, record.currency)
            yield Flip(
                row.code, "stock", f"{row.name} would ship with {what}{said}.", difference,
                sum(more.values()),
            )  # fmt: skip
            break


def _by_rule(recorded: Recorded, record: engine.Record, rates: engine.RateCard) -> Iterator[Flip]:
    """Nodes that would ship if they had been allowed to."""
    by_code = {node.code: node for node in recorded.nodes}
    for row in record.candidates:
        verdict, node = Verdict(row.verdict), by_code.get(row.code)
        if node is not None and any(node.id == one for one, _ in recorded.demand.excluded):
            verdict = Verdict.EXCLUDED
        if verdict not in SAID or node is None:
            continue
        freed = replace(node, ship_open=True, closed_reason="", groups=frozenset({IN_NETWORK}))
        if verdict is Verdict.UNABLE:
            freed = replace(freed, capabilities=None)
        policy, demand = recorded.policy, recorded.demand
        if verdict is Verdict.RULED_OUT and policy.nodes is not None:
            policy = replace(policy, nodes=policy.nodes | {node.id})
        elif verdict is Verdict.TOO_FAR:
            policy = replace(policy, max_km=None)
        elif verdict is Verdict.LATE:
            policy = replace(policy, on_time=False)
        elif verdict is Verdict.PINNED_ELSEWHERE:
            demand = replace(demand, pinned_node=None)
        elif verdict is Verdict.EXCLUDED:
            left = frozenset(pair for pair in demand.excluded if pair[0] != node.id)
            demand = replace(demand, excluded=left)
        changed = replace(
            recorded,
            demand=demand,
            policy=policy,
            nodes=tuple(freed if one.id == node.id else one for one in recorded.nodes),
        )
        plan = _planned(changed, rates)
        more = _sent(plan, node.id) > _sent(_planned(recorded, rates), node.id)
        if more:
            difference = plan.cost.score - record.cost.score
            said = _said(difference, record.currency)
            word = "more of it" if row.verdict == Verdict.CHOSEN else "it"
            yield Flip(
                row.code, "rule", f"{row.name} would ship {word} if {SAID[verdict]}{said}.", difference,
                difference,
            )  # fmt: skip


def _by_cost(record: engine.Record) -> Iterator[Flip]:
    """Nodes that had everything and cost more: by how much, and in which parts."""
    wanted = tuple(line.quantity for line in record.lines)
    for row in record.candidates:
        dearer = row.verdict in {Verdict.COSTS_MORE, Verdict.DOMINATED}
        if not dearer or row.alone is None or row.available != wanted:
            continue
        difference = row.alone.score - record.cost.score
        if difference < 0:
            continue
        if not difference:
            yield Flip(
                row.code, "cost", f"{row.name} costs the same: a cent less and it would ship.", 0, 0
            )
            continue
        parts = sorted(
            (
                (getattr(row.alone, name) - getattr(record.cost, name), label)
                for name, label in PARTS.items()
            ),
            reverse=True,
        )
        said = " and ".join(
            f"{engine.money(more, record.currency)} of {label}"
            for more, label in parts[:PARTS_SHOWN]
            if more > 0
        )
        tail = f": it asks {said} more" if said else ""
        yield Flip(
            row.code,
            "cost",
            f"{row.name} would ship if it were {engine.money(difference, record.currency)} "
            f"cheaper{tail}.",
            difference,
            difference,
        )


def ships(plan: engine.Plan, code: str) -> bool:
    """Whether the plan sends something from the node."""
    return any(row.code == code and row.verdict is Verdict.CHOSEN for row in plan.candidates)


def _sent(plan: engine.Plan, node: int) -> int:
    return sum(one.quantity for one in plan.assignments if one.node == node)


def _units(recorded: Recorded) -> dict[tuple[int, int], int]:
    return {
        (node, sku): n for sku, by_node in recorded.supply.items() for node, n in by_node.items()
    }


def _planned(
    recorded: Recorded,
    rates: engine.RateCard,
    *,
    units: Mapping[tuple[int, int], int] | None = None,
) -> engine.Plan:
    supply = Supply(_units(recorded) if units is None else units)
    [plan] = engine.plan(
        [recorded.demand], recorded.nodes, supply, rates, recorded.policy, recorded.book
    )
    return plan


def _said(difference: int, currency: str) -> str:
    if difference < 0:
        return f", which would save {engine.money(-difference, currency)}"
    if difference > 0:
        return f", at {engine.money(difference, currency)} more"
    return ", at the same cost"
