"""What a channel sells: the codes it sells by, and the SKUs behind them."""

from uuid import UUID

from django.db import connection

from inventory.consigned import SOLD_HERE

_SOLD = f"""
    SELECT coalesce(l.external_sku, s.code), s.id
    FROM inventory_sku s
    LEFT JOIN inventory_channellisting l ON l.sku_id = s.id AND l.channel_id = %(channel)s
    WHERE s.account_id = %(account)s AND s.active AND (
        EXISTS (SELECT FROM inventory_stockposition p
            JOIN inventory_channelnode n ON n.node_id = p.node_id AND n.channel_id = %(channel)s
                AND n.ships
            WHERE p.sku_id = s.id AND {SOLD_HERE})
        OR EXISTS (SELECT FROM inventory_kitcomponent c WHERE c.kit_id = s.id))
    ORDER BY 1
"""  # noqa: S608  # own text


def codes_for_sale(account_id: UUID, channel_id: UUID) -> dict[str, int]:
    """The active SKUs that lie, or have lain, at nodes the channel ships from; kits too. By its codes.

    Sold out ones are among them. Without a listing of the channel our own code is what it sells by.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SOLD, {"account": account_id, "channel": channel_id})
        return dict(cursor.fetchall())
