"""Planned orders planned again, through the database: read, planned together, moved and recorded.

A hundred nodes: the demo's, and others beside them. Once the orders stand every shelf is filled, some
with less than would come for it: many stand better elsewhere, and not all of them can go there.
"""

import random
import resource
import time
from itertools import islice

from django.db import connection
from django.test.utils import CaptureQueriesContext

import inventory.services
from bench import baskets, bulk
from bench.report import Figure, Report
from bench.world import ACTOR, World, node_draft
from config.kernel import clock
from inventory.services import define
from inventory.types import StockChange
from routing.matching_models import ReplanRun
from routing.services.reoptimise import replan_account

BATCH = 200
NODES = 100
SHELVES = (10, 30, 60, 90, 150)
"""Units that come to a shelf; of two thousand deliveries, which are planned together, ten want a SKU."""
SECONDS = 60.0
"""Processor time that 10,000 orders may take."""


def run(report: Report, world: World, *, orders: int) -> None:
    """So many orders are accepted, and looked at once all goods are everywhere."""
    node_ids = sorted(world.retailer.node_ids.values())
    node_ids += _more_nodes(world, NODES - len(node_ids))
    stream = baskets.drafts(world, "rematch", at=clock.now())
    for _ in range(orders // BATCH):
        bulk.send(list(islice(stream, BATCH)))
    _fill_everywhere(world, node_ids)
    begun = time.process_time()
    with CaptureQueriesContext(connection) as sent:
        done = replan_account(world.account_id, at=clock.now(), actor=ACTOR)
    spent = time.process_time() - begun
    assert done is not None
    _tell(report, done, spent, len(sent), len(node_ids))


def _tell(report: Report, done: ReplanRun, spent: float, statements: int, nodes: int) -> None:
    ten_thousand = spent * 10_000 / max(1, done.looked_at)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    report.add(
        Figure(
            f"rematch: 10,000 deliveries over {nodes} nodes, processor time",
            ten_thousand,
            "s",
            f"<= {SECONDS:.0f}",
            notes=f"from {done.looked_at:,}, of which {done.moved:,} moved; {statements} statements",
        )
    )
    report.add(Figure("rematch: most memory of the process", peak, "MB", "<= 1,024"))


def _more_nodes(world: World, count: int) -> list[int]:
    """So many nodes more that send for the channel, with nothing on their shelves."""
    at, dice = clock.now(), random.Random(5)
    drafts = [node_draft(f"MORE-{number}", number, dice) for number in range(count)]
    made = define.define_nodes(drafts, account_id=world.account_id, at=at, actor=ACTOR)
    define.define_networks(
        [(world.channel_id, node_id, True, False) for node_id in made.values()], at=at, actor=ACTOR
    )
    return sorted(made.values())


def _fill_everywhere(world: World, node_ids: list[int]) -> None:
    dice = random.Random(9)
    changes = [
        StockChange(
            node_id=node_id,
            sku_id=world.retailer.sku_ids[sku.code],
            account_id=world.account_id,
            quantity=dice.choice(SHELVES),
            kind="receipt",
            source="benchmark",
            external_id=f"rematch:{node_id}:{sku.code}",
        )
        for node_id in node_ids
        for sku in world.goods
    ]
    for start in range(0, len(changes), 1_000):
        inventory.services.record_changes(
            changes[start : start + 1_000], at=clock.now(), actor=ACTOR
        )
