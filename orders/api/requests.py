"""What every request about orders has in common: its order, its version, its refusal."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import access, clock
from config.kernel.access import KeyHolder, Permission
from config.kernel.actors import actor_of, channel_of_key, reach_of
from config.kernel.errors import (
    Conflict,
    DomainError,
    Forbidden,
    IllegalTransition,
    Invalid,
    NotFound,
)
from config.kernel.problems import as_body
from config.kernel.types import Outcome
from orders import services
from orders.models import Hold, Order
from orders.selectors import OrderPage, order_page, possible_now
from orders.states import HoldState

_VERBS: Final = {
    "hold": "hold",
    "release_hold": "release-hold",
    "cancel": "cancel",
    "correct_address": "correct-address",
    "reroute": "pin",
    "retry_capture": "retry-capture",
    "retry_refund": "retry-refund",
    "add_note": "notes",
}


class PreconditionFailed(Conflict):
    code, title, status = "precondition-failed", "The order changed since it was read", 412


def order_id_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such order.") from None


def etag_of(order: Order) -> str:
    return f'"{order.event_seq}"'


def matched(handler: Callable[..., Response]) -> Callable[..., Response]:
    """Hold a verb's caller to its channel, and to the version that it names in `If-Match`.

    The version is read under the order's lock, which is kept until the verb has had its effect: of
    two callers who read the same version one is told that it changed.
    """

    @wraps(handler)
    def held(view: Any, request: Request, pk: str, *args: Any, **kwargs: Any) -> Response:
        named = request.headers.get("If-Match", "*")
        if named == "*":
            _require_own(request, order_id_of(pk))
            return handler(view, request, pk, *args, **kwargs)
        with transaction.atomic():
            _require_version(request, order_id_of(pk), named)
            return handler(view, request, pk, *args, **kwargs)

    return held


def _require_own(request: Request, order_id: UUID) -> None:
    """A channel's key is told that another channel's order does not exist."""
    channel_id = channel_of_key(request)
    if channel_id is None:
        return
    mine = Order.objects.for_scope(reach_of(request)).filter(pk=order_id, channel_id=channel_id)
    if not mine.exists():
        raise NotFound("There is no such order.")


def _require_version(request: Request, order_id: UUID, named: str) -> None:
    """Lock the order. Raises NotFound, and PreconditionFailed when it has another version."""
    channel_id = channel_of_key(request)
    order = next(iter(Order.objects.for_scope(reach_of(request)).locked([order_id])), None)
    if order is None or channel_id not in {None, order.channel_id}:
        raise NotFound("There is no such order.")
    if etag_of(order) != named:
        raise PreconditionFailed("The order has changed since you read it.", etag=etag_of(order))


def page_of(request: Request, text: str, *, with_contacts: bool = False) -> OrderPage:
    """The order the address names. Raises NotFound beyond the caller's accounts and channel."""
    page = order_page(order_id_of(text), reach_of(request), with_contacts=with_contacts)
    if channel_of_key(request) not in {None, page.order.channel_id}:
        raise NotFound("There is no such order.")
    return page


def show_contacts(request: Request, page: OrderPage) -> None:
    """Let the caller see names and addresses in full, and record the look. Raises Forbidden."""
    order, permission = page.order, Permission.ORDERS_VIEW_CONTACT
    access.require(request.user, permission, order.account_id)
    seen = [order.billing_contact_id] if page.buyer is not None else []
    seen += [group.contact_id for group in page.groups if group.pk in page.addresses]
    services.record_looks(
        order.pk,
        order.number,
        order.account_id,
        list(dict.fromkeys(contact_id for contact_id in seen if contact_id is not None)),
        "api",
        at=clock.now(),
        actor=actor_of(request, permission),
    )


def holds_to_lift(request: Request, holds: Sequence[Hold], named: Sequence[UUID]) -> list[UUID]:
    """The holds that are meant: those named, or every active one that the caller may lift.

    A key lifts what it placed itself; what checks, people and other keys placed needs the scope
    `orders.hold`. Raises NotFound, Forbidden and Conflict.
    """
    if isinstance(request.user, KeyHolder) and Permission.ORDERS_HOLD not in request.user.scopes:
        mine = {hold.pk for hold in holds if hold.placed_by == request.user.prefix}
    else:
        mine = {hold.pk for hold in holds}
    if not set(named) <= {hold.pk for hold in holds}:
        raise NotFound("The order has no such hold.")
    if not set(named) <= mine:
        raise Forbidden(
            "Your key lifts the holds that it placed; others need the scope “orders.hold”.",
            permission=Permission.ORDERS_HOLD.value,
        )
    wanted = list(named) or [
        hold.pk for hold in holds if hold.state == HoldState.ACTIVE and hold.pk in mine
    ]
    if not wanted:
        held = any(hold.state == HoldState.ACTIVE for hold in holds)
        raise Conflict("Your key placed no hold on it." if held else "Nothing holds the order.")
    return wanted


def refusal_of(outcome: Outcome[Any]) -> DomainError:
    """What one refused item says, as a refusal of its own; `reason` is the item's own code."""
    problem = outcome.problem
    if problem is None:
        raise ValueError("only a refused outcome has a problem")
    if problem.code == "not-found":
        return NotFound(problem.detail)
    if problem.code == "invalid":
        return Invalid(problem.detail, errors=list(problem.extra.get("errors", ())))
    if problem.code == "illegal-transition":
        return IllegalTransition(problem.detail, **problem.extra)
    if problem.code == Conflict.code:
        return Conflict(problem.detail, **problem.extra)
    return Conflict(problem.detail, reason=problem.code, **problem.extra)


def problem_of(outcome: Outcome[Any]) -> dict[str, Any]:
    """The problem of a refused item, whole."""
    return as_body(refusal_of(outcome))


def allowed_now(request: Request, text: str) -> list[str]:
    """The verbs that the order's present state permits, as the API calls them."""
    possible = possible_now(page_of(request, text))
    return [_VERBS[code] for code in possible if code in _VERBS]


def read_body(shape: Any, request: Request) -> dict[str, Any]:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    read: dict[str, Any] = given.validated_data
    return read
