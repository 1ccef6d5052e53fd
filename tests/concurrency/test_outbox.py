"""The outbox under load: many producers, relays that are killed, nothing lost, doubled or invented."""

import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection, transaction

from config.kernel import events, ids
from config.kernel.events import Fact
from config.kernel.models import CaseReport, Delivery, Event
from config.kernel.services import deliveries
from config.kernel.types import ALL_ACCOUNTS, Actor
from tests.kernel.killing import begin, kill, let_leases_lapse, worker
from tests.kernel.relaying import relay_all
from tests.kernel.worker import CONSUMER, trace_all

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ACTOR = Actor.system("tests")
ACCOUNT = UUID(int=7)
PRODUCERS, SUBJECTS = 20, 200
ROLLED_BACK = 0.1
"""Share of the transactions that record events and then take everything back."""

Said = list[tuple[UUID, int]]


def make_subjects() -> list[UUID]:
    """Subjects with a row each, whose lock orders their events as a document's row would."""
    subjects = [ids.uuid7() for _ in range(SUBJECTS)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_lease (name, holder, token, expires_at) "
            "SELECT id::text, '', 0, clock_timestamp() FROM unnest(%s::uuid[]) AS id",
            [subjects],
        )
    return subjects


def happen(subject: UUID) -> int:
    """Raise the subject's own number and record its event."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_lease SET token = token + 1 WHERE name = %s RETURNING token",
            [str(subject)],
        )
        (seq,) = cursor.fetchone()
    events.record([Fact("test.happened", "case", subject, seq, ACCOUNT)], at=NOON, actor=ACTOR)
    return int(seq)


def produce(number: int, subjects: list[UUID], count: int) -> Said:
    """Commit so many events in transactions of one to three; answer those that were committed."""
    drawn = random.Random(number)  # noqa: S311  # guards nothing
    said: Said = []
    try:
        while len(said) < count:
            chosen = sorted(drawn.sample(subjects, drawn.randint(1, 3)))
            with transaction.atomic():
                made = [(subject, happen(subject)) for subject in chosen]
                taken_back = drawn.random() < ROLLED_BACK
                transaction.set_rollback(taken_back)
            if not taken_back:
                said += made
    finally:
        connection.close()
    return said


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("count", "relays"),
    [(50, 2), pytest.param(5_000, 4, marks=pytest.mark.soak)],
    ids=["1,000", "100,000"],
)
def test_what_is_committed_is_delivered_once_and_in_order(
    count: int, relays: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(events._subscribers, CONSUMER, (frozenset({"test.happened"}), trace_all))
    relay_all()
    subjects = make_subjects()

    with ExitStack() as started, ThreadPoolExecutor(PRODUCERS) as pool:
        relaying = [started.enter_context(worker("outbox")) for _ in range(relays)]
        producers = [pool.submit(produce, n, subjects, count) for n in range(PRODUCERS)]
        begin(*relaying)
        for one in relaying:
            wait(producers, timeout=0.5)
            kill(one)
        committed = [one for producer in producers for one in producer.result()]
    left = Delivery.objects.exclude(state="done").count()
    assert left or Event.objects.for_scope(ALL_ACCOUNTS).count() > Delivery.objects.count(), (
        "the kills must fall into the work"
    )
    let_leases_lapse()
    while relay_all() or deliveries.run_due(at=NOON):
        pass

    wanted: dict[UUID, list[int]] = defaultdict(list)
    for subject, seq in sorted(committed):
        wanted[subject].append(seq)
    effects: dict[UUID, list[int]] = defaultdict(list)
    for subject, seq in CaseReport.objects.order_by("id").values_list("subject_id", "cause"):
        effects[subject].append(int(seq))
    assert len(committed) >= PRODUCERS * count
    assert effects == wanted
    assert Event.objects.for_scope(ALL_ACCOUNTS).count() == len(committed)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
