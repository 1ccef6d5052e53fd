"""The goods of transfers leave one node and arrive at the other, in parts, whole or not."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from config.kernel import external_keys, ids
from config.kernel.errors import NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory import selectors
from inventory.ledger import Book
from inventory.models import Inbound, InboundLine, Transfer, TransferLine
from inventory.selectors.moves import reserved_units
from inventory.services.changes import apply_changes, as_received
from inventory.services.issue import issue_transferred
from inventory.services.transfer_claims import settle_received
from inventory.services.transfer_lots import change_of, landings
from inventory.services.transfer_sheet import (
    KIND,
    Answer,
    TransferSheet,
    position_key,
)
from inventory.services.transfers import give_back
from inventory.states import Condition, InboundKind, TransferState
from inventory.types import (
    ChangeAnswer,
    IssuedPortion,
    MovedUnits,
    ReceivedLine,
    TransferReceipt,
    TransferShipment,
)

TRANSIT: Final = timedelta(days=3)
"""How long goods are expected to travel where nobody has said when they arrive."""
_RELIABILITY: Final = 95
_SCOPE: Final = "transfer-receipt"


@transaction.atomic
def ship_transfers(
    shipments: Sequence[TransferShipment], *, at: datetime, actor: Actor
) -> list[Answer]:
    """Units left their source: reserved ones first; what nobody had reserved left as well.

    They are expected at the destination from now on. One outcome per shipment, in the order
    given; refused is a transfer that is not released, and a line that is not its own.
    """
    sheet = TransferSheet.open({one.transfer_id for one in shipments}, actor)
    moved = _checked(sheet, [(one.transfer_id, one.units) for one in shipments])
    for one in shipments:
        _mark_shipped(sheet, one, at=at)
    moved = _alive(sheet, moved)
    units = _sums(moved)
    for line_id, quantity in units.items():
        sheet.lines[line_id].shipped += quantity
        sheet.touch(sheet.lines[line_id])
    _expect(sheet, units, at=at, actor=actor)
    _lock_source(sheet, moved)
    _issue(sheet, units, _lots_told(moved), at=at, actor=actor)
    ended = {one.transfer_id for one in shipments if one.last} - sheet.refused.keys()
    given_up = [line.pk for key in ended for line in sheet.lines_of[key]]
    give_back(given_up, "not shipped", at=at, actor=actor)
    for row in sheet.alive():
        told = sum(units.get(line.pk, 0) for line in sheet.lines_of[row.pk])
        sheet.tell(row, "transfer.shipped", units=told)
    sheet.write(at=at, actor=actor)
    return sheet.answers([one.transfer_id for one in shipments])


@transaction.atomic
def receive_transfers(
    receipts: Sequence[TransferReceipt], *, at: datetime, actor: Actor
) -> list[Answer]:
    """Units arrived at their destination, whole or damaged, in the lots in which they left.

    A transfer of which nothing is under way any more is received; without a difference it is
    closed at once, with one it has claims and a case. More than left is received as well. One
    outcome per receipt; refused is a transfer that has not shipped or is closed.
    """
    sheet = TransferSheet.open({one.transfer_id for one in receipts}, actor)
    moved = _checked(sheet, [(one.transfer_id, one.units) for one in receipts])
    for row in sheet.alive():
        if row.state not in (TransferState.SHIPPED, TransferState.RECEIVED):
            sheet.refuse(row.pk, "conflict", f"The transfer is {row.state}.", state=str(row.state))
    moved = _told_first(sheet, _alive(sheet, moved))
    changes = as_received(landings(sheet, moved))
    for line, came in moved:
        line.received += came.quantity
        line.damaged += came.damaged
        line.missing -= min(line.missing, came.quantity + came.damaged)
        sheet.touch(line)
    for key in {one.transfer_id for one in receipts if one.last} - sheet.refused.keys():
        for line in sheet.lines_of[key]:
            line.missing += line.under_way
            sheet.touch(line)
    _arrive(sheet, moved, at=at, actor=actor)
    settle_received(sheet, at=at, actor=actor)
    sheet.write(at=at, actor=actor)
    apply_changes(changes, at=at, actor=actor)
    return sheet.answers([one.transfer_id for one in receipts])


def receive_as_transfer(
    inbound_id: int, received: Sequence[ReceivedLine], *, at: datetime, actor: Actor
) -> list[Outcome[ChangeAnswer]] | None:
    """Receive what arrived for the inbound of a transfer; None where it is no transfer's.

    In the caller's transaction, before the inbound is locked.
    """
    transfer = Transfer.objects.for_scope(actor.scope).filter(inbound=inbound_id).first()
    if transfer is None:
        return None
    lines = TransferLine.objects.for_scope(ALL_ACCOUNTS).filter(transfer=transfer)
    line_ids = {line.inbound_line_id: line.pk for line in lines}
    if unknown := {one.inbound_line_id for one in received} - line_ids.keys():
        raise NotFound(f"The inbound has no line {min(unknown)}.")
    units = []
    for one in received:
        broken = one.condition == Condition.DAMAGED
        whole, damaged = (0, one.quantity) if broken else (one.quantity, 0)
        line_id = line_ids[one.inbound_line_id]
        units.append(MovedUnits(line_id, whole, damaged, one.lot, one.expires_on, one.external_id))
    receipt = TransferReceipt(transfer.pk, tuple(units))
    (outcome,) = receive_transfers([receipt], at=at, actor=actor)
    return [Outcome(outcome.kind, None, outcome.problem) for _ in received]


Moved = list[tuple[TransferLine, MovedUnits]]


def _checked(sheet: TransferSheet, told: Sequence[tuple[UUID, Sequence[MovedUnits]]]) -> Moved:
    """The lines and units that are told; a transfer of which one makes no sense is refused."""
    moved: Moved = []
    for key, units in told:
        for one in units:
            line = sheet.lines.get(one.line_id)
            if line is None or line.transfer_id != key:
                sheet.refuse(key, "unknown-line", "The transfer has no such line.")
            elif min(one.quantity, one.damaged) < 0 or one.quantity + one.damaged == 0:
                sheet.refuse(key, "no-units", "Units are counted from one.")
            else:
                moved.append((line, one))
    return moved


def _alive(sheet: TransferSheet, moved: Moved) -> Moved:
    return [(line, one) for line, one in moved if line.transfer_id not in sheet.refused]


def _told_first(sheet: TransferSheet, moved: Moved) -> Moved:
    """Without the units that the destination has told before, under the same external id."""
    claims = {
        index: external_keys.Claim(
            sheet.rows[line.transfer_id].number, one.external_id, ids.uuid7()
        )
        for index, (line, one) in enumerate(moved)
        if one.external_id
    }
    owners = external_keys.claim(_SCOPE, list(claims.values()))
    repeated = {
        index
        for (index, claim), owner in zip(claims.items(), owners, strict=True)
        if owner != claim.subject_id
    }
    return [told for index, told in enumerate(moved) if index not in repeated]


def _sums(moved: Moved) -> Counter[UUID]:
    """Units per line."""
    units: Counter[UUID] = Counter()
    for line, one in moved:
        units[line.pk] += one.quantity
    return units


def _mark_shipped(sheet: TransferSheet, one: TransferShipment, *, at: datetime) -> None:
    if one.transfer_id in sheet.refused:
        return
    eta_at = one.eta_at or sheet.rows[one.transfer_id].eta_at or at + TRANSIT
    if not one.units:
        sheet.refuse(one.transfer_id, "no-units", "Nothing has left.")
        return
    sheet.move(one.transfer_id, lambda row: row.ship(eta_at=eta_at, reference=one.reference, at=at))


def _lock_source(sheet: TransferSheet, moved: Moved) -> None:
    """Lock every position and level that the shipment touches before any reservation."""
    keys = {
        position_key(line.account_id, sheet.rows[line.transfer_id].source_id, line.sku_id)
        for line, _ in moved
    }
    if keys:
        Book.open_for(keys)


def _issue(
    sheet: TransferSheet,
    wanted: Mapping[UUID, int],
    lots: Mapping[UUID, list[tuple[str, int]]],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """Take the units off the book: out of the lines' reservations, and what is beyond them."""
    units = dict(wanted)
    portions = []
    for line_id, claims in selectors.claims_of(list(units)).items():
        for claim in claims:
            if part := min(claim.open, units[line_id]):
                transfer_id = sheet.lines[line_id].transfer_id
                named = tuple(_cut(lots.get(line_id, []), part))
                portions.append(IssuedPortion(claim.id, part, KIND, transfer_id, named))
                units[line_id] -= part
    if portions:
        issue_transferred(portions, at=at, actor=actor)
    apply_changes(
        [
            replace(change_of(sheet, line, -part, source_id), lot=lot)
            for line_id, left in units.items()
            if left
            for line, source_id in [_at_source(sheet, line_id)]
            for lot, part in _with_rest(_cut(lots.get(line_id, []), left), left)
        ],
        at=at,
        actor=actor,
    )


