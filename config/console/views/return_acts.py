"""What is done to one return: each form, sent, makes one command call."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

import returns.services
from config.console import return_forms as forms
from config.console.forms import PlainForm
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.return_verbs import PERMISSIONS, VERBS, ReturnVerb
from config.console.views.orders import uuid_of
from config.console.views.returns import law_of, page_of, tell
from config.console.words import counted
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from config.kernel.types import Actor, Outcome
from config.reports import returns as reports
from config.reports.return_rates import ReturnRate, return_rates
from config.reports.sql import Row
from inventory.selectors import skus_by_scan
from orders.selectors import search
from returns.selectors import ReturnPage
from returns.states import Grade
from returns.types import (
    ArrivedUnits,
    Authorization,
    Exchange,
    ExchangeItem,
    Finding,
    Receipt,
    TakenPhoto,
)

OFFERED: Final = 10
Outcomes = Sequence[Outcome[Any]]


@page(*PERMISSIONS, methods=("GET", "POST"))
@once
def act(request: HttpRequest, number: str, code: str) -> HttpResponse:
    """One verb on one return: its form, or at once what it does."""
    verb = VERBS.get(code)
    if verb is None or code == "identify":
        raise NotFound("There is no such action.")
    frame = frame_of(request)
    if not frame.may(verb.permission):
        page_of(request, number)
        raise Forbidden(f"This needs the permission “{verb.permission.label}”.")
    found = page_of(request, number, verb.permission)
    why_not = verb.judge(found)
    form = _form(request, verb, found)
    problem = ""
    if request.method == "POST" and form.is_valid():
        if why_not:
            raise Conflict(why_not)
        outcomes = _ACTS[code](request, found, form, actor_of(request, verb.permission))
        refused = [each.problem.detail for each in outcomes if each.problem]
        if not refused or verb.at_once or code == "grade":
            tell(request, list(outcomes), f"{found.returned.number}: {_DONE[code]}.")
            return go(request, reverse("console:return", args=[found.returned.number]))
        problem = " ".join(sorted(set(refused)))
    return show(
        request,
        "console/returns/act.html",
        {
            "here": "returns",
            "found": found,
            "returned": found.returned,
            "verb": verb,
            "form": form,
            "why_not": why_not,
            "problem": problem,
            "rate": _rate(request, found) if code == "grade" else None,
        },
        status=409 if problem else 422 if request.method == "POST" else 200,
    )


def _rate(request: HttpRequest, found: ReturnPage) -> ReturnRate | None:
    """How often goods like those of the form's line come back."""
    named = request.POST.get("line") or request.GET.get("line") or ""
    line = forms.line_named(found.lines, named)
    if line is None or line.sku_id is None:
        return None
    frame = frame_of(request)
    scope = frame.scope(Permission.RETURNS_WORK)
    return return_rates([line.sku_id], scope=scope, at=frame.now).get(line.sku_id)


_DONE: Final = {
    "authorize": "it may come",
    "receive_all": "received; now grade it",
    "receive": "received; now grade it",
    "grade": "graded",
    "settle": "the money goes back",
    "exchange": "other goods are ordered for it",
    "decline": "declined",
    "cancel": "called off",
}


def _form(request: HttpRequest, verb: ReturnVerb, found: ReturnPage) -> Any:
    sent = request.POST if request.method == "POST" else None
    if verb.code == "receive":
        nodes = node_choices(request, found)
        return forms.ReceiveForm(
            sent,
            lines=[line for line in found.lines if line.order_line_id or line.requested],
            nodes=nodes,
            initial={"node": str(found.returned.node_id or "")},
        )
    if verb.code == "grade":
        line = forms.line_named(
            found.lines, request.POST.get("line") or request.GET.get("line") or ""
        )
        if line is None:
            raise NotFound("The return has no such line.")
        return forms.GradeForm(
            sent,
            request.FILES if request.method == "POST" else None,
            law=law_of(line),
            initial={"line": str(line.pk), "quantity": line.ungraded},
        )
    kinds = {"decline": forms.DeclineForm, "exchange": forms.ExchangeForm}
    return kinds.get(verb.code, PlainForm)(sent)


def node_choices(request: HttpRequest, found: ReturnPage | None = None) -> list[tuple[str, str]]:
    """The nodes where the reader may take goods in: of the return's account, when there is one."""
    frame = frame_of(request)
    offered = reports.receiving_nodes(
        scope=frame.scope(Permission.RETURNS_WORK), nodes=frame.nodes(Permission.RETURNS_WORK)
    )
    account = found.returned.account_id if found else None
    return [
        (str(each["id"]), f"{each['name']} ({each['code']})")
        for each in offered
        if account is None or account in each["accounts"]
    ]


