"""What inventory tells the registries about the check of its own books."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from config.kernel import case_reports, ticker
from config.kernel.case_reports import CaseKind
from config.kernel.types import Actor
from inventory import selectors, services
from inventory.services.drift import STOCK_DRIFT
from inventory.types import SubjectTag, pk_of, subject_id

EVERY_SECONDS: Final = 30
SPENT_SECONDS: Final = 0.5
"""Of every thirty seconds so much is spent on looking, and less where a round takes less."""


def register_all() -> None:
    """The case kind and the step; called once, from `ready()`."""
    case_reports.declare(
        CaseKind(
            code=STOCK_DRIFT,
            label="A sum of the books does not hold",
            severity=1,
            due=timedelta(hours=4),
            owner_team="engineering",
            playbook="Read which line broke the sum, then preview the repair on the page Drift.",
            still_true=still_drifting,
        )
    )
    ticker.register("inventory.watch_drift", EVERY_SECONDS, _watch_drift)


def still_drifting(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Positions with a sum that does not hold still."""
    found = selectors.still_drifting([pk_of(subject) for subject in subject_ids])
    return {subject_id(SubjectTag.POSITION, pk) for pk in found}


def _watch_drift(at: datetime) -> None:
    actor = Actor.system("inventory.watch_drift")
    services.watch_drift(seconds=SPENT_SECONDS, at=at, actor=actor)
