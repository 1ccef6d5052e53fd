"""The returns desk: what waits where, what a scan means, and one return with all that belongs to it."""

from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

import returns.services
from config.console import return_words, timeline, words
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.return_verbs import VERBS
from config.console.views.orders import uuid_of
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.types import Outcome
from config.reports import order_page
from config.reports import returns as reports
from config.reports.return_rates import ReturnRate, buyer_of, return_rates
from inventory.selectors import skus
from inventory.states import VERIFIED_BEFORE_RESALE, Regulation
from orders.selectors import credit_notes_of
from orders.states import CreditPart
from returns import selectors
from returns.selectors import ReturnPage, Scanned
from returns.services.photos import MOST_PHOTOS
from returns.states import Decision, ReturnState, Wants
from returns.types import Authorization

TABS: Final = (
    ("expected", "Expected"),
    ("unidentified", "Arrived, unidentified"),
    ("to_grade", "To grade"),
    ("to_decide", "Needs review"),
    ("to_refund", "To refund"),
    ("done", "Done"),
    ("claims", "Claims"),
)
_EMPTY: Final = {
    "expected": ("Nothing is expected", "Returns stand here from their authorisation on."),
    "unidentified": ("Nothing came without a name", "Parcels nobody announced would stand here."),
    "to_grade": ("Nothing waits to be graded", "What arrives stands here until it is graded."),
    "to_decide": ("Nothing waits for a decision", "Requests that the policy lets in go on alone."),
    "to_refund": ("No money is owed for returns", "What is graded and not paid for stands here."),
    "done": ("No return has ended yet", "Settled, declined and expired ones stand here."),
    "claims": ("No carrier owes anything", "A parcel that is lost opens a claim by itself."),
}
MOST_AT_ONCE: Final = 200


@page(Permission.RETURNS_VIEW)
def desk(request: HttpRequest) -> HttpResponse:
    """One tab of the desk under the scan box; without a name the first that has something."""
    frame = frame_of(request)
    scope, nodes = frame.scope(Permission.RETURNS_VIEW), frame.nodes(Permission.RETURNS_VIEW)
    counted = reports.counts(scope=scope, nodes=nodes)
    tab = request.GET.get("tab", "")
    if tab not in dict(TABS):
        tab = next((code for code in _FIRST if counted.get(code)), "expected")
    after, clean = uuid_of(request.GET.get("after", "")), request.GET.get("clean") == "1"
    if tab == "claims":
        found = reports.claims(
            scope=scope, state="done" if request.GET.get("done") else "open", before=after
        )
    else:
        found = reports.page(tab, scope=scope, nodes=nodes, after=after, clean=clean)
    shown = found[: reports.PAGE]
    return show(
        request,
        "console/returns/desk.html",
        {
            "here": "returns",
            "tab": tab,
            "tabs": [
                {"code": code, "label": label, "count": counted.get(code)} for code, label in TABS
            ],
            "found": shown,
            "more": shown[-1]["id"] if len(found) > reports.PAGE else None,
            "clean": clean,
            "clean_shown": sum(each.get("decision") == Decision.ACCEPT for each in shown),
            "empty": _EMPTY[tab],
        },
    )


_FIRST: Final = ("to_grade", "unidentified", "to_decide", "to_refund")


@page(Permission.RETURNS_VIEW)
def scan(request: HttpRequest) -> HttpResponse:
    """What a scan means: one return opens, several are offered, an unknown parcel is taken in."""
    frame = frame_of(request)
    code = " ".join(request.GET.get("scan", "").replace("\0", " ").split())[:64]
    if not code:
        return redirect("console:returns")
    scope, nodes = frame.scope(Permission.RETURNS_VIEW), frame.nodes(Permission.RETURNS_VIEW)
    found = selectors.by_scan(code, scope, node_ids=nodes)
    address = _one_answer(found, code)
    if address:
        return redirect(address)
    return show(
        request,
        "console/returns/scanned.html",
        {
            "here": "returns",
            "code": code,
            "returns": found.returns,
            "orders": reports.orders_like(list(found.order_ids), scope=scope),
        },
    )


def _one_answer(found: Scanned, code: str) -> str:
    """Where a scan leads at once; nothing when somebody has to choose."""
    still_open = [each for each in found.returns if each.state not in _OVER]
    only = still_open or list(found.returns)
    if len(only) == 1 and not (found.order_ids and not still_open):
        return reverse("console:return", args=[only[0].number])
    if found.returns or found.order_ids:
        return ""
    arrival = reverse("console:return_arrived")
    if found.sku_ids:
        known = skus(found.sku_ids[:1])
        named = {"sku_1": known[found.sku_ids[0]].code} if known else {}
        return f"{arrival}?{urlencode(named)}"
    return f"{arrival}?{urlencode({'tracking_number': code, 'unknown': '1'})}"


_OVER: Final = (
    ReturnState.SETTLED,
    ReturnState.CLOSED,
    ReturnState.DECLINED,
    ReturnState.EXPIRED,
    ReturnState.CANCELLED,
)


@page(Permission.RETURNS_DECIDE, methods=("POST",))
@once
def authorize_many(request: HttpRequest) -> HttpResponse:
    """Let the selected requests in; each that cannot be says why."""
    wanted = [each for each in map(uuid_of, request.POST.getlist("id")) if each][:MOST_AT_ONCE]
    if not wanted:
        raise Invalid("No request is selected.")
    outcomes = returns.services.authorize_returns(
        [Authorization(each) for each in wanted],
        at=frame_of(request).now,
        actor=actor_of(request),
    )
    tell(request, outcomes, f"{words.counted(len(wanted), 'return')} authorised.")
    return go(request, f"{reverse('console:returns')}?tab=to_decide")