def _authorize(request: HttpRequest, found: ReturnPage, form: Any, actor: Actor) -> Outcomes:
    del form
    wanted = [Authorization(found.returned.pk)]
    return returns.services.authorize_returns(wanted, at=frame_of(request).now, actor=actor)


def _receive_all(request: HttpRequest, found: ReturnPage, form: Any, actor: Actor) -> Outcomes:
    del form
    node_id = found.returned.node_id
    if node_id is None:
        raise Conflict("Nobody said to which node it comes.")
    receipt = Receipt(found.returned.pk, node_id, ())
    return returns.services.receive_returns([receipt], at=frame_of(request).now, actor=actor)


def _receive(request: HttpRequest, found: ReturnPage, form: Any, actor: Actor) -> Outcomes:
    units = (*form.announced(), *strays_of(request, form))
    if not units:
        return [Outcome.refused("invalid", "Say what came: nothing is counted.")]
    receipt = Receipt(found.returned.pk, int(form.cleaned_data["node"]), units)
    return returns.services.receive_returns([receipt], at=frame_of(request).now, actor=actor)


def _grade(request: HttpRequest, found: ReturnPage, form: Any, actor: Actor) -> Outcomes:
    values = form.cleaned_data
    line = forms.line_named(found.lines, values["line"])
    if line is None:
        raise NotFound("The return has no such line.")
    finding = Finding(
        line.pk,
        values["quantity"],
        values["grade"],
        disposition=values["disposition"],
        accepted={"yes": True, "no": False}.get(values["accepted"]),
        verified=bool(values.get("verified")),
        lot=values["lot"],
    )
    at = frame_of(request).now
    outcomes = returns.services.inspect_returns([finding], at=at, actor=actor)
    taken = [TakenPhoto(line.pk, content) for content in values["photos"]]
    if taken and all(each.ok for each in outcomes):
        return [*outcomes, *returns.services.keep_photos(taken, at=at, actor=actor)]
    return outcomes


def _settle(request: HttpRequest, found: ReturnPage, form: Any, actor: Actor) -> Outcomes:
    del form
    wanted = [found.returned.pk]
    return returns.services.settle_returns(wanted, at=frame_of(request).now, actor=actor)


def _exchange(request: HttpRequest, found: ReturnPage, form: Any, actor: Actor) -> Outcomes:
    items = tuple(ExchangeItem(code, units) for code, units in form.items())
    wanted = [Exchange(found.returned.pk, items)]
    return returns.services.exchange_returns(wanted, at=frame_of(request).now, actor=actor)


def _decline(request: HttpRequest, found: ReturnPage, form: Any, actor: Actor) -> Outcomes:
    return returns.services.decline_returns(
        [found.returned.pk],
        why=form.cleaned_data["why"],
        at=frame_of(request).now,
        actor=actor,
    )


def _cancel(request: HttpRequest, found: ReturnPage, form: Any, actor: Actor) -> Outcomes:
    del form
    wanted = [found.returned.pk]
    return returns.services.cancel_returns(wanted, at=frame_of(request).now, actor=actor)


_ACTS: Final[dict[str, Callable[[HttpRequest, ReturnPage, Any, Actor], Outcomes]]] = {
    "authorize": _authorize,
    "receive_all": _receive_all,
    "receive": _receive,
    "grade": _grade,
    "settle": _settle,
    "exchange": _exchange,
    "decline": _decline,
    "cancel": _cancel,
}


@page(Permission.RETURNS_WORK, methods=("GET", "POST"))
@once
def add_photos(request: HttpRequest, number: str) -> HttpResponse:
    """Photos of one line, beside those that it has."""
    found = page_of(request, number, Permission.RETURNS_WORK)
    named = request.POST.get("line") or request.GET.get("line") or ""
    line = forms.line_named(found.lines, named)
    if line is None:
        raise NotFound("The return has no such line.")
    posted = request.method == "POST"
    form = forms.PhotosForm(
        request.POST if posted else None,
        request.FILES if posted else None,
        initial={"line": str(line.pk)},
    )
    if posted and form.is_valid():
        taken = [TakenPhoto(line.pk, content) for content in form.cleaned_data["photos"]]
        at, actor = frame_of(request).now, actor_of(request, Permission.RETURNS_WORK)
        outcomes = returns.services.keep_photos(taken, at=at, actor=actor)
        tell(request, list(outcomes), f"{counted(len(taken), 'photo')} kept.")
        return go(request, reverse("console:return", args=[found.returned.number]))
    return show(
        request,
        "console/returns/photos.html",
        {"here": "returns", "returned": found.returned, "line": line, "form": form},
        status=422 if posted else 200,
    )


