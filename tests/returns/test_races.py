"""Two at once: whoever comes second finds what the first has done."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection

from config.kernel.types import ALL_ACCOUNTS, Outcome, OutcomeKind
from orders.models import Refund
from returns.models import Receipt as ReceiptRow
from returns.services import inspect_returns, receive_returns, request_returns
from returns.types import Finding, Receipt
from tests.factories.returns import (
    ASKED,
    BACK,
    CLARA,
    authorized,
    lines_of_return,
    received,
    sold,
    wish,
)

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], list[Outcome]]) -> list[OutcomeKind]:
    """Run the acts in threads that start together; answer how each ended."""
    gate, ended = Barrier(len(acts)), []

    def run(act: Callable[[], list[Outcome]]) -> None:
        gate.wait()
        try:
            ended.append(act()[0].kind)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ended)


def test_two_receivers_of_one_parcel_count_it_once():
    made = authorized(sold(2), 2)
    came = Receipt(made.pk, made.node_id, ())

    ended = at_once(*[lambda: receive_returns([came], at=BACK, actor=CLARA)] * 2)

    assert ended == [OutcomeKind.DONE, OutcomeKind.REPEATED]
    assert lines_of_return(made)[0].received == 2
    assert ReceiptRow.objects.for_scope(ALL_ACCOUNTS).count() == 1


def test_two_requests_for_the_last_unit_are_one():
    placed = sold(1)

    ended = at_once(*[lambda: request_returns([wish(placed, 1)], at=ASKED, actor=CLARA)] * 2)

    assert ended == [OutcomeKind.DONE, OutcomeKind.REFUSED]


def test_two_graders_of_one_unit_pay_for_it_once():
    made = received(sold(1), 1)
    (line,) = lines_of_return(made)

    ended = at_once(
        *[lambda: inspect_returns([Finding(line.pk, 1, "A")], at=BACK, actor=CLARA)] * 2
    )

    assert ended == [OutcomeKind.DONE, OutcomeKind.REFUSED]
    assert Refund.objects.for_scope(ALL_ACCOUNTS).count() == 1
