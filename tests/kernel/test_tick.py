"""The tick: cheap when idle, deaf to a dead broker, and it finds whatever waits."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from kombu.exceptions import OperationalError as BrokerError

from config.kernel import case_reports, clock, events, ids, tasks, ticker
from config.kernel.case_reports import Report
from config.kernel.events import Fact
from config.kernel.models import Case, CaseReport
from config.kernel.services import intents, jobs
from config.kernel.types import ALL_ACCOUNTS, Actor
from tests.factories.kernel import AccountFactory, IntentFactory, JobFactory
from tests.kernel.relaying import relay_all

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ACTOR = Actor.system("tests")


class Bell:
    """Stands in for Celery's `apply_async`: the broker is not what these tests are about."""

    def __init__(self, *, broken: bool = False) -> None:
        self.rung: list[tuple[str, list[str]]] = []
        self.broken = broken

    def of(self, name: str) -> Any:
        def apply_async(*, args: list[str], expires: int) -> None:
            assert expires
            if self.broken:
                raise BrokerError
            self.rung.append((name, args))

        return apply_async


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> Bell:
    made = Bell()
    for name in ("run_deliveries", "run_intents", "run_job", "fold_case_reports"):
        monkeypatch.setattr(getattr(tasks, name), "apply_async", made.of(name))
    return made


@pytest.fixture(autouse=True)
def _only_the_kernels_steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    kept = {
        name: step for name, step in ticker._steps.items() if name.startswith(("cases.", "kernel."))
    }
    monkeypatch.setattr(ticker, "_steps", kept)
    clock.forget()
    yield
    clock.forget()


@pytest.mark.django_db(transaction=True)
class TestTick:
    def test_costs_two_statements_when_idle(self, bell: Bell) -> None:
        tasks.tick()
        with CaptureQueriesContext(connection) as queries:
            tasks.tick()

        assert len(queries) == 2
        assert bell.rung == []

    def test_costs_one_more_for_any_number_of_resting_steps(
        self, bell: Bell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(10):
            name = f"test.{number}"
            monkeypatch.setitem(ticker._steps, name, ticker.Step(name, 5, lambda _: None))
        tasks.tick()
        with CaptureQueriesContext(connection) as queries:
            tasks.tick()

        assert len(queries) == 3

    def test_rings_for_each_kind_of_work(self, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
        account = AccountFactory()
        monkeypatch.setitem(
            events._subscribers, "tests", (frozenset({"test.happened"}), lambda _: None)
        )
        monkeypatch.setitem(intents._kinds, "test.intent", object())
        monkeypatch.setitem(jobs._kinds, "test.job", object())
        with transaction.atomic():
            events.record(
                [Fact("test.happened", "case", ids.uuid7(), 1, account.pk)], at=NOON, actor=ACTOR
            )
            case_reports.report([Report("JOB_FAILED", "job", ids.uuid7(), account.pk)], at=NOON)
        job = JobFactory(account=account)
        IntentFactory(account=account)
        relay_all()
        tasks.tick()

        assert sorted(bell.rung) == [
            ("fold_case_reports", []),
            ("run_deliveries", []),
            ("run_intents", []),
            ("run_job", [str(job.pk)]),
        ]

    def test_does_not_ring_for_what_no_process_here_knows(self, bell: Bell) -> None:
        IntentFactory(kind="test.newer")
        JobFactory(kind="test.newer")
        tasks.tick()

        assert bell.rung == []

    def test_goes_on_when_the_broker_is_gone_and_finds_the_work_again(self, bell: Bell) -> None:
        account = AccountFactory()
        case_reports.report([Report("JOB_FAILED", "job", ids.uuid7(), account.pk)], at=NOON)
        bell.broken = True
        tasks.tick()
        bell.broken = False
        tasks.tick()

        assert bell.rung == [("fold_case_reports", [])]
        tasks.fold_case_reports()
        assert Case.objects.for_scope(ALL_ACCOUNTS).count() == 1
        bell.rung.clear()
        tasks.tick()
        assert ("fold_case_reports", []) not in bell.rung

    def test_takes_arguments_of_a_newer_release(self, bell: Bell) -> None:
        account = AccountFactory()
        case_reports.report([Report("JOB_FAILED", "job", ids.uuid7(), account.pk)], at=NOON)
        tasks.tick(something="new")
        assert bell.rung == [("fold_case_reports", [])]

        tasks.sweep(something="new")
        assert ticker.run_steps(ticker.steps(quick=False)) == []  # they have had their turn


@pytest.mark.django_db(transaction=True)
class TestSweep:
    def test_runs_the_slow_steps_once_per_turn(self, bell: Bell) -> None:
        first, second = (ticker.run_steps(ticker.steps(quick=False)) for _ in range(2))

        assert set(first) == {
            "cases.clear_resolved",
            "cases.detect_stuck",
            "cases.wake_waiting",
            "kernel.advance_queues",
            "kernel.ensure_partitions",
            "kernel.remove_expired",
        }
        assert second == []

    def test_removes_folded_reports_after_thirty_days(self, bell: Bell) -> None:
        account = AccountFactory()
        for _ in range(2):
            case_reports.report([Report("JOB_FAILED", "job", ids.uuid7(), account.pk)], at=NOON)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE kernel_casereport SET recorded_at = now() - interval '31 days'")
            cursor.execute(
                "UPDATE kernel_casereport SET folded = true "
                "WHERE id = (SELECT id FROM kernel_casereport ORDER BY id LIMIT 1)"
            )
        tasks.sweep()

        assert CaseReport.objects.count() == 1


@pytest.mark.django_db(transaction=True)
class TestWorkersTasks:
    def test_do_what_the_bell_is_about(self, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
        done: list[str] = []
        monkeypatch.setattr(jobs, "run_job", lambda job_id, **_: done.append(str(job_id)))
        job_id = str(ids.uuid7())
        tasks.run_job(job_id)
        tasks.run_deliveries()
        tasks.run_intents()

        assert done == [job_id]
