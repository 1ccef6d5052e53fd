"""Refunds at Shopify: units taken off with their money, and money alone.

A refund is known by the mark in its note. Money that the shop never had is given back by whoever took it:
its refund there has no payments, and no lines where it is for none; its note states the amount, by which
it is compared. Money alone is reckoned to date: what the shop gave back by
itself is not given back again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import quote

from integrations.channels import amounts_alone
from integrations.channels.asking import refused
from integrations.channels.marks import given_elsewhere, marked
from integrations.channels.reading import Reading, major, mapping, rows, text
from integrations.channels.shopify import seen
from integrations.channels.types import Reply, Said, ShopRefund, Wish
from integrations.http import Answer
from integrations.types import ConnectionRef

_TAKEN = frozenset({"sale", "capture"})

Document = Mapping[str, Any]


class Ask(Protocol):
    def __call__(
        self,
        method: str,
        path: str,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer: ...


def there(wish: Wish, order: Document) -> Reply | None:
    """The refund that bears our mark; or none is due any more."""
    refunds = refunds_of(order)
    ours = next((one for one in refunds if one.ours == wish.ours), None)
    if ours is not None:
        return Reply(Said.DONE, ours.id)
    if wish.amount_minor is not None and not wish.by_us and _to_give(wish, refunds) <= 0:
        return Reply(Said.DONE, note="The shop had given it back by itself.")
    return None


def take_off(ask: Ask, wish: Wish, order: Document) -> Reply:
    """Take units off that have not left, and give back what the shop reckons them worth."""
    base = f"/orders/{quote(wish.order, safe='')}/refunds"
    open_ = {
        text(line.get("id"), 64): int(line.get("fulfillable_quantity") or 0)
        for line in rows(order, "line_items")
    }
    items = [
        {"line_item_id": int(line), "quantity": part, "restock_type": "cancel"}
        for line, units in wish.units.items()
        if (part := min(units, open_.get(line, units)))
    ]
    if not items:
        return Reply(Said.DONE, note="Nothing of it was open there any more.")
    asked = {"shipping": {"amount": "0.00"}, "refund_line_items": items}
    worth = mapping(ask("POST", f"{base}/calculate.json", {"refund": asked}).body, "refund")
    given = _less(wish.spared_minor, rows(worth, "transactions"), wish.currency)
    return _made(ask, base, wish, order, given, items, cancel=True)


def _less(
    spared_minor: int, transactions: Sequence[Document], currency: str
) -> list[dict[str, Any]]:
    """What the shop would give back, less what has gone back before."""
    reading, given = Reading(currency), []
    for one in transactions:
        amount = reading.minor(one.get("amount"), "")
        off = min(amount, spared_minor)
        spared_minor -= off
        if amount > off:
            given.append(_given(one, str(major(amount - off, currency))))
    return given


def give_back(ask: Ask, ref: ConnectionRef, wish: Wish, order: Document) -> Reply:
    """Give back an amount of what was taken, from the payments that still hold it."""
    base = f"/orders/{quote(wish.order, safe='')}"
    lines = _by_line(wish, order)
    if wish.by_us:
        return _made(ask, f"{base}/refunds", wish, order, (), lines, cancel=False)
    wanted = _to_give(wish, refunds_of(order))
    if not lines and not amounts_alone.are_made(ref):
        return amounts_alone.by_hand(wish, wanted)
    taken = rows(ask("GET", f"{base}/transactions.json").body, "transactions")
    given = _spread(wanted, taken, wish.currency)
    if not given:
        return refused("not-taken", "No payment at the shop holds so much to give back.")
    return _made(ask, f"{base}/refunds", wish, order, given, lines, cancel=False)


def _by_line(wish: Wish, order: Document) -> list[dict[str, Any]]:
    """The units that the money is for, never restocked: our figure is what the shop has to sell.

    What each line is worth Shopify reckons; what the amount differs by it keeps as an adjustment.
    None where refunds name so many units already that there is no room for these.
    """
    named: Counter[str] = Counter()
    for one in refunds_of(order):
        named.update(one.named)
    quantities = {
        text(line.get("id"), 64): int(line.get("quantity") or 0)
        for line in rows(order, "line_items")
    }
    units = {line: many for line, many in wish.units.items() if many}
    if any(many + named[line] > quantities.get(line, 0) for line, many in units.items()):
        return []
    return [
        {"line_item_id": int(line), "quantity": many, "restock_type": "no_restock"}
        for line, many in units.items()
    ]


def kept_of(order: Document) -> Decimal:
    """What was paid for the order and not given back, in its currency."""
    if order.get("financial_status") in (None, "pending", "authorized", "voided", "expired"):
        return Decimal(0)
    reading = Reading(text(order.get("currency"), 3))
    paid = reading.decimal(order.get("total_price"), "") - reading.decimal(
        order.get("total_outstanding"), ""
    )
    back = sum(one.amount_minor for one in refunds_of(order))
    return paid - major(back, reading.currency)


def refunds_of(order: Document) -> list[ShopRefund]:
    left, currency = seen.left_of(order), text(order.get("currency"), 3)
    gone = bool(order.get("cancelled_at"))
    return [seen.refund(row, currency, left, cancelled=gone) for row in rows(order, "refunds")]


def _to_give(wish: Wish, refunds: Sequence[ShopRefund]) -> int:
    """What is due to date and was not given back yet, at most the wish itself."""
    given = sum(
        one.amount_minor for one in refunds if not one.of_cancel and one.id not in wish.apart
    )
    return min(wish.amount_minor or 0, max(0, wish.due_minor - (given - wish.known_minor)))


def _spread(
    wanted_minor: int, transactions: Sequence[Document], currency: str
) -> list[dict[str, Any]]:
    """The amount over the payments, each as far as it still holds money; empty when they do not."""
    reading = Reading(currency)
    back: dict[str, int] = {}
    for one in transactions:
        if one.get("kind") == "refund" and one.get("status") in ("success", "pending"):
            parent = text(one.get("parent_id"), 64)
            back[parent] = back.get(parent, 0) + reading.minor(one.get("amount"), "")
    given, left = [], wanted_minor
    for one in transactions:
        if one.get("kind") not in _TAKEN or one.get("status") != "success":
            continue
        room = reading.minor(one.get("amount"), "") - back.get(text(one.get("id"), 64), 0)
        if part := min(left, max(0, room)):
            left -= part
            amount = str(major(part, currency))
            given.append(_given({**one, "parent_id": one.get("id")}, amount))
    return [] if left else given


def _given(transaction: Document, amount: str) -> dict[str, Any]:
    return {
        "parent_id": transaction.get("parent_id"),
        "amount": amount,
        "kind": "refund",
        "gateway": transaction.get("gateway"),
    }


def _made(
    ask: Ask,
    base: str,
    wish: Wish,
    order: Document,
    given: Sequence[Mapping[str, Any]],
    items: Sequence[Mapping[str, Any]],
    *,
    cancel: bool,
) -> Reply:
    words = "Taken off by Switchyard" if cancel else "Given back by Switchyard"
    if wish.by_us:
        words = given_elsewhere(major(wish.amount_minor or 0, wish.currency), wish.currency)
    body: dict[str, Any] = {
        "note": marked(words, wish.ours, cancel=cancel),
        "notify": False,
        "currency": text(order.get("currency"), 3) or wish.currency,
        "transactions": list(given),
    }
    if items:
        body["refund_line_items"] = list(items)
    made = mapping(ask("POST", f"{base}.json", {"refund": body}).body, "refund")
    return Reply(Said.DONE, text(made.get("id"), 64))
