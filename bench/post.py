"""Single orders over HTTP: clients that keep their connection, on the same cores as the server."""

import http.client
import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from bench import baskets, ground
from bench.report import Figure, Report, percentile
from bench.world import World, issue_key
from config.demo.play import drain
from config.kernel import clock
from orders.types import OrderDraft

CLIENTS = 8
_OURS = frozenset({"channel_id", "account_id", "brand_id", "mode", "inbox_id", "problems"})
"""Parts of a draft that no client sends."""
_WARM_UP_SECONDS = 10
_DRAIN_SECONDS = 180
_MOST_A_SECOND = 300
_MEMORY_EXPECTED = "<= 500"


def run(report: Report, world: World, *, seconds: int) -> None:
    """Send for so many seconds with worker and beat running, then weigh the processes."""
    key = issue_key(world)
    # More than any machine sends in the time; what is made on the way would cost the server.
    most = _MOST_A_SECOND * (seconds + _WARM_UP_SECONDS)
    drafts = islice(baskets.drafts(world, "post", at=clock.now()), most)
    left = iter([body_of(draft) for draft in drafts])
    with ground.serving() as children:
        # What an earlier part captured is none of this one's work.
        drain(seconds=_DRAIN_SECONDS)
        _send(left, key, _WARM_UP_SECONDS)
        before = ground.cpu_seconds(children)
        spent, elapsed, held = _send(left, key, seconds)
        worked = ground.cpu_seconds(children)
        weight = ground.pss_megabytes(children)
    rate = len(spent) / elapsed
    report.add(
        Figure(
            f"post: one order per request, {CLIENTS} clients",
            rate,
            "orders/s",
            ">= 80",
            report.of_floor(rate, "stmt_uniform"),
            f"{len(spent):,} orders, {held:,} held",
        )
    )
    for share, expected in ((0.5, ""), (0.95, ""), (0.99, "< 150")):
        report.add(
            Figure(f"post: p{share * 100:.0f}", percentile(spent, share) * 1e3, "ms", expected)
        )
    each = {name: (worked[name] - before[name]) / len(spent) * 1e3 for name in worked}
    notes = ", ".join(f"{name} {part:.1f}" for name, part in each.items())
    report.add(Figure("post: processor time per order", sum(each.values()), "ms", "", None, notes))
    notes = ", ".join(f"{name} {size:.0f}" for name, size in weight.items())
    report.add(
        Figure("memory after it: PSS", sum(weight.values()), "MB", _MEMORY_EXPECTED, None, notes)
    )


def body_of(draft: OrderDraft) -> bytes:
    """The draft as a client states it."""
    stated = {name: part for name, part in asdict(draft).items() if name not in _OURS}
    return json.dumps(_without_nothing(stated), default=_plain).encode()


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_nothing(part)
            for name, part in value.items()
            if part not in (None, "", (), {})
        }
    if isinstance(value, (list, tuple)):
        return [_without_nothing(part) for part in value]
    return value


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is nothing that a client sends")


def _send(left: Iterator[bytes], key: str, seconds: float) -> tuple[list[float], float, int]:
    """Seconds of each request, the time they took together, and how many orders were held."""
    lock = threading.Lock()
    begun = time.perf_counter()
    spent: list[float] = []
    faults: list[str] = []
    held = 0

    def client() -> None:
        nonlocal held
        connection = http.client.HTTPConnection("127.0.0.1", ground.PORT, timeout=30)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        while not faults and time.perf_counter() < begun + seconds:
            with lock:
                body = next(left, None)
            if body is None:
                return
            headers["Idempotency-Key"] = uuid.uuid4().hex
            start = time.perf_counter()
            connection.request("POST", "/api/v1/orders", body, headers)
            response = connection.getresponse()
            answer = response.read()
            now = time.perf_counter()
            if response.status != 201:
                faults.append(f"{response.status}: {answer[:500].decode(errors='replace')}")
                return
            with lock:
                spent.append(now - start)
                held += b'"holds":[]' not in answer

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(f"the server refused an order with {faults[0]}")
    return spent, time.perf_counter() - begun, held
