"""Promises as pages show them: their way through the stages, their slack, and what was told of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.reports import promise_page, promises
from config.reports.order_filters import Moment
from config.reports.sql import Row
from fulfillment.services.stage_times import KnownPaces, known_paces
from fulfillment.slack import targets
from fulfillment.states import Stage

WAITS: Final = {
    Stage.ACCEPT.value: "Accepted",
    Stage.RELEASE.value: "Released",
    Stage.ACKNOWLEDGE.value: "Taken on",
    Stage.PICK.value: "Picked",
    Stage.PACK.value: "Packed",
    Stage.HAND_OVER.value: "Handed over",
    Stage.DELIVER.value: "Delivered",
}
"""What a promise waits to be, by its stage."""
_ENDS: Final = {
    Stage.ACCEPT: "accepted_at",
    Stage.RELEASE: "released_at",
    Stage.ACKNOWLEDGE: "acknowledged_at",
    Stage.PICK: "picked_at",
    Stage.PACK: "packed_at",
    Stage.HAND_OVER: "shipped_at",
    Stage.DELIVER: "delivered_at",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One stage: by when it was to end, when it ended, and how it stands.

    `left_seconds` is what is left to its target, or was when it ended; less than nothing is late.
    """

    code: str
    label: str
    planned: datetime
    actual: datetime | None
    state: str
    left_seconds: int

    @property
    def tone(self) -> str:
        if self.state == "next":
            return ""
        return "bad" if self.left_seconds < 0 else "good" if self.state == "done" else "info"


@dataclass(frozen=True, slots=True)
class Bar:
    """The stages of one node's work for a group."""

    group_id: UUID
    number: str
    node_name: str
    steps: tuple[Step, ...]


def bars(found: Iterable[Row], now: datetime) -> dict[UUID, Bar]:
    """By fulfillment order. One statement, for the paces."""
    rows = list(found)
    known = known_paces() if rows else KnownPaces()
    return {row["id"]: _bar(row, known, now) for row in rows}


def _bar(row: Row, known: KnownPaces, now: datetime) -> Bar:
    paces = known.of(row["account_id"], row["node_id"])
    planned = targets(row["placed_at"], row["ship_by"], row["deliver_by"], paces)
    stages = [stage for stage in Stage if stage is not Stage.DELIVER or row["deliver_by"]]
    ends: list[datetime | None] = [row[_ENDS[stage]] for stage in stages]
    steps: list[Step] = []
    going = True
    for place, stage in enumerate(stages):
        later: list[Any] = [end for end in ends[place:] if end is not None]
        # A step that was never recorded ended with the next one that was.
        actual = later[0] if later else None
        state = "done" if actual else "now" if going else "next"
        going = going and actual is not None
        target = planned[stage]
        left = int((target - (actual or now)).total_seconds())
        steps.append(Step(stage.value, stage.label, target, actual, state, left))
    return Bar(row["group_id"], row["number"], row["node_name"], tuple(steps))


def promised_on(order_id: UUID, moment: Moment) -> dict[str, Any]:
    """What the page of an order shows of its promises. Five statements, four where nothing is at a node."""
    ledger = promise_page.ledger_of_order(order_id)
    standing = [each for each in ledger["versions"] if each["stands"]]
    arrivals = sorted(each["deliver_latest"] for each in standing)
    return {
        **ledger,
        "by_group": len(standing) > 1,
        "first_by": arrivals[0] if arrivals and arrivals[0] < arrivals[-1] else None,
        "complete_by": arrivals[-1] if arrivals else None,
        "bars": bars(promises.bars_of_order(order_id), moment.now),
        "slack": {each["group_id"]: each for each in promises.order_slack(order_id, moment=moment)},
    }
