"""Buffers kept equal to their rules: applied when a rule changes, when its time comes, and for new positions.

Never worked out inside the take: it reads the one number that stands on the position.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import islice
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from config.kernel.errors import Invalid
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.buffers import (
    Demand,
    RuleBook,
    changed_positions,
    demand_for,
    rule_book,
    write_buffers,
    write_terms,
)
from inventory.ledger import Book
from inventory.models import BufferRule, PositionSafety, RuleRun, Sku
from inventory.services.changes import accounts_of, nodes_in_scope
from inventory.services.publishing import touch
from inventory.states import RuleState, SkuKind
from inventory.stock_rows import PositionKey
from inventory.types import BufferChange

CHUNK: Final = 200
"""SKUs whose positions are locked at once."""

NIGHTLY: Final = time(2)
"""When days of cover are worked out anew, UTC; shares of what may be sold are so each hour."""

_MARGIN = 10_000
"""Positions looked at again: one with a lower id may have been committed later."""


@dataclass(frozen=True, slots=True)
class Applied:
    """How many positions got another buffer, and SKUs whose figures that or a threshold moved."""

    positions: int
    skus: int


def apply_buffer_rules(
    account_id: UUID, sku_ids: Collection[int] | None, *, at: datetime, actor: Actor
) -> Applied:
    """Give positions the buffer and channels the thresholds that the rules in force come to.

    Of these SKUs, or of all (None). Each two hundred are a transaction of their own of six
    statements at most; only positions that change are locked.
    """
    book = rule_book(account_id, at)
    demand = demand_for(book, at)
    wanted = sorted(set(sku_ids)) if sku_ids is not None else _skus_of(account_id)
    positions, moved = 0, 0
    for chunk in _chunks(wanted):
        changed, skus = _apply(book, demand, chunk, at=at)
        positions += changed
        moved += skus
    return Applied(positions, moved)


@transaction.atomic
def _apply(
    book: RuleBook, demand: Demand, sku_ids: Sequence[int], *, at: datetime
) -> tuple[int, int]:
    terms = write_terms(book, sku_ids)
    touch(terms, at=at)
    moved = set(terms)
    if changed := changed_positions(book, demand, sku_ids):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM inventory_stockposition WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
                [changed],
            )
        moved |= write_buffers(book, demand, sku_ids, changed, at=at)
    return len(changed), len(moved)


def apply_due(limit: int, *, at: datetime, actor: Actor) -> int:
    """Apply the rules of accounts for which it is time, and to positions that are new.

    Returns how many SKUs were looked at; of new ones at most `limit` in one turn.
    """
    looked = 0
    for run in list(RuleRun.objects.order_by("account_id")):
        if run.due_at <= at:
            apply_buffer_rules(run.account_id, None, at=at, actor=actor)
            RuleRun.objects.filter(pk=run.pk, due_at=run.due_at).update(
                due_at=_next_due(run.account_id, at), applied_at=at
            )
        skus, last = _new_positions(run, limit)
        if skus:
            apply_buffer_rules(run.account_id, skus, at=at, actor=actor)
            looked += len(skus)
        if last > run.last_position:
            RuleRun.objects.filter(pk=run.pk).update(last_position=last)
    return looked


def rules_changed(account_id: UUID, sku_ids: Collection[int], *, at: datetime) -> None:
    """Have the account's rules applied: to these SKUs now where they are few, else by the next step."""
    few = len(sku_ids) <= CHUNK
    rules_due(account_id, at=_next_due(account_id, at) if few else at)
    if few and sku_ids:
        book = rule_book(account_id, at)
        _apply(book, demand_for(book, at), sorted(sku_ids), at=at)


def rules_due(account_id: UUID, *, at: datetime) -> None:
    """Have the account's rules applied to everything at this time, or before. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_rulerun AS known (account_id, due_at, last_position)
            VALUES (%s, %s, 0)
            ON CONFLICT (account_id) DO UPDATE SET due_at = least(known.due_at, excluded.due_at)
            """,
            [account_id, at],
        )


