"""Jobs: chunks, outcomes, refusals, stop, retry, results."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

from config.kernel import ids, selectors
from config.kernel.errors import Conflict, IllegalTransition, NotFound
from config.kernel.models import CaseReport, Job, JobItem, JobState
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Outcome, Scope
from tests.factories.kernel import AccountFactory, JobFactory

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KIND = "test.job"


class Runner:
    """Does what a batch command does; refuses and fails as told."""

    def __init__(self) -> None:
        self.chunks: list[list[UUID]] = []
        self.refuse: set[UUID] = set()
        self.fail: dict[UUID, Exception] = {}
        self.actors: list[Actor] = []
        self.stop_after: Job | None = None

    def __call__(
        self, subject_ids: Sequence[UUID], params: Mapping[str, Any], at: datetime, actor: Actor
    ) -> list[Outcome[UUID]]:
        self.chunks.append(list(subject_ids))
        self.actors.append(actor)
        for subject_id in subject_ids:
            if subject_id in self.fail:
                raise self.fail[subject_id]
        return [
            Outcome.refused("not-now", "=It is too late.")
            if subject_id in self.refuse
            else Outcome.done(subject_id)
            for subject_id in subject_ids
        ]


@pytest.fixture
def runner() -> Iterator[Runner]:
    made = Runner()
    jobs.register(KIND, made)
    yield made
    del jobs._kinds[KIND]


def enqueue(count: int) -> tuple[Job, list[UUID], Actor]:
    account = AccountFactory()
    actor = Actor(ActorKind.USER, "42", "anna", Scope(frozenset({account.pk})))
    subjects = [ids.uuid7() for _ in range(count)]
    job = jobs.enqueue(
        KIND, "Release 3 orders", {"x": 1}, subjects, account_id=account.pk, at=NOON, actor=actor
    )
    return job, subjects, actor


@pytest.mark.django_db
class TestRunJob:
    def test_works_through_chunks_of_200_on_behalf_of_who_asked(self, runner: Runner) -> None:
        job, subjects, _ = enqueue(450)

        assert jobs.run_job(job.pk, at=NOON)
        job.refresh_from_db()
        assert [len(chunk) for chunk in runner.chunks] == [200, 200, 50]
        assert [one for chunk in runner.chunks for one in chunk] == subjects
        assert (job.state, job.done, job.refused, job.total) == (JobState.DONE, 450, 0, 450)
        assert runner.actors[0].name == "anna"
        assert runner.actors[0].scope == Scope(frozenset({job.account_id}))
        assert selectors.rate_of(job) > 0

    def test_keeps_an_outcome_per_item(self, runner: Runner) -> None:
        job, subjects, _ = enqueue(3)
        runner.refuse = {subjects[1]}
        jobs.run_job(job.pk, at=NOON)

        job.refresh_from_db()
        items = list(selectors.items_of(job.pk).values_list("outcome", "code"))
        assert items == [("done", ""), ("refused", "not-now"), ("done", "")]
        assert (job.state, job.done, job.refused) == (JobState.PARTIAL, 2, 1)

    def test_refuses_only_the_item_that_fails(self, runner: Runner) -> None:
        job, subjects, _ = enqueue(20)
        runner.fail = {
            subjects[7]: RuntimeError("broken\nDETAIL: anna@example.org"),
            subjects[9]: Conflict("It has shipped."),
        }
        jobs.run_job(job.pk, at=NOON)

        job.refresh_from_db()
        assert (job.state, job.done, job.refused) == (JobState.PARTIAL, 18, 2)
        refused = selectors.items_of(job.pk, outcome="refused")
        assert list(refused.values_list("subject_id", "code", "detail")) == [
            (subjects[7], "fault", "RuntimeError: broken"),
            (subjects[9], "conflict", "It has shipped."),
        ]

    def test_tries_again_when_a_lock_was_not_had(self, runner: Runner) -> None:
        job, subjects, _ = enqueue(2)
        error = OperationalError("canceling statement due to lock timeout")
        error.__cause__ = LockNotAvailable()
        runner.fail = {subjects[0]: error}
        jobs.run_job(job.pk, at=NOON)

        assert list(selectors.items_of(job.pk).values_list("outcome", "code")) == [
            ("refused", "busy"),
            ("done", ""),
        ]
        assert runner.chunks.count(subjects) == jobs.BUSY_TRIES

    def test_is_not_done_by_two_workers(self, runner: Runner) -> None:
        job, _, _ = enqueue(1)
        assert jobs._take(job.pk, at=NOON) is not None

        assert not jobs.run_job(job.pk, at=NOON)
        assert runner.chunks == []

    def test_lets_an_overtaken_worker_keep_nothing(self, runner: Runner) -> None:
        job, _, _ = enqueue(2)
        slow = jobs._take(job.pk, at=NOON)
        assert slow is not None
        with connection.cursor() as cursor:
            cursor.execute("UPDATE kernel_job SET lease_until = clock_timestamp()")
        jobs._take(job.pk, at=NOON)

        with pytest.raises(jobs.Overtaken):
            jobs._run_chunk(slow, 200, at=NOON)
        assert JobItem.objects.filter(outcome="waiting").count() == 2

    def test_ends_an_empty_job(self, runner: Runner) -> None:
        job, _, _ = enqueue(0)
        jobs.run_job(job.pk, at=NOON)

        job.refresh_from_db()
        assert job.state == JobState.DONE

    def test_gives_up_a_job_that_ends_its_workers(self, runner: Runner) -> None:
        job, _, _ = enqueue(1)
        for _ in range(5):
            assert jobs._take(job.pk, at=NOON) is not None
            with connection.cursor() as cursor:
                cursor.execute("UPDATE kernel_job SET lease_until = clock_timestamp()")

        assert not jobs.run_job(job.pk, at=NOON)
        job.refresh_from_db()
        assert job.state == JobState.FAILED
        assert CaseReport.objects.get().kind == "JOB_FAILED"


@pytest.mark.django_db
class TestDueJobs:
    def test_lists_queued_and_abandoned_ones(self, runner: Runner) -> None:
        queued, _, _ = enqueue(1)
        running, _, _ = enqueue(1)
        abandoned, _, _ = enqueue(1)
        jobs._take(running.pk, at=NOON)
        jobs._take(abandoned.pk, at=NOON)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE kernel_job SET lease_until = clock_timestamp() WHERE id = %s",
                [abandoned.pk],
            )

        assert jobs.due_jobs() == [queued.pk, abandoned.pk]


@pytest.mark.django_db
class TestCancel:
    def test_stops_a_queued_job_at_once(self, runner: Runner) -> None:
        job, _, actor = enqueue(3)

        assert jobs.cancel(job.pk, at=NOON, actor=actor).state == JobState.CANCELLED
        assert not jobs.run_job(job.pk, at=NOON)

    def test_stops_a_running_job_after_the_chunk_in_hand(self, runner: Runner) -> None:
        job, _, actor = enqueue(500)
        taken = jobs._take(job.pk, at=NOON)
        assert taken is not None
        jobs._run_chunk(taken, 200, at=NOON)

        assert jobs.cancel(job.pk, at=NOON, actor=actor).cancel_asked
        assert jobs._run_chunk(taken, 200, at=NOON) == 0
        jobs._finish(taken)
        job.refresh_from_db()
        assert (job.state, job.done) == (JobState.CANCELLED, 200)

    def test_refuses_an_ended_job(self) -> None:
        job = JobFactory(state=JobState.DONE)

        with pytest.raises(IllegalTransition):
            jobs.cancel(job.pk, at=NOON, actor=Actor.system("tests"))

    def test_does_not_see_another_account(self) -> None:
        job = JobFactory()
        stranger = Actor(ActorKind.USER, "9", "eve", Scope(frozenset()))

        with pytest.raises(NotFound):
            jobs.cancel(job.pk, at=NOON, actor=stranger)


@pytest.mark.django_db
class TestRetryRefused:
    def test_makes_a_job_of_what_was_refused(self, runner: Runner) -> None:
        job, subjects, actor = enqueue(3)
        runner.refuse = {subjects[2]}
        jobs.run_job(job.pk, at=NOON)

        again = jobs.retry_refused(job.pk, at=NOON, actor=actor)
        assert (again.title, again.params, again.total) == (job.title, job.params, 1)
        assert list(selectors.items_of(again.pk).values_list("subject_id", flat=True)) == [
            subjects[2]
        ]

    def test_refuses_when_nothing_was(self, runner: Runner) -> None:
        job, _, actor = enqueue(1)
        jobs.run_job(job.pk, at=NOON)

        with pytest.raises(NotFound):
            jobs.retry_refused(job.pk, at=NOON, actor=actor)


@pytest.mark.django_db
class TestResults:
    def test_are_a_csv_that_no_spreadsheet_calculates(self, runner: Runner) -> None:
        job, subjects, actor = enqueue(2)
        runner.refuse = {subjects[1]}
        jobs.run_job(job.pk, at=NOON)

        rows = list(csv.reader(jobs.results_csv(job.pk, actor=actor)))
        assert rows == [
            ["position", "subject", "outcome", "code", "detail"],
            ["1", str(subjects[0]), "done", "", ""],
            ["2", str(subjects[1]), "refused", "not-now", "'=It is too late."],
        ]

    def test_are_not_for_another_account(self, runner: Runner) -> None:
        job, _, _ = enqueue(1)
        stranger = Actor(ActorKind.USER, "9", "eve", Scope(frozenset()))

        with pytest.raises(NotFound):
            jobs.results_csv(job.pk, actor=stranger)


@pytest.mark.django_db
def test_the_number_of_statements_does_not_grow_with_the_job(
    runner: Runner, django_assert_num_queries: Any
) -> None:
    account = AccountFactory()
    for count in (1, 150):
        subjects = [ids.uuid7() for _ in range(count)]
        with django_assert_num_queries(4):  # savepoint, job, items, release
            job = jobs.enqueue(
                KIND, "t", {}, subjects, account_id=account.pk, at=NOON, actor=Actor.system("t")
            )
        with django_assert_num_queries(12):
            jobs.run_job(job.pk, at=NOON)
    assert Job.objects.for_scope(ALL_ACCOUNTS).filter(state=JobState.DONE).count() == 2
