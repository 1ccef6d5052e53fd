"""Stock for an import to live on: the SKUs that a file sold, and as many units as it sold of each.

A file says nothing about where its goods lay, so each SKU gets a home node that holds most of its
units and a second that holds the rest, both following from its code. Running it again changes
nothing: a receipt is known by the file's hash, the SKU and the node.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import TypeVar
from zlib import crc32

import inventory.selectors
import inventory.services
from config.kernel import money
from config.kernel.errors import Invalid
from config.kernel.types import Actor
from integrations.imports.profiles import StockLine
from integrations.types import ChannelRef
from inventory.services.define import SkuDraft, define_skus
from inventory.types import StockChange

T = TypeVar("T")

CHUNK = 500
HOME_PERCENT = 70
CODE_LENGTH = 64
NAME_LENGTH = 200


@dataclass(slots=True)
class Sold:
    """What the file says of one SKU."""

    name: str = ""
    units: int = 0
    price: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Derived:
    """How many SKUs were defined and units received, at how many nodes."""

    skus: int
    units: int
    nodes: int


def derive_stock(
    lines: Iterable[StockLine], channel: ChannelRef, file_sha256: str, *, at: datetime, actor: Actor
) -> Derived:
    """Define the SKUs that the file sold and receive their units. Raises Invalid without nodes."""
    nodes = [
        node.id
        for node in inventory.selectors.network(channel.account_id)
        if inventory.selectors.channel_nodes(channel.id).get(node.id, (False, False))[0]
    ]
    if not nodes:
        raise Invalid(
            f"No node ships for the channel {channel.code}: there is nowhere to put stock."
        )
    sold = _summed(lines)
    sku_ids: dict[str, int] = {}
    for codes in _chunks(sorted(sold)):
        known = inventory.selectors.skus_by_code(channel.account_id, channel.id, codes)
        sku_ids |= {code: view.id for code, view in known.items()}
        fresh = [_draft(code, sold[code], channel) for code in codes if code not in known]
        sku_ids |= define_skus(fresh, account_id=channel.account_id, at=at, actor=actor)
    changes = _receipts(sold, sku_ids, nodes, channel, file_sha256)
    for some in _chunks(changes):
        inventory.services.record_changes(some, at=at, actor=actor)
    return Derived(len(sold), sum(one.units for one in sold.values()), len(nodes))


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    stream = iter(items)
    while some := list(islice(stream, CHUNK)):
        yield some


def _summed(lines: Iterable[StockLine]) -> dict[str, Sold]:
    sold: dict[str, Sold] = {}
    for line in lines:
        if not line.sku or len(line.sku) > CODE_LENGTH or line.quantity <= 0:
            continue
        one = sold.setdefault(line.sku, Sold())
        one.units += line.quantity
        one.name = one.name or line.name
        one.price = max(one.price, line.unit_price)
    return sold


def _draft(code: str, one: Sold, channel: ChannelRef) -> SkuDraft:
    return SkuDraft(
        code=code,
        name=(one.name or code)[:NAME_LENGTH],
        kind="stock",
        brand_id=channel.brand_id,
        price_minor=money.to_minor(one.price, channel.currency),
        currency=channel.currency,
    )


def _receipts(
    sold: dict[str, Sold],
    sku_ids: dict[str, int],
    nodes: Sequence[int],
    channel: ChannelRef,
    file_sha256: str,
) -> Iterator[StockChange]:
    for code, one in sorted(sold.items()):
        home = crc32(code.encode()) % len(nodes)
        at_home = -(-one.units * HOME_PERCENT // 100) if len(nodes) > 1 else one.units
        shares = ((home, at_home), ((home + 1) % len(nodes), one.units - at_home))
        for place, units in shares:
            if units:
                yield StockChange(
                    nodes[place],
                    sku_ids[code],
                    channel.account_id,
                    units,
                    "receipt",
                    source="import",
                    external_id=f"{file_sha256[:32]}:{code}:{nodes[place]}",
                    note="derived from an imported file",
                )
