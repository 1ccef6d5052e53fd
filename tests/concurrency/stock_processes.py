"""Processes that work at the same few shelves: `stock_processes.py` with its task as a line of JSON.

It sets Django up once and forks. Each child does its share of numbered acts, every act exactly once
however often it is sent, and writes a line once it was committed: what is in its file was
acknowledged. A child that loses the database ends.
"""

import json
import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

import django

if __name__ == "__main__":
    django.setup()

from django.db import InterfaceError, OperationalError, connection, connections, transaction

from config.kernel import external_keys, ids
from config.kernel.errors import DomainError
from config.kernel.types import Actor
from inventory import services
from inventory.types import Portion, SnapshotRow, StockChange, Want
from tests.concurrency.interleaving import without_locks

NOON: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
WHEN: Final[dict[str, Any]] = {"at": NOON, "actor": Actor.system("tests")}
SCOPE, SOURCE = "tests", "acts"
_DEMANDS: Final = UUID(int=4)
DONE, REFUSED = "done", "refused"


@dataclass(frozen=True, slots=True)
class Place:
    position_id: int
    node_id: int
    sku_id: int
    account_id: str


def demand_of(number: int) -> UUID:
    """What an act reserves for, whoever does it and however often it is sent."""
    return uuid5(_DEMANDS, str(number))


def _want(place: Place, number: int, units: int) -> Want:
    demand = demand_of(number)
    return Want(
        place.position_id,
        place.sku_id,
        place.node_id,
        units,
        demand,
        demand,
        UUID(place.account_id),
    )


def _change(place: Place, number: int, units: int, kind: str) -> str:
    account_id = UUID(place.account_id)
    change = StockChange(
        place.node_id, place.sku_id, account_id, units, kind, source=SOURCE, external_id=str(number)
    )
    return str(services.record_changes([change], **WHEN)[0].kind)


def _some_claim(dice: random.Random, states: tuple[str, ...]) -> tuple[UUID, int, int] | None:
    """An open reservation, its place and its units, read without a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, position_id, quantity - consumed - released FROM inventory_reservation "
            "WHERE state = ANY(%s) ORDER BY id DESC LIMIT 8",
            [list(states)],
        )
        found = cursor.fetchall()
    return dice.choice(found) if found else None


class Acts:
    """The nine things that happen, each in one transaction."""

    def __init__(self, places: list[Place]) -> None:
        self.places = places

    def reserve(self, number: int, place: Place, dice: random.Random) -> str:
        units = dice.randint(1, 2)
        if dice.random() < 0.3:
            until = NOON - timedelta(minutes=1)
            taken = services.hold([_want(place, number, units)], until=until, **WHEN).taken
        else:
            taken = services.take([_want(place, number, units)], **WHEN).taken
        return DONE if taken else REFUSED

    def cancel(self, number: int, place: Place, dice: random.Random) -> str:
        claim = _some_claim(dice, ("held", "reserved", "committed"))
        if claim is None:
            return REFUSED
        services.release([Portion(claim[0], 1)], "cancelled", **WHEN)
        return DONE

    def ship(self, number: int, place: Place, dice: random.Random) -> str:
        claim = _some_claim(dice, ("reserved", "committed"))
        if claim is None:
            return REFUSED
        services.issue([Portion(claim[0], 1)], "parcel", demand_of(number), **WHEN)
        return DONE

    def move(self, number: int, place: Place, dice: random.Random) -> str:
        claim = _some_claim(dice, ("reserved",))
        if claim is None:
            return REFUSED
        target = next(one for one in self.places if one.position_id != claim[1])
        services.lock_positions([target.position_id], [claim[0]])
        services.release([Portion(claim[0], 1)], "moved", **WHEN)
        services.take([_want(target, number, 1)], **WHEN)
        return DONE

    def expire(self, number: int, place: Place, dice: random.Random) -> str:
        services.expire_held(3, **WHEN)
        return DONE

    def snapshot(self, number: int, place: Place, dice: random.Random) -> str:
        rows = [SnapshotRow(place.sku_id, dice.randint(20, 60))]
        services.apply_snapshot(place.node_id, f"wms-{number}", NOON, rows, **WHEN)
        return DONE

    def receive(self, number: int, place: Place, dice: random.Random) -> str:
        return _change(place, number, dice.randint(1, 4), "receipt")

    def sell(self, number: int, place: Place, dice: random.Random) -> str:
        return _change(place, number, -1, "sale")

    def adjust(self, number: int, place: Place, dice: random.Random) -> str:
        return _change(place, number, dice.choice((-2, 2)), "adjust")

    def by_number(self, number: int) -> Callable[[], str]:
        """Always the same act for a number."""
        dice = random.Random(number)  # noqa: S311  # repeatable
        act = dice.choice(
            [self.reserve] * 4
            + [self.cancel, self.ship, self.move, self.expire, self.snapshot]
            + [self.receive, self.sell, self.adjust]
        )
        place = dice.choice(self.places)
        return lambda: act(number, place, dice)


def once(number: int, act: Callable[[], str]) -> str:
    """Do it unless it was done: its key is claimed in its own transaction."""
    with transaction.atomic():
        key = external_keys.Claim(SOURCE, str(number), ids.uuid7())
        (owner,) = external_keys.claim(SCOPE, [key])
        return act() if owner == key.subject_id else "repeated"


def work(task: dict[str, Any], child: int) -> None:
    """Do every so many-th act; a line per act says how it ended, written after its commit."""
    acts = Acts([Place(*place) for place in task["places"]])
    out = os.open(Path(task["folder"]) / f"{task['name']}-{child}", os.O_WRONLY | os.O_CREAT)
    for number in range(task["first"] + child, task["last"], task["processes"]):
        try:
            ended = once(number, acts.by_number(number))
        except DomainError:
            ended = REFUSED
        except (OperationalError, InterfaceError) as error:
            ended = f"failed {str(error).splitlines()[0] if str(error) else ''}"
            if not connection.is_usable():
                return
        except Exception as error:  # noqa: BLE001  # of a control without guards
            ended = f"failed {type(error).__name__}"
        os.write(out, f"{number} {ended}\n".encode())


def main() -> None:
    task = json.loads(sys.stdin.readline())
    connections.databases["default"] |= task["database"]
    children = []
    for child in range(task["processes"]):
        pid = os.fork()
        if not pid:
            if task["locks"]:
                work(task, child)
            else:
                with connection.execute_wrapper(without_locks):
                    work(task, child)
            connection.close()
            os._exit(0)
        children.append(pid)
    print(*children, flush=True)  # noqa: T201  # heard by the test
    for pid in children:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
