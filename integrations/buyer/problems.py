"""What a buyer reports on the tracking page: a case, and the buyer's own words as a sealed note."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from config.kernel import case_reports
from config.kernel.case_reports import CaseKind
from config.kernel.errors import Invalid
from config.kernel.types import Actor
from orders.services import add_notes
from orders.types import NoteDraft

BUYER_PROBLEM: Final = "BUYER_PROBLEM"
PROBLEMS: Final = ("missing", "damaged", "not_arrived", "wrong_item", "late", "other")
LONGEST_TEXT: Final = 1_000

KINDS: Final = (
    CaseKind(
        code=BUYER_PROBLEM,
        label="A buyer reports a problem",
        severity=2,
        due=timedelta(hours=8),
        owner_team="customer_service",
        playbook="Read the note on the order, look at the parcel, and write to the buyer.",
    ),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """`what` is one of `PROBLEMS`; `parcel` the number of a parcel, empty for the whole order."""

    order_id: UUID
    account_id: UUID
    what: str
    parcel: str = ""
    text: str = ""


@transaction.atomic
def report_problem(problem: Problem, *, at: datetime, actor: Actor) -> None:
    """Open a case for the problem; the same one reported again is the same case.

    Raises Invalid for a problem nobody knows, and for a text that is too long.
    """
    if problem.what not in PROBLEMS:
        raise Invalid("There is no such problem.")
    text = problem.text.strip()
    if len(text) > LONGEST_TEXT:
        raise Invalid(f"At most {LONGEST_TEXT:,} characters.")
    if text:
        add_notes([NoteDraft(problem.order_id, text)], at=at, actor=actor)
    case_reports.report(
        [
            case_reports.Report(
                BUYER_PROBLEM,
                "order",
                problem.order_id,
                problem.account_id,
                evidence={"problem": problem.what, "parcel": problem.parcel, "note": bool(text)},
                cause=f"buyer:{problem.what}",
                thread_id=problem.order_id,
                dedupe_key=f"{BUYER_PROBLEM}:{problem.order_id}:{problem.what}:{problem.parcel}",
            )
        ],
        at=at,
    )