def _at_source(sheet: TransferSheet, line_id: UUID) -> tuple[TransferLine, int]:
    line = sheet.lines[line_id]
    return line, sheet.rows[line.transfer_id].source_id


def _lots_told(moved: Moved) -> dict[UUID, list[tuple[str, int]]]:
    """The lots that were named for the units of each line."""
    lots: dict[UUID, list[tuple[str, int]]] = {}
    for line, one in moved:
        if one.lot:
            lots.setdefault(line.pk, []).append((one.lot, one.quantity))
    return lots


def _cut(lots: list[tuple[str, int]], units: int) -> list[tuple[str, int]]:
    """Take up to so many units out of the named lots, in their order."""
    taken = []
    while units and lots:
        lot, there = lots.pop(0)
        part = min(units, there)
        taken.append((lot, part))
        if there > part:
            lots.insert(0, (lot, there - part))
        units -= part
    return taken


def _with_rest(lots: list[tuple[str, int]], units: int) -> list[tuple[str, int]]:
    """The lots, and what is left of the units without one."""
    left = units - sum(part for _, part in lots)
    return [*lots, ("", left)] if left else lots


def _expect(sheet: TransferSheet, units: Mapping[UUID, int], *, at: datetime, actor: Actor) -> None:
    """What has left is an inbound of the destination, one per transfer."""
    fresh = [row for row in sheet.alive() if row.inbound_id is None]
    made = Inbound.objects.bulk_create(
        [
            Inbound(
                account_id=row.account_id,
                number=row.number,
                node_id=row.destination_id,
                kind=InboundKind.TRANSFER,
                source=KIND,
                at=at,
            )
            for row in fresh
        ]
    )
    for row, inbound in zip(fresh, made, strict=True):
        row.inbound = inbound
    record_history(Inbound, [one.pk for one in made], Change.CREATED, at=at, actor=actor)
    _expect_lines(sheet, units, at=at)


