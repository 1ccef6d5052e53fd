"""Empty the database after a test that committed: only the tables that hold something.

Django truncates every table with CASCADE and then makes content types and permissions again. With
hundreds of partitions that takes seconds, and few tests leave more than a handful of rows.
"""

from functools import cache
from typing import Final

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

from tests.books import define

KEPT: Final = ("django_migrations", "django_content_type", "auth_permission")
"""What migrating has made, and no test changes."""

_FUNCTION: Final = "empty_tables"


def teardown(case: TransactionTestCase) -> None:
    """Stands in for `TransactionTestCase._fixture_teardown`."""
    for alias in case._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        flush(connections[alias])


def flush(connection: BaseDatabaseWrapper) -> None:
    """Delete every row, in one transaction: foreign keys are checked at its end, when all is gone.

    Partitions and append-only tables are truncated: they refuse DELETE, and nothing refers to them.
    """
    _define(connection.settings_dict["NAME"], connection.alias)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(f"SELECT {_FUNCTION}()")  # own name


@cache
def _define(database: str, alias: str) -> None:
    """Make the function. It looks into each table by a plan that its connection keeps.

    To plan one query over all of them takes longer than all else a small test does.
    """
    connection = connections[alias]
    with connection.cursor() as cursor:
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
        tables = dict(cursor.fetchall())
    truncated = "\n".join(
        f'IF EXISTS (SELECT FROM "{name}") THEN full_ := full_ || \'"{name}"\'::text; END IF;'
        for name, truncate in tables.items()
        if truncate
    )
    deleted = "\n".join(
        f'IF EXISTS (SELECT FROM "{name}") THEN DELETE FROM "{name}"; END IF;'  # noqa: S608
        for name, truncate in tables.items()
        if not truncate
    )
    define(
        connection,
        f"""
        CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS void LANGUAGE plpgsql AS $body$
        DECLARE full_ text[] := '{{}}';
        BEGIN
            {truncated}
            IF full_ <> '{{}}' THEN
                EXECUTE 'TRUNCATE ' || array_to_string(full_, ', ');
            END IF;
            {deleted}
        END $body$
        """,
    )
