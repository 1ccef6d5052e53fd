"""Verbs on many orders: what will change and what cannot, then a job with a result each."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from config.console import chips, verbs
from config.console.bells import ring_job
from config.console.once import once
from config.console.pages import frame_of, go, page, show
from config.console.verbs import Verb
from config.console.views.orders import chosen
from config.console.views.undo import offer_jobs
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import Forbidden, Invalid
from config.kernel.services import jobs
from config.reports import orders as order_reports
from config.reports.order_facts import facts
from config.reports.sql import Row

SHOWN = 20
FEW = 6


@page(*verbs.PERMISSIONS, methods=("GET", "POST"))
@once
def bulk(request: HttpRequest) -> HttpResponse:
    """Preview on GET; on POST the same selection becomes a job, run here when it is small."""
    frame = frame_of(request)
    sent = request.POST if request.method == "POST" else request.GET
    verb = verbs.VERBS.get(sent.get("verb", ""))
    if verb is None or not verb.bulk:
        raise Invalid("There is no such action for many orders.")
    if not frame.may(verb.permission):
        raise Forbidden(f"This needs the permission “{verb.permission.label}”.")
    ids = chosen(request, scope=frame.scope(verb.permission), moment=frame.moment)
    can, cannot = _judged(verb, ids)
    form = _form(request, verb)
    if request.method == "POST" and can and form.is_valid():
        return _start(request, verb, can, form.params())
    invalid = request.method == "POST" and not form.is_valid()
    return show(
        request,
        "console/orders/bulk.html",
        {
            "here": "orders",
            "verb": verb,
            "form": form,
            "can": can,
            "cannot_count": len(cannot),
            "reasons": _by_reason(cannot),
            "shown": can[:SHOWN],
            "ids": sent.getlist("id"),
            "all": sent.get("all") == "1",
            "filters": chips.filters_of(sent).values,
            "as_job": len(can) > verbs.INLINE_LIMIT,
            "limit": verbs.INLINE_LIMIT,
        },
        status=422 if invalid else 200,
    )


def _judged(verb: Verb, ids: list[UUID]) -> tuple[list[Row], list[tuple[Row, str]]]:
    """The orders the verb will change, and those it cannot, each with the reason."""
    judged = [(each, verb.judge(each)) for each in facts(ids)]
    return [each for each, why in judged if not why], [pair for pair in judged if pair[1]]


def _by_reason(cannot: list[tuple[Row, str]]) -> list[tuple[str, int, list[Row]]]:
    """Why orders are left out: the reason, how many it stops, and the first few of them."""
    counted = Counter(why for _, why in cannot)
    return [
        (why, count, [order for order, each in cannot if each == why][:FEW])
        for why, count in counted.most_common()
    ]


def _form(request: HttpRequest, verb: Verb) -> Any:
    choices: dict[str, Any] = {}
    if verb.code == "reroute":
        offered = order_reports.choices(frame_of(request).scope(verb.permission))["nodes"]
        nodes = _node_ids(request)
        choices["nodes"] = [
            (str(nodes[each["code"]]), f"{each['name']} ({each['code']})") for each in offered
        ]
    # The first look has nothing to complain about; only what was sent is judged.
    return verb.form(request.POST if request.method == "POST" else None, **choices)


def _node_ids(request: HttpRequest) -> dict[str, int]:
    frame = frame_of(request)
    return order_reports.node_ids(frame.scope(Permission.ORDERS_REROUTE))


def _start(
    request: HttpRequest, verb: Verb, can: list[Row], params: dict[str, Any]
) -> HttpResponse:
    """One job per account; a small one is run before the answer."""
    frame, actor = frame_of(request), actor_of(request, verb.permission)
    started = []
    for account_id in sorted({each["account_id"] for each in can}):
        ids = [each["id"] for each in can if each["account_id"] == account_id]
        started.append(
            jobs.enqueue(
                verb.job_kind,
                f"{verb.label}: {len(ids)} {'order' if len(ids) == 1 else 'orders'}",
                params,
                ids,
                account_id=account_id,
                at=frame.now,
                actor=actor,
            )
        )
    for job in started:
        if len(can) <= verbs.INLINE_LIMIT:
            jobs.run_job(job.id, at=frame.now)
        else:
            ring_job(job.id)
    offer_jobs(request, verb, [job.id for job in started], len(can))
    if len(started) == 1:
        return go(request, reverse("console:job", args=[started[0].id]))
    return go(request, reverse("console:jobs"))
