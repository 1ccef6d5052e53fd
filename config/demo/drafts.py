"""From a demo basket to the draft that a translator would hand to `capture_orders`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from config.demo.shoppers import Basket, BasketLine
from config.kernel import money
from orders.types import (
    Address,
    GroupDraft,
    LineDraft,
    OrderDraft,
    Party,
    StatedTotals,
    TenderDraft,
)

_TAX_PERCENT = {"CA": 7.25, "NY": 4.0, "TX": 6.25, "FL": 6.0, "WA": 6.5, "IL": 6.25, "OR": 0.0}
_AUTHORIZED_DAYS = 7
PROVIDER = "fakepay"
"""The code of the payment provider with which the web shops authorise, until they are connected."""


def order_draft(
    basket: Basket, *, account_id: UUID, channel_id: UUID, brand_id: UUID
) -> OrderDraft:
    """The order as its channel states it, with the basket's flaw built in."""
    lines = [_line(number, line, basket) for number, line in enumerate(basket.lines, start=1)]
    shipping = _shipping(basket)
    total = sum(line.total_minor or 0 for line in lines) + shipping
    flawed = basket.flaw
    person = basket.buyer
    return OrderDraft(
        channel_id=channel_id,
        account_id=account_id,
        brand_id=brand_id,
        external_id=f"{basket.channel.code}-{basket.number}",
        external_number=f"#{basket.number}",
        currency="USD",
        placed_at=basket.placed_at,
        groups=_groups(basket, lines),
        customer=Party(name=person.name, email=person.email, phone=person.phone),
        tenders=() if flawed == "unpaid" else (_tender(basket, total),),
        totals=StatedTotals(
            items_minor=sum(money_of(line) for line in lines),
            discount_minor=sum(line.discount_minor for line in lines),
            shipping_minor=shipping,
            tax_minor=sum(line.tax_minor for line in lines),
            total_minor=total + (500 if flawed == "total" else 0),
        ),
        tags=("promotion",) if basket.discount_percent else (),
        customer_tags=("wholesale",) if basket.channel.kind == "b2b" else (),
        priority=10 if basket.service == "two_day" else 0,
    )


def twin(draft: OrderDraft) -> OrderDraft:
    """The same basket sent again under another number: what a nervous buyer does."""
    return replace(
        draft,
        external_id=f"{draft.external_id}-b",
        external_number=f"{draft.external_number}b",
        placed_at=draft.placed_at + timedelta(minutes=3),
        tenders=tuple(
            replace(tender, authorization_reference=f"{tender.authorization_reference}b")
            for tender in draft.tenders
        ),
    )


def money_of(line: LineDraft) -> int:
    """The line's goods value before discount and tax."""
    return money.to_minor(line.unit_price * line.quantity, "USD")


def _line(number: int, line: BasketLine, basket: Basket) -> LineDraft:
    price = line.sku.price_minor
    goods = price * line.quantity
    discount = goods * basket.discount_percent // 100
    rate = _TAX_PERCENT.get(basket.buyer.region, 5.5)
    tax = int((goods - discount) * rate / 100)
    unknown = basket.flaw == "sku" and number == 1
    relation = ""
    if line.gift_of is not None:
        relation = "wrap" if line.sku.kind == "service" else "gift"
    return LineDraft(
        external_id=str(number),
        sku_code=f"{line.sku.code}-2027" if unknown else line.sku.code,
        quantity=line.quantity,
        title=line.sku.name,
        kind=None,
        unit_price=Decimal(price).scaleb(-2),
        discount_minor=discount,
        tax_minor=tax,
        total_minor=goods - discount + tax,
        parent_external_id=None if line.gift_of is None else str(line.gift_of + 1),
        relation=relation,
    )


def _groups(basket: Basket, lines: Sequence[LineDraft]) -> tuple[GroupDraft, ...]:
    if basket.till_node:
        return (GroupDraft(tuple(lines), method="none", pickup_node_code=basket.till_node),)
    goods = tuple(
        line
        for line, asked in zip(lines, basket.lines, strict=True)
        if asked.sku.kind != "gift_card"
    )
    cards = tuple(
        line
        for line, asked in zip(lines, basket.lines, strict=True)
        if asked.sku.kind == "gift_card"
    )
    physical = GroupDraft(
        goods,
        method="pickup" if basket.pickup_node else "ship",
        fulfilled_by="channel" if basket.sold_by_channel else "us",
        address=_address(basket),
        pickup_node_code=basket.pickup_node,
        service_level_code=basket.service,
    )
    digital = GroupDraft(cards, method="digital")
    return tuple(group for group in (physical, digital) if group.lines)


def _address(basket: Basket) -> Address:
    person = basket.buyer
    return Address(
        name=person.name,
        line1="" if basket.flaw == "address" else person.line1,
        city=person.city,
        region=person.region,
        postal_code=person.postal_code,
        country="US",
        phone=person.phone,
    )


def _shipping(basket: Basket) -> int:
    if basket.till_node or basket.pickup_node or basket.channel.kind in {"b2b", "marketplace"}:
        return 0
    return 1500 if basket.service == "two_day" else 595


def _tender(basket: Basket, total: int) -> TenderDraft:
    kind = basket.channel.kind
    if kind == "pos":
        return TenderDraft("card", total, collected_by="till", captured_minor=total)
    if kind == "marketplace":
        return TenderDraft("marketplace", total, collected_by="channel", captured_minor=total)
    if kind == "b2b":
        return TenderDraft("invoice", total, collected_by="terms")
    return TenderDraft(
        "card",
        total,
        collected_by="us",
        provider=PROVIDER,
        authorization_reference=f"auth_{total}_{_behavior(basket)}_{basket.number:016x}",
        authorization_expires_at=basket.placed_at + timedelta(days=_AUTHORIZED_DAYS),
    )


def _behavior(basket: Basket) -> str:
    """How the fake provider treats this card: one in a hundred loses an answer, or declines."""
    return {37: "drop", 71: "nocapture", 93: "lose"}.get(basket.number % 200, "ok")
