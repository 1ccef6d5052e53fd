"""What is wished of work that a node has: done at once where nobody has begun, else a question.

A node without a system of its own has not begun what it has not picked. A warehouse system is asked
about everything that it was told. What is packed or gone is refused.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

import inventory.services
from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from fulfillment.actions import why_no_change
from fulfillment.models import FulfillmentLine, FulfillmentOrder, NodeRequest
from fulfillment.services.handback import give_back
from fulfillment.services.nodes import nodes_of
from fulfillment.services.requests import (
    UNPACKED,
    keep_addresses,
    send_requests,
    tell_changed,
    tell_pulled_back,
)
from fulfillment.services.work import PICKUP, Work, not_found, not_now, open_orders, write
from fulfillment.states import OPEN_FULFILLMENT, RequestKind, RequestState
from fulfillment.types import AskedOfNode, PullBack, ServiceChange
from inventory.types import Portion
from orders.commitments import AddressAnswer, AddressWanted, Answer, Asked

ANSWER_WITHIN: Final = timedelta(hours=4)
"""How long a node has to answer before its silence means that it continues."""
PULLED_BACK: Final = "pulled back"


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
        send_requests(work, requests, at=at, actor=actor)
        return answers

    def ask_addresses(
        self, wanted: Sequence[AddressWanted], *, at: datetime, actor: Actor
    ) -> list[AddressAnswer]:
        """One answer per group, in order, in the caller's transaction with the orders locked.

        Refused while part of open work is packed or gone, and while an earlier change is asked.
        """
        groups = [one.group_id for one in wanted]
        rows = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).filter(group_id__in=groups)
        work = open_orders(list(rows.values_list("pk", flat=True)), scope=ALL_ACCOUNTS)
        busy = _changes_open(work)
        asks_first = _nodes_with_systems(work)
        requests: list[NodeRequest] = []
        answers = [_redirect(work, one, busy, asks_first, requests, at) for one in wanted]
        write(work, at=at, actor=actor, reason="address changed")
        send_requests(work, requests, at=at, actor=actor)
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


def _changes_open(work: Work) -> set[UUID]:
    """The fulfillment orders whose node still owes an answer about a change."""
    found = NodeRequest.objects.for_scope(ALL_ACCOUNTS).filter(
        fulfillment_order_id__in=list(work.orders),
        kind=RequestKind.CHANGE,
        state=RequestState.SENT,
    )
    return set(found.values_list("fulfillment_order_id", flat=True))


def _nodes_with_systems(work: Work) -> set[int]:
    nodes = nodes_of(order.account_id for order in work.orders.values())
    return {node.id for node in nodes.values() if node.has_wms}


def _ask(
    work: Work,
    portion: Asked,
    lines: Sequence[FulfillmentLine],
    pending: dict[UUID, int],
    asks_first: Collection[int],
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
        question = min(portion.quantity - granted - asked, _unasked(line, pending))
        if question > 0:
            asked += question
            pending[line.pk] = pending.get(line.pk, 0) + question
            requests.append(_of_line(line, RequestKind.CANCEL, question, at))
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


def _unasked(line: FulfillmentLine, pending: dict[UUID, int]) -> int:
    """Units of the line that are not packed, and about which nothing is asked."""
    unpacked: int = sum(getattr(line, name) for name in UNPACKED)
    return unpacked - pending.get(line.pk, 0)


def _of_line(line: FulfillmentLine, kind: RequestKind, units: int, at: datetime) -> NodeRequest:
    return NodeRequest(
        id=ids.uuid7(),
        account_id=line.account_id,
        fulfillment_order_id=line.fulfillment_order_id,
        line_id=line.pk,
        kind=kind,
        asked=units,
        sent_at=at,
        until=at + ANSWER_WITHIN,
    )


def _of_work(work: Work, order: FulfillmentOrder, at: datetime) -> NodeRequest:
    return NodeRequest(
        id=ids.uuid7(),
        account_id=order.account_id,
        fulfillment_order_id=order.pk,
        kind=RequestKind.CHANGE,
        asked=_open_units(work, order),
        sent_at=at,
        until=at + ANSWER_WITHIN,
    )


def _open_units(work: Work, order: FulfillmentOrder) -> int:
    return sum(line.waiting + line.accepted + line.picked for line in work.lines_of(order.pk))


# --- another address, another service -----------------------------------------------------------


def _redirect(
    work: Work,
    one: AddressWanted,
    busy: set[UUID],
    asks_first: Collection[int],
    requests: list[NodeRequest],
    at: datetime,
) -> AddressAnswer:
    """Send the group's work elsewhere, or have its nodes asked. All of its nodes, or none."""
    mine = [order for order in work.orders.values() if order.group_id == one.group_id]
    live = [order for order in mine if order.state in OPEN_FULFILLMENT]
    for order in live:
        if why := _why_no_change(work, order, busy):
            return AddressAnswer(one.group_id, why=why)
    at_once = [order for order in live if _is_untouched(work, order, asks_first)]
    for order in at_once:
        order.contact_id = one.contact_id
        tell_changed(work, order, "address")
    for order in live:
        if order not in at_once:
            request = _of_work(work, order, at)
            request.contact_id = one.contact_id
            requests.append(request)
            busy.add(order.pk)
    asked = len(live) - len(at_once)
    moves = one.moves or bool(at_once) or not asked
    if moves:
        keep_addresses(work, one.group_id, one.was_contact_id)
    return AddressAnswer(one.group_id, moves, asked, until=at + ANSWER_WITHIN if asked else None)


