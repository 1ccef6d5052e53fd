"""Notes: what someone writes down about an order, sealed, since it may name people."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel import ids, vault
from config.kernel.errors import Conflict, DomainError, Forbidden, Invalid
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders.models import OrderNote
from orders.services.sheet import open_sheet, visible
from orders.types import NoteDraft

LONGEST_NOTE = 5_000


@transaction.atomic
def add_notes(notes: Sequence[NoteDraft], *, at: datetime, actor: Actor) -> list[Outcome[UUID]]:
    """Keep each note on its order, in whatever state the order is."""
    sheet = open_sheet(note.order_id for note in notes)
    outcomes: list[Outcome[UUID]] = []
    kept: list[NoteDraft] = []
    for note in notes:
        try:
            visible(sheet, note.order_id, actor.scope)
            if not 0 < len(note.text.strip()) <= LONGEST_NOTE:
                raise Invalid(f"A note has between 1 and {LONGEST_NOTE:,} characters.")
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        kept.append(note)
        outcomes.append(Outcome.done(note.order_id))
    for note, key in zip(kept, vault.new_keys(len(kept)), strict=True):
        row = {
            "id": ids.uuid7(),
            "order_id": note.order_id,
            "account_id": sheet.orders[note.order_id].account_id,
            "key_id": key.id,
            "sealed": vault.seal(key.id, {"text": note.text.strip()}),
            "author": actor.name[:120],
            "at": at,
        }
        sheet.insert(OrderNote, row)
        sheet.tell(note.order_id, "order.note_added", {"note_id": str(row["id"])})
    sheet.write(at=at, actor=actor, reason="note added")
    return outcomes


@transaction.atomic
def withdraw_notes(note_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Outcome[UUID]]:
    """Unwrite the actor's own notes: their keys are destroyed, and nobody reads them again."""
    found = OrderNote.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=list(note_ids))
    sheet = open_sheet(set(found.values_list("order_id", flat=True)))
    notes = {note.pk: note for note in found.select_related("key")}
    outcomes: list[Outcome[UUID]] = []
    gone: list[UUID] = []
    for note_id in note_ids:
        note = notes.get(note_id)
        try:
            order_id = note.order_id if note else note_id
            visible(sheet, order_id, actor.scope)
            if note is None or note.author != actor.name[:120]:
                raise Forbidden("Only who wrote a note may withdraw it.")
            if note.key is None or note.key.erased_at is not None:
                raise Conflict("The note is gone already.")
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail))
            continue
        gone.append(note.key_id)
        outcomes.append(Outcome.done(note_id))
        sheet.tell(order_id, "order.note_withdrawn", {"note_id": str(note_id)})
    vault.destroy_keys(gone, at=at)
    sheet.write(at=at, actor=actor, reason="note withdrawn")
    return outcomes
