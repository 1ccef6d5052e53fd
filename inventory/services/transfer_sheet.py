"""Transfers that a command has locked: moved in memory, written and told at once."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.kernel import events
from config.kernel.errors import IllegalTransition
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from inventory.models import Transfer, TransferLine
from inventory.selectors.moves import reserved_units
from inventory.stock_rows import PositionKey
from inventory.types import TransferAnswer

KIND: Final = "transfer"
_STORED: Final = (
    "state", "reference", "eta_at", "inbound", "approved_at", "approved_by_name", "released_at",
    "shipped_at", "received_at", "closed_at", "cancel_reason", "event_seq",
)  # fmt: skip
_COUNTED: Final = ("shipped", "received", "damaged", "missing", "inbound_line")

Answer = Outcome[TransferAnswer]


class TransferSheet:
    """Locked transfers with their lines, and what is refused of them."""

    def __init__(self, rows: Iterable[Transfer], lines: Iterable[TransferLine]) -> None:
        self.rows = {row.pk: row for row in rows}
        self.lines = {line.pk: line for line in lines}
        self.lines_of: dict[UUID, list[TransferLine]] = {key: [] for key in self.rows}
        for line in self.lines.values():
            self.lines_of[line.transfer_id].append(line)
        self.refused: dict[UUID, Answer] = {}
        self._facts: dict[UUID, tuple[str, Mapping[str, Any]]] = {}
        self._counted: dict[UUID, TransferLine] = {}

    @classmethod
    def open(cls, transfer_ids: Collection[UUID], actor: Actor) -> "TransferSheet":
        """Lock the transfers by id and read their lines: two statements.

        Those outside the actor's scope are refused as not found.
        """
        wanted = set(transfer_ids)
        rows = list(Transfer.objects.for_scope(actor.scope).locked(wanted))
        lines = TransferLine.objects.for_scope(ALL_ACCOUNTS).filter(transfer__in=rows)
        sheet = cls(rows, lines.order_by("pk"))
        for key in wanted - sheet.rows.keys():
            sheet.refuse(key, "not-found", "There is no such transfer.")
        return sheet

    def refuse(self, transfer_id: UUID, code: str, detail: str, **extra: Any) -> None:
        """Leave the transfer as it is, and say why."""
        self.refused[transfer_id] = Outcome.refused(code, detail, **extra)

    def move(self, transfer_id: UUID, transition: Callable[[Transfer], None]) -> bool:
        """Make the transition in memory; refuse the transfer where it is illegal now."""
        if transfer_id in self.refused:
            return False
        row = self.rows[transfer_id]
        try:
            transition(row)
        except IllegalTransition as error:
            self.refuse(transfer_id, "conflict", error.detail, state=str(row.state))
            return False
        return True

    def alive(self) -> list[Transfer]:
        """The transfers that are not refused, by id."""
        return [row for key, row in sorted(self.rows.items()) if key not in self.refused]

    def open_lines(self) -> list[TransferLine]:
        """The lines of the transfers that are not refused."""
        return [line for row in self.alive() for line in self.lines_of[row.pk]]

    def touch(self, line: TransferLine) -> None:
        self._counted[line.pk] = line

    def tell(self, row: Transfer, topic: str, **extra: Any) -> None:
        """Write the transfer with the rest of the sheet, under this event."""
        self._facts[row.pk] = (topic, extra)

    def write(self, *, at: datetime, actor: Actor) -> None:
        """Put down what was told, with history and events; four statements at most."""
        told = [self.rows[key] for key in self._facts if key not in self.refused]
        for row in told:
            row.event_seq += 1
        Transfer.objects.for_scope(ALL_ACCOUNTS).bulk_update(told, _STORED)
        counted = [one for one in self._counted.values() if one.transfer_id not in self.refused]
        TransferLine.objects.for_scope(ALL_ACCOUNTS).bulk_update(counted, _COUNTED)
        record_history(Transfer, [row.pk for row in told], Change.CHANGED, at=at, actor=actor)
        events.record(
            [fact(row, self._facts[row.pk][0], **self._facts[row.pk][1]) for row in told],
            at=at,
            actor=actor,
        )

    def answers(self, transfer_ids: Sequence[UUID]) -> list[Answer]:
        """One outcome per transfer, in the order given. One statement."""
        reserved = reserved_units(list(self.lines))
        return [
            self.refused.get(key)
            or Outcome.done(answer(self.rows[key], self.lines_of[key], reserved))
            for key in transfer_ids
        ]


def fact(row: Transfer, topic: str, **extra: Any) -> events.Fact:
    return events.Fact(
        topic,
        KIND,
        row.pk,
        row.event_seq,
        row.account_id,
        {"number": row.number, "source_id": row.source_id, "destination_id": row.destination_id}
        | extra,
        thread_id=row.thread_id,
    )


def answer(
    row: Transfer, lines: Sequence[TransferLine], reserved: Mapping[UUID, int]
) -> TransferAnswer:
    return TransferAnswer(
        row.pk,
        row.number,
        str(row.state),
        reserved=sum(reserved.get(line.pk, 0) for line in lines),
        shipped=sum(line.shipped for line in lines),
        received=sum(line.received for line in lines),
    )


def position_key(account_id: UUID, node_id: int, sku_id: int) -> PositionKey:
    """Transfers move the account's own stock."""
    return PositionKey(account_id, node_id, sku_id, account_id)
