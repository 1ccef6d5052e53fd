"""The shops' part in the fortnight: they sell what buyers order, and hold what became of it since.

Each shop places a turn's orders at one call, and what we capture bears its ids of them. Nobody is told
by webhook then; at the handing over each web shop gets in one call what it would have been told, and our
copies say so. The marketplace, to which we are the one that is read, gets how its orders stand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.demo.catalog import catalog
from config.demo.counterparts import Counterparts
from config.demo.drafts import PROVIDER
from config.demo.made import ACTOR
from config.demo.shoppers import OPENING
from config.kernel import money
from config.kernel.types import ALL_ACCOUNTS
from config.reports import placed
from integrations.channels import marks, reading, refund_shares, taking_over
from integrations.channels.shopify import seen as shopify
from integrations.channels.taking_over import Untold
from integrations.channels.woocommerce import seen as woocommerce
from orders.selectors import ids_by_external, order_heads
from orders.types import GroupDraft, LineDraft, OrderDraft

Document = dict[str, Any]
_MARKET: Final = "marketplace"
UNKNOWN: Final = "-2027"
"""What a shop's code of an article ends in that our book does not know."""
_NUMBERS: Final = {"shopify": "#{number}", "woocommerce": "{id}", "marketplace": "AG-{number}"}
"""What buyers know an order by, at each shop."""
_REASONS: Final = {"buyer": "customer", "system": "inventory"}
_CARRIED: Final = frozenset({"stock", "kit"})
_GRAMS: Final = {sku.code: sku.weight_grams for sku in catalog()}
_SHIPS: Final = frozenset(sku.code for sku in catalog() if sku.kind in _CARRIED)


def place(
    counterparts: Counterparts, system: str, drafts: Sequence[OrderDraft]
) -> list[OrderDraft]:
    """Have the shop sell these; the same drafts with the ids that it gave."""
    said = counterparts.tell(system, "POST", "past", {"orders": [_order(one) for one in drafts]})
    return [_named(draft, made, system) for draft, made in zip(drafts, said["orders"], strict=True)]


def hand_past(
    counterparts: Counterparts, system: str, connection_id: UUID, *, at: datetime
) -> None:
    """The shop gets what became of its orders, and our copies of that say that it holds it."""
    copies = taking_over.remember(connection_id, since=OPENING, at=at, actor=ACTOR)
    # What only brings the rest of something comes after it.
    copies.sort(key=lambda one: (one.at, "rest_of" in one.wanted))
    told = [(one.id, said) for one in copies if (said := _told(one, system)) is not None]
    # What was taken back since it never came to hold.
    held = {one.id: "" for one in copies if one.wanted.get("gone")}
    if told:
        answer = counterparts.tell(system, "POST", "past/told", {"told": [one for _, one in told]})
        held |= {key: made for (key, _), made in zip(told, answer["made"], strict=True)}
    taking_over.hold(connection_id, held, at=at, actor=ACTOR)


def tell_standing(
    counterparts: Counterparts, channel: str, channel_id: UUID, *, at: datetime
) -> None:
    """The marketplace gets how each of its orders stands here: it reads the rest by our API."""
    placed_there = placed.orders_of(channel, scope=ALL_ACCOUNTS)
    ours = ids_by_external([(channel_id, key) for key in placed_there])
    heads = order_heads(set(ours.values()), ALL_ACCOUNTS)
    told = []
    for key, order in placed_there.items():
        head = heads[ours[channel_id, key]]
        told.append(
            {
                "order": key,
                "kind": "stands",
                "at": at.isoformat(),
                "theirs": {"id": str(head.id), "number": head.number},
                "cancelled": order.cancelled,
                "sent": {line: sent for line, sent, _ in order.lines},
                "off": {line: off for line, _, off in order.lines},
                "parcels": sorted(order.tracking_numbers),
            }
        )
    if told:
        counterparts.tell(_MARKET, "POST", "past/told", {"told": told})


