"""Routing decisions: what was chosen, every candidate, and why each lost."""

from collections.abc import Mapping
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
from routing import simulation_selectors as selectors
from routing.engine.explain import PARTS


@page(Permission.ROUTING_VIEW)
def decisions(request: HttpRequest) -> HttpResponse:
    frame = frame_of(request)
    scope = frame.scope(Permission.ROUTING_VIEW)
    chosen = {key: request.GET.get(key, "") for key in ("node", "split", "level", "rule")}
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
    """The decision in sentences, its candidates as invoices, what would change it, `?not=NODE`."""
    if decision is None:
        return {"decision": None}
    frame = frame_of(request)
    scope = frame.scope(Permission.ROUTING_VIEW)
    record = engine.expand(decision["record"])
    asked = request.GET.get("not", "")
    said = {code: text for code, _, text in engine.all_verdicts(record)}
    again = selectors.reconsidered(decision["id"], scope)
    rerun, reran = None, request.GET.get("now") == "1"
    if reran:
        rerun = selectors.rerun_now(decision["group_id"], scope, at=frame.now)
    return {
        "decision": decision,
        "why": engine.why_here(record),
        "candidates": candidates(record, again, said),
        "invoice": _invoice(record.cost),
        "score": record.cost.score,
        "flips": again.flips if again else (),
        "kept": again is not None,
        "age": (frame.now - decision["at"]).total_seconds(),
        "reran": reran,
        "rerun": rerun,
        "asked": asked,
        "why_not": (
            said.get(asked) or f"{asked} was not part of the network when this was decided."
        )
        if asked
        else "",
    }


def candidates(
    record: engine.Record, again: selectors.Reconsidered | None, said: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Every node: the chosen first, then those that could have sent it, by what they would cost."""
    labels = [line.label or line.key for line in record.lines]
    ordered = sorted(
        record.candidates,
        key=lambda row: (
            row.verdict != engine.Verdict.CHOSEN,
            row.alone is None,
            row.alone.score if row.alone else 0,
            row.code,
        ),
    )
    return [
        {
            "node": row.code,
            "name": row.name,
            "verdict": row.verdict,
            "alone": row.alone,
            "invoice": _invoice(row.alone) if row.alone else [],
            "stock": list((again.stock.get(row.code, {}) if again else {}).items())
            or [(label, n) for label, n in zip(labels, row.available, strict=False) if n],
            "km": row.km,
            "zone": row.zone,
            "p90": row.p90,
            "said": said[row.code],
        }
        for row in ordered
    ]


def _invoice(cost: engine.CostParts) -> list[tuple[str, int]]:
    """The parts that are not nothing, by what they are for."""
    return [(label, getattr(cost, name)) for name, label in PARTS.items() if getattr(cost, name)]