@page(Permission.RETURNS_VIEW)
def one(request: HttpRequest, number: str) -> HttpResponse:
    """One return: the verdict, its lines to grade, the money, and what was done."""
    frame = frame_of(request)
    found = page_of(request, number)
    scope = frame.scope(Permission.RETURNS_VIEW)
    returned = found.returned
    order_id: UUID | None = returned.order_id
    notes = credit_notes_of(order_id, scope) if order_id else []
    sku_ids = [line.sku_id for line in found.lines if line.sku_id]
    rates = return_rates(sku_ids, scope=scope, at=frame.now)
    return show(
        request,
        "console/returns/one.html",
        {
            "here": "returns",
            "returned": returned,
            "found": found,
            "said": return_words.describe(found, frame.now, frame.zone),
            "lines": _lines(found, rates),
            "rates": rates,
            "most_photos": MOST_PHOTOS,
            "buyer": buyer_of(order_id, scope=scope, at=frame.now)
            if order_id and frame.may(Permission.RETURNS_DECIDE)
            else None,
            "actions": actions_of(request, found),
            "preview": selectors.refund_preview(found, scope),
            "preview_lines": {line.order_line_id: line.title for line in found.lines},
            "credit_parts": dict(CreditPart.choices),
            "notes": [note for note in notes if note.cause_id == returned.pk],
            "timeline": timeline.entries(order_page.timeline(returned.pk), []),
        },
    )


@page(Permission.RETURNS_VIEW)
def by_id(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """From the id that events and cases name to the page."""
    frame = frame_of(request)
    number = reports.number_of(
        record_id,
        scope=frame.scope(Permission.RETURNS_VIEW),
        nodes=frame.nodes(Permission.RETURNS_VIEW),
    )
    if number is None:
        raise NotFound("There is no such return.")
    return redirect("console:return", number)


@page(Permission.RETURNS_VIEW)
def label(request: HttpRequest, number: str) -> HttpResponse:
    """The label it travels with, to print for somebody who lost theirs."""
    found = page_of(request, number)
    scope = frame_of(request).scope(Permission.RETURNS_VIEW)
    document = selectors.label_document(found.returned.pk, scope)
    if document is None:
        raise Conflict("It has no label, or the person it names was erased.")
    return HttpResponse(
        document[0],
        content_type=document[1],
        headers={"Content-Disposition": f'inline; filename="{found.returned.number}.pdf"'},
    )


def page_of(
    request: HttpRequest, number: str, permission: Permission = Permission.RETURNS_VIEW
) -> ReturnPage:
    """The return with what belongs to it, where the reader may see it. Raises NotFound otherwise."""
    frame = frame_of(request)
    scope, nodes = frame.scope(permission), frame.nodes(permission)
    return_id = reports.id_of(number.upper(), scope=scope, nodes=nodes)
    if return_id is None:
        raise NotFound(f"There is no return {number} that you may see.")
    return selectors.return_page(return_id, scope, node_ids=nodes)


def actions_of(request: HttpRequest, found: ReturnPage) -> dict[str, Any]:
    """The reader's verbs: what to do next, the rest, and why some are not possible now."""
    frame = frame_of(request)
    listed: list[dict[str, Any]] = [
        {"verb": verb, "why_not": verb.judge(found)}
        for verb in VERBS.values()
        if frame.may(verb.permission) and verb.code != "grade"
    ]
    wished = "exchange" if found.returned.wants == Wants.EXCHANGE else "settle"
    ready = [each for each in listed if not each["why_not"]]
    first = [each for each in ready if each["verb"].code == wished]
    # Where nobody said to which node it comes, receiving begins with that.
    last = [
        each
        for each in ready
        if each["verb"].code == "receive" and any(line.awaited for line in found.lines)
    ]
    meant = [*first, *(each for each in ready if each["verb"].primary), *last]
    primary = meant[0] if meant else None
    return {
        "primary": primary,
        "possible": [each for each in listed if not each["why_not"] and each is not primary],
        "impossible": [each for each in listed if each["why_not"]],
    }


def tell(request: HttpRequest, outcomes: list[Outcome[Any]], done: str) -> bool:
    """Say how it ended: all, some with the reasons of the others, or none. Whether any was done."""
    refused = [each.problem.detail for each in outcomes if each.problem]
    why = " ".join(sorted(set(refused)))
    if not refused:
        say(request, done)
    elif len(refused) == len(outcomes):
        say(request, f"Not done: {why}", level=messages.ERROR)
    else:
        said = f"{len(outcomes) - len(refused)} of {len(outcomes)} done. Not the others: {why}"
        say(request, said, level=messages.WARNING)
    return len(refused) < len(outcomes)


def law_of(line: Any) -> str:
    """The law by which the goods are sold again only once verified; empty for others."""
    law = line.sku.regulation if line.sku else ""
    return str(Regulation(law).label) if law in VERIFIED_BEFORE_RESALE else ""


def _lines(found: ReturnPage, rates: dict[int, ReturnRate]) -> list[dict[str, Any]]:
    """The lines with what the policy said of each, what was found, and how often such goods come."""
    verdicts = {each["line_id"]: each for each in found.returned.verdict.get("lines", ())}
    graded: dict[UUID, list[dict[str, Any]]] = {}
    for each in found.inspections:
        graded.setdefault(each.line_id, []).append(
            {"row": each, "becomes": return_words.becomes(each.disposition)}
        )
    return [
        {
            "row": line,
            "verdict": verdicts.get(str(line.order_line_id)),
            "graded": graded.get(line.pk, []),
            "law": law_of(line),
            "rate": rates.get(line.sku_id) if line.sku_id else None,
            "photos": [photo for photo in found.photos if photo.line_id == line.pk],
        }
        for line in found.lines
    ]
