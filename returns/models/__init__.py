from returns.models.claims import Claim, ClaimLine
from returns.models.photos import ReturnPhoto
from returns.models.policies import ReturnPolicy
from returns.models.receipts import Inspection, Receipt, ReceiptLine
from returns.models.returned import Return, ReturnLabel, ReturnLine

__all__ = [
    "Claim",
    "ClaimLine",
    "Inspection",
    "Receipt",
    "ReceiptLine",
    "Return",
    "ReturnLabel",
    "ReturnLine",
    "ReturnPhoto",
    "ReturnPolicy",
]
