"""Who holds what, until when and why; and what may be done about it."""

from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import inventory.selectors
import inventory.services
import orders.services
from config.console.once import once
from config.console.pages import back_to, frame_of, go, page, say, show
from config.console.reservation_forms import FreeForm, MoveForm, OrderForm
from config.console.views.orders import uuid_of
from config.console.words import counted
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, DomainError, Forbidden, NotFound
from config.reports import orders as order_reports
from config.reports import reservations as reports
from config.reports.sql import Row
from orders.types import Freed, GiveWay, ReservedMove

CLAIM: Final = Permission.INVENTORY_CLAIM


@page(Permission.INVENTORY_VIEW)
def reservations(request: HttpRequest) -> HttpResponse:
    """Every open claim with its holder, its end and its reason; filters stand in the address."""
    frame = frame_of(request)
    scope, nodes = frame.scope(Permission.INVENTORY_VIEW), frame.nodes(Permission.INVENTORY_VIEW)
    chosen = {key: request.GET.get(key, "").strip() for key in ("kind", "sku", "node", "channel")}
    context: dict[str, Any] = {"here": "stock", "kinds": reports.KINDS, "chosen": chosen}
    if chosen["kind"] == "landed":
        context["aside"] = reports.set_aside(
            scope=scope, nodes=nodes, sku=chosen["sku"], node=chosen["node"]
        )
    else:
        before = uuid_of(request.GET.get("before", ""))
        found = reports.open_claims(scope=scope, nodes=nodes, **chosen, before=before)
        context["found"] = found[: reports.PAGE]
        context["older"] = found[reports.PAGE - 1]["id"] if len(found) > reports.PAGE else None
    context |= order_reports.choices(scope)
    return show(request, "console/reservations/list.html", context)


@page(CLAIM, methods=("GET", "POST"))
@once
def move(request: HttpRequest) -> HttpResponse:
    """Send the units of the named reservations from another node: all of them or none."""
    frame = frame_of(request)
    named = request.POST.getlist("claim") or request.GET.getlist("claim")
    found = _these(request, [each for text in named if (each := uuid_of(text))])
    movable = [each for each in found if each["kind"] in {"order", "cart"}]
    known, within = order_reports.node_ids(frame.scope(CLAIM)), frame.nodes(CLAIM)
    form = MoveForm(
        request.POST if request.method == "POST" else None,
        nodes=[
            (each["code"], f"{each['name']} ({each['code']})")
            for each in order_reports.choices(frame.scope(CLAIM))["nodes"]
            if within is None or known[each["code"]] in within
        ],
        single=len(movable) == 1,
    )
    problem = "" if movable else "Only what no node was asked for can move: carts and orders."
    if request.method == "POST" and movable and form.is_valid():
        try:
            values = form.cleaned_data
            moved = _move(request, movable, known[values["node"]], values)
        except DomainError as error:
            problem = error.detail
        else:
            say(request, f"{counted(moved, 'unit')} moved to {form.cleaned_data['node']}.")
            return go(request, back_to(request, reverse("console:reservations")))
    return show(
        request,
        "console/reservations/move.html",
        {
            "here": "stock",
            "claims": movable,
            "left": len(found) - len(movable),
            "form": form,
            "problem": problem,
            "next": back_to(request, ""),
        },
        status=409 if problem else 422 if request.method == "POST" else 200,
    )


@page(CLAIM, methods=("GET", "POST"))
@once
def cart(request: HttpRequest, reservation_id: UUID, code: str) -> HttpResponse:
    """Hold a cart longer, as far as its channel lets, or give its units back."""
    if code not in {"extend", "release"}:
        raise NotFound("There is no such action.")
    if frame_of(request).nodes(CLAIM) is not None:
        raise Forbidden("Carts are served from nodes beyond yours.")
    found = _one(request, reservation_id, "cart", "Nothing is held for this cart any more.")
    problem = ""
    if request.method == "POST":
        at, actor = frame_of(request).now, actor_of(request, CLAIM)
        try:
            if code == "extend":
                inventory.services.extend_cart(
                    found["channel_id"], found["cart"], at=at, actor=actor
                )
            else:
                inventory.services.release_cart(
                    found["channel_id"], found["cart"], at=at, actor=actor
                )
        except DomainError as error:
            problem = error.detail
        else:
            done = "is held longer" if code == "extend" else "is given back"
            say(request, f"The cart {found['cart']} {done}.")
            return go(request, back_to(request, reverse("console:reservations")))
    return show(
        request,
        "console/reservations/cart.html",
        {"here": "stock", "claim": found, "code": code, "problem": problem},
        status=409 if problem else 200,
    )


