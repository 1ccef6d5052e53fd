"""Lots and serials that the node names: kept from the pick into the parcel, checked before it leaves."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

import inventory.selectors
import inventory.services
from config.kernel import case_reports
from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment.models import FulfillmentLine, Parcel, ParcelLine, TracedUnits
from fulfillment.services.work import Work
from fulfillment.types import Content, LotUnits, Pick
from inventory.states import SerialState
from inventory.types import SerialSeen

Dates = Mapping[tuple[int, str], tuple[int, str, date | None]]
_ACTIVE = "active"


def trace_picks(work: Work, picks: Sequence[Pick], *, at: datetime, actor: Actor) -> None:
    """Keep the lots and serials that picks name: totals so far, so that a repeat changes nothing.

    No statement where none is named.
    """
    named = [pick for pick in picks if pick.lots and pick.line_id in work.lines]
    if not named:
        return
    known: defaultdict[tuple[UUID, str, str], int] = defaultdict(int)
    for row in _traced(line_ids=[pick.line_id for pick in named]):
        known[row.line_id, row.lot, row.serial] += row.quantity
    fresh = []
    for pick in named:
        line = work.lines[pick.line_id]
        for units in pick.lots:
            more = units.quantity - known[line.pk, units.lot, units.serial]
            if more > 0:
                known[line.pk, units.lot, units.serial] += more
                fresh.append(_row(line, units, more, None, at=at))
    _insert(fresh, state=SerialState.PICKED, at=at, actor=actor)


@dataclass(slots=True)
class Packing:
    """What of the units picked and named so far goes into the parcels that are being closed."""

    loose: dict[UUID, list[TracedUnits]]
    moved: list[TracedUnits] = field(default_factory=list)
    fresh: list[TracedUnits] = field(default_factory=list)

    @classmethod
    def of(cls, line_ids: Collection[UUID]) -> "Packing":
        """One statement."""
        loose: defaultdict[UUID, list[TracedUnits]] = defaultdict(list)
        for row in _traced(line_ids=line_ids):
            if row.parcel_id is None:
                loose[row.line_id].append(row)
        return cls(loose)

    def put(
        self,
        line: FulfillmentLine,
        content: Content,
        parcel_id: UUID,
        *,
        at: datetime,
    ) -> None:
        """Units of the line lie in the parcel now: those that are named, else those picked first."""
        left = content.quantity
        for units in content.lots:
            part = min(left, units.quantity)
            left -= part
            rest = self._draw(line, part, parcel_id, units)
            if rest:
                self.fresh.append(_row(line, units, rest, parcel_id, at=at))
        if not content.lots:
            self._draw(line, left, parcel_id, None)

    def _draw(
        self, line: FulfillmentLine, quantity: int, parcel_id: UUID, like: LotUnits | None
    ) -> int:
        """Move up to so many units that were picked into the parcel; how many are still missing."""
        left = quantity
        for row in self.loose.get(line.pk, ()):
            fits = like is None or (row.lot, row.serial) == (like.lot or row.lot, like.serial)
            if row.parcel_id is not None or not fits or not left:
                continue
            part = min(left, row.quantity)
            left -= part
            if part < row.quantity:
                row.quantity -= part
                split = TracedUnits(
                    account_id=row.account_id,
                    line_id=row.line_id,
                    parcel_id=parcel_id,
                    sku_id=row.sku_id,
                    lot=row.lot,
                    expires_on=row.expires_on,
                    quantity=part,
                    verified=row.verified,
                    at=row.at,
                )
                self.fresh.append(split)
            else:
                row.parcel_id = parcel_id
            if row not in self.moved:
                self.moved.append(row)
        return left

    def write(self, *, at: datetime, actor: Actor) -> None:
        """After the parcels were written."""
        if self.moved:
            TracedUnits.objects.for_scope(ALL_ACCOUNTS).bulk_update(
                self.moved, ["parcel", "quantity"]
            )
        _insert(self.fresh, state=SerialState.PICKED, at=at, actor=actor)


def unpack(parcel_ids: Collection[UUID]) -> None:
    """Parcels were opened: what lay in them is picked, and named still."""
    if parcel_ids:
        TracedUnits.objects.for_scope(ALL_ACCOUNTS).filter(parcel_id__in=list(parcel_ids)).update(
            parcel_id=None
        )


@dataclass(frozen=True, slots=True)
class Traces:
    """The lots and serials in parcels that are about to leave, and what the law misses of them."""

    rows: Mapping[tuple[UUID, UUID], Sequence[TracedUnits]]
    missing: Mapping[UUID, Sequence[str]]

    def lots(self, parcel_id: UUID, line_id: UUID) -> tuple[tuple[str, int], ...]:
        """(lot, units) of a line in a parcel, where they are named."""
        units: defaultdict[str, int] = defaultdict(int)
        for row in self.rows.get((parcel_id, line_id), ()):
            if row.lot:
                units[row.lot] += row.quantity
        return tuple(units.items())


NOTHING = Traces({}, {})


def traces_of(
    work: Work, parcels: Iterable[Parcel], inside: Mapping[UUID, Sequence[ParcelLine]]
) -> Traces:
    """What is known of the lots in these parcels. No statement where no SKU is kept track of."""
    wanted = [
        (parcel, content)
        for parcel in parcels
        for content in inside[parcel.pk]
        if getattr(content, "is_traced", True)
    ]
    if not wanted:
        return NOTHING
    sku_ids = {work.lines[content.line_id].sku_id for _, content in wanted}
    tracked = inventory.selectors.tracked_skus(sku_ids)
    rows: defaultdict[tuple[UUID, UUID], list[TracedUnits]] = defaultdict(list)
    for row in _traced(parcel_ids={parcel.pk for parcel, _ in wanted}):
        if row.parcel_id is not None:
            rows[row.parcel_id, row.line_id].append(row)
    dates = _dates(row for found in rows.values() for row in found)
    missing: defaultdict[UUID, list[str]] = defaultdict(list)
    for parcel, content in wanted:
        line = work.lines[content.line_id]
        _, by_serial, by_law = tracked.get(line.sku_id, (False, False, False))
        found = rows[parcel.pk, line.pk]
        if by_law:
            missing[parcel.pk] += _missing(content, found, dates, by_serial=by_serial)
        missing[parcel.pk] += _stopped(found, dates)
    return Traces(rows, {key: words for key, words in missing.items() if words})


def _missing(
    content: ParcelLine, rows: Sequence[TracedUnits], dates: Dates, *, by_serial: bool
) -> list[str]:
    """What the law asks for of units that leave and nobody has recorded, in words."""
    units = content.quantity + content.excess
    words = []
    if (short := units - sum(row.quantity for row in rows if row.lot)) > 0:
        words.append(f"the lot of {short} of {units}")
    if by_serial and (short := units - sum(1 for row in rows if row.serial)) > 0:
        words.append(f"the serial number of {short} of {units}")
    for row in rows:
        _, state, expires_on = dates.get((row.sku_id, row.lot), (0, "", None))
        if row.lot and not state:
            words.append(f"lot {row.lot} in our books")
        elif row.lot and expires_on is None and row.expires_on is None:
            words.append(f"the expiry of lot {row.lot}")
        elif row.lot and row.expires_on and expires_on and row.expires_on != expires_on:
            words.append(f"one expiry of lot {row.lot}: {row.expires_on} or {expires_on}")
    return words


def _stopped(rows: Sequence[TracedUnits], dates: Dates) -> list[str]:
    """Lots that may go to nobody: held, recalled, expired."""
    return [
        f"leave to send lot {row.lot}, which is {dates[row.sku_id, row.lot][1]}"
        for row in rows
        if (row.sku_id, row.lot) in dates and dates[row.sku_id, row.lot][1] != _ACTIVE
    ]


def leave(
    work: Work, traces: Traces, parcels: Sequence[Parcel], *, at: datetime, actor: Actor
) -> None:
    """The parcels left: verify what was recorded, and report what the law misses."""
    rows = [row for found in traces.rows.values() for row in found]
    if rows:
        good = [row.pk for row in rows if row.parcel_id not in traces.missing]
        TracedUnits.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=good).update(verified=True)
        _see(rows, SerialState.SHIPPED, at=at, actor=actor)
    case_reports.report(
        [
            case_reports.Report(
                "TRACE_MISSING",
                "parcel",
                parcel.pk,
                parcel.account_id,
                evidence={"parcel": parcel.number, "missing": list(traces.missing[parcel.pk])},
                cause=f"node:{work.orders[parcel.fulfillment_order_id].node_id}",
                thread_id=work.orders[parcel.fulfillment_order_id].order_id,
            )
            for parcel in parcels
            if parcel.pk in traces.missing
        ],
        at=at,
    )


def _traced(
    *, line_ids: Collection[UUID] = (), parcel_ids: Collection[UUID] = ()
) -> list[TracedUnits]:
    every = TracedUnits.objects.for_scope(ALL_ACCOUNTS).order_by("pk")
    if parcel_ids:
        return list(every.filter(parcel_id__in=list(parcel_ids)))
    return list(every.filter(line_id__in=list(line_ids)))


def _dates(rows: Iterable[TracedUnits]) -> Dates:
    pairs = {(row.sku_id, row.lot) for row in rows if row.lot}
    return inventory.selectors.lot_dates(pairs) if pairs else {}


def _row(
    line: FulfillmentLine, units: LotUnits, quantity: int, parcel_id: UUID | None, *, at: datetime
) -> TracedUnits:
    return TracedUnits(
        account_id=line.account_id,
        line_id=line.pk,
        parcel_id=parcel_id,
        sku_id=line.sku_id,
        lot=units.lot,
        serial=units.serial,
        expires_on=units.expires_on,
        quantity=1 if units.serial else quantity,
        at=at,
    )


def _insert(rows: Sequence[TracedUnits], *, state: SerialState, at: datetime, actor: Actor) -> None:
    if not rows:
        return
    TracedUnits.objects.for_scope(ALL_ACCOUNTS).bulk_create(rows)
    _see(rows, state, at=at, actor=actor)


def _see(rows: Iterable[TracedUnits], state: SerialState, *, at: datetime, actor: Actor) -> None:
    inventory.services.see_serials(
        [
            SerialSeen(
                row.account_id,
                row.sku_id,
                row.serial,
                state.value,
                "parcel" if row.parcel_id else "fulfillment_line",
                row.parcel_id or row.line_id,
                row.lot,
            )
            for row in rows
            if row.serial
        ],
        at=at,
        actor=actor,
    )
