"""Goods on their way: which are late, one with who waits for it, another time with what it breaks."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import inventory.selectors
import inventory.services
from config.console.forms import ActionForm, PlainForm
from config.console.inbound_forms import ArrivedForm, EtaForm, LimitForm
from config.console.move_forms import ReasonForm
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.kernel import ids
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, Forbidden, NotFound
from config.kernel.types import Outcome
from config.reports import inbound as reports
from config.reports import orders as order_reports
from config.reports.sql import Row
from inventory.types import LineCap, ReceivedLine, SlipDraft, SubjectTag, subject_id

TABS: Final = (
    ("", "On the way"),
    ("late", "Late"),
    ("arriving", "Partly here"),
    ("ended", "Ended"),
)
OPEN: Final = ("expected", "arriving")
MOST_WAITING: Final = 200
VERBS: Final = {
    "receive": ("Receive", OPEN, Permission.FULFILLMENT_WORK),
    "slip": ("Another time", OPEN, Permission.INVENTORY_PLAN),
    "limit": ("Limit what is sold ahead", OPEN, Permission.INVENTORY_PLAN),
    "close": ("Close short", ("arriving",), Permission.INVENTORY_PLAN),
    "cancel": ("Cancel", OPEN, Permission.INVENTORY_PLAN),
}
_OF_TRANSFERS: Final = frozenset({"receive", "slip", "limit"})
_LEADS: Final = {
    "receive": "What has come lies at the node from now on; who waits for it is served first.",
    "limit": "The share of what is still to come that may be sold before it is there.",
    "close": "What has come is all that comes. Who waited for the rest is promised anew.",
    "cancel": "Nothing more of it comes. Who waited for it is promised anew.",
}
_SAID: Final = {
    "receive": "what arrived is on the books",
    "limit": "the limits are set",
    "close": "closed short",
    "cancel": "cancelled",
}


@page(Permission.INVENTORY_VIEW)
def inbounds(request: HttpRequest) -> HttpResponse:
    """Documents by their next arrival, those that are late first."""
    frame = frame_of(request)
    scope, nodes = frame.scope(Permission.INVENTORY_VIEW), frame.nodes(Permission.INVENTORY_VIEW)
    wanted = {
        name: " ".join(request.GET.get(name, "").replace("\0", " ").split())
        for name in ("tab", "q", "node", "supplier", "sku")
    }
    found = reports.documents(
        scope=scope,
        nodes=nodes,
        now=frame.now,
        tab=wanted["tab"],
        text=wanted["q"],
        node=wanted["node"],
        supplier=wanted["supplier"],
        sku=wanted["sku"],
    )
    return show(
        request,
        "console/inbound/list.html",
        {
            "here": "stock",
            "tabs": TABS,
            "found": found[: reports.PAGE],
            "more": len(found) > reports.PAGE,
            "nodes": order_reports.choices(scope)["nodes"],
            "suppliers": reports.suppliers(scope=scope),
            **wanted,
        },
    )


@page(Permission.INVENTORY_VIEW)
def inbound(request: HttpRequest, inbound_id: int) -> HttpResponse:
    """One document: what of it is where, who waits for it, and when it was expected before."""
    row, frame = document_of(request, inbound_id), frame_of(request)
    lines = inventory.selectors.inbound_lines([row.pk]).get(row.pk, [])
    keys = [line.pk for line in lines]
    sure = inventory.selectors.sure_of(keys)
    versions = inventory.selectors.eta_history(keys)
    waits = _waits(request, lines)
    return show(
        request,
        "console/inbound/one.html",
        {
            "here": "stock",
            "inbound": row,
            "said": _said(row, lines, waits, frame.now),
            "lines": [
                {
                    "row": line,
                    "sure": sure.get(line.pk),
                    "late": bool(line.coming) and line.eta_at < frame.now,
                    "waiting": sum(each["units"] for each in waits if each["line_id"] == line.pk),
                    "room": line.coming * line.ahead_percent // 100
                    if line.ahead_percent is not None
                    else None,
                }
                for line in lines
            ],
            "advised": any(line.advised for line in lines),
            "lateness": next(iter(sure.values()), None),
            "waits": waits[:MOST_WAITING],
            "more": len(waits) > MOST_WAITING,
            "versions": [
                {"line": line, "eta": each, "place": place}
                for line in lines
                for place, each in enumerate(versions.get(line.pk, ()))
            ],
            "notices": inventory.selectors.notices_of(row.pk),
            "timeline": reports.timeline(subject_id(SubjectTag.INBOUND, row.pk)),
            "verbs": [
                {"code": code, "label": label}
                for code, (label, states, permission) in VERBS.items()
                if _offered(row, code, states) and frame.may(permission)
            ],
        },
    )


@page(Permission.INVENTORY_PLAN, Permission.FULFILLMENT_WORK, methods=("GET", "POST"))
@once
def act(request: HttpRequest, inbound_id: int, code: str) -> HttpResponse:
    """One verb on one document."""
    if code not in _ACTS:
        raise NotFound("There is no such action.")
    label, states, permission = VERBS[code]
    row = _may_act(request, inbound_id, code)
    lines = [
        line for line in inventory.selectors.inbound_lines([row.pk]).get(row.pk, []) if line.coming
    ]
    form = _form(request, code, lines)
    problem = ""
    if request.method == "POST" and form.is_valid():
        problem = _problem(_ACTS[code](row, form, request, permission))
        if not problem:
            say(request, f"{row.number}: {_SAID[code]}.")
            return go(request, reverse("console:inbound", args=[row.pk]))
    del states
    return show(
        request,
        "console/inbound/act.html",
        {
            "here": "stock",
            "inbound": row,
            "code": code,
            "label": label,
            "lead": _LEADS[code],
            "form": form,
            "problem": problem,
        },
        status=409 if problem else 422 if request.method == "POST" else 200,
    )


@page(Permission.INVENTORY_PLAN, methods=("GET", "POST"))
@once
def slip(request: HttpRequest, inbound_id: int) -> HttpResponse:
    """Another time: first what it breaks, then it holds."""
    row, frame = _may_act(request, inbound_id, "slip"), frame_of(request)
    lines = [
        line for line in inventory.selectors.inbound_lines([row.pk]).get(row.pk, []) if line.coming
    ]
    form = EtaForm(request.POST if request.method == "POST" else None, lines=lines)
    preview: list[Row] = []
    problem = ""
    if request.method == "POST" and form.is_valid():
        drafts = _slips(form, lines)
        actor = actor_of(request, Permission.INVENTORY_PLAN)
        if not drafts:
            problem = "Every line is expected then already."
        elif request.POST.get("step") == "apply":
            outcomes = inventory.services.slip_inbound(
                drafts,
                source="console",
                reason=form.cleaned_data["reason"],
                at=frame.now,
                actor=actor,
            )
            problem = _problem(outcomes)
            if not problem:
                say(request, f"{row.number} is expected anew; promises follow in the background.")
                return go(request, reverse("console:inbound", args=[row.pk]))
        else:
            outcomes = inventory.services.preview_slip(drafts, actor=actor)
            problem = _problem(outcomes)
            preview = [] if problem else _previewed(request, lines, outcomes)
    return show(
        request,
        "console/inbound/slip.html",
        {"here": "stock", "inbound": row, "form": form, "preview": preview, "problem": problem},
        status=409 if problem else 422 if request.method == "POST" and not preview else 200,
    )


def document_of(
    request: HttpRequest, inbound_id: int, permission: Permission = Permission.INVENTORY_VIEW
) -> Any:
    """The document that the reader may see, or act on with the permission."""
    frame = frame_of(request)
    found: Any = (
        inventory.selectors.inbounds(frame.scope(permission), frame.nodes(permission))
        .filter(pk=inbound_id)
        .first()
    )
    if found is None:
        raise NotFound("There are no such goods on their way that you may see.")
    return found


def _may_act(request: HttpRequest, inbound_id: int, code: str) -> Any:
    """The document on which the verb is possible. Raises Forbidden or Conflict."""
    _, states, permission = VERBS[code]
    if not frame_of(request).may(permission):
        raise Forbidden(f"It needs the permission “{permission.label}”.")
    row = document_of(request, inbound_id, permission)
    if permission is Permission.INVENTORY_PLAN and frame_of(request).nodes(permission) is not None:
        raise Forbidden("This is decided for all nodes.")
    if not _offered(row, code, states):
        raise Conflict(f"{row.number} is {row.get_state_display().lower()}.")
    return row


def _offered(row: Any, code: str, states: Sequence[str]) -> bool:
    return str(row.state) in states and (row.kind != "transfer" or code in _OF_TRANSFERS)


def _said(row: Any, lines: Sequence[Any], waits: Sequence[Row], now: Any) -> str:
    """Where the document stands, in a sentence."""
    coming = sum(line.coming for line in lines)
    if row.state == "cancelled":
        return f"It does not come: {row.close_reason or 'no reason was given'}."
    if not coming or row.state == "received":
        missing = f" {coming:,} units did not come: {row.close_reason}." if coming else ""
        return f"All that comes has come.{missing}"
    late = [line for line in lines if line.coming and line.eta_at < now]
    said = f"{coming:,} units are still to come."
    if late:
        days = max((now - line.eta_at).days for line in late)
        said += f" They are late, by {days} days." if days else " They are late since today."
    units = sum(each["units"] for each in waits)
    return (
        f"{said} Orders wait for {units:,} of them." if units else f"{said} Nobody waits for them."
    )


def _waits(request: HttpRequest, lines: Sequence[Any]) -> list[Row]:
    """Who is to be served from these lines, in the order in which they are."""
    frame = frame_of(request)
    keys = {line.pk: line for line in lines if line.coming}
    if not keys:
        return []
    skus = {line.sku_id for line in keys.values()}
    found = [
        {
            "line_id": line_id,
            "sku": keys[line_id].sku,
            "units": units,
            "demand_id": one.demand_id,
            "priority": one.priority,
            "ready_by": one.ready_by,
            "ready_at": one.ready_at,
            "since": one.at,
            "broken": one.ready_by is not None
            and (one.ready_at is None or one.ready_at > one.ready_by),
        }
        for one in inventory.selectors.awaited(skus, at=frame.now)
        for line_id, _, units, _ in one.shares
        if line_id in keys
    ]
    scope = frame.scope(Permission.INVENTORY_VIEW)
    orders = reports.promised({each["demand_id"] for each in found}, scope=scope)
    return [each | {"order": orders.get(each["demand_id"])} for each in found]


def _slips(form: EtaForm, lines: Sequence[Any]) -> list[SlipDraft]:
    """The lines that are given another time, to the minute."""
    every = form.cleaned_data["every"]
    wanted = [(line, every or form.value(line, "eta")) for line in lines]
    return [
        SlipDraft(line.pk, eta)
        for line, eta in wanted
        if eta is not None and eta != line.eta_at.replace(second=0, microsecond=0)
    ]


def _previewed(
    request: HttpRequest, lines: Sequence[Any], outcomes: Sequence[Outcome[Any]]
) -> list[Row]:
    """What the new times break, line by line, with the orders."""
    scope = frame_of(request).scope(Permission.INVENTORY_VIEW)
    by_key = {line.pk: line for line in lines}
    told = [outcome.value for outcome in outcomes if outcome.value is not None]
    return [
        {
            "line": by_key[one.inbound_line_id],
            "told": one,
            "orders": reports.numbers(one.threads[:MOST_WAITING], scope=scope),
        }
        for one in told
    ]


def _problem(outcomes: Sequence[Outcome[Any]]) -> str:
    return next((one.problem.detail for one in outcomes if one.problem is not None), "")


def _form(request: HttpRequest, code: str, lines: Sequence[Any]) -> ActionForm:
    sent = request.POST if request.method == "POST" else None
    if code == "receive":
        return ArrivedForm(sent, lines=lines)
    if code == "limit":
        return LimitForm(sent, lines=lines)
    return ReasonForm(sent) if code in _ENDS else PlainForm(sent)


def _receive(
    row: Any, form: Any, request: HttpRequest, permission: Permission
) -> list[Outcome[Any]]:
    mark = request.POST.get("once") or str(ids.uuid7())
    received = [
        ReceivedLine(line.pk, units, condition=condition, external_id=f"{mark}:{line.pk}:{name}")
        for line in form.rows
        for name, condition in (("whole", ""), ("damaged", "damaged"))
        if (units := form.value(line, name))
    ]
    if not received:
        return [Outcome.refused("no-units", "Say how many have come.")]
    return list(
        inventory.services.receive_inbound(
            row.pk, received, at=frame_of(request).now, actor=actor_of(request, permission)
        )
    )


def _limit(row: Any, form: Any, request: HttpRequest, permission: Permission) -> list[Outcome[Any]]:
    del row
    limits = [LineCap(line.pk, form.value(line, "percent")) for line in form.rows]
    actor = actor_of(request, permission)
    return list(inventory.services.limit_lines(limits, at=frame_of(request).now, actor=actor))


_ENDS: Final[dict[str, Callable[..., list[Outcome[Any]]]]] = {
    "close": inventory.services.close_inbound,
    "cancel": inventory.services.cancel_inbound,
}


def _end(code: str) -> Callable[..., list[Outcome[Any]]]:
    def run(
        row: Any, form: Any, request: HttpRequest, permission: Permission
    ) -> list[Outcome[Any]]:
        reason = form.cleaned_data["reason"]
        actor = actor_of(request, permission)
        return _ENDS[code]([row.pk], reason, at=frame_of(request).now, actor=actor)

    return run


_ACTS: Final[dict[str, Callable[..., list[Outcome[Any]]]]] = {
    "receive": _receive,
    "limit": _limit,
    "close": _end("close"),
    "cancel": _end("cancel"),
}
