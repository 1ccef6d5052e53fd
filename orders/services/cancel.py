"""Cancel: units of lines, whole lines, whole orders, in every phase that still allows it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel.errors import Conflict, DomainError, Invalid
from config.kernel.types import Actor, Outcome
from inventory.types import Portion
from orders import progress
from orders.commitments import Answer, Asked, commitments
from orders.models import Order
from orders.services import money
from orders.services.claims import release_lines
from orders.services.holding import active_holds, check_reason
from orders.services.holds import end_holds_on_sheet
from orders.services.in_hand import LineInHand
from orders.services.sheet import Sheet, is_live, open_sheet, visible
from orders.states import Initiator, LineKind, OrderState, PaymentState, Relation
from orders.types import Cancelled, CancelRequest, FreedUnits

_UNRELEASED = ("pending", "backordered", "reserved")


@dataclass(slots=True)
class _Wish:
    """One request, spread over lines: units that are ours to cancel, and units at a node."""

    request: CancelRequest
    at_once: dict[UUID, dict[str, int]] = field(default_factory=dict)
    at_node: dict[UUID, int] = field(default_factory=dict)
    done: int = 0
    answers: list[Answer] = field(default_factory=list)


@transaction.atomic
def cancel_units(
    requests: Sequence[CancelRequest], *, at: datetime, actor: Actor
) -> list[Outcome[Cancelled]]:
    """Take units off orders. What is not at a node goes at once, its reservation given back.

    Of what is at a node, `commitments` says what is given back, refused, or asked of the node.
    What was secured and is not owed any more is voided or refunded. An order of which nothing is
    left is cancelled. One outcome per request; the statements do not grow with the requests.
    """
    sheet = open_sheet(request.order_id for request in requests)
    spent: dict[tuple[UUID, str], int] = {}
    wishes: list[_Wish | Outcome[Cancelled]] = []
    for request in requests:
        try:
            wishes.append(_spread(sheet, request, spent, actor))
        except DomainError as refusal:
            wishes.append(Outcome.refused(refusal.code, refusal.detail, **refusal.extra))
    standing = [wish for wish in wishes if isinstance(wish, _Wish)]
    _carry_out(sheet, standing, at=at, actor=actor)
    return [_outcome(sheet, wish) if isinstance(wish, _Wish) else wish for wish in wishes]


def cancel_freed(
    freed: Sequence[FreedUnits], *, why: str, initiator: str, at: datetime, actor: Actor
) -> None:
    """Cancel released units that their nodes have let go, and what goes only with them.

    Runs inside the caller's transaction, which has locked the orders and every fulfillment order
    of theirs: what goes with the units may be at other nodes.
    """
    sheet = open_sheet(one.order_id for one in freed)
    by_line: dict[UUID, list[FreedUnits]] = {}
    for one in freed:
        by_line.setdefault(one.line_id, []).append(one)
    wishes = []
    spent: dict[tuple[UUID, str], int] = {}
    for line_id, own in by_line.items():
        line = sheet.lines[line_id]
        units = sum(one.quantity for one in own)
        wish = _Wish(CancelRequest(line.order_id, line_id, units, why, initiator))
        portions = tuple(Portion(one.reservation_id, one.quantity) for one in own)
        wish.answers.append(Answer(line_id, granted=units, refused=0, asked=0, freed=portions))
        for child, quantity in _dependents(sheet, line, units):
            _draw(wish, child, quantity, spent)
        wishes.append(wish)
    _carry_out(sheet, wishes, at=at, actor=actor)


def _carry_out(sheet: Sheet, standing: Sequence[_Wish], *, at: datetime, actor: Actor) -> None:
    """Ask the nodes, move the units, bill, write; positions are locked once, last."""
    touched = sorted({wish.request.order_id for wish in standing})
    tenders = money.tenders_of(sheet, touched)
    _ask_nodes(standing, at=at, actor=actor)
    released, waiting = _apply(sheet, standing, at=at)
    _conclude(sheet, touched, at=at, actor=actor)
    asked = money.ask(sheet, tenders, at=at)
    freed = [portion for wish in standing for answer in wish.answers for portion in answer.freed]
    release_lines(released, "cancelled", waiting=waiting, freed=freed, at=at, actor=actor)
    sheet.write(at=at, actor=actor, reason="cancelled units")
    asked.send(at=at, actor=actor)


def _spread(
    sheet: Sheet, request: CancelRequest, spent: dict[tuple[UUID, str], int], actor: Actor
) -> _Wish:
    """Which units of which buckets the request means. Raises a refusal when it can mean none."""
    order = visible(sheet, request.order_id, actor.scope)
    if request.initiator not in Initiator.values:
        raise Invalid(f"“{request.initiator}” cancels nothing here.")
    if request.initiator != Initiator.CHANNEL:  # a channel's own words are cut, not refused
        check_reason(request.reason)
    wish = _Wish(request)
    for line, quantity in _meant(sheet, order, request):
        left = _draw(wish, line, quantity, spent)
        if left and request.quantity is not None:
            raise Conflict(
                f"Only {quantity - left} of {line.external_sku} can still be cancelled.",
                open=quantity - left,
            )
    if not wish.at_once and not wish.at_node and sheet.lines_of(order.id):
        raise Conflict("Nothing of it can still be cancelled.")
    return wish


def _draw(wish: _Wish, line: LineInHand, quantity: int, spent: dict[tuple[UUID, str], int]) -> int:
    """Take the units from what is ours to cancel, then from the nodes; answers what is missing."""
    left = quantity
    for bucket in _UNRELEASED:
        there = getattr(line, bucket) - spent.get((line.id, bucket), 0)
        if part := min(left, there):
            wish.at_once.setdefault(line.id, {})[bucket] = part
            spent[line.id, bucket] = spent.get((line.id, bucket), 0) + part
            left -= part
    there = line.released - spent.get((line.id, "released"), 0)
    if part := min(left, there):
        wish.at_node[line.id] = part
        spent[line.id, "released"] = spent.get((line.id, "released"), 0) + part
        left -= part
    return left


def _meant(sheet: Sheet, order: Order, request: CancelRequest) -> list[tuple[LineInHand, int]]:
    """The lines that the request names, with the units of each."""
    if not is_live(order):
        raise Conflict(f"The order is {order.get_state_display().lower()}.")
    if request.line_id is None:
        if request.quantity is not None:
            raise Invalid("A number of units is cancelled on a line.")
        return [(line, line.open) for line in sheet.lines_of(order.id) if line.kind != LineKind.KIT]
    line = sheet.lines.get(request.line_id)
    if line is None or line.order_id != order.id:
        raise Conflict("The order has no such line.")
    if request.quantity is not None and not 1 <= request.quantity <= line.ordered:
        raise Invalid(f"Between 1 and {line.ordered} units can be cancelled on this line.")
    if line.kind == LineKind.KIT:
        return [
            (
                child,
                child.open
                if request.quantity is None
                else request.quantity * child.ordered // line.ordered,
            )
            for child in sheet.lines_of(order.id)
            if child.parent_id == line.id and child.relation == Relation.KIT_COMPONENT
        ]
    units = line.open if request.quantity is None else request.quantity
    return [(line, units), *_dependents(sheet, line, units)]


def _dependents(sheet: Sheet, line: LineInHand, units: int) -> list[tuple[LineInHand, int]]:
    """What goes only with the line, once all that is open of it goes."""
    if units != line.open:
        return []
    return [
        (child, child.open)
        for child in sheet.lines_of(line.order_id)
        if child.parent_id == line.id and child.open
    ]


def _ask_nodes(wishes: Sequence[_Wish], *, at: datetime, actor: Actor) -> None:
    """Ask for every unit at a node in one call; deal the answers out again."""
    portions = [
        (wish, Asked(line_id, quantity))
        for wish in wishes
        for line_id, quantity in wish.at_node.items()
    ]
    if not portions:
        return
    answers = commitments().ask_cancel([asked for _, asked in portions], at=at, actor=actor)
    for (wish, _), answer in zip(portions, answers, strict=True):
        wish.answers.append(answer)


def _apply(
    sheet: Sheet, wishes: Sequence[_Wish], *, at: datetime
) -> tuple[dict[UUID, int], dict[UUID, int]]:
    """Move the units; answer the reserved and the waiting units to give back, per line."""
    released: dict[UUID, int] = {}
    waiting: dict[UUID, int] = {}
    for wish in wishes:
        portions: dict[UUID, dict[str, int]] = {
            line_id: dict(buckets) for line_id, buckets in wish.at_once.items()
        }
        for answer in wish.answers:
            if answer.granted:
                portions.setdefault(answer.line_id, {})["released"] = answer.granted
        gone = {}
        for line_id, buckets in portions.items():
            gone[str(line_id)] = sheet.cancel_units(
                line_id,
                buckets,
                reason=wish.request.reason or "cancelled",
                initiator=wish.request.initiator,
                at=at,
            )
            _count(released, line_id, buckets.get("reserved", 0))
            queued = buckets.get("backordered", 0) + buckets.get("pending", 0)
            _count(waiting, line_id, queued)
        wish.done = sum(gone.values())
        if gone:
            sheet.tell(
                wish.request.order_id,
                "order.units_cancelled",
                {
                    "lines": gone,
                    "initiator": wish.request.initiator,
                },
            )
    return released, waiting


def _count(counted: dict[UUID, int], line_id: UUID, units: int) -> None:
    if units:
        counted[line_id] = counted.get(line_id, 0) + units


def _conclude(sheet: Sheet, order_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> None:
    """Let what ships nothing follow, bill, and cancel the orders of which nothing is left."""
    ended = []
    for order_id in order_ids:
        order = sheet.orders[order_id]
        if order.state == OrderState.ACCEPTED or any(
            line.kind == LineKind.STOCK for line in sheet.lines_of(order_id)
        ):
            sheet.follow(order_id, at=at)
        money.bill_changes(sheet, order_id, at=at)
        if is_live(order) and _nothing_left(sheet, order_id):
            order.cancel(at=at)
            if order.payment_state not in {PaymentState.NONE, PaymentState.ELSEWHERE}:
                order.payment_state = PaymentState.CANCELLED
            sheet.tell(order_id, "order.cancelled", {"total_minor": order.total_minor})
            ended.append(order)
    _end_holds(sheet, [order for order in ended if order.holds_open], at=at, actor=actor)


def _nothing_left(sheet: Sheet, order_id: UUID) -> bool:
    lines = sheet.lines_of(order_id)
    return not lines or progress.all_cancelled(lines)


def _end_holds(sheet: Sheet, orders: Sequence[Order], *, at: datetime, actor: Actor) -> None:
    """A cancelled order is held by nothing any more."""
    standing = active_holds([order.id for order in orders])
    ended = [hold for held in standing.values() for hold in held]
    for hold in ended:
        hold.release(at=at, by=actor.name, reason="the order was cancelled")
    end_holds_on_sheet(sheet, standing, ended)


def _outcome(sheet: Sheet, wish: _Wish) -> Outcome[Cancelled]:
    """Done when anything was; refused when the nodes refused all of it."""
    asked = sum(answer.asked for answer in wish.answers)
    refused = sum(answer.refused for answer in wish.answers)
    why = " ".join(dict.fromkeys(answer.why for answer in wish.answers if answer.why))
    if not wish.done and not asked and refused:
        return Outcome.refused("conflict", why or "The node has it already.", refused=refused)
    order_id = wish.request.order_id
    return Outcome.done(
        Cancelled(order_id, sheet.orders[order_id].state, wish.done, asked, refused, why)
    )