def _expect_lines(sheet: TransferSheet, units: Mapping[UUID, int], *, at: datetime) -> None:
    """Raise what is expected of the lines; those that ship for the first time get theirs."""
    lines = [sheet.lines[line_id] for line_id in units]
    known = InboundLine.objects.in_bulk(
        [line.inbound_line_id for line in lines if line.inbound_line_id]
    )
    for line in lines:
        row = sheet.rows[line.transfer_id]
        if (expected := known.get(line.inbound_line_id or 0)) is not None:
            expected.expected += units[line.pk]
            expected.eta_at = row.eta_at or at
    InboundLine.objects.bulk_update(list(known.values()), ["expected", "eta_at"])
    first = [line for line in lines if line.inbound_line_id is None]
    made = InboundLine.objects.bulk_create(
        [
            InboundLine(
                inbound=sheet.rows[line.transfer_id].inbound,
                sku_id=line.sku_id,
                expected=units[line.pk],
                eta_at=sheet.rows[line.transfer_id].eta_at or at,
                reliability_percent=_RELIABILITY,
            )
            for line in first
        ]
    )
    for line, expected in zip(first, made, strict=True):
        line.inbound_line = expected


def _arrive(sheet: TransferSheet, moved: Moved, *, at: datetime, actor: Actor) -> None:
    """The inbound of the destination has received what came; whole transfers end it."""
    units: Counter[int] = Counter()
    for line, one in moved:
        if line.inbound_line_id is not None:
            units[line.inbound_line_id] += one.quantity + one.damaged
    known = InboundLine.objects.in_bulk(list(units))
    for pk, expected in known.items():
        expected.received += units[pk]
    InboundLine.objects.bulk_update(list(known.values()), ["received"])
    reserved = reserved_units([line.pk for line in sheet.open_lines()])
    pending = {row.inbound_id: row for row in sheet.alive() if row.inbound_id is not None}
    inbounds = Inbound.objects.for_scope(ALL_ACCOUNTS).locked(pending)
    changed = []
    for inbound in inbounds:
        row = pending[inbound.pk]
        lines = sheet.lines_of[row.pk]
        over = not any(line.under_way or reserved.get(line.pk) for line in lines)
        if over and row.state == TransferState.SHIPPED:
            row.receive(at=at)
            inbound.finish()
            changed.append(inbound)
        elif row.state == TransferState.SHIPPED:
            inbound.arrive()
            changed.append(inbound)
    Inbound.objects.for_scope(ALL_ACCOUNTS).bulk_update(changed, ["state"])
    record_history(
        Inbound, [one.pk for one in changed], Change.CHANGED, at=at, actor=actor, reason="received"
    )
