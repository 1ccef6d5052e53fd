"""Lots: what lies of them, where they came from and went, and what stops or lets them go."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

import inventory.selectors
import inventory.services
from config.console.forms import ActionForm, reason_field
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Conflict, NotFound
from config.kernel.types import Actor
from config.reports import trace as reports
from config.reports.sql import Row
from inventory.states import LotState

TABS: Final = (("", "All"), *((each.value, each.label) for each in LotState))
COLUMNS: Final = (
    "order_number",
    "external_id",
    "channel_code",
    "work_number",
    "node_code",
    "parcel_number",
    "state",
    "carrier_code",
    "tracking_number",
    "handed_over_at",
    "delivered_at",
    "country",
    "postal_code",
    "units",
    "serials",
)


class WhyForm(ActionForm):
    reason = reason_field("Why, for whoever looks next")


class RecallForm(WhyForm):
    sure = forms.BooleanField(label="Stop it everywhere and open the cases", required=True)


@dataclass(frozen=True, slots=True)
class _Verb:
    """What may be done with a lot: its label, what it does in words, and from which states."""

    label: str
    lead: str
    states: tuple[str, ...]
    form: type[WhyForm]
    danger: bool = False


VERBS: Final = {
    "hold": _Verb(
        "Quarantine everywhere",
        "Every unit of it, at every node, goes to quality hold at once. Orders that were to have "
        "it get another lot, or another node.",
        (LotState.ACTIVE.value,),
        WhyForm,
    ),
    "release": _Verb(
        "Release from hold",
        "What lies in quality hold of it is sold again.",
        (LotState.HELD.value,),
        WhyForm,
    ),
    "recall": _Verb(
        "Recall",
        "Nothing of it is sold or sent any more; nodes are asked to pull it, and to give back what "
        "they have in hand; each parcel and each buyer that has some becomes a case.",
        (LotState.ACTIVE.value, LotState.HELD.value),
        RecallForm,
        danger=True,
    ),
    "lift": _Verb(
        "Lift the recall",
        "All lots of this recall lie on hold until they are released. Cases stay open.",
        (LotState.RECALLED.value,),
        WhyForm,
    ),
}


@page(Permission.INVENTORY_VIEW)
def lots(request: HttpRequest) -> HttpResponse:
    """Lots by state; a lot, serial or parcel that is named exactly opens."""
    frame = frame_of(request)
    scope = frame.scope(Permission.INVENTORY_VIEW)
    text = " ".join(request.GET.get("q", "").replace("\0", " ").split())
    tab = request.GET.get("state", "")
    after = request.GET.get("after", "")
    if text and not after and (named := reports.named(text, scope=scope)) is not None:
        return redirect(f"console:{named['kind']}", named["id"])
    found = reports.lots(
        scope=scope,
        text=text,
        state=tab if tab in LotState.values else "",
        after=int(after) if after.isdigit() else 0,
    )
    return show(
        request,
        "console/lots/list.html",
        {
            "here": "stock",
            "tab": tab,
            "tabs": TABS,
            "text": text,
            "found": found[: reports.PAGE],
            "after": found[reports.PAGE - 1]["id"] if len(found) > reports.PAGE else "",
        },
    )


@page(Permission.INVENTORY_VIEW)
def lot(request: HttpRequest, lot_id: int) -> HttpResponse:
    """One lot: what lies of it, back to who sent it, forward to who has it."""
    found = _found(request, lot_id)
    went = reports.went([lot_id], limit=reports.SHOWN + 1)
    return show(
        request,
        "console/lots/one.html",
        {
            "here": "stock",
            "lot": found,
            "lying": reports.lying([lot_id]),
            "came": reports.came([lot_id]),
            "went": went[: reports.SHOWN],
            "more": len(went) > reports.SHOWN,
            "reached": reports.reached([lot_id]),
            "reserved": reports.reserved([lot_id]),
            "verbs": [
                {"code": code, "label": verb.label, "danger": verb.danger}
                for code, verb in VERBS.items()
                if found["state"] in verb.states
            ],
        },
    )


@page(Permission.INVENTORY_RECALL, methods=("GET", "POST"))
@once
def act(request: HttpRequest, lot_id: int, code: str) -> HttpResponse:
    """Hold, release, recall or lift, with what it will touch before it is done."""
    if code not in VERBS:
        raise NotFound("There is no such action.")
    found, verb = _found(request, lot_id, Permission.INVENTORY_RECALL), VERBS[code]
    form = verb.form(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if found["state"] not in verb.states:
            raise Conflict(f"Lot {found['code']} is {found['state']}.")
        actor = actor_of(request, Permission.INVENTORY_RECALL)
        said = _ACTS[code](found, form.cleaned_data["reason"], request, actor)
        say(request, said)
        now = _found(request, lot_id)
        if code == "recall":
            return go(request, reverse("console:recall", args=[now["recall_id"]]))
        return go(request, reverse("console:lot", args=[lot_id]))
    return show(
        request,
        "console/lots/act.html",
        {
            "here": "stock",
            "lot": found,
            "code": code,
            "verb": verb,
            "form": form,
            "lying": reports.lying([lot_id]),
            "reached": reports.reached([lot_id]),
            "reserved": reports.reserved([lot_id]),
        },
        status=422 if request.method == "POST" else 200,
    )


@page(Permission.INVENTORY_RECALL)
def consignees(request: HttpRequest, lot_id: int) -> HttpResponse:
    """Who has some of the lot, as CSV: orders and parcels, without names."""
    found = _found(request, lot_id, Permission.INVENTORY_RECALL)
    return HttpResponse(
        as_csv(reports.went([lot_id])),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="lot-{found["id"]}.csv"'},
    )


@page(Permission.INVENTORY_VIEW)
def recall(request: HttpRequest, recall_id: UUID) -> HttpResponse:
    """One recall with its lots and how far they went."""
    scope = frame_of(request).scope(Permission.INVENTORY_VIEW)
    found = inventory.selectors.recalls(scope).filter(pk=recall_id).first()
    if found is None:
        raise NotFound("There is no such recall that you may see.")
    known = reports.lots_of_recall(recall_id, scope=scope)
    ids = [each["id"] for each in known]
    job = reports.job_of_recall(recall_id, scope=scope)
    return show(
        request,
        "console/lots/recall.html",
        {
            "here": "stock",
            "recall": found,
            "lots": known,
            "lying": reports.lying(ids),
            "reached": reports.reached(ids),
            "job": job,
            "going": found.lifted_at is None
            and (job is None or job["state"] in {"queued", "running"}),
        },
    )


@page(Permission.INVENTORY_VIEW)
def serial(request: HttpRequest, serial_id: int) -> HttpResponse:
    """One single thing and its whole way."""
    scope = frame_of(request).scope(Permission.INVENTORY_VIEW)
    found = reports.serial(serial_id, scope=scope)
    if found is None:
        raise NotFound("There is no such thing that you may see.")
    return show(request, "console/lots/serial.html", {"here": "stock", "thing": found})


def as_csv(found: list[Row]) -> str:
    """Rows as CSV: UTF-8 with BOM, ISO times, formulas made harmless."""
    text = io.StringIO("\ufeff")
    text.seek(1)
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for each in found:
        writer.writerow(_cell(each[name]) for name in COLUMNS)
    return text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, list):
        value = " ".join(value)
    text = value.isoformat() if hasattr(value, "isoformat") else "" if value is None else str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _found(
    request: HttpRequest, lot_id: int, permission: Permission = Permission.INVENTORY_VIEW
) -> Row:
    found = reports.lot(lot_id, scope=frame_of(request).scope(permission))
    if found is None:
        raise NotFound("There is no such lot that you may see.")
    return found


def _hold(found: Row, reason: str, request: HttpRequest, actor: Actor) -> str:
    now = frame_of(request).now
    _refuse(inventory.services.hold_lots([found["id"]], reason, at=now, actor=actor))
    return f"Lot {found['code']} is on hold everywhere."


def _release(found: Row, reason: str, request: HttpRequest, actor: Actor) -> str:
    now = frame_of(request).now
    _refuse(inventory.services.release_lots([found["id"]], reason, at=now, actor=actor))
    return f"Lot {found['code']} is sold again."


def _recall(found: Row, reason: str, request: HttpRequest, actor: Actor) -> str:
    now = frame_of(request).now
    recall_id = inventory.services.recall_lots([found["id"]], reason, at=now, actor=actor)
    inventory.services.stop_recall(recall_id, at=now, actor=actor)
    return f"Lot {found['code']} is recalled: nothing of it is sold or sent any more."


def _lift(found: Row, reason: str, request: HttpRequest, actor: Actor) -> str:
    now = frame_of(request).now
    inventory.services.lift_recall(found["recall_id"], reason, at=now, actor=actor)
    return f"The recall is lifted; lot {found['code']} lies on hold until it is released."


def _refuse(outcomes: list[Any]) -> None:
    for outcome in outcomes:
        if outcome.problem is not None:
            raise Conflict(outcome.problem.detail)


_ACTS: Final[dict[str, Callable[[Row, str, HttpRequest, Actor], str]]] = {
    "hold": _hold,
    "release": _release,
    "recall": _recall,
    "lift": _lift,
}
