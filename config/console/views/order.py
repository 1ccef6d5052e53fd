"""One order: where it is in words, why, what it holds, and what can be done now."""

from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

import routing.selectors
from config.console import (
    aftermath,
    choice_verbs,
    diffs,
    payment_verbs,
    status,
    timeline,
    verbs,
    words,
)
from config.console.causes import case_label
from config.console.forms import AddressForm
from config.console.once import once
from config.console.pages import back_to, frame_of, go, page, say, show
from config.console.people import Contact, opened, reveal
from config.console.promise_bars import promised_on
from config.console.views.decisions import explained
from config.console.views.undo import offer_verb
from config.kernel import vault
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, Forbidden, NotFound
from config.reports import decisions as decision_reports
from config.reports import order_page as reports
from config.reports.order_facts import facts, unsecured
from config.reports.sql import Row
from routing import engine
from routing.selectors import Choice

TABS: Final = (
    ("", "Order"), ("outside", "Channel and buyer"), ("history", "History"),
    ("technical", "Technical"),
)  # fmt: skip
PEEKED: Final = 4
"""The latest events that the panel beside the list shows."""


@page(Permission.ORDERS_VIEW)
def order(request: HttpRequest, number: str) -> HttpResponse:
    """The page, or one of its tabs."""
    frame = frame_of(request)
    found = order_of(request, number)
    tab = request.GET.get("tab", "")
    context: dict[str, Any] = {"here": "orders", "order": found, "tab": tab, "tabs": TABS}
    if tab == "history":
        context["changes"] = diffs.changes(reports.changes(found["id"]), frame.now, frame.zone)
        return show(request, "console/orders/history.html", context)
    if tab == "technical":
        context["deliveries"] = reports.deliveries(found["id"])
        context["events"] = reports.timeline(found["id"])
        return show(request, "console/orders/technical.html", context)
    parts = reports.parts(found["id"])
    said = status.describe(found, parts, frame.now, frame.zone)
    fact = facts([found["id"]])[0]
    told = timeline.entries(reports.timeline(found["id"]), _notes(found["id"]))
    kind = request.GET.get("kind", "")
    context |= {
        "said": said,
        "groups": _groups(parts),
        "parts": parts,
        "cases": _labelled(parts["cases"]),
        "holds_active": [hold for hold in parts["holds"] if hold["state"] == "active"],
        "holds_ended": [hold for hold in parts["holds"] if hold["state"] != "active"],
        "actions": actions_of(request, fact),
        "address_why_not": verbs.why_no_address(fact),
        "address_first": verbs.group_to_correct(fact)
        if frame.may(Permission.ORDERS_CHANGE_ADDRESS)
        else None,
        "timeline": [each for each in told if not kind or each.kind == kind],
        "timeline_kinds": timeline.KINDS.items(),
        "kind": kind,
        "customer": reports.customer_orders(found["customer_id"], found["id"]),
        "contacts": contacts_of(found, parts, shown=False),
        "may_return": any(line["delivered"] > line["returned"] for line in parts["lines"]),
        **promised_on(found["id"], frame.moment),
        **aftermath.of(request, found),
    }
    return show(request, "console/orders/order.html", context)


@page(Permission.ORDERS_VIEW)
def order_peek(request: HttpRequest, number: str) -> HttpResponse:
    """The order in short, beside the list: where it is, why there, and what can be done now."""
    if not request.headers.get("HX-Request"):
        return redirect("console:order", number)
    frame = frame_of(request)
    found = order_of(request, number)
    parts = reports.parts(found["id"])
    groups = _groups(parts)
    return show(
        request,
        "console/orders/peek.html",
        {
            "order": found,
            "said": status.describe(found, parts, frame.now, frame.zone),
            "holds_active": [hold for hold in parts["holds"] if hold["state"] == "active"],
            "groups": groups,
            "why": _why(groups) if frame.may(Permission.ROUTING_VIEW) else {},
            "cases": _labelled(parts["cases"]),
            "actions": actions_of(request, facts([found["id"]])[0]),
            "latest": timeline.entries(reports.timeline(found["id"], limit=PEEKED), []),
            "back": back_to(request, reverse("console:orders")),
        },
    )


