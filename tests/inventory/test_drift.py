"""The books are summed anew all the time; what does not hold is told, previewed and repaired."""

from sys import modules
from typing import Final

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from config.kernel.errors import Conflict, NotFound
from config.kernel.models import CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Scope
from inventory import selectors, services
from inventory.drift_registration import still_drifting
from inventory.models import CountRequest, DriftWatch, Movement, StockDrift, StockPosition
from inventory.services.drift import look_at_range
from inventory.types import RepairPreview, StockChange, SubjectTag, subject_id
from tests.books import check_all
from tests.factories.inventory import ANNA, reread, stock, want
from tests.factories.kernel import NOON

pytestmark = pytest.mark.django_db

WHEN: Final = {"at": NOON, "actor": ANNA}


def tamper(statement: str, position: StockPosition) -> None:
    """What no command does."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [position.pk])


BREACHES: Final[dict[str, tuple[str, set[str]]]] = {
    "more lies there": (
        "UPDATE inventory_stocklevel SET on_hand = on_hand + 2 WHERE position_id = %s",
        {"on_hand", "sellable"},
    ),
    "less is sellable": (
        "UPDATE inventory_stockposition SET sellable = sellable - 3 WHERE id = %s",
        {"sellable"},
    ),
    "more is reserved": (
        "UPDATE inventory_stockposition SET reserved = reserved + 1 WHERE id = %s",
        {"reserved"},
    ),
    "a claim was lost": (
        (
            "UPDATE inventory_reservation SET state = 'released', released = quantity "
            "WHERE position_id = %s"
        ),
        {"reserved"},
    ),
    "a shortfall nobody works at": (
        "UPDATE inventory_stockposition SET shortfall = 4 WHERE id = %s",
        {"shortfall", "shortfall_work"},
    ),
    "units set aside that nobody knows of": (
        "UPDATE inventory_stockposition SET landed = 1 WHERE id = %s",
        {"landed_work"},
    ),
}


def a_shelf() -> StockPosition:
    """Nine units, of which four are reserved."""
    position = stock(9)
    services.take([want(position, 4)], **WHEN)
    return position


def look() -> set[str]:
    services.watch_drift(seconds=0, **WHEN)
    return {row.kind for row in StockDrift.objects.for_scope(ALL_ACCOUNTS).filter(closed_at=None)}


def previewed() -> tuple[list[StockDrift], RepairPreview]:
    rows = selectors.open_drifts(ALL_ACCOUNTS)
    return rows, selectors.preview_repairs([row.pk for row in rows], ALL_ACCOUNTS)


class TestTheCheck:
    def test_finds_nothing_in_honest_books(self) -> None:
        a_shelf()

        assert look() == set()
        watch = DriftWatch.objects.get()
        assert (watch.round, watch.last_checked, watch.last_found) == (2, 1, 0)

    def test_goes_round_range_by_range(self) -> None:
        positions = [a_shelf() for _ in range(3)]
        DriftWatch.objects.create(name="stock", size=2, begun_at=NOON, looked_at=NOON)

        first, second = look_at_range(at=NOON), look_at_range(at=NOON)

        assert (first.positions, first.is_complete) == (2, False)
        assert (second.positions, second.is_complete) == (1, True)
        watch = DriftWatch.objects.get()
        assert (watch.after, watch.round, watch.last_checked) == (0, 2, len(positions))

    def test_names_the_line_from_which_on_the_ledger_does_not_add_up(self) -> None:
        position = stock(9)
        change = StockChange(position.node_id, position.sku_id, position.account_id, -2, "sale")
        services.record_changes([change], **WHEN)
        last = Movement.objects.for_scope(ALL_ACCOUNTS).order_by("-id")[0]
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE inventory_movement DISABLE TRIGGER USER")
            cursor.execute("UPDATE inventory_movement SET quantity = -3 WHERE id = %s", [last.pk])
            cursor.execute("ALTER TABLE inventory_movement ENABLE TRIGGER USER")

        look()

        (row,) = selectors.open_drifts(ALL_ACCOUNTS)
        assert (row.found, row.expected, row.evidence["movement"]) == (7, 6, str(last.pk))

    def test_closes_what_holds_again(self) -> None:
        position = a_shelf()
        tamper(BREACHES["more is reserved"][0], position)
        assert look() == {"reserved"}
        tamper("UPDATE inventory_stockposition SET reserved = 4 WHERE id = %s", position)

        assert look() == set()
        (row,) = StockDrift.objects.for_scope(ALL_ACCOUNTS)
        assert (row.closed_at, row.repaired_by) == (NOON, "")


@pytest.mark.django_db(transaction=True)
def test_a_range_that_takes_too_long_is_tried_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    stock(9)
    monkeypatch.setattr(modules["inventory.services.drift"], "RANGE_SECONDS", 0.05)
    DriftWatch.objects.create(name="stock", size=1_000, begun_at=NOON, looked_at=NOON)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE inventory_landedwork IN ACCESS EXCLUSIVE MODE")
        services.watch_drift(seconds=0, **WHEN)
        assert (DriftWatch.objects.get().size, DriftWatch.objects.get().too_slow) == (500, 1)
    finally:
        other.close()

    services.watch_drift(seconds=0, **WHEN)
    assert DriftWatch.objects.get().last_checked == 1


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_found_told_and_repaired(breach: str) -> None:
    position = a_shelf()
    statement, kinds = BREACHES[breach]
    tamper(statement, position)

    assert look() == kinds
    assert look() == kinds, "it is known by now"
    told = CaseReport.objects.filter(kind="STOCK_DRIFT")
    assert {row.evidence["kind"] for row in told} == kinds
    assert len(told) == len(kinds)
    rows, preview = previewed()
    assert {line.drift.kind for line in preview.lines} == kinds
    assert check_all(about="stock.") != [], "a preview changes nothing"

    services.repair_drift([rows[0].pk], preview.token, **WHEN)

    assert check_all(about="stock.") == []
    assert look() == set()
    assert still_drifting([subject_id(SubjectTag.POSITION, position.pk)]) == set()
    event = Event.objects.for_scope(ALL_ACCOUNTS).get(topic="stock.repaired")
    assert {each["kind"] for each in event.data["sums"]} == kinds


class TestARepair:
    def test_of_on_hand_is_a_line_of_the_ledger_and_asks_for_a_count(self) -> None:
        position = a_shelf()
        tamper(BREACHES["more lies there"][0], position)
        look()
        rows, preview = previewed()

        services.repair_drift([row.pk for row in rows], preview.token, **WHEN)

        line = Movement.objects.for_scope(ALL_ACCOUNTS).order_by("-id")[0]
        assert (line.kind, line.quantity, line.balance) == ("discrepancy", 2, 11)
        assert reread(position.pk).sellable == 11
        assert CountRequest.objects.for_scope(ALL_ACCOUNTS).get().kind == "difference"
        repaired = StockDrift.objects.for_scope(ALL_ACCOUNTS).get(kind="on_hand")
        assert (repaired.movement_id, repaired.repaired_by) == (line.pk, ANNA.id)

    def test_that_leaves_too_little_is_a_shortfall_that_is_worked_off(self) -> None:
        position = a_shelf()
        tamper("UPDATE inventory_stocklevel SET on_hand = 1 WHERE position_id = %s", position)
        look()
        rows, preview = previewed()

        services.repair_drift([row.pk for row in rows], preview.token, **WHEN)

        now = reread(position.pk)
        assert (now.sellable, now.reserved, now.shortfall) == (1, 4, 3)
        assert check_all(about="stock.") == []

    def test_is_refused_when_the_figures_are_no_longer_those_of_the_preview(self) -> None:
        position = a_shelf()
        tamper(BREACHES["more is reserved"][0], position)
        look()
        rows, preview = previewed()
        tamper(BREACHES["more is reserved"][0], position)

        with pytest.raises(Conflict), transaction.atomic():
            services.repair_drift([row.pk for row in rows], preview.token, **WHEN)

        assert reread(position.pk).reserved == 6

    def test_of_another_account_is_not_found(self) -> None:
        tamper(BREACHES["more is reserved"][0], a_shelf())
        look()
        rows, preview = previewed()
        stranger = Actor(ActorKind.USER, "eve", "eve", Scope(frozenset()))

        with pytest.raises(NotFound), transaction.atomic():
            services.repair_drift([row.pk for row in rows], preview.token, at=NOON, actor=stranger)


def test_the_command_line_previews_and_applies(capsys: pytest.CaptureFixture[str]) -> None:
    position = a_shelf()
    tamper(BREACHES["more is reserved"][0], position)

    call_command("check_invariants", "--repair", "--dry-run")
    assert "Reserved becomes what is claimed: 5 → 4." in capsys.readouterr().out
    assert reread(position.pk).reserved == 5
    call_command("check_invariants", "--repair")

    assert reread(position.pk).reserved == 4
