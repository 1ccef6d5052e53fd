"""What every request about orders has in common: its order, its version, its filters, its refusal."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request

from config.kernel import access, clock
from config.kernel.errors import Conflict, DomainError, Invalid, NotFound
from config.kernel.models import Channel
from config.kernel.types import Outcome
from inventory import selectors as inventory
from orders.api.parsing import Reading
from orders.models import Order
from orders.selectors import OrderFilters

TEXTS = ("state", "progress", "payment_state", "hold_type", "external_id", "tag")
TIMES = ("ship_by_before", "placed_from", "placed_before", "updated_since")
NUMBERS = ("sku_id", "value_from_minor", "value_to_minor")


class PreconditionFailed(Conflict):
    code, title, status = "precondition-failed", "The order changed since it was read", 412


def order_id_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such order.") from None


def etag_of(order: Order) -> str:
    return f'"{order.event_seq}"'


def check_match(request: Request, order_id: UUID) -> None:
    """Hold the caller to the version it read, when it names one in `If-Match`."""
    wanted = request.headers.get("If-Match")
    if wanted is None or wanted == "*":
        return
    scope = access.scope_of(request.user)
    order = Order.objects.for_scope(scope).filter(pk=order_id).only("event_seq").first()
    if order is None:
        raise NotFound("There is no such order.")
    if etag_of(order) != wanted:
        raise PreconditionFailed("The order has changed since you read it.", etag=etag_of(order))


def refusal_of(outcome: Outcome[Any]) -> DomainError:
    """Raise what one refused item would have said."""
    problem = outcome.problem
    if problem is None:
        raise ValueError("only a refused outcome has a problem")
    if problem.code == "not-found":
        return NotFound(problem.detail)
    if problem.code == "invalid":
        return Invalid(problem.detail, errors=list(problem.extra.get("errors", ())))
    return Conflict(problem.detail, **problem.extra)


def read_body(shape: Any, request: Request) -> dict[str, Any]:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    read: dict[str, Any] = given.validated_data
    return read


def read_filters(request: Request) -> OrderFilters:
    """The filters of the query string. Raises Invalid with every one that cannot be read."""
    params, reading = request.query_params, Reading()
    values: dict[str, Any] = {name: params.get(name, "") for name in TEXTS}
    for name in TIMES:
        if params.get(name):
            values[name] = reading.instant({name: params[name].replace(" ", "+")}, name, "?")
    for name in NUMBERS:
        text = params.get(name, "")
        if text.removeprefix("-").isdecimal():
            values[name] = int(text)
        elif text:
            reading.wrong(f"?{name}", "A whole number is wanted.")
    if params.get("late") in {"true", "1"}:
        values["late_at"] = clock.now()
    if params.get("node"):
        code = params["node"]
        values["node_id"] = inventory.nodes_by_code([code], access.scope_of(request.user)).get(
            code, 0
        )
    if params.get("channel"):
        channel = Channel.objects.for_scope(access.scope_of(request.user)).filter(
            code=params["channel"]
        )
        values["channel_id"] = channel.values_list("pk", flat=True).first() or UUID(int=0)
    if reading.errors:
        raise Invalid("The filters cannot be read.", errors=reading.errors)
    return OrderFilters(text=params.get("q", ""), **values)
