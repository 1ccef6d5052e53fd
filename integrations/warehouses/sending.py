"""What warehouses are told and asked: intents, carried out in order per fulfillment order."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

import fulfillment.services
import inventory.selectors
from config.kernel import case_reports
from config.kernel.services.intents import Answer, AnswerKind, LeasedIntent, NewIntent
from config.kernel.types import Actor
from fulfillment import nodework
from fulfillment.types import RequestAnswer
from integrations import connections
from integrations.states import ConnectionState
from integrations.types import ConnectionRef
from integrations.warehouses import port
from integrations.warehouses.cases import REFUSED
from integrations.warehouses.port import Reply, Taken

RELEASE: Final = "warehouse.release"
ASK: Final = "warehouse.ask"
COUNT: Final = "warehouse.count"


def reached(node_ids: Iterable[int]) -> dict[int, ConnectionRef]:
    """The nodes whose systems are told of work. One that only listens is not: nothing piles up."""
    return {
        node_id: ref
        for node_id, ref in connections.of_nodes(node_ids).items()
        if port.known(ref.adapter) and ref.state != ConnectionState.LISTENING
    }


def release_of(node_id: int, work_id: UUID, account_id: UUID, *, again: bool = False) -> NewIntent:
    """The order is told once; and once again where the system turns out not to have it."""
    return NewIntent(
        RELEASE,
        f"{work_id}:again" if again else str(work_id),
        "fulfillment_order",
        work_id,
        account_id,
        {"node_id": node_id},
        queue_of(node_id, work_id),
    )


def request_of(node_id: int, work_id: UUID, request_id: UUID, account_id: UUID) -> NewIntent:
    return NewIntent(
        ASK,
        str(request_id),
        "fulfillment_order",
        work_id,
        account_id,
        {"node_id": node_id, "request_id": str(request_id)},
        queue_of(node_id, work_id),
    )


def count_of(node_id: int, count_id: UUID, sku_id: int, account_id: UUID) -> NewIntent:
    return NewIntent(
        COUNT,
        str(count_id),
        "count_request",
        count_id,
        account_id,
        {"node_id": node_id, "sku_id": sku_id},
    )


def queue_of(node_id: int, work_id: UUID) -> str:
    """What is said of one fulfillment order is said in order; others do not wait for it."""
    return f"wms:{node_id}:{work_id}"


# --- performing -------------------------------------------------------------------------------


def release(intent: LeasedIntent) -> Answer:
    """Tell a warehouse an order; called with no transaction open."""
    system = _system(intent)
    if system is None:
        return _UNREACHABLE
    document = nodework.release_document(intent.subject_id)
    if document is None:
        return Answer.done(untold=True)
    if document.address is None:
        return Answer.refused("The buyer was erased, or the order has no address.", code="erased")
    return answer_of(system.release(document, key=intent.key))


def find_release(intent: LeasedIntent) -> Answer | None:
    """Whether the order came with an earlier call; None when it did not."""
    system = _system(intent)
    document = nodework.release_document(intent.subject_id)
    if system is None or document is None:
        return None
    known = system.knows(document.number)
    if known is None:
        return Answer.unknown("The warehouse cannot be asked now.")
    return Answer.done() if known else None


def ask(intent: LeasedIntent) -> Answer:
    """Ask a warehouse about its work. It tells repeats apart by the question's id."""
    system = _system(intent)
    if system is None:
        return _UNREACHABLE
    document = nodework.request_document(UUID(intent.payload["request_id"]))
    if not document.open:
        return Answer.done(untold=True)
    if document.place is None and document.address is None and not document.service:
        return Answer.refused("The buyer was erased: nobody wants it elsewhere.", code="erased")
    return _again(answer_of(system.ask(document, key=intent.key)))


def ask_count(intent: LeasedIntent) -> Answer:
    system = _system(intent)
    if system is None:
        return _UNREACHABLE
    sku = inventory.selectors.skus([intent.payload["sku_id"]])[intent.payload["sku_id"]]
    return _again(answer_of(system.ask_count(intent.subject_id, sku.code, key=intent.key)))


_UNREACHABLE: Final = Answer.refused("The node has no warehouse system.", code="no-connection")


def _system(intent: LeasedIntent) -> port.Warehouse | None:
    ref = connections.of_node(int(intent.payload["node_id"]))
    return port.warehouse(ref) if ref is not None and port.known(ref.adapter) else None


def answer_of(reply: Reply) -> Answer:
    """A reply in an intent's words."""
    match reply.taken:
        case Taken.DONE:
            return Answer.done()
        case Taken.REFUSED:
            return Answer.refused(reply.detail or reply.code, code=reply.code)
        case Taken.UNKNOWN:
            return Answer.unknown(reply.detail or reply.code)
        case Taken.RETRY:
            return Answer.retry(
                reply.detail or reply.code, after_seconds=reply.after_seconds, asked=reply.asked
            )


def _again(answer: Answer) -> Answer:
    """A question that may have come is asked again: the same id is the same question."""
    return Answer.retry(answer.error) if answer.kind is AnswerKind.UNKNOWN else answer


# --- what follows -----------------------------------------------------------------------------


@transaction.atomic
def record_release(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """An order that the system will not have is a case: nobody works on it."""
    del actor
    if answer.kind is AnswerKind.REFUSED and "given_up" not in answer.data:
        _report_refused(intent, answer, at=at)


@transaction.atomic
def record_request(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """A question that the system will not take is answered with no: it goes on with the work."""
    if answer.kind is not AnswerKind.REFUSED:
        return
    request = RequestAnswer(UUID(intent.payload["request_id"]), 0, answer.error)
    fulfillment.services.answer_requests([request], at=at, actor=actor)


@transaction.atomic
def record_count(intent: LeasedIntent, answer: Answer, *, at: datetime, actor: Actor) -> None:
    """A count that is not taken stays open, and becomes overdue."""
    del intent, answer, at, actor


def _report_refused(intent: LeasedIntent, answer: Answer, *, at: datetime) -> None:
    case_reports.report(
        [
            case_reports.Report(
                REFUSED,
                "fulfillment_order",
                intent.subject_id,
                intent.account_id,
                evidence={"code": answer.data.get("code", ""), "why": answer.error},
                cause=f"node:{intent.payload['node_id']}",
            )
        ],
        at=at,
    )
