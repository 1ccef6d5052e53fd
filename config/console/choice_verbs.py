"""An agent chooses for the buyer of a pickup that its store gave up: the offers, judged and carried out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from config.kernel.errors import Conflict, DomainError
from config.kernel.types import Actor, Outcome
from config.reports.sql import Row
from inventory.selectors import nodes_by_code
from orders.selectors.choices import BUYER_CHOICE, OpenChoice, open_choices
from orders.services import choose_instead
from orders.states import PickupChoice
from orders.types import ChoiceGiven
from routing.quotes.instead import stores_instead

_READY: Final = "%a %d %b, %H:%M"


def judge(order: Row) -> str:
    """Why nothing can be chosen, or nothing."""
    if any(hold["type"] == BUYER_CHOICE for hold in order["holds"]):
        return ""
    return "No store gave up a pickup of it that its buyer would choose about."


def offers(order_id: UUID, *, at: datetime) -> list[tuple[str, str]]:
    """What can be chosen now, for every pickup that waits: (value, words)."""
    found = open_choices([order_id]).values()
    return [offer for choice in found for offer in _offers(choice, at)]


def _offers(choice: OpenChoice, at: datetime) -> list[tuple[str, str]]:
    units = ", ".join(f"{many} × {code}" for code, many in choice.codes.items())
    made = []
    for option in stores_instead(choice, at=at):
        store, ready = option.store, option.ready_by
        if store is not None and ready is not None:
            when = ready.astimezone(ZoneInfo(option.timezone)).strftime(_READY)
            where = f"{store.name}, {store.distance_km} km from the first"
            made.append((f"{PickupChoice.COLLECT}:{store.node}", f"Collect at {where}: {when}"))
    if choice.address is not None and not choice.divided:
        town = f"{choice.address.city} {choice.address.postal_code}"
        made.append((PickupChoice.SHIP.value, f"Send to the order's address in {town}"))
    made.append((PickupChoice.CANCEL.value, "Cancel"))
    return [(f"{choice.group_id}:{value}", f"{label} ({units})") for value, label in made]


def choose(
    rows: Sequence[Row], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[Any]]:
    """Carry the choice out on the one order that it names."""
    group, _, wanted = str(params["choice"]).partition(":")
    choice, _, code = wanted.partition(":")
    outcomes: list[Outcome[Any]] = []
    for row in rows:
        try:
            if all(str(each["id"]) != group for each in row["groups"]):
                raise Conflict("It is of another order.")
            node_id = nodes_by_code([code], actor.scope).get(code) if code else None
            given = ChoiceGiven(UUID(group), choice, "agent", node_id)
            outcomes.append(Outcome.done(choose_instead(given, at=at, actor=actor).group_id))
        except DomainError as refusal:
            outcomes.append(Outcome.refused(refusal.code, refusal.detail, **refusal.extra))
    return outcomes
