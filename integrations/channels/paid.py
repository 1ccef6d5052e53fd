"""Whether a channel's news of an order that we have says that its payment is secured by now."""

from uuid import UUID

from orders.states import CollectedBy
from orders.types import PAYMENT_PENDING, OrderDraft, SecuredPayment


def payment_told(order_id: UUID, draft: OrderDraft) -> SecuredPayment | None:
    """What the document says of money that is collected elsewhere; None while that is pending."""
    theirs = [tender for tender in draft.tenders if tender.collected_by != CollectedBy.US]
    if not theirs or any(problem.code == PAYMENT_PENDING for problem in draft.problems):
        return None
    return SecuredPayment(order_id, sum(tender.captured_minor for tender in theirs))
