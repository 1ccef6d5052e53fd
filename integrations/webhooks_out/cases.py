"""The exceptions of webhooks that we send."""

from datetime import timedelta
from typing import Final

from config.kernel.case_reports import CaseKind
from integrations.webhooks_out.selectors import still_disabled

WEBHOOK_DISABLED: Final = "WEBHOOK_DISABLED"

KINDS: Final = (
    CaseKind(
        code=WEBHOOK_DISABLED,
        label="A webhook endpoint was disabled",
        severity=3,
        due=timedelta(hours=8),
        owner_team="integrations",
        playbook="Tell its owner. Once it answers again, enable it and replay what was kept since.",
        still_true=still_disabled,
    ),
)
