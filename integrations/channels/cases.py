"""The exceptions that working with other companies' shops brings up."""

from datetime import timedelta
from typing import Final

from config.kernel.case_reports import CaseKind
from integrations.channels.selectors import still_differing

ORDER_CHANGED: Final = "CHANNEL_ORDER_CHANGED"
REFUNDED_THERE: Final = "CHANNEL_REFUNDED"
FULFILLED_THERE: Final = "CHANNEL_FULFILLED"
COPY_REFUSED: Final = "CHANNEL_REFUSED"
COPY_DIFFERS: Final = "CHANNEL_DIFFERS"

KINDS: Final = (
    CaseKind(
        code=ORDER_CHANGED,
        label="A shop changed an order in a way that cannot be followed",
        severity=2,
        due=timedelta(hours=4),
        owner_team="customer_service",
        playbook="Read what changed. For goods or prices that were added, place an order of their "
        "own for the difference or undo the change in the shop. For an address that came too late, "
        "ask the node to give the units back, then correct the address here.",
    ),
    CaseKind(
        code=REFUNDED_THERE,
        label="A shop gave money back that was not credited here",
        severity=3,
        due=timedelta(hours=24),
        owner_team="finance",
        playbook="Find out what the money was for: units that come back are credited through "
        "their return. It is not given back a second time: what we ask of the shop later is "
        "lowered by it.",
    ),
    CaseKind(
        code=FULFILLED_THERE,
        label="A shop fulfilled units that were ours to send",
        severity=2,
        due=timedelta(hours=2),
        owner_team="operations",
        playbook="The units that were not with a carrier yet are cancelled here. Stop what is "
        "still at a node, and find out who marked them as sent in the shop.",
    ),
    CaseKind(
        code=COPY_REFUSED,
        label="A shop refused what it was told",
        severity=2,
        due=timedelta(hours=4),
        owner_team="integrations",
        playbook="Read the reason, mend its cause in the shop or here, then have it sent again.",
        still_true=still_differing,
    ),
    CaseKind(
        code=COPY_DIFFERS,
        label="A shop does not have what it was told",
        severity=3,
        due=timedelta(hours=8),
        owner_team="integrations",
        playbook="It was sent again once. Find out who changes it in the shop; then have it sent "
        "again, or leave it as it is there.",
        still_true=still_differing,
    ),
)
