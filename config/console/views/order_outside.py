"""What the world outside has of an order: its channel, its buyer, who listens; and what came in."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import integrations.buyer.services
import integrations.channels.selectors
import integrations.selectors
import integrations.webhooks_out.selectors
from config.console.once import once
from config.console.pages import frame_of, go, page, show
from config.console.people import reveal
from config.console.views.order import TABS, contacts_of, order_of
from config.console.views.returns import tell
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict
from config.reports import order_page as reports
from config.reports.sql import Row
from integrations.buyer import links
from integrations.buyer.selectors import messages_of


@page(Permission.ORDERS_VIEW)
def outside(request: HttpRequest, number: str) -> HttpResponse:
    """The tab: copies at the channel, messages to the buyer, webhooks, and what came in."""
    found = order_of(request, number)
    return show(request, "console/orders/outside.html", _context(request, found, opened=False))


@page(Permission.ORDERS_VIEW_CONTACT, methods=("POST",))
def read_messages(request: HttpRequest, number: str) -> HttpResponse:
    """The messages with address and text; that somebody looked stands in the timeline."""
    frame = frame_of(request)
    found = order_of(request, number, Permission.ORDERS_VIEW_CONTACT)
    people = contacts_of(found, reports.parts(found["id"]), shown=True)
    reveal(found, people, "messages to the buyer", at=frame.now, actor=actor_of(request))
    return show(request, "console/orders/outside.html", _context(request, found, opened=True))


@page(Permission.ORDERS_VIEW_CONTACT, methods=("POST",))
@once
def send_again(request: HttpRequest, number: str, message_id: UUID) -> HttpResponse:
    """Send once more a message that did not go out: who may read what buyers are told may."""
    found = order_of(request, number, Permission.ORDERS_VIEW_CONTACT)
    scope = frame_of(request).scope(Permission.ORDERS_VIEW_CONTACT)
    own = messages_of(found["id"], scope, with_contacts=False)
    if message_id not in {each.id for each in own}:
        raise Conflict("The order has no such message.")
    outcomes = integrations.buyer.services.send_again(
        [message_id], at=frame_of(request).now, actor=actor_of(request)
    )
    tell(request, list(outcomes), f"{found['number']}: the message is sent again.")
    return go(request, reverse("console:order_outside", args=[found["number"]]))


def _context(request: HttpRequest, found: Row, *, opened: bool) -> dict[str, Any]:
    frame = frame_of(request)
    scope = frame.scope(Permission.ORDERS_VIEW)
    context: dict[str, Any] = {
        "here": "orders",
        "order": found,
        "tab": "outside",
        "tabs": TABS,
        "copies": integrations.channels.selectors.copies_of_order(found["id"], scope),
        "letters": messages_of(found["id"], scope, with_contacts=opened),
        "opened": opened,
        "tracking_link": links.url_of(found["id"]),
    }
    if frame.may(Permission.INTEGRATIONS_VIEW):
        machine = frame.scope(Permission.INTEGRATIONS_VIEW)
        context |= {
            "came_in": integrations.selectors.messages_of(found["id"], machine),
            "webhooks": integrations.webhooks_out.selectors.about(found["id"], machine),
        }
    return context
