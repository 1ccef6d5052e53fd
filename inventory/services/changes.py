"""Physical facts about stock: what came, went, was sold or was counted. Never refused."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from config.kernel.errors import NotFound
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Outcome
from inventory.ledger import Book
from inventory.models import Node
from inventory.services import limits
from inventory.services.landing import land
from inventory.services.repeats import each_once
from inventory.services.serials import see_changed
from inventory.states import CHANGE_KINDS, SELLABLE_CONDITIONS, Condition, MovementKind, SkuKind
from inventory.stock_rows import Level, Position, PositionKey, Why
from inventory.types import ChangeAnswer, StockChange

_BY_HAND = frozenset(
    {
        MovementKind.ADJUST.value,
        MovementKind.COUNT.value,
        MovementKind.FOUND.value,
        MovementKind.DAMAGE.value,
    }
)
EXTERNAL_ID_LENGTH, SOURCE_LENGTH = 200, 64
_CONDITIONS = frozenset(Condition.values)


@transaction.atomic
def record_changes(
    changes: Sequence[StockChange], *, at: datetime, actor: Actor
) -> list[Outcome[ChangeAnswer]]:
    """Write each change to the ledger. One outcome per change, in the order given.

    What happened is never refused: units beyond the book leave a discrepancy and a case, units
    that were reserved a shortfall. Refused is what names no known node, SKU or kind of change,
    what expects another number than lies there, and of a person what is large enough for two
    (`adjust_stock`). A change with (source, external_id) happens once; a repeat has the first's
    answer (none, when its month has left the ledger). A refused one may be sent again.
    """
    changes = as_received(changes)
    return each_once(
        changes, refusals(changes, actor), lambda fresh: apply_changes(fresh, at=at, actor=actor)
    )


def apply_changes(
    changes: Sequence[StockChange], *, at: datetime, actor: Actor
) -> list[Outcome[ChangeAnswer]]:
    """Write changes whose node, SKU and account are known, in the caller's transaction.

    Refused is only a change that expects another number than lies there.
    """
    if not changes:
        return []
    book = Book.open_for({key_of(change) for change in changes})
    arrived: Counter[int] = Counter()
    outcomes: list[Outcome[ChangeAnswer]] = []
    for change in changes:
        position = book.by_key[key_of(change)]
        if (stale := _stale(book, position, change)) is not None:
            outcomes.append(stale)
            continue
        level = book.level(position, change.condition, change.lot, change.expires_on)
        why = Why(
            change.kind,
            change.cause_kind,
            change.cause_id,
            change.source,
            change.external_id,
            change.note,
        )
        when = min(at, change.happened_at or at)
        if change.happened_at and position.counted_at and change.happened_at < position.counted_at:
            movement_id = _balanced(book, level, change.quantity, why, position.counted_at, at=when)
        elif change.quantity > 0:
            movement_id = book.move(level, change.quantity, why, at=when)
            if change.condition in SELLABLE_CONDITIONS:
                arrived[position.id] += change.quantity
        else:
            lots = [level] if change.lot else book.levels_of(position, change.condition)
            movement_id = book.lower(lots, level, -change.quantity, why, at=when)
        outcomes.append(Outcome.done(ChangeAnswer(movement_id, position.id, level.on_hand)))
    land(book, arrived)
    book.write(at=at, actor=actor)
    see_changed(
        [(change, book.by_key[key_of(change)].id) for change in changes], at=at, actor=actor
    )
    return outcomes


def as_received(changes: Sequence[StockChange]) -> list[StockChange]:
    """The changes with the condition in which their node receives, where they name none.

    One statement, and none when all name theirs.
    """
    open_places = {change.node_id for change in changes if not change.condition}
    if not open_places:
        return list(changes)
    landing = receiving_conditions(open_places)
    return [
        change if change.condition else replace(change, condition=landing.get(change.node_id, ""))
        for change in changes
    ]


def receiving_conditions(node_ids: Collection[int]) -> dict[int, str]:
    """How what arrives lies at each node until somebody touches it."""
    nodes = Node.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=node_ids)
    return {
        node_id: (Condition.RECEIVING if puts_away else Condition.AVAILABLE).value
        for node_id, puts_away in nodes.values_list("pk", "puts_away")
    }


def _stale(book: Book, position: Position, change: StockChange) -> Outcome[ChangeAnswer] | None:
    """Why a change that names what it expects to find is refused, or None."""
    if change.expected_on_hand is None:
        return None
    found = sum(
        level.on_hand
        for level in book.levels_of(position, change.condition)
        if not change.lot or level.lot == change.lot
    )
    if found == change.expected_on_hand:
        return None
    return Outcome.refused(
        "stale", f"Not {change.expected_on_hand} but {found} lie there.", on_hand=found
    )


def _balanced(
    book: Book, level: Level, quantity: int, why: Why, counted_at: datetime, *, at: datetime
) -> UUID:
    """Write what a count or snapshot has seen already, with what takes it off again."""
    note = f"before the count of {counted_at:%Y-%m-%d %H:%M} UTC"
    counted = Why(MovementKind.SNAPSHOT, why.cause_kind, why.cause_id, note=note)
    if quantity > 0:
        movement_id = book.move(level, quantity, why, at=at)
        book.move(level, -quantity, counted, at=at)
        return movement_id
    book.move(level, -quantity, counted, at=at)
    return book.move(level, quantity, why, at=at)


def key_of(change: StockChange) -> PositionKey:
    owner_id = change.owner_id or change.account_id
    return PositionKey(change.account_id, change.node_id, change.sku_id, owner_id)


def refusals(changes: Sequence[StockChange], actor: Actor) -> list[Outcome[ChangeAnswer] | None]:
    """Why a change cannot be written, or None. Two statements; two more for a person."""
    refused = unknowns(changes, actor)
    if actor.kind is not ActorKind.USER:
        return refused
    large = limits.too_large(
        [(change.account_id, change.sku_id, change.quantity) for change in changes]
    )
    return [
        Outcome.refused("needs-approval", "So much takes two people: propose an adjustment.")
        if before is None and beyond and change.kind in _BY_HAND
        else before
        for change, before, beyond in zip(changes, refused, large, strict=True)
    ]


def unknowns(changes: Sequence[StockChange], actor: Actor) -> list[Outcome[ChangeAnswer] | None]:
    """Why a change cannot be a fact of ours, or None. Two statements."""
    accounts = accounts_of({change.sku_id for change in changes}, actor)
    nodes = nodes_in_scope({change.node_id for change in changes}, actor)
    return [_refusal(change, accounts, nodes) for change in changes]


def accounts_of(sku_ids: Collection[int], actor: Actor) -> dict[int, UUID]:
    """The account of each stock-kept SKU within the actor's scope."""
    # One array: `IN` with thousands of parameters is taken apart one by one.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, account_id FROM inventory_sku WHERE id = ANY(%s) AND kind = %s "
            "AND (%s OR account_id = ANY(%s))",
            [
                list(sku_ids),
                SkuKind.STOCK.value,
                actor.scope.everything,
                sorted(actor.scope.account_ids),
            ],
        )
        return dict(cursor.fetchall())


