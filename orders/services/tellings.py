"""Who was told which version of a promise. Runs inside the transaction that tells them."""

from collections.abc import Sequence
from datetime import datetime

from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS
from orders.models import Promise, PromiseTold
from orders.types import Telling


def record_told(tellings: Sequence[Telling], *, at: datetime) -> int:
    """Write down that somebody was shown these versions; what is known already is passed over.

    Runs inside the caller's transaction. Two statements. Answers how many are new.
    """
    if not tellings:
        return 0
    wanted = {one.promise_id for one in tellings}
    promises = {
        row.pk: row for row in Promise.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=wanted)
    }
    rows = [
        _row(one, promises[one.promise_id], at) for one in tellings if one.promise_id in promises
    ]
    if not rows:
        return 0
    made = PromiseTold.objects.bulk_create(rows, ignore_conflicts=True)
    return len(made)


def _row(one: Telling, promise: Promise, at: datetime) -> PromiseTold:
    return PromiseTold(
        id=ids.uuid7(),
        account_id=promise.account_id,
        order_id=promise.order_id,
        group_id=promise.group_id,
        promise_id=promise.pk,
        audience=one.audience,
        by=one.by,
        message_id=one.message_id,
        deliver_earliest=promise.deliver_earliest,
        deliver_latest=promise.deliver_latest,
        at=at,
    )
