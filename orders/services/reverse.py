"""A shipment that never went out is taken back: units, invoice and what was asked for it.

Runs inside the caller's transaction, which has locked the orders (`units.lock_orders`).
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from config.kernel.services import owned_intents
from config.kernel.types import ALL_ACCOUNTS, Actor
from orders.billing import across_tenders
from orders.models import Capture
from orders.services import money
from orders.services.settle import told_of
from orders.services.sheet import Sheet, open_sheet
from orders.services.tenders import TenderInHand, Tenders, write_asked
from orders.states import CaptureState
from orders.types import ShippedUnits

MONEY_WAS_ASKED = (
    "Its money was asked of the provider already. Ship it, or have it come back and refund it."
)


def reverse_shipments(
    units: Sequence[ShippedUnits], *, at: datetime, actor: Actor
) -> dict[UUID, str]:
    """Take shipped units back: underway → released, a credit note per parcel.

    A capture that nobody has sent yet is withdrawn; where the money was asked for already, nothing
    of the order is taken back. Answers the orders refused so, with the reason.
    """
    if not units:
        return {}
    rehearsal = open_sheet({one.order_id for one in units})
    _take_back(rehearsal, units, at=at)
    unasked = _unasked(rehearsal)
    too_late = {
        order_id: MONEY_WAS_ASKED
        for order_id, own in money.tenders_of(rehearsal, list(rehearsal.orders)).items()
        if any(
            over > sum(capture.amount_minor for capture in unasked.get(tender.id, ()))
            for tender, over in _asked_beyond(rehearsal, order_id, own)
        )
    }
    rest = [one for one in units if one.order_id not in too_late]
    if rest:
        _reverse(rest, unasked, at=at, actor=actor)
    return too_late


def _reverse(
    units: Sequence[ShippedUnits],
    unasked: dict[UUID, list[Capture]],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    sheet = open_sheet({one.order_id for one in units})
    tenders = money.tenders_of(sheet, list(sheet.orders))
    credited = _take_back(sheet, units, at=at)
    for (order_id, parcel_id), amount in credited.items():
        lines = {str(o.line_id): o.quantity for o in units if o.parcel_id == parcel_id}
        sheet.tell(
            order_id,
            "order.shipment_reversed",
            {"parcel_id": str(parcel_id), "lines": lines, "credited_minor": amount},
        )
    withdrawn = _withdraw(sheet, tenders, unasked, at=at)
    asked = money.ask(sheet, tenders, at=at)
    sheet.write(at=at, actor=actor, reason="shipment reversed")
    if withdrawn:
        keys = [money.key_of(money.CAPTURE, capture.id) for capture in withdrawn]
        owned_intents.withdraw(money.CAPTURE, keys, why="the shipment was taken back")
    asked.send(at=at, actor=actor)


def _take_back(
    sheet: Sheet, units: Sequence[ShippedUnits], *, at: datetime
) -> dict[tuple[UUID, UUID], int]:
    """Move the units on the sheet and credit them; answers the amount per order and parcel."""
    by_parcel: dict[tuple[UUID, UUID], list[ShippedUnits]] = {}
    for one in units:
        by_parcel.setdefault((one.order_id, one.parcel_id), []).append(one)
    credited = {}
    for (order_id, parcel_id), own in by_parcel.items():
        for one in own:
            sheet.move(one.line_id, "underway", "released", one.quantity)
        sheet.unfollow(order_id)
        credited[order_id, parcel_id] = money.credit_changes(
            sheet, order_id, at=at, parcel_id=parcel_id
        )
    return credited


def _unasked(sheet: Sheet) -> dict[UUID, list[Capture]]:
    """Captures by tender, the newest first, that are kept from the workers from now on."""
    requested = list(
        Capture.objects.for_scope(ALL_ACCOUNTS)
        .of_orders(sheet.orders)
        .filter(state=CaptureState.REQUESTED)
        .order_by("-pk")
    )
    keys = {capture.id: money.key_of(money.CAPTURE, capture.id) for capture in requested}
    held = owned_intents.lock_unasked(money.CAPTURE, list(keys.values())) if keys else set()
    found: dict[UUID, list[Capture]] = {}
    for capture in requested:
        if keys[capture.id] in held:
            found.setdefault(capture.tender_id, []).append(capture)
    return found


def _asked_beyond(
    sheet: Sheet, order_id: UUID, tenders: Sequence[TenderInHand]
) -> list[tuple[TenderInHand, int]]:
    """What was asked of each of our tenders beyond what is invoiced now. Prepaid money is not."""
    shares = across_tenders(
        sheet.orders[order_id].invoiced_minor, [tender.amount_minor for tender in tenders]
    )
    return [
        (tender, over)
        for tender, share in zip(tenders, shares, strict=True)
        if tender.is_ours and (over := tender.captured_minor - max(share, tender.advance_minor)) > 0
    ]


def _withdraw(
    sheet: Sheet, tenders: Tenders, unasked: dict[UUID, list[Capture]], *, at: datetime
) -> list[Capture]:
    """Withdraw captures until nothing is asked beyond what is invoiced; what is missing then is
    asked for anew.
    """
    withdrawn: list[Capture] = []
    for order_id, own in tenders.items():
        for tender, over in _asked_beyond(sheet, order_id, own):
            left = over
            for capture in unasked.get(tender.id, ()):
                if left <= 0:
                    break
                left -= capture.amount_minor
                capture.withdraw(at=at)
                tender.give_back_room(capture.authorization_id, capture.amount_minor)
                sheet.tell(order_id, "payment.capture_withdrawn", told_of(capture))
                withdrawn.append(capture)
    write_asked(sheet, Capture, [(capture, CaptureState.REQUESTED.value) for capture in withdrawn])
    return withdrawn
