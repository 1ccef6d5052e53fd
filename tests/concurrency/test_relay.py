"""The relay and its workers under real connections and real kills."""

import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event as Signal
from uuid import UUID

import pytest
from django.db import connection, transaction

from config.kernel import events, ids
from config.kernel.events import Fact, Recorded
from config.kernel.models import CaseReport, Delivery, Event
from config.kernel.services import deliveries, relay
from config.kernel.types import ALL_ACCOUNTS, Actor
from tests.kernel.killing import begin, kill, let_leases_lapse, worker
from tests.kernel.relaying import relay_all
from tests.kernel.worker import CONSUMER, handle

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ACTOR = Actor.system("tests")
ACCOUNT = UUID(int=7)


def happen(subject: UUID, *seqs: int) -> None:
    events.record(
        [Fact("test.happened", "case", subject, seq, ACCOUNT) for seq in seqs],
        at=NOON,
        actor=ACTOR,
    )


@pytest.fixture
def seen() -> Iterator[list[tuple[UUID, int]]]:
    got: list[tuple[UUID, int]] = []

    def handle(batch: Sequence[Recorded]) -> None:
        got.extend((event.subject_id, event.seq) for event in batch)

    events.subscribe(CONSUMER, ["test.happened"], handle)
    yield got
    del events._subscribers[CONSUMER]


@pytest.mark.django_db(transaction=True)
class TestALateCommit:
    """One transaction begins first and commits last, on two real connections."""

    def late_and_early(self, late: UUID, early: UUID, between: Signal, go_on: Signal) -> None:
        try:
            with transaction.atomic():
                happen(late, 1)
                between.set()
                assert go_on.wait(30)
        finally:
            connection.close()

    def test_is_not_stepped_over(self, seen: list[tuple[UUID, int]]) -> None:
        late, early = ids.uuid7(), ids.uuid7()
        between, go_on = Signal(), Signal()
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self.late_and_early, late, early, between, go_on)
            assert between.wait(30)
            with transaction.atomic():
                happen(early, 1)
            assert Event.objects.for_scope(ALL_ACCOUNTS).count() == 1

            relay.relay()
            assert relay.relay() == 0  # the early commit lies above the horizon
            assert Delivery.objects.count() == 0
            go_on.set()
            running.result(30)

        assert relay_all() == 2
        deliveries.run_due(at=NOON)
        assert set(seen) == {(late, 1), (early, 1)}

    def test_would_be_lost_by_a_relay_that_reads_on_from_the_last_id(self) -> None:
        """The negative control: what the horizon is there for."""
        late, early = ids.uuid7(), ids.uuid7()
        between, go_on = Signal(), Signal()
        everything = Event.objects.for_scope(ALL_ACCOUNTS)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self.late_and_early, late, early, between, go_on)
            assert between.wait(30)
            with transaction.atomic():
                happen(early, 1)
            last = everything.order_by("-id").values_list("id", flat=True)[0]
            go_on.set()
            running.result(30)

        assert everything.filter(id__gt=last).count() == 0
        assert everything.count() == 2


@pytest.mark.django_db(transaction=True)
def test_relays_at_the_same_time_owe_each_event_once(seen: list[tuple[UUID, int]]) -> None:
    def produce(number: int) -> None:
        drawn = random.Random(number)  # noqa: S311  # guards nothing
        try:
            for seq in range(15):
                with transaction.atomic():
                    happen(UUID(int=number), seq)
                    time.sleep(drawn.random() / 50)
        finally:
            connection.close()

    def pump(_: int) -> int:
        try:
            return sum(relay.relay() for _ in range(60))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        producers = [pool.submit(produce, number) for number in range(1, 6)]
        pumps = [pool.submit(pump, number) for number in range(3)]
        for producer in producers:
            producer.result(60)
        read = sum(running.result(60) for running in pumps)

    assert read + relay_all() == 75
    assert Delivery.objects.count() == 75


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_killing_workers_loses_nothing_and_repeats_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(events._subscribers, CONSUMER, (frozenset({"test.happened"}), handle))
    subjects = [ids.uuid7() for _ in range(40)]
    with transaction.atomic():
        for subject in subjects:
            happen(subject, *range(1, 21))
    assert relay_all() == 800

    with worker("deliveries") as first, worker("deliveries") as second:
        begin(first, second)
        deadline = time.monotonic() + 60
        while not Delivery.objects.filter(state="done").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        kill(first)
        time.sleep(0.1)
        kill(second)
    left = Delivery.objects.filter(state="pending").count()
    assert 0 < left < 800, "the kills must fall into the work"
    let_leases_lapse()
    while deliveries.run_due(at=NOON):
        pass

    effects: dict[UUID, list[int]] = defaultdict(list)
    for subject, seq in CaseReport.objects.order_by("id").values_list("subject_id", "cause"):
        effects[subject].append(int(seq))
    assert effects == {subject: list(range(1, 21)) for subject in subjects}


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_shard_do_each_delivery_once(seen: list[tuple[UUID, int]]) -> None:
    """Even when a lease is broken: the guarded mark decides, not the lease."""
    subject = ids.uuid7()
    with transaction.atomic():
        happen(subject, *range(1, 101))
    relay_all()
    ((consumer, shard),) = deliveries.due_shards()

    def work(_: int) -> int:
        try:
            return deliveries._run(consumer, batch, at=NOON)
        finally:
            connection.close()

    batch = deliveries._next_batch(consumer, [shard])
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(work, range(4)))

    assert sorted(done) == [0, 0, 0, 100]
    assert [seq for _, seq in seen] == list(range(1, 101))
