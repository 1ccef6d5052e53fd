"""Transfers are drafted, approved, released, cancelled and closed; `transfer_moves` does the rest."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from config.kernel import events, external_keys, ids
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Outcome
from inventory import selectors
from inventory.models import Transfer, TransferClaim, TransferLine
from inventory.selectors.moves import reserved_units
from inventory.services import limits
from inventory.services.changes import accounts_of, nodes_in_scope
from inventory.services.numbers import next_numbers
from inventory.services.reservations import release
from inventory.services.take import lock_positions, take
from inventory.services.transfer_sheet import (
    Answer,
    TransferSheet,
    answer,
    fact,
)
from inventory.states import TransferClaimState, TransferPurpose
from inventory.types import Portion, TransferAnswer, TransferDraft, Want

_SCOPE: Final = "transfer"


@transaction.atomic
def draft_transfers(drafts: Sequence[TransferDraft], *, at: datetime, actor: Actor) -> list[Answer]:
    """Write down what one node shall send to another. One outcome per draft, in the order given.

    Refused is what names no known node, SKU or purpose, or no units. A draft with
    (source, external_id) is taken once; a repeat is answered with the first as it stands.
    """
    refusals = _refusals(drafts, actor)
    known = [draft for draft, refusal in zip(drafts, refusals, strict=True) if refusal is None]
    rows = _rows(known, at=at, actor=actor)
    named = {
        row.pk: external_keys.Claim(
            draft.source, f"{draft.account_id.hex}:{draft.external_id}", row.pk
        )
        for draft, row in zip(known, rows, strict=True)
        if draft.external_id
    }
    owners = dict(zip(named, external_keys.claim(_SCOPE, list(named.values())), strict=True))
    fresh = [
        (draft, row)
        for draft, row in zip(known, rows, strict=True)
        if owners.get(row.pk, row.pk) == row.pk
    ]
    lines = _lines(fresh)
    Transfer.objects.bulk_create([row for _, row in fresh])
    TransferLine.objects.bulk_create([line for found in lines.values() for line in found])
    made = [row.pk for _, row in fresh]
    record_history(Transfer, made, Change.CREATED, at=at, actor=actor)
    events.record([fact(row, "transfer.drafted") for _, row in fresh], at=at, actor=actor)
    answers = {row.pk: answer(row, lines[row.pk], {}) for _, row in fresh}
    answers |= _standing({owner for owner in owners.values() if owner not in lines})
    told = iter(
        Outcome.done(answers[row.pk])
        if row.pk in lines
        else Outcome.repeated(answers[owners[row.pk]])
        for row in rows
    )
    return [refusal or next(told) for refusal in refusals]


@transaction.atomic
def approve_transfers(transfer_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Answer]:
    """Let drafts go ahead. Above the account's limit whoever drafted it may not approve it."""
    sheet = TransferSheet.open(transfer_ids, actor)
    large = limits.too_large_together(
        {
            row.pk: [(line.sku_id, line.requested) for line in sheet.lines_of[row.pk]]
            for row in sheet.alive()
        },
        {row.pk: row.account_id for row in sheet.alive()},
    )
    for row in sheet.alive():
        own = row.drafted_by == actor.id and actor.kind is not ActorKind.SYSTEM
        if own and row.pk in large:
            sheet.refuse(row.pk, "same-person", "Another person has to approve it.")
        elif sheet.move(row.pk, lambda one: one.approve(name=actor.name, at=at)):
            sheet.tell(row, "transfer.approved")
    sheet.write(at=at, actor=actor)
    return sheet.answers(transfer_ids)


@transaction.atomic
def release_transfers(transfer_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Answer]:
    """Reserve at the source what is free of what is asked for, the highest priority first.

    May be repeated for what was not free before. A transfer of which nothing can be had is
    refused and stays as it was.
    """
    sheet = TransferSheet.open(transfer_ids, actor)
    for row in sheet.alive():
        sheet.move(row.pk, lambda one: one.release(at=at))
    reserved = reserved_units([line.pk for line in sheet.open_lines()])
    taken = _reserve(sheet, reserved, at=at, actor=actor)
    for row in sheet.alive():
        lines = sheet.lines_of[row.pk]
        if not taken[row.pk] and not any(reserved.get(line.pk) for line in lines):
            sheet.refuse(row.pk, "nothing-free", "The source has nothing free of it.")
        else:
            sheet.tell(row, "transfer.released", units=taken[row.pk])
    sheet.write(at=at, actor=actor)
    return sheet.answers(transfer_ids)


