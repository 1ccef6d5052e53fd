"""The take under real concurrency: nothing is sold twice, and nobody waits in a ring."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from django.db import OperationalError, connection, transaction

from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import Reservation
from inventory.types import Portion, SnapshotRow, StockChange, Taken, TakeResult, Want
from tests.books import check_all
from tests.factories.inventory import ANNA, NodeFactory, SkuFactory, reread, stock, want
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")
TAKERS = 16


def together(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run the calls at once, each in a thread with a connection of its own."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        try:
            start.wait()
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def taking(take: Callable[..., TakeResult], wants: Sequence[Want]) -> Callable[[], int]:
    """Take in a transaction of its own; the answer is how many wants were served."""

    def call() -> int:
        with transaction.atomic():
            return len(take(wants, at=NOON, actor=ANNA).taken)

    return call


def naive_take(wants: Sequence[Want], *, at: Any, actor: Any) -> TakeResult:
    """What a take would be without lock and guard: read, think, write what was thought."""
    position = reread(wants[0].position_id)
    free = position.sellable - position.reserved
    threading.Event().wait(0.005)  # the time that any other statement takes
    if free < wants[0].quantity:
        return TakeResult((), tuple(wants))
    reservation_id = ids.uuid7()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_stockposition SET reserved = %s WHERE id = %s",
            [position.reserved + wants[0].quantity, position.pk],
        )
    Reservation.objects.create(
        id=reservation_id,
        account_id=position.account_id,
        position=position,
        sku_id=position.sku_id,
        node_id=position.node_id,
        demand_id=wants[0].demand_id,
        thread_id=wants[0].thread_id,
        quantity=wants[0].quantity,
        at=at,
    )
    return TakeResult((Taken(wants[0], reservation_id),), ())


def sell_the_last_unit(take: Callable[..., TakeResult]) -> int:
    """Sixteen buyers at once; how many of them got the last unit."""
    position = stock(1)
    return sum(together([taking(take, [want(position)]) for _ in range(TAKERS)]))


class TestTheLastUnit:
    @pytest.mark.parametrize("attempt", range(20))
    def test_is_promised_once(self, attempt: int) -> None:
        assert sell_the_last_unit(services.take) == 1
        assert check_all(about="stock.") == []

    def test_is_promised_again_without_lock_and_guard(self) -> None:
        """The negative control: when this fails, the test above proves nothing."""
        assert any(sell_the_last_unit(naive_take) > 1 for _ in range(5))
        assert "stock.reserved" in {violation.code for violation in check_all(about="stock.")}


class TestBaskets:
    def test_in_shuffled_order_never_wait_in_a_ring(self) -> None:
        sku = SkuFactory()
        nodes = [NodeFactory(account=sku.account) for _ in range(5)]
        positions = [stock(100, sku=sku, node=node) for node in nodes]
        deadlocks: list[str] = []

        def shop(seed: int) -> Callable[[], int]:
            draw = random.Random(seed)  # noqa: S311  # a repeatable shuffle

            def call() -> int:
                served = 0
                for _ in range(15):
                    basket = [want(one) for one in draw.sample(positions, len(positions))]
                    try:
                        with transaction.atomic():
                            served += len(services.take(basket, at=NOON, actor=ANNA).taken)
                    except OperationalError as error:
                        deadlocks.append(str(error))
                return served

            return call

        served = together([shop(seed) for seed in range(TAKERS)])

        assert deadlocks == []
        assert sum(served) == 500
        assert [reread(one.pk).reserved for one in positions] == [100] * 5
        assert check_all(about="stock.") == []


class TestBesideOthers:
    def test_a_sale_at_the_till_is_a_fact_whoever_takes(self) -> None:
        position = stock(20)
        sale = StockChange(position.node_id, position.sku_id, position.account_id, -1, "sale")

        def sell() -> int:
            services.record_changes([sale], at=NOON, actor=ANNA)
            return 0

        served = together(
            [taking(services.take, [want(position, 2)]) for _ in range(8)] + [sell] * 8
        )

        position = reread(position.pk)
        assert position.sellable == 12
        assert position.reserved == 2 * sum(served)
        assert position.shortfall == max(0, position.reserved - position.sellable)
        assert check_all(about="stock.") == []

    def test_a_snapshot_counts_what_lies_there_whoever_takes(self) -> None:
        position = stock(20)
        row = SnapshotRow(position.sku_id, 7)

        def count() -> int:
            as_of = NOON - timedelta(minutes=1)
            services.apply_snapshot(position.node_id, "wms", as_of, [row], at=NOON, actor=ANNA)
            return 0

        served = together(
            [taking(services.take, [want(position)]) for _ in range(TAKERS - 1)] + [count]
        )

        position = reread(position.pk)
        assert (position.sellable, position.reserved) == (7, sum(served))
        assert check_all(about="stock.") == []

    def test_new_places_are_made_once_and_in_one_order(self) -> None:
        sku = SkuFactory()
        nodes = [NodeFactory(account=sku.account) for _ in range(6)]

        def receive(seed: int) -> Callable[[], int]:
            shuffled = random.Random(seed).sample(nodes, len(nodes))  # noqa: S311  # repeatable
            changes = [
                StockChange(node.pk, sku.pk, sku.account_id, 1, "receipt") for node in shuffled
            ]

            def call() -> int:
                outcomes = services.record_changes(changes, at=NOON, actor=ANNA)
                return sum(outcome.ok for outcome in outcomes)

            return call

        assert together([receive(seed) for seed in range(8)]) == [6] * 8
        assert check_all(about="stock.") == []

    def test_the_same_message_sixteen_times_is_one_fact(self) -> None:
        position = stock(1)
        change = StockChange(
            position.node_id,
            position.sku_id,
            position.account_id,
            5,
            "receipt",
            source="wms",
            external_id="R-1",
        )

        def receive() -> str:
            (outcome,) = services.record_changes([change], at=NOON, actor=ANNA)
            return outcome.kind

        assert Counter(together([receive] * TAKERS)) == {"done": 1, "repeated": TAKERS - 1}
        assert reread(position.pk).sellable == 6

    def test_an_expired_cart_gives_its_units_back_once(self) -> None:
        position = stock(3)
        with transaction.atomic():
            services.hold([want(position, 3)], until=NOON, at=NOON, actor=ANNA)

        def expire() -> int:
            return services.expire_held(10, at=NOON, actor=ANNA)

        assert sum(together([expire] * 8)) == 1
        assert reread(position.pk).reserved == 0
        states = Reservation.objects.for_scope(ALL_ACCOUNTS).values_list("state", flat=True)
        assert list(states) == ["expired"]
        assert check_all(about="stock.") == []


class TestMovingBetweenPositions:
    def test_in_both_directions_never_waits_in_a_ring_when_all_are_locked_first(self) -> None:
        first, second = stock(500), stock(500)
        deadlocks: list[str] = []

        def mover(source: Any, target: Any) -> Callable[[], int]:
            def call() -> int:
                moved = 0
                for _ in range(15):
                    try:
                        with transaction.atomic():
                            claim = services.take([want(source)], at=NOON, actor=ANNA).taken[0]
                        with transaction.atomic():
                            moved += _move(claim.reservation_id, target)
                    except OperationalError as error:
                        deadlocks.append(str(error))
                return moved

            return call

        moved = together([mover(first, second)] * 4 + [mover(second, first)] * 4)

        assert deadlocks == []
        assert sum(moved) == reread(first.pk).reserved + reread(second.pk).reserved
        assert check_all(about="stock.") == []


def _move(reservation_id: Any, target: Any) -> int:
    """Give a unit back where it is reserved and take it at the target, as re-sourcing does."""
    services.lock_positions([target.pk], [reservation_id])
    services.release([Portion(reservation_id, 1)], "resourced", at=NOON, actor=ANNA)
    return len(services.take([want(target)], at=NOON, actor=ANNA).taken)


class TestTakeAgain:
    def test_loses_at_once_what_another_transaction_holds(self) -> None:
        position = stock(5)
        held, tried = threading.Event(), threading.Event()

        def keep() -> int:
            with transaction.atomic():
                services.take([want(position)], at=NOON, actor=ANNA)
                held.set()
                assert tried.wait(10)
            return 0

        def retry() -> int:
            assert held.wait(10)
            try:
                return taking(services.take_again, [want(position)])()
            finally:
                tried.set()

        assert together([keep, retry]) == [0, 0]
        assert taking(services.take_again, [want(position)])() == 1
