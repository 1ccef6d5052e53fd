"""Transfers: which are under way, one with its lines and claims, a new one with its preview."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

import inventory.selectors
import inventory.services
from config.console import timeline
from config.console.forms import ActionForm, PlainForm
from config.console.move_forms import (
    ReasonForm,
    ReceiveForm,
    SettleForm,
    ShipForm,
    TransferForm,
)
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.kernel import ids, money
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, Forbidden, NotFound
from config.kernel.types import Outcome
from config.reports import order_page
from config.reports import orders as order_reports
from config.reports.sql import Row
from inventory.types import (
    MovedUnits,
    TransferDraft,
    TransferLineDraft,
    TransferReceipt,
    TransferShipment,
)

PAGE: Final = 50
OPEN: Final = ("draft", "approved", "released", "shipped", "received")
TABS: Final = (
    ("", "Open"),
    ("draft", "To approve"),
    ("shipped", "In transit"),
    ("received", "With a difference"),
    ("ended", "Ended"),
)
VERBS: Final = {
    "approve": ("Approve", ("draft",), Permission.INVENTORY_APPROVE),
    "release": ("Release", ("approved", "released"), Permission.INVENTORY_ADJUST),
    "receive": ("Receive", ("shipped", "received"), Permission.FULFILLMENT_WORK),
    "ship": ("Ship", ("released", "shipped"), Permission.FULFILLMENT_WORK),
    "close": ("Close", ("received",), Permission.INVENTORY_ADJUST),
    "cancel": ("Cancel", ("draft", "approved", "released"), Permission.INVENTORY_ADJUST),
}
_LEADS: Final = {
    "approve": "It may go ahead: the source is asked for it when it is released.",
    "release": "What is free of it at the source is reserved now; the rest when it is released again.",
    "ship": "These units have left the source. What nobody had reserved counts as well.",
    "receive": "These units have arrived. What left and did not come stays under way until you say "
    "that it does not come.",
    "close": "It ends. Its claims must have been settled or withdrawn.",
    "cancel": "Nothing of it leaves; what was reserved is free again.",
}


@page(Permission.INVENTORY_VIEW)
def transfers(request: HttpRequest) -> HttpResponse:
    """Transfers by state, newest first."""
    tab = request.GET.get("tab", "")
    found = _reached(request)
    if tab == "ended":
        found = found.exclude(state__in=OPEN)
    else:
        found = found.filter(state=tab) if tab in OPEN else found.filter(state__in=OPEN)
    rows = list(found.order_by("-drafted_at", "-pk")[: PAGE + 1])
    scope = frame_of(request).scope(Permission.INVENTORY_VIEW)
    lines = inventory.selectors.transfer_lines([row.pk for row in rows], scope)
    return show(
        request,
        "console/transfers/list.html",
        {
            "here": "stock",
            "tab": tab,
            "tabs": TABS,
            "found": [_sums(row, lines.get(row.pk, [])) for row in rows[:PAGE]],
            "more": len(rows) > PAGE,
        },
    )


@page(Permission.INVENTORY_VIEW)
def transfer(request: HttpRequest, number: str) -> HttpResponse:
    """One transfer: what of it is where, what differs, and what happened."""
    row = transfer_of(request, number)
    frame = frame_of(request)
    lines = _lines(request, row)
    return show(
        request,
        "console/transfers/one.html",
        {
            "here": "stock",
            "transfer": row,
            "sums": _sums(row, lines),
            "lines": lines,
            "claims": [claim for line in lines for claim in line.claims.all()],
            "verbs": [
                {"code": code, "label": label}
                for code, (label, states, permission) in VERBS.items()
                if row.state in states and frame.may(permission)
            ],
            "timeline": timeline.entries(order_page.timeline(row.pk), []),
        },
    )


@page(Permission.INVENTORY_VIEW)
def by_id(request: HttpRequest, record_id: UUID) -> HttpResponse:
    row = _reached(request).filter(pk=record_id).first()
    if row is None:
        raise NotFound("There is no such transfer that you may see.")
    return redirect("console:transfer", row.number)


@page(Permission.INVENTORY_ADJUST, methods=("GET", "POST"))
@once
def new(request: HttpRequest) -> HttpResponse:
    """Draft a transfer; shown first is what both nodes have of it, and what would be reserved."""
    frame = frame_of(request)
    scope, nodes = (
        frame.scope(Permission.INVENTORY_ADJUST),
        frame.nodes(Permission.INVENTORY_ADJUST),
    )
    known = order_reports.node_ids(scope)
    named = [
        (each["code"], f"{each['name']} ({each['code']})")
        for each in order_reports.choices(scope)["nodes"]
    ]
    form = TransferForm(
        request.POST if request.method == "POST" else None,
        nodes=[each for each in named if nodes is None or known[each[0]] in nodes],
        places=named,
        initial={
            "from_node": request.GET.get("from", ""),
            "to_node": request.GET.get("to", ""),
            "lines": request.GET.get("lines", ""),
        },
    )
    preview: list[Row] = []
    problem = ""
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        preview, problem = _preview(request, values, known)
        if not problem and request.POST.get("step") == "draft":
            draft = _draft(values, preview, known, request)
            (outcome,) = inventory.services.draft_transfers(
                [draft], at=frame.now, actor=actor_of(request)
            )
            if outcome.value is not None:
                say(request, f"{outcome.value.number} is drafted.")
                return go(request, reverse("console:transfer", args=[outcome.value.number]))
            problem = outcome.problem.detail if outcome.problem else "It was refused."
    return show(
        request,
        "console/transfers/new.html",
        {"here": "stock", "form": form, "preview": preview, "problem": problem},
        status=422 if request.method == "POST" and not preview else 200,
    )


@page(
    Permission.INVENTORY_ADJUST,
    Permission.INVENTORY_APPROVE,
    Permission.FULFILLMENT_WORK,
    methods=("GET", "POST"),
)
@once
def act(request: HttpRequest, number: str, code: str) -> HttpResponse:
    """One verb on one transfer."""
    if code not in VERBS:
        raise NotFound("There is no such action.")
    label, states, permission = VERBS[code]
    row = transfer_of(request, number, permission)
    reach = frame_of(request).nodes(permission)
    end = {"ship": row.source_id, "receive": row.destination_id}.get(code)
    if reach is not None and end is not None and end not in reach:
        raise Forbidden("Only the node that the goods leave or reach can tell.")
    if row.state not in states:
        raise Conflict(f"{row.number} is {row.get_state_display().lower()}.")
    form = _form(request, row, code)
    problem = ""
    if request.method == "POST" and form.is_valid():
        (outcome,) = _ACTS[code](row, form, request)
        if outcome.ok:
            say(request, f"{row.number}: {_SAID[code]}.")
            return go(request, reverse("console:transfer", args=[row.number]))
        problem = outcome.problem.detail if outcome.problem else "It was refused."
    return show(
        request,
        "console/transfers/act.html",
        {
            "here": "stock",
            "transfer": row,
            "code": code,
            "label": label,
            "lead": _LEADS[code],
            "form": form,
            "problem": problem,
        },
        status=409 if problem else 422 if request.method == "POST" else 200,
    )


@page(Permission.INVENTORY_APPROVE, methods=("GET", "POST"))
@once
def claim(request: HttpRequest, number: str, claim_id: UUID) -> HttpResponse:
    """Settle a claim with what was paid or credited, or withdraw it."""
    row = transfer_of(request, number, Permission.INVENTORY_APPROVE)
    lines = _lines(request, row)
    found = next((one for line in lines for one in line.claims.all() if one.pk == claim_id), None)
    if found is None:
        raise NotFound("The transfer has no such claim.")
    form = SettleForm(request.POST if request.method == "POST" else None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        amount: Decimal | None = form.cleaned_data["amount"]
        words: str = form.cleaned_data["reference"]
        at, actor = frame_of(request).now, actor_of(request)
        if amount is None:
            (outcome,) = inventory.services.withdraw_transfer_claims(
                [found.pk], words, at=at, actor=actor
            )
        else:
            settled = [(found.pk, money.to_minor(amount, found.currency))]
            (outcome,) = inventory.services.settle_transfer_claims(
                settled, words, at=at, actor=actor
            )
        if outcome.ok:
            said = "withdrawn" if amount is None else "settled"
            say(request, f"{found.number} is {said}.")
            return go(request, reverse("console:transfer", args=[row.number]))
        problem = outcome.problem.detail if outcome.problem else "It was refused."
    return show(
        request,
        "console/transfers/claim.html",
        {"here": "stock", "transfer": row, "claim": found, "form": form, "problem": problem},
        status=409 if problem else 422 if request.method == "POST" else 200,
    )


def transfer_of(
    request: HttpRequest, number: str, permission: Permission = Permission.INVENTORY_VIEW
) -> Any:
    """The transfer of this number that the reader may see, or act on with the permission."""
    found: Any = _reached(request, permission).filter(number=number.upper()).first()
    if found is None:
        raise NotFound(f"There is no transfer {number} that you may see.")
    return found


def _reached(request: HttpRequest, permission: Permission = Permission.INVENTORY_VIEW) -> Any:
    frame = frame_of(request)
    return inventory.selectors.transfers(frame.scope(permission), frame.nodes(permission))


def _lines(request: HttpRequest, row: Any) -> list[Any]:
    scope = frame_of(request).scope(Permission.INVENTORY_VIEW)
    return inventory.selectors.transfer_lines([row.pk], scope).get(row.pk, [])


def _sums(row: Any, lines: Sequence[Any]) -> Row:
    """The transfer with its units summed over the lines."""
    names = ("requested", "reserved", "shipped", "received", "damaged", "missing", "under_way")
    return {"row": row} | {name: sum(getattr(line, name) for line in lines) for name in names}


def _preview(
    request: HttpRequest, values: dict[str, Any], known: dict[str, int]
) -> tuple[list[Row], str]:
    """What both nodes have of each SKU now; and why it cannot be drafted, if so."""
    frame = frame_of(request)
    scope = frame.scope(Permission.INVENTORY_ADJUST)
    accounts = sorted(scope.account_ids)
    if not accounts:
        used = inventory.selectors.accounts_of_nodes([known[values["from_node"]]])
        accounts = sorted({account for found in used.values() for account in found})
    skus: dict[str, Any] = {}
    for account_id in accounts:
        codes = [code for code, _ in values["lines"]]
        skus = inventory.selectors.skus_by_code(account_id, None, codes)
        if skus:
            break
    unknown = [code for code, _ in values["lines"] if code not in skus]
    if unknown:
        return [], f"There is no SKU {unknown[0]}."
    here, there = known[values["from_node"]], known[values["to_node"]]
    supply = inventory.selectors.supply([sku.id for sku in skus.values()], [here, there])
    rows = []
    for code, units in values["lines"]:
        sku = skus[code]
        source, destination = supply.get((here, sku.id)), supply.get((there, sku.id))
        free = source.free if source else 0
        rows.append(
            {
                "sku": sku,
                "units": units,
                "free": free,
                "reserved": min(units, free),
                "short": max(0, units - free),
                "left": free - min(units, free),
                "there": destination.free if destination else 0,
                "after": (destination.free if destination else 0) + units,
            }
        )
    return rows, ""


def _draft(
    values: dict[str, Any], preview: Sequence[Row], known: dict[str, int], request: HttpRequest
) -> TransferDraft:
    return TransferDraft(
        preview[0]["sku"].account_id,
        known[values["from_node"]],
        known[values["to_node"]],
        tuple(TransferLineDraft(each["sku"].id, each["units"]) for each in preview),
        purpose=values["purpose"],
        priority=values["priority"] or 0,
        note=values["note"],
        eta_at=values["eta_at"],
        source="console",
        external_id=request.POST.get("once") or str(ids.uuid7()),
    )


def _form(request: HttpRequest, row: Any, code: str) -> ActionForm:
    sent = request.POST if request.method == "POST" else None
    if code == "ship":
        return ShipForm(sent, lines=_lines(request, row), initial={"eta_at": row.eta_at})
    if code == "receive":
        return ReceiveForm(sent, lines=_lines(request, row))
    return ReasonForm(sent) if code == "cancel" else PlainForm(sent)


def _plain(command: Callable[..., list[Outcome[Any]]]) -> Callable[..., list[Outcome[Any]]]:
    def run(row: Any, form: Any, request: HttpRequest) -> list[Outcome[Any]]:
        del form
        actor = actor_of(request, Permission.INVENTORY_ADJUST, Permission.INVENTORY_APPROVE)
        return command([row.pk], at=frame_of(request).now, actor=actor)

    return run


def _cancel(row: Any, form: Any, request: HttpRequest) -> list[Outcome[Any]]:
    reason = form.cleaned_data["reason"]
    actor = actor_of(request, Permission.INVENTORY_ADJUST)
    return list(
        inventory.services.cancel_transfers([row.pk], reason, at=frame_of(request).now, actor=actor)
    )


def _ship(row: Any, form: Any, request: HttpRequest) -> list[Outcome[Any]]:
    values = form.cleaned_data
    units = tuple(
        MovedUnits(line.pk, form.units(line, "left"))
        for line in form.rows
        if form.units(line, "left")
    )
    shipment = TransferShipment(
        row.pk, units, values["eta_at"], values["reference"], values["last"]
    )
    actor = actor_of(request, Permission.FULFILLMENT_WORK)
    return list(
        inventory.services.ship_transfers([shipment], at=frame_of(request).now, actor=actor)
    )


def _receive(row: Any, form: Any, request: HttpRequest) -> list[Outcome[Any]]:
    units = tuple(
        MovedUnits(line.pk, form.units(line, "whole"), form.units(line, "damaged"))
        for line in form.rows
        if form.units(line, "whole") or form.units(line, "damaged")
    )
    receipt = TransferReceipt(row.pk, units, form.cleaned_data["last"])
    actor = actor_of(request, Permission.FULFILLMENT_WORK)
    return list(
        inventory.services.receive_transfers([receipt], at=frame_of(request).now, actor=actor)
    )


_ACTS: Final[dict[str, Callable[..., list[Outcome[Any]]]]] = {
    "approve": _plain(inventory.services.approve_transfers),
    "release": _plain(inventory.services.release_transfers),
    "close": _plain(inventory.services.close_transfers),
    "cancel": _cancel,
    "ship": _ship,
    "receive": _receive,
}
_SAID: Final = {
    "approve": "approved",
    "release": "the source is asked for it",
    "ship": "it is on its way",
    "receive": "what arrived is on the books",
    "close": "closed",
    "cancel": "cancelled",
}
