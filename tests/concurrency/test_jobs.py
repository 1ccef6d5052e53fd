"""Jobs whose worker is killed: taken up again, each item's effect exactly once."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connection

from config.kernel import ids
from config.kernel.models import CaseReport, JobItem, JobState
from config.kernel.services import jobs
from config.kernel.types import Actor
from tests.factories.kernel import AccountFactory
from tests.kernel.killing import begin, kill, let_leases_lapse, worker
from tests.kernel.worker import JOB_KIND, run_items

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_costs_no_item_and_doubles_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jobs._kinds, JOB_KIND, run_items)
    account = AccountFactory()
    subjects = [ids.uuid7() for _ in range(600)]
    job = jobs.enqueue(
        JOB_KIND,
        "Slow work",
        {"account": str(account.pk)},
        subjects,
        account_id=account.pk,
        at=NOON,
        actor=Actor.system("tests"),
    )

    with worker("job", str(job.pk)) as process:
        begin(process)
        deadline = time.monotonic() + 60
        while not JobItem.objects.filter(outcome="done").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.3)  # into the next chunk
        kill(process)
    job.refresh_from_db()
    assert job.state == JobState.RUNNING
    assert 0 < job.done < 600
    assert job.done % jobs.CHUNK == 0
    assert CaseReport.objects.count() == job.done  # the chunk in hand left nothing

    assert jobs.due_jobs() == []
    let_leases_lapse()
    assert jobs.due_jobs() == [job.pk]
    jobs.run_job(job.pk, at=NOON)

    job.refresh_from_db()
    assert (job.state, job.done, job.refused) == (JobState.DONE, 600, 0)
    effects = Counter(CaseReport.objects.values_list("subject_id", flat=True))
    assert effects == Counter(subjects)


@pytest.mark.django_db(transaction=True)
def test_eight_workers_take_a_job_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jobs._kinds, JOB_KIND, run_items)
    account = AccountFactory()
    job = jobs.enqueue(
        JOB_KIND,
        "Short work",
        {"account": str(account.pk)},
        [ids.uuid7() for _ in range(5)],
        account_id=account.pk,
        at=NOON,
        actor=Actor.system("tests"),
    )
    gate = Barrier(8)

    def work(_: int) -> bool:
        try:
            gate.wait()
            return jobs.run_job(job.pk, at=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 1
    assert CaseReport.objects.count() == 5
