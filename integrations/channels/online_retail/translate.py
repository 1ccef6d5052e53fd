"""The UCI "Online Retail" file: a UK retailer's invoice lines, with all their oddities. Pure.

One line per invoice line: InvoiceNo, StockCode, Description, Quantity, InvoiceDate (UK wall time),
UnitPrice in pounds, CustomerID, Country. What a line is follows from its invoice and its code:

- an invoice is a sale; one that starts with C takes units back; one that starts with A corrects
  the books (bad debt);
- POST, DOT, C2, M, D, S, B, AMAZONFEE, BANK CHARGES and CRUK are services, gift_… are gift cards;
- a negative quantity outside a C invoice, and an invoice without customer or price, is a count or a
  write-off of the stock room, not an order.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from integrations.channels.reading import Reading, text
from integrations.types import ChannelRef, Unreadable
from orders.types import Address, GroupDraft, LineDraft, OrderDraft, Party

CURRENCY = "GBP"
TIMEZONE = "Europe/London"
COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
SERVICES = {
    "POST": "Postage",
    "DOT": "Dotcom postage",
    "C2": "Carriage",
    "M": "Manual charge",
    "D": "Discount",
    "S": "Samples",
    "B": "Bad debt",
    "AMAZONFEE": "Amazon fee",
    "BANK CHARGES": "Bank charges",
    "CRUK": "CRUK commission",
}
GIFT_CARD = re.compile(r"gift_", re.IGNORECASE)

COUNTRIES = {
    "Australia": "AU", "Austria": "AT", "Bahrain": "BH", "Belgium": "BE", "Brazil": "BR",
    "Canada": "CA", "Channel Islands": "JE", "Cyprus": "CY", "Czech Republic": "CZ",
    "Denmark": "DK", "EIRE": "IE", "Finland": "FI", "France": "FR", "Germany": "DE",
    "Greece": "GR", "Hong Kong": "HK", "Iceland": "IS", "Israel": "IL", "Italy": "IT",
    "Japan": "JP", "Lebanon": "LB", "Lithuania": "LT", "Malta": "MT", "Netherlands": "NL",
    "Norway": "NO", "Poland": "PL", "Portugal": "PT", "RSA": "ZA", "Saudi Arabia": "SA",
    "Singapore": "SG", "Spain": "ES", "Sweden": "SE", "Switzerland": "CH", "USA": "US",
    "United Arab Emirates": "AE", "United Kingdom": "GB",
}  # fmt: skip

Row = Mapping[str, str]


class Nature(StrEnum):
    """What one line of the file is."""

    SALE = "sale"
    SERVICE = "service"
    CREDIT = "credit"
    SERVICE_CREDIT = "service_credit"
    STOCK_ADJUSTMENT = "stock_adjustment"
    BOOKKEEPING = "bookkeeping"


@dataclass(frozen=True, slots=True)
class Credit:
    """Units of a SKU that a customer is credited for, at a time; `line` is the line of the file."""

    line: int
    invoice: str
    customer: str
    sku: str
    quantity: int
    at: datetime


def natures(rows: Sequence[Row]) -> list[Nature]:
    """What each line of one invoice is. Raises Unreadable for a quantity that is no number."""
    invoice = rows[0]["InvoiceNo"].strip()
    if invoice.startswith("A"):
        return [Nature.BOOKKEEPING] * len(rows)
    # No customer and no price on any line: somebody counted the stock room.
    counted = all(not customer_of(row) and _free(row) for row in rows)
    found = []
    for row in rows:
        units, service = quantity_of(row), is_service(row["StockCode"])
        if is_credit(row):
            found.append(Nature.SERVICE_CREDIT if service else Nature.CREDIT)
        elif counted or units <= 0:
            found.append(Nature.STOCK_ADJUSTMENT)
        else:
            found.append(Nature.SERVICE if service else Nature.SALE)
    return found


def is_credit(row: Row) -> bool:
    """Whether the line takes back what an earlier invoice sold."""
    return row["InvoiceNo"].strip().startswith("C")


def is_service(code: str) -> bool:
    return code.strip().upper() in SERVICES


def customer_of(row: Row) -> str:
    """The customer's number without the ".0" that a spreadsheet left; empty for a guest."""
    return row["CustomerID"].strip().removesuffix(".0")


def quantity_of(row: Row) -> int:
    try:
        return int(row["Quantity"])
    except ValueError:
        shown = text(row["Quantity"], 40)
        raise Unreadable(f"{shown!r} is not a number of units.", pointer="/Quantity") from None


def sku_of(row: Row) -> str:
    """The stock code in capitals: the file writes some both ways."""
    code = row["StockCode"].strip()
    return code if GIFT_CARD.match(code) else code.upper()


def placed_at(row: Row, fallback: datetime) -> datetime:
    return Reading(CURRENCY).instant(row["InvoiceDate"], fallback, "/InvoiceDate", TIMEZONE)


def order_draft(
    rows: Sequence[Row],
    channel: ChannelRef,
    *,
    received_at: datetime,
    mode: str = "live",
) -> OrderDraft:
    """Translate the sale and service lines of one invoice; the caller has sorted out the others."""
    first, reading = rows[0], Reading(CURRENCY)
    country = first["Country"].strip()
    code = COUNTRIES.get(country, "")
    lines = tuple(_line(reading, row, number) for number, row in enumerate(rows, start=1))
    return OrderDraft(
        channel_id=channel.id,
        account_id=channel.account_id,
        brand_id=channel.brand_id,
        external_id=first["InvoiceNo"].strip(),
        external_number=first["InvoiceNo"].strip(),
        currency=CURRENCY,
        placed_at=reading.instant(first["InvoiceDate"], received_at, "/InvoiceDate", TIMEZONE),
        mode=mode,
        customer=Party(external_id=customer_of(first)),
        groups=(GroupDraft(lines=lines, address=Address(country=code) if code else None),),
        problems=tuple(reading.problems),
    )


def _line(reading: Reading, row: Row, number: int) -> LineDraft:
    code = sku_of(row)
    kind = "service" if is_service(code) else "gift_card" if GIFT_CARD.match(code) else None
    return LineDraft(
        external_id=str(number),
        sku_code=code,
        quantity=quantity_of(row),
        title=text(row["Description"], 200) or SERVICES.get(code, ""),
        kind=kind,
        unit_price=reading.decimal(row["UnitPrice"], "/UnitPrice"),
    )


def _free(row: Row) -> bool:
    return Decimal(row["UnitPrice"] or 0) == 0
