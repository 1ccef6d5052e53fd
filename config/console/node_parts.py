"""The parts of a node that people edit: how each is listed, added to and taken from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, Final

from config.console import node_forms
from config.console.forms import ActionForm
from inventory.states import Capability, CapacityResource
from inventory.types import (
    CapacityView,
    ClosureDraft,
    CutoffView,
    HoursView,
    NodeEdit,
    NodeView,
    PickupView,
    SpecialDayView,
)

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a part; `key` tells it from the others, in a form too."""

    row: Any
    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Part:
    """`rows` are those of the node now, `made` those that a filled form says, `edit` all of them."""

    title: str
    about: str
    form: type[ActionForm]
    rows: Callable[[NodeView, Sequence[ClosureDraft]], Sequence[Any]]
    key: Callable[[Any], tuple[Any, ...]]
    label: Callable[[Any], str]
    made: Callable[[Values], Sequence[Any]]
    edit: Callable[[int, tuple[Any, ...]], NodeEdit]

    def entries(self, view: NodeView, closures: Sequence[ClosureDraft]) -> list[Entry]:
        return [
            Entry(row, "|".join(map(str, self.key(row))), self.label(row))
            for row in self.rows(view, closures)
        ]

    def with_added(self, entries: Sequence[Entry], made: Sequence[Any]) -> tuple[Any, ...]:
        """All rows, those of the same key replaced."""
        fresh = {self.key(row): row for row in made}
        kept = [entry.row for entry in entries if self.key(entry.row) not in fresh]
        return (*kept, *fresh.values())


def _wall(value: time) -> str:
    return value.strftime("%H:%M")


def _day(weekday: int) -> str:
    return node_forms.WEEKDAYS[weekday]


def _service(code: str | None) -> str:
    return f" for {code.replace('_', ' ')}" if code else ""


def _pickup_label(row: PickupView) -> str:
    most = f", at most {row.most_parcels} parcels" if row.most_parcels else ""
    dock = f", dock {row.dock}" if row.dock else ""
    return f"{_day(row.weekday)} {_wall(row.at_local)}: {row.carrier}{_service(row.service)}{most}{dock}"


def _capacity_label(row: CapacityView) -> str:
    what = CapacityResource(row.resource).label.lower()
    hard = ", never more" if row.hard else ""
    times = f"{_wall(row.opens)} to {_wall(row.closes)}"
    return f"{_day(row.weekday)} {times}, {row.function}: {row.most} {what}{hard}"


PARTS: Final[Mapping[str, Part]] = {
    "hours": Part(
        "Opening hours",
        "In the node's own time. A day without hours is closed.",
        node_forms.HoursForm,
        lambda view, _: view.hours,
        lambda row: (row.weekday,),
        lambda row: f"{_day(row.weekday)} {_wall(row.opens)} to {_wall(row.closes)}",
        lambda said: [HoursView(day, said["opens"], said["closes"]) for day in said["days"]],
        lambda node_id, rows: NodeEdit(node_id, hours=rows),
    ),
    "cutoffs": Part(
        "Cutoffs",
        "Work that is in by then leaves the same day.",
        node_forms.CutoffForm,
        lambda view, _: view.cutoffs,
        lambda row: (row.service or "", row.weekday),
        lambda row: f"{_day(row.weekday)} {_wall(row.at_local)}{_service(row.service)}",
        lambda said: [
            CutoffView(said["service"] or None, day, said["at_local"]) for day in said["days"]
        ],
        lambda node_id, rows: NodeEdit(node_id, cutoffs=rows),
    ),
    "pickups": Part(
        "Carrier pickups",
        "When carriers fetch what is labelled for them. Without cutoffs, work leaves with the last.",
        node_forms.PickupForm,
        lambda view, _: view.pickups,
        lambda row: (row.carrier, row.service or "", row.weekday, _wall(row.at_local)),
        _pickup_label,
        lambda said: [
            PickupView(
                said["carrier"],
                said["service"] or None,
                day,
                said["at_local"],
                said["most_parcels"],
                said["dock"],
            )
            for day in said["days"]
        ],
        lambda node_id, rows: NodeEdit(node_id, pickups=rows),
    ),
    "capacity": Part(
        "Capacity",
        "What the node does at most within a window of its day. Windows of one thing do not overlap.",
        node_forms.CapacityForm,
        lambda view, _: view.capacities,
        lambda row: (row.function, row.resource, row.weekday, _wall(row.opens)),
        _capacity_label,
        lambda said: [
            CapacityView(
                said["function"],
                said["resource"],
                day,
                said["opens"],
                said["closes"],
                said["most"],
                said["hard"],
            )
            for day in said["days"]
        ],
        lambda node_id, rows: NodeEdit(node_id, capacities=rows),
    ),
    "closures": Part(
        "Days off",
        "Days on which the node does not work, public holidays among them.",
        node_forms.ClosureForm,
        lambda _, closures: closures,
        lambda row: (row.on.isoformat(),),
        lambda row: f"{row.on:%a %d %b %Y}: {row.name}",
        lambda said: [ClosureDraft(said["on"], said["name"])],
        lambda node_id, rows: NodeEdit(node_id, closures=rows),
    ),
    "special": Part(
        "Days with hours of their own",
        "They hold whatever the weekday or a holiday says.",
        node_forms.SpecialDayForm,
        lambda view, _: view.special_days,
        lambda row: (row.on.isoformat(),),
        lambda row: f"{row.on:%a %d %b %Y} {_wall(row.opens)} to {_wall(row.closes)}: {row.name}",
        lambda said: [SpecialDayView(said["on"], said["opens"], said["closes"], said["name"])],
        lambda node_id, rows: NodeEdit(node_id, special_days=rows),
    ),
    "capabilities": Part(
        "What it can do",
        "Beyond holding goods and handing them over.",
        node_forms.CapabilityForm,
        lambda view, _: sorted(view.capabilities),
        lambda row: (row,),
        lambda row: str(Capability(row).label),
        lambda said: [said["code"]],
        lambda node_id, rows: NodeEdit(node_id, capabilities=rows),
    ),
}
