"""A pickup that its store gave up: what becomes of it is the buyer's to choose, once.

They collect it at another store, have it sent, or cancel it. Until then a hold keeps it from every
node; where the account cancels on silence, so does theirs.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from config.kernel.errors import Conflict, Invalid, NotFound
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory import selectors as inventory
from orders.models import Contact, Hold
from orders.promise_policy import policies_of
from orders.selectors.choices import BUYER_CHOICE, MAY_BE_ASKED, silence_cancels
from orders.selectors.release import opened_address
from orders.services.addresses import correct_addresses
from orders.services.bounds import lift_quote
from orders.services.cancel import cancel_units
from orders.services.holding import active_holds
from orders.services.holds import end_holds_on_sheet
from orders.services.in_hand import GroupInHand
from orders.services.resource import group_of_ours, lines_of_group, resource_groups
from orders.services.sheet import Sheet, open_sheet, orders_of_groups
from orders.services.source import is_blocked
from orders.states import Blocks, HoldState, Initiator, LineKind, Method, PickupChoice
from orders.types import AddressCorrection, CancelRequest, ChoiceGiven, ChoiceMade
from orders.validators.address import problems_of

CHOSEN: Final = "order.pickup_choice"
SILENCE: Final = "silence"
_REASON: Final = "the buyer chose"


@transaction.atomic
def choose_instead(given: ChoiceGiven, *, at: datetime, actor: Actor) -> ChoiceMade:
    """Have the buyer's choice about a given-up pickup take effect, all of it or nothing.

    The hold ends; the group collects elsewhere or ships, and is sourced with a new version of its
    promise, or what was given up of it is cancelled. Raises Invalid for no choice, NotFound beyond
    the scope, and Conflict, saying why, for what was chosen before, for a store or an address that
    will not do, and where not all of the units can be had so.
    """
    if given.choice not in PickupChoice.values:
        raise Invalid("Collect it elsewhere, have it sent, or cancel it.")
    order_id = orders_of_groups([given.group_id]).get(given.group_id)
    sheet = open_sheet([order_id] if order_id else [])
    if order_id is None or not actor.scope.allows(sheet.orders[order_id].account_id):
        raise NotFound("There is no such delivery group.")
    group = group_of_ours(sheet, given.group_id, actor)
    standing = active_holds(sheet.orders)
    held = _held(sheet, standing, group)
    units = {
        line.id: line.pending + line.backordered
        for line in lines_of_group(sheet, group.id)
        if line.kind == LineKind.STOCK
        and line.pending + line.backordered
        and is_blocked(line, held, Blocks.ACCEPT)
    }
    if not units:
        raise Conflict("Nothing of it waits for its buyer: that was chosen before, or is over.")
    if given.choice != PickupChoice.CANCEL:
        _redirect(sheet, group, given)
    for hold in held:
        hold.release(at=at, by=actor.name, reason=_REASON)
    end_holds_on_sheet(sheet, standing, held)
    sheet.raise_plan(order_id)
    _tell(sheet, group, given, sum(units.values()))
    sheet.write(at=at, actor=actor, reason=_REASON)
    if given.choice == PickupChoice.CANCEL:
        _cancel(order_id, units, given, at=at, actor=actor)
    else:
        waited = _waiting(sheet, group.id) - sum(units.values())
        _source(group, given, waited, at=at, actor=actor)
    return ChoiceMade(group.id, given.choice, sum(units.values()))


def _held(sheet: Sheet, standing: Mapping[UUID, Sequence[Hold]], group: GroupInHand) -> list[Hold]:
    """The holds that keep units of the group for their buyer."""
    return [
        hold
        for hold in standing.get(group.order_id, ())
        if hold.type == BUYER_CHOICE
        and hold.state == HoldState.ACTIVE
        and hold.line_id in sheet.lines
        and sheet.lines[hold.line_id].group_id == group.id
    ]


def _redirect(sheet: Sheet, group: GroupInHand, given: ChoiceGiven) -> None:
    """Have the group collected at the other store, or sent. Raises Conflict where it cannot be."""
    if any(line.released for line in lines_of_group(sheet, group.id)):
        raise Conflict("Part of it is still at the first store: only what is missing can go.")
    if given.choice == PickupChoice.COLLECT:
        network = inventory.channel_nodes(sheet.orders[group.order_id].channel_id)
        if given.node_id is None or not network.get(given.node_id, (False, False))[1]:
            raise Conflict("Orders of the channel are not collected there.")
        if given.node_id == group.pickup_node_id:
            raise Conflict("That is the store that gave it up.")
        group.pickup_node_id = given.node_id
    else:
        if given.address is None:
            _require_address(group)
        group.method, group.pickup_node_id = Method.SHIP.value, None
    group.pinned_node_id = None
    lift_quote(group, "The buyer chose another way to have it.")


def _require_address(group: GroupInHand) -> None:
    """Raise Conflict where the group names no address that can be delivered to."""
    contact = Contact.objects.for_scope(ALL_ACCOUNTS).filter(pk=group.contact_id).first()
    address = opened_address(contact)
    problems = ["The order has no address: give one."]
    if address is not None and address.line1:
        problems = problems_of(address)
    if problems:
        raise Conflict(" ".join(problems), problems=problems)


def _tell(sheet: Sheet, group: GroupInHand, given: ChoiceGiven, units: int) -> None:
    said = {
        "group_id": str(group.id),
        "choice": given.choice,
        "by": given.by,
        "units": units,
        "node_id": given.node_id if given.choice == PickupChoice.COLLECT else None,
    }
    sheet.tell(group.order_id, CHOSEN, said)


def _cancel(
    order_id: UUID, units: Mapping[UUID, int], given: ChoiceGiven, *, at: datetime, actor: Actor
) -> None:
    silent = given.by == SILENCE
    reason = "nobody said what to do instead" if silent else "its store could not hand it out"
    initiator = Initiator.SYSTEM if silent else Initiator.BUYER
    wanted = [
        CancelRequest(order_id, line_id, many, reason, initiator.value)
        for line_id, many in units.items()
    ]
    outcomes = cancel_units(wanted, at=at, actor=actor)
    if not any(one.ok for one in outcomes):
        _require_done(outcomes[0])


def _waiting(sheet: Sheet, group_id: UUID) -> int:
    """Units of the group that have no node."""
    return sum(
        line.pending + line.backordered
        for line in lines_of_group(sheet, group_id)
        if line.kind == LineKind.STOCK
    )


def _source(
    group: GroupInHand, given: ChoiceGiven, waited: int, *, at: datetime, actor: Actor
) -> None:
    """Find nodes for the group as it is now.

    Raises Conflict where more of it than `waited` before for other reasons has none.
    """
    if given.choice == PickupChoice.SHIP and given.address is not None:
        correction = AddressCorrection(group.id, given.address)
        [outcome] = correct_addresses([correction], at=at, actor=actor)
    else:
        [outcome] = resource_groups([group.id], at=at, actor=actor)
    _require_done(outcome)
    missing = _waiting(open_sheet([group.order_id]), group.id) - waited
    if missing > 0:
        raise Conflict(
            "The store does not have all of it."
            if given.choice == PickupChoice.COLLECT
            else "Not all of it can be sent now.",
            missing=missing,
        )


def _require_done(outcome: Outcome[Any]) -> None:
    if outcome.problem is not None:
        raise Conflict(outcome.problem.detail, **outcome.problem.extra)


def end_choices(limit: int, *, at: datetime, actor: Actor) -> int:
    """Cancel what nobody chose about in time, where the account does so. Answers how many groups.

    Each in a transaction of its own: what one order refuses keeps no other waiting.
    """
    waiting = (
        Hold.objects.for_scope(ALL_ACCOUNTS)
        .active()
        .filter(MAY_BE_ASKED, type=BUYER_CHOICE, line__isnull=False)
    )
    policies = policies_of(set(waiting.values_list("account_id", flat=True).distinct()))
    over = Q(pk__in=[])
    for account_id, policy in policies.items():
        if silence_cancels(policy):
            over |= Q(account_id=account_id, placed_at__lte=at - policy.answer_within)
    due = waiting.filter(over).order_by("placed_at").values_list("line__group_id", flat=True)
    groups = dict.fromkeys(due[:limit])
    return sum(_end(group_id, at=at, actor=actor) for group_id in groups)


def _end(group_id: UUID, *, at: datetime, actor: Actor) -> bool:
    given = ChoiceGiven(group_id, PickupChoice.CANCEL.value, SILENCE)
    with suppress(Conflict):  # chosen, or ended, since it was found
        choose_instead(given, at=at, actor=actor)
        return True
    return False
