"""The order list of the console on very many orders, through the Django view."""

import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import psycopg
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from bench import baskets, bulk, ground
from bench.report import Figure, Report, percentile
from bench.world import World
from config.embedded.home import DATABASE
from config.embedded.postgres import SUPERUSER
from config.kernel import clock
from config.kernel.types import ALL_ACCOUNTS
from orders.models import DeliveryGroup, Hold, Order, OrderLine

TEMPLATES = 1_000
"""Real orders that the many are copies of."""
DAYS = 365
OPEN_COPIES = 10
"""The newest copies of each stay as open as their template; older ones were delivered and closed."""
_CHUNK = 20
_UNITS = ("pending", "backordered", "reserved", "released", "underway", "lost", "sent_back")

# A template's id, moved back in time: the same everywhere the template's id stands, and a UUIDv7,
# so that keyset pages by id are pages by age.
_MOVED_BACK = """
CREATE OR REPLACE FUNCTION pg_temp.moved(copy int, copies int, id uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (lpad(to_hex({newest}
            - copy * ({days}::bigint * 86400000 / copies)
            - ('x' || substr(md5(id::text), 1, 6))::bit(24)::int), 12, '0')
        || '7' || substr(md5(id::text || copy), 1, 3)
        || '8' || substr(md5(id::text || copy), 4, 15))::uuid
$$
"""
_COPY = "pg_temp.moved(copy, %(copies)s, {column})"
_AGE = f"copy * interval '{DAYS} days' / %(copies)s"


def run(report: Report, world: World, *, orders: int) -> None:
    """Fill up to so many orders, then read the pages that people read."""
    templates = _templates(world)
    begun = time.perf_counter()
    _fill(templates, copies=orders // len(templates))
    count = Order.objects.for_scope(ALL_ACCOUNTS).count()
    took = time.perf_counter() - begun
    print(f"  list: {count:,} orders, made in {took:.0f} s", flush=True)
    client = Client(SERVER_NAME="localhost")
    client.force_login(get_user_model().objects.get(username="olivia"))
    everything: list[float] = []
    for name, queries in _visits(world):
        spent = [_read(client, query) for query in queries]
        everything += spent
        report.add(Figure(f"list: {name}, p95", percentile(spent, 0.95) * 1e3, "ms"))
    report.add(
        Figure(
            f"list: all of these, {count / 1e6:.1f} M orders, p95",
            percentile(everything, 0.95) * 1e3,
            "ms",
            "<= 300",
            None,
            f"{len(everything)} pages",
        )
    )


def _templates(world: World) -> list[Any]:
    stream = baskets.drafts(world, "list", at=clock.now())
    bulk.send(list(islice(stream, TEMPLATES)))
    known = Order.objects.for_scope(ALL_ACCOUNTS).filter(external_id__startswith="list-")
    return list(known.values_list("pk", flat=True))


def _fill(templates: list[Any], *, copies: int) -> None:
    home = ground.home()
    with psycopg.connect(
        host=str(home.postgres_sockets),
        user=SUPERUSER,
        password=home.keys.superuser,
        dbname=DATABASE,
        autocommit=True,
    ) as connection:
        # Copies point where their templates point: what holds for those need not be asked again.
        connection.execute("SET session_replication_role = replica")
        connection.execute(_MOVED_BACK.format(newest=time.time_ns() // 1_000_000, days=DAYS))
        statements = list(_statements())
        for first in range(1, copies, _CHUNK):
            last = min(first + _CHUNK, copies) - 1
            for statement in statements:
                connection.execute(
                    statement,
                    {"copies": copies, "first": first, "last": last, "templates": templates},
                )
        connection.execute("VACUUM ANALYZE")


def _statements() -> Iterator[str]:
    """An INSERT … SELECT per table: every column as its template has it, but for these."""
    own, order = _COPY.format(column="t.id"), _COPY.format(column="t.order_id")
    closed = f"copy > {OPEN_COPIES}"
    yield _copying(
        Order,
        {
            "id": own,
            "number": "'SY-' || nextval('orders_order_number')",
            "external_id": "t.external_id || '/' || copy",
            "external_number": "t.external_number || '/' || copy",
            "lookalike_hash": "''",
            "state": f"CASE WHEN {closed} THEN 'closed' ELSE t.state END",
            "progress": f"CASE WHEN {closed} THEN 'delivered' ELSE t.progress END",
            "holds_open": f"CASE WHEN {closed} THEN 0 ELSE t.holds_open END",
            "blocked": f"CASE WHEN {closed} THEN '{{}}' ELSE t.blocked END",
            "closed_at": f"CASE WHEN {closed} THEN t.placed_at - {_AGE} END",
            **{name: f"t.{name} - {_AGE}" for name in ("placed_at", "captured_at", "accepted_at")},
            **{name: f"t.{name} - {_AGE}" for name in ("ship_by", "deliver_by", "remorse_until")},
        },
        key="id",
    )
    yield _copying(DeliveryGroup, {"id": own, "order_id": order})
    delivered = f"CASE WHEN {closed} AND t.kind <> 'kit' THEN t.ordered ELSE t.{{name}} END"
    yield _copying(
        OrderLine,
        {
            "id": own,
            "order_id": order,
            "group_id": _COPY.format(column="t.group_id"),
            "parent_id": _COPY.format(column="t.parent_id"),
            **{name: f"CASE WHEN {closed} THEN 0 ELSE t.{name} END" for name in _UNITS},
            **{name: delivered.format(name=name) for name in ("shipped", "delivered")},
        },
    )
    yield _copying(
        Hold,
        {
            "id": own,
            "order_id": order,
            "group_id": _COPY.format(column="t.group_id"),
            "line_id": _COPY.format(column="t.line_id"),
            "state": f"CASE WHEN {closed} THEN 'released' ELSE t.state END",
        },
    )


def _copying(model: Any, changed: dict[str, str], *, key: str = "order_id") -> str:
    columns = [field.column for field in model._meta.concrete_fields]
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(changed.get(name, f't."{name}"') for name in columns)
    return (
        f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {values} '  # noqa: S608  # own text
        f'FROM "{model._meta.db_table}" t, generate_series(%(first)s::int, %(last)s::int) copy '
        f'WHERE t."{key}" = ANY(%(templates)s)'
    )


def _visits(world: World) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """What people open, by name: the addresses of each."""
    rows = Order.objects.for_scope(ALL_ACCOUNTS).order_by("pk")
    some = list(rows.values_list("pk", "number", "external_number")[:: max(1, rows.count() // 40)])
    yield "first page", [{} for _ in range(30)]
    yield "a page far back", [{"before": str(pk)} for pk, _, _ in some]
    yield "by number", [{"q": number} for _, number, _ in some]
    yield "by external number", [{"q": number} for _, _, number in some]
    yield "one state", [{"state": state} for state in ("accepted", "closed", "cancelled")] * 10
    yield "held", [{"need": "held"}] * 20
    yield "will miss today", [{"need": "miss"}] * 20
    yield "by SKU", [{"sku": sku.code} for sku in world.goods[:20]]
    yield "by e-mail", [{"q": f"nobody{number}@example.com"} for number in range(20)]


def _read(client: Client, query: dict[str, str]) -> float:
    begun = time.perf_counter()
    response = client.get(reverse("console:orders"), query)
    content = response.content
    spent = time.perf_counter() - begun
    assert response.status_code == 200, (query, response.status_code, content[:200])
    return spent
