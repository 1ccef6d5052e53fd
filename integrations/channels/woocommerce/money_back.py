"""Refunds at WooCommerce: units taken off with their money, and money alone; never restocked there.

A refund is known by the mark in its reason. Money that the shop never had is given back by whoever took
it, and its refund there is one by hand (`api_refund` off). Money alone is reckoned to date: what the shop gave back
by itself is not given back again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol
from urllib.parse import quote

from config.kernel import money
from integrations.channels import amounts_alone, refund_shares
from integrations.channels.asking import refused
from integrations.channels.marks import marked
from integrations.channels.reading import Reading, major, rows, text
from integrations.channels.types import Reply, Said, ShopRefund, Wish
from integrations.channels.woocommerce import seen
from integrations.http import Answer
from integrations.types import ConnectionRef

_OFFLINE: Final = frozenset({"bacs", "cheque", "cod"})
"""Nothing was charged by a gateway that could give it back."""

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


def take_off(ask: Ask, ref: ConnectionRef, wish: Wish, order: Document) -> Reply:
    """Take units off that have not left: a refund of their lines, with their tax."""
    reading = Reading(text(order.get("currency"), 3))
    lines, worth = _worth(wish.units, rows(order, "line_items"), reading)
    amount = min(worth - wish.spared_minor, kept_of(order))
    if not lines or amount <= 0:
        return Reply(Said.DONE, note="There was nothing to give back for it.")
    return _made(ask, ref, wish, order, amount, lines, cancel=True)


def give_back(
    ask: Ask, ref: ConnectionRef, wish: Wish, order: Document, named: Mapping[str, int]
) -> Reply:
    """Give back an amount of what was paid, by line where its refunds leave room for the units.

    `named` are units per line that refunds name already.
    """
    wanted = (wish.amount_minor or 0) if wish.by_us else _to_give(wish, refunds_of(order))
    if wanted > kept_of(order):
        return refused("not-taken", "The shop does not hold so much to give back.")
    lines = _by_line(wanted, wish, order, named)
    if not lines and not wish.by_us and not amounts_alone.are_made(ref):
        return amounts_alone.by_hand(wish, wanted)
    return _made(ask, ref, wish, order, wanted, lines, cancel=False)


def _by_line(
    wanted: int, wish: Wish, order: Document, named: Mapping[str, int]
) -> list[dict[str, Any]]:
    """The refund's lines: units, and of the amount what is for each, its tax apart.

    What of it is for the shipping stands in the amount alone. None where units were refunded already.
    """
    reading = Reading(text(order.get("currency"), 3))
    shares = refund_shares.by_line(wanted, wish.worth, wish.shipping_minor)
    found = []
    for line in rows(order, "line_items"):
        line_id = text(line.get("id"), 64)
        units, share = wish.units.get(line_id, 0), shares.get(line_id, 0)
        quantity = reading.quantity(line.get("quantity"), "/line_items/quantity")
        if units + named.get(line_id, 0) > quantity:
            return []
        if not units and not share:
            continue
        taxes = [
            (one.get("id"), reading.minor(one.get("total"), "")) for one in rows(line, "taxes")
        ]
        whole = reading.minor(line.get("total"), "")
        goods, *parts = money.split(share, [whole, *(minor for _, minor in taxes)])
        found.append(
            {
                "id": line.get("id"),
                "quantity": units,
                "refund_total": float(major(goods, reading.currency)),
                "refund_tax": [
                    {"id": rate, "refund_total": float(major(part, reading.currency))}
                    for (rate, _), part in zip(taxes, parts, strict=True)
                ],
            }
        )
    return found


def give_all_back(ask: Ask, ref: ConnectionRef, wish: Wish, order: Document) -> Reply:
    """Give back everything that is left: the order ends as refunded."""
    return _made(ask, ref, wish, order, kept_of(order), (), cancel=True)


def kept_of(order: Document) -> int:
    """What the order came to and was not given back, in minor units."""
    reading = Reading(text(order.get("currency"), 3))
    total = reading.minor(order.get("total"), "/total")
    return total - sum(one.amount_minor for one in refunds_of(order))


def refunds_of(order: Document) -> list[ShopRefund]:
    currency = text(order.get("currency"), 3)
    return [seen.refund(row, currency, of_cancel=False) for row in rows(order, "refunds")]


def _to_give(wish: Wish, refunds: Sequence[ShopRefund]) -> int:
    """What is due to date and was not given back yet, at most the wish itself."""
    given = sum(
        one.amount_minor for one in refunds if not one.of_cancel and one.id not in wish.apart
    )
    return min(wish.amount_minor or 0, max(0, wish.due_minor - (given - wish.known_minor)))


def _worth(
    units: Mapping[str, int], lines: Sequence[Document], reading: Reading
) -> tuple[list[dict[str, Any]], int]:
    """The units as refund lines, and what they come to: a share of each line's total and tax."""
    found, worth = [], 0
    for line in lines:
        wanted = units.get(text(line.get("id"), 64), 0)
        quantity = reading.quantity(line.get("quantity"), "/line_items/quantity")
        part = min(wanted, quantity)
        if not part:
            continue
        goods = reading.minor(line.get("total"), "") * part // quantity
        tax = reading.minor(line.get("total_tax"), "") * part // quantity
        worth += goods + tax
        taxes = [
            {
                "id": one.get("id"),
                "refund_total": float(
                    major(reading.minor(one.get("total"), "") * part // quantity, reading.currency)
                ),
            }
            for one in rows(line, "taxes")
        ]
        found.append(
            {
                "id": line.get("id"),
                "quantity": part,
                "refund_total": float(major(goods, reading.currency)),
                "refund_tax": taxes,
            }
        )
    return found, worth


def _made(
    ask: Ask,
    ref: ConnectionRef,
    wish: Wish,
    order: Document,
    amount: int,
    lines: Sequence[Mapping[str, Any]],
    *,
    cancel: bool,
) -> Reply:
    words = "Taken off by Switchyard" if cancel else "Given back by Switchyard"
    by_gateway = (
        not wish.by_us
        and bool(order.get("date_paid_gmt"))
        and order.get("payment_method") not in _OFFLINE
    )
    body: dict[str, Any] = {
        "amount": str(major(amount, text(order.get("currency"), 3))),
        "reason": marked(words, wish.ours, cancel=cancel),
        "api_refund": by_gateway and bool(ref.settings.get("api_refund", True)),
        "api_restock": False,
    }
    if lines:
        body["line_items"] = list(lines)
    made = ask("POST", f"/orders/{quote(wish.order, safe='')}/refunds", body).body
    return Reply(Said.DONE, text(made.get("id"), 64))
