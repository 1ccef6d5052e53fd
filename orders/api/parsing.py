"""From the JSON of a request to a draft, by hand: no serializer is built per row on the hot path.

Every error is found at once, each with a JSON pointer. What is well-formed but wrong in meaning
(an unknown SKU, a sum that does not add up) is the validators' business.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol, TypeVar
from uuid import UUID

from config.kernel import ids
from config.kernel.errors import Invalid
from config.kernel.models import Channel
from orders.types import (
    Address,
    GroupDraft,
    LineDraft,
    OrderDraft,
    Party,
    StatedTotals,
    TenderDraft,
)

T = TypeVar("T")
_MOST_MINOR = 10**15
_MOST_UNITS = 2**31 - 1
_MOST_PRICE = Decimal(10) ** 11
_SHORT, _LONG = 300, 5_000
_NOBODY = UUID(int=0)


@dataclass(slots=True)
class Reading:
    """A JSON object being read, and everything found wrong in it so far."""

    errors: list[dict[str, str]] = field(default_factory=list)

    def wrong(self, pointer: str, detail: str, code: str = "invalid") -> None:
        self.errors.append({"pointer": pointer, "code": code, "detail": detail})

    def mapping(self, value: Any, pointer: str) -> Mapping[str, Any]:
        if isinstance(value, Mapping):
            return value
        self.wrong(pointer, "An object is wanted.")
        return {}

    def items(self, given: Mapping[str, Any], name: str, at: str) -> Sequence[Any]:
        value = given.get(name) or []
        if isinstance(value, list):
            return value
        self.wrong(f"{at}/{name}", "A list is wanted.")
        return []

    def text(
        self,
        given: Mapping[str, Any],
        name: str,
        at: str,
        *,
        most: int = _SHORT,
        needed: bool = False,
    ) -> str:
        value = given.get(name)
        if value is None or value == "":
            if needed:
                self.wrong(f"{at}/{name}", "This is needed.", "required")
            return ""
        if not isinstance(value, str):
            self.wrong(f"{at}/{name}", "A text is wanted.")
            return ""
        if len(value) > most:
            self.wrong(f"{at}/{name}", f"At most {most} characters are taken.")
            return value[:most]
        return value

    def optional(self, given: Mapping[str, Any], name: str, at: str) -> str | None:
        return self.text(given, name, at) or None

    def whole(
        self, given: Mapping[str, Any], name: str, at: str, *, most: int = _MOST_MINOR
    ) -> int | None:
        value = given.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(f"{at}/{name}", "A whole number is wanted.")
            return None
        if abs(value) > most:
            self.wrong(f"{at}/{name}", "The number is too large.")
            return None
        return value

    def flag(self, given: Mapping[str, Any], name: str, at: str) -> bool:
        value = given.get(name, False)
        if not isinstance(value, bool):
            self.wrong(f"{at}/{name}", "true or false is wanted.")
            return False
        return value

    def price(self, given: Mapping[str, Any], name: str, at: str) -> Decimal:
        value = given.get(name, "0")
        if isinstance(value, bool) or not isinstance(value, str | int):
            self.wrong(f"{at}/{name}", "A decimal as text is wanted, like “19.99”.")
            return Decimal(0)
        try:
            price = Decimal(value)
        except InvalidOperation:
            self.wrong(f"{at}/{name}", "A decimal as text is wanted, like “19.99”.")
            return Decimal(0)
        if not price.is_finite() or abs(price) >= _MOST_PRICE:
            self.wrong(f"{at}/{name}", "The price is too large.")
            return Decimal(0)
        return price

    def instant(self, given: Mapping[str, Any], name: str, at: str) -> datetime | None:
        value = given.get(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.wrong(f"{at}/{name}", "An RFC 3339 time with its zone is wanted.")
            return None
        return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _Nowhere:
    """In place of a channel that there is not, so that the rest of an order can be read."""

    id: UUID = _NOBODY
    account_id: UUID = _NOBODY
    brand_id: UUID = _NOBODY
    currency: str = ""
    tax_inclusive: bool = False


def wrong_besides(given: Any, refusal: Invalid, *, at: datetime, pointer: str = "") -> Invalid:
    """The refusal of the order's channel, with all else that is wrong with the order."""
    errors = list(refusal.extra["errors"])
    try:
        read_order(given, _Nowhere(), at=at, pointer=pointer)
    except Invalid as found:
        errors += found.extra["errors"]
    return wrong_order(errors)


