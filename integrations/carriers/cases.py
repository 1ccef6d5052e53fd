"""The exceptions that following parcels brings up."""

from datetime import timedelta
from typing import Final

from config.kernel.case_reports import CaseKind
from fulfillment.selectors import never_scanned

FOREIGN_WORD: Final = "CARRIER_WORD_UNKNOWN"
NUMBER_UNKNOWN: Final = "TRACKING_NUMBER_UNKNOWN"

KINDS: Final = (
    CaseKind(
        code=FOREIGN_WORD,
        label="A carrier says something that has no meaning here",
        severity=3,
        due=timedelta(hours=24),
        owner_team="integrations",
        playbook="Give the words a meaning in the connection's statuses, then replay the messages. "
        "The scans that it said with them count in no parcel until then.",
    ),
    CaseKind(
        code=NUMBER_UNKNOWN,
        label="The carrier does not know a parcel's number",
        severity=3,
        due=timedelta(hours=8),
        owner_team="operations",
        playbook="Compare the number with the label: correct it, or ask the node whether the parcel "
        "left with another carrier.",
        still_true=never_scanned,
    ),
)
