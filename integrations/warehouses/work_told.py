"""What warehouses tell of work, given to fulfillment's commands: one call per kind of fact."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from config.kernel.types import Actor, Outcome
from fulfillment import services
from fulfillment.nodework import WorkLine
from fulfillment.states import FulfillmentState
from fulfillment.types import (
    Acknowledgement,
    Content,
    LotUnits,
    Pack,
    Pick,
    Rejection,
    RequestAnswer,
    Shipment,
    Short,
)
from integrations import connections
from integrations.warehouses import pickups_told
from integrations.warehouses.reports import (
    Answered,
    Box,
    OfWork,
    Packed,
    Picked,
    Rejected,
    Shipped,
    TakenOn,
    ToldShort,
    Units,
)
from integrations.warehouses.telling import Came, Told, of, settle, when, work_of

SNAPSHOT: str = "stock"
"""The watermark of the last snapshot, among the connection's cursors."""

Parcels = dict[tuple[UUID, str], UUID]


def apply(told: Sequence[Told], *, at: datetime, actor: Actor) -> None:
    """Have all that is told of work take effect, in the order in which work is done."""
    known = []
    for one in told:
        if not isinstance(one.report, OfWork):
            continue
        if one.work is None or one.work.account_id not in actor.scope.account_ids:
            one.work = None
            one.become(Came.WAITS, "no-order", f"{one.report.order} is not known at this node.")
        else:
            known.append(one)
    _take_on(known, at=at, actor=actor)
    _pick(known, at=at, actor=actor)
    _fall_short(known, at=at, actor=actor)
    _reject(known, at=at, actor=actor)
    # A change is agreed to before the parcel is closed; what is freed, whenever it is told.
    _answer(told, at=at, actor=actor, changes=True)
    parcels = _pack(known, at=at, actor=actor)
    _ship(known, parcels, at=at, actor=actor)
    pickups_told.apply(known, at=at, actor=actor)
    _answer(told, at=at, actor=actor, changes=False)


def _settle_unless_over(one: Told, outcome: Outcome[Any]) -> None:
    """As `settle`; of work that both sides have given up nothing more is said."""
    if outcome.problem is not None and work_of(one).state == FulfillmentState.CANCELLED:
        one.become(Came.SAME)
    else:
        settle(one, outcome)


def _lines(one: Told, units: Iterable[Units]) -> list[tuple[WorkLine, Units]]:
    """The lines that the units name; a place that the order does not have differs."""
    lines = work_of(one).lines
    found = []
    for part in units:
        if part.place in lines:
            found.append((lines[part.place], part))
        else:
            one.differ("no-line", f"The order has no line {part.place}.", line=part.place)
    return found


def _take_on(told: Sequence[Told], *, at: datetime, actor: Actor) -> None:
    answers: list[tuple[Told, Acknowledgement]] = []
    for one, report in of(told, TakenOn):
        contents = []
        for line, part in _lines(one, report.units):
            if part.quantity > line.requested:
                one.differ(
                    "over-acknowledged",
                    f"{part.quantity} are taken on where {line.requested} were asked for.",
                    line=line.place,
                )
            contents.append(Content(line.id, min(part.quantity, line.requested)))
        if report.units and not contents:
            continue
        answers.append(
            (
                one,
                Acknowledgement(
                    work_of(one).id, report.reference[:64], tuple(contents), report.expected_at
                ),
            )
        )
    if answers:
        outcomes = services.acknowledge(
            [answer for _, answer in answers], at=when((o for o, _ in answers), at), actor=actor
        )
        for (one, _), outcome in zip(answers, outcomes, strict=True):
            _settle_unless_over(one, outcome)


def _pick(told: Sequence[Told], *, at: datetime, actor: Actor) -> None:
    picks: list[tuple[Told, Pick]] = []
    for one, report in of(told, Picked):
        for line, part in _lines(one, report.units):
            if part.quantity > line.requested:
                one.differ(
                    "over-picked",
                    f"{part.quantity} are picked where {line.requested} were asked for.",
                    line=line.place,
                )
            # A pick that is told late names units that fell short or were cancelled since.
            picks.append((one, Pick(line.id, min(part.quantity, line.within), _lots(part))))
    if picks:
        outcomes = services.record_picks(
            [pick for _, pick in picks], at=when((one for one, _ in picks), at), actor=actor
        )
        for (one, _), outcome in zip(picks, outcomes, strict=True):
            settle(one, outcome)


def _fall_short(told: Sequence[Told], *, at: datetime, actor: Actor) -> None:
    shorts = [
        (one, Short(line.id, part.quantity, part.reason))
        for one, report in of(told, ToldShort)
        for line, part in _lines(one, report.units)
    ]
    if shorts:
        outcomes = services.report_shorts(
            [short for _, short in shorts], at=when((one for one, _ in shorts), at), actor=actor
        )
        for (one, _), outcome in zip(shorts, outcomes, strict=True):
            settle(one, outcome)


