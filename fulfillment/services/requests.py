"""Questions to nodes about work that they have: sent, answered, overtaken, or met with silence.

What is wished of the work, and when it becomes a question, is in `fulfillment.services.asking`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

import inventory.services
import orders.services
from config.kernel import case_reports, events
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from fulfillment.models import FulfillmentLine, FulfillmentOrder, NodeRequest
from fulfillment.services.handback import give_back, withdraw
from fulfillment.services.work import Work, expect, not_found, open_orders, write
from fulfillment.states import RequestKind, RequestState
from fulfillment.types import RequestAnswer, Worked
from inventory.types import Portion
from orders.types import GroupMove

UNPACKED: Final = ("waiting", "accepted", "picked")
CHANGE_NOT_MADE: Final = "CHANGE_NOT_MADE"
_OVERTAKEN: Final = {
    RequestKind.CANCEL: "SHIPPED_WHILE_CANCEL_ASKED",
    RequestKind.CHANGE: CHANGE_NOT_MADE,
}
"""What left although it was to be kept or sent otherwise. What was pulled back may as well go."""


@dataclass(slots=True)
class _Granted:
    """What nodes have let go, and where work goes that they agreed to send elsewhere."""

    cancelled: list[tuple[FulfillmentLine, int]] = field(default_factory=list)
    pulled_back: list[tuple[FulfillmentLine, int, str]] = field(default_factory=list)
    moved: dict[UUID, UUID] = field(default_factory=dict)
    """Fulfillment order → contact."""


def send_requests(
    work: Work, requests: Sequence[NodeRequest], *, at: datetime, actor: Actor
) -> None:
    """Write the questions down, with the event that has them asked."""
    for request in requests:
        request.event_seq = 1
    NodeRequest.objects.bulk_create(requests)
    events.record(
        [_fact("request.sent", request, work) for request in requests], at=at, actor=actor
    )
    record_history(
        NodeRequest,
        [request.pk for request in requests],
        Change.CREATED,
        at=at,
        actor=actor,
        reason="asked",
    )


def _fact(topic: str, request: NodeRequest, work: Work) -> events.Fact:
    order = work.orders[request.fulfillment_order_id]
    return events.Fact(
        topic,
        "node_request",
        request.pk,
        request.event_seq,
        request.account_id,
        {
            "kind": request.kind,
            "fulfillment_order_id": str(order.pk),
            "node_id": order.node_id,
            "units": request.asked,
            "granted": request.granted,
            "state": request.state,
        },
        order.order_id,
    )


def tell_changed(work: Work, order: FulfillmentOrder, what: str) -> None:
    """Have it told that work leaves for another address, or by another service."""
    lines = {line.pk: sum(getattr(line, n) for n in UNPACKED) for line in work.lines_of(order.pk)}
    said = work.tell(order.pk, "fulfillment.changed", lines=lines)
    said["changed"] = sorted({*said.get("changed", ()), what})


def tell_pulled_back(work: Work, line: FulfillmentLine, units: int) -> None:
    """Have it told that units wait again, and which SKUs this node is not to be given at once."""
    said = work.tell(line.fulfillment_order_id, "fulfillment.pulled_back", lines={line.pk: units})
    said["sku_ids"] = sorted({*said.get("sku_ids", ()), line.sku_id})


@transaction.atomic
def answer_requests(
    answers: Sequence[RequestAnswer], *, at: datetime, actor: Actor
) -> list[Outcome[Worked]]:
    """Record the nodes' answers. What they grant happens now. One outcome per answer, in order.

    An answer after the time ran out is still the truth. Refused: an answer that contradicts the
    first one, a grant of units that lie in a parcel (open the parcel first), and a change that is
    granted in part.
    """
    asked = dict(
        NodeRequest.objects.for_scope(actor.scope)
        .filter(pk__in=[answer.request_id for answer in answers])
        .values_list("pk", "fulfillment_order_id")
    )
    work = open_orders(set(asked.values()), scope=actor.scope, whole=True)
    requests = {
        request.pk: request for request in NodeRequest.objects.for_scope(ALL_ACCOUNTS).locked(asked)
    }
    was = {request.pk: request.state for request in requests.values()}
    granted = _Granted()
    verdicts = [_answer(work, answer, requests, granted, at=at) for answer in answers]
    changed = [request for pk, request in sorted(requests.items()) if request.state != was[pk]]
    _write_requests(work, changed, was, "request.answered", at=at, actor=actor)
    _report_refused(work, changed, at=at)
    _redirect(work, granted, at=at, actor=actor)
    write(work, at=at, actor=actor, reason="answered by the node")
    _let_go(work, granted, at=at, actor=actor)
    return work.outcomes(verdicts)


def _answer(
    work: Work,
    answer: RequestAnswer,
    requests: dict[UUID, NodeRequest],
    granted: _Granted,
    *,
    at: datetime,
) -> Outcome[UUID]:
    request = requests.get(answer.request_id)
    if request is None:
        return not_found("request")
    order_id = request.fulfillment_order_id
    if request.state not in {RequestState.SENT, RequestState.TIMED_OUT}:
        if request.granted == answer.granted:
            return Outcome.repeated(order_id)
        return Outcome.refused("answered", "The node has answered otherwise already.")
    if not 0 <= answer.granted <= request.asked:
        return Outcome.refused("too-many", f"{request.asked} units were asked for.")
    if request.kind == RequestKind.CHANGE:
        refusal = _change(work, request, answer, granted)
    else:
        refusal = _free(work, request, answer, granted)
    if refusal is not None:
        return refusal
    request.note = answer.note[:200]
    if answer.granted == request.asked:
        request.accept(granted=answer.granted, at=at)
    elif answer.granted:
        request.accept_in_part(granted=answer.granted, at=at)
    else:
        request.refuse(granted=0, at=at)
    return Outcome.done(order_id)


def _free(
    work: Work, request: NodeRequest, answer: RequestAnswer, granted: _Granted
) -> Outcome[UUID] | None:
    """Take the granted units off the work: cancelled, or to be sent by another node."""
    line = work.lines[_line_of(request)]
    if answer.granted > sum(getattr(line, name) for name in UNPACKED):
        return Outcome.refused("packed", "The units lie in a parcel: open it first.")
    if not answer.granted:
        return None
    work.draw(line, UNPACKED, "cancelled", answer.granted)
    if request.kind == RequestKind.PULL_BACK:
        granted.pulled_back.append((line, answer.granted, "pulled back"))
        tell_pulled_back(work, line, answer.granted)
    else:
        granted.cancelled.append((line, answer.granted))
        work.tell(
            line.fulfillment_order_id, "fulfillment.cancelled", lines={line.pk: answer.granted}
        )
    return None


def _change(
    work: Work, request: NodeRequest, answer: RequestAnswer, granted: _Granted
) -> Outcome[UUID] | None:
    """Have the work leave as the change wants it: all of it, or none."""
    if answer.granted not in {0, request.asked}:
        return Outcome.refused("in-part", "A change is made for all of the work, or not at all.")
    order = work.orders[request.fulfillment_order_id]
    if answer.granted and request.contact_id is not None:
        granted.moved[order.pk] = request.contact_id
        tell_changed(work, order, "address")
    if answer.granted and request.service_level_id is not None:
        order.service_level_id = request.service_level_id
        tell_changed(work, order, "service")
    return None


def _redirect(work: Work, granted: _Granted, *, at: datetime, actor: Actor) -> None:
    """Send work, and its groups with the first of it, to the addresses that nodes agreed to."""
    if not granted.moved:
        return
    groups = {
        work.orders[order_id].group_id: contact_id for order_id, contact_id in granted.moved.items()
    }
    before = orders.services.move_groups(
        [GroupMove(group_id, contact_id) for group_id, contact_id in sorted(groups.items())],
        at=at,
        actor=actor,
    )
    for order_id, contact_id in granted.moved.items():
        work.orders[order_id].contact_id = contact_id
    for group_id, was_there in before.items():
        keep_addresses(work, group_id, was_there)


def keep_addresses(work: Work, group_id: UUID, contact_id: UUID | None) -> None:
    """Write down where the group's work goes, now that the group itself goes elsewhere."""
    for order in work.orders.values():
        if order.group_id == group_id and order.contact_id is None and contact_id is not None:
            order.contact_id = contact_id
            work.rewritten.add(order.pk)


