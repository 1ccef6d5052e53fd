"""Time to plan one demand, by nodes and lines: `python -m bench.engine --json out.json`.

Each sample plans a demand of its own against stock of its own, three times over, and counts the
quickest in processor time: planning waits for nothing, and a plan is the same each time, so what
is above the least is the machine's other work. Drawing the samples is not timed. `share` is the chance that a node has a SKU.
"""

import argparse
import random
import time as clock
from dataclasses import dataclass
from datetime import UTC, datetime, time
from operator import itemgetter
from pathlib import Path

from bench.report import Figure, Report, percentile
from routing.engine import (
    Calendar,
    Demand,
    Level,
    Line,
    Node,
    Place,
    Plan,
    Policy,
    RateCard,
    Supply,
    Weights,
    Zone,
    plan,
)

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
DUE = datetime(2026, 3, 9, 12, tzinfo=UTC)
ZONES = tuple(
    Zone(km, base, per_kg, days, days + 1)
    for km, base, per_kg, days in (
        (250, 720, 66, 1),
        (500, 760, 88, 2),
        (1_000, 830, 110, 2),
        (1_600, 900, 143, 3),
        (2_300, 980, 180, 4),
        (3_000, 1_040, 209, 5),
        (20_000, 1_100, 225, 5),
    )
)
RATES = RateCard({"ground": ZONES})
REPEATS = 3
POLICY = Policy("bench", 1, Weights(late_day=400))
WEEK = (time(8), time(18))
LATEST = (time(15), time(15), time(15), time(15), time(15), None, None)


@dataclass(frozen=True, slots=True)
class Size:
    """`quantity` is the most units that a line wants."""

    nodes: int
    lines: int
    share: float = 0.5
    quantity: int = 1
    target: str = ""

    @property
    def name(self) -> str:
        return (
            f"{self.nodes} nodes x {self.lines} lines, {self.share:.0%} stocked, q<={self.quantity}"
        )


SIZES = (
    Size(12, 1),
    Size(12, 3, target="median <= 0.5, p99 <= 1"),
    Size(12, 3, quantity=3),
    Size(30, 5, target="p99 <= 5"),
    Size(100, 1),
    Size(100, 5),
    Size(100, 10),
    Size(300, 1),
    Size(300, 3),
    Size(300, 10, target="p99 <= 20"),
    Size(300, 10, share=0.15, target="p99 <= 20"),
    Size(300, 10, quantity=4, target="p99 <= 20"),
    Size(1_000, 50, target="p99 <= 200, gap <= 1%"),
)


def place(draw: random.Random) -> Place:
    return Place("", draw.uniform(28, 47), draw.uniform(-122, -72), "", "US")


def node(number: int, draw: random.Random) -> Node:
    """One node in five is a warehouse, the others are stores, which are dearer."""
    warehouse = number % 5 == 0
    return Node(
        id=number,
        code=f"N{number:03}",
        name=f"Node {number}",
        place=place(draw),
        timezone=draw.choice(("America/New_York", "America/Chicago", "America/Los_Angeles")),
        services=frozenset({"ground"}),
        calendar=Calendar((*(WEEK,) * 5, None, None), {"ground": LATEST}, processing_minutes=60),
        handling_cost=100 if warehouse else 220,
        pick_cost=35 if warehouse else 90,
    )


def sample(
    size: Size, nodes: list[Node], number: int, draw: random.Random
) -> tuple[Demand, Supply]:
    lines = tuple(
        Line(f"l{sku}", sku, draw.randint(1, size.quantity), draw.randint(100, 3_000), 3_000, 2_500)
        for sku in range(size.lines)
    )
    units = {
        (one.id, line.sku): draw.randint(1, 5)
        for one in nodes
        for line in lines
        if draw.random() < size.share
    }
    demand = Demand(str(number), lines, place(draw), "ground", AT, deliver_by=DUE)
    return demand, Supply(units)


def timed(demand: Demand, nodes: list[Node], supply: Supply) -> tuple[float, Plan]:
    """Milliseconds of processor time, and the plan with a verdict on every node."""
    begun = clock.thread_time_ns()
    (answer,) = plan([demand], nodes, supply, RATES, POLICY)
    if len(answer.candidates) != len(nodes):
        raise SystemExit("a node has no verdict")
    return (clock.thread_time_ns() - begun) / 1e6, answer


def measure(size: Size, samples: int) -> tuple[list[float], list[Plan]]:
    """Milliseconds and the plan of each sample, after one that warms the process up."""
    draw = random.Random(f"{size}")
    nodes = [node(number, draw) for number in range(size.nodes)]
    spent, plans = [], []
    for number in range(samples + 1):
        demand, supply = sample(size, nodes, number, draw)
        quickest, answer = min(
            (timed(demand, nodes, supply) for _ in range(REPEATS)), key=itemgetter(0)
        )
        spent.append(quickest)
        plans.append(answer)
    return spent[1:], plans[1:]


def run(report: Report, samples: int) -> None:
    """Measure every size; print a row of each and add its figures to the report."""
    print(
        f"{'nodes':>6}{'lines':>6}{'stocked':>8}{'units':>6}{'median ms':>11}{'p99 ms':>9}", end=""
    )
    print(f"{'parcels':>9}{'exact':>7}  target")
    for size in SIZES:
        spent, plans = measure(size, samples)
        exact = sum(one.level is Level.EXACT for one in plans) / len(plans)
        parcels = sum(len(one.parcels) for one in plans) / len(plans)
        median, p99 = percentile(spent, 0.5), percentile(spent, 0.99)
        print(f"{size.nodes:>6}{size.lines:>6}{size.share:>8.0%}{size.quantity:>6}", end="")
        print(f"{median:>11.2f}{p99:>9.2f}{parcels:>9.1f}{exact:>7.0%}  {size.target}", flush=True)
        gap = sum(one.gap for one in plans) / len(plans)
        notes = f"{parcels:.1f} parcels, {exact:.0%} proven exact, gap {gap:.1%}"
        report.figures += [
            Figure(f"engine median: {size.name}", median, "ms", size.target, None, notes),
            Figure(f"engine p99: {size.name}", p99, "ms", size.target, None, notes),
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    parser.add_argument("--samples", type=int, default=200, help="demands per size")
    asked = parser.parse_args()
    report = Report()
    run(report, asked.samples)
    if asked.json:
        report.write(asked.json)


if __name__ == "__main__":
    main()
