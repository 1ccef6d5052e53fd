"""What may be done with an order now, by this person; and why not, for what may not."""

from collections.abc import Sequence
from dataclasses import dataclass

from config.kernel import access
from config.kernel.access import Permission, Principal
from orders.models import Authorization, Order, OrderLine, Refund
from orders.selectors.page import OrderPage
from orders.states import AuthorizationState, FulfilledBy, LineKind, OrderState, RefundState
from orders.validators.address import NEEDS_ADDRESS


@dataclass(frozen=True, slots=True)
class LegalAction:
    """One verb. `reason` says in a sentence why it is not possible now; empty when it is."""

    code: str
    label: str
    reason: str = ""

    @property
    def possible(self) -> bool:
        return not self.reason


def legal_actions(page: OrderPage, principal: Principal) -> list[LegalAction]:
    """Every verb on the order, the possible ones without a reason. No statement of its own."""
    held = access.permissions_of(principal, page.order.account_id)
    return [
        LegalAction(
            code,
            label,
            why if permission in held else "Your role does not permit this.",
        )
        for code, label, permission, why in _verbs(page)
    ]


def possible_now(page: OrderPage) -> list[str]:
    """The codes of the verbs that the order's state permits, whoever asks."""
    return [code for code, _, _, why in _verbs(page) if not why]


def _verbs(page: OrderPage) -> tuple[tuple[str, str, Permission, str], ...]:
    """Code, label, permission, and why it is not possible now."""
    order = page.order
    return (
        ("hold", "Hold", Permission.ORDERS_HOLD, _why_no_hold(order)),
        ("release_hold", "Release hold", Permission.ORDERS_HOLD, _why_no_release(order)),
        ("accept", "Accept", Permission.ORDERS_HOLD, _why_not_accept(order)),
        ("cancel", "Cancel", Permission.ORDERS_CANCEL, _why_not_cancel(order, page.lines)),
        (
            "correct_address",
            "Correct address",
            Permission.ORDERS_CHANGE_ADDRESS,
            _why_no_address(page),
        ),
        (
            "reroute",
            "Send from another node",
            Permission.ORDERS_REROUTE,
            _why_not_reroute(page),
        ),
        (
            "retry_capture",
            "Try the payment again",
            Permission.ORDERS_HOLD,
            _why_no_retry(page.authorizations),
        ),
        (
            "retry_refund",
            "Try the refund again",
            Permission.ORDERS_HOLD,
            _why_no_refund_retry(page.refunds),
        ),
        ("add_note", "Add a note", Permission.ORDERS_NOTE, ""),
    )


def _ended(order: Order) -> str:
    live = {OrderState.CAPTURED, OrderState.ACCEPTED}
    return "" if order.state in live else f"The order is {order.get_state_display().lower()}."


def _why_no_hold(order: Order) -> str:
    return _ended(order)


def _why_no_release(order: Order) -> str:
    return "" if order.holds_open else "Nothing holds the order."


def _why_no_retry(authorizations: Sequence[Authorization]) -> str:
    refused = any(
        row.refused_at is not None and row.state == AuthorizationState.LIVE
        for row in authorizations
    )
    return "" if refused else "No payment of the order was refused."


def _why_no_refund_retry(refunds: Sequence[Refund]) -> str:
    refused = any(refund.state == RefundState.FAILED for refund in refunds)
    return "" if refused else "No refund of the order was refused."


def _why_not_accept(order: Order) -> str:
    if order.state == OrderState.ACCEPTED:
        return "The order is accepted already."
    if _ended(order):
        return _ended(order)
    return "" if order.is_free_to_accept() else "A hold keeps the order from acceptance."


def _why_not_cancel(order: Order, lines: Sequence[OrderLine]) -> str:
    if _ended(order):
        return _ended(order)
    is_open = any(line.pending + line.backordered + line.reserved + line.released for line in lines)
    return "" if is_open else "Everything is shipped or cancelled; a return is the way back."


def _why_no_address(page: OrderPage) -> str:
    if _ended(page.order):
        return _ended(page.order)
    groups = {group.pk for group in page.groups if group.method in NEEDS_ADDRESS}
    if not groups:
        return "Nothing of the order goes to an address."
    movable = {
        line.group_id
        for line in page.lines
        if line.pending + line.backordered + line.reserved + line.released
    }
    return "" if groups & movable or not page.lines else "All of it is on its way."


def _why_not_reroute(page: OrderPage) -> str:
    if page.order.state != OrderState.ACCEPTED:
        return _ended(page.order) or "The order is not accepted yet."
    ours = {group.pk for group in page.groups if group.fulfilled_by == FulfilledBy.US}
    unreleased = any(
        line.group_id in ours
        and line.kind == LineKind.STOCK
        and line.pending + line.backordered + line.reserved
        for line in page.lines
    )
    return "" if unreleased else "Everything of ours is at a node, shipped or cancelled."
