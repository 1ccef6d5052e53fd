"""What orders can be asked."""

from orders.selectors.actions import LegalAction, legal_actions, possible_now
from orders.selectors.buyers import BoughtOrder, bought_orders
from orders.selectors.credits import (
    credit_notes_of,
    creditable_lines,
    followers_of,
    order_heads,
    orders_giving_back,
    origin_of,
    quote_credit,
)
from orders.selectors.disputes import DisputeView, disputed_orders, disputes_of
from orders.selectors.external import (
    LineAtHand,
    LineStanding,
    accepted_orders,
    ids_by_external,
    lines_by_external,
    standing_lines,
)
from orders.selectors.machines import Machine, machines
from orders.selectors.page import (
    OrderPage,
    ReadNote,
    notes_of,
    order_page,
    require_payment_of,
    timeline,
)
from orders.selectors.payments import (
    PaymentRow,
    orders_told_of,
    payments_after,
    payments_by_key,
)
from orders.selectors.queue import OrderFilters, orders_matching, search
from orders.selectors.release import (
    ContactAddress,
    Destination,
    contact_addresses,
    destinations,
    groups_to_release,
    opened_address,
    orders_of_groups,
    orders_of_lines,
    releasable,
)

__all__ = [
    "BoughtOrder",
    "ContactAddress",
    "Destination",
    "DisputeView",
    "LegalAction",
    "LineAtHand",
    "LineStanding",
    "Machine",
    "OrderFilters",
    "OrderPage",
    "PaymentRow",
    "ReadNote",
    "accepted_orders",
    "bought_orders",
    "contact_addresses",
    "credit_notes_of",
    "creditable_lines",
    "destinations",
    "disputed_orders",
    "disputes_of",
    "followers_of",
    "groups_to_release",
    "ids_by_external",
    "legal_actions",
    "lines_by_external",
    "machines",
    "notes_of",
    "opened_address",
    "order_heads",
    "order_page",
    "orders_giving_back",
    "orders_matching",
    "orders_of_groups",
    "orders_of_lines",
    "orders_told_of",
    "origin_of",
    "payments_after",
    "payments_by_key",
    "possible_now",
    "quote_credit",
    "releasable",
    "require_payment_of",
    "search",
    "standing_lines",
    "timeline",
]
