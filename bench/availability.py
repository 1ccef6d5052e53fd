"""What can be sold, asked of a large network: a thousand SKUs at once, and one with its reasons."""

import os
import random
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
from django.db.models import Model

import inventory.selectors
import inventory.services
from bench import ground
from bench.report import Figure, Report, percentile
from config.embedded.home import DATABASE
from config.embedded.postgres import SUPERUSER, binary
from config.kernel import clock
from config.kernel.models import Account, Brand, Channel
from config.kernel.types import Actor
from inventory.models import Node, Sku

NODES_PER_SKU = 50
ASKED = 1_000
PER_MILLE_RESERVED = 100
_FILES = 8
_LATENCY = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)

_FILL = """
INSERT INTO inventory_nodegrant (node_id, account_id)
SELECT id, %(account)s FROM inventory_node WHERE code LIKE 'many-%%';
INSERT INTO inventory_nodefunction (node_id, function, paused, reason)
SELECT id, 'ship', false, '' FROM inventory_node WHERE code LIKE 'many-%%';
INSERT INTO inventory_channelnode (channel_id, node_id, ships, picks_up)
SELECT %(channel)s, id, true, false FROM inventory_node WHERE code LIKE 'many-%%';
INSERT INTO inventory_stockposition (account_id, node_id, sku_id, owner_id, sellable, reserved, buffer,
    shortfall, landed, counted_at, event_seq)
SELECT %(account)s, node.id, sku.id, %(account)s, (hashint8(sku.id * 1000 + turn) & 127) + 8,
    turn %% 4, 2, 0, 0, clock_timestamp(), 0
FROM generate_series(0, %(each)s - 1) AS turn
CROSS JOIN inventory_sku sku
JOIN LATERAL (SELECT id FROM inventory_node WHERE code = 'many-' || (1 +
    ((sku.id * 7 + turn * (%(nodes)s / %(each)s)) %% %(nodes)s))) AS node ON true
WHERE sku.account_id = %(account)s
ORDER BY node.id, sku.id;
INSERT INTO inventory_stocklevel (account_id, position_id, condition, lot, on_hand, allocated)
SELECT account_id, id, 'available', '', sellable, 0 FROM inventory_stockposition
WHERE account_id = %(account)s;
INSERT INTO inventory_reservation (id, account_id, state, position_id, sku_id, node_id, demand_id,
    thread_id, quantity, consumed, released, release_reason, priority, at)
SELECT gen_random_uuid(), account_id, 'reserved', id, sku_id, node_id, gen_random_uuid(),
    gen_random_uuid(), reserved, 0, 0, '', 0, clock_timestamp()
FROM inventory_stockposition WHERE account_id = %(account)s AND reserved > 0;
"""
_FLOOR = """\
SELECT p.sku_id, sum(CASE WHEN p.shortfall = 0
    THEN greatest(0, p.sellable - p.reserved - p.buffer - p.landed) ELSE 0 END)::bigint,
    sum(p.landed)::bigint
FROM inventory_stockposition p
WHERE p.sku_id = ANY('{{{skus}}}') AND p.node_id = ANY('{{{nodes}}}')
  AND p.account_id = '{account}' AND p.owner_id = p.account_id
  AND NOT EXISTS (SELECT FROM inventory_exclusion x
    WHERE x.sku_id = p.sku_id AND x.node_id = p.node_id AND x.until > now())
GROUP BY 1;
"""
_COPIES = """
INSERT INTO {table} ({columns})
SELECT {values} FROM {table} template, generate_series(2, %(copies)s) n
WHERE template.id = %(template)s
"""


@dataclass(frozen=True, slots=True)
class Market:
    """An account with one channel, many nodes and many SKUs."""

    account_id: UUID
    channel_id: UUID
    sku_ids: list[int]
    node_ids: list[int]