@page(*verbs.PERMISSIONS, methods=("GET", "POST"))
@once
def order_action(request: HttpRequest, number: str, code: str) -> HttpResponse:
    """The form of one verb on one order; sent, it makes one command call."""
    verb = verbs.VERBS.get(code)
    if verb is None:
        raise NotFound("There is no such action.")
    frame = frame_of(request)
    if not frame.may(verb.permission):
        raise Forbidden(f"This needs the permission “{verb.permission.label}”.")
    found = order_of(request, number, verb.permission)
    fact = facts([found["id"]])[0]
    why_not = verb.judge(fact)
    candidates = _candidates(request, fact) if code == "reroute" else []
    choices = {"nodes": [(str(each["id"]), each["name"]) for each in candidates]}
    extra: dict[str, Any] = choices if code == "reroute" else {}
    if code == "settle_payment":
        extra = {"payments": payment_verbs.choices(fact)}
    elif code == "choose":
        extra = {"offers": choice_verbs.offers(found["id"], at=frame.now)}
    form = verb.form(
        request.POST if request.method == "POST" else None,
        initial={
            key: request.GET[key]
            for key in ("line", "quantity", "group", "hold", "payment")
            if key in request.GET
        },
        **extra,
    )
    problem = ""
    if request.method == "POST" and form.is_valid():
        if why_not:
            raise Conflict(why_not)
        params = form.params()
        actor = actor_of(request, verb.permission)
        outcome = verb.run_items([found["id"]], params, frame.now, actor)[0]
        if outcome.ok:
            offer_verb(request, verb, f"{number}: {verb.effect.lower()}.", [found["id"]], params)
            return go(request, back_to(request, reverse("console:order", args=[number])))
        problem = outcome.problem.detail if outcome.problem else "It was refused."
    refused = request.method == "POST"
    return show(
        request,
        "console/orders/action.html",
        {
            "here": "orders",
            "order": found,
            "verb": verb,
            "form": form,
            "fact": fact,
            "next": back_to(request, ""),
            "why_not": why_not,
            "problem": problem,
            "candidates": candidates,
            "unsecured": unsecured(found["id"]) if code in payment_verbs.FOR_WANT_OF_MONEY else 0,
            "chosen": request.POST.get("node", ""),
            "line": _line(request, found["id"]),
        },
        status=422 if refused and not problem else 409 if problem else 200,
    )


@page(Permission.ORDERS_CHANGE_ADDRESS, methods=("GET", "POST"))
@once
def order_address(request: HttpRequest, number: str, group_id: UUID) -> HttpResponse:
    """Correct the destination of a delivery group; what held it for the address goes on."""
    frame, actor = frame_of(request), actor_of(request)
    found = order_of(request, number, Permission.ORDERS_CHANGE_ADDRESS)
    group = next(
        (each for each in reports.parts(found["id"])["groups"] if each["id"] == group_id), None
    )
    if group is None:
        raise NotFound("There is no such delivery group.")
    fact = facts([found["id"]])[0]
    why_not = verbs.why_no_address(fact)
    contact = opened([group["contact_id"]]) if group["contact_id"] else []
    if request.method == "POST":
        form = AddressForm(request.POST)
    else:
        known = contact[0].fields if contact else {}
        form = AddressForm(initial={**known, "group": str(group_id)})
        if contact:
            reveal(found, contact, "address form", at=frame.now, actor=actor)
    problem = ""
    if request.method == "POST" and form.is_valid():
        if why_not:
            raise Conflict(why_not)
        outcome = verbs.correct_address(group_id, form.address(), at=frame.now, actor=actor)
        if outcome.ok:
            say(
                request,
                f"{number}: the address is corrected, and what is not released is planned anew.",
            )
            return go(request, reverse("console:order", args=[number]))
        problem = outcome.problem.detail if outcome.problem else "It was refused."
    return show(
        request,
        "console/orders/address.html",
        {
            "here": "orders",
            "order": found,
            "group": group,
            "form": form,
            "why_not": why_not,
            "problem": problem,
        },
        status=422 if request.method == "POST" else 200,
    )


@page(Permission.ORDERS_VIEW_CONTACT, methods=("POST",))
def order_contact(request: HttpRequest, number: str) -> HttpResponse:
    """Show who bought and where it goes; that it was looked at stands in the timeline."""
    frame = frame_of(request)
    found = order_of(request, number, Permission.ORDERS_VIEW_CONTACT)
    parts = reports.parts(found["id"])
    people = contacts_of(found, parts, shown=True)
    reveal(found, people, "order page", at=frame.now, actor=actor_of(request))
    return show(
        request,
        "console/orders/contact.html",
        {
            "here": "orders",
            "order": found,
            "contacts": people,
            "revealed": True,
            "fragment": bool(request.headers.get("HX-Request")),
        },
    )


@page(Permission.ROUTING_VIEW)
def order_why(request: HttpRequest, number: str, group_id: UUID) -> HttpResponse:
    """Why the group goes from where it goes, and why not from a named node."""
    found = order_of(request, number)
    decision_id = decision_reports.latest_of(group_id)
    decision = (
        decision_reports.one(decision_id, scope=frame_of(request).scope(Permission.ROUTING_VIEW))
        if decision_id
        else None
    )
    if decision is not None and decision["order_id"] != found["id"]:
        raise NotFound("There is no such delivery group in this order.")
    return show(
        request,
        "console/decisions/why.html",
        {
            "here": "orders",
            "order": found,
            "group_id": group_id,
            **explained(request, decision),
        },
    )


def order_of(
    request: HttpRequest, number: str, permission: Permission = Permission.ORDERS_VIEW
) -> Row:
    """The order within the reader's scope. Raises NotFound outside it."""
    found = reports.head(number.upper(), scope=frame_of(request).scope(permission))
    if found is None:
        raise NotFound(f"There is no order {number} that you may see.")
    return found


