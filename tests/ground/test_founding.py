"""An app's first migration makes what Django's own would make, and renders its models once."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState, StateApps

from config.kernel.operations import FoundingMigration

OURS = ("kernel", "inventory", "orders", "routing", "fulfillment", "integrations")


def creation(name: str, **fields: Any) -> migrations.CreateModel:
    key = ("id", models.BigAutoField(primary_key=True))
    return migrations.CreateModel(name, [key, *fields.items()])


def shelf_and_box() -> list[Operation]:
    """Two models that name each other, so that one of the fields comes afterwards."""
    box = models.ForeignKey("ground.box", models.PROTECT, null=True)
    return [
        creation("Shelf", code=models.SlugField(unique=True)),
        creation("Box", shelf=models.ForeignKey("ground.shelf", models.PROTECT)),
        migrations.AddField("shelf", "first", box),
    ]


def columns(kind: type[migrations.Migration], operations: Sequence[Operation]) -> set[str]:
    """The columns and constraints of the shelf once a migration of this kind has been applied."""
    migration = kind("0001_initial", "ground")
    migration.operations = list(operations)
    with connection.schema_editor() as editor:
        state = migration.apply(ProjectState(), editor)
    assert isinstance(state.apps, StateApps)
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, "ground_shelf")
        made = connection.introspection.get_constraints(cursor, "ground_shelf")
    with connection.schema_editor() as editor:
        editor.execute("DROP TABLE ground_shelf, ground_box CASCADE")
    return {column.name for column in found} | set(made)


@pytest.mark.django_db
class TestFoundingMigration:
    def test_makes_what_an_ordinary_migration_makes(self):
        founded = columns(FoundingMigration, shelf_and_box())

        assert "first_id" in founded
        assert founded == columns(migrations.Migration, shelf_and_box())

    def test_is_an_ordinary_migration_when_code_reads_the_state_in_between(self):
        seen: list[bool] = []

        def look(apps: Any, _: Any) -> None:
            fields = apps.get_model("ground", "Shelf")._meta.get_fields()
            seen.append("first" in {field.name for field in fields})

        first, second, addition = shelf_and_box()
        columns(FoundingMigration, [first, second, migrations.RunPython(look), addition])

        assert seen == [False]


@pytest.mark.parametrize("app", OURS)
def test_our_apps_are_founded_so(app: str):
    migration = MigrationLoader(None).disk_migrations[app, "0001_initial"]

    assert isinstance(migration, FoundingMigration)
    assert migration.renders_once
