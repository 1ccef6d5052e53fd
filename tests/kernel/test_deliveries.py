"""From event to handler: order per subject, back-off, death, replay."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.kernel import events, ids, selectors
from config.kernel.events import Fact, Recorded
from config.kernel.models import CaseReport, Delivery, Event
from config.kernel.services import deliveries, relay
from config.kernel.types import ALL_ACCOUNTS, Actor
from tests.kernel.relaying import PATIENCE_SECONDS, deliver_all, relay_all

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ACTOR = Actor.system("tests")
ACCOUNT = UUID(int=7)


class Listener:
    """A consumer that remembers what it got, and fails for the subjects it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[UUID, int]] = []
        self.batches: list[int] = []
        self.poison: set[tuple[UUID, int]] = set()

    def __call__(self, batch: Sequence[Recorded]) -> None:
        self.batches.append(len(batch))
        for event in batch:
            if (event.subject_id, event.seq) in self.poison:
                raise RuntimeError("poison\nDETAIL: anna@example.org")
            self.got.append((event.subject_id, event.seq))

    def seqs(self, subject: UUID) -> list[int]:
        return [seq for about, seq in self.got if about == subject]


@pytest.fixture
def listener() -> Iterator[Listener]:
    heard = Listener()
    events.subscribe("tests.listener", ["test.happened"], heard)
    yield heard
    del events._subscribers["tests.listener"]


def happen(*subjects: tuple[UUID, int], topic: str = "test.happened") -> None:
    with transaction.atomic():
        events.record(
            [Fact(topic, "case", subject, seq, ACCOUNT, {"n": seq}) for subject, seq in subjects],
            at=NOON,
            actor=ACTOR,
        )


