"""The exceptions that the platform itself detects."""

from datetime import timedelta
from typing import Final

from config.kernel.case_reports import CaseKind
from config.kernel.services import deliveries, dwell, intents
from config.kernel.services.jobs import JOB_FAILED

KINDS: Final = (
    CaseKind(
        code=deliveries.DEAD_DELIVERY,
        label="An event could not be handled",
        severity=2,
        due=timedelta(hours=4),
        owner_team="platform",
        playbook="Read the error, mend its cause, then replay the delivery.",
        still_true=deliveries.still_dead,
    ),
    CaseKind(
        code=intents.DEAD_INTENT,
        label="The outside could not be asked",
        severity=2,
        due=timedelta(hours=4),
        owner_team="integrations",
        playbook="Check with the other side what has happened, then try again or do it by hand.",
        still_true=intents.still_dead,
    ),
    CaseKind(
        code=JOB_FAILED,
        label="A job failed",
        severity=3,
        due=timedelta(hours=8),
        owner_team="platform",
        playbook="Look at its last item: it ends the worker. Retry the job without it.",
    ),
    CaseKind(
        code=dwell.STUCK,
        label="Stuck in a state",
        severity=3,
        due=timedelta(hours=8),
        owner_team="operations",
        playbook="Open the subject: its timeline says what it waits for.",
        still_true=dwell.still_stuck,
    ),
)
