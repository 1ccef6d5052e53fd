"""The query string of the list of orders, held to what it may say."""

from typing import Any, Final
from uuid import UUID

from rest_framework.request import Request

from config.kernel import clock
from config.kernel.actors import channel_of_key, reach_of
from config.kernel.errors import Invalid
from config.kernel.models import Channel
from inventory import selectors as inventory
from orders.api.parsing import Reading
from orders.selectors import OrderFilters
from orders.states import OrderState, PaymentState, Progress

TEXTS: Final = ("state", "progress", "payment_state", "hold_type", "external_id", "tag")
TIMES: Final = ("ship_by_before", "placed_from", "placed_before", "updated_since")
NUMBERS: Final = ("sku_id", "value_from_minor", "value_to_minor")
_CHOICES: Final = {
    "state": OrderState.values,
    "progress": Progress.values,
    "payment_state": PaymentState.values,
    "late": ["true", "false", "1", "0"],
}
_OTHERS: Final = frozenset({"channel", "q", "late", "node", "limit", "cursor", "format"})
_NOBODY: Final = UUID(int=0)


def read_filters(request: Request) -> OrderFilters:
    """The filters of the query string. Raises Invalid with every one that cannot be read."""
    reading = Reading()
    values = _plain(request, reading)
    if reading.errors:
        for error in reading.errors:
            error["pointer"] = error["pointer"].replace("?/", "?")
        raise Invalid("The filters cannot be read.", errors=reading.errors)
    values |= _looked_up(request)
    return OrderFilters(text=request.query_params.get("q", ""), **values)


def _plain(request: Request, reading: Reading) -> dict[str, Any]:
    """What needs no look into the database, and everything that is wrong with it."""
    params = request.query_params
    for name in sorted(params.keys() - {*TEXTS, *TIMES, *NUMBERS, *_OTHERS}):
        reading.wrong(f"?{name}", "There is no such filter.", "unknown")
    for name, choices in _CHOICES.items():
        if params.get(name, "") not in {"", *choices}:
            reading.wrong(f"?{name}", f"One of {', '.join(choices)} is wanted.", "invalid-choice")
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
    return values


def _looked_up(request: Request) -> dict[str, Any]:
    params, values = request.query_params, dict[str, Any]()
    if params.get("late") in {"true", "1"}:
        values["late_at"] = clock.now()
    if code := params.get("node"):
        values["node_id"] = inventory.nodes_by_code([code], reach_of(request)).get(code, 0)
    if params.get("channel"):
        channel = Channel.objects.for_scope(reach_of(request)).filter(code=params["channel"])
        values["channel_id"] = channel.values_list("pk", flat=True).first() or _NOBODY
    own = channel_of_key(request)
    if own is not None and values.setdefault("channel_id", own) != own:
        values["channel_id"] = _NOBODY
    return values
