"""The exceptions that the integrations detect."""

from datetime import timedelta

from config.kernel.case_reports import CaseKind
from integrations.selectors import still_dead, still_silent

INBOX_DEAD = "INBOX_DEAD"
CANCEL_TOO_LATE = "CANCEL_TOO_LATE"
CONNECTION_SILENT = "CONNECTION_SILENT"

KINDS = (
    CaseKind(
        code=INBOX_DEAD,
        label="A message from outside could not be applied",
        severity=2,
        due=timedelta(hours=2),
        owner_team="integrations",
        playbook="Read the reason, mend its cause (mapping, translator, data), then replay it.",
        still_true=still_dead,
    ),
    CaseKind(
        code=CONNECTION_SILENT,
        label="A connection has had no news for longer than expected",
        severity=2,
        due=timedelta(hours=2),
        owner_team="integrations",
        playbook="Look whether the other side still sends (its webhooks, its credentials), test the "
        "connection, and reconcile what was missed.",
        still_true=still_silent,
    ),
    CaseKind(
        code=CANCEL_TOO_LATE,
        label="A channel cancelled what could not be cancelled any more",
        severity=2,
        due=timedelta(hours=2),
        owner_team="customer_service",
        playbook="Stop the parcel or agree on a return with the buyer, and tell the channel: it has "
        "refunded an order that is on its way.",
    ),
)
