"""What a return policy says to a request, in a verdict and in words. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from returns.states import FAULTS, Decision, PaidBy, ReasonClass, ShippingBack
from returns.types import AskedLine, LineVerdict, Reason, Terms, Verdict

USUAL_REASONS = (
    Reason("changed_mind", "I do not want it any more", ReasonClass.WITHDRAWAL.value),
    Reason("does_not_fit", "It does not fit", ReasonClass.WITHDRAWAL.value),
    Reason("defective", "It does not work", ReasonClass.DEFECT.value),
    Reason("damaged", "It arrived damaged", ReasonClass.CARRIER.value),
    Reason("wrong_item", "It is not what I ordered", ReasonClass.MERCHANT_ERROR.value),
    Reason("not_as_described", "It is not as described", ReasonClass.MERCHANT_ERROR.value),
    Reason("warranty", "It broke within the warranty", ReasonClass.WARRANTY.value),
)
USUAL_TERMS = Terms(window_days=30, reasons=USUAL_REASONS, condition="unused, in its box")
"""What holds where an account has published no policy."""

_WORST = (Decision.REFUSE, Decision.REVIEW)


def judge(terms: Terms, lines: Sequence[AskedLine], *, at: datetime) -> Verdict:
    """Accept, refuse, or have a person decide. The whole is as good as its worst line.

    The buyer pays for the way back, and a fee, only when every line is a change of mind.
    """
    verdicts = tuple(judge_line(terms, line, at=at) for line in lines)
    worst = next(
        (kind for kind in _WORST if any(one.decision == kind for one in verdicts)), Decision.ACCEPT
    )
    value = sum(line.value_minor for line in lines)
    words = _words(worst, verdicts)
    if worst is Decision.ACCEPT and 0 < terms.review_above_minor < value:
        worst, words = Decision.REVIEW, "It is worth so much that a person looks at it first."
    at_fault = any(one.reason_class in FAULTS for one in verdicts)
    keep = worst is Decision.ACCEPT and 0 < value <= terms.keep_below_minor
    if keep:
        words = "Accepted. It need not be sent back."
    return Verdict(
        decision=worst.value,
        words=words,
        lines=verdicts,
        keep=keep,
        fee_minor=0 if at_fault or keep else terms.fee_minor,
        label_paid_by=PaidBy.MERCHANT.value if at_fault else terms.label_paid_by,
        refund_trigger=terms.refund_trigger,
        refunds_shipping=terms.shipping_back == ShippingBack.ALWAYS
        or (at_fault and terms.shipping_back == ShippingBack.FAULT),
    )


def judge_line(terms: Terms, line: AskedLine, *, at: datetime) -> LineVerdict:
    """What the policy says to units of one line."""
    reason = next((one for one in terms.reasons if one.code == line.reason), None)
    kind = reason.kind if reason else ""
    decision, code, words = _said(terms, line, reason, at)
    return LineVerdict(line.line_id, decision.value, code, f"{line.title}: {words}", kind)


def _said(
    terms: Terms, line: AskedLine, reason: Reason | None, at: datetime
) -> tuple[Decision, str, str]:
    if reason is None:
        known = ", ".join(one.code for one in terms.reasons)
        return Decision.REFUSE, "unknown-reason", f"the reason is one of {known}."
    if not 0 < line.quantity <= line.returnable:
        return Decision.REFUSE, "too-many", _how_many(line.returnable)
    # Where the goods or we are at fault, what a policy excludes is a person's to decide.
    excluded = Decision.REVIEW if reason.kind in FAULTS else Decision.REFUSE
    category = line.properties.get("category", "")
    if line.properties.get("final_sale") or (category and category in terms.excluded_categories):
        return excluded, "excluded", "it is excluded from returns."
    ends = line.delivered_at + timedelta(days=terms.window_days) if line.delivered_at else None
    if ends is not None and at > ends:
        return (
            excluded,
            "window-over",
            f"the {terms.window_days} days in which it may come back ended on {ends:%Y-%m-%d}.",
        )
    if line.properties.get("hazmat"):
        return Decision.REVIEW, "dangerous", "dangerous goods travel only when a person says how."
    until = f" until {ends:%Y-%m-%d}" if ends else ""
    return Decision.ACCEPT, "ok", f"may come back{until}."


def _how_many(returnable: int) -> str:
    if not returnable:
        return "nothing of it can come back: it was not delivered, or came back already."
    return f"only {returnable} of it can come back."


def _words(worst: Decision, verdicts: Sequence[LineVerdict]) -> str:
    if worst is Decision.ACCEPT:
        return "Accepted."
    return " ".join(one.words for one in verdicts if one.decision == worst)
