"""Orders to send: three lines with discount and tax, a fifth to two places, a twentieth held."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from bench.world import World
from config.demo.catalog import SkuPlan
from config.demo.shoppers import Buyer, buyer
from orders.types import (
    Address,
    GroupDraft,
    LineDraft,
    OrderDraft,
    Party,
    StatedTotals,
    TenderDraft,
)

LINES = 3
TWO_PLACES, HELD = 0.2, 0.05
_DISCOUNT, _TAX = 10, 7
_SHIPPING = 595
_WRONG_BY = 500


def drafts(world: World, name: str, *, at: datetime) -> Iterator[OrderDraft]:
    """Endless orders; `name` tells one stream's orders from another's."""
    dice = random.Random(name)
    number = 0
    while True:
        number += 1
        yield _draft(world, dice, f"{name}-{number}", at)


def _draft(world: World, dice: random.Random, external_id: str, at: datetime) -> OrderDraft:
    person = buyer(dice)
    goods = dice.sample(world.goods, LINES)
    lines = [_line(number, sku, dice.choice((1, 1, 1, 2))) for number, sku in enumerate(goods, 1)]
    total = sum(line.total_minor or 0 for line in lines) + _SHIPPING
    held = dice.random() < HELD
    return OrderDraft(
        channel_id=world.channel_id,
        account_id=world.account_id,
        brand_id=world.brand_id,
        external_id=external_id,
        external_number=f"#{external_id}",
        currency="USD",
        placed_at=at,
        groups=_groups(lines, person, dice),
        customer=Party(name=person.name, email=person.email, phone=person.phone),
        tenders=(
            TenderDraft(
                "card",
                total,
                collected_by="us",
                provider="fakepay",
                authorization_reference=f"auth-{external_id}",
                authorization_expires_at=at + timedelta(days=7),
            ),
        ),
        totals=StatedTotals(
            items_minor=sum(_gross(line) for line in lines),
            discount_minor=sum(line.discount_minor for line in lines),
            shipping_minor=_SHIPPING,
            tax_minor=sum(line.tax_minor for line in lines),
            total_minor=total + (_WRONG_BY if held else 0),
        ),
    )


def _line(number: int, sku: SkuPlan, quantity: int) -> LineDraft:
    goods = sku.price_minor * quantity
    discount = goods * _DISCOUNT // 100
    tax = (goods - discount) * _TAX // 100
    return LineDraft(
        external_id=str(number),
        sku_code=sku.code,
        quantity=quantity,
        title=sku.name,
        unit_price=Decimal(sku.price_minor).scaleb(-2),
        discount_minor=discount,
        tax_minor=tax,
        total_minor=goods - discount + tax,
    )


def _gross(line: LineDraft) -> int:
    return int((line.unit_price * line.quantity).scaleb(2))


def _groups(lines: list[LineDraft], person: Buyer, dice: random.Random) -> tuple[GroupDraft, ...]:
    if dice.random() >= TWO_PLACES:
        return (_group(lines, person),)
    return _group(lines[:2], person), _group(lines[2:], buyer(dice))


def _group(lines: list[LineDraft], person: Buyer) -> GroupDraft:
    return GroupDraft(
        tuple(lines),
        address=Address(
            name=person.name,
            line1=person.line1,
            city=person.city,
            region=person.region,
            postal_code=person.postal_code,
            country="US",
            phone=person.phone,
        ),
        service_level_code="standard",
    )
