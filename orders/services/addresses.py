"""Sending to elsewhere: a group's address is corrected, whether or not nodes have work of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config.kernel import vault
from config.kernel.errors import Conflict, DomainError
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders.commitments import AddressAnswer, AddressWanted, commitments
from orders.models import Contact, Hold
from orders.services.bounds import lift_quote
from orders.services.capture_people import address_row
from orders.services.holding import active_holds
from orders.services.holds import end_holds_on_sheet
from orders.services.in_hand import GroupInHand
from orders.services.resource import group_of_ours, lines_of_group, resource_on_sheet
from orders.services.sheet import Sheet, open_sheet, orders_of_groups
from orders.states import OrderState
from orders.types import AddressCorrection, GroupMove
from orders.validators.address import NEEDS_ADDRESS, normalized, problems_of


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a group is to go, and what its nodes say to that."""

    group: GroupInHand
    contact: dict[str, Any]
    answer: AddressAnswer


@transaction.atomic
def correct_addresses(
    corrections: Sequence[AddressCorrection], *, at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    """Give groups a new destination, clear the holds that the old one caused, and plan anew.

    What nodes have of a group is asked of them. The group goes to the new place now where it has
    units at no node, or a node that lets it; else when the first of its nodes agrees. Refused when
    the new address cannot be delivered to either, and when units are packed or all have left.
    """
    sheet = open_sheet(orders_of_groups([one.group_id for one in corrections]).values())
    wanted: list[tuple[GroupInHand, AddressCorrection] | Outcome[UUID]] = []
    for one in corrections:
        try:
            group = group_of_ours(sheet, one.group_id, actor)
            _require_movable(sheet, group, one)
        except DomainError as refusal:
            wanted.append(Outcome.refused(refusal.code, refusal.detail, **refusal.extra))
            continue
        wanted.append((group, one))
    places = _ask_nodes(
        sheet, [pair for pair in wanted if isinstance(pair, tuple)], at=at, actor=actor
    )
    _move_in(sheet, places)
    moving = [one.group.id for one in places if one.answer.moves]
    cleared = _clear_address_holds(sheet, moving, at=at, actor=actor)
    held = [
        group_id
        for group_id in moving
        if sheet.orders[sheet.groups[group_id].order_id].state == OrderState.ACCEPTED
    ]
    resource_on_sheet(
        sheet, held, frozenset(), "address corrected", at=at, actor=actor, cleared=cleared
    )
    said = iter(places)
    return [_outcome(next(said)) if isinstance(one, tuple) else one for one in wanted]


def _outcome(place: _Place) -> Outcome[UUID]:
    why = place.answer.why
    return Outcome.refused("conflict", why) if why else Outcome.done(place.group.id)


def _require_movable(sheet: Sheet, group: GroupInHand, one: AddressCorrection) -> None:
    if group.method not in NEEDS_ADDRESS:
        raise Conflict("Nothing of this group goes to an address.")
    lines = lines_of_group(sheet, group.id)
    if any(line.shipped for line in lines) and not any(line.open for line in lines):
        raise Conflict("All of it is on its way.")
    problems = problems_of(one.address)
    if not one.address.line1:
        problems = ["The address has no street.", *problems]
    if problems:
        raise Conflict(" ".join(problems), problems=problems)


def _ask_nodes(
    sheet: Sheet,
    wanted: Sequence[tuple[GroupInHand, AddressCorrection]],
    *,
    at: datetime,
    actor: Actor,
) -> list[_Place]:
    """Have the nodes asked that have work of these groups; who has none agrees."""
    contacts = [
        address_row(sheet.orders[group.order_id].account_id, key_id, normalized(one.address))
        for (group, one), key_id in zip(wanted, _keys_of(wanted), strict=True)
    ]
    answers = [AddressAnswer(group.id, moves=True) for group, _ in wanted]
    at_nodes = [place for place, (group, _) in enumerate(wanted) if _is_at_nodes(sheet, group.id)]
    if at_nodes:
        asked = [
            AddressWanted(
                wanted[place][0].id,
                contacts[place]["id"],
                wanted[place][0].contact_id,
                _has_unreleased(sheet, wanted[place][0].id),
            )
            for place in at_nodes
        ]
        answered = commitments().ask_addresses(asked, at=at, actor=actor)
        for place, answer in zip(at_nodes, answered, strict=True):
            answers[place] = answer
    return [
        _Place(group, contact, answer)
        for (group, _), contact, answer in zip(wanted, contacts, answers, strict=True)
    ]


def _is_at_nodes(sheet: Sheet, group_id: UUID) -> bool:
    return any(line.released + line.shipped for line in lines_of_group(sheet, group_id))


def _has_unreleased(sheet: Sheet, group_id: UUID) -> bool:
    return any(
        line.pending + line.backordered + line.reserved for line in lines_of_group(sheet, group_id)
    )


def _move_in(sheet: Sheet, places: Sequence[_Place]) -> None:
    """Write the new addresses down, and send there who goes there now."""
    for one in places:
        if one.answer.why:
            continue
        sheet.insert(Contact, one.contact)
        if one.answer.moves:
            _send_to(sheet, one.group, one.contact)


def _send_to(sheet: Sheet, group: GroupInHand, contact: dict[str, Any]) -> None:
    group.contact_id = contact["id"]
    if (group.postal_code, group.country) != (contact["postal_code"], contact["country"]):
        lift_quote(group, "It goes elsewhere than was quoted.")
    group.postal_code, group.region = contact["postal_code"], contact["region"]
    group.country = contact["country"]
    sheet.raise_plan(group.order_id)
    sheet.tell(group.order_id, "order.address_corrected", {"group_id": str(group.id)})


def move_groups(
    moves: Sequence[GroupMove], *, at: datetime, actor: Actor
) -> dict[UUID, UUID | None]:
    """Send groups to contacts that a node has agreed to; answer where those that moved went before.

    Runs inside the caller's transaction, which has locked the orders.
    """
    sheet = open_sheet(orders_of_groups([one.group_id for one in moves]).values())
    contacts = {
        row["id"]: row
        for row in Contact.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=[one.contact_id for one in moves])
        .values("id", "postal_code", "region", "country")
    }
    before: dict[UUID, UUID | None] = {}
    for one in moves:
        group = sheet.groups[one.group_id]
        if group.contact_id != one.contact_id:
            before[group.id] = group.contact_id
            _send_to(sheet, group, contacts[one.contact_id])
    sheet.write(at=at, actor=actor, reason="the node agreed to another address")
    return before