def actions_of(request: HttpRequest, fact: Row) -> dict[str, Any]:
    """The reader's verbs: the one to do next, the rest, and why some are not possible now."""
    frame = frame_of(request)
    listed: list[dict[str, Any]] = [
        {"verb": verb, "why_not": verb.judge(fact)}
        for verb in verbs.VERBS.values()
        if frame.may(verb.permission)
    ]
    primary = next((each for each in listed if each["verb"].primary and not each["why_not"]), None)
    return {
        "primary": primary,
        "possible": [each for each in listed if not each["why_not"] and each is not primary],
        "impossible": [each for each in listed if each["why_not"]],
    }


def contacts_of(found: Row, parts: dict[str, list[Row]], *, shown: bool) -> list[Contact]:
    """The buyer and the destinations, masked unless they are to be shown."""
    wanted = {found["billing_contact_id"] or found["customer_contact"]: "Buyer"}
    for group in parts["groups"]:
        if group["contact_id"]:
            wanted.setdefault(group["contact_id"], f"Delivery {group['position']}")
    people = opened([each for each in wanted if each])
    for person in people:
        person.role = wanted[person.id]
        if not shown:
            person.mask()
    return people


def _groups(parts: dict[str, list[Row]]) -> list[Row]:
    """Delivery groups with their lines, work and parcels inside."""
    parcels = parts["parcels"]
    for work in parts["work"]:
        work["parcels"] = [each for each in parcels if each["fulfillment_order_id"] == work["id"]]
    for parcel in parcels:
        url = (parcel["tracking_url"] or "") if parcel["tracking_number"] else ""
        parcel["url"] = url.replace("{number}", parcel["tracking_number"])
    return [
        {
            **group,
            "lines": (
                lines := [each for each in parts["lines"] if each["group_id"] == group["id"]]
            ),
            "open": sum(
                line["pending"] + line["backordered"] + line["reserved"] + line["released"]
                for line in lines
            ),
            "work": [each for each in parts["work"] if each["group_id"] == group["id"]],
        }
        for group in parts["groups"]
    ]


def _why(groups: list[Row]) -> dict[UUID, str]:
    """The first sentence of the decision that stands for each group."""
    found = decision_reports.latest_of_groups([group["id"] for group in groups])
    return {
        each["group_id"]: sentences[0]
        for each in found
        if (sentences := engine.why_here(engine.expand(each["record"])))
    }


def _labelled(cases: list[Row]) -> list[Row]:
    return [{**each, "label": case_label(each["kind"])} for each in cases]


def _notes(order_id: UUID) -> list[dict[str, Any]]:
    found = reports.notes(order_id)
    vault.preload([note["key_id"] for note in found if note["key_id"]])
    told = []
    for note in found:
        text = "This note was erased."
        if note["key_id"]:
            with suppress(vault.Erased):
                text = vault.open_(note["key_id"], note["sealed"]).get("text", "")
        told.append({**note, "text": text})
    return told


def _line(request: HttpRequest, order_id: UUID) -> Row | None:
    """The line that a cancel names."""
    wanted = request.POST.get("line") or request.GET.get("line") or ""
    if not wanted:
        return None
    lines = reports.parts(order_id)["lines"]
    return next((each for each in lines if str(each["id"]) == wanted), None)


def _candidates(request: HttpRequest, fact: Row) -> list[Row]:
    """The nodes that could send what a delivery group still wants: cost and promise of each."""
    frame = frame_of(request)
    wanted = request.POST.get("group") or request.GET.get("group") or ""
    groups = [
        group
        for group in fact["groups"]
        if group["ours"] and group["unreleased"] and wanted in {"", str(group["id"])}
    ]
    if not groups:
        return []
    scope = frame.scope(Permission.ORDERS_REROUTE)
    choices = routing.selectors.candidates_for(groups[0]["id"], scope, at=frame.now)
    best = next((each for each in choices if each.chosen_now), None)
    return [
        {
            "id": choice.node_id,
            "code": choice.code,
            "name": choice.name,
            "cost_minor": choice.cost_minor,
            "currency": choice.currency,
            "deliver_latest": choice.promise.deliver_latest if choice.promise else None,
            "missing": choice.missing,
            "impossible": not choice.units,
            "best": choice is best,
            "said": _against(choice, best) if choice.units else choice.sentence,
            "group": groups[0],
            "others": len(groups) - 1,
        }
        for choice in choices
    ]


def _against(choice: Choice, best: Choice | None) -> str:
    """What choosing this node costs and delays beside the best one."""
    if best is None or choice is best:
        return ""
    said = []
    if choice.cost_minor is not None and best.cost_minor is not None:
        more = choice.cost_minor - best.cost_minor
        if more:
            said.append(
                f"{words.amount(abs(more), choice.currency)} {'more' if more > 0 else 'less'}"
            )
    if choice.promise and best.promise:
        days = (choice.promise.deliver_latest - best.promise.deliver_latest).days
        if days:
            said.append(f"{words.counted(abs(days), 'day')} {'later' if days > 0 else 'earlier'}")
    return words.sentence(", ".join(said)) if said else "As good."
