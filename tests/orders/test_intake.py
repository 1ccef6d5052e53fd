"""Orders of several requests, taken in together: shared statements, separate answers."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel import ids
from config.kernel.idempotency import Asked, InFlight, KeyReused, Stored
from config.kernel.models import Event, IdempotencyKey
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Scope
from orders.api import intake
from orders.api.intake import Answer, Sent, take_in_together
from orders.models import Hold, Order
from orders.types import OrderDraft
from tests.factories.kernel import ApiKeyFactory
from tests.factories.orders import Shop, line, shop

pytestmark = pytest.mark.django_db


def sender_of(shop: Shop) -> Actor:
    key = ApiKeyFactory(account=shop.account, channel=shop.channel)
    return Actor(ActorKind.API_KEY, str(key.pk), key.prefix, Scope(frozenset({shop.account.pk})))


def sent(sender: Actor, draft: OrderDraft, *, request: str = "", key: str = "") -> Sent:
    asked = Asked(ids.UUID(sender.id), key, draft.external_id) if key else None
    actor = replace(sender, correlation_id=request, idempotency_key=key)
    return Sent(replace(draft, id=ids.uuid7()), actor, asked)


def draft_of(web: Shop, sku: Any, external_id: str, **details: Any) -> OrderDraft:
    return web.draft(line(sku), external_id=external_id, **details)


class TestTogether:
    def test_answers_each_with_its_own_order(self, web: Shop) -> None:
        sku, sender = web.sku(5), sender_of(web)
        batch = [sent(sender, draft_of(web, sku, f"W-{number}")) for number in range(3)]

        answers = take_in_together(batch)

        assert [answer.body["external_id"] for answer in answers] == ["W-0", "W-1", "W-2"]
        assert [answer.order_id for answer in answers] == [one.draft.id for one in batch]

    def test_keeps_the_request_of_each_order_in_its_events_and_history(self, web: Shop) -> None:
        sku, sender = web.sku(5), sender_of(web)
        strange = draft_of(web, "NOBODY-KNOWS-IT", "W-2")
        batch = [
            sent(sender, draft_of(web, sku, "W-1"), request="request-1"),
            sent(sender, strange, request="request-2"),
        ]

        take_in_together(batch)

        for one in batch:
            order_id, request = one.draft.id, one.actor.correlation_id
            events = Event.objects.for_scope(ALL_ACCOUNTS).filter(thread_id=order_id)
            rows = [*Order.history.filter(id=order_id), *Hold.history.filter(order_id=order_id)]
            assert {event.correlation_id for event in events} == {request}
            assert {row.correlation_id for row in rows} == {request}

    def test_takes_the_same_statements_for_two_and_for_twenty(self, web: Shop) -> None:
        sku, sender = web.sku(500), sender_of(web)
        take_in_together([sent(sender, draft_of(web, sku, "warm"), key="warm")])
        counts = []
        for size in (2, 20):
            names = [f"{size}-{number}" for number in range(size)]
            batch = [sent(sender, draft_of(web, sku, name), key=name) for name in names]
            with CaptureQueriesContext(connection) as context:
                answers = take_in_together(batch)
            assert {answer.status for answer in answers} == {201}
            counts.append(len(context.captured_queries))

        assert counts[0] == counts[1]

    def test_refuses_one_without_the_others(self, web: Shop) -> None:
        sku, sender = web.sku(5), sender_of(web)
        stranger = sent(sender, draft_of(shop(), sku, "W-2"), key="k-2")
        batch = [sent(sender, draft_of(web, sku, "W-1"), key="k-1"), stranger]

        first, second = take_in_together(batch)

        assert isinstance(first, Answer)
        assert isinstance(second, Exception)
        kept = IdempotencyKey.objects.values_list("key", "subject_ids")
        assert list(kept) == [("k-1", [first.order_id])]

    def test_lets_an_order_that_breaks_the_batch_fail_alone(self, web: Shop) -> None:
        sku, sender = web.sku(5), sender_of(web)
        broken = replace(draft_of(web, sku, "W-2"), priority=2**40)
        batch = [sent(sender, draft_of(web, sku, "W-1")), sent(sender, broken)]

        first, second = take_in_together(batch)

        assert isinstance(first, Answer)
        assert first.body["state"] == "accepted"
        assert isinstance(second, Exception)

    def test_keeps_callers_apart(self, web: Shop) -> None:
        sku, one, other = web.sku(5), sender_of(web), sender_of(web)
        batch = [sent(one, draft_of(web, sku, "W-1")), sent(other, draft_of(web, sku, "W-2"))]

        take_in_together(batch)

        for one_sent in batch:
            events = Event.objects.for_scope(ALL_ACCOUNTS).filter(thread_id=one_sent.draft.id)
            assert {event.actor_id for event in events} == {one_sent.actor.id}


class TestKeys:
    def test_lets_one_of_two_equal_keys_go_on(self, web: Shop) -> None:
        sku, sender = web.sku(5), sender_of(web)
        batch = [sent(sender, draft_of(web, sku, "W-1"), key="k") for _ in range(2)]

        first, second = take_in_together(batch)

        assert isinstance(first, Answer)
        assert isinstance(second, InFlight)

    def test_tells_a_different_request_in_the_batch_that_the_key_is_used(self, web: Shop) -> None:
        sku, sender = web.sku(5), sender_of(web)
        batch = [sent(sender, draft_of(web, sku, name), key="k") for name in ("W-1", "W-2")]

        _, second = take_in_together(batch)

        assert isinstance(second, KeyReused)

    def test_replays_what_was_answered_before(self, web: Shop) -> None:
        sku, sender = web.sku(5), sender_of(web)
        batch = [sent(sender, draft_of(web, sku, "W-1"), key="k")]
        take_in_together(batch)

        (again,) = take_in_together(batch)

        assert isinstance(again, Stored)
        assert Order.objects.for_scope(ALL_ACCOUNTS).count() == 1

    def test_frees_the_keys_when_everything_fails(
        self, web: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(intake.clock, "now", lambda: 1 / 0)
        batch = [sent(sender_of(web), draft_of(web, web.sku(5), "W-1"), key="k")]

        with pytest.raises(ZeroDivisionError):
            take_in_together(batch)

        assert not IdempotencyKey.objects.exists()
