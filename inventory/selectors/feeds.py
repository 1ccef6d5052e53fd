"""Feeds, snapshots and reconciliations as pages, planners and other systems see them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import F

from config.kernel.types import ALL_ACCOUNTS, Scope
from inventory.models import (
    Feed,
    Reconciliation,
    ServiceLevel,
    SnapshotDocument,
    SnapshotProblem,
)
from inventory.states import Degrade, FeedState, ServiceKind
from inventory.types import FeedView, RowProblem, SnapshotView

SHOWN_PROBLEMS: Final = 100
_EFFECTS: Final = (Degrade.NONE, Degrade.NO_SAME_DAY, Degrade.HAIRCUT, Degrade.STOP)
_STATES: Final = (FeedState.FRESH, FeedState.LATE, FeedState.SILENT)


def feed_state(node_ids: Collection[int], at: datetime) -> dict[int, FeedView]:
    """How the feeds about each node stand, the worst of them; nodes without a feed are absent."""
    worst: dict[int, FeedView] = {}
    for view in feed_views(ALL_ACCOUNTS, at, node_ids=node_ids):
        known = worst.get(view.node_id)
        if known is None or _badness(view) > _badness(known):
            worst[view.node_id] = view
    return worst


def feed_views(
    scope: Scope, at: datetime, *, node_ids: Collection[int] | None = None
) -> list[FeedView]:
    """Every feed that the scope may see, by node and source."""
    found = Feed.objects.for_scope(scope)
    if node_ids is not None:
        found = found.filter(node_id__in=list(node_ids))
    return [
        FeedView(
            feed.node_id,
            feed.pk,
            feed.source,
            feed.state,
            None if feed.seen_at is None else max(timedelta(), at - feed.seen_at),
            feed.degrade if feed.state == FeedState.SILENT else Degrade.NONE.value,
            feed.haircut_percent,
        )
        for feed in found.order_by("node_id", "source", "pk")
    ]


def nodes_without_same_day(account_id: UUID, node_ids: Collection[int] | None = None) -> set[int]:
    """Nodes at which a silent feed of the account forbids same-day promises. One statement.

    What others keep at such a node is told by feeds of their own.
    """
    silent = Feed.objects.for_scope(ALL_ACCOUNTS).filter(
        account_id=account_id, state=FeedState.SILENT, degrade=Degrade.NO_SAME_DAY
    )
    if node_ids is not None:
        silent = silent.filter(node_id__in=list(node_ids))
    return set(silent.values_list("node_id", flat=True))


def same_day_services() -> frozenset[str]:
    """Codes of the service levels that deliver on the day itself."""
    found = ServiceLevel.objects.filter(kind=ServiceKind.SAME_DAY)
    return frozenset(found.values_list("code", flat=True))


def is_asked(node_id: int, source: str, account_id: UUID, at: datetime) -> bool:
    """Whether a snapshot is asked of the feed now."""
    return (node_id, source, account_id) in feeds_to_ask(at)


def feeds_to_ask(at: datetime, *, limit: int = 200) -> list[tuple[int, str, UUID]]:
    """(node, source, account) of feeds that a snapshot is asked of, or whose turn it is."""
    found = Feed.objects.for_scope(ALL_ACCOUNTS).exclude(asked_at=None, reconcile_every=None)
    return [
        (feed.node_id, feed.source, feed.account_id)
        for feed in found.order_by("pk")[:limit]
        if feed.asked_at is not None
        or feed.reconciled_at is None
        or feed.reconciled_at + feed.reconcile_every <= at
    ]


def snapshot_of(document_id: UUID, scope: Scope) -> SnapshotView | None:
    """A snapshot with the first of its problems, or None out of reach."""
    document = (
        SnapshotDocument.objects.for_scope(scope)
        .filter(pk=document_id)
        .select_related("feed")
        .first()
    )
    if document is None:
        return None
    run = Reconciliation.objects.for_scope(scope).filter(document=document)
    return SnapshotView(
        document.pk,
        document.account_id,
        document.node_id,
        document.feed.source,
        document.state,
        document.as_of,
        document.rows,
        document.parts,
        min(document.cursor, document.rows),
        tuple(snapshot_problems(document_id)),
        document.problems_found,
        run.values_list("pk", flat=True).first(),
    )


def snapshot_problems(document_id: UUID, *, after: int = 0) -> Sequence[RowProblem]:
    """What is wrong with a snapshot, by row; a page of it, after so many."""
    found = SnapshotProblem.objects.filter(document_id=document_id).order_by("row", "pk")
    rows = found.values_list("row", "column", "code", "detail")[after : after + SHOWN_PROBLEMS]
    return [RowProblem(*row) for row in rows]


def _badness(view: FeedView) -> tuple[int, int, int]:
    effects, states = list(map(str, _EFFECTS)), list(map(str, _STATES))
    return effects.index(view.effect), states.index(view.state), view.haircut_percent


def reconciliation(run_id: UUID, scope: Scope) -> Reconciliation | None:
    """One comparison with its sums, or None out of reach."""
    return Reconciliation.objects.for_scope(scope).filter(pk=run_id).first()


def feed_terms_of(scope: Scope) -> list[dict[str, Any]]:
    """What every feed of the scope declares, by the code of its node and its source."""
    names = (
        "source",
        "semantics",
        "ordering",
        "nets_committed",
        "nets_picked",
        "nets_held",
        "expected_every",
        "silent_after",
        "degrade",
        "haircut_percent",
        "heal_units",
        "heal_percent",
        "heal_value_minor",
        "heal_sensitive",
        "reconcile_every",
    )
    found = Feed.objects.for_scope(scope).order_by("node__code", "source", "pk")
    return [dict(row) for row in found.values(*names, node=F("node__code"))]
