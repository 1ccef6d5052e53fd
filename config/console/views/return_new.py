"""A return asked for by an agent: what may come back of an order, the verdict and the money first."""

from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

import returns.services
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.views.order import order_of
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import DomainError, Forbidden
from config.reports.return_rates import buyer_of, rates_of_lines
from config.reports.sql import Row
from orders.states import CreditPart
from returns import selectors
from returns.states import Decision, ReturnKind, Wants
from returns.types import Quote, RequestedUnits, Returnable, ReturnRequest

_LONGEST_WHY: Final = 200


@page(Permission.RETURNS_DECIDE, methods=("GET", "POST"))
@once
def ask(request: HttpRequest, number: str) -> HttpResponse:
    """Choose units and reasons; what the policy says and what would be paid stands below."""
    frame = frame_of(request)
    order = order_of(request, number, Permission.RETURNS_DECIDE)
    scope = frame.scope(Permission.RETURNS_DECIDE)
    offered = selectors.returnable(order["id"], at=frame.now, scope=scope)
    sent = request.POST if request.method == "POST" else request.GET
    wish = _wish(order, offered, sent)
    quoted, problem = None, ""
    if wish.lines:
        try:
            quoted = selectors.quote(wish, scope, at=frame.now)
        except DomainError as refusal:
            problem = refusal.detail
    if request.method == "POST":
        if not wish.lines:
            problem = "Choose what is to come back."
        elif not problem:
            if wish.override and not frame.may(Permission.RETURNS_OVERRIDE):
                raise Forbidden("Your role does not let returns in against the policy.")
            actor = actor_of(request, Permission.RETURNS_DECIDE)
            [outcome] = returns.services.request_returns([wish], at=frame.now, actor=actor)
            if outcome.value is not None:
                say(request, f"{outcome.value.number}: {outcome.value.words}")
                return go(request, reverse("console:return", args=[outcome.value.number]))
            problem = outcome.problem.detail if outcome.problem else "It was refused."
    return show(
        request,
        "console/returns/quote.html" if _quotes(request) else "console/returns/new.html",
        _context(order, offered, wish, quoted, problem) | _hints(request, order, offered),
        status=409 if request.method == "POST" else 200,
    )


def _hints(request: HttpRequest, order: Row, offered: Returnable) -> dict[str, Any]:
    """How often such goods come back, and how often this buyer sends some."""
    if _quotes(request):
        return {}
    frame = frame_of(request)
    scope = frame.scope(Permission.RETURNS_DECIDE)
    of_lines = rates_of_lines([line.line_id for line in offered.lines], scope=scope, at=frame.now)
    return {"rates": of_lines, "buyer": buyer_of(order["id"], scope=scope, at=frame.now)}


def _quotes(request: HttpRequest) -> bool:
    return request.headers.get("HX-Target") == "return-quote"


def _context(
    order: Row, offered: Returnable, wish: ReturnRequest, quoted: Quote | None, problem: str
) -> dict[str, Any]:
    chosen = {units.order_line_id: units for units in wish.lines}
    verdicts = {line.line_id: line for line in quoted.verdict.lines} if quoted else {}
    refused = bool(quoted and quoted.verdict.decision == Decision.REFUSE)
    return {
        "here": "orders",
        "order": order,
        "offered": offered,
        "lines": [
            {
                "row": line,
                "chosen": chosen.get(line.line_id),
                "verdict": verdicts.get(line.line_id),
                "counts": range(line.returnable + 1),
            }
            for line in offered.lines
            if line.delivered
        ],
        "wish": wish,
        "wants": Wants.choices,
        "quoted": quoted,
        "titles": {line.line_id: line.title for line in offered.lines},
        "credit_parts": dict(CreditPart.choices),
        "refused": refused,
        "problem": problem,
    }


def _wish(order: Row, offered: Returnable, sent: QueryDict) -> ReturnRequest:
    """What the form asks for; lines without units are left out."""
    known = {reason.code for reason in offered.reasons}
    units = []
    for line in offered.lines:
        quantity = sent.get(f"units_{line.line_id}", "")
        if not quantity.isdecimal() or not 0 < int(quantity) <= max(line.returnable, 0):
            continue
        reason = sent.get(f"reason_{line.line_id}", "")
        units.append(
            RequestedUnits(
                UUID(str(line.line_id)),
                int(quantity),
                reason if reason in known else offered.reasons[0].code,
            )
        )
    wants = sent.get("wants", "")
    return ReturnRequest(
        order["id"],
        tuple(units),
        kind=ReturnKind.BUYER.value,
        wants=wants if wants in Wants.values else Wants.REFUND.value,
        override=sent.get("override", "").strip()[:_LONGEST_WHY],
    )
