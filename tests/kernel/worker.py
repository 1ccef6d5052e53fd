"""A worker in a process of its own, for tests that kill it: `worker.py <database> <what>`.

`deliveries` handles `test.happened` for ever, slowly, leaving one case report per event; `outbox`
relays and handles for ever, as quickly as it can, likewise; `job <id>` works a job whose items leave one
case report each. It says `ready` and begins at a line of input.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import django

if __name__ == "__main__":
    django.setup()

from django.db import connections  # Django must be set up first

from config.kernel import case_reports, events
from config.kernel.case_reports import Report
from config.kernel.events import Recorded
from config.kernel.services import deliveries, jobs, relay
from config.kernel.types import Actor, Outcome

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CONSUMER, JOB_KIND = "tests.killed", "tests.killed"
PAUSE_SECONDS = 0.005


def leave_trace(subject_id: UUID, account_id: UUID, note: str) -> None:
    case_reports.report([Report("JOB_FAILED", "case", subject_id, account_id, cause=note)], at=NOON)


def handle(batch: Sequence[Recorded]) -> None:
    for event in batch:
        leave_trace(event.subject_id, event.account_id, str(event.seq))
        time.sleep(PAUSE_SECONDS)


def trace_all(batch: Sequence[Recorded]) -> None:
    """One case report per event, in one statement."""
    case_reports.report(
        [
            Report("JOB_FAILED", "case", event.subject_id, event.account_id, cause=str(event.seq))
            for event in batch
        ],
        at=NOON,
    )


def relay_and_handle() -> None:
    events.subscribe(CONSUMER, ["test.happened"], trace_all)
    while True:
        relay.relay()
        if not deliveries.run_due(at=NOON):
            time.sleep(0.01)


def run_items(
    subject_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
) -> list[Outcome[UUID]]:
    for subject_id in subject_ids:
        leave_trace(subject_id, UUID(params["account"]), at.isoformat())
        time.sleep(PAUSE_SECONDS)
    return [Outcome.done(subject_id) for subject_id in subject_ids]


def main() -> None:
    connections.databases["default"]["NAME"] = sys.argv[1]
    print("ready", flush=True)  # noqa: T201  # heard by the test
    sys.stdin.readline()
    if sys.argv[2] == "job":
        jobs.register(JOB_KIND, run_items)
        jobs.run_job(UUID(sys.argv[3]), at=NOON)
        return
    if sys.argv[2] == "outbox":
        relay_and_handle()
    events.subscribe(CONSUMER, ["test.happened"], handle)
    while True:
        deliveries.run_due(at=NOON)
        time.sleep(0.01)


if __name__ == "__main__":
    main()