def _let_go(work: Work, granted: _Granted, *, at: datetime, actor: Actor) -> None:
    """Cancel what was cancelled, and have wait again what is to go from elsewhere."""
    if granted.cancelled and granted.pulled_back:
        lines = [line for line, _ in granted.cancelled]
        lines += [line for line, _, _ in granted.pulled_back]
        inventory.services.lock_positions((), [line.reservation_id for line in lines])
    give_back(work, granted.pulled_back, at=at, actor=actor)
    withdraw(
        work,
        granted.cancelled,
        why="The node agreed to cancel.",
        initiator="merchant",
        at=at,
        actor=actor,
    )
    if granted.pulled_back:
        inventory.services.release(
            [Portion(line.reservation_id, units) for line, units, _ in granted.pulled_back],
            reason="pulled back",
            at=at,
            actor=actor,
        )


def _line_of(request: NodeRequest) -> UUID:
    if request.line_id is None:
        raise ValueError("a change is of no line")
    return request.line_id


def _report_refused(work: Work, requests: Iterable[NodeRequest], *, at: datetime) -> None:
    """A change that the node will not make is a case: its buyer expects it."""
    refused = [
        request
        for request in requests
        if request.kind == RequestKind.CHANGE and request.state == RequestState.REFUSED
    ]
    _report(work, refused, at=at)