def _keys_of(wanted: Sequence[tuple[GroupInHand, AddressCorrection]]) -> list[UUID]:
    """The key of the person whose address each was; a new one where there is none any more.

    One person, one key: what is erased later goes with all addresses that were ever given.
    """
    present = dict(
        Contact.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            pk__in=[group.contact_id for group, _ in wanted if group.contact_id],
            key__wrapped__isnull=False,
        )
        .values_list("pk", "key_id")
    )
    vault.preload(present.values())
    fresh = iter(vault.new_keys(sum(group.contact_id not in present for group, _ in wanted)))
    return [
        present[group.contact_id] if group.contact_id in present else next(fresh).id
        for group, _ in wanted
    ]


def _clear_address_holds(
    sheet: Sheet, group_ids: Sequence[UUID], *, at: datetime, actor: Actor
) -> dict[UUID, list[Hold]]:
    """End the address and destination holds of the groups; answer what still stands, by order."""
    standing = active_holds({sheet.groups[group_id].order_id for group_id in group_ids})
    cleared = [
        hold
        for held in standing.values()
        for hold in held
        if hold.type in {"address", "destination"} and hold.group_id in set(group_ids)
    ]
    for hold in cleared:
        hold.release(at=at, by=actor.name, reason="the address was corrected")
    if cleared:
        end_holds_on_sheet(sheet, standing, cleared)
    return standing
