"""Units asked back from a node: given at once, passed on as a question, or too late.

`ask_cancel` is fulfillment's side of `orders.commitments`; the rest is the node's answer.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from config.kernel import case_reports, events, ids
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from fulfillment.models import FulfillmentLine, NodeRequest
from fulfillment.services.handback import withdraw
from fulfillment.services.nodes import nodes_of
from fulfillment.services.work import Work, expect, not_found, open_lines, open_orders, write
from fulfillment.states import RequestState
from fulfillment.types import RequestAnswer, Worked
from inventory.types import Portion
from orders.commitments import Answer, Asked

ANSWER_WITHIN = timedelta(hours=4)
"""How long a node has to answer before its silence means that it continues."""

_UNPACKED = ("waiting", "accepted", "picked")


class NodeCommitments:
    """Implements `orders.commitments.Commitments` with the fulfillment orders."""

    def ask_cancel(self, portions: Sequence[Asked], *, at: datetime, actor: Actor) -> list[Answer]:
        """One answer per portion, in order, in the caller's transaction with the orders locked.

        A node without a system of its own gives back at once what is not picked. A picked unit,
        and any unit that a warehouse system has, becomes a question to the node. What is packed
        or gone is refused.
        """
        work = open_orders(_orders_of(portions), scope=ALL_ACCOUNTS)
        by_line: defaultdict[UUID, list[FulfillmentLine]] = defaultdict(list)
        for line in work.lines.values():
            by_line[line.order_line_id].append(line)
        pending = _asked_already(work)
        asks_first = _nodes_with_systems(work)
        requests: list[NodeRequest] = []
        answers = [
            _ask(work, portion, by_line[portion.line_id], pending, asks_first, requests, at)
            for portion in portions
        ]
        write(work, at=at, actor=actor, reason="cancelled")
        _insert_requests(work, requests, at=at, actor=actor)
        return answers


def _orders_of(portions: Sequence[Asked]) -> set[UUID]:
    return set(
        FulfillmentLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(order_line_id__in=[portion.line_id for portion in portions])
        .values_list("fulfillment_order_id", flat=True)
    )


def _asked_already(work: Work) -> dict[UUID, int]:
    """Units per fulfillment line about which the node still owes an answer."""
    pending: defaultdict[UUID, int] = defaultdict(int)
    for line_id, asked in (
        NodeRequest.objects.for_scope(ALL_ACCOUNTS)
        .filter(line_id__in=list(work.lines), state=RequestState.SENT)
        .values_list("line_id", "asked")
    ):
        pending[line_id] += asked
    return pending


def _nodes_with_systems(work: Work) -> set[int]:
    nodes = nodes_of(order.account_id for order in work.orders.values())
    return {node.id for node in nodes.values() if node.has_wms}


def _ask(
    work: Work,
    portion: Asked,
    lines: Sequence[FulfillmentLine],
    pending: dict[UUID, int],
    asks_first: set[int],
    requests: list[NodeRequest],
    at: datetime,
) -> Answer:
    granted = asked = 0
    freed: list[Portion] = []
    for line in lines:
        if work.orders[line.fulfillment_order_id].node_id in asks_first:
            continue
        taken = work.draw(line, ("waiting", "accepted"), "cancelled", portion.quantity - granted)
        if taken:
            granted += taken
            freed.append(Portion(line.reservation_id, taken))
            work.tell(line.fulfillment_order_id, "fulfillment.cancelled", lines={line.pk: taken})
    for line in lines:
        unpacked = sum(getattr(line, name) for name in _UNPACKED) - pending.get(line.pk, 0)
        question = min(portion.quantity - granted - asked, unpacked)
        if question > 0:
            asked += question
            pending[line.pk] = pending.get(line.pk, 0) + question
            requests.append(_request(line, question, at))
    refused = portion.quantity - granted - asked
    return Answer(
        portion.line_id,
        granted,
        refused,
        asked,
        _why(refused, asked),
        at + ANSWER_WITHIN if asked else None,
        tuple(freed),
    )


def _why(refused: int, asked: int) -> str:
    if refused:
        return "The rest is packed, has left, or was asked back already."
    return "The node has begun: it was asked." if asked else ""


def _request(line: FulfillmentLine, quantity: int, at: datetime) -> NodeRequest:
    return NodeRequest(
        id=ids.uuid7(),
        account_id=line.account_id,
        line_id=line.pk,
        asked=quantity,
        sent_at=at,
        until=at + ANSWER_WITHIN,
    )


def _insert_requests(
    work: Work, requests: Sequence[NodeRequest], *, at: datetime, actor: Actor
) -> None:
    NodeRequest.objects.bulk_create(requests)
    events.record([_sent(work, request) for request in requests], at=at, actor=actor)
    record_history(
        NodeRequest,
        [request.pk for request in requests],
        Change.CREATED,
        at=at,
        actor=actor,
        reason="asked",
    )


def _sent(work: Work, request: NodeRequest) -> events.Fact:
    order = work.orders[work.lines[request.line_id].fulfillment_order_id]
    return events.Fact(
        "request.sent",
        "node_request",
        request.pk,
        1,
        request.account_id,
        {
            "kind": request.kind,
            "fulfillment_order_id": str(order.pk),
            "node_id": order.node_id,
            "units": request.asked,
        },
        order.order_id,
    )


@transaction.atomic
def answer_requests(
    answers: Sequence[RequestAnswer], *, at: datetime, actor: Actor
) -> list[Outcome[Worked]]:
    """Record the node's answers. What it grants is cancelled now. One outcome per answer, in order.

    An answer after the time ran out is still the truth. Refused: an answer that contradicts the
    first one, and a grant of units that lie in a parcel (open the parcel first).
    """
    lines = dict(
        NodeRequest.objects.for_scope(actor.scope)
        .filter(pk__in=[answer.request_id for answer in answers])
        .values_list("pk", "line_id")
    )
    work = open_lines(lines.values(), scope=actor.scope, whole=True)
    requests = {
        request.pk: request for request in NodeRequest.objects.for_scope(ALL_ACCOUNTS).locked(lines)
    }
    was = {request.pk: request.state for request in requests.values()}
    drawn: list[tuple[FulfillmentLine, int]] = []
    verdicts = [_answer(work, answer, requests, drawn, at=at) for answer in answers]
    changed = [request for pk, request in sorted(requests.items()) if request.state != was[pk]]
    _write_requests(changed, was, at=at, actor=actor, reason="answered")
    write(work, at=at, actor=actor, reason="cancelled")
    withdraw(
        work, drawn, why="The node agreed to cancel.", initiator="merchant", at=at, actor=actor
    )
    return work.outcomes(verdicts)


def _answer(
    work: Work,
    answer: RequestAnswer,
    requests: dict[UUID, NodeRequest],
    drawn: list[tuple[FulfillmentLine, int]],
    *,
    at: datetime,
) -> Outcome[UUID]:
    request = requests.get(answer.request_id)
    if request is None:
        return not_found("request")
    line = work.lines[request.line_id]
    order_id = line.fulfillment_order_id
    if request.state not in {RequestState.SENT, RequestState.TIMED_OUT}:
        if request.granted == answer.granted:
            return Outcome.repeated(order_id)
        return Outcome.refused("answered", "The node has answered otherwise already.")
    if not 0 <= answer.granted <= request.asked:
        return Outcome.refused("too-many", f"{request.asked} units were asked for.")
    if answer.granted > sum(getattr(line, name) for name in _UNPACKED):
        return Outcome.refused("packed", "The units lie in a parcel: open it first.")
    work.draw(line, _UNPACKED, "cancelled", answer.granted)
    request.note = answer.note[:200]
    if answer.granted:
        drawn.append((line, answer.granted))
        work.tell(order_id, "fulfillment.cancelled", lines={line.pk: answer.granted})
    if answer.granted == request.asked:
        request.accept(granted=answer.granted, at=at)
    elif answer.granted:
        request.accept_in_part(granted=answer.granted, at=at)
    else:
        request.refuse(granted=0, at=at)
    return Outcome.done(order_id)


def overtaken_requests(work: Work, *, at: datetime, actor: Actor) -> None:
    """Close the questions about lines of which nothing is left at the node, with a case each.

    What left although it was asked back is shipped: somebody has to stop it or take it back.
    """
    gone = [
        line_id
        for line_id in work.touched
        if not any(getattr(work.lines[line_id], name) for name in (*_UNPACKED, "packed"))
    ]
    requests = list(
        NodeRequest.objects.for_scope(ALL_ACCOUNTS)
        .filter(line_id__in=gone, state=RequestState.SENT)
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    was = {request.pk: request.state for request in requests}
    for request in requests:
        request.refuse(granted=0, at=at)
    _write_requests(requests, was, at=at, actor=actor, reason="shipped before it was answered")
    _report_overtaken(work, requests, at=at)


def _report_overtaken(work: Work, requests: Iterable[NodeRequest], *, at: datetime) -> None:
    case_reports.report(
        [
            case_reports.Report(
                "SHIPPED_WHILE_CANCEL_ASKED",
                "fulfillment_order",
                work.lines[request.line_id].fulfillment_order_id,
                request.account_id,
                evidence={"units": request.asked, "line": str(request.line_id)},
                thread_id=work.orders[work.lines[request.line_id].fulfillment_order_id].order_id,
            )
            for request in requests
        ],
        at=at,
    )


@transaction.atomic
def time_out_requests(*, limit: int, at: datetime, actor: Actor) -> int:
    """Close questions whose time has run out: the node continues. Returns how many there were."""
    requests = list(
        NodeRequest.objects.for_scope(ALL_ACCOUNTS)
        .filter(state=RequestState.SENT, until__lt=at)
        .select_related("line__fulfillment_order")
        .order_by("pk")[:limit]
        .select_for_update(of=("self",), skip_locked=True)
    )
    was = {request.pk: request.state for request in requests}
    for request in requests:
        request.time_out()
    _write_requests(requests, was, at=at, actor=actor, reason="no answer in time")
    case_reports.report(
        [
            case_reports.Report(
                "REQUEST_UNANSWERED",
                "fulfillment_order",
                request.line.fulfillment_order_id,
                request.account_id,
                evidence={"units": request.asked},
                cause=f"node:{request.line.fulfillment_order.node_id}",
                thread_id=request.line.fulfillment_order.order_id,
            )
            for request in requests
        ],
        at=at,
    )
    return len(requests)


def _write_requests(
    requests: Sequence[NodeRequest],
    was: dict[UUID, str],
    *,
    at: datetime,
    actor: Actor,
    reason: str,
) -> None:
    if not requests:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE fulfillment_noderequest AS request
            SET state = told.state, granted = told.granted, note = told.note,
                answered_at = told.answered_at
            FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::int[], %s::text[],
                %s::timestamptz[]) AS told(id, was, state, granted, note, answered_at)
            WHERE request.id = told.id AND request.state = told.was
            """,
            [
                [request.pk for request in requests],
                [was[request.pk] for request in requests],
                *(
                    [getattr(request, name) for request in requests]
                    for name in ("state", "granted", "note", "answered_at")
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
        reason=reason,
    )
