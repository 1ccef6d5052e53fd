"""What a channel was told of a SKU: why it differs from now, and telling it anew."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import inventory.selectors
from config.console.forms import ActionForm, reason_field
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import NotFound
from config.reports import difference, explorer
from config.reports import stock as reports
from config.reports.sql import Row
from integrations.channels.republishing import republish as tell_again

WORDS: Final = {
    "claimed": "Claimed by orders and carts since",
    "given_back": "Given back by orders and carts",
    "receipt": "Received",
    "return": "Came back",
    "transfer": "Transferred",
    "sale": "Sold at the till",
    "adjust": "Adjusted by hand",
    "snapshot": "Set to what a node's system sees",
    "count": "Counted",
    "short": "Not found by pickers",
    "damage": "Broken",
    "discrepancy": "Brought in for a fact that the book lacked",
}


class AgainForm(ActionForm):
    reason = reason_field("Why, for whoever looks next")


@page(Permission.INVENTORY_VIEW)
def why(request: HttpRequest, sku_id: int, code: str) -> HttpResponse:
    """What the channel was told, what it may sell now, and what has happened between."""
    frame = frame_of(request)
    scope = frame.scope(Permission.INVENTORY_VIEW)
    found, told = _channel(request, sku_id, code, Permission.INVENTORY_VIEW)
    since = told["sent_at"] or told["seen_at"]
    now = inventory.selectors.ats(told["channel_id"], [sku_id], at=frame.now)[sku_id]
    kept_back = int((told["connection_settings"] or {}).get("stock_threshold", 0))
    context: dict[str, Any] = {
        "here": "stock",
        "sku": found,
        "told": told,
        "since": since,
        "now": now,
        "kept_back": kept_back,
        "terms": [],
    }
    if told["told_units"] is not None and since is not None:
        moved = difference.terms(told["channel_id"], sku_id, since)
        gap = max(0, now - kept_back) - told["told_units"]
        rest = gap - sum(each["units"] for each in moved)
        context |= {
            "gap": gap,
            "terms": [each | {"label": _label(each["code"])} for each in moved if each["units"]],
            "rest": rest,
            "happened": difference.happened(told["channel_id"], sku_id, since, scope=scope),
        }
    return show(request, "console/stock/difference.html", context)


@page(Permission.INTEGRATIONS_REPLAY, methods=("GET", "POST"))
@once
def again(request: HttpRequest, sku_id: int, code: str) -> HttpResponse:
    """Count one figure anew and have its channel told of it."""
    frame = frame_of(request)
    found, told = _channel(request, sku_id, code, Permission.INTEGRATIONS_REPLAY)
    form = AgainForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        has_shop = tell_again(
            told["channel_id"],
            sku_id,
            form.cleaned_data["reason"],
            at=frame.now,
            actor=actor_of(request, Permission.INTEGRATIONS_REPLAY),
        )
        if has_shop:
            say(request, f"{told['name']} is told of {found['code']} anew within a minute.")
        else:
            say(request, f"Counted anew. {told['name']} asks by itself; nobody pushes to it.")
        return go(request, f"{reverse('console:sku', args=[sku_id])}?tab=channels")
    return show(
        request,
        "console/stock/again.html",
        {"here": "stock", "sku": found, "told": told, "form": form},
        status=422 if request.method == "POST" else 200,
    )


def _channel(
    request: HttpRequest, sku_id: int, code: str, permission: Permission
) -> tuple[Row, Row]:
    """The SKU, and what its channel of this code was told. What is of all nodes needs all nodes."""
    frame = frame_of(request)
    scope, nodes = frame.scope(permission), frame.nodes(permission)
    found = reports.sku(sku_id, scope=scope, nodes=nodes)
    known = explorer.channels(sku_id, scope=scope) if found and nodes is None else []
    told: Row | None = next((each for each in known if each["code"] == code), None)
    if found is None or told is None:
        raise NotFound("There is no such figure that you may see.")
    return found, told


def _label(code: str) -> str:
    return WORDS.get(code, code.replace("_", " ").capitalize())
