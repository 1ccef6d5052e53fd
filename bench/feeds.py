"""Feeds under load: a snapshot of 100,000 rows, changes by the thousand, a million rows folded."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from django.db import connection, transaction

from bench import ground
from bench.report import Figure, Report
from bench.world import ACTOR, World
from config.embedded.home import CHECKOUT
from config.invariants import check_all
from config.kernel import clock, ids
from inventory import services
from inventory.snapshot_files import decoded, read_file
from inventory.types import FeedDelta, SnapshotDraft, StockChange

ROWS = 100_000
DIFFERING = 100
"""One in so many lines differs when a shelf that is known is compared."""
BATCH = 2_000
DELTAS_FLOOR = "copy_and_merge"
FOLDED = 1_000_000
SOURCE = "bench-feed"
_PEAK = (
    "import resource, subprocess, sys; "
    "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)
"""Run by a small process between: a child's peak begins with what its parent had at the fork."""


def run(report: Report, world: World, parts: list[str], *, quick: bool) -> None:
    """Measure the named parts of snapshot, deltas and fold at a node with 100,000 SKUs."""
    node_id = min(world.retailer.node_ids.values())
    skus = _skus(world)
    codes = list(skus)
    first = {code: 20 + number % 50 for number, code in enumerate(codes)}
    spent = _snapshot(world, node_id, first)
    if "snapshot" in parts:
        report.add(Figure("feeds: first snapshot, 100,000 rows new", spent, "s"))
        _reconcile(report, world, node_id, first)
    if "deltas" in parts:
        _deltas(report, world, node_id, list(skus.values())[:20_000], batches=10 if quick else 60)
    if "fold" in parts:
        _fold(report, world, node_id)


