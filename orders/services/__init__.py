"""What orders can be told. Those in `units` and `reverse`, `cancel_freed`, `credit_units`, `place_linked`, `move_groups`, `move_promises`, `record_told` and `tell_remedy` run inside the caller's transaction."""

from orders.services.accept import accept_captured, accept_orders
from orders.services.addresses import correct_addresses, move_groups
from orders.services.authorize import (
    expire_authorizations,
    lapse_authorizations,
    record_authorizations,
    retry_capture,
    retry_captures,
)
from orders.services.cancel import cancel_freed, cancel_units
from orders.services.capture import capture_orders
from orders.services.choices import choose_instead, end_choices
from orders.services.close import close_due, close_settled
from orders.services.consent import answer_consent, ask_consent, end_consents
from orders.services.credit import credit_units, settle_credits
from orders.services.disputes import record_disputes, settle_disputes
from orders.services.erase import Erased, Footprint, erase_people, footprint_of
from orders.services.giving_way import free_units, preview_free_units
from orders.services.holds import (
    expire_holds,
    give_stock_back,
    place_holds,
    release_holds,
    release_holds_of_orders,
)
from orders.services.linked import place_linked
from orders.services.listings import map_known, map_skus
from orders.services.looks import record_looks
from orders.services.moving import move_reserved
from orders.services.notes import add_notes, withdraw_notes
from orders.services.payment_news import record_payment_news
from orders.services.promise_policies import set_promise_policy
from orders.services.promises import move_promises, open_units_of, promise_later, tell_remedy
from orders.services.refunds import (
    look_up_payments,
    retry_refund,
    retry_refunds,
    settle_payments_by_hand,
)
from orders.services.renew import renew_authorizations
from orders.services.replanning import replan
from orders.services.resource import (
    pin_groups,
    resource_groups,
    source_left_behind,
    source_pending,
)
from orders.services.reverse import reverse_shipments
from orders.services.secured import secure_payments
from orders.services.supply import (
    cover_shortfalls,
    leave_node,
    replace_lost_lots,
    serve_backorders,
)
from orders.services.tellings import record_told
from orders.services.units import (
    give_back_units,
    lock_orders,
    move_units,
    record_returned,
    record_shipments,
)
from orders.services.unsecured import accept_risks, ask_for_payment, cancel_unpaid
from orders.services.upgrades import let_parts_go, upgrade_services

__all__ = [
    "Erased",
    "Footprint",
    "accept_captured",
    "accept_orders",
    "accept_risks",
    "add_notes",
    "answer_consent",
    "ask_consent",
    "ask_for_payment",
    "cancel_freed",
    "cancel_units",
    "cancel_unpaid",
    "capture_orders",
    "choose_instead",
    "close_due",
    "close_settled",
    "correct_addresses",
    "cover_shortfalls",
    "credit_units",
    "end_choices",
    "end_consents",
    "erase_people",
    "expire_authorizations",
    "expire_holds",
    "footprint_of",
    "free_units",
    "give_back_units",
    "give_stock_back",
    "lapse_authorizations",
    "leave_node",
    "let_parts_go",
    "lock_orders",
    "look_up_payments",
    "map_known",
    "map_skus",
    "move_groups",
    "move_promises",
    "move_reserved",
    "move_units",
    "open_units_of",
    "pin_groups",
    "place_holds",
    "place_linked",
    "preview_free_units",
    "promise_later",
    "record_authorizations",
    "record_disputes",
    "record_looks",
    "record_payment_news",
    "record_returned",
    "record_shipments",
    "record_told",
    "release_holds",
    "release_holds_of_orders",
    "renew_authorizations",
    "replace_lost_lots",
    "replan",
    "resource_groups",
    "retry_capture",
    "retry_captures",
    "retry_refund",
    "retry_refunds",
    "reverse_shipments",
    "secure_payments",
    "serve_backorders",
    "set_promise_policy",
    "settle_credits",
    "settle_disputes",
    "settle_payments_by_hand",
    "source_left_behind",
    "source_pending",
    "tell_remedy",
    "upgrade_services",
    "withdraw_notes",
]
