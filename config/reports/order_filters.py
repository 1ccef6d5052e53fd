"""The filters of the order list: one meaning each, shared by the list, the counts and bulk verbs.

A filter that shows a number elsewhere is the same condition there, so that number and list agree.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import phonenumbers

from config.kernel import vault
from config.kernel.types import Scope
from config.reports.sql import OPEN_PROGRESS, reach, within

STUCK_AFTER: Final = timedelta(minutes=15)
AT_RISK_WITHIN: Final = timedelta(hours=2)
_OPEN = "o.progress = ANY(%(open_progress)s)"
_OPEN_WORK = ("released", "acknowledged", "picking", "packed", "ready_for_pickup")

# Orders that a step of the flow bar counts. Disjoint up to "released", where nodes begin to differ.
STEPS: Final[dict[str, str]] = {
    "new": "o.state = 'captured' AND o.holds_open = 0",
    "held": "o.holds_open > 0 AND o.state IN ('captured', 'accepted')",
    "reserved": (
        "o.state = 'accepted' AND o.holds_open = 0 AND o.progress IN "
        "('waiting', 'backordered', 'partly_reserved', 'reserved')"
    ),
    "released": (
        "o.state = 'accepted' AND EXISTS (SELECT FROM fulfillment_fulfillmentorder f "
        "WHERE f.order_id = o.id AND f.state IN ('released', 'acknowledged'))"
    ),
    "picking": (
        "o.state = 'accepted' AND EXISTS (SELECT FROM fulfillment_fulfillmentorder f "
        "WHERE f.order_id = o.id AND f.state = 'picking')"
    ),
    "packed": (
        "o.state = 'accepted' AND EXISTS (SELECT FROM fulfillment_fulfillmentorder f "
        "WHERE f.order_id = o.id AND f.state IN ('packed', 'ready_for_pickup'))"
    ),
    "shipped": (
        "o.state = 'accepted' AND o.progress IN ('partly_shipped', 'shipped', 'partly_delivered')"
    ),
    "delivered": (
        "o.progress = 'delivered' AND o.closed_at >= %(day_start)s AND o.state = 'closed'"
    ),
}

_NEEDS: Final[dict[str, str]] = {
    "miss": (
        f"o.state = 'accepted' AND {_OPEN} AND o.ship_by < %(day_end)s AND (o.ship_by < %(now)s "
        "OR o.holds_open > 0 OR o.progress IN ('waiting', 'backordered') "
        "OR o.ship_by < %(now)s + interval '2 hours')"
    ),
    "late": f"o.state = 'accepted' AND {_OPEN} AND o.ship_by < %(now)s",
    "jeopardy": (
        "o.id IN (SELECT s.order_id FROM fulfillment_promiseslack s WHERE s.high_at <= %(now)s)"
    ),
    "stuck": (
        "o.state = 'captured' AND o.holds_open = 0 "
        "AND o.captured_at < %(now)s - interval '15 minutes'"
    ),
    "held": STEPS["held"],
    "case": (
        "o.id IN (SELECT c.thread_id FROM kernel_case c WHERE c.thread_id IS NOT NULL "
        "AND c.state IN ('open', 'acknowledged', 'in_progress', 'waiting'))"
    ),
    "backorder": "EXISTS (SELECT FROM orders_orderline l WHERE l.order_id = o.id "
    "AND l.backordered > 0)",
    "ready": (
        "o.state = 'accepted' AND o.holds_open = 0 AND o.progress IN ('reserved', "
        "'partly_released') AND (o.remorse_until IS NULL OR o.remorse_until <= %(now)s)"
    ),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """Business time, and the local day that holds it."""

    now: datetime
    zone: ZoneInfo

    @property
    def day_start(self) -> datetime:
        return self._midnight(self.now.astimezone(self.zone).date())

    @property
    def day_end(self) -> datetime:
        return self._midnight(self.now.astimezone(self.zone).date() + timedelta(days=1))

    def _midnight(self, on: date) -> datetime:
        return datetime(on.year, on.month, on.day, tzinfo=self.zone)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to. Keys and values come straight from the address."""

    values: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.values)


_SIMPLE: Final[dict[str, str]] = {
    "state": "o.state = %(state)s",
    "progress": "o.progress = %(progress)s",
    "payment": "o.payment_state = %(payment)s",
    "channel": "o.channel_id = (SELECT c.id FROM kernel_channel c WHERE c.code = %(channel)s "
    "AND c.account_id = o.account_id)",
    "hold": (
        "EXISTS (SELECT FROM orders_hold h WHERE h.order_id = o.id AND h.state = 'active' "
        "AND h.type = %(hold)s)"
    ),
    "node": (
        "(EXISTS (SELECT FROM fulfillment_fulfillmentorder f JOIN inventory_node n "
        "ON n.id = f.node_id WHERE f.order_id = o.id AND n.code = %(node)s "
        "AND f.state <> 'cancelled') OR EXISTS (SELECT FROM inventory_reservation r "
        "JOIN inventory_node n ON n.id = r.node_id WHERE r.thread_id = o.id "
        "AND n.code = %(node)s AND r.state IN ('reserved', 'committed')))"
    ),
    # By our code, by the code of a channel's listing, or by a code that nothing is mapped to: each
    # through its own index. A test of every order's lines read them all.
    "sku": (
        "o.id IN (SELECT l.order_id FROM inventory_sku s JOIN orders_orderline l "
        "ON l.sku_id = s.id WHERE s.code = %(sku)s "
        "UNION ALL SELECT l.order_id FROM inventory_channellisting m JOIN orders_orderline l "
        "ON l.sku_id = m.sku_id WHERE m.external_sku = %(sku)s AND l.external_sku = %(sku)s "
        "UNION ALL SELECT l.order_id FROM orders_orderline l "
        "WHERE l.sku_id IS NULL AND l.external_sku = %(sku)s)"
    ),
    "country": "EXISTS (SELECT FROM orders_deliverygroup g WHERE g.order_id = o.id "
    "AND g.country = %(country)s)",
    "tag": "%(tag)s = ANY(o.tags)",
    "mode": "o.mode = %(mode)s",
}
KEYS: Final = (
    "q", "need", "step", *_SIMPLE, "placed_from", "placed_to", "ship_before", "min", "max",
)  # fmt: skip


