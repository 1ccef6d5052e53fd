"""A pickup that its store gave up: what its buyer may choose instead, in their language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from config.kernel.errors import Conflict, NotFound
from config.kernel.types import Actor
from integrations.buyer.language import Words
from inventory.selectors import nodes_by_code
from orders.selectors import BoughtOrder
from orders.selectors.choices import OpenChoice
from orders.services import choose_instead
from orders.states import PickupChoice
from orders.types import Address, ChoiceGiven
from routing.quotes.instead import stores_instead

FIELDS: Final = ("name", "line1", "line2", "city", "region", "postal_code", "country")
LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class Choice:
    """One open choice as it is shown on the order's page."""

    open: OpenChoice
    text: str
    silence: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be chosen about one group: values with their labels.

    `other` is the value beside which an address is typed; empty where the order names one.
    """

    group_id: str
    text: str
    silence: str
    choices: tuple[tuple[str, str], ...]
    other: str
    divided: str


def choices_of(
    choices: Sequence[OpenChoice],
    bought: BoughtOrder,
    words: Words,
    day: Callable[[datetime], str],
) -> tuple[Choice, ...]:
    """The choices of which the buyer is asked, put into words."""
    stores = {group.pk: group.pickup_node for group in bought.groups}
    shown = []
    for choice in choices:
        store = stores.get(choice.group_id)
        if not choice.asks or store is None:
            continue
        silence = (
            words.say("choice.silence", until=day(choice.until))
            if choice.until
            else words.say("choice.waits")
        )
        shown.append(Choice(choice, words.say("choice.asked", place=store.name), silence))
    return tuple(shown)


def offers(choices: Sequence[Choice], words: Words, *, at: datetime) -> tuple[Offer, ...]:
    """What can be had instead now."""
    return tuple(_offer(choice, words, at) for choice in choices)


def _offer(choice: Choice, words: Words, at: datetime) -> Offer:
    found = choice.open
    values = []
    for option in stores_instead(found, at=at):
        store, ready = option.store, option.ready_by
        if store is not None and ready is not None:
            label = words.say(
                "choice.collect",
                store=store.name,
                city=store.city,
                km=store.distance_km,
                date=words.moment(ready.astimezone(ZoneInfo(option.timezone))),
            )
            values.append((f"{PickupChoice.COLLECT}:{store.node}", label))
    if not found.divided:
        ship = "ship_there" if found.address is not None else "ship"
        values.append((PickupChoice.SHIP.value, words.say(f"choice.{ship}")))
    values.append((PickupChoice.CANCEL.value, words.say("choice.cancel")))
    asks_address = not found.divided and found.address is None
    return Offer(
        group_id=str(found.group_id),
        text=choice.text,
        silence=choice.silence,
        choices=tuple(values),
        other=PickupChoice.SHIP.value if asks_address else "",
        divided=words.say("choice.divided") if found.divided else "",
    )


def answer(
    choices: Sequence[Choice],
    given: Mapping[str, str],
    words: Words,
    *,
    at: datetime,
    actor: Actor,
) -> tuple[str, str]:
    """Have the choice take effect; the key of what is said of it, or else what is wrong with it."""
    asked = {str(choice.open.group_id): choice.open for choice in choices}
    found = asked.get(given.get("group", ""))
    if found is None:
        return "over", ""
    choice, _, code = given.get("choice", "").partition(":")
    if choice not in PickupChoice.values:
        return "", words.say("choice.choose")
    node_id = nodes_by_code([code], actor.scope).get(code) if code else None
    address = None
    if choice == PickupChoice.SHIP and found.address is None:
        address = Address(**{name: given.get(name, "").strip()[:LONGEST] for name in FIELDS})
    try:
        choose_instead(
            ChoiceGiven(found.group_id, choice, "link", node_id, address), at=at, actor=actor
        )
    except (Conflict, NotFound) as refusal:
        return "", words.say("choice.refused", why=refusal.detail)
    return f"thanks_{choice}", ""
