"""Quotes through the API, with the database, over a network of three hundred nodes.

Times are processor time, of this process and of its PostgreSQL backend together: what one quote costs
the machine, whatever else is running on it.
"""

import gc
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from django.db import connection
from django.test import Client

from bench.report import Figure, Report, percentile
from bench.world import ACTOR, ZIPS, node_draft
from config.kernel import clock
from config.kernel.models import Account, Brand, Channel
from config.kernel.services import access
from inventory.services import define, record_changes
from inventory.types import StockChange
from routing.services import RateCardDraft, ZoneDraft, define_rate_cards, seed_policies

SKUS: Final = 60
AT_EACH: Final = 12
"""SKUs on the shelves of each node."""
SERVICES: Final = (("standard", "standard", 1, 2), ("express", "express", 1, 1))
PATH: Final = "/api/v1/promises/quote"
_TICK: Final = os.sysconf("SC_CLK_TCK")

_FLOOR: Final = """
    SELECT p.id, p.node_id, p.sku_id, p.sellable, p.reserved, p.buffer, p.landed, p.shortfall
    FROM inventory_stockposition p WHERE p.sku_id = ANY(%s) AND p.node_id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Shop:
    """A client with a channel's key, the SKUs it sells, and the nodes that may send them.

    One client asks for everything: its first request sets up the middleware, as a web process does
    when it starts.
    """

    client: Client
    sku_ids: dict[str, int]
    node_ids: list[int]


def run(report: Report, *, nodes: int, rounds: int) -> None:
    """Ask for carts and product pages; the floor reads the same positions and nothing else."""
    shop = _open(nodes)
    dice = random.Random(7)
    floor = percentile(_all(partial(_floor, shop, dice), 5 * rounds), 0.5)
    report.add(Figure("floor: positions of 5 SKUs, the same SQL", floor, "ms", notes="median"))
    asked: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("5 lines, one service level", {"lines": 5, "service_levels": ["standard"]}, "<= 50"),
        ("5 lines, every way and level", {"lines": 5}, ""),
        ("10 lines, one service level", {"lines": 10, "service_levels": ["standard"]}, ""),
        ("product pages, 20 SKUs", {"lines": 20, "kind": "product", "methods": ["ship"]}, ""),
    )
    for name, terms, expected in asked:
        spent = _all(partial(_asked, shop, dice, terms), rounds)
        middle, most = percentile(spent, 0.5), percentile(spent, 0.99)
        label = f"quote: {nodes} nodes, {name}"
        report.add(Figure(f"{label}, median", middle, "ms", floor_ratio=floor / middle))
        report.add(Figure(f"{label}, p99", most, "ms", expected, notes="processor time"))


def _asked(shop: Shop, dice: random.Random, terms: dict[str, Any]) -> None:
    """One quote."""
    codes = dice.sample(sorted(shop.sku_ids), terms["lines"])
    body = {
        "kind": "checkout",
        "destination": {"postal_code": dice.choice(ZIPS), "country": "US"},
        **terms,
        "lines": [{"sku": code, "quantity": dice.randint(1, 2)} for code in codes],
    }
    answer = shop.client.post(PATH, body, content_type="application/json")
    if answer.status_code != HTTPStatus.CREATED or not answer.json()["options"]:
        raise RuntimeError(f"no quote: {answer.content.decode()[:500]}")


def _floor(shop: Shop, dice: random.Random) -> None:
    skus = dice.sample(sorted(shop.sku_ids.values()), 5)
    with connection.cursor() as cursor:
        cursor.execute(_FLOOR, [skus, shop.node_ids])
        cursor.fetchall()


def _all(work: Callable[[], None], rounds: int) -> list[float]:
    """Processor milliseconds of each round: of this process, and the backend's share of a round.

    The kernel counts the backend's time in hundredths of a second, so it is counted over all of
    them. The first round is not: it reads what is then known.
    """
    work()
    gc.collect()
    gc.freeze()  # as a web process does once it is warm
    spent, backend = [], _backend_ticks()
    for _ in range(rounds):
        begun = time.process_time()
        work()
        spent.append(1e3 * (time.process_time() - begun))
    share = 1e3 * (_backend_ticks() - backend) / _TICK / rounds
    return [one + share for one in spent]


def _backend_ticks() -> int:
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def _open(nodes: int) -> Shop:
    """An account of its own: nodes all over the country, each with a dozen SKUs on its shelves."""
    at, dice = clock.now(), random.Random(3)
    account = Account.objects.create(code="quoted", name="Quoted")
    brand = Brand.objects.create(account=account, code="quoted", name="Quoted")
    channel = Channel.objects.create(
        account=account, brand=brand, code="quoted", name="Quoted", kind="web", currency="USD"
    )
    node_ids = list(
        define.define_nodes(
            [node_draft(f"QUOTED-{number}", number, dice) for number in range(nodes)],
            account_id=account.pk,
            at=at,
            actor=ACTOR,
        ).values()
    )
    define.define_networks(
        [(channel.pk, node_id, True, place % 3 == 0) for place, node_id in enumerate(node_ids)],
        at=at,
        actor=ACTOR,
    )
    levels = define.define_services(
        [
            define.ServiceDraft(code, code.title(), kind, "post", "Post")
            for code, kind, _, _ in SERVICES
        ],
        at=at,
        actor=ACTOR,
    )
    define_rate_cards(
        [
            RateCardDraft(
                code,
                levels[code],
                tuple(
                    ZoneDraft(km, 600 + km // 4, 60 + km // 40, p50 * ring, p90 * ring)
                    for ring, km in enumerate((300, 1_000, 2_500, 40_000), 1)
                ),
            )
            for code, _, p50, p90 in SERVICES
        ],
        at=at,
        actor=ACTOR,
    )
    seed_policies(account.pk, at=at, actor=ACTOR)
    sku_ids = define.define_skus(
        [
            define.SkuDraft(f"Q-{n}", f"Thing {n}", "stock", None, 2_500, "USD", weight_grams=400)
            for n in range(SKUS)
        ],
        account_id=account.pk,
        at=at,
        actor=ACTOR,
    )
    known = sorted(sku_ids.values())
    record_changes(
        [
            StockChange(node_id, sku_id, account.pk, dice.randint(1, 4), "receipt")
            for node_id in node_ids
            for sku_id in dice.sample(known, AT_EACH)
        ],
        at=at,
        actor=ACTOR,
    )
    _, key = access.issue_api_key(
        account_id=account.pk,
        channel_id=channel.pk,
        name="benchmark",
        scopes=["api.availability"],
        requests_per_minute=10_000_000,
        at=at,
        actor=ACTOR,
    )
    client = Client(headers={"Authorization": f"Bearer {key}", "Host": "localhost"})
    return Shop(client, sku_ids, node_ids)
