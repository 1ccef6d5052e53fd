"""Ringing a worker. The row is the record: when the broker is away, the tick finds the work."""

import logging
from uuid import UUID

from kombu.exceptions import OperationalError

from config.kernel.tasks import run_job

_log = logging.getLogger(__name__)


def ring_job(job_id: UUID) -> None:
    """Have a worker begin the job at once, if one can be told."""
    try:
        run_job.delay(str(job_id))
    except OperationalError:
        _log.warning("the broker is away: the next tick begins the job")
