"""Capacity as it stands, and how nodes are doing."""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import groupby

from inventory.models import CapacityWindow, NodeSignal
from inventory.states import Function, SignalCode
from inventory.types import SignalView, WindowView

USUAL_THRESHOLDS: Mapping[str, float] = {
    SignalCode.ACK_LATENCY.value: 240.0,
    SignalCode.PICK_FAIL_RATE.value: 5.0,
    SignalCode.BACKLOG.value: 100.0,
    SignalCode.DOCKS.value: 100.0,
}
"""Above which a signal opens a case where the node names no threshold: minutes, percent, percent, percent."""

_COLUMNS = (
    "pk", "node_id", "function", "resource", "starts_at", "ends_at", "most", "hard", "used", "done",
    "backlog",
)  # fmt: skip


def current_windows(
    node_ids: Collection[int], at: datetime, *, hard: bool = False
) -> dict[tuple[int, str], tuple[WindowView, ...]]:
    """By node and function, the window of each resource that is open, or else the next.

    With `hard`, those whose limit must not be passed. One statement.
    """
    rows = CapacityWindow.objects.filter(node_id__in=node_ids, ends_at__gt=at)
    if hard:
        rows = rows.filter(hard=True)
    rows = rows.order_by("node_id", "function", "resource", "starts_at").distinct(
        "node_id", "function", "resource"
    )
    found: dict[tuple[int, str], list[WindowView]] = {}
    for row in rows.values_list(*_COLUMNS):
        view = WindowView(*row)
        found.setdefault((view.node_id, view.function), []).append(view)
    return {key: tuple(views) for key, views in found.items()}


def windows_between(
    node_ids: Collection[int], since: datetime, until: datetime
) -> list[WindowView]:
    """The windows of these nodes that lie within the time, in their order. One statement."""
    rows = CapacityWindow.objects.filter(
        node_id__in=node_ids, ends_at__gt=since, starts_at__lt=until
    ).order_by("node_id", "function", "resource", "starts_at")
    return [WindowView(*row) for row in rows.values_list(*_COLUMNS)]


def paced_windows(
    node_ids: Collection[int], at: datetime
) -> dict[tuple[int, str], tuple[tuple[WindowView, ...], ...]]:
    """By node and function, the windows from now on of each resource whose limit is soft. One statement.

    Those of receiving are left out: nothing that is sent waits for a dock.
    """
    rows = CapacityWindow.objects.filter(node_id__in=node_ids, ends_at__gt=at, hard=False)
    rows = rows.exclude(function=Function.RECEIVING)
    rows = rows.order_by("node_id", "function", "resource", "starts_at")
    views = (WindowView(*row) for row in rows.values_list(*_COLUMNS))
    found: dict[tuple[int, str], list[tuple[WindowView, ...]]] = {}
    for (node_id, function, _), known in groupby(
        views, key=lambda view: (view.node_id, view.function, view.resource)
    ):
        found.setdefault((node_id, function), []).append(tuple(known))
    return {key: tuple(resources) for key, resources in found.items()}


def fullest_docks(node_ids: Collection[int], at: datetime) -> dict[int, float]:
    """How full, in percent, the fullest window of receiving is that is open or comes. One statement."""
    rows = CapacityWindow.objects.filter(
        node_id__in=node_ids, ends_at__gt=at, function=Function.RECEIVING
    )
    fullest: dict[int, float] = {}
    for view in (WindowView(*row) for row in rows.values_list(*_COLUMNS)):
        fullest[view.node_id] = max(fullest.get(view.node_id, 0.0), float(view.percent))
    return fullest


def signals(node_ids: Collection[int]) -> dict[int, list[SignalView]]:
    """Every signal of each node, measured or not, in one order. One statement."""
    known = {
        (row.node_id, row.code): row for row in NodeSignal.objects.filter(node_id__in=node_ids)
    }
    return {
        node_id: [_signal(node_id, code, known.get((node_id, code))) for code in SignalCode.values]
        for node_id in node_ids
    }


def _signal(node_id: int, code: str, row: NodeSignal | None) -> SignalView:
    usual = USUAL_THRESHOLDS.get(code)
    if row is None:
        return SignalView(node_id, code, None, usual, None)
    most = usual if row.most is None else row.most
    return SignalView(node_id, code, row.value, most, row.as_of)
