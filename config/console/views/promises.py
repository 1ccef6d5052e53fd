"""Promises: what is in danger, what can be done about it, and what was broken and by whom."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

import fulfillment.services
import orders.services
from config.console.once import once
from config.console.pages import back_to, frame_of, go, page, say, show
from config.console.promise_bars import WAITS, bars
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Forbidden, Invalid, NotFound
from config.reports import orders as order_reports
from config.reports import promise_page
from config.reports import promises as reports
from config.reports.breaches import AGAINST, BY, KINDS, Breach, breaches, counted, narrowed
from fulfillment.remedies import options_for
from fulfillment.states import RemedyKind, Stage
from orders.types import ConsentGiven

SEE: Final = Permission.ORDERS_VIEW
NEEDS: Final = {
    RemedyKind.REROUTE: Permission.ORDERS_REROUTE,
    RemedyKind.UPGRADE: Permission.ORDERS_REROUTE,
    RemedyKind.SPLIT: Permission.ORDERS_REROUTE,
    RemedyKind.ASK: Permission.ORDERS_NOTE,
    RemedyKind.CANCEL: Permission.ORDERS_CANCEL,
}
"""What each way out needs: whoever speaks to buyers may ask, whoever may cancel cancels."""
PAGE: Final = 100
LEVELS: Final = (
    ("", "All"), ("risk", "In jeopardy"), ("certain", "Certain"), ("high", "High"),
    ("medium", "Medium"), ("low", "Low"),
)  # fmt: skip
WINDOWS: Final = ((1, "Today and yesterday"), (7, "7 days"), (14, "14 days"), (30, "30 days"))
_USUAL_DAYS: Final = 14
_SHOWN: Final = 200
COLUMNS: Final = (
    "number", "position", "kind", "stage", "overrun_seconds", "late_seconds", "due_at",
    "happened_at", "node", "carrier", "channel", "consented",
)  # fmt: skip


@page(SEE)
def promises(request: HttpRequest) -> HttpResponse:
    """Kept, open and broken today; every open promise by the slack that it has left."""
    frame = frame_of(request)
    reach: dict[str, Any] = {
        "scope": frame.scope(SEE), "nodes": frame.nodes(SEE), "moment": frame.moment,
    }  # fmt: skip
    chosen = {name: request.GET.get(name, "")[:64] for name in reports.FILTERS}
    due = request.GET.get("due", "")
    start = _number(request.GET.get("start", ""))
    sort = request.GET.get("sort", "slack")
    context: dict[str, Any] = {
        "here": "promises",
        "due": reports.due_today(**reach),
        "risk": reports.at_risk(scope=reach["scope"], moment=frame.moment),
        "due_chosen": due if due in {"kept", "open", "broken"} else "",
        "chosen": chosen,
        "any_chosen": any(chosen.values()),
        "sort": sort,
        "levels": LEVELS,
        "stages": Stage.choices,
        "waits": WAITS,
        **order_reports.choices(reach["scope"]),
    }
    if context["due_chosen"]:
        context["due_list"] = reports.due_list(due, **reach, limit=_SHOWN)
    else:
        found = reports.open_promises(
            **reach, chosen=chosen, sort=sort, limit=PAGE + 1, offset=start
        )
        context["found"] = found[:PAGE]
        context["further"] = start + PAGE if len(found) > PAGE else None
        context["tallies"] = reports.tallies(**reach, chosen=chosen)
    return show(request, "console/promises/list.html", context)


@page(SEE)
def promise(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """One promise: its stages, its versions, who was told, what was asked, and the ways out."""
    frame = frame_of(request)
    found = promise_page.group(group_id, scope=frame.scope(SEE), nodes=frame.nodes(SEE))
    if found is None:
        raise NotFound("There is no such promise that you may see.")
    try:
        danger = options_for(group_id, frame.scope(SEE), at=frame.now)
    except NotFound:
        danger = None
    way = bars(promise_page.bars_of_group(group_id), frame.now)
    return show(
        request,
        "console/promises/one.html",
        {
            "here": "promises",
            "group": found,
            "danger": danger,
            "options": [
                {
                    "it": option,
                    "label": RemedyKind(option.kind).label,
                    "may": frame.may(NEEDS[RemedyKind(option.kind)]),
                    "needs": NEEDS[RemedyKind(option.kind)].label,
                }
                for option in (danger.options if danger else ())
            ],
            "slack_seconds": (danger.standing.dangers.high_at - frame.now).total_seconds()
            if danger
            else None,
            "bars": list(way.values()),
            "waits": WAITS,
            "remedy_labels": dict(RemedyKind.choices),
            **promise_page.ledger(group_id),
            "remedies": [
                {
                    **each,
                    "why_not": fulfillment.services.why_not_undone(each["kind"], each["before"]),
                }
                for each in promise_page.remedies(group_id)
            ],
        },
    )


@page(*set(NEEDS.values()), methods=("POST",))
@once
def promise_act(request: HttpRequest, group_id: UUID, kind: str) -> HttpResponse:
    """Do one of the ways out, at most at the cost that was shown."""
    if kind not in RemedyKind.values:
        raise NotFound("There is no such way out.")
    needed = NEEDS[RemedyKind(kind)]
    frame = frame_of(request)
    if not frame.may(needed):
        raise Forbidden(f"This needs the permission “{needed.label}”.")
    shown = request.POST.get("cost", "")
    remedy = fulfillment.services.take_remedy(
        group_id,
        kind,
        at_most_minor=int(shown) if shown.lstrip("-").isdecimal() else None,
        at=frame.now,
        actor=actor_of(request, needed),
    )
    say(request, f"{remedy.get_kind_display()}: done. {_undoable(remedy)}".strip())
    return go(request, back_to(request, reverse("console:promise_of", args=[group_id])))


def _undoable(remedy: Any) -> str:
    return fulfillment.services.why_no_undo(remedy) or "It can be taken back below."


@page(Permission.ORDERS_REROUTE, methods=("POST",))
@once
def remedy_undo(request: HttpRequest, remedy_id: UUID) -> HttpResponse:
    """Take back what was done."""
    remedy = fulfillment.services.undo_remedy(
        remedy_id, at=frame_of(request).now, actor=actor_of(request, Permission.ORDERS_REROUTE)
    )
    say(request, f"{remedy.get_kind_display()}: taken back.")
    return go(request, reverse("console:promise_of", args=[remedy.group_id]))


@page(Permission.ORDERS_NOTE, methods=("POST",))
@once
def consent_answer(request: HttpRequest, question_id: UUID) -> HttpResponse:
    """Write down what the buyer has told an agent."""
    choice = request.POST.get("choice", "")
    text = request.POST.get("text", "").strip()
    if not text:
        raise Invalid("Say what the buyer was asked, and how.")
    answer = orders.services.answer_consent(
        ConsentGiven(question_id, choice, "agent", text[:500]),
        at=frame_of(request).now,
        actor=actor_of(request, Permission.ORDERS_NOTE),
    )
    said = answer.get_choice_display()
    say(request, f"{said}. {answer.cancelled_units or 'No'} units cancelled.")
    return go(
        request, back_to(request, reverse("console:promise_of", args=[answer.question.group_id]))
    )


@page(SEE)
def breach_report(request: HttpRequest) -> HttpResponse:
    """Broken promises by the stage that ate the slack; each number opens its list; also as CSV."""
    frame = frame_of(request)
    days = {str(days): days for days, _ in WINDOWS}.get(request.GET.get("days", ""), _USUAL_DAYS)
    against = request.GET.get("against", "first")
    since = frame.moment.day_start - timedelta(days=days)
    every = breaches(
        scope=frame.scope(SEE),
        nodes=frame.nodes(SEE),
        since=since,
        until=frame.now,
        now=frame.now,
        against=against,
    )
    chosen = {name: request.GET.get(name, "")[:64] for name in BY}
    found = narrowed(every, chosen)
    if request.GET.get("as") == "csv":
        return _file(found)
    return show(
        request,
        "console/promises/breaches.html",
        {
            "here": "promises",
            "days": days,
            "windows": WINDOWS,
            "against": against if against in AGAINST else "first",
            "chosen": chosen,
            "any_chosen": any(chosen.values()),
            "all": len(every),
            "found": found[:_SHOWN],
            "count": len(found),
            "by": [
                (name, name.capitalize(), counted(found, name)) for name in BY if name != "kind"
            ],
            "kinds": counted(found, "kind"),
            "kind_labels": KINDS,
            "stage_labels": dict(Stage.choices),
            "limit": _SHOWN,
        },
    )


def _file(found: Sequence[Breach]) -> HttpResponse:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_plain(getattr(one, name)) for name in COLUMNS] for one in found)
    return HttpResponse(
        "\ufeff" + text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="broken-promises.csv"'},
    )


def _plain(value: object) -> object:
    """A text that a spreadsheet would run is shown with an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t" and value else value


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else 0