@page(CLAIM, methods=("GET", "POST"))
@once
def give(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Name the order that is to have a reservation's units; what it means is shown next."""
    claim = _one(
        request, reservation_id, "order", "Only what an order reserves can be given to another."
    )
    form = OrderForm(request.POST if request.method == "POST" else None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        number = form.cleaned_data["order"].strip().upper()
        scope = frame_of(request).scope(CLAIM)
        line_id = reports.waiting_line(number, claim["sku_id"], scope=scope)
        if line_id is not None:
            return go(request, f"{reverse('console:free', args=[line_id])}?claim={reservation_id}")
        problem = f"{number} waits for no {claim['sku_code']}."
    return show(
        request,
        "console/reservations/give.html",
        {"here": "stock", "claim": claim, "form": form, "problem": problem},
        status=409 if problem else 422 if request.method == "POST" else 200,
    )


@page(CLAIM, methods=("GET", "POST"))
@once
def free(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Choose who gives way to a line that waits, see what becomes of them, and do it."""
    frame = frame_of(request)
    scope, nodes = frame.scope(CLAIM), frame.nodes(CLAIM)
    line = reports.line_that_wants(line_id, scope=scope)
    if line is None:
        raise NotFound("There is no such order line that you may serve.")
    claims = reports.lower_claims(line, scope=scope, nodes=nodes)
    form = FreeForm(
        request.POST if request.method == "POST" else None,
        claims=claims,
        initial={"reason": ""},
    )
    given = [GiveWay(*each) for each in form.given()] if form.is_bound else []
    preview: Freed | None = None
    problem = ""
    if request.method == "POST":
        try:
            if not given:
                raise Conflict("Say how many units of whom it is to have.")
            actor = actor_of(request, CLAIM)
            if request.POST.get("act") == "free" and form.is_valid():
                done = orders.services.free_units(
                    line_id, given, form.cleaned_data["reason"], at=frame.now, actor=actor
                )
                say(request, _said(done))
                return go(request, reverse("console:order", args=[line["order_number"]]))
            preview = orders.services.preview_free_units(line_id, given, at=frame.now, actor=actor)
        except DomainError as error:
            problem = error.detail
    chosen = {str(each.reservation_id): each.quantity for each in given}
    for claim in claims:
        begun = claim["units"] if request.GET.get("claim") == str(claim["id"]) else ""
        claim["chosen"] = chosen.get(str(claim["id"]), min(begun or 0, line["wants"]) or "")
    return show(
        request,
        "console/reservations/free.html",
        {
            "here": "orders",
            "line": line,
            "claims": claims,
            "form": form,
            "preview": preview,
            "problem": problem,
        },
        status=409 if problem else 200,
    )


def _these(request: HttpRequest, ids: list[UUID]) -> list[Row]:
    frame = frame_of(request)
    return reports.these(ids, scope=frame.scope(CLAIM), nodes=frame.nodes(CLAIM))


def _one(request: HttpRequest, reservation_id: UUID, kind: str, missing: str) -> Row:
    """The reservation, when it is of this kind and within reach. Raises NotFound."""
    for found in _these(request, [reservation_id]):
        if found["kind"] == kind:
            return found
    raise NotFound(missing)


def _move(request: HttpRequest, claims: list[Row], node_id: int, values: dict[str, Any]) -> int:
    frame, actor = frame_of(request), actor_of(request, CLAIM)
    units = values.get("units")
    mine = [ReservedMove(each["id"], node_id, units) for each in claims if each["kind"] == "order"]
    held = [
        (each["id"], units or each["units"], each["channel_id"])
        for each in claims
        if each["kind"] == "cart"
    ]
    if mine and held:
        raise Conflict("Move what carts hold and what orders reserve one after the other.")
    if mine:
        return orders.services.move_reserved(mine, values["reason"], at=frame.now, actor=actor)
    if len(held) > 1:
        raise Conflict("What carts hold moves one claim at a time.")
    [(claim_id, moved, channel_id)] = held
    inventory.services.move_reservation(
        claim_id, node_id, int(moved), channel_id=channel_id, at=frame.now, actor=actor
    )
    return int(moved)


def _said(done: Freed) -> str:
    losers = ", ".join(
        f"{each.number} ({'waits' if each.waits else 'found elsewhere'})" for each in done.losers
    )
    return f"{done.number} has {counted(done.units, 'unit')}; {losers} gave way."
