"""What we remember of a channel's own state of our orders: copies of its word, by which news is new."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS
from integrations.channels import difference, marks
from integrations.channels.difference import Difference
from integrations.channels.types import Memory, ShopOrder, ShopRefund
from integrations.models import ChannelCopy, CopyKind, CopyState
from integrations.types import ConnectionRef

Key = tuple[UUID, UUID]
"""Connection and order."""


def memories(keys: Collection[Key]) -> dict[Key, Memory]:
    """What is remembered of each order at each connection; empty where nothing is. One statement."""
    found = {key: Memory() for key in keys}
    rows = ChannelCopy.objects.for_scope(ALL_ACCOUNTS).filter(
        order_id__in=[order_id for _, order_id in keys]
    )
    for row in rows:
        memory = found.get((row.connection_id, row.order_id))
        if memory is not None:
            _recall(memory, row)
    return found


def _recall(memory: Memory, row: ChannelCopy) -> None:
    told = row.state == CopyState.TOLD
    match row.kind:
        case CopyKind.ORDER:
            memory.version, memory.told = row.version, row.wanted
        case CopyKind.FULFILLMENT if told:
            memory.fulfillments.add(row.their_id)
        case CopyKind.FULFILLMENT:
            memory.ours |= {row.their_id, str(row.wanted.get("tracking_number", ""))} - {""}
        case CopyKind.REFUND if told:
            memory.refunds.add(row.their_id)
        case CopyKind.REFUND | CopyKind.CANCEL:
            memory.refunds_ours |= {row.their_id} - {""}


def remember(
    told: Sequence[tuple[ConnectionRef, UUID, ShopOrder, Difference]], *, at: datetime
) -> None:
    """Keep the channel's last word of each order, and fulfillments that it made. Two statements.

    The caller holds the orders' locks.
    """
    rows = []
    made = []
    for ref, order_id, shop, found in told:
        rows.append(
            _told(
                ref,
                CopyKind.ORDER,
                order_id,
                order_id,
                shop.external_id,
                difference.remembered(shop, found),
                at=at,
                version=shop.version,
            )
        )
        made += [
            _told(
                ref,
                CopyKind.FULFILLMENT,
                marks.theirs(ref.id, CopyKind.FULFILLMENT, one.id),
                order_id,
                one.id,
                {"order": shop.external_id, "units": dict(one.units)},
                at=at,
            )
            for one in found.others
        ]
    ChannelCopy.objects.bulk_create(
        sorted(rows, key=lambda row: (row.connection_id, row.our_id)),
        update_conflicts=True,
        unique_fields=["connection", "kind", "our_id"],
        update_fields=["wanted", "version", "seen_at"],
    )
    ChannelCopy.objects.bulk_create(made, ignore_conflicts=True)


def keep_refunds(
    refunds: Sequence[tuple[ConnectionRef, UUID, str, ShopRefund, int, int]], *, at: datetime
) -> None:
    """Keep refunds that shops made: (connection, order, its id there, refund, credited here, for
    units that were taken off).
    """
    rows = [
        _told(
            ref,
            CopyKind.REFUND,
            marks.theirs(ref.id, CopyKind.REFUND, refund.id),
            order_id,
            refund.id,
            {
                "order": external_id,
                "amount_minor": refund.amount_minor,
                "credited_minor": credited,
                "cancelled_minor": cancelled,
                "of_cancel": refund.of_cancel,
                "units": dict(refund.units or refund.named),
            },
            at=at,
        )
        for ref, order_id, external_id, refund, credited, cancelled in refunds
    ]
    ChannelCopy.objects.bulk_create(rows, ignore_conflicts=True)


def _told(
    ref: ConnectionRef,
    kind: str,
    our_id: UUID,
    order_id: UUID,
    their_id: str,
    content: Mapping[str, Any],
    *,
    at: datetime,
    version: str = "",
) -> ChannelCopy:
    return ChannelCopy(
        id=ids.uuid7(),
        account_id=ref.account_id,
        connection_id=ref.id,
        kind=kind,
        our_id=our_id,
        order_id=order_id,
        their_id=their_id[:64],
        state=CopyState.TOLD,
        wanted=dict(content),
        version=version,
        wanted_at=at,
        seen_at=at,
    )
