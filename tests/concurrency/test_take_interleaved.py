"""Single interleavings, played on purpose: two connections, one step after another."""

import threading
from collections.abc import Callable
from datetime import timedelta
from sys import modules

import pytest
from django.db import connection, transaction

from inventory import services
from inventory.models import StockPosition
from inventory.types import Portion, SnapshotRow, StockChange
from tests.books import check_all
from tests.factories.inventory import ANNA, reread, stock, want
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db(transaction=True)

WAIT_SECONDS = 10


class Overtaken:
    """Run `first` up to before its commit, start `second`, see it wait, then let `first` commit."""

    def __init__(self, first: Callable[[], object], second: Callable[[], object]) -> None:
        self.waited = False
        done = threading.Event()
        failures: list[BaseException] = []

        def overtake() -> None:
            try:
                with transaction.atomic():
                    second()
            except BaseException as error:  # noqa: BLE001  # told to the thread that asserts
                failures.append(error)
            finally:
                connection.close()
                done.set()

        other = threading.Thread(target=overtake)
        with transaction.atomic():
            first()
            other.start()
            self.waited = not done.wait(0.3)
        other.join(WAIT_SECONDS)
        assert failures == []


def selling(position: StockPosition, units: int) -> Callable[[], object]:
    change = StockChange(position.node_id, position.sku_id, position.account_id, -units, "sale")
    return lambda: services.record_changes([change], at=NOON, actor=ANNA)


def taking(position: StockPosition, units: int) -> Callable[[], object]:
    return lambda: services.take([want(position, units)], at=NOON, actor=ANNA)


def counting(position: StockPosition, units: int) -> Callable[[], object]:
    rows = [SnapshotRow(position.sku_id, units)]
    as_of = NOON - timedelta(minutes=1)
    return lambda: services.apply_snapshot(
        position.node_id, "wms", as_of, rows, at=NOON, actor=ANNA
    )


def standing(position: StockPosition) -> tuple[int, int, int]:
    now = reread(position.pk)
    assert check_all(about="stock.") == []
    return now.sellable, now.reserved, now.shortfall


class TestTake:
    def test_waits_for_a_sale_and_takes_only_what_is_left(self) -> None:
        position = stock(3)

        race = Overtaken(selling(position, 2), taking(position, 2))

        assert race.waited
        assert standing(position) == (1, 0, 0)

    def test_before_a_sale_leaves_a_shortfall_not_a_lie(self) -> None:
        position = stock(3)

        race = Overtaken(taking(position, 2), selling(position, 2))

        assert race.waited
        assert standing(position) == (1, 2, 1)

    def test_waits_for_a_snapshot_and_sees_what_it_counted(self) -> None:
        position = stock(3)

        race = Overtaken(counting(position, 1), taking(position, 2))

        assert race.waited
        assert standing(position) == (1, 0, 0)

    def test_before_a_snapshot_keeps_its_claim_as_a_shortfall(self) -> None:
        position = stock(3)

        race = Overtaken(taking(position, 2), counting(position, 1))

        assert race.waited
        assert standing(position) == (1, 2, 1)

    def test_waits_for_units_that_are_given_back(self) -> None:
        position = stock(1)
        held = services.take([want(position)], at=NOON, actor=ANNA).taken[0]

        def give_back() -> None:
            services.release([Portion(held.reservation_id, 1)], "cancelled", at=NOON, actor=ANNA)

        race = Overtaken(give_back, taking(position, 1))

        assert race.waited
        assert standing(position) == (1, 1, 0)

    def test_without_its_lock_nobody_but_the_database_would_refuse(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control of the take in one statement: it compares what stood before."""
        at_once = modules["inventory.services.take_at_once"]
        monkeypatch.setattr(at_once, "_TAKE", at_once._TAKE.replace(" FOR UPDATE OF p", ""))
        position = stock(3)

        with pytest.raises(AssertionError, match="position_never_oversold"):
            Overtaken(selling(position, 2), taking(position, 2))

    def test_does_not_wait_for_another_position(self) -> None:
        position, other = stock(1), stock(1)

        race = Overtaken(taking(position, 1), taking(other, 1))

        assert not race.waited