def _order(draft: OrderDraft) -> Document:
    """An order in the words of the shops' control plane."""
    first, _, last = draft.customer.name.partition(" ")
    group = draft.groups[0]
    pickup = group.method == "pickup"
    theirs = any(tender.collected_by == "channel" for tender in draft.tenders)
    code = "local_pickup" if pickup else group.service_level_code or "standard"
    title = {"local_pickup": "Pick up in store", "two_day": "Two-day"}.get(
        code, "Standard shipping"
    )
    return {
        "at": draft.placed_at.isoformat(),
        "buyer": {
            "first_name": first,
            "last_name": last,
            "email": draft.customer.email,
            "phone": draft.customer.phone,
            "address": _address(group),
        },
        "lines": [_line(line) for line in _lines(draft)],
        "shipping": [code, title, (draft.totals.shipping_minor or 0) if draft.totals else 0],
        "payment": "" if theirs else "authorized" if draft.tenders else "pending",
        "gateway": "" if theirs else PROVIDER,
        "own": group.fulfilled_by == "channel",
    }


def _line(line: LineDraft) -> Document:
    code = line.sku_code.removesuffix(UNKNOWN)
    return {
        "sku": line.sku_code,
        "title": line.title,
        "price": money.to_minor(line.unit_price, "USD"),
        "grams": _GRAMS.get(code, 0),
        "quantity": line.quantity,
        "discount": line.discount_minor,
        "tax": line.tax_minor,
        "ships": code in _SHIPS,
    }


def _address(group: GroupDraft) -> Document:
    place = group.address
    if place is None:
        return {}
    return {
        "line1": place.line1,
        "line2": place.line2,
        "city": place.city,
        "region": place.region,
        "zip": place.postal_code,
        "country": place.country,
    }


def _lines(draft: OrderDraft) -> list[LineDraft]:
    return [line for group in draft.groups for line in group.lines]


def _named(draft: OrderDraft, made: Mapping[str, Any], system: str) -> OrderDraft:
    """The draft under the shop's own ids of the order and its lines."""
    ids = {
        line.external_id: str(theirs)
        for line, theirs in zip(_lines(draft), made["lines"], strict=True)
    }

    def named(line: LineDraft) -> LineDraft:
        parent = line.parent_external_id
        return replace(
            line,
            external_id=ids[line.external_id],
            parent_external_id=ids[parent] if parent else parent,
        )

    return replace(
        draft,
        external_id=str(made["id"]),
        external_number=_NUMBERS[system].format(**made),
        groups=tuple(
            replace(group, lines=tuple(named(line) for line in group.lines))
            for group in draft.groups
        ),
    )


def _told(copy: Untold, system: str) -> Document | None:
    """What the shop would have been told of a copy; None for what it need not hear, or only by us."""
    wanted = copy.wanted
    said = {"order": wanted["order"], "at": copy.at.isoformat()}
    match copy.kind:
        case "acknowledgement":
            tags = {"tags": [f"{shopify.TAG}{wanted['number']}"]}
            meta = {"meta": {woocommerce.NUMBER_KEY: wanted["number"]}}
            return said | {"kind": "written"} | (tags if system == "shopify" else meta)
        case "fulfillment" if not wanted.get("gone"):
            return said | {
                "kind": "sent",
                "lines": wanted["units"],
                "rest_of": wanted.get("rest_of", ()),
                "tracking": {
                    "number": wanted["tracking_number"],
                    "company": wanted["carrier"],
                    "url": wanted["tracking_url"],
                },
                "key": copy.id.hex,
                "last": wanted["last"],
            }
        case "cancel" if wanted["whole"]:
            reason = _REASONS.get(wanted["reason"], "other")
            return said | {"kind": "cancelled", "reason": reason}
        case "cancel":
            note = marks.marked("Taken off by Switchyard", copy.id, cancel=True)
            return said | {"kind": "taken_off", "lines": wanted["units"], "note": note}
        case "refund" if wanted.get("by_us"):
            amount, worth = wanted["amount_minor"], wanted["worth"]
            return said | {
                "kind": "given_back",
                "lines": wanted["units"],
                "worth": refund_shares.by_line(amount, worth, wanted["shipping_minor"]),
                "amount": amount,
                "note": marks.marked(_words(amount, str(wanted["currency"])), copy.id),
            }
    return None


def _words(minor: int, currency: str) -> str:
    return marks.given_elsewhere(reading.major(minor, currency), currency)
