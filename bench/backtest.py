"""Orders a second that a backtest plays: `python -m bench.backtest --json out.json`.

Orders are decided once and kept as live decisions are; then each is opened, and planned under the
recorded policy and under a draft, with the stock of both carried on. One process, no database, in
processor time.
"""

import argparse
import os
import random
import time as clock
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.engine import AT, RATES, node
from bench.report import Figure, Report
from routing.engine import (
    Demand,
    Line,
    Place,
    Policy,
    Supply,
    Timetable,
    Weights,
    compact,
    expand,
    plan,
)

SIZES = ((12, 4_000), (30, 4_000), (100, 2_000))
"""Nodes, and orders of one to three lines."""
SKUS = 400
EXPECTED = ">= 300"
DRAFT = Policy("draft", 1, Weights(parcel=300, late_day=900), max_nodes_per_demand=4)


def decided(nodes: list[Any], orders: int) -> list[dict[str, Any]]:
    """Orders of a day, each decided from what the ones before it left, as decisions are kept."""
    from uuid import UUID

    from orders.sourcing import Demand as Asked
    from routing.drawn import Basis, Drawn
    from routing.reference import IN_NETWORK

    draw = random.Random(f"{len(nodes)}:{orders}")
    policy = Policy(
        "live", 1, Weights(late_day=400), max_nodes_per_demand=4, groups=frozenset({IN_NETWORK})
    )
    held = {
        (one.id, sku): draw.randint(1, 3 * orders // SKUS + 3)
        for one in nodes
        for sku in range(SKUS)
        if draw.random() < 0.5
    }
    supply, rows = Supply(held), []
    for number in range(orders):
        at = AT + timedelta(seconds=20 * number)
        lines = tuple(
            Line(str(sku), sku, draw.randint(1, 2), draw.randint(100, 3_000), 2_500, 2_500)
            for sku in draw.sample(range(SKUS), draw.randint(1, 3))
        )
        place = Place("", draw.uniform(28, 47), draw.uniform(-122, -72), "", "US")
        demand = Demand(str(number), lines, place, "ground", at, deliver_by=at + timedelta(days=5))
        [done] = plan([demand], nodes, supply, RATES, policy)
        key = UUID(int=number)
        asked = Asked(
            group_id=key,
            order_id=key,
            account_id=key,
            channel_id=key,
            currency="USD",
            method="ship",
            service_level="",
            postal_code="",
            region="",
            country="US",
            lines=(),
        )
        seen = {line.sku: dict(supply.holders(line.sku)) for line in lines}
        drawn = Drawn(done, Basis(asked, demand, None, policy, {}, seen), at)
        rows.append(
            {"id": key, "order_id": key, "group_id": key, "at": at, "record": compact(done),
             "input": drawn.input}
        )  # fmt: skip
        for given in done.assignments:
            supply.take(given.node, int(given.line), given.quantity)
    return rows


def played(rows: list[dict[str, Any]], nodes: tuple[Any, ...]) -> tuple[float, int, int]:
    """Orders per second of processor time; how many were reproduced, and how many moved."""
    from routing.drawn import opened_input
    from routing.simulating import Carried, play
    from routing.simulating_input import Scenes, recorded_of

    carried, scenes, moved = Carried.fresh(2), Scenes(), 0
    timetable = Timetable(RATES)
    begun = clock.process_time()
    for row in rows:
        given, record = opened_input(row["input"]), expand(row["record"], nodes=False)
        seen = scenes.as_seen(nodes, row["record"], ())
        recorded = recorded_of(row, given, record, seen, postal_code="")
        draft = replace(DRAFT, groups=recorded.policy.groups)
        before, after = play(
            recorded, [recorded.policy, draft], carried, RATES, timetable=timetable
        )
        moved += before.taken != after.taken
    return len(rows) / (clock.process_time() - begun), carried.reproduced, moved


def run(report: Report, *, quick: bool = False) -> None:
    """A row for each size."""
    from routing.reference import IN_NETWORK

    for count, orders in SIZES:
        draw = random.Random(count)
        member = frozenset({IN_NETWORK})
        nodes = tuple(replace(node(number, draw), groups=member) for number in range(count))
        rows = decided(list(nodes), orders // 10 if quick else orders)
        rate, reproduced, moved = played(rows, nodes)
        if reproduced != len(rows):
            raise SystemExit(f"{len(rows) - reproduced} recorded plans were not reproduced")
        notes = f"live and a draft; all {reproduced} reproduced, {moved} moved by the draft"
        report.add(Figure(f"backtest: {count} nodes", rate, "orders/s", EXPECTED, None, notes))


def main() -> None:
    import django

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    parser.add_argument("--quick", action="store_true", help="a tenth of the orders")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    django.setup()
    report = Report()
    run(report, quick=asked.quick)
    if asked.json:
        report.write(asked.json)


if __name__ == "__main__":
    main()
