"""A node as people describe it: its hours, cutoffs, pickups, days, abilities and limits.

A part that is named is replaced as a whole; what stays the same is not touched. Many nodes take as
many statements as one.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final
from zoneinfo import available_timezones

from django.db import models, transaction

from config.kernel.errors import Invalid, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import Actor
from inventory.models import (
    Carrier,
    Node,
    NodeCapability,
    NodeCapacity,
    NodeClosure,
    NodeCutoff,
    NodeFunction,
    NodeHours,
    NodePickup,
    NodeSignal,
    NodeSpecialDay,
    ServiceLevel,
)
from inventory.services.capacity import open_windows
from inventory.services.node_news import NodeNews, tell_nodes
from inventory.states import (
    AT_THE_DOCKS,
    CAPACITY_FUNCTIONS,
    Capability,
    CapacityResource,
    Function,
    SignalCode,
)
from inventory.types import CapacityView, NodeEdit

FIELDS: Final = frozenset(
    {
        "name", "line1", "city", "region", "postal_code", "country", "latitude", "longitude",
        "timezone", "has_wms", "puts_away", "counts_per_day", "processing_minutes",
        "handling_cost_minor", "pick_cost_minor", "priority", "holiday_country",
    }
)  # fmt: skip
"""The columns of a node that people may change."""

_MIDNIGHT: Final = time(0)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Part:
    """One kind of row that is said of a node: what tells two apart, and what each says."""

    name: str
    model: type[models.Model]
    key: tuple[str, ...]
    values: tuple[str, ...]
    rows: Callable[[NodeEdit, "_Codes"], Iterable[Row] | None]


@dataclass(frozen=True, slots=True)
class _Codes:
    """The ids of the carriers and services that a batch names."""

    carriers: Mapping[str, int]
    services: Mapping[str, int]

    def carrier(self, code: str) -> int:
        if code not in self.carriers:
            raise Invalid(f"There is no carrier {code!r}.")
        return self.carriers[code]

    def service(self, code: str | None) -> int | None:
        if not code:
            return None
        if code not in self.services:
            raise Invalid(f"There is no service {code!r}.")
        return self.services[code]


@transaction.atomic
def edit_nodes(edits: Sequence[NodeEdit], *, at: datetime, actor: Actor) -> None:
    """Change the named parts of nodes. Raises Invalid for what contradicts itself, NotFound for a node
    that the actor may not see.
    """
    for edit in edits:
        check_edit(edit)
    by_node = {edit.node_id: edit for edit in edits}
    if len(by_node) != len(edits):
        raise Invalid("Name each node once.")
    nodes = {node.pk: node for node in Node.objects.for_scope(actor.scope).locked(by_node)}
    if len(nodes) != len(by_node):
        raise NotFound("There is no such node.")
    changed: dict[int, list[str]] = {node_id: [] for node_id in by_node}
    _edit_fields(nodes, by_node, changed, at=at, actor=actor)
    codes = _codes()
    for part in _PARTS:
        wanted = {}
        for edit in edits:
            rows = part.rows(edit, codes)
            if rows is not None:
                wanted[edit.node_id] = list(rows)
        for node_id in _replace(part, wanted, at=at, actor=actor):
            changed[node_id].append(part.name)
    _set_thresholds(edits, changed)
    news = [
        NodeNews(node.pk, node.code, "node.edited", {"parts": changed[node.pk]})
        for node in nodes.values()
        if changed[node.pk]
    ]
    tell_nodes(news, at=at, actor=actor)
    counted = {one.node_id for one in news if by_node[one.node_id].capacities is not None}
    moved = {one.node_id for one in news if not _WINDOWED.isdisjoint(changed[one.node_id])}
    if counted | moved:
        open_windows(counted | moved, at=at)


_WINDOWED: Final = frozenset({"closures", "special_days", "timezone"})
"""What else moves windows of capacity."""


def _edit_fields(
    nodes: Mapping[int, Node],
    edits: Mapping[int, NodeEdit],
    changed: Mapping[int, list[str]],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    names: set[str] = set()
    touched = []
    for node in nodes.values():
        fresh = {
            name: value
            for name, value in edits[node.pk].fields.items()
            if getattr(node, name) != value
        }
        if fresh:
            for name, value in fresh.items():
                setattr(node, name, value)
            names |= fresh.keys()
            touched.append(node)
            changed[node.pk].extend(sorted(fresh))
    if touched:
        Node.objects.for_scope(actor.scope).bulk_update(touched, sorted(names))
        pks = [node.pk for node in touched]
        record_history(Node, pks, Change.CHANGED, at=at, actor=actor, reason="edited")


def _replace(
    part: _Part, wanted: Mapping[int, Sequence[Row]], *, at: datetime, actor: Actor
) -> set[int]:
    """Insert, change and delete what differs; the nodes of which something did."""
    if not wanted:
        return set()
    found = part.model._base_manager.filter(node_id__in=wanted).order_by("pk")
    known = {
        (row["node_id"], *(row[name] for name in part.key)): row
        for row in found.values("pk", "node_id", *part.key, *part.values)
    }
    created, altered, kept = [], [], set()
    for node_id, rows in wanted.items():
        for row in rows:
            key = (node_id, *(row[name] for name in part.key))
            if key in kept:
                raise Invalid(f"The {part.name.replace('_', ' ')} name the same twice.")
            kept.add(key)
            if key not in known:
                created.append(part.model(node_id=node_id, **row))
            elif any(known[key][name] != row[name] for name in part.values):
                altered.append(part.model(pk=known[key]["pk"], node_id=node_id, **row))
    gone = [row["pk"] for key, row in known.items() if key not in kept]
    manager, reason = part.model._base_manager, "edited"
    manager.bulk_create(created)
    if altered:
        manager.bulk_update(altered, part.values)
    for some, change in ((created, Change.CREATED), (altered, Change.CHANGED)):
        pks = [row.pk for row in some]
        record_history(part.model, pks, change, at=at, actor=actor, reason=reason)
    if gone:
        record_history(part.model, gone, Change.DELETED, at=at, actor=actor, reason=reason)
        manager.filter(pk__in=gone).delete()
    touched = {row.node_id for row in (*created, *altered)}  # type: ignore[attr-defined]
    return touched | {key[0] for key in known if key not in kept}


def _set_thresholds(edits: Sequence[NodeEdit], changed: Mapping[int, list[str]]) -> None:
    rows = [
        NodeSignal(node_id=edit.node_id, code=code, most=most)
        for edit in edits
        for code, most in (edit.thresholds or {}).items()
    ]
    for row in rows:
        changed[row.node_id].append(f"threshold of {row.code}")
    NodeSignal.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["node", "code"], update_fields=["most"]
    )


def _codes() -> _Codes:
    return _Codes(
        dict(Carrier.objects.values_list("code", "pk")),
        dict(ServiceLevel.objects.values_list("code", "pk")),
    )


def check_edit(edit: NodeEdit) -> None:
    """Raise Invalid for an edit that contradicts itself."""
    unknown = edit.fields.keys() - FIELDS
    if unknown:
        raise Invalid(f"These cannot be changed: {', '.join(sorted(unknown))}.")
    zone = edit.fields.get("timezone")
    if zone is not None and zone not in available_timezones():
        raise Invalid(f"There is no time zone {zone!r}.")
    _known(edit.functions, Function.values, "function")
    _known(edit.capabilities, Capability.values, "capability")
    _known(edit.thresholds, SignalCode.values, "signal")
    rows = (edit.hours, edit.cutoffs, edit.pickups, edit.capacities)
    if any(not 0 <= row.weekday <= 6 for some in rows for row in some or ()):
        raise Invalid("A weekday is 0 (Monday) to 6 (Sunday).")
    if edit.capacities is not None:
        _check_capacities(edit.capacities)


def _known(codes: Collection[str] | None, values: Collection[str], what: str) -> None:
    unknown = set(codes or ()) - set(values)
    if unknown:
        raise Invalid(f"There is no {what} {min(unknown)!r}.")


def _check_capacities(rows: Sequence[CapacityView]) -> None:
    """Windows of one thing on one day stand one after another."""
    _known({row.function for row in rows}, CAPACITY_FUNCTIONS, "function with a capacity")
    _known({row.resource for row in rows}, CapacityResource.values, "resource")
    if any(row.resource not in _countable(row.function) for row in rows):
        raise Invalid(
            "Of receiving, appointments and units are counted; of the rest no appointments."
        )
    if any(row.hard and row.function == Function.RECEIVING for row in rows):
        raise Invalid("What comes is not sent away: a limit of receiving is never hard.")
    ends: dict[tuple[str, str, int], time | None] = {}
    for row in sorted(rows, key=lambda one: one.opens):
        if row.most < 0:
            raise Invalid("A limit is zero or more.")
        if row.closes != _MIDNIGHT and row.closes <= row.opens:
            raise Invalid("A window ends after it begins, on the same day.")
        day = (row.function, row.resource, row.weekday)
        before = ends.get(day, _MIDNIGHT)
        if before is None or row.opens < before:
            raise Invalid("Two windows of the same day overlap.")
        ends[day] = None if row.closes == _MIDNIGHT else row.closes


def _countable(function: str) -> Collection[str]:
    """What can be counted of a function."""
    if function == Function.RECEIVING:
        return AT_THE_DOCKS
    return set(CapacityResource.values) - {CapacityResource.APPOINTMENTS}


def _columns(rows: Iterable[Any] | None, *names: str) -> list[Row] | None:
    if rows is None:
        return None
    return [{name: getattr(row, name) for name in names} for row in rows]


def _alone(codes: Iterable[str] | None, name: str) -> list[Row] | None:
    return None if codes is None else [{name: code} for code in dict.fromkeys(codes)]


def _cutoffs(edit: NodeEdit, codes: _Codes) -> list[Row] | None:
    if edit.cutoffs is None:
        return None
    return [
        {
            "service_level_id": codes.service(row.service),
            "weekday": row.weekday,
            "at_local": row.at_local,
        }
        for row in edit.cutoffs
    ]


def _pickups(edit: NodeEdit, codes: _Codes) -> list[Row] | None:
    if edit.pickups is None:
        return None
    return [
        {
            "carrier_id": codes.carrier(row.carrier),
            "service_level_id": codes.service(row.service),
            "weekday": row.weekday,
            "at_local": row.at_local,
            "most_parcels": row.most_parcels,
            "dock": row.dock,
        }
        for row in edit.pickups
    ]


_CAPACITY_KEY: Final = ("function", "resource", "weekday", "opens")
_CAPACITY_VALUES: Final = ("closes", "most", "hard")

_PARTS: Final = (
    _Part(
        "functions", NodeFunction, ("function",), (), lambda e, _: _alone(e.functions, "function")
    ),
    _Part(
        "hours",
        NodeHours,
        ("weekday",),
        ("opens", "closes"),
        lambda e, _: _columns(e.hours, "weekday", "opens", "closes"),
    ),
    _Part("cutoffs", NodeCutoff, ("service_level_id", "weekday"), ("at_local",), _cutoffs),
    _Part(
        "closures", NodeClosure, ("on",), ("name",), lambda e, _: _columns(e.closures, "on", "name")
    ),
    _Part(
        "special_days",
        NodeSpecialDay,
        ("on",),
        ("opens", "closes", "name"),
        lambda e, _: _columns(e.special_days, "on", "opens", "closes", "name"),
    ),
    _Part(
        "pickups",
        NodePickup,
        ("carrier_id", "service_level_id", "weekday", "at_local"),
        ("most_parcels", "dock"),
        _pickups,
    ),
    _Part(
        "capabilities", NodeCapability, ("code",), (), lambda e, _: _alone(e.capabilities, "code")
    ),
    _Part(
        "capacities",
        NodeCapacity,
        _CAPACITY_KEY,
        _CAPACITY_VALUES,
        lambda e, _: _columns(e.capacities, *_CAPACITY_KEY, *_CAPACITY_VALUES),
    ),
)
