"""Other owners of goods at our nodes, and what is owed to them."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection
from django.db.models import Q

from config.kernel.types import Scope
from inventory.models import OwnerPrice, StockOwner
from inventory.types import ConsignedLine, OwnerView

_LINES: Final = """
    WITH wanted AS (
        SELECT id, code FROM inventory_stockowner
        WHERE (%(everything)s OR account_id = ANY(%(accounts)s))
          AND (%(owner)s = '' OR code = %(owner)s)
    ), lying AS (
        SELECT p.owner_id, p.sku_id, sum(p.reserved)::bigint AS reserved,
            sum((SELECT coalesce(sum(v.on_hand), 0) FROM inventory_stocklevel v
                WHERE v.position_id = p.id))::bigint AS on_hand
        FROM inventory_stockposition p JOIN wanted ON wanted.id = p.owner_id GROUP BY 1, 2
    ), came AS (
        SELECT p.owner_id, p.sku_id, sum(m.quantity)::bigint AS units
        FROM inventory_movement m
        JOIN inventory_stockposition p ON p.id = m.position_id
        JOIN wanted ON wanted.id = p.owner_id
        WHERE m.kind = 'receipt' AND m.at >= %(since)s AND m.at < %(until)s GROUP BY 1, 2
    ), used AS (
        SELECT u.owner_id, u.sku_id, u.currency,
            coalesce(sum(u.quantity) FILTER (WHERE u.quantity > 0), 0)::bigint AS sold,
            coalesce(-sum(u.quantity) FILTER (WHERE u.quantity < 0), 0)::bigint AS returned,
            coalesce(sum(u.amount_minor), 0)::bigint AS owed,
            coalesce(sum(abs(u.quantity)) FILTER (WHERE u.amount_minor IS NULL), 0)::bigint
                AS unpriced
        FROM inventory_consigneduse u JOIN wanted ON wanted.id = u.owner_id
        WHERE u.at >= %(since)s AND u.at < %(until)s GROUP BY 1, 2, 3
    ), each AS (
        SELECT owner_id, sku_id FROM lying
        UNION SELECT owner_id, sku_id FROM came
        UNION SELECT owner_id, sku_id FROM used
    )
    SELECT each.owner_id, wanted.code, each.sku_id, sku.code, sku.name,
        coalesce(lying.on_hand, 0), coalesce(lying.reserved, 0), coalesce(came.units, 0),
        coalesce(used.sold, 0), coalesce(used.returned, 0), coalesce(used.owed, 0),
        coalesce(used.currency, ''), coalesce(used.unpriced, 0)
    FROM each
    JOIN wanted ON wanted.id = each.owner_id
    JOIN inventory_sku sku ON sku.id = each.sku_id
    LEFT JOIN lying ON (lying.owner_id, lying.sku_id) = (each.owner_id, each.sku_id)
    LEFT JOIN came ON (came.owner_id, came.sku_id) = (each.owner_id, each.sku_id)
    LEFT JOIN used ON (used.owner_id, used.sku_id) = (each.owner_id, each.sku_id)
    ORDER BY wanted.code, sku.code, used.currency
"""


def owners(scope: Scope, codes: Collection[str] | None = None) -> list[OwnerView]:
    """The owners of the scope by code, with the channels that sell their goods."""
    found = StockOwner.objects.for_scope(scope)
    if codes is not None:
        found = found.filter(code__in=codes)
    sold = Q(channels__channel__isnull=False)
    return [
        OwnerView(
            row.pk,
            row.account_id,
            row.code,
            row.name,
            row.is_first,
            tuple(row.channel_ids),
            tuple(row.channel_codes),
        )
        for row in found.annotate(
            channel_ids=ArrayAgg(
                "channels__channel_id", filter=sold, order_by="channels__channel__code", default=[]
            ),
            channel_codes=ArrayAgg(
                "channels__channel__code",
                filter=sold,
                order_by="channels__channel__code",
                default=[],
            ),
        ).order_by("code", "pk")
    ]


def consigned_lines(
    scope: Scope, *, since: datetime, until: datetime, owner: str = ""
) -> list[ConsignedLine]:
    """What lies here of each owner now, and what became of it from `since` until before `until`.

    A SKU that was sold in several currencies has a line for each. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _LINES,
            {
                "everything": scope.everything,
                "accounts": sorted(scope.account_ids),
                "owner": owner,
                "since": since,
                "until": until,
            },
        )
        return [ConsignedLine(*row) for row in cursor.fetchall()]


def owner_prices(account_id: UUID) -> list[OwnerPrice]:
    """Every agreed price of the account's owners, by owner and SKU."""
    found = OwnerPrice.objects.filter(owner__account_id=account_id).select_related("owner", "sku")
    return list(found.order_by("owner__code", "sku__code"))
