"""Whatever happens to stock and claims, in whatever order, PostgreSQL says what the model says."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.ledger import Book
from inventory.models import NodeCapability, Reservation, StockLevel, StockPosition
from inventory.types import (
    ConditionChange,
    IssuedPortion,
    PackConversion,
    Portion,
    Shortage,
    SnapshotRow,
    StockChange,
    TakeResult,
    Want,
)
from tests.books import check_all
from tests.factories.inventory import ANNA, NodeFactory, SkuFactory, future_want, stock
from tests.factories.kernel import NOON
from tests.inventory.stock_model import Claim, Model, of_states

PLACES, UNITS = st.integers(0, 1), st.integers(1, 5)
PICKS = st.integers(0, 9)
BEFORE_ALL: Final = NOON - timedelta(days=2)
WORLD: Final[list[StockPosition]] = []
"""The two positions, made once: every example starts from them and is rolled back."""


class StockMachine(RuleBasedStateMachine):
    """Each rule calls one command, as its callers do, and tells the model the same."""

    def __init__(self) -> None:
        super().__init__()
        self.model, self.at = Model(), NOON
        self.causes: dict[UUID, list[tuple[UUID, int]]] = {}
        self._example = transaction.atomic()
        # As a test case's own block: what a command locks is watched in each of its transactions.
        self._example._from_testcase = True  # type: ignore[attr-defined]
        self._example.__enter__()

    def teardown(self) -> None:
        try:
            assert check_all(about="stock.") == []
        finally:
            transaction.set_rollback(True)
            self._example.__exit__(None, None, None)

    # --- facts --------------------------------------------------------------------------------

    @initialize(first=st.integers(0, 9), second=st.integers(0, 9))
    def open_shelves(self, first: int, second: int) -> None:
        for place, units in enumerate((first, second)):
            if units:
                self._change(place, units, "receipt")
                self.model.came(place, units)

    @rule(place=PLACES, units=UNITS)
    def receive(self, place: int, units: int) -> None:
        self._change(place, units, "receipt")
        self.model.came(place, units)

    @rule(place=PLACES, units=UNITS, kind=st.sampled_from(["sale", "adjust"]), late=st.booleans())
    def sell_or_adjust(self, place: int, units: int, kind: str, late: bool) -> None:  # noqa: FBT001
        self._change(place, -units, kind, happened_at=BEFORE_ALL if late else None)
        if not (late and self.model.places[place].is_counted):
            self.model.went(place, units)

    @rule(place=PLACES, units=st.integers(0, 9))
    def snapshot(self, place: int, units: int) -> None:
        when = self._when()
        position = WORLD[place]
        rows = [SnapshotRow(position.sku_id, units)]
        services.apply_snapshot(position.node_id, "wms", when["at"], rows, **when)
        self.model.counted(place, units)

    @rule(place=PLACES, units=UNITS)
    def quarantine(self, place: int, units: int) -> None:
        self._shift(place, units, "available", "quality_hold")
        self.model.set_apart(place, units, "quality_hold")

    @rule(place=PLACES, units=UNITS)
    def let_go(self, place: int, units: int) -> None:
        self._shift(place, units, "quality_hold", "available")
        self.model.released_from(place, units, "quality_hold")

    @rule(place=PLACES, units=UNITS)
    def receive_in_bulk(self, place: int, units: int) -> None:
        self._change(place, units, "receipt", condition="reserve_storage")
        self.model.came(place, units, "reserve_storage")

    @rule(place=PLACES, packs=st.integers(1, 2))
    def break_packs(self, place: int, packs: int) -> None:
        """Also of packs that the book does not have: they are on the picking shelf now."""
        position = WORLD[place]
        broken = PackConversion(
            position.node_id, position.sku_id, position.account_id, packs, units=3
        )
        (outcome,) = services.convert_packs([broken], **self._when())
        assert outcome.ok, outcome.problem
        self.model.released_from(place, packs * 3, "reserve_storage")

    # --- claims -------------------------------------------------------------------------------

    @rule(place=PLACES, units=UNITS)
    def take(self, place: int, units: int) -> None:
        self._took(self._in_one(services.take, [self._want(place, units)]), place, "reserved")

    @rule(place=PLACES, units=UNITS, due=st.booleans())
    def hold(self, place: int, units: int, due: bool) -> None:  # noqa: FBT001
        until = self.at + timedelta(days=0 if due else 9)
        wants = [self._want(place, units)]
        self._took(self._in_one(services.hold, wants, until=until), place, "held", due=due)

    @rule(pick=PICKS)
    @precondition(lambda self: self._of("held"))
    def confirm(self, pick: int) -> None:
        key = self._pick(pick, "held")
        self._in_one(services.confirm_held, [key])
        self.model.claims[key].state = "reserved"

    @rule()
    def expire(self) -> None:
        services.expire_held(10, **self._when())
        self.model.expired()

    @rule(pick=PICKS, units=UNITS)
    @precondition(lambda self: self._of("held", "reserved", "committed", "waiting"))
    def release(self, pick: int, units: int) -> None:
        key = self._pick(pick, "held", "reserved", "committed", "waiting")
        claim = self.model.claims[key]
        part = min(units, claim.open)
        self._in_one(services.release, [Portion(key, part)], "cancelled")
        self.model.gave_back(claim, part)

    @rule(pick=PICKS, units=UNITS)
    @precondition(lambda self: self._of("reserved"))
    def move(self, pick: int, units: int) -> None:
        """Units of a claim go to the other place, as one step, where they can be had there."""
        key = self._pick(pick, "reserved")
        claim = self.model.claims[key]
        assert claim.place is not None
        part, target = min(units, claim.open), 1 - claim.place
        when = self._when()
        with transaction.atomic():
            services.lock_positions([WORLD[target].pk], [key])
            services.release([Portion(key, part)], "moved", **when)
            result = services.take([self._want(target, part, claim.demand)], **when)
        self.model.gave_back(claim, part)
        self._took(result, target, "reserved")

    @rule(pick=PICKS)
    @precondition(lambda self: self._of("reserved", "committed"))
    def commit(self, pick: int) -> None:
        key = self._pick(pick, "reserved", "committed")
        self._in_one(services.commit, [key])
        self.model.claims[key].state = "committed"

    @rule(pick=PICKS, units=UNITS)
    @precondition(lambda self: self._of("reserved", "committed"))
    def issue(self, pick: int, units: int) -> None:
        key = self._pick(pick, "reserved", "committed")
        claim, cause = self.model.claims[key], ids.uuid7()
        part = min(units, claim.open)
        self._in_one(services.issue, [Portion(key, part)], "parcel", cause)
        self.causes.setdefault(key, []).append((cause, part))
        self.model.issued(claim, part)

    @rule(pick=PICKS)
    @precondition(lambda self: self.causes)
    def put_back(self, pick: int) -> None:
        key = sorted(self.causes)[pick % len(self.causes)]
        cause, part = self.causes[key].pop()
        if not self.causes[key]:
            del self.causes[key]
        self._in_one(services.put_back, [IssuedPortion(key, part, "parcel", cause)])
        self.model.put_back(self.model.claims[key], part)

    @rule(pick=PICKS, units=UNITS)
    @precondition(lambda self: self._of("reserved", "committed"))
    def short(self, pick: int, units: int) -> None:
        key = self._pick(pick, "reserved", "committed")
        claim = self.model.claims[key]
        part = min(units, claim.open)
        self._in_one(services.record_shortages, [Shortage(key, part, "short")])
        self.model.short(claim, part)

    # --- whoever waits ------------------------------------------------------------------------

    @rule(units=UNITS)
    def queue(self, units: int) -> None:
        wanted = future_want(WORLD[0].sku, units)
        (key,) = self._in_one(services.reserve_future, [wanted])
        self.model.claims[key] = Claim(None, units, "waiting", wanted.demand_id)

    @rule(pick=PICKS, place=PLACES, units=UNITS)
    @precondition(lambda self: self._of("waiting"))
    def serve(self, pick: int, place: int, units: int) -> None:
        key = self._pick(pick, "waiting")
        waiting = self.model.claims[key]
        part = min(units, waiting.open)
        wants = [self._want(place, part, waiting.demand)]
        result = self._in_one(services.take_landed, wants)
        assert bool(result.taken) == self.model.take_landed(place, part)
        for taken in result.taken:
            if taken.reservation_id == key:
                waiting.place, waiting.state = place, "reserved"
            else:
                waiting.give_back(part)
                made = Claim(place, part, "reserved", waiting.demand)
                self.model.claims[taken.reservation_id] = made

    @rule()
    def free_unowed(self) -> None:
        services.free_unowed(10, **self._when())
        self.model.freed_unowed()

    # --- what must be so after each -----------------------------------------------------------

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        rows = StockPosition.objects.for_scope(ALL_ACCOUNTS).order_by("pk")
        assert [(row.sellable, row.reserved, row.shortfall, row.landed) for row in rows] == [
            (there.sellable, self.model.reserved(at), self.model.shortfall(at), there.landed)
            for at, there in enumerate(self.model.places)
        ]
        levels = StockLevel.objects.for_scope(ALL_ACCOUNTS).filter(on_hand__gt=0)
        assert {(row.position_id, row.condition): row.on_hand for row in levels} == {
            (WORLD[place].pk, condition): units
            for place, there in enumerate(self.model.places)
            for condition, units in there.lying.items()
            if units
        }
        claims = Reservation.objects.for_scope(ALL_ACCOUNTS)
        assert {row.pk: (row.state, row.consumed, row.released) for row in claims} == {
            key: (claim.state, claim.consumed, claim.released)
            for key, claim in self.model.claims.items()
        }

    # --- how a rule calls a command -----------------------------------------------------------

    def _when(self) -> dict[str, Any]:
        self.at += timedelta(minutes=1)
        return {"at": self.at, "actor": ANNA}

    def _in_one(self, command: Any, *args: Any, **more: Any) -> Any:
        with transaction.atomic():
            return command(*args, **more, **self._when())

    def _change(
        self,
        place: int,
        units: int,
        kind: str,
        *,
        happened_at: datetime | None = None,
        condition: str = "available",
    ) -> None:
        position = WORLD[place]
        change = StockChange(
            position.node_id,
            position.sku_id,
            position.account_id,
            units,
            kind,
            condition,
            happened_at=happened_at,
        )
        (outcome,) = services.record_changes([change], **self._when())
        assert outcome.ok, outcome.problem

    def _shift(self, place: int, units: int, condition: str, into: str) -> None:
        position = WORLD[place]
        change = ConditionChange(
            position.node_id, position.sku_id, position.account_id, condition, into, units
        )
        (outcome,) = services.change_conditions([change], **self._when())
        assert outcome.ok, outcome.problem

    def _want(self, place: int, units: int, demand: UUID | None = None) -> Want:
        position = WORLD[place]
        return Want(
            position.pk,
            position.sku_id,
            position.node_id,
            units,
            demand or ids.uuid7(),
            ids.uuid7(),
            position.account_id,
        )

    def _took(self, result: TakeResult, place: int, state: str, *, due: bool = False) -> None:
        (wanted,) = [one.want for one in result.taken] or result.lost
        assert bool(result.taken) == self.model.take(place, wanted.quantity)
        for taken in result.taken:
            made = Claim(place, wanted.quantity, state, wanted.demand_id, due=due)
            self.model.claims[taken.reservation_id] = made

    def _of(self, *states: str) -> list[UUID]:
        return of_states(self.model.claims.items(), *states)

    def _pick(self, number: int, *states: str) -> UUID:
        found = self._of(*states)
        return found[number % len(found)]


def play(examples: int, steps: int, *phases: Phase) -> None:
    """So many examples from two empty shelves."""
    sku = SkuFactory()
    WORLD[:] = [
        stock(0, sku=sku, node=NodeFactory(account=sku.account), at=BEFORE_ALL) for _ in range(2)
    ]
    for position in WORLD:
        NodeCapability.objects.create(node=position.node, code="break_case")
    run_state_machine_as_test(
        StockMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=phases or tuple(Phase),
        ),
    )


@pytest.mark.django_db
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(
    ("examples", "steps"), [(100, 8), pytest.param(2_000, 50, marks=pytest.mark.soak)]
)
def test_the_commands_do_what_the_model_does(examples: int, steps: int) -> None:
    play(examples, steps)

    assert check_all(about="stock.") == []


@pytest.mark.django_db
def test_the_model_sees_units_that_are_not_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: a ledger that forgets to lower what is reserved."""
    monkeypatch.setattr(Book, "claim", lambda *_: None)

    with pytest.raises(AssertionError):
        play(100, 8, Phase.generate)
