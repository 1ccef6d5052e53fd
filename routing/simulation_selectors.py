"""Reads of what was tried: simulations with their totals in words, and the orders that would move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from config.kernel.errors import NotFound
from config.kernel.models import Job
from config.kernel.types import Scope
from orders.selectors.demands import demands_of
from routing import engine, reference
from routing.drawn import Drawn
from routing.flips import Flip, flips_of
from routing.models import RoutingDecision
from routing.replaying import recorded_decision
from routing.selectors import DecisionView, plan_now, standing
from routing.simulating_totals import Figures, Point, figures_of, frontier, load_of
from routing.simulation_models import SimulatedMove, Simulation, SimulationKind

PAGE = 50


@dataclass(frozen=True, slots=True)
class SimulationView:
    """A simulation as it stands: how far it is, and the figures of each variant."""

    row: Simulation
    state: str
    done: int
    refused: int
    total: int
    last_error: str
    variants: tuple[Figures, ...]

    @property
    def going(self) -> bool:
        return self.state in {"queued", "running"}

    @property
    def others(self) -> int:
        return int(self.row.result.get("others", 0))

    @property
    def reproduced(self) -> int:
        return int(self.row.result.get("reproduced", 0))

    @property
    def drifted(self) -> int:
        return int(self.row.result.get("drifted", 0))

    @property
    def currency(self) -> str:
        return str(self.row.result.get("currency", "USD"))

    @property
    def by_hour(self) -> bool:
        return bool(self.row.result.get("by_hour", True))

    @property
    def points(self) -> list[Point]:
        """The variants by cost and lateness or parcels; those on the frontier say so."""
        return frontier(self.variants)

    def load(self) -> list[tuple[str, list[tuple[str, list[int]]]]]:
        """By node, the parcels of each window in each variant."""
        return load_of(self.variants)


@dataclass(frozen=True, slots=True)
class MoveView:
    """An order that would go from elsewhere, with both explanations in sentences."""

    row: SimulatedMove
    label: str
    why_before: Sequence[str]
    why_after: Sequence[str]
    currency: str


def simulation(simulation_id: UUID, scope: Scope) -> SimulationView:
    """Raises NotFound outside the scope."""
    row = Simulation.objects.for_scope(scope).filter(pk=simulation_id).first()
    if row is None:
        raise NotFound("There is no such simulation.")
    return _views([row], scope)[0]


def simulations(
    scope: Scope, *, policy_id: UUID | None = None, kind: str = "", limit: int = PAGE
) -> list[SimulationView]:
    """The latest first. Two statements."""
    found = Simulation.objects.for_scope(scope).select_related("policy").defer("carried")
    if policy_id is not None:
        found = found.filter(policy_id=policy_id)
    if kind:
        found = found.filter(kind=kind)
    return _views(list(found.order_by("-pk")[:limit]), scope)


def shadow_of(policy_id: UUID, scope: Scope) -> SimulationView | None:
    """The shadow of this version that runs now."""
    found = simulations(scope, policy_id=policy_id, kind=SimulationKind.SHADOW, limit=1)
    return found[0] if found and found[0].row.stopped_at is None else None


def moves_of(
    simulation_id: UUID, scope: Scope, *, variant: int = 1, after: int = 0, limit: int = PAGE
) -> list[MoveView]:
    """Orders that the variant would move, in the order of time, one more than a page if there are.

    Three statements. Raises NotFound outside the scope.
    """
    row = _own(simulation_id, scope)
    moves = list(
        SimulatedMove.objects.filter(simulation=row, variant=variant, pk__gt=after).order_by("pk")[
            : limit + 1
        ]
    )
    return _moves(row, moves, scope)


def move_of(simulation_id: UUID, move_id: int, scope: Scope) -> MoveView:
    """One of them. Raises NotFound for one of another simulation."""
    row = _own(simulation_id, scope)
    found = _moves(row, list(SimulatedMove.objects.filter(simulation=row, pk=move_id)), scope)
    if not found:
        raise NotFound("There is no such order in this simulation.")
    return found[0]


@dataclass(frozen=True, slots=True)
class Reconsidered:
    """A decision looked at again: what would have changed it, and what was in stock then.

    `stock` is by node code and SKU label, of the nodes that had any.
    """

    flips: Sequence[Flip]
    stock: Mapping[str, Mapping[str, int]]


def reconsidered(decision_id: UUID, scope: Scope) -> Reconsidered | None:
    """None where the decision's input is no longer kept. A few plans of the engine."""
    recorded = recorded_decision(decision_id, scope)
    if recorded is None:
        return None
    codes = {node.id: node.code for node in recorded.nodes}
    stock: dict[str, dict[str, int]] = {}
    for line in recorded.demand.lines:
        for node, units in recorded.supply.get(line.sku, {}).items():
            if node in codes:
                stock.setdefault(codes[node], {})[line.label or line.key] = units
    return Reconsidered(flips_of(recorded, reference.current().rates()), stock)


