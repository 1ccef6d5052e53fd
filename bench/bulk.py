"""Capture and accept in batches, one process, one connection: two transactions per batch."""

import time
from itertools import islice
from statistics import median

from bench import baskets
from bench.report import Figure, Report
from bench.world import ACTOR, World
from config.kernel import clock
from orders.services import accept_orders, capture_orders

FLOOR = "batch50_uniform"
SIZES = (1_000, 200)


def run(report: Report, world: World, *, batches: int) -> None:
    """Measure so many batches of 1,000, and as many orders in batches of 200."""
    for size in SIZES:
        count = batches * SIZES[0] // size
        stream = baskets.drafts(world, f"bulk{size}", at=clock.now())
        work = [list(islice(stream, size)) for _ in range(count + 1)]
        spent = [send(batch) for batch in work][1:]
        rate = size / median(both for both, _ in spent)
        share = median(capture / both for both, capture in spent)
        report.add(
            Figure(
                f"bulk: capture + accept, batches of {size:,}",
                rate,
                "orders/s",
                "ratio >= 0.08" if size == SIZES[0] else "",
                report.of_floor(rate, FLOOR),
                f"median of {count}, {share:.0%} of it capture",
            )
        )


def send(batch: list[baskets.OrderDraft]) -> tuple[float, float]:
    """Seconds of both commands, and of the capture alone."""
    at = clock.now()
    begun = time.perf_counter()
    captured = capture_orders(batch, at=at, actor=ACTOR)
    between = time.perf_counter()
    accepted = accept_orders(
        [one.value.id for one in captured if one.value is not None and one.value.accepts],
        at=at,
        actor=ACTOR,
    )
    ended = time.perf_counter()
    assert all(one.ok and not one.value.repeated for one in captured if one.value is not None)
    reserved = [one.value for one in accepted if one.ok and one.value is not None]
    assert not any(order.backordered or order.waiting for order in reserved)
    assert len(reserved) > len(batch) * (1 - 3 * baskets.HELD)
    return ended - begun, between - begun
