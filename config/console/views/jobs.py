"""Jobs: long actions, how far they are, and the result of each item."""

from collections.abc import Iterator
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse

from config.console import tones
from config.console.bells import ring_job
from config.console.once import once
from config.console.pages import frame_of, go, page, say, show
from config.console.verbs import VERBS
from config.console.views.orders import uuid_of
from config.kernel.access import Permission
from config.kernel.actors import actor_of
from config.kernel.errors import NotFound
from config.kernel.services import jobs as job_services
from config.reports import operations as reports
from config.reports.sql import Row

STUCK_SECONDS = 60
_ACTING = (
    Permission.ORDERS_HOLD,
    Permission.ORDERS_CANCEL,
    Permission.ORDERS_REROUTE,
    Permission.CASES_WORK,
    Permission.FULFILLMENT_RELEASE,
    Permission.INTEGRATIONS_REPLAY,
)


@page(Permission.JOBS_VIEW)
def jobs(request: HttpRequest) -> HttpResponse:
    frame = frame_of(request)
    state = request.GET.get("state", "")
    found = reports.jobs(
        scope=frame.scope(Permission.JOBS_VIEW),
        state=state,
        before=uuid_of(request.GET.get("before", "")),
    )
    return show(
        request,
        "console/jobs/list.html",
        {
            "here": "jobs",
            "jobs": found[: reports.PAGE],
            "older": found[reports.PAGE - 1]["id"] if len(found) > reports.PAGE else None,
            "state": state,
            "states": tones.choices("job"),
            "any_running": any(each["state"] in {"queued", "running"} for each in found),
        },
    )


@page(Permission.JOBS_VIEW)
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    frame = frame_of(request)
    found = _found(request, job_id)
    outcome = request.GET.get("outcome", "")
    going = found["state"] in {"queued", "running"}
    handled = found["done"] + found["refused"]
    speed = handled / float(found["seconds"]) if found["seconds"] and handled else 0
    return show(
        request,
        "console/jobs/one.html",
        {
            "here": "jobs",
            "job": found,
            "items": reports.job_items(job_id, outcome=outcome),
            "limit": reports.ITEMS,
            "outcome": outcome,
            "going": going,
            "handled": handled,
            "left": (found["total"] - handled) / speed if speed and going else None,
            "stuck": going and float(found["idle"]) > STUCK_SECONDS,
            "may_act": any(frame.may(each) for each in _ACTING),
        },
    )


@page(Permission.JOBS_VIEW)
def job_csv(request: HttpRequest, job_id: UUID) -> StreamingHttpResponse:
    lines: Iterator[str] = job_services.results_csv(job_id, actor=actor_of(request))
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="job-{job_id}.csv"'},
    )


@page(*_ACTING, methods=("POST",))
@once
def job_cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    actor = actor_of(request, *_acting_on(_found(request, job_id)))
    job_services.cancel(job_id, at=frame_of(request).now, actor=actor)
    say(request, "The job stops. What it has done stays done.")
    return go(request, reverse("console:job", args=[job_id]))


@page(*_ACTING, methods=("POST",))
@once
def job_retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """A new job of the refused items only."""
    actor = actor_of(request, *_acting_on(_found(request, job_id)))
    again = job_services.retry_refused(job_id, at=frame_of(request).now, actor=actor)
    ring_job(again.id)
    say(request, "The refused items are tried again in a job of their own.", level=messages.INFO)
    return go(request, reverse("console:job", args=[again.id]))


def _acting_on(job: Row) -> tuple[Permission, ...]:
    """What it takes to stop or repeat the job: the permission of its verb, when it has one."""
    kinds = {kind: verb for verb in VERBS.values() for kind in (verb.job_kind, verb.undo_kind)}
    verb = kinds.get(job["kind"])
    return (verb.permission,) if verb else _ACTING


def _found(request: HttpRequest, job_id: UUID) -> Row:
    found = reports.job(job_id, scope=frame_of(request).scope(Permission.JOBS_VIEW))
    if found is None:
        raise NotFound("There is no such job.")
    return found
