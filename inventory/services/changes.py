"""Physical facts about stock: what came, went, was sold or was counted. Never refused."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import external_keys, ids
from config.kernel.errors import Invalid, NotFound
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.ledger import Book
from inventory.models import Movement, Node, Sku
from inventory.services.landing import land
from inventory.states import CHANGE_KINDS, SELLABLE_CONDITIONS, Condition, MovementKind, SkuKind
from inventory.stock_rows import Level, PositionKey, Why
from inventory.types import BufferChange, ChangeAnswer, StockChange

_SCOPE = "stock"
EXTERNAL_ID_LENGTH, SOURCE_LENGTH = 200, 64


@transaction.atomic
def record_changes(
    changes: Sequence[StockChange], *, at: datetime, actor: Actor
) -> list[Outcome[ChangeAnswer]]:
    """Write each change to the ledger. One outcome per change, in the order given.

    What happened is never refused: units beyond the book leave a discrepancy and a case, units
    that were reserved a shortfall. Refused is only what names no known node, SKU or kind of
    change. A change with (source, external_id) happens once; a repeat has the first's answer.
    """
    outcomes = refusals(changes, actor)
    known = [index for index, refusal in enumerate(outcomes) if refusal is None]
    repeated = _repeated(changes, known)
    fresh = [index for index in known if index not in repeated]
    answers = apply_changes([changes[index] for index in fresh], at=at, actor=actor)
    done = dict(zip(fresh, map(Outcome.done, answers), strict=True))
    again = _first_answers([changes[index] for index in sorted(repeated)])
    ended: list[Outcome[ChangeAnswer]] = []
    for index, (change, refusal) in enumerate(zip(changes, outcomes, strict=True)):
        if refusal is not None:
            ended.append(refusal)
        elif index in done:
            ended.append(done[index])
        else:
            ended.append(Outcome.repeated(again[_name_of(change)]))
    return ended


def apply_changes(
    changes: Sequence[StockChange], *, at: datetime, actor: Actor
) -> list[ChangeAnswer]:
    """Write changes whose node, SKU and account are known, in the caller's transaction."""
    if not changes:
        return []
    book = Book.open_for({key_of(change) for change in changes})
    arrived: Counter[int] = Counter()
    answers = []
    for change in changes:
        position = book.by_key[key_of(change)]
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
        answers.append(ChangeAnswer(movement_id, position.id, level.on_hand))
    land(book, arrived)
    book.write(at=at, actor=actor)
    return answers


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


@transaction.atomic
def set_buffers(
    changes: Sequence[BufferChange], *, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Set the safety stock of positions; the outcome's value is the position's id."""
    accounts = accounts_of({change.sku_id for change in changes}, actor)
    nodes = nodes_in_scope({change.node_id for change in changes}, actor)
    keys: list[PositionKey | None] = []
    for change in changes:
        account_id = accounts.get(change.sku_id)
        if change.buffer < 0:
            raise Invalid("A buffer is zero or more.")
        if account_id is None or change.node_id not in nodes:
            keys.append(None)
        else:
            owner_id = change.owner_id or account_id
            keys.append(PositionKey(account_id, change.node_id, change.sku_id, owner_id))
    book = Book.open_for({key for key in keys if key is not None})
    outcomes: list[Outcome[int]] = []
    for change, key in zip(changes, keys, strict=True):
        if key is None:
            outcomes.append(Outcome.refused("unknown-place", "There is no such node or SKU."))
            continue
        position = book.by_key[key]
        position.buffer, position.touched = change.buffer, True
        outcomes.append(Outcome.done(position.id))
    book.write(at=at, actor=actor)
    return outcomes


def key_of(change: StockChange) -> PositionKey:
    owner_id = change.owner_id or change.account_id
    return PositionKey(change.account_id, change.node_id, change.sku_id, owner_id)


def refusals(changes: Sequence[StockChange], actor: Actor) -> list[Outcome[ChangeAnswer] | None]:
    """Why a change cannot be a fact of ours, or None. Two statements."""
    accounts = accounts_of({change.sku_id for change in changes}, actor)
    nodes = nodes_in_scope({change.node_id for change in changes}, actor)
    return [_refusal(change, accounts, nodes) for change in changes]


def accounts_of(sku_ids: Collection[int], actor: Actor) -> dict[int, UUID]:
    """The account of each stock-kept SKU within the actor's scope."""
    return dict(
        Sku.objects.for_scope(actor.scope)
        .filter(pk__in=sku_ids, kind=SkuKind.STOCK)
        .values_list("pk", "account_id")
    )


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
    checks = [
        (change.node_id in nodes, "unknown-node", "There is no such node."),
        (
            accounts.get(change.sku_id) == change.account_id,
            "unknown-sku",
            "The account keeps no stock of this SKU.",
        ),
        (change.kind in CHANGE_KINDS, "unknown-kind", f"No kind of change {change.kind!r}."),
        (
            change.condition in Condition.values,
            "unknown-condition",
            f"No condition {change.condition!r}.",
        ),
        (change.quantity != 0, "no-units", "A change is of at least one unit."),
        (bool(source) or not external_id, "no-source", "An external id needs its source."),
        (
            len(external_id) <= EXTERNAL_ID_LENGTH and len(source) <= SOURCE_LENGTH,
            "too-long",
            "The source or its external id is too long.",
        ),
    ]
    return next(
        (Outcome.refused(code, detail) for holds, code, detail in checks if not holds), None
    )


def _repeated(changes: Sequence[StockChange], known: Iterable[int]) -> set[int]:
    """Which of the known changes have happened before, or earlier in this batch."""
    named = [index for index in known if changes[index].external_id]
    claims = [
        external_keys.Claim(
            changes[index].source,
            # Two accounts may number their messages alike.
            f"{changes[index].account_id.hex}:{changes[index].external_id}",
            ids.uuid7(),
        )
        for index in named
    ]
    owners = external_keys.claim(_SCOPE, claims)
    return {
        index
        for index, claim, owner in zip(named, claims, owners, strict=True)
        if owner != claim.subject_id
    }


def _first_answers(
    repeats: Sequence[StockChange],
) -> dict[tuple[UUID, str, str], ChangeAnswer]:
    """What the first of each repeat was answered, from the ledger. One statement."""
    if not repeats:
        return {}
    found = (
        Movement.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            account_id__in={change.account_id for change in repeats},
            source__in={change.source for change in repeats},
            external_id__in={change.external_id for change in repeats},
        )
        .order_by("-id")
        .values_list("account_id", "source", "external_id", "id", "position_id", "balance")
    )
    return {row[:3]: ChangeAnswer(*row[3:]) for row in found}


def _name_of(change: StockChange) -> tuple[UUID, str, str]:
    return change.account_id, change.source, change.external_id
