"""External keys, versions, scoped querysets: small things many apps stand on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from config.kernel import external_keys, ids, versions
from config.kernel.errors import ScopeMissing
from config.kernel.external_keys import Claim
from config.kernel.models import Brand, ExternalKey
from config.kernel.querysets import ScopedQuerySet, scope_lifted
from config.kernel.types import ALL_ACCOUNTS, Scope
from tests.factories.kernel import BrandFactory


@pytest.mark.django_db
class TestClaim:
    def test_gives_each_key_to_the_first(self) -> None:
        first, second, third = (ids.uuid7() for _ in range(3))

        assert external_keys.claim("order", [Claim("web", "1", first)]) == [first]
        assert external_keys.claim(
            "order",
            [Claim("web", "1", second), Claim("web", "2", second), Claim("web", "2", third)],
        ) == [first, second, second]

    def test_keeps_scopes_and_sources_apart(self) -> None:
        a, b, c = (ids.uuid7() for _ in range(3))

        assert external_keys.claim("order", [Claim("web", "1", a), Claim("pos", "1", b)]) == [a, b]
        assert external_keys.claim("scan", [Claim("web", "1", c)]) == [c]
        assert external_keys.owners_of("order", "web", ["1", "2"]) == {"1": a}

    def test_costs_the_same_for_one_and_for_many(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            external_keys.claim("x", [Claim("s", str(n), ids.uuid7()) for n in range(100)])
        with django_assert_num_queries(2):
            external_keys.claim("x", [Claim("s", str(n), ids.uuid7()) for n in range(101)])
        with django_assert_num_queries(0):
            assert external_keys.claim("x", []) == []


@pytest.mark.django_db(transaction=True)
def test_eight_claimants_in_any_order_agree_and_do_not_deadlock() -> None:
    gate = Barrier(8)

    def claim(number: int) -> list[UUID]:
        wanted = [Claim("web", str(n), UUID(int=number + 1)) for n in range(20)]
        try:
            gate.wait()
            with transaction.atomic():
                return external_keys.claim("order", wanted if number % 2 else wanted[::-1])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = [
            answer if number % 2 else answer[::-1]
            for number, answer in enumerate(pool.map(claim, range(8)))
        ]

    assert all(answer == answers[0] for answer in answers)
    assert ExternalKey.objects.count() == 20


@pytest.mark.django_db
class TestVersions:
    def test_start_at_zero_and_rise_with_each_change(self) -> None:
        assert versions.read(("network", "policy")) == {"network": 0, "policy": 0}
        versions.bump("network")
        versions.bump("network", "policy")

        assert versions.read(("network", "policy")) == {"network": 2, "policy": 1}

    def test_cost_one_statement(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            versions.read(("a", "b", "c"))
        with django_assert_num_queries(1):
            versions.bump("a", "b", "c")


READS: list[Callable[[ScopedQuerySet], object]] = [
    list,
    lambda rows: rows.count(),
    lambda rows: rows.exists(),
    lambda rows: rows.first(),
    lambda rows: rows.get(code="a"),
    lambda rows: rows.aggregate(),
    lambda rows: rows.update(name="x"),
    lambda rows: rows.delete(),
    lambda rows: list(rows.values_list("pk")),
    lambda rows: list(rows.iterator()),
    lambda rows: rows.in_bulk(),
    bool,
    len,
]


@pytest.mark.django_db
class TestScopedQuerySet:
    @pytest.mark.parametrize("read", READS)
    def test_refuses_without_a_scope(self, read: Callable[[ScopedQuerySet], object]) -> None:
        with pytest.raises(ScopeMissing):
            read(Brand.objects.filter(name="x"))

    def test_keeps_to_the_scope_through_further_filters(self) -> None:
        ours, theirs = BrandFactory(), BrandFactory()
        scope = Scope(frozenset({ours.account_id}))

        assert list(Brand.objects.for_scope(scope).order_by("pk")) == [ours]
        assert not Brand.objects.for_scope(scope).filter(pk=theirs.pk).exists()
        assert Brand.objects.for_scope(ALL_ACCOUNTS).count() == 2
        assert Brand.objects.for_scope(Scope(frozenset())).count() == 0

    def test_lets_an_instance_reach_its_own(self) -> None:
        brand = BrandFactory()

        assert list(brand.account.brands.all()) == [brand]

    def test_is_lifted_only_within_its_block(self) -> None:
        with scope_lifted():
            assert Brand.objects.count() == 0
        with pytest.raises(ScopeMissing):
            Brand.objects.count()

    def test_locks_in_the_order_of_keys(self) -> None:
        brands = BrandFactory.create_batch(4)
        wanted = [brand.pk for brand in reversed(brands)]

        assert list(Brand.objects.for_scope(ALL_ACCOUNTS).locked(wanted)) == brands
