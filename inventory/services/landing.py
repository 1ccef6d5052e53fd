"""Units that arrive are owed to those who wait: set aside until orders turn them into claims."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction

from config.kernel.types import Actor
from inventory.ledger import Book


def land(book: Book, arrived: Mapping[int, int]) -> None:
    """Set aside, of the units that arrived at each position, what waiting demand is still owed.

    Goods of other owners are free at once: not every channel may have them.
    Two statements. What another transaction lands at the same moment may be set aside twice;
    `free_unowed` gives such units back.
    """
    came = {
        position_id: units
        for position_id, units in arrived.items()
        if units > 0 and book.positions[position_id].key.is_own
    }
    if not came:
        return
    owed = _Owed({book.positions[position_id].key.sku_id for position_id in came})
    for position_id, units in sorted(came.items()):
        position = book.positions[position_id]
        spare = position.sellable - position.reserved - position.landed
        share = min(units, spare, owed.at(position.key.sku_id, position.key.node_id))
        if share > 0:
            owed.land(position.key.sku_id, position.key.node_id, share)
            book.set_aside(position, position.landed + share)


@transaction.atomic
def free_unowed(limit: int, *, at: datetime, actor: Actor) -> int:
    """Give back landed units that nobody waits for any more; returns how many positions had such."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM inventory_stockposition WHERE landed > 0 ORDER BY id LIMIT %s", [limit]
        )
        book = Book.of_positions([row[0] for row in cursor.fetchall()], levels=False)
    if not book.positions:
        return 0
    owed = _Owed({position.key.sku_id for position in book.positions.values()})
    freed = 0
    for position in book.positions.values():
        if excess := min(position.landed, owed.excess(position.key.sku_id, position.key.node_id)):
            owed.land(position.key.sku_id, position.key.node_id, -excess)
            book.set_aside(position, position.landed - excess)
            freed += 1
    book.write(at=at, actor=actor)
    return freed


class _Owed:
    """Units waited for, by SKU and node (None: any), against units already landed for them."""

    def __init__(self, sku_ids: set[int]) -> None:
        self._waiting: Counter[tuple[int, int | None]] = Counter()
        self._landed: Counter[tuple[int, int]] = Counter()
        wanted = sorted(sku_ids)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT sku_id, node_id, sum(quantity - consumed - released)
                FROM inventory_reservation
                WHERE state = 'waiting' AND sku_id = ANY(%s) GROUP BY 1, 2
                """,
                [wanted],
            )
            for sku_id, node_id, units in cursor.fetchall():
                self._waiting[sku_id, node_id] = int(units)
            cursor.execute(
                """
                SELECT sku_id, node_id, sum(landed) FROM inventory_stockposition
                WHERE landed > 0 AND sku_id = ANY(%s) GROUP BY 1, 2
                """,
                [wanted],
            )
            for sku_id, node_id, units in cursor.fetchall():
                self._landed[sku_id, node_id] = int(units)

    def at(self, sku_id: int, node_id: int) -> int:
        """Units that may still land at the node: for it alone, and for any node."""
        return max(0, self._share(sku_id, node_id) - self._landed[sku_id, node_id])

    def excess(self, sku_id: int, node_id: int) -> int:
        """Units landed at the node beyond what is waited for there and anywhere."""
        return max(0, self._landed[sku_id, node_id] - self._share(sku_id, node_id))

    def land(self, sku_id: int, node_id: int, units: int) -> None:
        self._landed[sku_id, node_id] += units

    def _share(self, sku_id: int, node_id: int) -> int:
        """What is waited for at the node, and at any node but not landed beyond need elsewhere."""
        elsewhere = sum(
            max(0, units - self._waiting[known, other])
            for (known, other), units in self._landed.items()
            if known == sku_id and other != node_id
        )
        return self._waiting[sku_id, node_id] + max(0, self._waiting[sku_id, None] - elsewhere)
