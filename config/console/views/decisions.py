"""Routing decisions: what was chosen, every candidate, and why each lost."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from config.console.pages import frame_of, page, show
from config.console.views.orders import uuid_of
from config.kernel.access import Permission
from config.kernel.errors import NotFound
from config.reports import decisions as reports
from config.reports import orders as order_reports
from config.reports.sql import Row
from routing import engine


@page(Permission.ROUTING_VIEW)
def decisions(request: HttpRequest) -> HttpResponse:
    frame = frame_of(request)
    scope = frame.scope(Permission.ROUTING_VIEW)
    chosen = {key: request.GET.get(key, "") for key in ("node", "split", "level")}
    found = reports.recent(scope=scope, **chosen, before=uuid_of(request.GET.get("before", "")))
    return show(
        request,
        "console/decisions/list.html",
        {
            "here": "decisions",
            "decisions": found[: reports.PAGE],
            "older": found[reports.PAGE - 1]["id"] if len(found) > reports.PAGE else None,
            "chosen": chosen,
            "nodes": order_reports.choices(scope)["nodes"],
            "causes": reports.split_causes(scope=scope),
        },
    )


@page(Permission.ROUTING_VIEW)
def decision(request: HttpRequest, decision_id: UUID) -> HttpResponse:
    found = reports.one(decision_id, scope=frame_of(request).scope(Permission.ROUTING_VIEW))
    if found is None:
        raise NotFound("There is no such decision.")
    return show(
        request,
        "console/decisions/why.html",
        {
            "here": "decisions",
            "order": {"number": found["order_number"]},
            **explained(request, found),
        },
    )


def explained(request: HttpRequest, decision: Row | None) -> dict[str, Any]:
    """The decision in sentences, its candidates, and the answer to `?not=NODE`."""
    if decision is None:
        return {"decision": None}
    record = engine.expand(decision["record"])
    asked = request.GET.get("not", "")
    said = {code: text for code, _, text in engine.all_verdicts(record)}
    return {
        "decision": decision,
        "why": engine.why_here(record),
        "candidates": [
            {
                "node": row.code,
                "name": row.name,
                "verdict": row.verdict,
                "alone": row.alone,
                "said": said[row.code],
            }
            for row in sorted(
                record.candidates,
                key=lambda row: (
                    row.verdict != engine.Verdict.CHOSEN,
                    row.alone is None,
                    row.alone.score if row.alone else 0,
                    row.code,
                ),
            )
        ],
        "asked": asked,
        "why_not": (
            said.get(asked) or f"{asked} was not part of the network when this was decided."
        )
        if asked
        else "",
    }
