"""Where a return stands, in sentences that can be read aloud. Pure: from records to words."""

from datetime import datetime, tzinfo
from typing import Any, Final

from config.console.words import amount, counted, day, number, sentence
from returns.selectors import ReturnPage
from returns.states import EXPECTED, HERE, ReturnKind, ReturnState, Wants

_DISPOSITIONS: Final = {
    "restock": "back on the shelf",
    "refurbish": "to be worked on",
    "quarantine": "set apart",
    "destroy": "to be destroyed",
    "vendor": "to go back to the vendor",
}


def describe(found: ReturnPage, now: datetime, zone: tzinfo) -> list[str]:
    """The sentences of a return's page, the most telling first."""
    returned = found.returned
    said = [sentence(_standing(found, now, zone))]
    if returned.state in {ReturnState.REQUESTED, ReturnState.REVIEW, ReturnState.DECLINED}:
        return said
    if returned.kind == ReturnKind.SENT_BACK:
        said.append("The carrier could not deliver it.")
    if returned.wants == Wants.EXCHANGE and returned.exchange_order_id is None:
        said.append("The buyer wants other goods instead of the money.")
    if missing := sum(line.awaited for line in found.lines if line.received):
        said.append(sentence(f"{number(missing)} of what was announced did not come"))
    if refused := sum(line.rejected for line in found.lines):
        said.append(sentence(f"{number(refused)} {_were(refused)} not accepted"))
    return said


def _standing(found: ReturnPage, now: datetime, zone: tzinfo) -> str:
    returned, lines = found.returned, found.lines
    units = sum(max(line.requested, line.received) for line in lines)
    if returned.state in EXPECTED:
        return _coming(returned, units, now, zone)
    if returned.state == ReturnState.RECEIVED:
        return _to_grade(lines, returned.node.name if returned.node else "the node")
    if returned.state in HERE:
        return _graded(returned)
    return {
        ReturnState.REQUESTED: f"{counted(units, 'unit')} {_is(units)} to come back; "
        "somebody has to let it in",
        ReturnState.REVIEW: "a person has to decide whether it may come",
        ReturnState.DECLINED: f"it was declined: {returned.why_declined.rstrip('.')}",
        ReturnState.EXPIRED: "nothing came in time",
        ReturnState.CANCELLED: "it was called off",
    }[ReturnState(returned.state)]


def _coming(returned: Any, units: int, now: datetime, zone: tzinfo) -> str:
    to = f" to {returned.node.name}" if returned.node else ""
    if returned.state == ReturnState.IN_TRANSIT and returned.first_scan_at:
        scanned = day(returned.first_scan_at, now, zone)
        return f"{counted(units, 'unit')} {_is(units)} on the way back{to}, first scanned {scanned}"
    until = day(returned.expires_at, now, zone).removeprefix("on ") if returned.expires_at else ""
    return f"{counted(units, 'unit')} may come{to}{f' until {until}' if until else ''}"


def _graded(returned: Any) -> str:
    if returned.state == ReturnState.INSPECTED:
        where = f" at {returned.node.name}" if returned.node else ""
        return f"everything that came is graded{where}; the money is still to be given back"
    if returned.state == ReturnState.CLOSED and returned.credited_minor:
        return f"{_credited(returned)}, and the money has arrived"
    on_its_way = "; the money is on its way" if returned.credited_minor else ""
    return f"{_credited(returned)}{on_its_way}"


def _to_grade(lines: tuple[Any, ...], where: str) -> str:
    waiting = sum(line.ungraded for line in lines)
    came = sum(line.received for line in lines)
    if waiting == came:
        wait = "waits" if came == 1 else "wait"
        return f"{counted(came, 'unit')} came to {where} and {wait} to be graded"
    still = "waits" if waiting == 1 else "wait"
    return f"{number(waiting)} of {counted(came, 'unit')} at {where} still {still} to be graded"


def _credited(returned: Any) -> str:
    if returned.exchange_order_id is not None:
        return "it was exchanged for other goods"
    if not returned.credited_minor:
        return "nothing was due"
    kept = ", and the buyer keeps the goods" if returned.keep else ""
    return f"{amount(returned.credited_minor, returned.currency)} were credited{kept}"


def becomes(disposition: str) -> str:
    """What becomes of graded goods, in words."""
    return _DISPOSITIONS.get(disposition, disposition)


def _is(units: int) -> str:
    return "is" if units == 1 else "are"


def _were(units: int) -> str:
    return "was" if units == 1 else "were"
