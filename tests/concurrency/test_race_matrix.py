"""Nine things that happen to a shelf, each beside each: the books end as if one had come first."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations_with_replacement, product
from sys import modules
from typing import Final
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import Sum

from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import Movement, Reservation, StockPosition
from inventory.types import Portion, SnapshotRow, StockChange
from tests.books import check_all
from tests.concurrency.interleaving import (
    BEFORE_READING,
    BEFORE_WRITING,
    REFUSED,
    Two,
    two_connections,
)
from tests.factories.inventory import ANNA, NodeFactory, SkuFactory, reread, stock, want
from tests.factories.kernel import NOON
from tests.inventory.stock_model import Claim, Model

pytestmark = pytest.mark.django_db(transaction=True)

WHEN: Final = {"at": NOON, "actor": ANNA}
STOCKED: Final = (8, 5)
COUNTED: Final = 6
Ending = tuple[object, ...]
"""What the two answered (how many claims or movements they made), then what the database says."""


@dataclass
class World:
    """Eight units here and five there; here three are reserved and two held, which are due."""

    positions: list[StockPosition]
    model: Model
    claim: UUID
    held: UUID

    def change(self, units: int, kind: str) -> int:
        here = self.positions[0]
        change = StockChange(here.node_id, here.sku_id, here.account_id, units, kind)
        return len(services.record_changes([change], **WHEN))

    def standing(self, *answers: object) -> Ending:
        """What the database says: both places, then the two claims that every world begins with."""
        rows = [reread(position.pk) for position in self.positions]
        claims = Reservation.objects.for_scope(ALL_ACCOUNTS).in_bulk([self.claim, self.held])
        return (
            answers,
            tuple((row.sellable, row.reserved, row.shortfall, _moved(row.pk)) for row in rows),
            tuple(
                (claims[key].state, claims[key].consumed, claims[key].released)
                for key in (self.claim, self.held)
            ),
        )

    def after(self, first: str, second: str, *, is_turned: bool = False) -> Ending:
        """What the model says when these happen one after another, or turned round."""
        model = deepcopy(self.model)
        acts = (second, first) if is_turned else (first, second)
        answers = tuple(MODELLED[act](model, model.claims[self.claim]) for act in acts)
        places = tuple(
            (place.sellable, model.reserved(at), model.shortfall(at), place.sellable)
            for at, place in enumerate(model.places)
        )
        kept = [model.claims[key] for key in (self.claim, self.held)]
        return (
            answers[::-1] if is_turned else answers,
            places,
            tuple((claim.state, claim.consumed, claim.released) for claim in kept),
        )


def _moved(position_id: int) -> int:
    moved = Movement.objects.for_scope(ALL_ACCOUNTS).filter(position_id=position_id)
    return int(moved.aggregate(units=Sum("quantity"))["units"])


def a_world(*, due: bool) -> World:
    sku = SkuFactory()
    positions = [stock(units, sku=sku, node=NodeFactory(account=sku.account)) for units in STOCKED]
    until = NOON - timedelta(minutes=1) if due else NOON + timedelta(days=1)
    with transaction.atomic():
        claim = services.take([want(positions[0], 3)], **WHEN).taken[0].reservation_id
        held = services.hold([want(positions[0], 2)], until=until, **WHEN).taken[0].reservation_id
    model = Model()
    for place, units in enumerate(STOCKED):
        model.came(place, units)
    model.claims = {
        claim: Claim(0, 3, "reserved", ids.uuid7()),
        held: Claim(0, 2, "held", ids.uuid7(), due=due),
    }
    return World(positions, model, claim, held)


# --- what the commands do ----------------------------------------------------------------------


def reserve(world: World) -> int:
    return len(services.take([want(world.positions[0], 3)], **WHEN).taken)


def cancel(world: World) -> int:
    services.release([Portion(world.claim, 2)], "cancelled", **WHEN)
    return 1


def move(world: World) -> int:
    there = world.positions[1]
    services.lock_positions([there.pk], [world.claim])
    services.release([Portion(world.claim, 2)], "moved", **WHEN)
    return len(services.take([want(there, 2)], **WHEN).taken)


def ship(world: World) -> int:
    services.issue([Portion(world.claim, 2)], "parcel", ids.uuid7(), **WHEN)
    return 1


def expire(world: World) -> int:
    del world
    return services.expire_held(10, **WHEN)


def count(world: World) -> int:
    here = world.positions[0]
    as_of = NOON - timedelta(minutes=1)
    # A source of its own: the row of a feed would keep two snapshots apart by itself.
    rows = [SnapshotRow(here.sku_id, COUNTED)]
    return len(services.apply_snapshot(here.node_id, str(ids.uuid7()), as_of, rows, **WHEN))


COMMANDS: Final[dict[str, Callable[[World], int]]] = {
    "reserve": reserve,
    "cancel": cancel,
    "adjust": lambda world: world.change(-4, "adjust"),
    "till sale": lambda world: world.change(-2, "sale"),
    "snapshot": count,
    "move": move,
    "expire": expire,
    "ship": ship,
    "receive": lambda world: world.change(5, "receipt"),
}


# --- what they come to -------------------------------------------------------------------------


def _reserved(model: Model, _: Claim) -> int:
    if not model.take(0, 3):
        return REFUSED
    model.claims[ids.uuid7()] = Claim(0, 3, "reserved", ids.uuid7())
    return 1


def _cancelled(model: Model, claim: Claim) -> int:
    if claim.open < 2:
        return REFUSED
    model.gave_back(claim, 2)
    return 1


def _claim_moved(model: Model, claim: Claim) -> int:
    if claim.open < 2:
        return REFUSED
    model.gave_back(claim, 2)
    if not model.take(1, 2):
        return REFUSED
    model.claims[ids.uuid7()] = Claim(1, 2, "reserved", ids.uuid7())
    return 1


def _shipped(model: Model, claim: Claim) -> int:
    if claim.open < 2:
        return REFUSED
    model.issued(claim, 2)
    return 1


def _counted(model: Model, _: Claim) -> int:
    """Of a minute ago: what has happened since is on top, also of another count."""
    here = model.places[0]
    if not here.is_counted:
        model.counted(0, COUNTED + here.sellable - STOCKED[0])
    return 1


def _expired(model: Model, _: Claim) -> int:
    before = [claim.state for claim in model.claims.values()].count("expired")
    model.expired()
    return [claim.state for claim in model.claims.values()].count("expired") - before


def _changed(units: int) -> Callable[[Model, Claim], int]:
    def change(model: Model, _: Claim) -> int:
        if units > 0:
            model.came(0, units)
        else:
            model.went(0, -units)
        return 1

    return change


MODELLED: Final[dict[str, Callable[[Model, Claim], int]]] = {
    "reserve": _reserved,
    "cancel": _cancelled,
    "adjust": _changed(-4),
    "till sale": _changed(-2),
    "snapshot": _counted,
    "move": _claim_moved,
    "expire": _expired,
    "ship": _shipped,
    "receive": _changed(5),
}


def play(two: Two, first: str, second: str, point: str, *, locks: bool = True) -> str:
    """One interleaving in a world of its own; what was wrong with how it ended, or nothing."""
    world = a_world(due="expire" in (first, second))
    answers = two.interleave(
        lambda: COMMANDS[first](world), lambda: COMMANDS[second](world), point, locks=locks
    )
    legal = {world.after(first, second), world.after(first, second, is_turned=True)}
    ending = world.standing(*answers)
    return "" if ending in legal else f"{ending} is none of {legal}"


PAIRS: Final = {
    BEFORE_READING: list(combinations_with_replacement(COMMANDS, 2)),
    BEFORE_WRITING: list(product(COMMANDS, repeat=2)),
}


def step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reserve as of many wants: what is one statement of few has no place to be paused."""
    monkeypatch.setattr(modules["inventory.services.take_at_once"], "MOST_AT_ONCE", 0)


@pytest.mark.parametrize("point", PAIRS)
def test_each_beside_each_ends_as_if_one_had_come_first(
    point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """126 interleavings: one is paused there, and the other comes in between."""
    if point == BEFORE_WRITING:
        step_by_step(monkeypatch)
    with two_connections() as two:
        wrong = {pair: found for pair in PAIRS[point] if (found := play(two, *pair, point))}

    assert wrong == {}
    assert check_all(about="stock.") == []


def test_without_locks_and_guards_every_pair_goes_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of all of them: the same commands, the same pauses."""
    step_by_step(monkeypatch)
    with two_connections() as two:
        unseen = [
            (one, other)
            for one, other in combinations_with_replacement(COMMANDS, 2)
            if not play(two, one, other, BEFORE_WRITING, locks=False)
            and not play(two, other, one, BEFORE_WRITING, locks=False)
        ]

    assert unseen == []
    assert check_all(about="stock.") != []
