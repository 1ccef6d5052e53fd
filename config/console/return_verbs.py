"""What a person may do to one return: who may, why not now, and the words of it.

A judgement says beforehand what the command would refuse, and why; the command decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from config.kernel.access import Permission
from returns.selectors import ReturnPage
from returns.states import EXPECTED, HERE, TO_DECIDE, ReturnState

_ENDED: Final = (ReturnState.DECLINED, ReturnState.CANCELLED)


@dataclass(frozen=True, slots=True)
class ReturnVerb:
    """One verb. `at_once` asks for nothing; the others open a form."""

    code: str
    label: str
    permission: Permission
    judge: Callable[[ReturnPage], str]
    lead: str = ""
    at_once: bool = False
    danger: bool = False
    primary: bool = False


def _said(returned: Any) -> str:
    return f"It is {returned.get_state_display().lower()}."


def _judge_decide(found: ReturnPage) -> str:
    return "" if found.returned.state in TO_DECIDE else _said(found.returned)


def _judge_cancel(found: ReturnPage) -> str:
    waits = found.returned.state in {*TO_DECIDE, ReturnState.AUTHORIZED}
    return "" if waits else _said(found.returned)


def _judge_receive(found: ReturnPage) -> str:
    if found.returned.state in _ENDED:
        return _said(found.returned)
    return "The buyer keeps the goods." if found.returned.keep else ""


def _judge_receive_all(found: ReturnPage) -> str:
    if why := _judge_receive(found):
        return why
    if not any(line.awaited for line in found.lines):
        return "Everything that was announced has come."
    return "" if found.returned.node_id else "Nobody said to which node it comes."


def _judge_grade(found: ReturnPage) -> str:
    if any(line.ungraded for line in found.lines):
        return ""
    return (
        "Everything that came is graded." if found.returned.state in HERE else "Nothing has come."
    )


def _judge_identify(found: ReturnPage) -> str:
    return "" if found.returned.order_id is None else "Its order is known."


def _judge_settle(found: ReturnPage) -> str:
    returned = found.returned
    if returned.state == ReturnState.RECEIVED:
        return "Not everything is graded."
    if returned.state in EXPECTED:
        return "It has not come."
    if returned.state != ReturnState.INSPECTED:
        return _said(returned)
    return "Nobody knows whose goods these are." if returned.order_id is None else ""


def _judge_exchange(found: ReturnPage) -> str:
    if why := _judge_settle(found):
        return why
    if found.returned.exchange_order_id is not None:
        return "It was exchanged."
    due = any(line.accepted > line.refunded for line in found.lines)
    return "" if due else "Nothing was accepted that is not paid for."


VERBS: Final = {
    verb.code: verb
    for verb in (
        ReturnVerb(
            "authorize", "Authorise", Permission.RETURNS_DECIDE, _judge_decide, at_once=True,
            primary=True,
        ),
        ReturnVerb(
            "receive_all", "Receive everything", Permission.RETURNS_WORK, _judge_receive_all,
            at_once=True, primary=True,
        ),
        ReturnVerb(
            "identify", "Find its order", Permission.RETURNS_WORK, _judge_identify, primary=True,
        ),
        ReturnVerb(
            "settle", "Give the money back", Permission.RETURNS_DECIDE, _judge_settle,
            at_once=True, primary=True,
        ),
        ReturnVerb(
            "receive", "Receive part, or something else", Permission.RETURNS_WORK, _judge_receive,
            "Say what lies on the table. What nobody has announced gets a line of its own, and a "
            "case.",
        ),
        ReturnVerb(
            "grade", "Grade", Permission.RETURNS_WORK, _judge_grade,
            "The goods lie on the book from here on, as what becomes of them says.",
        ),
        ReturnVerb(
            "exchange", "Give other goods instead", Permission.RETURNS_DECIDE, _judge_exchange,
            "What came back pays for it. What is left over goes back to the buyer; what is missing "
            "waits for their payment.",
        ),
        ReturnVerb(
            "decline", "Decline", Permission.RETURNS_DECIDE, _judge_decide,
            "The buyer is told why. The goods stay where they are.", danger=True,
        ),
        ReturnVerb(
            "cancel", "Call off", Permission.RETURNS_DECIDE, _judge_cancel,
            "Nothing comes back, and nothing is given back. What arrives all the same starts anew.",
            danger=True,
        ),
    )
}  # fmt: skip

PERMISSIONS: Final = (Permission.RETURNS_WORK, Permission.RETURNS_DECIDE)
"""Whoever holds one of these has something to do to returns."""