def run(report: Report, *, skus: int, nodes: int, rounds: int) -> None:
    """Measure `ats` for a thousand SKUs beside the same SQL, and `explain` for one."""
    begun = time.perf_counter()
    market = _fill(skus, nodes)
    count = len(market.sku_ids) * NODES_PER_SKU
    took = time.perf_counter() - begun
    print(f"  availability: {count:,} positions, made in {took:.0f} s", flush=True)
    dice = random.Random(1)
    asked = [dice.sample(market.sku_ids, ASKED) for _ in range(rounds)]
    floor = _floor(market, asked[:_FILES], seconds=max(4, rounds // 20))
    report.add(Figure(f"floor: sums of {ASKED:,} SKUs, the same SQL", floor, "ms"))
    at = clock.now()
    spent = _timed(lambda skus: inventory.selectors.ats(market.channel_id, skus, at=at), asked)
    middle = percentile(spent, 0.5)
    report.add(
        Figure(
            f"availability: {ASKED:,} SKUs x 1 channel, {count:,} rows, median",
            middle,
            "ms",
            "",
            floor / middle,
            "counted from supply itself",
        )
    )
    report.add(Figure("availability: the same, p95", percentile(spent, 0.95), "ms"))
    _publish(report, market, dice)
    spent = _timed(lambda skus: inventory.selectors.figures(market.channel_id, skus, at=at), asked)
    report.add(
        Figure(
            f"availability: {ASKED:,} SKUs as the API answers them, p95",
            percentile(spent, 0.95),
            "ms",
            "<= 50",
            notes="from kept figures that nothing has changed",
        )
    )
    later = at + timedelta(days=7)
    by = [one[:ASKED] for one in asked[: max(5, rounds // 10)]]
    spent = _timed(
        lambda skus: inventory.selectors.ats(market.channel_id, skus, at=at, by=later), by
    )
    report.add(Figure("availability: the same by a date, median", percentile(spent, 0.5), "ms"))
    spent = _timed(
        lambda sku_id: inventory.selectors.explain(
            market.account_id, market.channel_id, sku_id, at=at
        ),
        dice.sample(market.sku_ids, min(len(market.sku_ids), rounds * 5)),
    )
    report.add(
        Figure("availability: one SKU explained, p99", percentile(spent, 0.99), "ms", "<= 20")
    )


def _publish(report: Report, market: Market, dice: random.Random) -> None:
    """A first turn over everything, one after a hundred positions have changed, and an idle one."""
    actor = Actor.system("benchmark")
    everything = len(market.sku_ids)
    for name, touched in (("all SKUs", 0), ("1,000 changed", 1_000), ("nothing changed", 0)):
        if touched:
            _touch(market, dice.sample(market.sku_ids, min(touched, everything)))
        begun = time.perf_counter()
        turn = inventory.services.publish_changes(everything, at=clock.now(), actor=actor)
        took = (time.perf_counter() - begun) * 1e3
        notes = f"{turn.counted:,} counted, {turn.changed:,} changed"
        report.add(Figure(f"availability: the publisher's turn, {name}", took, "ms", notes=notes))


def _touch(market: Market, sku_ids: list[int]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_stockposition SET sellable = sellable + 1 "
            "WHERE sku_id = ANY(%s) AND node_id = ANY(%s)",
            [sku_ids, market.node_ids[:1]],
        )


def _timed(work: Callable[[object], object], samples: list[object]) -> list[float]:
    """Milliseconds of each call; the first is not counted."""
    spent = []
    for sample in samples:
        begun = time.perf_counter()
        work(sample)
        spent.append((time.perf_counter() - begun) * 1e3)
    return spent[1:]


def _fill(skus: int, nodes: int) -> Market:
    """An account of its own. Foreign keys are not looked up: the rows come from their tables."""
    account = Account.objects.create(code="many", name="Many")
    brand = Brand.objects.create(account=account, code="many", name="Many")
    channel = Channel.objects.create(
        account=account, brand=brand, code="many-web", name="Many", kind="web", currency="USD"
    )
    template = Sku.objects.create(account=account, code="MANY-1", name="Thing")
    node = Node.objects.create(
        code="many-1", name="Store", kind="store", state="active", postal_code="10001"
    )
    asked = {"account": account.pk, "channel": channel.pk, "nodes": nodes, "each": NODES_PER_SKU}
    home = ground.home()
    with psycopg.connect(
        host=str(home.postgres_sockets),
        user=SUPERUSER,
        password=home.keys.superuser,
        dbname=DATABASE,
        autocommit=True,
    ) as owner:
        owner.execute("SET session_replication_role = replica")
        for first, code, copies in ((template, "MANY-", skus), (node, "many-", nodes)):
            owner.execute(_copying(first, code), {"copies": copies, "template": first.pk})
        cursor = psycopg.ClientCursor(owner)
        cursor.execute(_FILL, asked)
        owner.execute("VACUUM ANALYZE")
        sku_ids = [
            row[0]
            for row in owner.execute(
                "SELECT id FROM inventory_sku WHERE account_id = %s", [account.pk]
            )
        ]
        node_ids = [
            row[0]
            for row in owner.execute("SELECT id FROM inventory_node WHERE code LIKE 'many-%%'")
        ]
    return Market(account.pk, channel.pk, sku_ids, node_ids)


def _copying(template: Model, code: str) -> str:
    """As many rows as are asked for, alike but for their code."""
    columns = [field.column for field in template._meta.fields if not field.primary_key]
    values = [f"'{code}' || n" if column == "code" else f"template.{column}" for column in columns]
    return _COPIES.format(
        table=template._meta.db_table, columns=", ".join(columns), values=", ".join(values)
    )


def _floor(market: Market, asked: list[list[int]], *, seconds: int) -> float:
    """Milliseconds of the statement alone, as one client has it from pgbench."""
    home = ground.home()
    with tempfile.TemporaryDirectory() as folder:
        options = []
        for number, sku_ids in enumerate(asked):
            script = Path(folder) / f"{number}.sql"
            script.write_text(
                _FLOOR.format(
                    skus=",".join(map(str, sku_ids)),
                    nodes=",".join(map(str, market.node_ids)),
                    account=market.account_id,
                )
            )
            options += ["-f", str(script)]
        ran = subprocess.run(
            [
                str(binary("pgbench")), "-h", str(home.postgres_sockets), "-U", SUPERUSER, "-n", "-c", "1",
                "-T", str(seconds), *options, DATABASE,
            ],
            env={**os.environ, "PGPASSWORD": home.keys.superuser}, capture_output=True, text=True, check=True,
        )  # fmt: skip
    found = _LATENCY.search(ran.stdout)
    if found is None:
        raise RuntimeError(f"pgbench told no latency:\n{ran.stdout}\n{ran.stderr}")
    return float(found[1])