def wrong_order(errors: list[dict[str, str]]) -> Invalid:
    many = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
    return Invalid(f"The order has {many}.", errors=errors)


class SoldThrough(Protocol):
    """What an order takes from its channel."""

    @property
    def id(self) -> UUID: ...
    @property
    def account_id(self) -> UUID: ...
    @property
    def brand_id(self) -> UUID: ...
    @property
    def currency(self) -> str: ...
    @property
    def tax_inclusive(self) -> bool: ...


def read_order(
    given: Any, channel: Channel | SoldThrough, *, at: datetime, pointer: str = ""
) -> OrderDraft:
    """The draft that the JSON describes. Raises Invalid with every error at once."""
    reading = Reading()
    body = reading.mapping(given, pointer)
    if not body.get("groups"):
        reading.wrong(f"{pointer}/groups", "This is needed.", "required")
    totals = body.get("totals")
    draft = OrderDraft(
        channel_id=channel.id,
        account_id=channel.account_id,
        brand_id=channel.brand_id,
        external_id=reading.text(body, "external_id", pointer, most=128, needed=True),
        external_number=reading.text(body, "external_number", pointer, most=64),
        document_kind=reading.text(body, "document_kind", pointer) or "sale",
        currency=reading.text(body, "currency", pointer) or channel.currency,
        placed_at=reading.instant(body, "placed_at", pointer) or at,
        tax_inclusive=reading.flag(body, "tax_inclusive", pointer)
        if "tax_inclusive" in body
        else channel.tax_inclusive,
        customer=_party(reading, body, pointer),
        groups=_each(reading, body, "groups", pointer, _group),
        tenders=_each(reading, body, "tenders", pointer, _tender),
        totals=_totals(reading, totals, f"{pointer}/totals") if totals is not None else None,
        tags=_tags(reading, body, "tags", pointer),
        customer_tags=_tags(reading, body, "customer_tags", pointer),
        priority=reading.whole(body, "priority", pointer, most=1_000) or 0,
        note=reading.text(body, "note", pointer, most=_LONG),
        cart=reading.text(body, "cart", pointer, most=64),
        id=ids.uuid7(),
    )
    if reading.errors:
        raise wrong_order(reading.errors)
    return draft


def _each(
    reading: Reading,
    given: Mapping[str, Any],
    name: str,
    at: str,
    read: Callable[[Reading, Mapping[str, Any], str], T],
) -> tuple[T, ...]:
    return tuple(
        read(reading, reading.mapping(item, f"{at}/{name}/{number}"), f"{at}/{name}/{number}")
        for number, item in enumerate(reading.items(given, name, at))
    )


def _party(reading: Reading, body: Mapping[str, Any], at: str) -> Party:
    if body.get("customer") is None:
        return Party()
    at = f"{at}/customer"
    given = reading.mapping(body["customer"], at)
    return Party(
        name=reading.text(given, "name", at),
        company=reading.text(given, "company", at),
        email=reading.text(given, "email", at),
        phone=reading.text(given, "phone", at),
        external_id=reading.text(given, "external_id", at, most=128),
    )


def read_address(reading: Reading, given: Mapping[str, Any], at: str) -> Address:
    """An address as stated; whether one can go there is judged later."""
    return Address(**{name: reading.text(given, name, at) for name in Address.__dataclass_fields__})