def _skus(world: World) -> dict[str, int]:
    """100,000 SKUs like one that the retailer has; ids by code."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns "
            "WHERE table_name = 'inventory_sku' AND column_name NOT IN ('id', 'code')"
        )
        [(columns,)] = cursor.fetchall()
        like = world.retailer.sku_ids[world.goods[0].code]
        cursor.execute(
            f"INSERT INTO inventory_sku (code, {columns}) "  # noqa: S608  # names from the catalogue
            f"SELECT 'BENCH-' || lpad(n::text, 6, '0'), {columns} FROM inventory_sku, "
            f"generate_series(1, {ROWS}) AS n WHERE inventory_sku.id = %s RETURNING code, id",
            [like],
        )
        found = dict(cursor.fetchall())
        cursor.execute("ANALYZE inventory_sku")
    return dict(sorted(found.items()))


def _file(units: dict[str, int]) -> Iterator[bytes]:
    yield b"sku,quantity\n"
    for code, quantity in units.items():
        yield f"{code},{quantity}\n".encode()
    yield f"END,{len(units)},{sum(units.values())}\n".encode()


def _snapshot(world: World, node_id: int, units: dict[str, int]) -> float:
    """Seconds from the first byte of the file to the last row in the book."""
    at = clock.now()
    draft = SnapshotDraft(node_id, world.account_id, SOURCE, at)
    begun = time.perf_counter()
    document = services.send_snapshot(
        draft, read_file(decoded(_file(units))), services.Totals(), at=at, actor=ACTOR
    )
    assert document.state == "accepted", list(document.problems.values_list("detail")[:3])
    while services.apply_range(document.pk, at=at, actor=ACTOR):
        pass
    return time.perf_counter() - begun


def _reconcile(report: Report, world: World, node_id: int, units: dict[str, int]) -> None:
    """A known shelf compared, here for the time and by the command for its memory."""
    spent = _snapshot(world, node_id, _nearly(units, 1))
    report.add(
        Figure("feeds: snapshot of 100,000 rows reconciled", spent, "s", "<= 20", None, "1% differ")
    )
    path = ground.home().root / "snapshot.csv"
    path.write_bytes(b"".join(_file(_nearly(units, 2))))
    account, node = _codes(world, node_id)
    as_of = clock.now().isoformat()
    command = [
        sys.executable, "manage.py", "apply_snapshot", str(path), "--account", account,
        "--node", node, "--source", SOURCE, "--as-of", as_of,
    ]  # fmt: skip
    begun = time.perf_counter()
    told = subprocess.run(
        [sys.executable, "-c", _PEAK, *command], cwd=CHECKOUT, capture_output=True, check=True
    )
    spent = time.perf_counter() - begun
    report.add(Figure("feeds: the same by apply_snapshot, start-up too", spent, "s", "<= 20", None))
    peak = int(told.stdout) / 1024
    report.add(Figure("feeds: peak memory of apply_snapshot", peak, "MB", "<= 300"))


def _nearly(units: dict[str, int], more: int) -> dict[str, int]:
    return {
        code: quantity + more * (number % DIFFERING == 0)
        for number, (code, quantity) in enumerate(units.items())
    }


def _codes(world: World, node_id: int) -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.code, n.code FROM kernel_account a, inventory_node n "
            "WHERE a.id = %s AND n.id = %s",
            [world.account_id, node_id],
        )
        [found] = cursor.fetchall()
    account, node = found
    return account, node


def _deltas(
    report: Report, world: World, node_id: int, sku_ids: list[int], *, batches: int
) -> None:
    """Batches of changes, by turns through the command and as bare COPY and merge."""
    dice = random.Random(1)
    at = clock.now()
    ours: list[float] = []
    floor: list[float] = []
    for turn in range(batches + 1):
        drawn = [(dice.choice(sku_ids), dice.choice((-1, 1, 2))) for _ in range(BATCH)]
        ours.append(_told(world, node_id, drawn, turn, at=at))
        drawn = [(dice.choice(sku_ids), dice.choice((-1, 1, 2))) for _ in range(BATCH)]
        floor.append(_merged(world.account_id, node_id, drawn, turn, at=at))
    rate, bare = BATCH / median(ours[1:]), BATCH / median(floor[1:])
    report.floor[DELTAS_FLOOR] = bare
    report.add(Figure("floor: COPY and merge, batches of 2,000", bare, "changes/s"))
    report.add(
        Figure(
            "feeds: changes, batches of 2,000",
            rate,
            "changes/s",
            "ratio >= 0.5, >= 10,000",
            report.of_floor(rate, DELTAS_FLOOR),
            f"median of {batches}",
        )
    )


def _told(
    world: World, node_id: int, drawn: list[tuple[int, int]], turn: int, *, at: datetime
) -> float:
    deltas = [
        FeedDelta(
            StockChange(node_id, sku_id, world.account_id, units, "adjust", source=SOURCE),
            turn * BATCH + number,
        )
        for number, (sku_id, units) in enumerate(drawn)
    ]
    begun = time.perf_counter()
    outcomes = services.apply_deltas(node_id, SOURCE, deltas, at=at, actor=ACTOR)
    spent = time.perf_counter() - begun
    assert all(outcome.ok for outcome in outcomes)
    return spent


def _merged(
    account_id: UUID, node_id: int, drawn: list[tuple[int, int]], turn: int, *, at: datetime
) -> float:
    """The least SQL that does the same: COPY, keys that happen once, two updates, the ledger."""
    body = "".join(
        f"{ids.uuid7()}\t{sku_id}\t{units}\tfloor:{turn}:{number}\n"
        for number, (sku_id, units) in enumerate(drawn)
    ).encode()
    begun = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE delta (id uuid, sku_id bigint, units bigint, name text) "
            "ON COMMIT DROP"
        )
        with cursor.copy("COPY delta FROM STDIN") as copy:
            copy.write(body)
        for statement in _MERGE:
            cursor.execute(statement, {"node": node_id, "account": account_id, "at": at})
    return time.perf_counter() - begun


_MERGE = (
    """
    INSERT INTO kernel_externalkey (scope, source, external_id, subject_id)
    SELECT 'floor', 'floor', name, id FROM delta ON CONFLICT DO NOTHING
    """,
    """
    SELECT count(*) FROM (SELECT 1 FROM inventory_stockposition WHERE node_id = %(node)s
        AND sku_id IN (SELECT sku_id FROM delta) ORDER BY id FOR UPDATE) AS held
    """,
    """
    WITH placed AS (
        SELECT delta.*, p.id AS position_id, l.id AS level_id,
            l.on_hand + sum(delta.units) OVER (PARTITION BY l.id ORDER BY delta.id) AS balance
        FROM delta JOIN inventory_stockposition p
            ON p.sku_id = delta.sku_id AND p.node_id = %(node)s AND p.owner_id = %(account)s
        JOIN inventory_stocklevel l
            ON l.position_id = p.id AND l.condition = 'available' AND l.lot = ''
    ), levels AS (
        UPDATE inventory_stocklevel l SET on_hand = l.on_hand + s.units
        FROM (SELECT level_id, sum(units) AS units FROM placed GROUP BY 1) s
        WHERE l.id = s.level_id
    ), positions AS (
        UPDATE inventory_stockposition p SET sellable = p.sellable + s.units,
            changed_xid = pg_current_xact_id()::text::bigint
        FROM (SELECT position_id, sum(units) AS units FROM placed GROUP BY 1) s
        WHERE p.id = s.position_id
    )
    INSERT INTO inventory_movement (id, account_id, node_id, sku_id, position_id, level_id,
        condition, lot, quantity, balance, kind, cause_kind, source, external_id, note, at,
        actor_kind, actor_id, actor_name, correlation_id)
    SELECT id, %(account)s, %(node)s, sku_id, position_id, level_id, 'available', '', units,
        balance, 'adjust', '', 'floor', name, '', %(at)s, 'system', 'floor', 'floor', ''
    FROM placed
    """,
)


def _fold(report: Report, world: World, node_id: int) -> None:
    """A million movements more, which even out, and every level against its sum."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_movement (id, account_id, node_id, sku_id, position_id, level_id,
                condition, lot, quantity, balance, kind, cause_kind, source, external_id, note, at,
                actor_kind, actor_id, actor_name, correlation_id)
            SELECT uuidv7(), p.account_id, p.node_id, p.sku_id, p.id, l.id, l.condition, l.lot,
                CASE WHEN n %% 2 = 0 THEN 1 ELSE -1 END, l.on_hand, 'adjust', '', '', '', '',
                %(at)s, 'system', 'bench', 'bench', ''
            FROM inventory_stockposition p
            JOIN inventory_stocklevel l ON l.position_id = p.id AND l.condition = 'available'
                AND l.lot = ''
            CROSS JOIN generate_series(1, 10) AS n
            WHERE p.node_id = %(node)s
            """,
            {"node": node_id, "at": clock.now() - timedelta(days=1)},
        )
        written = cursor.rowcount
        cursor.execute("ANALYZE inventory_movement")
    assert written >= FOLDED
    begun = time.perf_counter()
    broken = check_all(about="stock.on_hand")
    spent = time.perf_counter() - begun
    assert broken == []
    report.add(
        Figure("feeds: 1 M ledger rows folded and compared", spent, "s", "<= 60", None, "one pass")
    )
