"""The credits of a file that is imported: what of the sales before them is cancelled, what came back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orders.services
from config.kernel.types import Actor
from integrations.channels.online_retail.translate import Credit
from integrations.imports.buckets import Bucket, LineResult
from integrations.imports.credits import Match
from orders.selectors.external import LineAtHand, lines_by_external
from orders.types import CancelRequest, ReturnedUnits


def take(
    channel_id: UUID,
    lines: Sequence[Credit],
    matches: Mapping[int, Sequence[Match]],
    *,
    at: datetime,
    actor: Actor,
) -> list[LineResult]:
    """Cancel what is unshipped and record as returned what is delivered, credit by credit."""
    if not lines:
        return []
    found = [match for credit in lines for match in matches[credit.line]]
    known = lines_by_external(channel_id, {match.order for match in found})
    cancels, returns = _divide(found, known)
    returned = _return(returns, known, at=at, actor=actor)  # locks orders only, so it comes first
    cancelled = _cancel(cancels, known, at=at, actor=actor)
    results = []
    for credit in lines:
        gone, back = cancelled[credit.line], returned[credit.line]
        bucket = _bucket(credit.quantity, gone, back)
        detail = f"{gone} cancelled and {back} returned of {credit.quantity} × {credit.sku}"
        if not credit.customer:
            detail += "; the credit names no customer"
        code = bucket.value.replace("_", "-")
        results.append(LineResult(credit.line, credit.invoice, bucket, code, detail))
    return results


def _bucket(wanted: int, cancelled: int, returned: int) -> Bucket:
    if not cancelled + returned:
        return Bucket.UNMATCHED_CREDIT
    if cancelled + returned < wanted:
        return Bucket.CREDITED_IN_PART
    return Bucket.CANCELLED if cancelled >= returned else Bucket.RETURNED


Units = list[tuple[int, tuple[str, str], int]]
"""(credit line, order line's key, units)."""


def _divide(
    matches: Sequence[Match], known: dict[tuple[str, str], LineAtHand]
) -> tuple[Units, Units]:
    """Of each match: what can be cancelled, and what is left to be returned."""
    unshipped = {key: line.unshipped for key, line in known.items()}
    returnable = {key: line.returnable for key, line in known.items()}
    cancels: Units = []
    returns: Units = []
    for match in matches:
        key = (match.order, match.line)
        if key not in known:
            continue
        gone = min(match.quantity, unshipped[key])
        back = min(match.quantity - gone, returnable[key])
        unshipped[key] -= gone
        returnable[key] -= back
        if gone:
            cancels.append((match.credit.line, key, gone))
        if back:
            returns.append((match.credit.line, key, back))
    return cancels, returns


def _cancel(
    wanted: Units,
    known: dict[tuple[str, str], LineAtHand],
    *,
    at: datetime,
    actor: Actor,
) -> Counter[int]:
    """Units cancelled by credit line. A refusal cancels nothing of its line."""
    if not wanted:
        return Counter()
    requests = [
        CancelRequest(
            known[key].order_id, known[key].line_id, units, "credited by the channel", "channel"
        )
        for _, key, units in wanted
    ]
    done: Counter[int] = Counter()
    answers = orders.services.cancel_units(requests, at=at, actor=actor)
    for (line, _, units), answer in zip(wanted, answers, strict=True):
        if answer.value is not None:
            done[line] += min(units, answer.value.cancelled)
    return done


def _return(
    wanted: Units,
    known: dict[tuple[str, str], LineAtHand],
    *,
    at: datetime,
    actor: Actor,
) -> Counter[int]:
    """Units recorded as returned, by credit line."""
    if not wanted:
        return Counter()
    recorded = orders.services.record_returned(
        [
            ReturnedUnits(known[key].order_id, known[key].line_id, units, "credited by the channel")
            for _, key, units in wanted
        ],
        at=at,
        actor=actor,
    )
    done: Counter[int] = Counter()
    for (line, *_), units in zip(wanted, recorded, strict=True):
        done[line] += units
    return done
