"""What holds an order, in words."""

from uuid import UUID

from config.kernel.types import ALL_ACCOUNTS
from orders.hold_types import HOLD_TYPES
from orders.models import Hold, Order
from orders.states import OrderState


def standing_of(order_id: UUID) -> tuple[str, list[str]]:
    """Why an order has no node yet, and a sentence per active hold, the oldest first.

    A hold's sentence says what kind it is, what it stops and why.
    """
    order = Order.objects.for_scope(ALL_ACCOUNTS).get(pk=order_id)
    holds = Hold.objects.for_scope(ALL_ACCOUNTS).active().filter(order_id=order_id)
    return _stands(order), [
        f"{HOLD_TYPES[hold.type].label} (stops {', '.join(hold.blocks)}): {hold.reason}"
        for hold in holds.order_by("placed_at", "pk")
    ]


def _stands(order: Order) -> str:
    if order.state == OrderState.CAPTURED:
        if order.holds_open:
            return "it is captured, and what holds it keeps it from acceptance."
        return "it is captured, and is accepted within seconds."
    if order.state == OrderState.CANCELLED:
        return "it was cancelled before."
    return "it has nothing that we send."


def unmapped_codes(limit: int) -> dict[tuple[UUID, UUID], list[str]]:
    """What channels sold that nobody knew: codes of lines still held for it, by account and channel.

    At most `limit` codes.
    """
    rows = (
        Hold.objects.for_scope(ALL_ACCOUNTS)
        .active()
        .filter(type="unmapped", line__sku__isnull=True)
        .order_by("account_id", "order__channel_id", "line__external_sku")
        .values_list("account_id", "order__channel_id", "line__external_sku")
        .distinct()[:limit]
    )
    codes: dict[tuple[UUID, UUID], list[str]] = {}
    for account_id, channel_id, code in rows:
        codes.setdefault((account_id, channel_id), []).append(code)
    return codes