def overtaken_requests(work: Work, *, at: datetime, actor: Actor) -> None:
    """Close the questions about lines of which nothing is left at the node, with a case each.

    What left although it was asked back is shipped: somebody has to stop it or take it back.
    """
    at_work = {
        line_id: sum(getattr(line, name) for name in (*UNPACKED, "packed"))
        for line_id, line in work.lines.items()
    }
    gone = [line_id for line_id in work.touched if not at_work[line_id]]
    ended = {
        work.lines[line_id].fulfillment_order_id
        for line_id in gone
        if not any(
            at_work[line.pk] for line in work.lines_of(work.lines[line_id].fulfillment_order_id)
        )
    }
    rows = NodeRequest.objects.for_scope(ALL_ACCOUNTS).filter(state=RequestState.SENT)
    of_lines = rows.filter(line_id__in=gone)
    of_work = rows.filter(fulfillment_order_id__in=ended, kind=RequestKind.CHANGE)
    requests = list((of_lines | of_work).order_by("pk").select_for_update(of=("self",)))
    was = {request.pk: request.state for request in requests}
    for request in requests:
        request.refuse(granted=0, at=at)
    _write_requests(work, requests, was, "request.answered", at=at, actor=actor)
    _report(work, requests, at=at)


def _report(work: Work, requests: Iterable[NodeRequest], *, at: datetime) -> None:
    case_reports.report(
        [
            case_reports.Report(
                _OVERTAKEN[RequestKind(request.kind)],
                "fulfillment_order",
                request.fulfillment_order_id,
                request.account_id,
                evidence={
                    "units": request.asked,
                    "request": str(request.pk),
                    **({"line": str(request.line_id)} if request.line_id else {}),
                },
                cause=f"node:{work.orders[request.fulfillment_order_id].node_id}",
                thread_id=work.orders[request.fulfillment_order_id].order_id,
            )
            for request in requests
            if request.kind in _OVERTAKEN
        ],
        at=at,
    )


@transaction.atomic
def time_out_requests(*, limit: int, at: datetime, actor: Actor) -> int:
    """Close questions whose time has run out: the node continues. Returns how many there were."""
    requests = list(
        NodeRequest.objects.for_scope(ALL_ACCOUNTS)
        .filter(state=RequestState.SENT, until__lt=at)
        .select_related("fulfillment_order")
        .order_by("pk")[:limit]
        .select_for_update(of=("self",), skip_locked=True)
    )
    was = {request.pk: request.state for request in requests}
    for request in requests:
        request.time_out()
    work = Work(
        {request.fulfillment_order_id: request.fulfillment_order for request in requests}, {}
    )
    _write_requests(work, requests, was, "request.timed_out", at=at, actor=actor)
    case_reports.report(
        [
            case_reports.Report(
                "REQUEST_UNANSWERED",
                "fulfillment_order",
                request.fulfillment_order_id,
                request.account_id,
                evidence={"units": request.asked, "kind": request.kind},
                cause=f"node:{request.fulfillment_order.node_id}",
                thread_id=request.fulfillment_order.order_id,
            )
            for request in requests
        ],
        at=at,
    )
    return len(requests)


def _write_requests(
    work: Work,
    requests: Sequence[NodeRequest],
    was: dict[UUID, str],
    topic: str,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Write what the questions came to, with history and one event each."""
    if not requests:
        return
    for request in requests:
        request.event_seq += 1
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE fulfillment_noderequest AS request
            SET state = told.state, granted = told.granted, note = told.note,
                answered_at = told.answered_at, event_seq = told.event_seq
            FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::int[], %s::text[],
                %s::timestamptz[], %s::bigint[])
                AS told(id, was, state, granted, note, answered_at, event_seq)
            WHERE request.id = told.id AND request.state = told.was
            """,
            [
                [request.pk for request in requests],
                [was[request.pk] for request in requests],
                *(
                    [getattr(request, name) for request in requests]
                    for name in ("state", "granted", "note", "answered_at", "event_seq")
                ),
            ],
        )
        expect(cursor.rowcount, len(requests))
    record_history(
        NodeRequest,
        [request.pk for request in requests],
        Change.CHANGED,
        at=at,
        actor=actor,
        reason=topic.partition(".")[2].replace("_", " "),
    )
    events.record([_fact(topic, request, work) for request in requests], at=at, actor=actor)
