"""The reserve command: three lines of an order, reserved with their event in one durable transaction.

What is measured is `inventory.services.take` as `accept_orders` calls it: positions locked, compared
and raised, three reservations with a foreign key and five indexes, in one statement of a few orders
and in three of many; and an event of the outbox. No order is captured, routed or promised. The floor writes the order and its
lines besides, but reads nothing, decides nothing and keeps no foreign keys of its reservations.
"""

import json
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from statistics import median
from typing import Any, Final

from django.db import connection, connections, transaction

from bench import floor
from bench.report import Figure, Report
from bench.world import ACTOR, DEPTH, World
from config.invariants import check_all
from config.kernel import clock, events, ids
from config.kernel.ahead import sending_ahead
from config.kernel.combining import Combiner
from config.kernel.prepared import planned_once, values_apart
from inventory import services
from inventory.types import TakeResult, Want

LINES: Final = 3
BATCH_FLOOR, SINGLE_FLOOR, HOT_FLOOR = "batch50_uniform", "stmt_uniform", "stmt_hot_last"
SINGLE_CLIENTS, HOT_CLIENTS, PROCESSES = 8, 32, 2
WARM_SECONDS: Final = 1.0
AHEAD_FROM: Final = 50

Order = list[Want]
Reserve = Callable[[Order], TakeResult]


@dataclass(frozen=True, slots=True)
class Shelf:
    position_id: int
    sku_id: int
    node_id: int


@dataclass(frozen=True, slots=True)
class Done:
    """What clients together came to."""

    orders: int
    lost: int
    failed: int
    seconds: float
    python_seconds: float

    @property
    def rate(self) -> float:
        return self.orders / self.seconds


def run(report: Report, world: World, owner_url: str, *, seconds: int) -> None:
    """Batches, single orders, and one hot position: with 32 clients, alone and combined."""
    shelves = _shelves(world)
    _batches(report, world, shelves, size=50, count=10 * seconds)
    _batches(report, world, shelves, size=1_000, count=2 * seconds)
    _single(report, world, shelves, owner_url, seconds=seconds)
    _hot(report, world, shelves, owner_url, seconds=seconds)
    assert check_all(about="stock.") == []


@values_apart
def reserve(orders: Sequence[Order], *, at: datetime) -> TakeResult:
    """One transaction: an event per order, then the take, which is last as everywhere."""
    # Of a few orders waiting costs less than what does without it.
    ahead = sending_ahead() if len(orders) >= AHEAD_FROM else nullcontext()
    with transaction.atomic(), ahead:
        facts = [
            events.Fact(
                "bench.reserved",
                "order",
                order[0].demand_id,
                1,
                order[0].account_id,
                {"lines": [want.sku_id for want in order]},
                thread_id=order[0].thread_id,
            )
            for order in orders
        ]
        events.record(facts, at=at, actor=ACTOR)
        wants = [want for order in orders for want in order]
        return services.take(wants, at=at, actor=ACTOR)


def _shelves(world: World) -> list[Shelf]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, sku_id, node_id FROM inventory_stockposition "
            "WHERE account_id = %s AND sellable - reserved >= %s ORDER BY id",
            [world.account_id, DEPTH // 2],
        )
        return [Shelf(*row) for row in cursor.fetchall()]


def _order(world: World, shelves: Sequence[Shelf]) -> Order:
    demand = ids.uuid7()
    return [
        Want(
            shelf.position_id, shelf.sku_id, shelf.node_id, 1, ids.uuid7(), demand, world.account_id
        )
        for shelf in shelves
    ]


def _batches(report: Report, world: World, shelves: list[Shelf], *, size: int, count: int) -> None:
    """One process, one connection, one transaction a batch."""
    dice, at = random.Random(size), clock.now()
    spent = []
    begun = time.process_time()
    for _ in range(count + 1):
        orders = [_order(world, dice.sample(shelves, LINES)) for _ in range(size)]
        start = time.perf_counter()
        result = reserve(orders, at=at)
        spent.append(time.perf_counter() - start)
        assert len(result.taken) == size * LINES
    python = (time.process_time() - begun) / ((count + 1) * size) * 1e3
    rate = size / median(spent[1:])
    report.add(
        Figure(
            f"reserve: batches of {size:,}",
            rate,
            "orders/s",
            "ratio >= 0.5",
            report.of_floor(rate, BATCH_FLOOR),
            f"median of {count}, {python:.3f} ms of Python an order",
        )
    )


def _single(
    report: Report, world: World, shelves: list[Shelf], owner_url: str, *, seconds: int
) -> None:
    """As many clients as the floor has, each a process with a connection."""
    _floor(report, owner_url, SINGLE_FLOOR, SINGLE_CLIENTS, seconds)
    draw = lambda dice: _order(world, dice.sample(shelves, LINES))  # noqa: E731
    done = _clients(draw, processes=SINGLE_CLIENTS, threads=1, seconds=seconds)
    _add(report, "reserve: one order a transaction, 8 clients", done, SINGLE_FLOOR, ">= 0.35")


def _hot(
    report: Report, world: World, shelves: list[Shelf], owner_url: str, *, seconds: int
) -> None:
    """The last position of each order is the same one, as in the floor's script."""
    _floor(report, owner_url, HOT_FLOOR, HOT_CLIENTS, seconds)
    *others, hot = shelves
    draw = lambda dice: _order(world, [*dice.sample(others, LINES - 1), hot])  # noqa: E731
    done = _clients(draw, processes=HOT_CLIENTS, threads=1, seconds=seconds)
    _add(report, "reserve: hot SKU, 32 clients", done, HOT_FLOOR, ">= 0.5")
    threads = HOT_CLIENTS // PROCESSES
    alone = _clients(draw, processes=PROCESSES, threads=threads, seconds=seconds)
    name = f"reserve: hot SKU, {PROCESSES} processes of {threads} waiting requests"
    _add(report, f"{name}, each for itself", alone, HOT_FLOOR)
    together = _clients(draw, processes=PROCESSES, threads=threads, seconds=seconds, combined=True)
    _add(report, f"{name}, combined", together, HOT_FLOOR)
    ratio = together.rate / alone.rate
    report.add(Figure("reserve: what combining raises it by", ratio, "times", ">= 3"))
    _last_units(report, world, others, hot)


