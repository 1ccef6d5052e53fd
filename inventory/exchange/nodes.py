"""Nodes as files: what they are, when they work, what they do at most. Each row is one of a part."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final
from uuid import UUID

from config.kernel.access import Permission
from config.kernel.errors import Invalid
from config.kernel.types import Actor, Scope
from inventory import selectors, services
from inventory.exchange.cells import Choice, Day, Flag, Text, Whole
from inventory.exchange.kinds import Column, Key, Kind, Refusal, Row
from inventory.services import define
from inventory.services.node_edits import check_edit
from inventory.states import CAPACITY_FUNCTIONS, CapacityResource, Function, NodeKind
from inventory.types import (
    CapacityView,
    ClosureDraft,
    CutoffView,
    HoursView,
    NodeEdit,
    NodeView,
    PickupView,
)

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NODE: Final = Column("node", Text(32), needed=True, help="Code of the node.")
_WEEKDAY: Final = Column("weekday", Choice(_DAYS), needed=True)


@dataclass(frozen=True, slots=True)
class Wall:
    """A time of day at the node, as 16:30."""

    def read(self, text: str) -> time:
        try:
            return time.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text[:40]!r} is no time of day; write it like 16:30.") from None

    def show(self, value: Any) -> str:
        return str(value.strftime("%H:%M"))


@dataclass(frozen=True, slots=True)
class Degrees:
    """Degrees of latitude or longitude, as -74.17."""

    most: int

    def read(self, text: str) -> float:
        try:
            degrees = float(text)
        except ValueError:
            raise ValueError(f"{text[:40]!r} is no number; write it like -74.17.") from None
        if not -self.most <= degrees <= self.most:
            raise ValueError(f"{text[:40]} is not between -{self.most} and {self.most}.")
        return degrees

    def show(self, value: Any) -> str:
        return repr(value)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a node as rows: `shown` of a node now, `made` of a row, and the edit of all."""

    shown: Callable[[NodeView, Sequence[ClosureDraft]], Iterable[Mapping[str, Any]]]
    made: Callable[[Mapping[str, Any]], Any]
    edit: Callable[[int, tuple[Any, ...]], NodeEdit]
    key: tuple[str, ...]


_PARTS: Final[Mapping[str, _Part]] = {
    "node_hours": _Part(
        lambda view, _: [
            {"weekday": _DAYS[row.weekday], "opens": row.opens, "closes": row.closes}
            for row in view.hours
        ],
        lambda said: HoursView(_DAYS.index(said["weekday"]), said["opens"], said["closes"]),
        lambda node_id, rows: NodeEdit(node_id, hours=rows),
        ("weekday",),
    ),
    "cutoffs": _Part(
        lambda view, _: [
            {"service": row.service or "", "weekday": _DAYS[row.weekday], "at": row.at_local}
            for row in view.cutoffs
        ],
        lambda said: CutoffView(said["service"] or None, _DAYS.index(said["weekday"]), said["at"]),
        lambda node_id, rows: NodeEdit(node_id, cutoffs=rows),
        ("service", "weekday"),
    ),
    "pickups": _Part(
        lambda view, _: [
            {
                "carrier": row.carrier,
                "service": row.service or "",
                "weekday": _DAYS[row.weekday],
                "at": row.at_local,
                "most_parcels": row.most_parcels,
                "dock": row.dock,
            }
            for row in view.pickups
        ],
        lambda said: PickupView(
            said["carrier"],
            said["service"] or None,
            _DAYS.index(said["weekday"]),
            said["at"],
            said["most_parcels"],
            said["dock"],
        ),
        lambda node_id, rows: NodeEdit(node_id, pickups=rows),
        ("carrier", "service", "weekday", "at"),
    ),
    "capacity": _Part(
        lambda view, _: [
            {
                "function": row.function,
                "resource": row.resource,
                "weekday": _DAYS[row.weekday],
                "opens": row.opens,
                "closes": row.closes,
                "most": row.most,
                "hard": row.hard,
            }
            for row in view.capacities
        ],
        lambda said: CapacityView(
            said["function"],
            said["resource"],
            _DAYS.index(said["weekday"]),
            said["opens"],
            said["closes"],
            said["most"],
            said["hard"],
        ),
        lambda node_id, rows: NodeEdit(node_id, capacities=rows),
        ("function", "resource", "weekday", "opens"),
    ),
    "closures": _Part(
        lambda _, closures: [{"on": row.on, "name": row.name} for row in closures],
        lambda said: ClosureDraft(said["on"], said["name"]),
        lambda node_id, rows: NodeEdit(node_id, closures=rows),
        ("on",),
    ),
}


