"""Empty the database after a test that committed: only the tables that hold something.

Django truncates every table with CASCADE and then makes content types and permissions again. With
hundreds of partitions that takes seconds, and few tests leave more than a handful of rows.
"""

from functools import cache
from typing import Final

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

KEPT: Final = ("django_migrations", "django_content_type", "auth_permission")
"""What migrating has made, and no test changes."""


def teardown(case: TransactionTestCase) -> None:
    """Stands in for `TransactionTestCase._fixture_teardown`."""
    for alias in case._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        flush(connections[alias])


def flush(connection: BaseDatabaseWrapper) -> None:
    """Delete every row, in one transaction: foreign keys are checked at its end, when all is gone.

    Partitions and append-only tables are truncated: they refuse DELETE, and nothing refers to them.
    """
    tables = _tables(connection.settings_dict["NAME"], connection.alias)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        # The names come from the catalog.
        looks = [f"(SELECT '{name}' FROM \"{name}\" LIMIT 1)" for name in tables]  # noqa: S608
        cursor.execute(" UNION ALL ".join(looks))
        full = [name for (name,) in cursor.fetchall()]
        truncated = [f'"{name}"' for name in full if tables[name]]
        if truncated:
            cursor.execute(f"TRUNCATE {', '.join(truncated)}")
        for name in full:
            if not tables[name]:
                cursor.execute(f'DELETE FROM "{name}"')  # noqa: S608


@cache
def _tables(database: str, alias: str) -> dict[str, bool]:
    """Every table that holds rows itself, and whether it must be truncated. Once per database."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, c.relispartition OR EXISTS (
                SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'append_only')
            FROM pg_class c
            WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
              AND NOT c.relname = ANY(%s)
            """,
            [list(KEPT)],
        )
        return dict(cursor.fetchall())
