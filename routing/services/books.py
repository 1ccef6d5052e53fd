"""Making price books, in the background: what was sold foretells what units will be worth."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zlib import crc32

from django.db import transaction

import inventory.selectors
from config.kernel import versions
from config.kernel.services import leases
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.backing import behind
from inventory.selectors.inbound_ahead import lines_coming, units_waiting
from inventory.states import Function
from orders.selectors.demand_history import Sold, accounts_that_sell, sold
from routing import reference
from routing.books import TOPIC, pack
from routing.matching_models import PriceBook, StockPrice
from routing.rooms import COUNTED

LOOKS_BACK = timedelta(days=56)
RECENT = timedelta(days=7)
"""What came since then teaches what was foreseen from all before."""

LEAST_DAYS = 14
"""With demand of fewer days than this there is no book: every plan is the cheapest by itself."""

BOOKS_WITH_PRICES = 2
"""How many of an account keep their prices of units: plans may still be made with the last but one."""

MADE_WITHIN = 600.0
SKUS_AT_ONCE = 500

_log = logging.getLogger(__name__)


def make_book(account_id: UUID, *, at: datetime, actor: Actor) -> PriceBook | None:
    """A book of the account from what was sold in eight weeks; None where too little was.

    Nobody waits for it: it is worked out without a transaction, and one at a time per account.
    """
    del actor  # nothing but the book says who made it
    with leases.held(f"routing.prices:{account_id}", seconds=MADE_WITHIN) as lease:
        if lease is None:
            return None
        known = reference.current()
        rates = known.rates()
        found = sold(account_id, rates.currency, since=at - LOOKS_BACK, later=at - RECENT, until=at)
        if _days(found) < LEAST_DAYS:
            return None
        return _made(account_id, found, known, at=at)


def _made(
    account_id: UUID, found: Sold, known: reference.Reference, *, at: datetime
) -> PriceBook | None:
    # A web process never makes books, and should not carry what they are made with.
    from routing.foreseeing import Seen, foresee

    channel_id = found.channel_id
    if channel_id is None:
        return None
    nodes = known.network(account_id, channel_id).shipping
    ids = [node.id for node in nodes]
    policy = known.policy(account_id, channel_id)
    until = at + timedelta(days=policy.days_ahead)
    services = {place.service for place in found.places} | {""}
    seen = Seen(
        nodes,
        known.rates(),
        policy.rules,
        {code: known.service_for(code) for code in services},
        _free([sku.sku_id for sku in found.skus], ids),
        _room(ids, at, until),
        _coming([sku.sku_id for sku in found.skus], ids, at, until),
        policy.days_ahead,
    )
    seed = crc32(f"{account_id}:{at.isoformat()}".encode())
    try:
        foreseen = foresee(found, seen, at=at, seed=seed)
    except (ValueError, ArithmeticError) as error:
        _log.warning("no price book could be made: %s", error, extra={"account": str(account_id)})
        return None
    book = PriceBook(
        account_id=account_id,
        currency=known.rates().currency,
        made_at=at,
        days_recorded=_days(found),
        orders_recorded=found.groups,
        days_ahead=policy.days_ahead,
        scenes=foreseen.scenes,
        seed=seed,
        skus=foreseen.skus,
        nodes=len(ids),
        error_permille=round(1_000 * foreseen.error),
        usual_minor=foreseen.usual,
        took_ms=foreseen.took_ms,
        parcels=[
            [node, day.isoformat(), price]
            for (node, day), price in sorted(foreseen.parcels.items())
        ],
        versions=dict(known.versions),
    )
    held: dict[int, dict[int, int]] = {}
    for (node, sku), units in sorted(seen.free.items()):
        if units > 0:
            held.setdefault(sku, {})[node] = units
    rows = [
        StockPrice(
            book=book,
            sku_id=sku,
            packed=pack(
                margin,
                [(node, foreseen.units.get(sku, {}).get(node, 0), n) for node, n in there.items()],
            ),
        )
        for sku, margin in foreseen.margins.items()
        # Where one node has all of it, nothing is to be chosen but whether to send it at all.
        if len(there := held.get(sku, {})) > 1 or there.keys() & foreseen.units.get(sku, {}).keys()
    ]
    _keep(book, rows)
    return book


@transaction.atomic
def _keep(book: PriceBook, rows: Sequence[StockPrice]) -> None:
    book.save(force_insert=True)
    StockPrice.objects.bulk_create(rows, batch_size=2_000)
    kept = PriceBook.objects.for_scope(ALL_ACCOUNTS).filter(account_id=book.account_id)
    newest = list(kept.order_by("-made_at", "-pk").values_list("pk", flat=True))
    StockPrice.objects.filter(book_id__in=newest[BOOKS_WITH_PRICES:]).delete()
    versions.bump(TOPIC)


def _days(found: Sold) -> int:
    if not found.by_day:
        return 0
    return (max(found.by_day) - min(found.by_day)).days + 1


def _free(sku_ids: Sequence[int], node_ids: Collection[int]) -> dict[tuple[int, int], int]:
    """Free units by (node, SKU), read in parts: rows of a large catalog would fill the memory."""
    free: dict[tuple[int, int], int] = {}
    for start in range(0, len(sku_ids), SKUS_AT_ONCE):
        part = inventory.selectors.supply(sku_ids[start : start + SKUS_AT_ONCE], node_ids)
        free |= {key: view.free for key, view in part.items()}
    return free


def _coming(
    sku_ids: Sequence[int], node_ids: Collection[int], at: datetime, until: datetime
) -> dict[tuple[int, int], int]:
    """Units by (node, SKU) that are sure to be there by then, behind all who wait for them."""
    there = frozenset(node_ids)
    units: Counter[tuple[int, int]] = Counter()
    for start in range(0, len(sku_ids), SKUS_AT_ONCE):
        part = sku_ids[start : start + SKUS_AT_ONCE]
        lines = lines_coming(part, at)
        waiting = units_waiting(list(lines)) if lines else {}
        for sku_id, known in lines.items():
            for one in behind(waiting.get(sku_id, ()), [line.coming for line in known]):
                if one.line_id is not None and one.node_id in there and one.ready_at <= until:
                    units[one.node_id, sku_id] += one.units
    return dict(units)


def _room(node_ids: Collection[int], at: datetime, until: datetime) -> dict[tuple[int, int], int]:
    """What nodes with a limit can still send, by (node, days from now): the least of its resources."""
    room: dict[tuple[int, int], int] = {}
    for window in inventory.selectors.windows_between(node_ids, at, until):
        if window.function != Function.SHIP or window.resource not in COUNTED:
            continue
        key = (window.node_id, max(0, (window.starts_at - at).days))
        left = max(0, window.most - window.taken)
        room[key] = min(room.get(key, left), left)
    return room


def due_for_prices(at: datetime, *, older_than: timedelta) -> list[UUID]:
    """Accounts that sell, have done so long enough, and whose newest book is older. Two statements."""
    selling = accounts_that_sell(
        since=at - timedelta(days=1), until=at, before=at - timedelta(days=LEAST_DAYS - 1)
    )
    fresh = PriceBook.objects.for_scope(ALL_ACCOUNTS).filter(made_at__gt=at - older_than)
    return sorted(selling - set(fresh.values_list("account_id", flat=True)))