def _shown(
    part: _Part, nodes: Iterable[NodeView]
) -> Iterator[tuple[NodeView, dict[Key, Mapping[str, Any]]]]:
    """Each node with its rows of the part, by their keys."""
    found = list(nodes)
    closures = selectors.closures_of([view.id for view in found])
    for view in found:
        rows = part.shown(view, closures.get(view.id, ()))
        yield view, {tuple(row[name] for name in part.key): row for row in rows}


def _current(code: str) -> Callable[[UUID, Collection[Key] | None], Iterator[Mapping[str, Any]]]:
    def current(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
        wanted = None if keys is None else set(keys)
        for view, rows in _shown(_PARTS[code], selectors.nodes(Scope(frozenset({account_id})))):
            for key, row in rows.items():
                if wanted is None or (view.code, *key) in wanted:
                    yield {"node": view.code, **row}

    return current


def _written(
    code: str, *, removing: bool = False
) -> Callable[[UUID, Sequence[Row], datetime, Actor], Sequence[Refusal | None]]:
    def write(
        account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
    ) -> Sequence[Refusal | None]:
        part = _PARTS[code]
        nodes = {view.code: view for view in selectors.nodes(Scope(frozenset({account_id})))}
        asked = [nodes[name] for name in {row["node"] for row in rows} & nodes.keys()]
        edits = []
        for view, known in _shown(part, asked):
            mine = {
                tuple(row[name] for name in part.key): row.values
                for row in rows
                if row["node"] == view.code
            }
            kept = {key: row for key, row in known.items() if key not in mine}
            all_rows = kept if removing else kept | mine
            edits.append(part.edit(view.id, tuple(part.made(row) for row in all_rows.values())))
        services.edit_nodes(edits, at=at, actor=actor)
        return [_unknown(row, nodes) for row in rows]

    return write


def _unknown(row: Row, nodes: Mapping[str, NodeView]) -> Refusal | None:
    if row["node"] in nodes:
        return None
    return Refusal("node", "unknown-node", f"There is no node {row['node']}; correct its code.")


def _kind(code: str, label: str, about: str, *columns: Column) -> Kind:
    return Kind(
        code=code,
        label=label,
        about=about,
        columns=(_NODE, *columns),
        key=("node", *_PARTS[code].key),
        current=_current(code),
        write=_written(code),
        permission=Permission.NETWORK_EDIT,
        remove=_written(code, removing=True),
    )


NODE_HOURS: Final = _kind(
    "node_hours",
    "Opening hours",
    "When nodes work, by weekday; a day without hours is closed.",
    _WEEKDAY,
    Column("opens", Wall(), needed=True),
    Column("closes", Wall(), needed=True, help="At or before it opens: on the next day."),
)
CUTOFFS: Final = _kind(
    "cutoffs",
    "Cutoffs",
    "By when work must be in to leave the same day.",
    Column("service", Text(32), empty="", help="Empty is any."),
    _WEEKDAY,
    Column("at", Wall(), needed=True),
)
PICKUPS: Final = _kind(
    "pickups",
    "Carrier pickups",
    "When carriers fetch parcels.",
    Column("carrier", Text(32), needed=True),
    Column("service", Text(32), empty="", help="Empty is any."),
    _WEEKDAY,
    Column("at", Wall(), needed=True),
    Column("most_parcels", Whole(1), help="Empty: all there is."),
    Column("dock", Text(32), empty=""),
)
CAPACITY: Final = _kind(
    "capacity",
    "Capacity",
    "What nodes do at most between two times of a weekday.",
    Column("function", Choice(CAPACITY_FUNCTIONS), needed=True),
    Column("resource", Choice(CapacityResource.values), needed=True),
    _WEEKDAY,
    Column("opens", Wall(), needed=True),
    Column("closes", Wall(), needed=True, help="00:00 is the end of the day."),
    Column("most", Whole(), needed=True),
    Column("hard", Flag(), empty=False, help="Never passed; otherwise a signal."),
)
CLOSURES: Final = _kind(
    "closures",
    "Days off",
    "Days on which nodes do not work, public holidays among them.",
    Column("on", Day(), needed=True),
    Column("name", Text(120), needed=True),
)

_FIELDS: Final = (
    "name", "city", "region", "postal_code", "country", "latitude", "longitude", "timezone",
    "processing_minutes", "priority",
)  # fmt: skip


def _current_nodes(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
    wanted = None if keys is None else {key[0] for key in keys}
    for view in sorted(selectors.nodes(Scope(frozenset({account_id}))), key=lambda one: one.code):
        if wanted is None or view.code in wanted:
            yield {
                "code": view.code,
                "kind": view.kind,
                "functions": " ".join(row.function for row in view.functions),
                **{name: getattr(view, name) for name in _FIELDS},
            }


def _write_nodes(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    """Change the nodes that there are, and set up the others, which take work at once."""
    scope = Scope(frozenset({account_id}))
    known = selectors.nodes_by_code([row["code"] for row in rows], scope)
    taken = selectors.taken_node_codes([row["code"] for row in rows]) - known.keys()
    refused = [_why_not(row, known, taken) for row in rows]
    good = [row for row, why in zip(rows, refused, strict=True) if why is None]
    services.edit_nodes(
        [_edit_of(known[row["code"]], row) for row in good if row["code"] in known],
        at=at,
        actor=actor,
    )
    fresh = [_draft_of(row) for row in good if row["code"] not in known]
    if fresh:
        define.define_nodes(fresh, account_id=account_id, at=at, actor=actor)
    return refused


def _why_not(row: Row, known: Mapping[str, int], taken: Collection[str]) -> Refusal | None:
    """Why the row cannot be; a code that others use is taken."""
    try:
        check_edit(_edit_of(known.get(row["code"], 0), row))
    except Invalid as error:
        return Refusal("functions", error.code, error.detail)
    if row["code"] not in known:
        if row["latitude"] is None or row["longitude"] is None:
            return Refusal("latitude", "required", "Say where the new node lies.")
        if row["code"] in taken:
            return Refusal("code", "taken", "Somebody else's node has this code; choose another.")
    return None


def _edit_of(node_id: int, row: Row) -> NodeEdit:
    return NodeEdit(
        node_id,
        fields={name: row[name] for name in _FIELDS},
        functions=tuple(row["functions"].split()),
    )


def _draft_of(row: Row) -> define.NodeDraft:
    return define.NodeDraft(
        code=row["code"],
        kind=row["kind"],
        line1="",
        hours={},
        cutoffs={},
        functions=tuple(row["functions"].split()),
        **{name: row[name] for name in _FIELDS},
    )


NODES: Final = Kind(
    code="nodes",
    label="Nodes",
    about="Where goods lie and work is done. A new node takes work as soon as it has hours.",
    columns=(
        Column("code", Text(32), needed=True),
        Column("name", Text(120), needed=True),
        Column("kind", Choice(NodeKind.values), needed=True, help="Of a new node; it stays."),
        Column(
            "functions",
            Text(64),
            empty=Function.SHIP.value,
            help=f"With spaces between them: {', '.join(Function.values)}.",
        ),
        Column("city", Text(80), empty=""),
        Column("region", Text(16), empty=""),
        Column("postal_code", Text(16), needed=True),
        Column("country", Text(2), empty="US"),
        Column("latitude", Degrees(90)),
        Column("longitude", Degrees(180)),
        Column("timezone", Text(64), needed=True, help="As America/New_York."),
        Column("processing_minutes", Whole(0, 100_000), empty=120),
        Column("priority", Whole(-1_000_000, 1_000_000), empty=100),
    ),
    key=("code",),
    current=_current_nodes,
    write=_write_nodes,
    permission=Permission.NETWORK_EDIT,
)