def hurry() -> None:
    """Let the back-off of every pending delivery be over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_delivery SET due_at = clock_timestamp() WHERE state = 'pending'"
        )


def two_of_one_shard() -> tuple[UUID, UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (array_agg(id))[1:2] FROM (SELECT gen_random_uuid() AS id "
            "FROM generate_series(1, 500)) made GROUP BY uuid_hash(id) & 63 "
            "HAVING count(*) > 1 LIMIT 1"
        )
        first, second = cursor.fetchone()[0]
    return first, second


@pytest.mark.django_db
class TestRecordEvents:
    def test_refuses_outside_a_transaction(self) -> None:
        fact = Fact("test.happened", "case", ids.uuid7(), 1, ACCOUNT)
        connection.in_atomic_block = False
        try:
            with pytest.raises(RuntimeError, match="inside the transaction"):
                events.record([fact], at=NOON, actor=ACTOR)
        finally:
            connection.in_atomic_block = True

    def test_keeps_the_order_of_a_batch(self) -> None:
        subject = ids.uuid7()
        happen(*[(subject, seq) for seq in range(50)])

        found = Event.objects.for_scope(ALL_ACCOUNTS).order_by("id").values_list("seq", flat=True)
        assert list(found) == list(range(50))


@pytest.mark.django_db(transaction=True)
class TestRelay:
    def test_owes_each_event_to_each_consumer_of_its_topic(self, listener: Listener) -> None:
        subject = ids.uuid7()
        happen((subject, 1), (subject, 2))
        happen((subject, 3), topic="test.nobody_listens")

        assert relay_all() == 3
        owed = Delivery.objects.order_by("seq").values_list("consumer", "seq", "state")
        assert list(owed) == [("tests.listener", 1, "pending"), ("tests.listener", 2, "pending")]

    def test_reads_nothing_twice(self, listener: Listener) -> None:
        happen((ids.uuid7(), 1))
        relay_all()

        assert relay_all() == 0
        assert Delivery.objects.count() == 1

    def test_forgets_what_was_rolled_back(self, listener: Listener) -> None:
        with transaction.atomic():
            happen((ids.uuid7(), 1))
            transaction.set_rollback(True)
        relay_all()

        assert Delivery.objects.count() == 0


@pytest.mark.django_db(transaction=True)
class TestRunDue:
    def test_hands_over_batches_in_the_order_of_each_subject(self, listener: Listener) -> None:
        first, second = two_of_one_shard()
        happen((first, 2), (second, 1), (first, 1))
        happen((second, 2), (first, 3))

        assert deliver_all(at=NOON) == 5
        assert listener.seqs(first) == [1, 2, 3]
        assert listener.seqs(second) == [1, 2]
        assert listener.batches == [5]

    def test_hands_over_what_was_recorded(self, listener: Listener) -> None:
        got: list[Recorded] = []
        events._subscribers["tests.listener"] = (frozenset({"test.happened"}), got.extend)
        subject = ids.uuid7()
        happen((subject, 4))
        deliver_all(at=NOON)

        (event,) = got
        assert (event.subject_id, event.seq, event.data, event.at) == (subject, 4, {"n": 4}, NOON)
        assert (event.actor_id, event.account_id) == ("tests", ACCOUNT)

    def test_undoes_the_effect_of_a_batch_that_fails(self, listener: Listener) -> None:
        bad, good = two_of_one_shard()
        listener.poison = {(bad, 2)}
        happen((bad, 1), (good, 1), (bad, 2), (good, 2), (bad, 3), (good, 3))
        deliver_all(at=NOON)

        assert listener.got.count((good, 3)) >= 1
        assert set(Delivery.objects.filter(state="done").values_list("subject_id", "seq")) == {
            (bad, 1),
            (good, 1),
            (good, 2),
            (good, 3),
        }

    def test_backs_off_and_then_is_dead_with_a_case(self, listener: Listener) -> None:
        subject = ids.uuid7()
        listener.poison = {(subject, 1)}
        happen((subject, 1), (subject, 2))
        relay_all()
        for attempt in range(1, 6):
            deliveries.run_due(at=NOON)
            row = Delivery.objects.get(subject_id=subject, seq=1)
            assert row.attempts == attempt
            hurry()

        assert (row.state, row.last_error) == ("dead", "RuntimeError: poison")
        report = CaseReport.objects.get()
        assert (report.kind, report.subject_id) == ("DEAD_DELIVERY", row.event_id)
        assert report.evidence["consumer"] == "tests.listener"
        assert "anna@example.org" not in str(report.__dict__)

    def test_stops_only_the_subject_of_a_dead_one(self, listener: Listener) -> None:
        bad, good = two_of_one_shard()
        listener.poison = {(bad, 1)}
        happen((bad, 1), (bad, 2), (good, 1), (good, 2))
        relay_all()
        for _ in range(6):
            deliveries.run_due(at=NOON)
            hurry()

        assert listener.seqs(bad) == []
        assert set(listener.seqs(good)) == {1, 2}
        assert deliveries.due_shards() == []
        (dead,) = selectors.dead_deliveries(ALL_ACCOUNTS)
        assert (dead.subject_id, dead.waiting) == (bad, 1)

    def test_are_looked_for_in_one_pass_whatever_statistics_say(self, listener: Listener) -> None:
        happen(*((ids.uuid7(), 1) for _ in range(200)))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE kernel_delivery")  # of a table with nothing in it
            relay_all()
            cursor.execute(f"EXPLAIN {deliveries.DUE}")
            plan = "\n".join(line for (line,) in cursor.fetchall())

        assert "WindowAgg" in plan
        assert "Join" not in plan
        assert "SubPlan" not in plan

    def test_holds_later_ones_back_while_an_earlier_one_backs_off(self, listener: Listener) -> None:
        subject = ids.uuid7()
        listener.poison = {(subject, 1)}
        happen((subject, 1))
        deliver_all(at=NOON)
        happen((subject, 2))
        relay_all()

        assert deliveries.run_due(at=NOON) == 0
        listener.poison = set()
        hurry()
        deliveries.run_due(at=NOON)
        assert listener.seqs(subject) == [1, 2]

    def test_leaves_consumers_of_a_newer_release_alone(self, listener: Listener) -> None:
        happen((ids.uuid7(), 1))
        relay_all()
        Delivery.objects.update(consumer="tests.newer")

        assert deliveries.run_due(at=NOON) == 0
        assert Delivery.objects.get().state == "pending"


@pytest.mark.django_db(transaction=True)
class TestReplay:
    def test_makes_a_dead_one_due_and_lets_its_subject_go_on_in_order(
        self, listener: Listener
    ) -> None:
        subject = ids.uuid7()
        listener.poison = {(subject, 1)}
        happen((subject, 1), (subject, 2))
        relay_all()
        for _ in range(5):
            deliveries.run_due(at=NOON)
            hurry()
        (dead,) = selectors.dead_deliveries(ALL_ACCOUNTS)
        assert deliveries.still_dead([dead.event_id]) == {dead.event_id}

        listener.poison = set()
        assert deliveries.replay([(dead.event_id, dead.consumer)]) == 1
        while deliveries.run_due(at=NOON):
            pass

        assert listener.seqs(subject) == [1, 2]
        assert deliveries.still_dead([dead.event_id]) == set()

    def test_does_nothing_to_one_that_is_done(self, listener: Listener) -> None:
        happen((ids.uuid7(), 1))
        deliver_all(at=NOON)
        row = Delivery.objects.get()

        assert deliveries.replay([(row.event_id, row.consumer)]) == 0


@pytest.mark.django_db(transaction=True)
class TestOutboxLag:
    def test_counts_what_waits(self, listener: Listener) -> None:
        happen((ids.uuid7(), 1))
        relay_all()

        lag = selectors.outbox_lag()
        assert (lag.relay_seconds, lag.pending, lag.dead) == (0.0, 1, 0)
        assert lag.oldest_pending_seconds > 0
        deliver_all(at=NOON)
        assert selectors.outbox_lag().pending == 0


@pytest.mark.django_db(transaction=True)
def test_many_quiet_subjects_cost_few_statements(listener: Listener) -> None:
    """A tick's worth of events on as many subjects is handled in a few batches, not one by one."""
    happen(*[(ids.uuid7(), 1) for _ in range(100)])
    relay_all()

    with CaptureQueriesContext(connection) as queries:
        assert deliveries.run_due(at=NOON) == 100
    # One look; then, for each of at most four groups of shards: lease, two reads, BEGIN, mark,
    # COMMIT, renewal, release.
    assert len(queries) <= 1 + 4 * 8
    assert len(listener.batches) <= 4


@pytest.mark.django_db(transaction=True)
def test_an_event_waits_for_its_forerunner_though_that_has_a_higher_transaction(
    listener: Listener,
) -> None:
    """Who waited for a row may have begun to write before the one that it waited for."""
    other, subject = ids.uuid7(), ids.uuid7()
    relay_all()
    happen((other, 1))
    happen((subject, 2))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_event SELECT (jsonb_populate_record(later, "
            "jsonb_build_object('id', %s::text, 'seq', 1, 'xid', '99999999999'))).* "
            "FROM kernel_event AS later WHERE subject_id = %s",
            [str(ids.uuid7()), subject],
        )

    patience = time.monotonic() + PATIENCE_SECONDS
    while not relay.relay() and time.monotonic() < patience:
        time.sleep(0.02)
    deliveries.run_due(at=NOON)

    assert listener.got == [(other, 1)]
    assert relay.relay() == 0
