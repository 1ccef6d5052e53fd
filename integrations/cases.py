"""The exceptions that the integrations detect."""

from datetime import timedelta

from config.kernel.case_reports import CaseKind
from integrations.selectors import still_dead

INBOX_DEAD = "INBOX_DEAD"

KINDS = (
    CaseKind(
        code=INBOX_DEAD,
        label="A message from a channel could not be applied",
        severity=2,
        due=timedelta(hours=2),
        owner_team="integrations",
        playbook="Read the reason, mend its cause (mapping, translator, data), then replay it.",
        still_true=still_dead,
    ),
)