def condition(filters: Filters, *, scope: Scope, moment: Moment) -> tuple[str, dict[str, Any]]:
    """The WHERE of a list of orders `o`, and its values."""
    values: dict[str, Any] = reach(scope) | {
        "now": moment.now,
        "day_start": moment.day_start,
        "day_end": moment.day_end,
        "open_progress": list(OPEN_PROGRESS),
    }
    parts = [within(scope, "o")]
    for key, value in filters.values.items():
        if key in _SIMPLE:
            parts.append(_SIMPLE[key])
            values[key] = value
        elif key in _SPECIAL:
            parts.append(_SPECIAL[key](value, values, moment))
    return " AND ".join(f"({part})" for part in parts), values


def _need(value: str, _: dict[str, Any], __: Moment) -> str:
    return _NEEDS.get(value, "false")


def _step(value: str, _: dict[str, Any], __: Moment) -> str:
    return STEPS.get(value, "false")


def _on(key: str, operator: str, column: str, days: int) -> Callable[..., str]:
    def part(value: str, values: dict[str, Any], moment: Moment) -> str:
        try:
            day = date.fromisoformat(value) + timedelta(days=days)
        except ValueError:
            return "false"
        values[key] = datetime(day.year, day.month, day.day, tzinfo=moment.zone)
        return f"{column} {operator} %({key})s"

    return part


def _amount(key: str, operator: str) -> Callable[..., str]:
    def part(value: str, values: dict[str, Any], _: Moment) -> str:
        try:
            values[key] = round(float(value) * 100)
        except ValueError:
            return "false"
        return f"o.total_minor {operator} %({key})s"

    return part


def _text(value: str, values: dict[str, Any], _: Moment) -> str:
    """Number, external number or id, tracking number, SKU, e-mail or phone: whichever it is.

    One set of ids, so that each way in goes through its own index.
    """
    text = value.strip()
    values["q"] = text
    values["q_upper"] = text.upper()
    values["q_number"] = f"SY-{text}" if text.isdigit() else text.upper()
    ways = [
        "SELECT b.id FROM orders_order b WHERE b.number = %(q_number)s",
        "SELECT b.id FROM orders_order b WHERE b.external_number = %(q)s",
        "SELECT b.id FROM orders_order b WHERE b.external_id = %(q)s",
        (
            "SELECT f.order_id FROM fulfillment_parcel p JOIN fulfillment_fulfillmentorder f "
            "ON f.id = p.fulfillment_order_id WHERE p.tracking_number <> '' "
            "AND p.tracking_number = %(q_upper)s"
        ),
        "SELECT f.order_id FROM fulfillment_fulfillmentorder f WHERE f.number = %(q_upper)s",
        (
            "SELECT l.order_id FROM inventory_sku s JOIN orders_orderline l ON l.sku_id = s.id "
            "WHERE s.code IN (%(q)s, %(q_upper)s)"
        ),
    ]
    column = "email_hash" if "@" in text else "phone_hash"
    values["q_hash"] = vault.digest("email", text) if "@" in text else _phone_digest(text)
    if values["q_hash"]:
        ways += [
            (
                f"SELECT b.id FROM orders_contact c JOIN orders_order b "  # noqa: S608  # own text
                f"ON b.billing_contact_id = c.id WHERE c.{column} <> '' AND c.{column} = %(q_hash)s"
            ),
            (
                f"SELECT g.order_id FROM orders_contact c JOIN orders_deliverygroup g "  # noqa: S608  # own text
                f"ON g.contact_id = c.id WHERE c.{column} <> '' AND c.{column} = %(q_hash)s"
            ),
        ]
    return f"o.id IN ({' UNION '.join(ways)})"


def _phone_digest(text: str) -> str:
    """The keyed hash of a phone number as orders keep it (E.164); empty when it is none."""
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    standard = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return vault.digest("phone", standard)


_SPECIAL: Final[dict[str, Callable[[str, dict[str, Any], Moment], str]]] = {
    "q": _text,
    "need": _need,
    "step": _step,
    "placed_from": _on("placed_from", ">=", "o.placed_at", 0),
    "placed_to": _on("placed_to", "<", "o.placed_at", 1),
    "ship_before": _on("ship_before", "<", "o.ship_by", 1),
    "min": _amount("min", ">="),
    "max": _amount("max", "<="),
}
