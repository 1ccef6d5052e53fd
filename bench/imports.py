"""Files of orders: a large one as history, and orders of three lines as live sales."""

import csv
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

from bench import baskets
from bench.report import Figure, Report
from bench.world import ACTOR, BRAND, CHANNEL, World
from config.kernel import clock
from config.kernel.services import accounts
from config.kernel.services.accounts import ChannelDraft
from config.kernel.types import ALL_ACCOUNTS
from integrations import selectors
from integrations.imports.profiles import PROFILES
from integrations.services.imports import ImportRequest, Progress, import_orders
from orders.types import OrderDraft

RETAIL_CHANNEL = "retail-history"
_COLUMNS = (
    "order_id", "placed_at", "email", "phone", "group", "service_level",
    "name", "address1", "city", "region", "postal_code",
    "country", "line_id", "sku", "title", "quantity",
    "unit_price", "discount", "tax", "shipping", "order_total", "payment", "paid",
)  # fmt: skip


def run(report: Report, world: World, retail: Path | None, *, quick: bool) -> None:
    if retail is not None and retail.is_file():
        _history(report, world, retail, lines=30_000 if quick else 0)
    else:
        why = "no file was given (--retail PATH)" if retail is None else f"there is no {retail}"
        report.skip("import of the large file", why)
    _live(report, world, orders=1_500 if quick else 6_000)


def _history(report: Report, world: World, retail: Path, *, lines: int) -> None:
    accounts.define_channels(
        [ChannelDraft(RETAIL_CHANNEL, "Retail history", "web", BRAND, "GBP", "Europe/London")],
        account_id=world.account_id,
        brand_ids=world.retailer.brand_ids,
        at=clock.now(),
        actor=ACTOR,
    )
    done, spent = _import(retail, "online-retail", RETAIL_CHANNEL, "history", lines)
    report.add(
        Figure(
            "import: the large file as history",
            done.done / spent,
            "lines/s",
            ">= 1500",
            None,
            f"{done.done:,} lines in {spent:.0f} s",
        )
    )


def _live(report: Report, world: World, *, orders: int) -> None:
    at = clock.now()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "live.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            for draft in islice(baskets.drafts(world, "import", at=at), orders):
                writer.writerows(_rows(draft, at))
        done, spent = _import(path, "csv", CHANNEL, "live", 0)
    rate = orders / spent
    report.add(
        Figure(
            "import: orders of three lines, live",
            rate,
            "orders/s",
            ">= 400",
            report.of_floor(rate, "batch50_uniform"),
            f"{orders:,} orders, lines {dict(done.counts)}",
        )
    )


def _import(
    path: Path, profile: str, channel: str, mode: str, limit: int
) -> tuple[Progress, float]:
    request = ImportRequest(
        path,
        PROFILES[profile],
        selectors.channel_ref(selectors.channel_by_code(channel, ALL_ACCOUNTS)),
        mode,
        limit=limit,
    )
    begun = time.perf_counter()
    known = request.profile.scan(path)
    done = import_orders(request, known, at=clock.now(), actor=ACTOR)
    return done, time.perf_counter() - begun


def _rows(draft: OrderDraft, at: datetime) -> Iterator[tuple[object, ...]]:
    assert draft.totals is not None
    for number, group in enumerate(draft.groups):
        address = group.address
        assert address is not None
        for line in group.lines:
            yield (
                draft.external_id, at.isoformat(), draft.customer.email, draft.customer.phone,
                number, group.service_level_code,
                address.name, address.line1, address.city, address.region, address.postal_code,
                address.country, line.external_id, line.sku_code, line.title, line.quantity,
                line.unit_price, line.discount_minor / 100, line.tax_minor / 100,
                draft.totals.shipping_minor / 100, (draft.totals.total_minor or 0) / 100,
                "card", draft.tenders[0].amount_minor / 100,
            )  # fmt: skip
