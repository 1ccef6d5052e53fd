"""Each check of the doctor is well on a fresh database, and sees what it is there to see."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from config.celery import app
from config.diagnosis import CHECKS, bell, diagnose, storage, work
from config.diagnosis.findings import Finding, Level, span
from config.kernel import ids, ticker, vault
from config.kernel.models import CaseReport, Delivery, Event, Lease
from config.kernel.operations import MONTHS_AHEAD, month_after
from tests.app_role import as_app_role
from tests.factories.integrations import InboxMessageFactory
from tests.factories.kernel import NOON, IntentFactory, JobFactory

pytestmark = pytest.mark.django_db

BELOW_THE_HORIZON = 3
ROLE = "switchyard_app"


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def ago(**length: float) -> datetime:
    return database_time() - timedelta(**length)


def database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def level(ask: Callable[[], Finding]) -> Level:
    return ask().level


def event(**values: Any) -> Event:
    return Event.objects.create(
        topic="test.happened",
        subject_kind="case",
        subject_id=ids.uuid7(),
        seq=1,
        account_id=ids.uuid7(),
        actor_kind="system",
        actor_id="tests",
        actor_name="tests",
        at=NOON,
        **values,
    )


def delivery(state: str, **values: Any) -> None:
    Delivery.objects.create(
        event_id=ids.uuid7(),
        consumer="tests.listener",
        topic="test.happened",
        subject_id=ids.uuid7(),
        seq=1,
        shard=0,
        state=state,
        **values,
    )


def all_steps_done(at: datetime) -> None:
    steps = ticker.steps(quick=True) + ticker.steps(quick=False)
    Lease.objects.bulk_create(
        [Lease(name=step.lease, holder="w", expires_at=at, done_at=at) for step in steps]
    )


class TestDatabase:
    def test_names_version_and_role(self):
        found = storage.database()

        assert found.level is Level.OK
        assert "PostgreSQL 18" in found.said

    def test_fails_for_an_older_version(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(storage, "LEAST_POSTGRES", 99)

        assert level(storage.database) is Level.FAIL

    def test_names_the_first_migration_that_is_missing(self):
        MigrationRecorder.Migration.objects.filter(app="integrations").delete()

        found = storage.migrations()

        assert (found.level, "integrations.0001_initial" in found.said) == (Level.FAIL, True)

    def test_is_well_with_every_migration(self):
        assert level(storage.migrations) is Level.OK


class TestRole:
    def test_is_well_as_the_role_that_runs(self):
        with as_app_role():
            assert level(storage.role) is Level.OK

    def test_warns_a_process_that_runs_as_the_owner(self):
        assert level(storage.role) is Level.WARN

    @pytest.mark.parametrize(
        "change",
        [
            f"GRANT TRUNCATE ON orders_order TO {ROLE}",
            f"GRANT UPDATE ON inventory_movement TO {ROLE}",
            f"GRANT DELETE ON kernel_event TO {ROLE}",
            "ALTER TABLE kernel_event DISABLE TRIGGER append_only",
            "ALTER TABLE inventory_movement_default DISABLE TRIGGER append_only",
        ],
    )
    def test_fails_where_facts_could_be_rewritten(self, change: str):
        execute(change)

        assert level(storage.role) is Level.FAIL

    def test_fails_without_the_role(self, settings):
        settings.DATABASE_APP_ROLE = "nobody_of_that_name"

        assert level(storage.role) is Level.FAIL


class TestPartitions:
    def month(self, ahead: int) -> str:
        month = database_time().date().replace(day=1)
        for _ in range(ahead):
            month = month_after(month)
        return f"{month:%Y%m}"

    def test_are_well_three_months_ahead(self):
        assert level(storage.partitions) is Level.OK

    @pytest.mark.parametrize(
        ("ahead", "expected"), [(0, Level.FAIL), (1, Level.FAIL), (MONTHS_AHEAD, Level.WARN)]
    )
    def test_are_missed_the_sooner_the_worse(self, ahead: int, expected: Level):
        execute(f"DROP TABLE kernel_event_{self.month(ahead)}")

        assert level(storage.partitions) is expected

    def test_fail_when_rows_lie_outside_every_month(self):
        event(id=ids.UUID(int=7 << 76))

        assert level(storage.partitions) is Level.FAIL


class TestClock:
    def test_is_well_when_both_agree(self):
        assert level(storage.clock) is Level.OK

    @pytest.mark.parametrize(("seconds", "expected"), [(2, Level.WARN), (-60, Level.FAIL)])
    def test_sees_a_difference(
        self, seconds: int, expected: Level, monkeypatch: pytest.MonkeyPatch
    ):
        class Late(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return datetime.now(tz) - timedelta(seconds=seconds)

        monkeypatch.setattr(storage, "datetime", Late)

        assert level(storage.clock) is expected


class TestSecrets:
    def test_are_well_when_the_vault_opens(self):
        vault.new_keys(1)
        vault.forget()

        assert level(storage.secrets) is Level.OK

    @pytest.mark.parametrize("name", ["SECRET_KEY", "SWITCHYARD_VAULT_KEY"])
    @pytest.mark.parametrize("value", ["", "short", "django-insecure-" + "x" * 40])
    def test_fail_when_easy_to_guess(self, name: str, value: str, settings):
        setattr(settings, name, value)

        assert dict(diagnose())["secrets"].level is Level.FAIL

    def test_fail_when_data_was_sealed_with_another_key(self, settings):
        vault.new_keys(1)
        settings.SWITCHYARD_VAULT_KEY = "another vault key of a fitting length"
        vault.forget()

        try:
            assert level(storage.secrets) is Level.FAIL
        finally:
            vault.forget()


class TestBell:
    @pytest.fixture
    def evicting(self):
        client = caches["default"]._cache.get_client()
        client.config_set("maxmemory-policy", "allkeys-lru")
        yield
        client.config_set("maxmemory-policy", "noeviction")

    def test_answers(self):
        assert (level(bell.cache), level(bell.broker)) == (Level.OK, Level.OK)

    @pytest.mark.usefixtures("evicting")
    def test_fails_when_keys_may_be_thrown_away(self):
        assert (level(bell.cache), level(bell.broker)) == (Level.FAIL, Level.FAIL)

    def test_fails_without_a_server(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")

        found = dict(diagnose())["broker"]

        assert found.level is Level.FAIL
        assert found.remedy


class TestWorkers:
    def test_fail_when_nothing_was_ever_done(self):
        assert level(work.workers) is Level.FAIL

    def test_are_well_while_steps_come_round(self):
        all_steps_done(database_time())

        assert level(work.workers) is Level.OK

    def test_fail_when_steps_stopped(self):
        all_steps_done(ago(hours=8))

        found = work.workers()

        assert (found.level, "8 h ago" in found.said) == (Level.FAIL, True)

    def test_name_the_step_that_stays_away(self):
        all_steps_done(database_time())
        Lease.objects.filter(name="step:kernel.remove_expired").update(done_at=ago(days=1))

        found = work.workers()

        assert (found.level, "kernel.remove_expired" in found.said) == (Level.WARN, True)

    def test_hear_a_step_that_is_running_now(self):
        all_steps_done(database_time())
        Lease.objects.update(done_at=None, expires_at=database_time() + timedelta(seconds=90))

        assert level(work.workers) is Level.OK


class TestOutbox:
    def test_is_well_when_nothing_waits(self):
        assert level(work.outbox) is Level.OK

    @pytest.mark.parametrize(
        ("seconds", "expected"), [(1, Level.OK), (60, Level.WARN), (600, Level.FAIL)]
    )
    def test_tells_how_long_events_wait_for_the_relay(self, seconds: int, expected: Level):
        event(xid=BELOW_THE_HORIZON, recorded_at=ago(seconds=seconds))

        assert level(work.outbox) is expected

    def test_blames_an_open_transaction_for_what_lies_beyond_the_horizon(self):
        event(recorded_at=ago(minutes=10))  # of this very transaction, which is open

        found = work.outbox()

        assert (found.level, "transaction" in found.said) == (Level.WARN, True)


class TestDeliveries:
    @pytest.mark.parametrize(
        ("state", "seconds", "expected"),
        [
            ("pending", 1, Level.OK),
            ("pending", 60, Level.WARN),
            ("pending", 600, Level.FAIL),
            ("dead", 1, Level.FAIL),
            ("done", 600, Level.OK),
        ],
    )
    def test_are_judged_by_state_and_age(self, state: str, seconds: int, expected: Level):
        delivery(state, due_at=ago(seconds=seconds))

        assert level(work.deliveries) is expected


class TestIntents:
    @pytest.mark.parametrize(
        ("state", "seconds", "expected"),
        [
            ("pending", 1, Level.OK),
            ("pending", -600, Level.OK),
            ("unknown", 600, Level.FAIL),
            ("dead", 600, Level.WARN),
            ("refused", 600, Level.OK),
        ],
    )
    def test_are_judged_by_state_and_age(self, state: str, seconds: int, expected: Level):
        IntentFactory(state=state, due_at=ago(seconds=seconds))

        assert level(work.intents) is expected


class TestJobs:
    def test_are_well_while_leased(self):
        JobFactory(
            state="running",
            queued_at=ago(hours=2),
            started_at=ago(hours=1),
            lease_until=database_time() + timedelta(minutes=1),
        )

        assert level(work.jobs) is Level.OK

    def test_warn_when_one_does_not_move(self):
        JobFactory(title="Export of everything", queued_at=ago(hours=2))

        found = work.jobs()

        assert (found.level, "Export of everything" in found.said) == (Level.WARN, True)


class TestCaseReports:
    @pytest.mark.parametrize(
        ("folded", "seconds", "expected"),
        [
            (False, 1, Level.OK),
            (False, 60, Level.WARN),
            (False, 600, Level.FAIL),
            (True, 600, Level.OK),
        ],
    )
    def test_are_judged_by_age(self, *, folded: bool, seconds: int, expected: Level):
        CaseReport.objects.create(
            kind="STUCK",
            dedupe_key="x",
            subject_kind="job",
            subject_id=ids.uuid7(),
            account_id=ids.uuid7(),
            at=NOON,
            folded=folded,
            recorded_at=ago(seconds=seconds),
        )

        assert level(work.case_reports) is expected


class TestInbox:
    @pytest.mark.parametrize(
        ("state", "seconds", "expected"),
        [
            ("received", 1, Level.OK),
            ("received", 600, Level.FAIL),
            ("dead", 600, Level.WARN),
            ("ignored", 600, Level.OK),
        ],
    )
    def test_is_judged_by_state_and_age(self, state: str, seconds: int, expected: Level):
        InboxMessageFactory(state=state, recorded_at=ago(seconds=seconds))

        assert level(work.inbox) is expected


class TestCommand:
    def run(self, *words: str) -> tuple[str, int]:
        out = StringIO()
        try:
            call_command("doctor", *words, stdout=out)
        except CommandError as error:
            return out.getvalue(), error.returncode
        return out.getvalue(), 0

    def test_prints_a_line_per_check_and_exits_1_on_failure(self):
        text, code = self.run()

        lines = text.splitlines()
        assert [line[6:].split("  ")[0] for line in lines] == [check.name for check in CHECKS]
        assert "FAIL  workers       No periodic step has ever been run. → Start" in text
        assert code == 1

    def test_exits_0_with_nothing_but_warnings(self):
        all_steps_done(database_time())

        text, code = self.run()

        assert "warn  role" in text
        assert code == 0

    def test_prints_json(self):
        text, _ = self.run("--json")

        found = {each["check"]: each for each in json.loads(text)}
        assert found["database"]["level"] == "ok"
        assert found["workers"]["remedy"]

    def test_asks_no_further_without_a_database(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(storage, "LEAST_POSTGRES", 99)
        asked = [check for check in CHECKS if check.name != "database"]
        monkeypatch.setattr("config.diagnosis.CHECKS", [old_database(), *asked])

        found = dict(diagnose())

        assert found["database"].level is Level.FAIL
        assert "Not looked at" in found["outbox"].said
        assert found["cache"].level is Level.OK


def old_database():
    return next(check for check in CHECKS if check.name == "database")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (9000, "2 h")]
)
def test_lengths_of_time_are_said_as_people_do(seconds: float, words: str):
    assert span(seconds) == words
