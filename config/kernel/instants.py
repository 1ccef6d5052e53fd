"""Instants, read quickly: an order and its groups have a dozen.

Django reads each with psycopg's loader in Python, a regular expression and a change of zone; what
PostgreSQL writes in UTC the standard library reads in C.
"""

from datetime import UTC, datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from django.db.backends.signals import connection_created
from psycopg.abc import Buffer


class InstantLoader(BaseTzLoader):  # type: ignore[misc]  # Django's has no types
    """Django's, but for the common case; what lies beyond Python's years is refused by it as ever."""

    timezone = UTC

    def load(self, data: Buffer) -> datetime:
        try:
            return datetime.fromisoformat(str(data, "ascii"))
        except ValueError:
            loaded: datetime = super().load(data)
            return loaded


def register() -> None:
    """Have every connection of Django's made from now on use it, where its zone is UTC."""
    connection_created.connect(_read_quickly, dispatch_uid="kernel.instants")


def _read_quickly(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    if connection.timezone is UTC:
        connection.connection.adapters.register_loader("timestamptz", InstantLoader)
