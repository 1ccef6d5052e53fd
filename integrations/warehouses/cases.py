"""The exceptions that working with other companies' warehouses brings up."""

from datetime import timedelta
from typing import Final

from config.kernel.case_reports import CaseKind
from fulfillment.nodework import still_not_taken

DISAGREES: Final = "WAREHOUSE_DISAGREES"
REFUSED: Final = "WAREHOUSE_REFUSED"
LACKS_ORDER: Final = "WAREHOUSE_LACKS_ORDER"
STOCK_DIFFERS: Final = "WAREHOUSE_STOCK_DIFFERS"
STOCK_DOUBTFUL: Final = "WAREHOUSE_STOCK_DOUBTFUL"


KINDS: Final = (
    CaseKind(
        code=DISAGREES,
        label="A warehouse says what cannot be",
        severity=3,
        due=timedelta(hours=8),
        owner_team="operations",
        playbook="Compare the evidence with the fulfillment order: what was possible of it is "
        "recorded. Ask the warehouse for the rest; correct by hand what it confirms.",
    ),
    CaseKind(
        code=REFUSED,
        label="A warehouse system refused what it was told",
        severity=2,
        due=timedelta(hours=2),
        owner_team="integrations",
        playbook="Read the code, mend the cause there or here, then try the intent again.",
        still_true=still_not_taken,
    ),
    CaseKind(
        code=LACKS_ORDER,
        label="A warehouse system does not have an order that it was sent",
        severity=2,
        due=timedelta(hours=2),
        owner_team="operations",
        playbook="It was sent again. If it does not appear there, call the warehouse.",
        still_true=still_not_taken,
    ),
    CaseKind(
        code=STOCK_DIFFERS,
        label="A warehouse's stock differs from the book",
        severity=3,
        due=timedelta(hours=24),
        owner_team="inventory",
        playbook="The book follows the warehouse by now. Look for the cause that the case names; "
        "have the SKU counted where it names none.",
    ),
    CaseKind(
        code=STOCK_DOUBTFUL,
        label="A warehouse's stock list cannot be trusted",
        severity=2,
        due=timedelta(hours=4),
        owner_team="integrations",
        playbook="Nothing of it was taken over. Ask the warehouse whether the list is whole.",
    ),
)
