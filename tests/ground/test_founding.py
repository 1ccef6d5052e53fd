"""Our apps' migrations make what Django's own would make, and render their models once."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState, StateApps

from config.kernel.operations import RenderedOnce

ROOMS = ("inventory", "orders", "routing", "fulfillment", "returns", "integrations")
OURS = ("kernel", "console", *ROOMS)


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


def later() -> list[Operation]:
    """What changes the shelf when it is there: a column, a wider one, an index in another's place."""
    by_row = models.Index(fields=["row", "id"], name="ground_shelf_by")
    return [
        migrations.RemoveIndex("shelf", "ground_shelf_by"),
        migrations.AddField("shelf", "row", models.IntegerField(default=0)),
        migrations.AlterField("shelf", "code", models.SlugField(max_length=80, unique=True)),
        migrations.AddIndex("shelf", by_row),
    ]


def columns(kind: type[migrations.Migration], *all_operations: Sequence[Operation]) -> set[str]:
    """The columns and constraints of the shelf once migrations of this kind have been applied."""
    state = ProjectState()
    for operations in all_operations:
        migration = kind("0001_initial", "ground")
        migration.operations = list(operations)
        with connection.schema_editor() as editor:
            state = migration.apply(state, editor)
    assert isinstance(state.apps, StateApps)
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, "ground_shelf")
        made = connection.introspection.get_constraints(cursor, "ground_shelf")
    with connection.schema_editor() as editor:
        editor.execute("DROP TABLE ground_shelf, ground_box CASCADE")
    names = {f"{column.name} {column.display_size}" for column in found}
    return names | {f"{name} {each['columns']}" for name, each in made.items()}


@pytest.mark.django_db
class TestRenderedOnce:
    def test_makes_what_an_ordinary_migration_makes(self):
        index = migrations.AddIndex("shelf", models.Index(fields=["id"], name="ground_shelf_by"))
        founding = [*shelf_and_box(), index]

        made = columns(RenderedOnce, founding, later())

        assert "ground_shelf_by ['row', 'id']" in made
        assert made == columns(migrations.Migration, founding, later())

    def test_is_an_ordinary_migration_when_code_reads_the_state_in_between(self):
        seen: list[bool] = []

        def look(apps: Any, _: Any) -> None:
            fields = apps.get_model("ground", "Shelf")._meta.get_fields()
            seen.append("first" in {field.name for field in fields})

        first, second, addition = shelf_and_box()
        columns(RenderedOnce, [first, second, migrations.RunPython(look), addition])

        assert seen == [False]


def test_all_of_ours_render_once():
    every = MigrationLoader(None).disk_migrations
    ours = {name: migration for name, migration in every.items() if name[0] in OURS}

    assert {name[0] for name in ours} == set(OURS)
    assert [name for name, one in ours.items() if not getattr(one, "renders_once", False)] == []
