"""What inventory tells the registries about feeds at start-up."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.kernel import case_reports, ids, registry, ticker
from config.kernel.services import jobs
from config.kernel.types import Actor, Outcome
from inventory import feed_cases, services
from inventory.types import pk_of

WATCHED_AT_ONCE: Final = 200
APPLY_SNAPSHOT: Final = "inventory.apply_snapshot"


def register_all() -> None:
    """Subject kinds, case kinds, the job and the steps of feeds; called once, from `ready()`."""
    registry.register(registry.Kind("feed", "Feed", lambda key: f"/console/feeds/{pk_of(key)}/"))
    registry.register(
        registry.Kind("snapshot", "Snapshot", lambda key: f"/console/snapshots/{key}/")
    )
    registry.register(
        registry.Kind("difference", "Difference", lambda key: f"/console/differences/{pk_of(key)}/")
    )
    case_reports.declare(*feed_cases.KINDS)
    jobs.register(APPLY_SNAPSHOT, _apply_ranges, outside=True)
    ticker.register("inventory.watch_feeds", 30, _watch_feeds)
    ticker.register("inventory.apply_snapshots", 10, _apply_snapshots)


def enqueue_snapshot(
    document_id: UUID, rows: int, account_id: UUID, *, at: datetime, actor: Actor
) -> None:
    """Have a worker apply an accepted snapshot, with its progress to be seen; a range is an item."""
    ranges = max(1, -(-rows // services.RANGE))
    jobs.enqueue(
        APPLY_SNAPSHOT,
        f"Apply a snapshot of {rows:,} rows",
        {"snapshot": str(document_id)},
        [ids.uuid7() for _ in range(ranges)],
        account_id=account_id,
        at=at,
        actor=actor,
    )


def _apply_ranges(
    subject_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[None]]:
    """Each item is one range; those beyond the snapshot's end change nothing."""
    for _ in subject_ids:
        if not services.apply_range(UUID(params["snapshot"]), at=at, actor=actor):
            break
    return [Outcome.done(None) for _ in subject_ids]


def _apply_snapshots(at: datetime) -> None:
    """What a killed worker or a stopped job has left."""
    services.apply_left_behind(at=at, actor=Actor.system("inventory.apply_snapshots"))


def _watch_feeds(at: datetime) -> None:
    services.watch_feeds(WATCHED_AT_ONCE, at=at, actor=Actor.system("inventory.watch_feeds"))