def _group(reading: Reading, given: Mapping[str, Any], at: str) -> GroupDraft:
    address = given.get("address")
    return GroupDraft(
        lines=_each(reading, given, "lines", at, _line),
        method=reading.text(given, "method", at) or "ship",
        fulfilled_by=reading.text(given, "fulfilled_by", at) or "us",
        address=read_address(reading, reading.mapping(address, f"{at}/address"), f"{at}/address")
        if address is not None
        else None,
        pickup_node_code=reading.optional(given, "pickup_node_code", at),
        service_level_code=reading.optional(given, "service_level_code", at),
        ship_complete=reading.flag(given, "ship_complete", at),
        not_before=reading.instant(given, "not_before", at),
        requested_by=reading.instant(given, "requested_by", at),
        gift_message=reading.text(given, "gift_message", at, most=2_000),
        handling_notes=reading.text(given, "handling_notes", at, most=500),
        **_quote(reading, given, at),
    )


def _quote(reading: Reading, given: Mapping[str, Any], at: str) -> dict[str, Any]:
    """The quote that the buyer had accepted, and which of its options."""
    if given.get("quote") is None:
        return {}
    at = f"{at}/quote"
    quote = reading.mapping(given["quote"], at)
    named = reading.text(quote, "id", at, needed=True)
    option = reading.text(quote, "option", at, most=64, needed=True)
    try:
        return {"quote_id": UUID(named), "quote_option": option}
    except ValueError:
        if named:
            reading.wrong(f"{at}/id", "The id of a quote is wanted.")
        return {}


def _line(reading: Reading, given: Mapping[str, Any], at: str) -> LineDraft:
    quantity = reading.whole(given, "quantity", at, most=_MOST_UNITS)
    if quantity is None and "quantity" not in given:
        reading.wrong(f"{at}/quantity", "This is needed.", "required")
    properties = given.get("properties") or {}
    return LineDraft(
        external_id=reading.text(given, "external_id", at, most=128),
        sku_code=reading.text(given, "sku_code", at, most=128),
        quantity=quantity or 0,
        title=reading.text(given, "title", at),
        kind=reading.optional(given, "kind", at),
        unit_price=reading.price(given, "unit_price", at),
        discount_minor=reading.whole(given, "discount_minor", at) or 0,
        tax_minor=reading.whole(given, "tax_minor", at) or 0,
        total_minor=reading.whole(given, "total_minor", at),
        parent_external_id=reading.optional(given, "parent_external_id", at),
        relation=reading.text(given, "relation", at),
        properties={
            str(name)[:_SHORT]: str(value)[:_SHORT]
            for name, value in reading.mapping(properties, f"{at}/properties").items()
        },
    )


def _tender(reading: Reading, given: Mapping[str, Any], at: str) -> TenderDraft:
    return TenderDraft(
        kind=reading.text(given, "kind", at, most=24, needed=True),
        amount_minor=reading.whole(given, "amount_minor", at) or 0,
        collected_by=reading.text(given, "collected_by", at) or "us",
        provider=reading.text(given, "provider", at, most=32),
        authorization_reference=reading.text(given, "authorization_reference", at, most=128),
        authorization_expires_at=reading.instant(given, "authorization_expires_at", at),
        captured_minor=reading.whole(given, "captured_minor", at) or 0,
    )


def _totals(reading: Reading, value: Any, at: str) -> StatedTotals:
    given = reading.mapping(value, at)
    return StatedTotals(
        items_minor=reading.whole(given, "items_minor", at),
        discount_minor=reading.whole(given, "discount_minor", at),
        shipping_minor=reading.whole(given, "shipping_minor", at) or 0,
        tax_minor=reading.whole(given, "tax_minor", at),
        total_minor=reading.whole(given, "total_minor", at),
    )


def _tags(reading: Reading, body: Mapping[str, Any], name: str, at: str) -> tuple[str, ...]:
    tags = reading.items(body, name, at)
    if not all(isinstance(tag, str) for tag in tags):
        reading.wrong(f"{at}/{name}", "A list of texts is wanted.")
        return ()
    return tuple(tags)
