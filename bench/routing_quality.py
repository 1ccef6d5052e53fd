"""How good plans are: `python -m bench.routing_quality --family A --seeds 1-20 --json out.jsonl`.

The engine plans the orders of an instance under each policy; what that costs is set beside what no
plan could have cost less than, had everything been known (the hindsight bound). A wave's orders
are decided together when it ends; what is decided stays. A line of JSON per instance and policy.
"""

import argparse
import json
import time as clock
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.report import percentile
from bench.routing_instances import FAMILIES, METROS, Instance, Order, Shape
from bench.routing_live import live
from bench.routing_policies import ENGINE, Decider, Run, goods
from bench.routing_world import MINOR, Ledger, World
from routing.engine.ascent import Shelves
from routing.engine.bound import Bound, hindsight
from routing.engine.forecast import Baskets
from routing.engine.market import asks_of, tariff

POLICIES: dict[str, tuple[Decider, bool]] = {
    **ENGINE,
    "live": (live(told=False), False),
    "live_told": (live(told=True), False),
    "noisy_live": (live(told=False), True),
    "noisy_live_told": (live(told=True), True),
}
"""Each with whether its forecast has errors."""

MYOPIC = "myopic_exact"
"""What unfilled units are compared with; measure it before what is compared."""


def bound_of(world: World) -> Bound:
    """In minor units, with all stock there from the start and no node rejecting anything."""
    inst = world.inst
    groups: dict[int, list[Order]] = {}
    for order in inst.orders:
        groups.setdefault(len(order.skus), []).append(order)
    regions = len(METROS)
    baskets = [
        Baskets(
            np.stack([order.skus for order in group]),
            np.stack([order.units for order in group]),
            np.array([order.service * regions + order.region for order in group]),
            np.array([order.day for order in group]),
            np.zeros(len(group), dtype=np.int64),
        )
        for group in groups.values()
    ]
    costs = tariff(world.rows(0), world.nodes, world.rates, world.policy())
    shelves = Shelves(
        (inst.stock + inst.inbound).astype(float),
        inst.room.astype(float),
        inst.shape.overtime * MINOR,
    )
    return hindsight(asks_of(baskets, costs, goods(world)), shelves)


def measured(
    shape: Shape, noise: tuple[float, float], seed: int, names: Sequence[str]
) -> Iterator[dict[str, object]]:
    """A row per policy."""
    inst = Instance(shape, seed)
    noisy = Instance(replace(shape, sku_noise=noise[0], region_noise=noise[1]), seed)
    world = World.of(inst)
    begun = clock.thread_time()
    bound = bound_of(world)
    took = clock.thread_time() - begun
    unfilled: dict[str, float] = {}
    for name in names:
        decide, errs = POLICIES[name]
        run = Run(World.of(noisy) if errs else world, Ledger(inst))
        begun = clock.thread_time()
        decide(run)
        figures = run.ledger.figures()
        unfilled[name] = figures["unfilled_percent"]
        above = unfilled[name] - unfilled[MYOPIC] if MYOPIC in unfilled else None
        yield {
            "seed": seed,
            "policy": name,
            "nodes": inst.nodes,
            "orders": len(inst.orders),
            "multi": shape.multi,
            "replenished": shape.replenished,
            "rejected": shape.rejected,
            **figures,
            "bound": bound.value / MINOR,
            "bound_tightened": bound.best / MINOR,
            "ratio": figures["cost"] * MINOR / bound.value,
            "unfilled_above_myopic": above,
            "ratio_tightened": figures["cost"] * MINOR / bound.best,
            "p50_ms": percentile(run.decisions, 0.5) if run.decisions else 0.0,
            "p99_ms": percentile(run.decisions, 0.99) if run.decisions else 0.0,
            "wave_seconds": max(run.waves, default=0.0),
            "seconds": clock.thread_time() - begun,
            "bound_seconds": took,
        }


def main() -> None:
    asked = _arguments()
    rows: list[dict[str, object]] = []
    for name in asked.family:
        shape = _shape(name, asked)
        for seed in asked.seeds:
            for row in measured(shape, (asked.noise, 0.6 * asked.noise), seed, asked.policies):
                rows.append({"family": name, **row})
                print(
                    f"{name} {seed:>4} {row['policy']:<18} ratio {row['ratio']:.4f}"
                    f"  unfilled {row['unfilled_percent']:.2f} %  {row['seconds']:.1f} s",
                    flush=True,
                )
                if asked.json:
                    with asked.json.open("a") as file:
                        file.write(json.dumps(rows[-1]) + "\n")
    _table(rows, asked.policies)


def _table(rows: Sequence[dict[str, object]], names: Sequence[str]) -> None:
    print(
        "| policy | ratio | tightened | packages | late % | unfilled % | over % | p50 ms | p99 ms |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    keys = ("ratio", "ratio_tightened", "packages", "late_percent", "unfilled_percent",
            "over_capacity_percent", "p50_ms", "p99_ms")  # fmt: skip
    for name in names:
        own = [row for row in rows if row["policy"] == name]
        means = [float(np.mean([float(str(row[key])) for row in own])) for key in keys]
        told = [
            f"{mean:.4f}" if "ratio" in key else f"{mean:.2f}"
            for key, mean in zip(keys, means, strict=True)
        ]
        print(f"| {name} | {' | '.join(told)} |")


def _shape(name: str, asked: argparse.Namespace) -> Shape:
    warehouses = max(1, asked.nodes // 5)
    return Shape(
        **FAMILIES[name],  # type: ignore[arg-type]
        warehouses=warehouses,
        stores=asked.nodes - warehouses,
        orders=asked.orders,
        skus=asked.skus,
        multi=asked.multi,
        replenished=asked.replenished,
        rejected=asked.rejected,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--family", type=_families, default=["A", "B", "C"], help="A, B, C or some: A,C"
    )
    parser.add_argument("--seeds", type=_seeds, default=[1], help="1-20 or 1,5,7")
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--orders", type=int, default=600)
    parser.add_argument("--skus", type=int, default=50)
    parser.add_argument(
        "--noise", type=float, default=0.5, help="sigma of SKU rates in the bad forecast"
    )
    parser.add_argument(
        "--multi", type=float, default=0.0, help="chance of one unit more of a line"
    )
    parser.add_argument(
        "--replenished", type=float, default=0.0, help="share of stock that comes later"
    )
    parser.add_argument("--rejected", type=float, default=0.0, help="chance that a node rejects")
    parser.add_argument("--policies", type=_policies, default=list(POLICIES))
    parser.add_argument("--json", type=Path, help="append a line per instance and policy")
    return parser.parse_args()


def _families(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(FAMILIES):
        raise argparse.ArgumentTypeError(f"no family is called {', '.join(sorted(unknown))}")
    return names


def _policies(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(POLICIES):
        raise argparse.ArgumentTypeError(f"no policy is called {', '.join(sorted(unknown))}")
    return names


def _seeds(text: str) -> list[int]:
    seeds: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


if __name__ == "__main__":
    main()
