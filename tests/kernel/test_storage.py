"""What the database itself holds: partitions, refusal of change, the running role's rights."""

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from config.kernel import events, ids
from config.kernel.events import Fact
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Account
from config.kernel.operations import MONTHS_AHEAD, month_after, partition_sql
from config.kernel.services import upkeep
from config.kernel.types import Actor
from tests.app_role import as_app_role
from tests.factories.kernel import AccountFactory
from tests.kernel.relaying import relay_all

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ACTOR = Actor.system("tests")
PARTITIONED = ["kernel_event", "kernel_delivery", "kernel_historicalcase"]


def record_one() -> None:
    with transaction.atomic():
        events.record(
            [Fact("test.happened", "case", ids.uuid7(), 1, ids.uuid7())], at=NOON, actor=ACTOR
        )


def partitions_of(table: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass",
            [table],
        )
        return {name for (name,) in cursor.fetchall()}


def months() -> list[date]:
    first = datetime.now(UTC).date().replace(day=1)
    found = [first]
    for _ in range(MONTHS_AHEAD):
        found.append(month_after(found[-1]))
    return found


@pytest.mark.django_db
class TestPartitions:
    @pytest.mark.parametrize("table", PARTITIONED)
    def test_are_there_for_this_month_and_three_more(self, table: str) -> None:
        wanted = {f"{table}_{first:%Y%m}" for first in months()}

        assert wanted | {f"{table}_default"} <= partitions_of(table)

    def test_take_the_rows_of_their_month(self) -> None:
        record_one()

        with connection.cursor() as cursor:
            cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM kernel_event")
            assert cursor.fetchall() == [(f"kernel_event_{months()[0]:%Y%m}",)]

    def test_have_the_indexes_of_their_table(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_indexes WHERE tablename = %s",
                [f"kernel_event_{months()[0]:%Y%m}"],
            )
            assert cursor.fetchone() == (4,)  # key, horizon, subject, thread

    def test_leave_a_month_that_rows_have_reached_in_the_default_partition(self) -> None:
        last = months()[-1]
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE kernel_historicalcase_{last:%Y%m}")
            cursor.execute(
                "INSERT INTO kernel_historicalaccount (id, code, name, currency, timezone, "
                "settings, history_change_reason, history_date, history_type, actor_kind, "
                "actor_id, actor_name, correlation_id, history_at) SELECT gen_random_uuid(), 'a', 'a', "
                "'USD', 'UTC', '{}', '', %s, '+', '', '', '', '', %s",
                [last, last],
            )
            cursor.execute(f"DROP TABLE kernel_historicalaccount_{last:%Y%m}")
            cursor.execute(
                "INSERT INTO kernel_historicalaccount (id, code, name, currency, timezone, "
                "settings, history_change_reason, history_date, history_type, actor_kind, "
                "actor_id, actor_name, correlation_id, history_at) SELECT gen_random_uuid(), 'a', 'a', "
                "'USD', 'UTC', '{}', '', %s, '+', '', '', '', '', %s",
                [last, last],
            )

        assert upkeep.ensure_partitions() == [f"kernel_historicalcase_{last:%Y%m}"]


@pytest.mark.django_db
class TestAppendOnly:
    @pytest.mark.parametrize("statement", ["UPDATE kernel_event SET topic = 'x'", "DELETE FROM {}"])
    @pytest.mark.parametrize("table", ["kernel_event", "partition"])
    def test_events_refuse_change_to_the_owner_too(self, statement: str, table: str) -> None:
        record_one()
        name = table if table == "kernel_event" else f"kernel_event_{months()[0]:%Y%m}"
        changed = statement.format(name).replace("kernel_event SET", f"{name} SET")

        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(changed)

    def test_history_refuses_change(self) -> None:
        account = AccountFactory()
        record_history(Account, [account.pk], Change.CREATED, at=NOON, actor=ACTOR)

        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            account.history.update(name="x")


@pytest.mark.django_db(transaction=True)
class TestRunningRole:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE kernel_event SET topic = 'x'",
            "DELETE FROM kernel_event",
            "TRUNCATE kernel_event",
            "UPDATE kernel_historicalaccount SET name = 'x'",
            "TRUNCATE kernel_account CASCADE",
            "CREATE TABLE mine (id int)",
            "ALTER TABLE kernel_event DISABLE TRIGGER append_only",
        ],
    )
    def test_has_no_right_to(self, statement: str) -> None:
        with (
            pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
            as_app_role(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    def test_may_do_its_work(self) -> None:
        with as_app_role():
            account = AccountFactory()
            record_history(Account, [account.pk], Change.CREATED, at=NOON, actor=ACTOR)
            record_one()
            assert relay_all() == 1

    def test_makes_the_partitions_that_are_missing(self) -> None:
        last = months()[-1]
        gone = [f"kernel_event_{last:%Y%m}", f"kernel_historicalcase_{last:%Y%m}"]
        with connection.cursor() as cursor:
            for name in gone:
                cursor.execute(f"DROP TABLE {name}")

        with as_app_role():
            made = upkeep.ensure_partitions()

        assert made == gone
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = %s", [gone[0]]
            )
            (bound,) = cursor.fetchone()
        assert bound == partition_sql("x", last, by_uuid=True).partition("PARTITION OF ")[
            2
        ].removeprefix('"x" ')
        assert upkeep.ensure_partitions() == []


@pytest.mark.django_db(transaction=True)
def test_the_kernel_migration_goes_back_and_forth_in_a_database_without_apps() -> None:
    executor = MigrationExecutor(connection)
    migration = executor.loader.graph.nodes["kernel", "0001_initial"]
    before = executor.loader.project_state([("kernel", "0001_initial")], at_end=False)

    with connection.schema_editor(collect_sql=True) as editor:
        forwards = migration.mutate_state(before.clone())
        migration.unapply(before.clone(), editor)
        backwards = "\n".join(editor.collected_sql)

    assert forwards.models["kernel", "event"]
    assert "DROP SEQUENCE kernel_case_number" in backwards
    assert 'DROP TABLE "kernel_event" CASCADE' in backwards
    assert "DROP FUNCTION ensure_partitions(integer)" in backwards
