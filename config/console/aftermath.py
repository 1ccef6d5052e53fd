"""What follows on an order once it was sold: returns, claims, credits, disputes, orders of its own."""

from collections import Counter
from typing import Any

from django.http import HttpRequest

from config.console.pages import frame_of
from config.kernel.access import Permission
from config.reports.sql import Row
from integrations.buyer import links
from integrations.channels.selectors import DIFFERS, CopyLine, copies_of_order
from orders.selectors import credit_notes_of, disputes_of, followers_of, origin_of
from orders.states import CreditPart
from returns import selectors

_TOLD, _WAITING = "told", "waiting"


def of(request: HttpRequest, order: Row) -> dict[str, Any]:
    """Everything of it that the order page shows, in a constant number of statements."""
    frame = frame_of(request)
    scope = frame.scope(Permission.ORDERS_VIEW)
    order_id = order["id"]
    context: dict[str, Any] = {
        "disputes": disputes_of([order_id], scope).get(order_id, []),
        "credit_notes": credit_notes_of(order_id, scope),
        "credit_parts": dict(CreditPart.choices),
        "followers": followers_of(order_id, scope),
        "origin": origin_of(order_id, scope),
        "at_channel": said_of_copies(copies_of_order(order_id, scope)),
        "tracking_link": links.url_of(order_id),
    }
    if frame.may(Permission.RETURNS_VIEW):
        reach = frame.scope(Permission.RETURNS_VIEW)
        context |= {
            "order_returns": selectors.returns_of([order_id])[order_id],
            "claims": selectors.claims_matching(reach, order_id=order_id),
        }
    return context


def said_of_copies(copies: list[CopyLine]) -> tuple[str, str]:
    """How the order stands at its channel: (tone, words); nothing where no channel is told of it."""
    ours = [each for each in copies if each.state != _TOLD]
    if not ours:
        return "", ""
    counted = Counter(each.state for each in ours)
    if wrong := sum(counted[state] for state in DIFFERS):
        return "bad", f"{wrong} of {len(ours)} copies there differ"
    if waiting := counted[_WAITING]:
        return "warn", f"{waiting} of {len(ours)} copies still to be sent"
    return "good", "holds it as it should"
