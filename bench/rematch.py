"""Planned orders planned again, through the database: read, planned together, moved and recorded.

Every shelf is filled at every node once the orders stand, so that many of them stand better
elsewhere. The nodes are the demo's few; `bench.routing_quality` has more of them without a database.
"""

import resource
import time
from itertools import islice

from django.db import connection
from django.test.utils import CaptureQueriesContext

import inventory.services
from bench import baskets, bulk
from bench.report import Figure, Report
from bench.world import ACTOR, DEPTH, World
from config.kernel import clock
from inventory.types import StockChange
from routing.matching_models import ReplanRun
from routing.services.reoptimise import replan_account

BATCH = 200
SECONDS = 60.0
"""Processor time that 10,000 orders may take."""


def run(report: Report, world: World, *, orders: int) -> None:
    """So many orders are accepted, and looked at once all goods are everywhere."""
    stream = baskets.drafts(world, "rematch", at=clock.now())
    for _ in range(orders // BATCH):
        bulk.send(list(islice(stream, BATCH)))
    _fill_everywhere(world)
    begun = time.process_time()
    with CaptureQueriesContext(connection) as sent:
        done = replan_account(world.account_id, at=clock.now(), actor=ACTOR)
    spent = time.process_time() - begun
    assert done is not None
    _tell(report, done, spent, len(sent))


def _tell(report: Report, done: ReplanRun, spent: float, statements: int) -> None:
    ten_thousand = spent * 10_000 / max(1, done.looked_at)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    report.add(
        Figure(
            "rematch: 10,000 planned orders, processor time",
            ten_thousand,
            "s",
            f"<= {SECONDS:.0f}",
            notes=f"from {done.looked_at:,}, of which {done.moved:,} moved; {statements} statements",
        )
    )
    report.add(Figure("rematch: most memory of the process", peak, "MB", "<= 1,024"))


def _fill_everywhere(world: World) -> None:
    changes = [
        StockChange(
            node_id=node_id,
            sku_id=world.retailer.sku_ids[sku.code],
            account_id=world.account_id,
            quantity=DEPTH,
            kind="receipt",
            source="benchmark",
            external_id=f"rematch:{node_id}:{sku.code}",
        )
        for node_id in sorted(world.retailer.node_ids.values())
        for sku in world.goods
    ]
    for start in range(0, len(changes), 1_000):
        inventory.services.record_changes(
            changes[start : start + 1_000], at=clock.now(), actor=ACTOR
        )
