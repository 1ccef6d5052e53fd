"""What orders can be told. Those in `units` run inside the caller's transaction."""

from orders.services.accept import accept_captured, accept_orders
from orders.services.authorize import (
    expire_authorizations,
    record_authorizations,
    retry_capture,
    retry_captures,
)
from orders.services.cancel import cancel_units
from orders.services.capture import capture_orders
from orders.services.close import close_due, close_settled
from orders.services.holds import (
    expire_holds,
    give_stock_back,
    place_holds,
    release_holds,
    release_holds_of_orders,
)
from orders.services.listings import map_skus
from orders.services.notes import add_notes
from orders.services.resource import (
    correct_addresses,
    pin_groups,
    resource_groups,
    source_left_behind,
    source_pending,
)
from orders.services.supply import cover_shortfalls, leave_node, serve_backorders
from orders.services.units import (
    give_back_units,
    lock_orders,
    move_units,
    record_returned,
    record_shipments,
)

__all__ = [
    "accept_captured",
    "accept_orders",
    "add_notes",
    "cancel_units",
    "capture_orders",
    "close_due",
    "close_settled",
    "correct_addresses",
    "cover_shortfalls",
    "expire_authorizations",
    "expire_holds",
    "give_back_units",
    "give_stock_back",
    "leave_node",
    "lock_orders",
    "map_skus",
    "move_units",
    "pin_groups",
    "place_holds",
    "record_authorizations",
    "record_returned",
    "record_shipments",
    "release_holds",
    "release_holds_of_orders",
    "resource_groups",
    "retry_capture",
    "retry_captures",
    "serve_backorders",
    "source_left_behind",
    "source_pending",
]
