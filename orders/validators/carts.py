"""The hold of the cart that an order was, where it names one."""

from orders.types import OrderDraft
from orders.validators.finding import Finding, Known, Severity, is_sold


def check_cart(draft: OrderDraft, known: Known) -> list[Finding]:
    """A cart of which nothing was ever held, or whose hold another order has, is no cart of this one.

    A hold that has ended is only said: the order is taken like any other. So is everything of an
    order that is sold already: what it names wrongly keeps it from nothing.
    """
    if not draft.cart:
        return []
    hold, severity = known.cart, Severity.WARN if is_sold(draft) else Severity.REJECT
    if hold is None:
        return [
            Finding(
                severity,
                "cart-unknown",
                f"Nothing was held for the cart {draft.cart} in this channel.",
                "/cart",
            )
        ]
    if hold.taken_by is not None:
        return [
            Finding(
                severity,
                "cart-used",
                f"What was held for the cart {draft.cart} went to another order.",
                "/cart",
            )
        ]
    if hold.lasts(known.at):
        return []
    ended = "was given back" if hold.close_reason == "released" else "had expired"
    return [
        Finding(
            Severity.WARN,
            "cart-ended",
            f"The hold of the cart {draft.cart} {ended}: the order was taken like any other.",
            "/cart",
        )
    ]
