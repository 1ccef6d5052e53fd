"""Folds of line quantities and tenders into one word each, and the rules that lines follow. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from orders.states import OPEN_BUCKETS, CollectedBy, FulfilledBy, LineKind, PaymentState, Progress
from orders.types import Move


class Quantities(Protocol):
    """What the folds need of a line: its kind and its buckets."""

    kind: str
    ordered: int
    pending: int
    backordered: int
    reserved: int
    released: int
    shipped: int
    cancelled: int
    delivered: int
    lost: int
    sent_back: int
    returned: int


def open_units(line: Quantities) -> int:
    """Units that are neither shipped nor cancelled."""
    return line.pending + line.backordered + line.reserved + line.released


def working_lines(lines: Iterable[Quantities]) -> list[Quantities]:
    """The lines that say how far an order is: stock; where there is none, what else it has."""
    carried = [line for line in lines if line.kind != LineKind.KIT]
    return [line for line in carried if line.kind == LineKind.STOCK] or carried


def fold(lines: Sequence[Quantities]) -> Progress:
    """How far the units are. The furthest bucket that has any unit names a part, or the whole."""
    work = working_lines(lines)
    wanted = sum(line.ordered - line.cancelled for line in work)
    if not wanted:
        return Progress.CANCELLED if work and all_cancelled(lines) else Progress.WAITING
    delivered = sum(line.delivered for line in work)
    ended = delivered + sum(line.lost + line.sent_back for line in work)
    shipped = sum(line.shipped for line in work)
    if ended == wanted:
        return Progress.DELIVERED if delivered == wanted else Progress.LOST
    if shipped == wanted:
        return Progress.PARTLY_DELIVERED if delivered else Progress.SHIPPED
    for bucket, part, whole in (
        (shipped, Progress.PARTLY_SHIPPED, Progress.SHIPPED),
        (sum(line.released for line in work), Progress.PARTLY_RELEASED, Progress.RELEASED),
        (sum(line.reserved for line in work), Progress.PARTLY_RESERVED, Progress.RESERVED),
    ):
        if bucket:
            return whole if bucket == wanted else part
    backordered = any(line.backordered for line in work)
    return Progress.BACKORDERED if backordered else Progress.WAITING


def waiting_for(fulfilled_by: Iterable[str]) -> Progress:
    """What an order waits for of which nothing is reserved, by who fulfills its open lines."""
    executors = set(fulfilled_by)
    return Progress.WITH_CHANNEL if executors == {FulfilledBy.CHANNEL} else Progress.WAITING


def all_cancelled(lines: Iterable[Quantities]) -> bool:
    """Whether no unit of the order is left. An order without lines has nothing to cancel."""
    carried = [line for line in lines if line.kind != LineKind.KIT]
    return bool(carried) and all(line.cancelled == line.ordered for line in carried)


def all_settled(lines: Iterable[Quantities]) -> bool:
    """Whether every unit is cancelled, delivered, lost or sent back."""
    return all(
        line.ordered == line.cancelled + line.delivered + line.lost + line.sent_back
        for line in lines
        if line.kind != LineKind.KIT
    )


class IdentifiedQuantities(Quantities, Protocol):
    id: UUID


def following_moves(lines: Sequence[IdentifiedQuantities]) -> list[Move]:
    """What the lines that ship nothing do once no stock unit of their order is open.

    They go with the stock: delivered when any of it was shipped or there was none to ship,
    cancelled when all of it was cancelled.
    """
    stock = [line for line in lines if line.kind == LineKind.STOCK]
    if any(open_units(line) for line in stock):
        return []
    target = "cancelled" if stock and all_cancelled(stock) else "delivered"
    return [
        Move(line.id, bucket, target, getattr(line, bucket))
        for line in lines
        if line.kind not in {LineKind.STOCK, LineKind.KIT}
        for bucket in OPEN_BUCKETS
        if getattr(line, bucket)
    ]


def unfollowing_moves(lines: Sequence[IdentifiedQuantities]) -> list[Move]:
    """What the lines that ship nothing do when stock that they went with is open again."""
    if not any(open_units(line) for line in lines if line.kind == LineKind.STOCK):
        return []
    return [
        Move(line.id, "delivered", "pending", line.delivered - line.returned)
        for line in lines
        if line.kind not in {LineKind.STOCK, LineKind.KIT} and line.delivered > line.returned
    ]


@dataclass(frozen=True, slots=True)
class TenderStanding:
    """A tender as the payment fold sees it, in minor units."""

    collected_by: str
    amount_minor: int
    captured_minor: int = 0
    authorized_minor: int = 0
    failed: bool = False


def fold_payment(due_minor: int, tenders: Sequence[TenderStanding]) -> PaymentState:
    """The money of an order in one word. An order without tenders was settled outside.

    What was taken in part is partly captured only while the rest is secured.
    """
    if due_minor <= 0:
        return PaymentState.NONE
    ours = [tender for tender in tenders if tender.collected_by == CollectedBy.US]
    if not ours:
        return PaymentState.ELSEWHERE
    elsewhere = sum(tender.amount_minor for tender in tenders) - sum(
        tender.amount_minor for tender in ours
    )
    wanted = max(0, due_minor - elsewhere)
    captured = sum(tender.captured_minor for tender in ours)
    if captured >= wanted:
        return PaymentState.CAPTURED
    if any(tender.failed for tender in ours):
        return PaymentState.FAILED
    secured = sum(max(tender.authorized_minor, tender.captured_minor) for tender in ours)
    if secured < wanted:
        return PaymentState.PENDING
    return PaymentState.PARTLY_CAPTURED if captured else PaymentState.AUTHORIZED