@transaction.atomic
def set_buffers(
    changes: Sequence[BufferChange], *, at: datetime, actor: Actor
) -> list[Outcome[int]]:
    """Set the safety stock of positions by hand: it stands above every rule until it is given up.

    The outcome's value is the position's id. A haircut of the node comes on top.
    """
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
    safety: dict[int, tuple[UUID, int]] = {}
    outcomes: list[Outcome[int]] = []
    for change, key in zip(changes, keys, strict=True):
        if key is None:
            outcomes.append(Outcome.refused("unknown-place", "There is no such node or SKU."))
            continue
        position_id = book.by_key[key].id
        safety[position_id] = key.account_id, change.buffer
        outcomes.append(Outcome.done(position_id))
    _keep_by_hand(safety, at=at)
    return outcomes


def give_up_buffers(position_ids: Collection[int], *, at: datetime, actor: Actor) -> int:
    """Let the rules decide again where a buffer was set by hand; returns how many there were."""
    rows = PositionSafety.objects.for_scope(actor.scope).filter(
        position_id__in=position_ids, rule=None
    )
    found = list(rows.order_by("position_id").values_list("account_id", "position__sku_id"))
    if not found:
        return 0
    with transaction.atomic():
        given_up = [row.pk for row in rows.order_by("position_id").select_for_update(of=("self",))]
        PositionSafety.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=given_up, rule=None).delete()
    for account_id in sorted({account_id for account_id, _ in found}):
        skus = [sku_id for account, sku_id in found if account == account_id]
        apply_buffer_rules(account_id, skus, at=at, actor=actor)
    return len(given_up)


def _keep_by_hand(safety: dict[int, tuple[UUID, int]], *, at: datetime) -> None:
    """Write safety set by hand, to positions that the transaction has locked. Two statements."""
    positions = list(safety)
    accounts = [account_id for account_id, _ in safety.values()]
    units = [units for _, units in safety.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inventory_positionsafety (position_id, account_id, rule_id, units, at)
            SELECT set.position_id, set.account_id, NULL, set.units, %s
            FROM unnest(%s::bigint[], %s::uuid[], %s::bigint[])
                AS set (position_id, account_id, units)
            ON CONFLICT (position_id) DO UPDATE
            SET rule_id = NULL, units = excluded.units, at = excluded.at
            """,
            [at, positions, accounts, units],
        )
        cursor.execute(
            """
            UPDATE inventory_stockposition p SET buffer = set.units + p.haircut
            FROM unnest(%s::bigint[], %s::bigint[]) AS set (position_id, units)
            WHERE p.id = set.position_id
            """,
            [positions, units],
        )


def _new_positions(run: RuleRun, limit: int) -> tuple[set[int], int]:
    """SKUs that have got positions since the last turn, and how far was looked."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, sku_id, id > %s FROM inventory_stockposition
            WHERE id > %s - %s AND account_id = %s ORDER BY id LIMIT %s
            """,
            [run.last_position, run.last_position, _MARGIN, run.account_id, _MARGIN + limit],
        )
        rows = cursor.fetchall()
    fresh = {sku_id for _, sku_id, is_new in rows if is_new}
    return fresh, max([run.last_position, *(row[0] for row in rows)])


def _next_due(account_id: UUID, at: datetime) -> datetime:
    """When the account's rules come to something else by themselves."""
    rules = BufferRule.objects.for_scope(ALL_ACCOUNTS).filter(
        account_id=account_id, state=RuleState.LIVE
    )
    moments = [at + timedelta(days=1)]
    for row in rules:
        moments += [moment for moment in (row.starts_at, row.ends_at) if moment and moment > at]
        if row.safety_percent:
            moments.append(at + timedelta(hours=1))
        if row.cover_days:
            tonight = at.replace(hour=NIGHTLY.hour, minute=0, second=0, microsecond=0)
            moments.append(tonight if tonight > at else tonight + timedelta(days=1))
    return min(moments)


def _skus_of(account_id: UUID) -> list[int]:
    found = Sku.objects.for_scope(ALL_ACCOUNTS).filter(account_id=account_id, kind=SkuKind.STOCK)
    return list(found.order_by("pk").values_list("pk", flat=True))


def _chunks(sku_ids: Iterable[int]) -> Iterable[list[int]]:
    left = iter(sku_ids)
    while chunk := list(islice(left, CHUNK)):
        yield chunk
