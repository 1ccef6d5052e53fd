"""Celery's entrances. The broker is a bell: each task looks into PostgreSQL for what to do.

A message that is lost, repeated or late changes nothing: the tick looks again every second, leases
keep workers apart, and every effect is guarded by the row that records it.
"""

import logging
from uuid import UUID

from celery import shared_task
from django.db import connection
from kombu.exceptions import OperationalError as BrokerError

from config.kernel import clock, ticker
from config.kernel.services import case_folding, deliveries, intents, jobs, relay

_log = logging.getLogger(__name__)

RING_EXPIRES = 30
"""Seconds after which an unheard ring is dropped: another one has been made by then."""


@shared_task(name="config.kernel.tasks.tick")
def tick(**_: object) -> None:
    """Once a second: relay events, ring for what is due, run the quick steps."""
    relay.relay()
    ring(look())
    ticker.run_steps(ticker.steps(quick=True))


@shared_task(name="config.kernel.tasks.sweep")
def sweep(**_: object) -> None:
    """Every ten seconds: run the slow steps, and ring again for what nobody has taken."""
    ring(look())
    ticker.run_steps(ticker.steps(quick=False))


@shared_task(name="config.kernel.tasks.run_deliveries")
def run_deliveries(**_: object) -> None:
    deliveries.run_due(at=clock.now())


@shared_task(name="config.kernel.tasks.run_intents")
def run_intents(**_: object) -> None:
    """Until nothing is due: each round leases a few, so that several workers share them."""
    while intents.run_due(at=clock.now()):
        pass


@shared_task(name="config.kernel.tasks.run_job")
def run_job(job_id: str, **_: object) -> None:
    jobs.run_job(UUID(job_id), at=clock.now())


@shared_task(name="config.kernel.tasks.fold_case_reports")
def fold_case_reports(**_: object) -> None:
    case_folding.fold_reports(at=clock.now())


def look() -> list[tuple[str, str]]:
    """What waits for a worker: (task name, argument) pairs, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT 'run_deliveries', ''
            WHERE EXISTS ({deliveries.DUE})
            UNION ALL
            SELECT 'run_intents', '' WHERE EXISTS (SELECT FROM kernel_intent
                WHERE state IN ('pending', 'running', 'unknown') AND NOT behind
                  AND due_at <= clock_timestamp() AND kind = ANY(%s))
            UNION ALL
            SELECT 'fold_case_reports', ''
            WHERE EXISTS (SELECT FROM kernel_casereport WHERE NOT folded)
            UNION ALL
            (SELECT 'run_job', id::text FROM kernel_job
             WHERE state IN ('queued', 'running') AND kind = ANY(%s)
               AND (lease_until IS NULL OR lease_until <= clock_timestamp())
             ORDER BY queued_at LIMIT 20)
            """,  # noqa: S608  # a constant
            [intents.registered(), jobs.registered()],
        )
        return list(cursor.fetchall())


def ring(waiting: list[tuple[str, str]]) -> None:
    """Tell the workers. Without a broker the work waits for the next tick; nothing is lost."""
    bells = {
        "run_deliveries": run_deliveries,
        "run_intents": run_intents,
        "run_job": run_job,
        "fold_case_reports": fold_case_reports,
    }
    for name, argument in waiting:
        try:
            bells[name].apply_async(args=[argument] if argument else [], expires=RING_EXPIRES)
        except BrokerError:
            _log.warning("the broker does not answer; the next tick rings again")
            return
