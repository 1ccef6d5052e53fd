"""What a channel could hold for a cart, and what its carts hold."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from config.kernel.types import ALL_ACCOUNTS
from inventory.consigned import SOLD_HERE
from inventory.models import CartHold, Reservation
from inventory.selectors.availability import why_not
from inventory.selectors.network import channel_nodes, network
from inventory.states import Function, ReservationState
from inventory.types import CartHoldView

_FREE: Final = f"""
    SELECT DISTINCT ON (free.node_id, free.sku_id) free.id, free.node_id, free.sku_id, free.units
    FROM (
        SELECT p.id, p.node_id, p.sku_id, p.owner_id = p.account_id AS own,
            CASE WHEN p.shortfall = 0 AND (p.fresh_until IS NULL OR p.fresh_until > %(at)s)
                THEN greatest(0, p.sellable - p.reserved - p.buffer - p.landed) ELSE 0 END AS units
        FROM inventory_stockposition p
        WHERE p.sku_id = ANY(%(skus)s) AND p.node_id = ANY(%(nodes)s)
          AND p.account_id = %(account)s AND {SOLD_HERE}
          AND NOT EXISTS (SELECT FROM inventory_exclusion x
            WHERE x.sku_id = p.sku_id AND x.node_id = p.node_id AND x.until > %(at)s)
    ) AS free
    ORDER BY free.node_id, free.sku_id, free.own AND free.units > 0 DESC, free.units DESC, free.id
"""  # noqa: S608  # own text


@dataclass(frozen=True, slots=True)
class Shelf:
    """A position of the channel's network and the units free there."""

    position_id: int
    node_id: int
    sku_id: int
    free: int


def shelves(
    account_id: UUID,
    channel_id: UUID,
    sku_ids: Collection[int],
    *,
    node_id: int | None,
    at: datetime,
) -> list[Shelf]:
    """The positions from which the channel could be served now: of one node, where it is named.

    One for each node and SKU: the account's own, or another owner's once nothing of that is free.

    The node named must let the channel's buyers collect; of others those count that can ship.
    """
    uses = channel_nodes(channel_id)
    able = [
        node.id
        for node in network(account_id)
        if node.id in uses
        and (
            uses[node.id][0] and not why_not(node, at)
            if node_id is None
            else node.id == node_id and uses[node.id][1] and node.performs(Function.PICKUP)
        )
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _FREE,
            {
                "at": at,
                "skus": sorted(set(sku_ids)),
                "nodes": able,
                "account": account_id,
                "channel": channel_id,
            },
        )
        return [Shelf(*row) for row in cursor.fetchall()]


def cart_hold(channel_id: UUID, cart: str) -> CartHold | None:
    """The open hold of the cart, also when its time is over and it was not swept yet."""
    found: CartHold | None = (
        CartHold.objects.for_scope(ALL_ACCOUNTS)
        .filter(channel_id=channel_id, cart=cart, closed_at=None)
        .first()
    )
    return found


def latest_holds(carts: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], CartHoldView]:
    """The last hold of each (channel, cart), open or ended; a cart without any is absent."""
    asked = sorted(set(carts))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT asked.channel_id, last.* FROM unnest(%s::uuid[], %s::text[])
                AS asked (channel_id, cart)
            CROSS JOIN LATERAL (
                SELECT h.id, h.cart, h.expires_at, h.closed_at, h.close_reason, h.taken_by
                FROM inventory_carthold h
                WHERE h.channel_id = asked.channel_id AND h.cart = asked.cart
                ORDER BY h.at DESC, h.id DESC LIMIT 1
            ) AS last
            """,
            [[channel_id for channel_id, _ in asked], [cart for _, cart in asked]],
        )
        return {(row[0], row[2]): CartHoldView(*row[1:]) for row in cursor.fetchall()}


def channel_of_hold(hold_id: UUID) -> UUID | None:
    """The channel whose cart has the hold."""
    found: CartHold | None = CartHold.objects.for_scope(ALL_ACCOUNTS).filter(pk=hold_id).first()
    return None if found is None else found.channel_id


def held_for(hold: CartHold) -> list[tuple[str, int]]:
    """(SKU code, units) of each claim that the hold has, in the order they were made."""
    found = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(
        thread_id=hold.pk, state=ReservationState.HELD
    )
    return [(row.sku.code, row.open) for row in found.select_related("sku").order_by("pk")]
