"""Out of which lots units leave: those that were named, those that are bound, then first to expire."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from config.kernel import case_reports
from inventory.bindings import Bindings
from inventory.ledger import Book
from inventory.models import Reservation
from inventory.states import Condition
from inventory.stock_rows import Level, Position


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Units left in another lot than was bound, or in one that lay on hold."""

    reservation: Reservation
    position: Position
    lot: str
    units: int
    held: bool


class Draws:
    """The levels that one issue of a reservation draws on, in order, and how much of each.

    What is bound to others is drawn last of all: a fact wins over a binding, which then wants
    another lot.
    """

    def __init__(
        self,
        book: Book,
        position: Position,
        bindings: Bindings,
        row: Reservation,
        named: Sequence[tuple[str, int]],
        quantity: int,
    ) -> None:
        self.parts: list[tuple[Level, int]] = []
        self.default = book.level(position)
        self.mismatches: list[Mismatch] = []
        self._drawn: dict[int, int] = {}
        self._bindings, self._row, self._left = bindings, row, quantity
        bound = dict(bindings.of(row.id))
        for lot, units in named:
            self._name(book, position, lot, units, bound)
        levels = book.levels_of(position)
        for level in levels:
            self._draw(level, bound.get(level.id or 0, 0))
        for level in levels:
            self._draw(level, level.on_hand - level.allocated)
        for level in levels:
            self._draw(level, level.on_hand)

    def _name(
        self, book: Book, position: Position, lot: str, units: int, bound: dict[int, int]
    ) -> None:
        """The node says which lot it was: wherever of it there is, on sale or not."""
        left = min(units, self._left)
        for condition in (Condition.AVAILABLE, Condition.QUALITY_HOLD):
            for level in book.levels_of(position, condition):
                if level.lot != lot or not left:
                    continue
                part = self._draw(level, left)
                left -= part
                spare = part - bound.get(level.id or 0, 0)
                held = condition != Condition.AVAILABLE
                if part and (held or (bound and spare > 0)):
                    self.mismatches.append(Mismatch(self._row, position, lot, part, held))
        if left:
            self.default = book.level(position, lot=lot)

    def _draw(self, level: Level, most: int) -> int:
        """Up to so many units of the level, of what this issue has left of it."""
        key = id(level)
        part = min(self._left, most, level.on_hand - self._drawn.get(key, 0))
        if part <= 0:
            return 0
        self.parts.append((level, part))
        self._drawn[key] = self._drawn.get(key, 0) + part
        self._left -= part
        self._bindings.use(self._row.id, level.id, part)
        return part


def report_mismatches(found: Sequence[Mismatch], *, at: datetime) -> None:
    """One case per reservation whose units left in the wrong lot."""
    case_reports.report(
        [
            case_reports.Report(
                "LOT_MISMATCH",
                "position",
                one.position.subject,
                one.position.key.account_id,
                {"node_id": one.position.key.node_id, "sku_id": one.position.key.sku_id}
                | {"lot": one.lot, "units": one.units, "held": one.held},
                cause=f"lot:{one.lot}",
                thread_id=one.reservation.thread_id,
            )
            for one in found
        ],
        at=at,
    )
