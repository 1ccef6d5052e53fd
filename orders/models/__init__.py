from orders.models.credits import CreditLine, CreditNote, OrderLink
from orders.models.disputes import Chargeback, Dispute
from orders.models.holds import Hold
from orders.models.lines import LineCancellation, OrderLine
from orders.models.money import Authorization, Capture, Invoice, Refund, Tender
from orders.models.order import DeliveryGroup, Order
from orders.models.people import Contact, Customer
from orders.models.promises import (
    ConsentAnswer,
    ConsentQuestion,
    OrderNote,
    Promise,
    PromiseTold,
)

__all__ = [
    "Authorization",
    "Capture",
    "Chargeback",
    "ConsentAnswer",
    "ConsentQuestion",
    "Contact",
    "CreditLine",
    "CreditNote",
    "Customer",
    "DeliveryGroup",
    "Dispute",
    "Hold",
    "Invoice",
    "LineCancellation",
    "Order",
    "OrderLine",
    "OrderLink",
    "OrderNote",
    "Promise",
    "PromiseTold",
    "Refund",
    "Tender",
]