def _reject(told: Sequence[Told], *, at: datetime, actor: Actor) -> None:
    items: list[tuple[Told, Rejection]] = []
    for one, report in of(told, Rejected):
        work = work_of(one)
        if not report.places:
            items.append((one, Rejection(work.id, report.reason)))
        for line, _ in _lines(one, (Units(place, 0) for place in report.places)):
            items.append((one, Rejection(work.id, report.reason, line.id)))
    if items:
        outcomes = services.reject(
            [item for _, item in items], at=when((one for one, _ in items), at), actor=actor
        )
        for (one, _), outcome in zip(items, outcomes, strict=True):
            _settle_unless_over(one, outcome)


def _pack(told: Sequence[Told], *, at: datetime, actor: Actor) -> Parcels:
    """Close what is told to be closed, and what left without that; answer every parcel by its id."""
    parcels: Parcels = {
        (work_of(one).id, external_id): pk
        for one in told
        for external_id, pk in work_of(one).parcels.items()
    }
    packs: list[tuple[Told, Pack]] = []
    asked: set[tuple[UUID, str]] = set()
    closed = [(one, report.box) for one, report in of(told, Packed)]
    left = [(one, report.box) for one, report in of(told, Shipped)]
    for one, box in [*closed, *left]:
        work, key = work_of(one), (work_of(one).id, box.id[:64])
        contents = [
            Content(line.id, part.quantity, _lots(part)) for line, part in _lines(one, box.units)
        ]
        if key in parcels or not contents or (isinstance(one.report, Shipped) and key in asked):
            continue
        asked.add(key)
        packs.append((one, Pack(work.id, tuple(contents), box.weight_grams, key[1])))
    if packs:
        outcomes = services.record_packs(
            [pack for _, pack in packs], at=when((one for one, _ in packs), at), actor=actor
        )
        for (one, pack), outcome in zip(packs, outcomes, strict=True):
            settle(one, outcome)
            if outcome.value is not None and outcome.value.parcel_ids:
                parcels[pack.fulfillment_order_id, pack.external_id] = outcome.value.parcel_ids[0]
    return parcels


def _ship(told: Sequence[Told], parcels: Parcels, *, at: datetime, actor: Actor) -> None:
    shipments: list[tuple[Told, Shipment]] = []
    for one, report in of(told, Shipped):
        parcel_id = parcels.get((work_of(one).id, report.box.id[:64]))
        if parcel_id is not None:
            shipments.append((one, _shipment(parcel_id, report.box)))
        elif one.came is not Came.DISAGREES:
            one.become(Came.WAITS, "no-parcel", "Nothing was told of this parcel's contents.")
    if not shipments:
        return
    seen = _snapshots({one.ref.id for one, _ in shipments})
    # What left before the last snapshot is in its number already, and is recorded as of then.
    before = [pair for pair in shipments if _is_before(pair[0], seen)]
    after = [pair for pair in shipments if not _is_before(pair[0], seen)]
    for group in (before, after):
        outcomes = (
            services.confirm_shipments(
                [shipment for _, shipment in group],
                at=when((one for one, _ in group), at),
                actor=actor,
            )
            if group
            else []
        )
        for (one, _), outcome in zip(group, outcomes, strict=True):
            settle(one, outcome)


def _shipment(parcel_id: UUID, box: Box) -> Shipment:
    return Shipment(parcel_id, box.tracking_number, box.carrier, told=True)


def _lots(part: Units) -> tuple[LotUnits, ...]:
    return tuple(
        LotUnits(each.lot, each.quantity, each.serial, each.expires_on) for each in part.lots
    )


def _snapshots(connection_ids: Iterable[UUID]) -> dict[UUID, datetime]:
    kept = {key: connections.cursor_of(key, SNAPSHOT) for key in connection_ids}
    return {
        key: datetime.fromisoformat(found["as_of"])
        for key, found in kept.items()
        if found and found.get("as_of")
    }


def _is_before(one: Told, seen: dict[UUID, datetime]) -> bool:
    return one.ref.id in seen and one.report.at < seen[one.ref.id]


def _answer(told: Sequence[Told], *, at: datetime, actor: Actor, changes: bool) -> None:
    answers: list[tuple[Told, RequestAnswer]] = []
    for one, report in of(told, Answered):
        if one.thread_id is None:
            one.become(Came.WAITS, "no-request", "No such question was asked of this node.")
        elif one.of_change is changes:
            answers.append((one, RequestAnswer(report.request, report.granted, report.note)))
    if answers:
        outcomes = services.answer_requests(
            [answer for _, answer in answers], at=when((one for one, _ in answers), at), actor=actor
        )
        for (one, _), outcome in zip(answers, outcomes, strict=True):
            settle(one, outcome)