def _is_untouched(work: Work, order: FulfillmentOrder, asks_first: Collection[int]) -> bool:
    """Whether nobody at the node has begun, and no system there was told of it."""
    begun = any(line.picked for line in work.lines_of(order.pk))
    return order.node_id not in asks_first and not begun


def _why_no_change(work: Work, order: FulfillmentOrder, busy: Collection[UUID]) -> str:
    return why_no_change(order, work.lines_of(order.pk), change_asked=order.pk in busy)


@transaction.atomic
def change_services(
    wanted: Sequence[ServiceChange], *, at: datetime, actor: Actor
) -> list[Outcome[AskedOfNode]]:
    """Have work leave by another service. One outcome per wish, in order.

    Refused for a pickup, once anything is packed, and while an earlier change is asked.
    """
    work = open_orders([one.fulfillment_order_id for one in wanted], scope=actor.scope)
    busy = _changes_open(work)
    asks_first = _nodes_with_systems(work)
    requests: list[NodeRequest] = []
    outcomes = [_change_service(work, one, busy, asks_first, requests, at) for one in wanted]
    write(work, at=at, actor=actor, reason="service changed")
    send_requests(work, requests, at=at, actor=actor)
    return outcomes


def _change_service(
    work: Work,
    one: ServiceChange,
    busy: set[UUID],
    asks_first: Collection[int],
    requests: list[NodeRequest],
    at: datetime,
) -> Outcome[AskedOfNode]:
    order = work.orders.get(one.fulfillment_order_id)
    if order is None:
        return not_found()
    if order.state not in OPEN_FULFILLMENT:
        return not_now(order, f"{order.number} is {order.get_state_display().lower()}.")
    if order.method == PICKUP:
        return Outcome.refused("pickup", "Its buyer collects it: no service brings it.")
    if why := _why_no_change(work, order, busy):
        return Outcome.refused("asked" if order.pk in busy else "packed", why)
    if order.service_level_id == one.service_level_id:
        return Outcome.repeated(AskedOfNode(order.pk, order.number, 0, 0))
    return Outcome.done(_set_service(work, order, one, busy, asks_first, requests, at))


def _set_service(
    work: Work,
    order: FulfillmentOrder,
    one: ServiceChange,
    busy: set[UUID],
    asks_first: Collection[int],
    requests: list[NodeRequest],
    at: datetime,
) -> AskedOfNode:
    """Change the service where nobody has begun; else have the node asked."""
    units = _open_units(work, order)
    if _is_untouched(work, order, asks_first):
        order.service_level_id = one.service_level_id
        tell_changed(work, order, "service")
        return AskedOfNode(order.pk, order.number, units, 0)
    request = _of_work(work, order, at)
    request.service_level_id = one.service_level_id
    requests.append(request)
    busy.add(order.pk)
    return AskedOfNode(order.pk, order.number, 0, units, request.until)


# --- from another node ----------------------------------------------------------------------------


@transaction.atomic
def pull_back(
    wanted: Sequence[PullBack], *, at: datetime, actor: Actor
) -> list[Outcome[AskedOfNode]]:
    """Take back what is not packed, for other nodes to send. One outcome per wish, in order.

    The units wait again, and are sourced without this node. Refused for a pickup, which moves only
    with its buyer's consent, and when nothing is left that is neither packed nor asked about.
    """
    work = open_orders([one.fulfillment_order_id for one in wanted], scope=actor.scope)
    pending = _asked_already(work)
    asks_first = _nodes_with_systems(work)
    requests: list[NodeRequest] = []
    freed: list[tuple[FulfillmentLine, int, str]] = []
    outcomes = [_pull_back(work, one, pending, asks_first, requests, freed, at) for one in wanted]
    write(work, at=at, actor=actor, reason=PULLED_BACK)
    give_back(work, freed, at=at, actor=actor)
    send_requests(work, requests, at=at, actor=actor)
    if freed:
        inventory.services.release(
            [Portion(line.reservation_id, units) for line, units, _ in freed],
            reason=PULLED_BACK,
            at=at,
            actor=actor,
        )
    return outcomes


def _pull_back(
    work: Work,
    one: PullBack,
    pending: dict[UUID, int],
    asks_first: Collection[int],
    requests: list[NodeRequest],
    freed: list[tuple[FulfillmentLine, int, str]],
    at: datetime,
) -> Outcome[AskedOfNode]:
    order = work.orders.get(one.fulfillment_order_id)
    if order is None:
        return not_found()
    if order.state not in OPEN_FULFILLMENT:
        return not_now(order, f"{order.number} is {order.get_state_display().lower()}.")
    if order.method == PICKUP:
        return Outcome.refused("pickup", "A pickup moves only with its buyer's consent.")
    lines = [line for line in work.lines_of(order.pk) if one.line_id in {None, line.pk}]
    if not lines:
        return not_found("line in this fulfillment order")
    done = asked = 0
    for line in lines:
        if order.node_id not in asks_first:
            waiting = line.waiting + line.accepted
            if taken := work.draw(line, ("waiting", "accepted"), "cancelled", waiting):
                done += taken
                freed.append((line, taken, PULLED_BACK))
                tell_pulled_back(work, line, taken)
        if (question := _unasked(line, pending)) > 0:
            asked += question
            pending[line.pk] = pending.get(line.pk, 0) + question
            requests.append(_of_line(line, RequestKind.PULL_BACK, question, at))
    if not done and not asked:
        return Outcome.refused("packed", "What is left is packed, or was asked back already.")
    until = at + ANSWER_WITHIN if asked else None
    return Outcome.done(AskedOfNode(order.pk, order.number, done, asked, until))