@page(Permission.RETURNS_VIEW)
def photo(request: HttpRequest, number: str, photo_id: UUID) -> HttpResponseBase:
    """One photo, to whoever sees the return. It is shown and never run: nothing else is in it."""
    found = page_of(request, number)
    known = next((each for each in found.photos if each.pk == photo_id), None)
    if known is None:
        raise NotFound("The return has no such photo.")
    try:
        content = known.file.open("rb")
    except FileNotFoundError:
        raise NotFound("The file of this photo is not in the storage any more.") from None
    return FileResponse(
        content,
        content_type=known.kind,
        headers={
            "Cache-Control": "private, max-age=86400, immutable",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


@page(Permission.RETURNS_WORK, methods=("POST",))
@once
def grade_all(request: HttpRequest, number: str) -> HttpResponse:
    """One grade for everything of a line, or of the return, with what usually becomes of it."""
    found = page_of(request, number, Permission.RETURNS_WORK)
    grade, wanted = request.POST.get("grade", ""), request.POST.get("line", "")
    if grade not in Grade.values:
        raise Invalid(f"A grade is one of {', '.join(Grade.values)}.")
    lines = [each for each in found.lines if each.ungraded and wanted in {"", str(each.pk)}]
    if not lines:
        raise Conflict("Nothing of it waits to be graded any more.")
    outcomes = returns.services.inspect_returns(
        [Finding(line.pk, line.ungraded, grade) for line in lines],
        at=frame_of(request).now,
        actor=actor_of(request),
    )
    said = f"{found.returned.number}: graded {grade}, {Grade(grade).label.lower()}."
    tell(request, list(outcomes), said)
    return go(request, reverse("console:return", args=[found.returned.number]))


def strays_of(request: HttpRequest, form: forms.StraysForm) -> tuple[ArrivedUnits, ...]:
    """What was found without a line. Raises NotFound for a code that names no SKU."""
    scope = frame_of(request).scope(Permission.RETURNS_WORK)
    units = []
    for code, quantity in form.strays():
        sku_id = next(iter(skus_by_scan(code, scope)), None)
        if sku_id is None:
            raise NotFound(f"There is no SKU {code}: scan its barcode, or look it up in the stock.")
        units.append(ArrivedUnits(quantity, sku_id=sku_id))
    return tuple(units)


@page(Permission.RETURNS_WORK, methods=("GET", "POST"))
@once
def identify(request: HttpRequest, number: str) -> HttpResponse:
    """Find the order of goods that came without one: by name on the parcel, number, e-mail, SKU."""
    frame = frame_of(request)
    found = page_of(request, number, Permission.RETURNS_WORK)
    if why := VERBS["identify"].judge(found):
        raise Conflict(why)
    problem = ""
    if request.method == "POST":
        order_id = uuid_of(request.POST.get("order", ""))
        if order_id is None:
            raise Invalid("Choose one of the orders.")
        [outcome] = returns.services.identify_returns(
            [(found.returned.pk, order_id)], at=frame.now, actor=actor_of(request)
        )
        if outcome.ok:
            say(request, f"{found.returned.number}: its order is known now.")
            return go(request, reverse("console:return", args=[found.returned.number]))
        problem = outcome.problem.detail if outcome.problem else "It was refused."
    text = " ".join(request.GET.get("q", "").replace("\0", " ").split())[:120]
    scope = frame.scope(Permission.RETURNS_WORK)
    named = search(scope, text, limit=OFFERED) if text else _by_goods(found, request)
    return show(
        request,
        "console/returns/identify.html",
        {
            "here": "returns",
            "found": found,
            "returned": found.returned,
            "text": text,
            "orders": _fitting(found, reports.orders_like(named, scope=scope)),
            "problem": problem,
        },
        status=409 if problem else 200,
    )


def _by_goods(found: ReturnPage, request: HttpRequest) -> list[UUID]:
    """The latest orders of the first thing that came: a guess to begin with."""
    scope = frame_of(request).scope(Permission.RETURNS_WORK)
    code = next((line.sku.code for line in found.lines if line.sku), "")
    return search(scope, code, limit=OFFERED) if code else []


def _fitting(found: ReturnPage, orders: list[Row]) -> list[Row]:
    """The orders with how many of the goods they have brought, best first."""
    came = {line.sku_id: line.received for line in found.lines if line.sku_id}
    for each in orders:
        sent = {item["sku_id"]: item["sent"] for item in each["brought"] or ()}
        each["fits"] = sum(min(units, sent.get(sku_id, 0)) for sku_id, units in came.items())
    return sorted(orders, key=lambda each: -each["fits"])
