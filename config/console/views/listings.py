"""A channel's code that nobody knew: say once which SKU it means, and every order of it goes on."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import inventory.selectors
import orders.services
from config.console.once import once
from config.console.pages import back_to, frame_of, go, page, say, show
from config.console.views.order import order_of
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import NotFound
from config.kernel.types import Scope
from config.reports import order_page as reports
from config.reports.sql import Row
from inventory.services.define import define_listings
from inventory.types import SkuView

OFFERED = 12
LONGEST_TEXT = 64


@page(Permission.CONFIG_EDIT, methods=("GET", "POST"))
@once
def order_map(request: HttpRequest, number: str, line_id: UUID) -> HttpResponse:
    """Find the SKU that a line's code stands for, and map it for the whole channel."""
    frame = frame_of(request)
    order = order_of(request, number, Permission.CONFIG_EDIT)
    line = _unmapped(order, line_id)
    offered = Scope(frozenset({order["account_id"]}))
    problem = ""
    if request.method == "POST":
        sku = _chosen(request.POST.get("sku", ""), offered)
        if sku is None:
            problem = "Choose one of the SKUs."
        else:
            freed = _map(request, order, line["external_sku"], sku)
            waited = {0: "no order waited for it", 1: "one order goes on"}
            said = waited.get(freed, f"{freed} orders go on")
            say(request, f"{line['external_sku']} is {sku.code} from now on: {said}.")
            return go(request, back_to(request, reverse("console:order", args=[order["number"]])))
    said = request.GET.get("q") or request.POST.get("q") or ""
    text = said.replace("\0", "")[:LONGEST_TEXT].strip()
    # What the channel calls it is a good guess; nothing is said of one that names nothing here.
    guess = text or str(line["title"] or "")[:LONGEST_TEXT]
    found = inventory.selectors.search_skus(offered, guess, limit=OFFERED) if guess else []
    text = text or (guess if found else "")
    return show(
        request,
        "console/orders/map.html",
        {
            "here": "orders",
            "order": order,
            "line": line,
            "text": text,
            "skus": found,
            "next": back_to(request, ""),
            "problem": problem,
            "now": frame.now,
        },
        status=422 if problem else 200,
    )


def first_unmapped(order_id: UUID) -> UUID | None:
    """The first line of the order whose code means nothing yet."""
    lines = reports.parts(order_id)["lines"]
    return next((line["id"] for line in lines if _waits(line)), None)


def _unmapped(order: Row, line_id: UUID) -> Row:
    for line in reports.parts(order["id"])["lines"]:
        if line["id"] == line_id and _waits(line):
            return line
    raise NotFound("The order has no such line that waits for its SKU.")


def _waits(line: Row) -> bool:
    return bool(line["sku_id"] is None and line["pending"] and line["external_sku"])


def _chosen(text: str, scope: Scope) -> SkuView | None:
    if not text.isdecimal():
        return None
    found = inventory.selectors.skus([int(text)]).get(int(text))
    return found if found is not None and scope.allows(found.account_id) else None


def _map(request: HttpRequest, order: Row, code: str, sku: SkuView) -> int:
    at, actor = frame_of(request).now, actor_of(request, Permission.CONFIG_EDIT)
    define_listings([(order["channel_id"], code, sku.id)], at=at, actor=actor)
    return orders.services.map_skus(
        order["account_id"], order["channel_id"], [code], at=at, actor=actor
    )
