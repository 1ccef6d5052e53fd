"""What orders can be asked."""

from orders.selectors.actions import LegalAction, legal_actions
from orders.selectors.external import LineAtHand, ids_by_external, lines_by_external
from orders.selectors.machines import Machine, machines
from orders.selectors.page import OrderPage, ReadNote, notes_of, order_page, timeline
from orders.selectors.queue import OrderFilters, orders_matching, search
from orders.selectors.release import (
    Destination,
    destinations,
    groups_to_release,
    opened_address,
    orders_of_groups,
    releasable,
)

__all__ = [
    "Destination",
    "LegalAction",
    "LineAtHand",
    "Machine",
    "OrderFilters",
    "OrderPage",
    "ReadNote",
    "destinations",
    "groups_to_release",
    "ids_by_external",
    "legal_actions",
    "lines_by_external",
    "machines",
    "notes_of",
    "opened_address",
    "order_page",
    "orders_matching",
    "orders_of_groups",
    "releasable",
    "search",
    "timeline",
]