@transaction.atomic
def cancel_transfers(
    transfer_ids: Sequence[UUID], reason: str, *, at: datetime, actor: Actor
) -> list[Answer]:
    """Drop transfers of which nothing has left; what they had reserved is free again."""
    sheet = TransferSheet.open(transfer_ids, actor)
    for row in sheet.alive():
        if sheet.move(row.pk, lambda one: one.cancel(reason=reason, at=at)):
            sheet.tell(row, "transfer.cancelled", reason=reason)
    give_back([line.pk for line in sheet.open_lines()], "transfer cancelled", at=at, actor=actor)
    sheet.write(at=at, actor=actor)
    return sheet.answers(transfer_ids)


@transaction.atomic
def close_transfers(transfer_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Answer]:
    """End received transfers. Refused while a claim of theirs is open."""
    sheet = TransferSheet.open(transfer_ids, actor)
    claimed = set(
        TransferClaim.objects.for_scope(ALL_ACCOUNTS)
        .filter(line__transfer__in=list(sheet.rows), state=TransferClaimState.OPEN)
        .values_list("line__transfer_id", flat=True)
    )
    for row in sheet.alive():
        if row.pk in claimed:
            sheet.refuse(row.pk, "open-claims", "Settle or withdraw its claims first.")
        elif sheet.move(row.pk, lambda one: one.close(at=at)):
            sheet.tell(row, "transfer.closed")
    sheet.write(at=at, actor=actor)
    return sheet.answers(transfer_ids)


def give_back(line_ids: Sequence[UUID], reason: str, *, at: datetime, actor: Actor) -> int:
    """Free what is still reserved for these lines, whose transfers the caller holds: the units."""
    claims = selectors.claims_of(line_ids)
    portions = [Portion(claim.id, claim.open) for held in claims.values() for claim in held]
    if portions:
        release(portions, reason, at=at, actor=actor)
    return sum(portion.quantity for portion in portions)


@transaction.atomic
def cover_transfers(limit: int, *, at: datetime, actor: Actor) -> int:
    """Where a position is short, transfers give up their units before any order does.

    Of several the lowest priority and the youngest first. Answers the units given up.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT line.transfer_id FROM inventory_shortfallwork work
            JOIN inventory_reservation claim ON claim.position_id = work.position_id
                AND claim.state = 'reserved'
            JOIN inventory_transferline line ON line.id = claim.demand_id
            WHERE work.done_at IS NULL ORDER BY 1 LIMIT %s
            """,
            [limit],
        )
        transfer_ids = [row[0] for row in cursor.fetchall()]
    if not transfer_ids:
        return 0
    sheet = TransferSheet.open(transfer_ids, actor)
    claims = [claim for held in selectors.claims_of(list(sheet.lines)).values() for claim in held]
    lock_positions([], [claim.id for claim in claims])
    left = selectors.shortfalls({claim.position_id for claim in claims if claim.position_id})
    portions, cut = [], Counter[UUID]()
    claims.sort(key=lambda claim: (claim.priority, -claim.at.timestamp(), -claim.id.int))
    for claim in claims:
        if part := min(claim.open, left.get(claim.position_id or 0, 0)):
            portions.append(Portion(claim.id, part))
            left[claim.position_id or 0] -= part
            cut[sheet.lines[claim.demand_id].transfer_id] += part
    release(portions, "shortfall", at=at, actor=actor)
    for key, units in cut.items():
        sheet.tell(sheet.rows[key], "transfer.shorted", units=units)
    sheet.write(at=at, actor=actor)
    return sum(cut.values())


