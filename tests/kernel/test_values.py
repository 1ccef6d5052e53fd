"""Identifiers, money, types: the values everything else stands on."""

import subprocess
import sys
import time
from collections.abc import Sequence
from decimal import Decimal
from textwrap import dedent
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel import ids, money
from config.kernel.money import Money
from config.kernel.operations import uuid7_floor
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Outcome, OutcomeKind, Scope

AMOUNTS = st.integers(-(10**15), 10**15)
WEIGHTS = st.lists(st.integers(0, 10**9), max_size=30)


class TestUuid7:
    def test_has_the_version_and_variant_of_rfc_9562(self) -> None:
        for made in (ids.uuid7() for _ in range(1_000)):
            assert (made.version, made.variant) == (7, RFC_4122)

    def test_sorts_in_the_order_of_making(self) -> None:
        made = [ids.uuid7() for _ in range(20_000)]

        assert made == sorted(made)
        assert len(set(made)) == len(made)

    def test_draws_anew_in_a_forked_child(self) -> None:
        forking = """
            import os
            from config.kernel import ids
            ids.uuid7()
            reading, writing = os.pipe()
            if not os.fork():
                os.write(writing, ids.uuid7().bytes)
                os._exit(0)
            os.wait()
            print(os.read(reading, 16)[8:] != ids.uuid7().bytes[8:])
        """
        said = subprocess.run(
            [sys.executable, "-c", dedent(forking)], capture_output=True, text=True, check=True
        )

        assert said.stdout == "True\n"

    def test_carries_the_present_millisecond(self) -> None:
        before = time.time_ns() // 1_000_000
        made = ids.uuid7()
        after = time.time_ns() // 1_000_000

        # A burst may run ahead of the clock by the fractions it used up.
        assert before <= made.int >> 80 <= after + 100

    def test_falls_into_the_partition_of_its_month(self) -> None:
        from datetime import UTC, datetime

        from config.kernel.operations import month_after

        first = datetime.now(UTC).date().replace(day=1)

        assert uuid7_floor(first) <= ids.uuid7() < uuid7_floor(month_after(first))


class TestSplit:
    @given(AMOUNTS, WEIGHTS)
    def test_loses_and_adds_no_unit(self, minor: int, weights: Sequence[int]) -> None:
        parts = money.split(minor, weights)

        assert len(parts) == len(weights)
        assert sum(parts) == (minor if weights else 0)

    @given(AMOUNTS, st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
    def test_gives_each_part_its_share_to_within_one_unit(
        self, minor: int, weights: Sequence[int]
    ) -> None:
        total = sum(weights)
        if not total:
            return
        for part, weight in zip(money.split(minor, weights), weights, strict=True):
            assert abs(part * total - minor * weight) <= total

    @given(AMOUNTS, WEIGHTS)
    def test_gives_nothing_to_no_weight(self, minor: int, weights: Sequence[int]) -> None:
        if not any(weights):
            return
        for part, weight in zip(money.split(minor, weights), weights, strict=True):
            assert part == 0 or weight > 0

    @given(AMOUNTS, WEIGHTS)
    def test_treats_a_debt_like_a_credit(self, minor: int, weights: Sequence[int]) -> None:
        assert money.split(-minor, weights) == [-part for part in money.split(minor, weights)]


class TestMoney:
    @given(AMOUNTS, st.sampled_from(["USD", "JPY", "KWD", "EUR"]))
    def test_survives_the_way_through_a_decimal(self, minor: int, currency: str) -> None:
        assert money.to_minor(Money(minor, currency).amount, currency) == minor

    @pytest.mark.parametrize(
        ("amount", "currency", "minor"),
        [("0.125", "USD", 12), ("0.135", "USD", 14), ("2.5", "JPY", 2), ("1.2345", "BHD", 1234)],
    )
    def test_rounds_half_to_even(self, amount: str, currency: str, minor: int) -> None:
        assert money.to_minor(Decimal(amount), currency) == minor

    def test_refuses_to_mix_currencies(self) -> None:
        with pytest.raises(ValueError, match="do not add up"):
            Money(1, "USD") + Money(1, "EUR")

    def test_reads_as_people_write_it(self) -> None:
        assert str(Money(-123_456, "USD")) == "-1,234.56 USD"
        assert str(Money(1_500, "JPY")) == "1,500 JPY"


class TestScope:
    def test_allows_only_what_it_names(self) -> None:
        ours, theirs = UUID(int=1), UUID(int=2)

        assert Scope(frozenset({ours})).allows(ours)
        assert not Scope(frozenset({ours})).allows(theirs)
        assert ALL_ACCOUNTS.allows(theirs)


class TestOutcome:
    def test_is_ok_when_done_or_repeated(self) -> None:
        assert Outcome.done(1).ok
        assert Outcome.repeated(1).ok
        refused = Outcome.refused("no", "Not today.", reason="rain")
        assert not refused.ok
        assert refused.kind is OutcomeKind.REFUSED
        assert refused.problem is not None
        assert refused.problem.extra == {"reason": "rain"}


class TestActor:
    def test_of_the_system_reaches_all_accounts(self) -> None:
        actor = Actor.system("sweeper", causation_id="42")

        assert (actor.kind, actor.id, actor.scope) == (ActorKind.SYSTEM, "sweeper", ALL_ACCOUNTS)
        assert actor.causation_id == "42"