def nodes_in_scope(node_ids: Collection[int], actor: Actor) -> set[int]:
    return set(
        Node.objects.for_scope(actor.scope).filter(pk__in=node_ids).values_list("pk", flat=True)
    )


def require_node(node_id: int, actor: Actor) -> None:
    """Raise NotFound for a node that the actor's accounts do not use."""
    if node_id not in nodes_in_scope([node_id], actor):
        raise NotFound("There is no such node.")


def _refusal(
    change: StockChange, accounts: dict[int, UUID], nodes: set[int]
) -> Outcome[ChangeAnswer] | None:
    external_id, source = change.external_id, change.source
    if change.node_id not in nodes:
        why = "unknown-node", "There is no such node."
    elif accounts.get(change.sku_id) != change.account_id:
        why = "unknown-sku", "The account keeps no stock of this SKU."
    elif change.kind not in CHANGE_KINDS:
        why = "unknown-kind", f"No kind of change {change.kind!r}."
    elif change.condition not in _CONDITIONS:
        why = "unknown-condition", f"No condition {change.condition!r}."
    elif not change.quantity:
        why = "no-units", "A change is of at least one unit."
    elif external_id and not source:
        why = "no-source", "An external id needs its source."
    elif len(external_id) > EXTERNAL_ID_LENGTH or len(source) > SOURCE_LENGTH:
        why = "too-long", "The source or its external id is too long."
    else:
        return None
    return Outcome.refused(*why)