def _reserve(
    sheet: TransferSheet, reserved: dict[UUID, int], *, at: datetime, actor: Actor
) -> Counter[UUID]:
    """Take what is free for the lines of the sheet; answers the units per transfer."""
    rows = sorted(sheet.alive(), key=lambda row: (-row.priority, row.drafted_at, row.pk))
    skus = {line.sku_id for line in sheet.open_lines()}
    nodes = {row.source_id for row in rows}
    lock_positions([view.id for view in selectors.supply(skus, nodes).values()])
    supply = selectors.supply(skus, nodes)
    free = {view.id: view.free for view in supply.values()}
    wants = []
    for row in rows:
        for line in sheet.lines_of[row.pk]:
            view = supply.get((row.source_id, line.sku_id))
            missing = line.requested - line.shipped - reserved.get(line.pk, 0)
            if view is None or (part := min(missing, free[view.id])) <= 0:
                continue
            free[view.id] -= part
            wants.append(
                Want(
                    position_id=view.id,
                    sku_id=line.sku_id,
                    node_id=row.source_id,
                    quantity=part,
                    demand_id=line.pk,
                    thread_id=row.pk,
                    account_id=row.account_id,
                    priority=row.priority,
                )
            )
    units: Counter[UUID] = Counter()
    for one in take(wants, at=at, actor=actor).taken:
        units[one.want.thread_id] += one.want.quantity
    return units


def _refusals(drafts: Sequence[TransferDraft], actor: Actor) -> list[Answer | None]:
    accounts = accounts_of({line.sku_id for draft in drafts for line in draft.lines}, actor)
    nodes = nodes_in_scope(
        {node for draft in drafts for node in (draft.source_id, draft.destination_id)}, actor
    )
    refused: list[Answer | None] = []
    for draft in drafts:
        checks = [
            (
                {draft.source_id, draft.destination_id} <= nodes,
                "unknown-node",
                "There is no such node.",
            ),
            (
                draft.source_id != draft.destination_id,
                "same-node",
                "A transfer is between two nodes.",
            ),
            (
                all(accounts.get(line.sku_id) == draft.account_id for line in draft.lines),
                "unknown-sku",
                "The account keeps no stock of a SKU.",
            ),
            (
                bool(draft.lines) and all(line.quantity > 0 for line in draft.lines),
                "no-units",
                "A transfer is of at least one unit.",
            ),
            (
                draft.purpose in TransferPurpose.values,
                "unknown-purpose",
                f"No purpose {draft.purpose!r}.",
            ),
            (
                bool(draft.source) or not draft.external_id,
                "no-source",
                "An external id needs its source.",
            ),
        ]
        refused.append(
            next((Outcome.refused(code, said) for holds, code, said in checks if not holds), None)
        )
    return refused


def _rows(drafts: Sequence[TransferDraft], *, at: datetime, actor: Actor) -> list[Transfer]:
    numbers = next_numbers("T", "inventory_transfer_number", len(drafts)) if drafts else []
    return [
        Transfer(
            id=ids.uuid7(),
            number=number,
            account_id=draft.account_id,
            source_id=draft.source_id,
            destination_id=draft.destination_id,
            purpose=draft.purpose,
            priority=draft.priority,
            note=draft.note,
            eta_at=draft.eta_at,
            thread_id=draft.thread_id,
            drafted_at=at,
            drafted_by=actor.id,
            drafted_by_name=actor.name,
            event_seq=1,
        )
        for draft, number in zip(drafts, numbers, strict=True)
    ]


def _lines(fresh: Sequence[tuple[TransferDraft, Transfer]]) -> dict[UUID, list[TransferLine]]:
    return {
        row.pk: [
            TransferLine(
                id=ids.uuid7(),
                account_id=row.account_id,
                transfer=row,
                sku_id=line.sku_id,
                requested=line.quantity,
                demand_id=line.demand_id,
            )
            for line in draft.lines
        ]
        for draft, row in fresh
    }


def _standing(transfer_ids: set[UUID]) -> dict[UUID, TransferAnswer]:
    """How transfers that were drafted before stand now. Three statements, and none for none."""
    if not transfer_ids:
        return {}
    rows = Transfer.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=transfer_ids)
    found = TransferLine.objects.for_scope(ALL_ACCOUNTS).filter(transfer__in=transfer_ids)
    sheet = TransferSheet(rows, found)
    reserved = reserved_units(list(sheet.lines))
    return {key: answer(row, sheet.lines_of[key], reserved) for key, row in sheet.rows.items()}
