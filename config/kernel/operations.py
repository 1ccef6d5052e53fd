"""Migration operations for tables that only ever grow: monthly partitions and refusal of change.

And the migration of all our apps, which is quicker than Django's where models hang together.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.operations import CreateExtension
from django.db import migrations
from django.db.migrations.operations.base import Operation

MONTHS_AHEAD = 3


def month_after(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def uuid7_floor(first: date) -> UUID:
    """The least UUIDv7 that a row made in this month or later can have."""
    milliseconds = int(datetime(first.year, first.month, 1, tzinfo=UTC).timestamp() * 1000)
    return UUID(int=milliseconds << 80)


def partition_sql(table: str, first: date, *, by_uuid: bool) -> str:
    """CREATE TABLE for the partition of one month; harmless when it exists already."""
    following = month_after(first)
    low, high = (uuid7_floor(first), uuid7_floor(following)) if by_uuid else (first, following)
    return (
        f'CREATE TABLE IF NOT EXISTS "{table}_{first:%Y%m}" PARTITION OF "{table}" '
        f"FOR VALUES FROM ('{low}') TO ('{high}')"
    )


class PartitionByMonth(Operation):
    """Turn the table that this migration has just created into one partitioned by month.

    Must follow the model's CreateModel in the same migration: indexes and foreign keys are still
    deferred then and fall on the partitioned table. A default partition keeps a late
    `ensure_partitions` from refusing work.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(
        self, model_name: str, column: str, *, by_uuid: bool, key: Sequence[str] = ()
    ) -> None:
        self.model_name, self.column, self.by_uuid = model_name, column, by_uuid
        self.key = list(key) or [column]

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        kwargs = {"by_uuid": self.by_uuid, "key": self.key}
        return type(self).__name__, [self.model_name, self.column], kwargs

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models stay as they are: only their storage changes."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        key = ", ".join(f'"{column}"' for column in self.key)
        schema_editor.execute(f'ALTER TABLE "{table}" RENAME TO "{table}_flat"')
        schema_editor.execute(
            f'CREATE TABLE "{table}" (LIKE "{table}_flat" INCLUDING DEFAULTS INCLUDING IDENTITY '
            f'INCLUDING CONSTRAINTS, PRIMARY KEY ({key})) PARTITION BY RANGE ("{self.column}")'
        )
        schema_editor.execute(f'DROP TABLE "{table}_flat"')
        schema_editor.execute(f'CREATE TABLE "{table}_default" PARTITION OF "{table}" DEFAULT')
        today = datetime.now(UTC).date()
        first = date(today.year, today.month, 1)
        for _ in range(MONTHS_AHEAD + 1):
            schema_editor.execute(partition_sql(table, first, by_uuid=self.by_uuid))
            first = month_after(first)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Dropping the model drops its partitions."""

    def describe(self) -> str:
        return f"Partition {self.model_name} by month"


class AppendOnly(Operation):
    """Refuse UPDATE and DELETE on the table: by row trigger, and by grant to the running role."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.model_name], {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models stay as they are: only what the database permits changes."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        role: str = settings.DATABASE_APP_ROLE
        schema_editor.execute(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME "
            "USING ERRCODE = 'restrict_violation'; END $$",
            params=None,  # the % is PL/pgSQL's
        )
        schema_editor.execute(
            f'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "{table}" '
            f"FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        revoke = f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM {role}'
        known = f"EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
        schema_editor.execute(f"DO $$ BEGIN IF {known} THEN {revoke}; END IF; END $$")

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        schema_editor.execute(f'DROP TRIGGER append_only ON "{table}"')

    def describe(self) -> str:
        return f"Refuse UPDATE and DELETE on {self.model_name}"


class RenderedOnce(migrations.Migration):
    """A migration that renders the models it touches once, as it leaves them, and no others.

    Django renders after each operation whatever the changed model is related to. With us that is
    nearly everything: minutes for three hundred tables. A table is created as the migration leaves
    it, so what a later operation adds to it is there already; foreign keys are deferred by Django
    to the migration's end in any case. With an operation of another kind, or two on one thing, or
    when only the SQL is asked for, it is an ordinary migration.
    """

    @property
    def renders_once(self) -> bool:
        """Whether no operation needs to see the models as they are in between."""
        changed: set[tuple[str, str]] = set()
        for operation in self.operations:
            thing = _named(operation)
            if not isinstance(operation, _READS_NO_MIDDLE) or thing in changed:
                return False
            if any(thing) and not isinstance(operation, _REMOVES):
                changed.add(thing)
        return True

    def apply(self, project_state: Any, schema_editor: Any, collect_sql: bool = False) -> Any:  # noqa: FBT001, FBT002  # Django's signature
        if collect_sql or not self.renders_once:
            return super().apply(project_state, schema_editor, collect_sql)
        rendered = project_state.apps
        before = project_state.clone()
        del project_state.apps  # so that Django renders nothing while the state changes
        for operation in self.operations:
            operation.state_forwards(self.app_label, project_state)
        touched = {(self.app_label, name) for name, _ in map(_named, self.operations) if name}
        for key in touched:
            rendered.unregister_model(*key)
        states = project_state.models
        rendered.render_multiple([states[key] for key in sorted(touched & states.keys())])
        project_state.apps = rendered
        created = {
            operation.name_lower
            for operation in self.operations
            if isinstance(operation, migrations.CreateModel)
        }
        for operation in self.operations:
            inside = isinstance(operation, _PART_OF_A_MODEL)
            if not inside or _named(operation)[0] not in created:
                operation.database_forwards(self.app_label, schema_editor, before, project_state)
        return project_state


_REMOVES = (migrations.RemoveConstraint, migrations.RemoveIndex)
"""What reads the state before the migration: something of that name may be made anew afterwards."""
_PART_OF_A_MODEL = (
    *_REMOVES,
    migrations.AddField,
    migrations.AlterField,
    migrations.AddConstraint,
    migrations.AddIndex,
)
_READS_NO_MIDDLE = (
    *_PART_OF_A_MODEL,
    migrations.CreateModel,
    migrations.DeleteModel,
    migrations.RunSQL,
    CreateExtension,
    PartitionByMonth,
    AppendOnly,
)
"""What reads of the state what was before the migration, or is after it."""


def _named(operation: Operation) -> tuple[str, str]:
    """The model that an operation changes, and what of it; nothing of those that change none."""
    match operation:
        case migrations.CreateModel() | migrations.DeleteModel():
            return operation.name_lower, ""
        case migrations.AddField() | migrations.AlterField():
            return operation.model_name_lower, operation.name_lower
        case migrations.AddConstraint():
            return operation.model_name_lower, operation.constraint.name
        case migrations.AddIndex():
            return operation.model_name_lower, operation.index.name
        case migrations.RemoveConstraint() | migrations.RemoveIndex():
            return operation.model_name_lower, operation.name
    return "", ""
