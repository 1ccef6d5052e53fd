"""What the platform tells its own registries at start-up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from config.kernel import case_reports, registry, selectors, ticker
from config.kernel.case_kinds import KINDS
from config.kernel.registry import Kind
from config.kernel.services import case_folding, cases, dwell, intent_leases, upkeep


def register_all() -> None:
    """Subject kinds, case kinds and steps of the kernel; called once, from `ready()`."""
    for kind in (
        Kind("case", "Case", _path("cases")),
        Kind("job", "Job", _path("jobs")),
        Kind("intent", "Outside request", lambda key: f"/console/outbox/{key}/"),
        Kind("channel", "Channel", lambda key: f"/admin/kernel/channel/{key}/change/"),
        Kind("event", "Event", lambda key: f"/admin/kernel/event/{key}/change/"),
    ):
        registry.register(kind)
    case_reports.declare(*KINDS)
    dwell.declare("job", "queued", timedelta(hours=1), _jobs_in("queued"))
    dwell.declare("job", "running", timedelta(hours=12), _jobs_in("running"))
    ticker.register("cases.clear_resolved", 30, _clear_resolved)
    ticker.register("cases.wake_waiting", 30, _wake_waiting)
    ticker.register("cases.detect_stuck", 60, _detect_stuck)
    ticker.register("kernel.advance_queues", 30, _advance_queues)
    ticker.register("kernel.ensure_partitions", 6 * 3_600, _ensure_partitions)
    ticker.register("kernel.remove_expired", 3_600, _remove_expired)


def _path(page: str) -> "registry.Path":
    def path(key: UUID) -> str:
        return f"/console/{page}/{key}/"

    return path


def _jobs_in(state: str) -> dwell.Finder:
    def finder(before: datetime, among: Sequence[UUID] | None, limit: int) -> list[dwell.Stayer]:
        return [
            dwell.Stayer(job.pk, job.account_id, job.at)
            for job in selectors.jobs_since(state, before, among=among, limit=limit)
        ]

    return finder


def _clear_resolved(at: datetime) -> None:
    case_folding.clear_resolved(at=at)


def _wake_waiting(at: datetime) -> None:
    cases.wake_waiting(at=at)


def _detect_stuck(at: datetime) -> None:
    dwell.detect(at=at)


def _advance_queues(at: datetime) -> None:
    del at
    intent_leases.advance_all()


def _ensure_partitions(at: datetime) -> None:
    del at
    upkeep.ensure_partitions()


def _remove_expired(at: datetime) -> None:
    upkeep.remove_expired(at=at)
