"""Counts: asked for, counted again, dropped, and planned as a cycle."""

from datetime import timedelta

import pytest

from config.kernel.models import Event
from config.kernel.types import ALL_ACCOUNTS
from inventory import cases, services
from inventory.models import CountRequest, Exclusion
from inventory.services.take import take
from inventory.types import CountWanted, Shortage
from tests.books import check_all
from tests.factories.inventory import ANNA, NodeFactory, SkuFactory, reread, stock, want
from tests.factories.kernel import NOON, AccountFactory
from tests.factories.moves import LILY, MARK

pytestmark = pytest.mark.django_db


def asked(position, **details):
    wanted = CountWanted(
        position.account_id, position.node_id, position.sku_id, "looks odd", **details
    )
    services.request_counts([wanted], at=NOON, actor=ANNA)
    return CountRequest.objects.for_scope(ALL_ACCOUNTS).get(sku_id=position.sku_id)


def state_of(request):
    request.refresh_from_db()
    return request.state


class TestAnswerCounts:
    def test_a_large_difference_is_counted_again_by_another_person(self):
        position = stock(20)
        request = asked(position)

        (doubted,) = services.answer_counts([(request.pk, 9)], at=NOON, actor=LILY)
        assert (doubted.value, reread(position.pk).sellable) == ("recount", 20)
        (own,) = services.answer_counts([(request.pk, 9)], at=NOON, actor=LILY)
        assert own.problem.code == "same-person"
        (settled,) = services.answer_counts([(request.pk, 10)], at=NOON, actor=MARK)

        request.refresh_from_db()
        assert (settled.value, reread(position.pk).sellable) == ("answered", 10)
        assert (request.first_counted, request.counted) == (9, 10)
        topics = Event.objects.for_scope(ALL_ACCOUNTS).filter(subject_kind="count_request")
        assert list(topics.order_by("seq").values_list("topic", flat=True)) == [
            "count.requested",
            "count.doubted",
            "count.answered",
        ]
        assert check_all(about="stock.") == []

    @pytest.mark.parametrize(("counted", "actor"), [(17, LILY), (2, ANNA)])
    def test_a_small_one_and_that_of_a_system_settle_at_once(self, counted, actor):
        position = stock(20)
        request = asked(position)

        services.answer_count(request.pk, counted, at=NOON, actor=actor)

        assert (state_of(request), reread(position.pk).sellable) == ("answered", counted)


class TestCancelCounts:
    def test_ends_what_kept_the_sku_from_being_sourced(self):
        position = stock(3)
        (taken,) = take([want(position, 1)], at=NOON, actor=ANNA).taken
        services.record_shortages([Shortage(taken.reservation_id, 1, "short")], at=NOON, actor=ANNA)
        request = CountRequest.objects.for_scope(ALL_ACCOUNTS).get()
        assert request.kind == "short"

        done, unknown = services.cancel_counts([request.pk, 0], "found it", at=NOON, actor=LILY)
        (again,) = services.cancel_counts([request.pk], "twice", at=NOON, actor=LILY)

        assert (done.ok, unknown.problem.code, again.problem.code) == (
            True,
            "not-found",
            "conflict",
        )
        assert Exclusion.objects.for_scope(ALL_ACCOUNTS).get().until == NOON
        assert state_of(request) == "cancelled"


def test_a_count_is_overdue_by_its_own_time():
    soon = asked(stock(3), due_at=NOON + timedelta(hours=1))
    asked(stock(3))

    assert cases.detect_overdue_counts(at=NOON + timedelta(hours=2)) == 1
    assert cases.detect_overdue_counts(at=NOON + timedelta(hours=25)) == 2
    services.cancel_counts([soon.pk], "sold out", at=NOON, actor=ANNA)
    assert cases.detect_overdue_counts(at=NOON + timedelta(hours=25)) == 1


class TestPlanCounts:
    def test_each_node_counts_so_many_a_day_the_oldest_and_dearest_first(self):
        account = AccountFactory()
        node = NodeFactory(account=account, counts_per_day=2)
        cheap, dear, fresh, empty = (
            SkuFactory(account=account, price_minor=price) for price in (100, 90_000, 90_000, 500)
        )
        placed = {sku: stock(9, sku=sku, node=node) for sku in (cheap, dear, fresh)}
        stock(0, sku=empty, node=node)
        stock(9)  # elsewhere, where nobody counts
        counted = asked(placed[fresh])
        services.answer_count(counted.pk, 9, at=NOON - timedelta(days=1), actor=ANNA)

        assert services.plan_counts(at=NOON, actor=ANNA) == 2
        assert services.plan_counts(at=NOON + timedelta(hours=1), actor=ANNA) == 0
        open_now = CountRequest.objects.for_scope(ALL_ACCOUNTS).filter(state="open")
        assert {request.sku_id for request in open_now} == {dear.pk, cheap.pk}
        assert services.plan_counts(at=NOON + timedelta(days=1), actor=ANNA) == 1