def _last_units(report: Report, world: World, others: list[Shelf], hot: Shelf) -> None:
    """Of a hot SKU's last hundred units exactly a hundred are sold, whoever wants them."""
    units = 100
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sellable - reserved FROM inventory_stockposition WHERE id = %s",
            [hot.position_id],
        )
        [(free,)] = cursor.fetchall()
    order = _order(world, [hot])
    reserve([[Want(hot.position_id, hot.sku_id, hot.node_id, free - units, order[0].demand_id,
                   order[0].thread_id, world.account_id)]], at=clock.now())  # fmt: skip
    draw = lambda dice: _order(world, [*dice.sample(others, LINES - 1), hot])  # noqa: E731
    done = _clients(draw, processes=HOT_CLIENTS, threads=1, seconds=2, warm=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sellable - reserved, shortfall FROM inventory_stockposition WHERE id = %s",
            [hot.position_id],
        )
        [left] = cursor.fetchall()
    assert left == (0, 0), left
    assert (done.failed, done.orders - done.lost) == (0, units)
    notes = f"{done.orders:,} orders by 32 clients, {done.orders - done.lost:,} of them had it"
    report.add(Figure("reserve: units left of the last hundred", 0, "units", "0", None, notes))


def _floor(report: Report, owner_url: str, script: str, clients: int, seconds: int) -> None:
    if script in report.floor:
        return
    floor.prepare(owner_url)
    floor.measure(owner_url, script, clients=clients, seconds=2)
    rate = floor.measure(owner_url, script, clients=clients, seconds=seconds)
    report.floor[script] = rate
    report.add(Figure(f"floor: {script}, {clients} clients", rate, "orders/s"))


def _add(report: Report, name: str, done: Done, script: str, expected: str = "") -> None:
    assert done.failed == 0, f"{done.failed} requests failed"
    assert done.lost == 0, f"{done.lost} lines were lost"
    each = done.python_seconds / done.orders * 1e3
    report.add(
        Figure(
            name,
            done.rate,
            "orders/s",
            expected and f"ratio {expected}",
            report.of_floor(done.rate, script),
            f"{done.orders:,} orders, none failed, {each:.2f} ms of Python an order",
        )
    )


def _clients(
    draw: Callable[[random.Random], Order],
    *,
    processes: int,
    threads: int,
    seconds: float,
    combined: bool = False,
    warm: float = WARM_SECONDS,
) -> Done:
    """Fork so many processes of so many threads, which reserve as fast as they are answered."""
    connections.close_all()
    pipes = []
    for number in range(processes):
        reader, writer = os.pipe()
        if not os.fork():
            os.close(reader)
            answer = _process(number, draw, threads, seconds, combined=combined, warm=warm)
            os.write(writer, json.dumps(answer).encode())
            os._exit(0)
        os.close(writer)
        pipes.append(reader)
    answers = []
    for reader in pipes:
        with os.fdopen(reader) as told:
            answers.append(json.loads(told.read()))
        os.wait()
    orders, lost, failed = (sum(answer[part] for answer in answers) for part in range(3))
    return Done(orders, lost, failed, seconds, sum(answer[3] for answer in answers))


def _process(
    number: int,
    draw: Callable[[random.Random], Order],
    threads: int,
    seconds: float,
    *,
    combined: bool,
    warm: float,
) -> list[float]:
    """Orders, lines lost, requests failed and seconds of Python of one process, after warming up."""
    at = clock.now()
    combiner: Combiner[Order, TakeResult] = Combiner(partial(_together, at=at))
    call: Reserve = combiner.submit if combined else lambda order: reserve([order], at=at)
    counts: list[list[int]] = []
    begin = time.monotonic() + warm
    marks: list[float] = []

    def client(which: int) -> None:
        dice, mine = random.Random(number * 1_000 + which), [0, 0, 0]
        counts.append(mine)
        with planned_once():
            while (now := time.monotonic()) < begin + seconds:
                if now >= begin and not marks:
                    marks.append(time.process_time())
                try:
                    result = call(draw(dice))
                except Exception:  # noqa: BLE001  # whatever it is, the request has failed
                    mine[2] += 1
                    continue
                if now >= begin:
                    mine[0] += 1
                    mine[1] += len(result.lost)
        connection.close()

    running = [threading.Thread(target=client, args=[which]) for which in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    spent = time.process_time() - (marks[0] if marks else 0.0)
    return [*(sum(part) for part in zip(*counts, strict=True)), spent]


def _together(orders: list[Order], *, at: datetime) -> list[TakeResult]:
    """One transaction for all; what each order got of it."""
    result = reserve(orders, at=at)
    taken: dict[Any, list[Any]] = {}
    for one in result.taken:
        taken.setdefault(one.want.thread_id, []).append(one)
    lost: dict[Any, list[Want]] = {}
    for want in result.lost:
        lost.setdefault(want.thread_id, []).append(want)
    return [
        TakeResult(
            tuple(taken.get(order[0].thread_id, ())), tuple(lost.get(order[0].thread_id, ()))
        )
        for order in orders
    ]
