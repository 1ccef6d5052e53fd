"""A price book for a large network: `python -m bench --only prices`.

A process of its own makes one for 20,000 SKUs at 100 nodes from eight weeks of recorded demand, as
the background does, and says what processor time and memory that took. It needs no database.
"""

import json
import random
import resource
import subprocess
import sys
import time as clock
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from bench.report import Figure, Report
from bench.routing_instances import METROS

if TYPE_CHECKING:
    from orders.selectors.demand_history import Sold
    from routing.engine import Node

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
WEEKS = 8
ORDERS_A_DAY = 3_000
SIZES = (0.46, 0.24, 0.13, 0.08, 0.04, 0.03, 0.02)
LINES = 2.2
COVER = 0.4
ZIPF = 0.9
ACCOUNT = UUID(int=1)


def recorded(skus: int, draw: random.Random) -> "Sold":
    """Eight weeks of orders by Zipf's law, from sixty metropolitan areas."""
    from orders.selectors.demand_history import Sold, SoldPlace, SoldSku

    days = 7 * WEEKS
    weights = [1 / (1 + rank) ** ZIPF for rank in range(skus)]
    lines = ORDERS_A_DAY * days * LINES / sum(weights)
    people = sum(metro[3] for metro in METROS)
    groups = ORDERS_A_DAY * days
    places = []
    for number, metro in enumerate(METROS):
        count = groups * metro[3] // people
        for service, share in (("standard", 0.8), ("express", 0.2)):
            part = round(count * share)
            code = f"{number + 10:05}"
            places.append(SoldPlace("US", "", code, service, part, part // WEEKS))
    return Sold(
        {(AT - timedelta(days=day)).date(): ORDERS_A_DAY for day in range(1, days + 1)},
        {size: round(groups * share) for size, share in enumerate(SIZES, 1)},
        tuple(places),
        tuple(
            SoldSku(
                sku,
                one := max(1, round(lines * weight)),
                one,
                one // WEEKS,
                draw.randint(800, 9_000),
                draw.randint(50, 6_000),
            )
            for sku, weight in enumerate(weights)
        ),
        ACCOUNT,
        groups // WEEKS,
    )


def stocked(sold: "Sold", nodes: int, draw: random.Random) -> dict[tuple[int, int], int]:
    """One unit at two nodes of five, and what is ordered in a week and a half above that."""
    free: dict[tuple[int, int], int] = {}
    for sku in sold.skus:
        there = [node for node in range(nodes) if draw.random() < COVER] or [sku.sku_id % nodes]
        weekly = 1.5 * sku.units / WEEKS
        for node in there:
            more = draw.expovariate(len(there) / max(1.0, weekly))
            free[node, sku.sku_id] = 1 + int(more)
    return free


def network(nodes: int, draw: random.Random) -> list["Node"]:
    """One node in five is a warehouse, each near a metropolitan area."""
    from bench.engine import node as a_node

    return [a_node(number, draw) for number in range(nodes)]


def make(skus: int, nodes: int) -> dict[str, float]:
    """Make one book; what it took. Memory is the most that this process ever had."""
    import django

    django.setup()
    from bench.engine import ZONES
    from routing.engine import Policy, RateCard, Weights
    from routing.foreseeing import Seen, foresee

    draw = random.Random(skus * nodes)
    sold = recorded(skus, draw)
    free = stocked(sold, nodes, draw)
    rates = RateCard({"ground": ZONES})
    policy = Policy("bench", 1, Weights())
    service = dict.fromkeys(("standard", "express", ""), "ground")
    seen = Seen(network(nodes, draw), rates, policy, service, free, {})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = clock.process_time()
    book = foresee(sold, seen, at=AT, seed=1)
    return {
        "seconds": clock.process_time() - begun,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024,
        "mb_before": before / 1_024,
        "skus": book.skus,
        "scenes": book.scenes,
        "prices": sum(map(len, book.units.values())),
    }


def run(report: Report, *, skus: int = 20_000, nodes: int = 100) -> None:
    """Make a book in a process of its own, and add what it took to the report."""
    made = subprocess.run(
        [sys.executable, "-m", "bench.price_book", str(skus), str(nodes)],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    took = json.loads(made.stdout)
    size = f"{skus:,} SKUs x {nodes} nodes"
    notes = f"{took['scenes']:.0f} futures, {took['prices']:,.0f} prices"
    report.add(Figure(f"price book: {size}, CPU", took["seconds"], "s", "<= 300", None, notes))
    report.add(Figure(f"price book: {size}, memory", took["mb"], "MB", "<= 1,000"))


if __name__ == "__main__":
    print(json.dumps(make(int(sys.argv[1]), int(sys.argv[2]))))
