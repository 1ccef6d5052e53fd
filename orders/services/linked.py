"""Orders that follow from another: the exchange of what came back, the reship of what was lost.

Runs inside the caller's transaction, which has locked the first order. The new one is captured
here, and accepted by the sweeper like any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from config.kernel import ids, vault
from config.kernel.errors import Conflict, DomainError, NotFound
from config.kernel.money import Money
from config.kernel.types import ALL_ACCOUNTS, Actor, Outcome
from orders.models import DeliveryGroup, Order, OrderLink
from orders.selectors.release import opened_address
from orders.services.capture import capture_orders
from orders.states import CollectedBy, DocumentKind, FulfilledBy, Method
from orders.types import (
    Address,
    CapturedOrder,
    GroupDraft,
    LineDraft,
    LinkedOrder,
    OrderDraft,
    Party,
    StatedTotals,
    TenderDraft,
)

_FORGOTTEN = "Its buyer was erased: nobody knows where it should go."


@dataclass(frozen=True, slots=True)
class _Origin:
    """What the new order takes over from the first."""

    order: Order
    group: DeliveryGroup


def place_linked(
    wanted: Sequence[LinkedOrder], *, at: datetime, actor: Actor
) -> list[Outcome[CapturedOrder]]:
    """Capture an exchange or reship order per item, once per cause. One outcome each, in order.

    It goes where the first order's group went. What is carried from a credit note has paid for it;
    what it costs beyond that waits for the buyer's payment. A repeat answers with the first.
    """
    if not wanted:
        return []
    groups = {
        group.pk: _Origin(group.order, group)
        for group in DeliveryGroup.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=[one.group_id for one in wanted])
        .select_related(
            "order__billing_contact", "contact", "service_level", "pickup_node", "order__channel"
        )
    }
    refused: dict[int, Outcome[CapturedOrder]] = {}
    drafts: dict[int, OrderDraft] = {}
    for place, one in enumerate(wanted):
        try:
            drafts[place] = _draft_of(one, groups, at=at, actor=actor)
        except DomainError as refusal:
            refused[place] = Outcome.refused(refusal.code, refusal.detail)
    captured = dict(
        zip(drafts, capture_orders(list(drafts.values()), at=at, actor=actor), strict=True)
    )
    _link(wanted, drafts, captured, at=at)
    return [refused.get(place) or captured[place] for place in range(len(wanted))]


def _draft_of(
    one: LinkedOrder, groups: Mapping[UUID, _Origin], *, at: datetime, actor: Actor
) -> OrderDraft:
    """The order to be captured. Raises the refusal."""
    origin = groups.get(one.group_id)
    if (
        origin is None
        or origin.order.pk != one.origin_id
        or not actor.scope.allows(origin.order.account_id)
    ):
        raise NotFound("There is no such order.")
    order, group = origin.order, origin.group
    if not one.lines:
        raise Conflict("An order has at least one line.")
    due = sum(line.price_minor * line.quantity for line in one.lines)
    return OrderDraft(
        id=ids.uuid7(),
        channel_id=order.channel_id,
        account_id=order.account_id,
        brand_id=order.brand_id,
        external_id=f"{one.kind}-{one.cause_id}",
        external_number=order.external_number,
        document_kind=one.kind,
        currency=order.currency,
        tax_inclusive=True,
        placed_at=at,
        customer=_buyer_of(order),
        groups=(
            GroupDraft(
                lines=_lines(one, order.currency),
                method=group.method if group.method == Method.PICKUP else Method.SHIP.value,
                fulfilled_by=FulfilledBy.US.value,
                address=_address_of(group),
                pickup_node_code=group.pickup_node.code if group.pickup_node else None,
                service_level_code=group.service_level.code if group.service_level else None,
            ),
        ),
        tenders=_tenders(one, due),
        totals=StatedTotals(total_minor=due),
        tags=(one.kind,),
        customer_tags=tuple(order.customer_tags),
    )


def _lines(one: LinkedOrder, currency: str) -> tuple[LineDraft, ...]:
    return tuple(
        LineDraft(
            external_id=str(place),
            sku_code=line.sku_code,
            quantity=line.quantity,
            title=line.title,
            unit_price=Money(line.price_minor, currency).amount,
            total_minor=line.price_minor * line.quantity,
            properties={
                **({"origin_line": str(line.origin_line_id)} if line.origin_line_id else {}),
                **({"origin_parcel": str(one.parcel_id)} if one.parcel_id else {}),
            },
        )
        for place, line in enumerate(one.lines, start=1)
    )


def _tenders(one: LinkedOrder, due: int) -> tuple[TenderDraft, ...]:
    """What was carried over has paid already; the rest is to be paid by the buyer."""
    paid = tuple(
        TenderDraft(
            kind=money.kind,
            amount_minor=money.amount_minor,
            collected_by=money.collected_by,
            provider=money.provider,
            authorization_reference=money.reference,
            captured_minor=money.amount_minor if money.collected_by == CollectedBy.US else 0,
        )
        for money in one.carried
    )
    missing = due - sum(money.amount_minor for money in one.carried)
    if missing <= 0:
        return paid
    provider = next((money.provider for money in one.carried if money.provider), "")
    return (*paid, TenderDraft(kind="difference", amount_minor=missing, provider=provider))


def _buyer_of(order: Order) -> Party:
    contact = order.billing_contact
    if contact is None or contact.key_id is None or contact.sealed is None:
        return Party()
    try:
        sealed = vault.open_(contact.key_id, contact.sealed)
    except vault.Erased:
        return Party()
    return Party(
        name=sealed.get("name", ""),
        company=sealed.get("company", ""),
        email=sealed.get("email", ""),
        phone=sealed.get("phone", ""),
    )


def _address_of(group: DeliveryGroup) -> Address | None:
    """Where the group went. Raises Conflict when nobody knows any longer."""
    address = opened_address(group.contact)
    if address is None and group.method != Method.PICKUP:
        raise Conflict(_FORGOTTEN)
    return address


def _link(
    wanted: Sequence[LinkedOrder],
    drafts: Mapping[int, OrderDraft],
    captured: Mapping[int, Outcome[CapturedOrder]],
    *,
    at: datetime,
) -> None:
    """Say of each new order which one it follows from. One statement."""
    OrderLink.objects.bulk_create(
        [
            OrderLink(
                account_id=drafts[place].account_id,
                origin_id=wanted[place].origin_id,
                order_id=outcome.value.id,
                kind=DocumentKind(wanted[place].kind),
                cause_kind=wanted[place].cause_kind,
                cause_id=wanted[place].cause_id,
                parcel_id=wanted[place].parcel_id,
                at=at,
            )
            for place, outcome in captured.items()
            if outcome.value is not None
        ],
        ignore_conflicts=True,
    )
