"""Units that lie in another condition now: put away, quarantined, damaged, released, unpacked."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Final

from django.db import transaction

from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.ledger import Book
from inventory.models import NodeCapability, SkuPack
from inventory.services.changes import accounts_of, nodes_in_scope
from inventory.services.landing import land
from inventory.services.repeats import each_once
from inventory.states import Capability, Condition, MovementKind, PackLevel
from inventory.stock_rows import Discrepancy, Level, Position, PositionKey, Why
from inventory.types import ChangeAnswer, ConditionChange, PackConversion

FROM_BULK: Final = frozenset({Condition.RECEIVING.value, Condition.RESERVE_STORAGE.value})
_PUT_INTO: Final = frozenset({Condition.AVAILABLE.value, Condition.RESERVE_STORAGE.value})
_BREAKS: Final = {
    PackLevel.INNER.value: Capability.BREAK_CASE.value,
    PackLevel.CASE.value: Capability.BREAK_CASE.value,
    PackLevel.PALLET.value: Capability.BREAK_PALLET.value,
}
"""What a node needs to break a pack of each level."""

Refused = Outcome[ChangeAnswer] | None


@transaction.atomic
def change_conditions(
    changes: Sequence[ConditionChange], *, at: datetime, actor: Actor
) -> list[Outcome[ChangeAnswer]]:
    """Move units between conditions: quarantine, damage, release from hold, put away.

    One outcome per change, in the order given. What happened is never refused: units beyond the
    book leave a discrepancy and a case. Refused is what names no known place or condition, and
    "all of them" where none lie.
    """
    return shift_units(changes, _kind, at=at, actor=actor)


@transaction.atomic
def put_away(
    changes: Sequence[ConditionChange], *, at: datetime, actor: Actor
) -> list[Outcome[ChangeAnswer]]:
    """What was received, or lay in bulk, lies where it is picked or kept now.

    Otherwise as `change_conditions`; any other change of condition is refused as no put-away.
    """
    refused = [_no_put_away(change) for change in changes]
    return shift_units(changes, _kind, refused, at=at, actor=actor)


@transaction.atomic
def convert_packs(
    conversions: Sequence[PackConversion], *, at: datetime, actor: Actor
) -> list[Outcome[ChangeAnswer]]:
    """Break whole packs of reserve storage into units that can be picked; the ledger counts units.

    Otherwise as `change_conditions`. Refused is what is no whole pack of the SKU, a pack that is
    not broken, and one at a node that cannot break such packs.
    """
    known = _packs_of({one.sku_id for one in conversions})
    able = set(
        NodeCapability.objects.filter(node_id__in={one.node_id for one in conversions})
        .filter(code__in=set(_BREAKS.values()))
        .values_list("node_id", "code")
    )
    units = [known.get((one.sku_id, one.pack), (one.units or 0, True)) for one in conversions]
    refused = [
        _no_conversion(one, holds, breakable, (one.node_id, _BREAKS.get(one.pack, "")) in able)
        for one, (holds, breakable) in zip(conversions, units, strict=True)
    ]
    changes = [_broken(one, holds) for one, (holds, _) in zip(conversions, units, strict=True)]
    return shift_units(changes, lambda _: MovementKind.CONVERT.value, refused, at=at, actor=actor)


def _packs_of(sku_ids: Collection[int]) -> dict[tuple[int, str], tuple[int, bool]]:
    """Units of each pack, and whether it may be broken, by (SKU, level)."""
    packs = SkuPack.objects.for_scope(ALL_ACCOUNTS).filter(sku_id__in=sku_ids)
    return {
        (sku_id, level): (units, breakable)
        for sku_id, level, units, breakable in packs.values_list(
            "sku_id", "level", "units", "breakable"
        )
    }


def _no_conversion(one: PackConversion, holds: int, breakable: bool, able: bool) -> Refused:  # noqa: FBT001  # what was looked up
    checks = [
        (one.packs > 0, "no-units", "At least one pack is broken."),
        (
            one.pack in _BREAKS and holds > 1 and one.units in (None, holds),
            "unknown-pack",
            f"The SKU has no {one.pack} of so many units.",
        ),
        (breakable, "not-breakable", f"A {one.pack} of this SKU is not broken."),
        (able, "cannot-break", f"The node does not break a {one.pack}."),
    ]
    return next((Outcome.refused(code, said) for holds_, code, said in checks if not holds_), None)


def _broken(one: PackConversion, units: int) -> ConditionChange:
    return ConditionChange(
        one.node_id,
        one.sku_id,
        one.account_id,
        Condition.RESERVE_STORAGE.value,
        Condition.AVAILABLE.value,
        max(1, one.packs * units),
        lot=one.lot,
        owner_id=one.owner_id,
        note=one.note or f"{one.packs} × {one.pack} of {units}",
        source=one.source,
        external_id=one.external_id,
    )


def shift_units(
    changes: Sequence[ConditionChange],
    kind_of: Callable[[ConditionChange], str],
    refused: Sequence[Refused] = (),
    *,
    at: datetime,
    actor: Actor,
) -> list[Outcome[ChangeAnswer]]:
    """Write what is neither refused nor told before, in the caller's transaction.

    `kind_of` says under which kind of movement the ledger keeps a change.
    """
    refusals = place_refusals(changes, actor)
    return each_once(
        changes,
        [known or more for known, more in zip_longest(refusals, refused)],
        lambda fresh: _apply(fresh, kind_of, at=at, actor=actor),
    )


def place_refusals(changes: Sequence[ConditionChange], actor: Actor) -> list[Refused]:
    """Why a change cannot be of units of ours, or None. Two statements."""
    accounts = accounts_of({change.sku_id for change in changes}, actor)
    nodes = nodes_in_scope({change.node_id for change in changes}, actor)
    refused: list[Refused] = []
    for change in changes:
        checks = [
            (change.node_id in nodes, "unknown-node", "There is no such node."),
            (
                accounts.get(change.sku_id) == change.account_id,
                "unknown-sku",
                "The account keeps no stock of this SKU.",
            ),
            (
                {change.condition, change.into} <= set(Condition.values),
                "unknown-condition",
                "There is no such condition.",
            ),
            (change.condition != change.into, "no-change", "It lies in this condition already."),
            (
                change.quantity is None or change.quantity > 0,
                "no-units",
                "A change is of at least one unit.",
            ),
            (
                bool(change.source) or not change.external_id,
                "no-source",
                "An external id needs its source.",
            ),
        ]
        refused.append(
            next((Outcome.refused(code, said) for holds, code, said in checks if not holds), None)
        )
    return refused


def _no_put_away(change: ConditionChange) -> Refused:
    if change.condition in FROM_BULK and change.into in _PUT_INTO:
        return None
    return Outcome.refused("no-put-away", "Goods are put away from receiving or reserve storage.")


def _kind(change: ConditionChange) -> str:
    if change.condition in FROM_BULK and change.into in _PUT_INTO:
        return MovementKind.PUT_AWAY.value
    if change.into == Condition.DAMAGED:
        return MovementKind.DAMAGE.value
    return MovementKind.CONDITION.value


def _apply(
    changes: Sequence[ConditionChange],
    kind_of: Callable[[ConditionChange], str],
    *,
    at: datetime,
    actor: Actor,
) -> list[Outcome[ChangeAnswer]]:
    if not changes:
        return []
    book = Book.open_for({_key(change) for change in changes})
    arrived: Counter[int] = Counter()
    outcomes = []
    for change in changes:
        position = book.by_key[_key(change)]
        before = position.sellable
        outcomes.append(_shift(book, position, change, kind_of(change), at=at))
        arrived[position.id] += max(0, position.sellable - before)
    land(book, arrived)
    book.write(at=at, actor=actor)
    return outcomes


def _shift(
    book: Book, position: Position, change: ConditionChange, kind: str, *, at: datetime
) -> Outcome[ChangeAnswer]:
    levels = [
        level
        for level in book.levels_of(position, change.condition)
        if not change.lot or level.lot == change.lot
    ]
    there = sum(level.on_hand for level in levels)
    quantity = there if change.quantity is None else change.quantity
    if not quantity:
        return Outcome.refused("nothing-there", "No units lie in this condition here.")
    why = Why(
        kind,
        change.cause_kind,
        change.cause_id,
        change.source,
        change.external_id,
        change.note,
    )
    if quantity > there:
        default = levels[0] if levels else book.level(position, change.condition, change.lot)
        _find(book, default, quantity - there, why, at=at)
        levels = levels or [default]
    moved = []
    left = quantity
    for level in levels:
        if part := min(left, level.on_hand):
            moved.append(book.shift(level, change.into, part, why, at=at))
            left -= part
    return Outcome.done(ChangeAnswer(moved[0], position.id, there - min(there, quantity)))


def _find(book: Book, level: Level, units: int, why: Why, *, at: datetime) -> None:
    """Units that must have been there although the book did not have them."""
    gap = Why(MovementKind.DISCREPANCY, why.cause_kind, why.cause_id, note=why.note)
    book.move(level, units, gap, at=at)
    book.discrepancies.append(Discrepancy(level.position, units, why))


def _key(change: ConditionChange) -> PositionKey:
    owner_id = change.owner_id or change.account_id
    return PositionKey(change.account_id, change.node_id, change.sku_id, owner_id)