@dataclass(frozen=True, slots=True)
class Rerun:
    """What would be planned now, beside what was decided. `differs` says in sentences what changed."""

    winner: str
    cost_minor: int
    currency: str
    why: Sequence[str]
    differs: Sequence[str]


def rerun_now(group_id: UUID, scope: Scope, *, at: datetime) -> Rerun | None:
    """Plan the group at this minute, its own units given back; None where nothing of it waits.

    Compared with the decision that stands. Raises NotFound for one that was never planned.
    """
    view = standing(group_id, scope)
    demand = demands_of([group_id], scope).get(group_id)
    if demand is None:
        return None
    plan = plan_now(demand, at=at)
    drawn = plan.decision
    if not isinstance(drawn, Drawn):
        raise TypeError("a plan of ours carries what was drawn from it")
    record = engine.expand(drawn.record)
    return Rerun(
        drawn.winner, drawn.cost_minor, drawn.currency, engine.why_here(record),
        _differences(view, record, drawn),
    )  # fmt: skip


def _differences(view: DecisionView, now: engine.Record, drawn: Drawn) -> list[str]:
    said = []
    if drawn.winner != view.winner:
        said.append(
            f"It would go from {drawn.winner or 'no node'} instead of {view.winner or 'no node'}."
        )
    more = drawn.cost_minor - view.cost_minor
    if more:
        word = "more" if more > 0 else "less"
        said.append(f"It would cost {engine.money(abs(more), view.currency)} {word}.")
    if (now.policy, now.version) != (view.record.policy, view.record.version):
        said.append(f"{now.policy} v{now.version} would decide instead of {view.policy}.")
    before = {row.code: row.verdict for row in view.record.candidates}
    changed = [
        row.name for row in now.candidates if before.get(row.code, row.verdict) != row.verdict
    ]
    if changed:
        said.append(f"The verdict changed for {', '.join(changed)}.")
    return said or ["Nothing differs: the same nodes at the same cost."]


def _own(simulation_id: UUID, scope: Scope) -> Simulation:
    row: Simulation | None = (
        Simulation.objects.for_scope(scope).filter(pk=simulation_id).defer("carried").first()
    )
    if row is None:
        raise NotFound("There is no such simulation.")
    return row


def _moves(row: Simulation, moves: Sequence[SimulatedMove], scope: Scope) -> list[MoveView]:
    wanted = [move.decision_id for move in moves if not move.before]
    records = dict(
        RoutingDecision.objects.for_scope(scope).filter(pk__in=wanted).values_list("pk", "record")
    )
    return [
        MoveView(
            move,
            row.variants[move.variant]["label"],
            engine.why_here(move.before or records.get(move.decision_id, {})),
            engine.why_here(move.after),
            row.result.get("currency", "USD"),
        )
        for move in moves
        if move.before or move.decision_id in records
    ]


def _views(rows: Sequence[Simulation], scope: Scope) -> list[SimulationView]:
    known = {
        job.pk: job
        for job in Job.objects.for_scope(scope).filter(
            pk__in=[row.job_id for row in rows if row.job_id]
        )
    }
    return [_view(row, known.get(row.job_id)) for row in rows]


def _view(row: Simulation, job: Job | None) -> SimulationView:
    totals = row.result.get("variants") or [{} for _ in row.variants]
    variants = tuple(
        figures_of(said["label"], counted)
        for said, counted in zip(row.variants, totals, strict=True)
    )
    if job is not None:
        return SimulationView(
            row, job.state, job.done, job.refused, job.total, job.last_error, variants
        )
    state = "running" if row.stopped_at is None else "done"
    handled = variants[0].groups if variants else 0
    return SimulationView(row, state, handled, 0, handled, "", variants)
